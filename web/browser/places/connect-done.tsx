/** The end of the path: each connected channel is examined at once, and says whether anything is left to do. */
import { Button, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { ChannelMark } from '../person.tsx'
import { keys } from '../queries.ts'
import { Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { channelsApi } from './channels-api.ts'
import { Examination } from './examination.tsx'

export function ConnectDone({ ids }: { readonly ids: readonly string[] }) {
  const { t } = useSpeech()
  return (
    <section>
      <Text mb="sm">{t('connect.check_lead')}</Text>
      {ids.map((id) => (
        <One key={id} id={id} />
      ))}
      <Group mt="md">
        <Button component={Link} to="/inbox">
          {t('place.to_inbox')}
        </Button>
        <Button variant="default" component={Link} to="/channels">
          {t('connect.to_channels')}
        </Button>
        <Button variant="subtle" component={Link} to="/channels/connect">
          {t('connect.another')}
        </Button>
      </Group>
    </section>
  )
}

function One({ id }: { readonly id: string }) {
  const query = useQuery({ queryKey: keys.channel(id), queryFn: ({ signal }) => channelsApi.one(id, signal) })
  if (query.isError) return <Failure error={query.error} again={() => void query.refetch()} />
  if (!query.data) return null
  return (
    <>
      <h2 className="connected-name">
        <ChannelMark type={query.data.type} size={24} /> {query.data.name}
      </h2>
      <Examination channelId={id} name={query.data.name} />
    </>
  )
}
