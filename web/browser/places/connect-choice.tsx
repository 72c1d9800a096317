/** After the sign-in: which of the person's pages and accounts to connect. */
import { Alert, Button, Checkbox, Group, Skeleton, Text, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { IconPlugConnectedX } from '@tabler/icons-react'
import { useState } from 'react'
import type { ConnectableJson } from '../../presenters/shapes.ts'
import { newKey, Problem } from '../api.ts'
import { ChannelMark } from '../person.tsx'
import { keys } from '../queries.ts'
import { Empty, Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { channelsApi } from './channels-api.ts'

interface Props {
  readonly attempt: string
  readonly finish: (ids: readonly string[]) => void
  readonly again: (values: Readonly<Record<string, string>>) => void
}

export function ConnectChoice({ attempt, finish, again }: Props) {
  const { t } = useSpeech()
  const query = useQuery({
    queryKey: ['connectables', attempt],
    queryFn: ({ signal }) => channelsApi.connectables(attempt, signal),
    staleTime: Infinity,
  })
  if (query.isPending) return <Skeleton height={160} radius="md" aria-label={t('state.loading')} />
  if (query.isError)
    return query.error instanceof Problem && query.error.status === 404 ? (
      <Empty
        icon={<IconPlugConnectedX size={40} stroke={1.3} />}
        title={t('connect.problem_expired')}
        hint={t('connect.nothing_changed')}
      >
        <Button onClick={() => again({})}>{t('connect.from_start')}</Button>
      </Empty>
    ) : (
      <Failure error={query.error} again={() => void query.refetch()} />
    )
  const { items } = query.data
  if (items.length === 0)
    return (
      <Empty
        icon={<IconPlugConnectedX size={40} stroke={1.3} />}
        title={t('connect.choice_none')}
        hint={t('connect.choice_none_hint')}
      >
        <Button onClick={() => again({})}>{t('connect.sign_in_again')}</Button>
      </Empty>
    )
  return <Choose attempt={attempt} items={items} finish={finish} />
}

function Choose({
  attempt,
  items,
  finish,
}: {
  readonly attempt: string
  readonly items: readonly ConnectableJson[]
  readonly finish: Props['finish']
}) {
  const { t } = useSpeech()
  const client = useQueryClient()
  const [chosen, setChosen] = useState<readonly string[]>(
    items.length === 1
      ? items.map(({ external_id }) => external_id)
      : items.filter(({ channel_id }) => channel_id).map(({ external_id }) => external_id),
  )
  const connect = useMutation({
    mutationFn: () => channelsApi.connectChosen(attempt, chosen, newKey()),
    onSuccess: async ({ items: connected }) => {
      await client.invalidateQueries({ queryKey: keys.channels })
      finish(connected.map(({ id }) => id))
    },
  })
  return (
    <section>
      <Title order={2} size="h4">
        {t('connect.choice_title')}
      </Title>
      <Text mb="sm">{t('connect.choice_lead')}</Text>
      {connect.isError && (
        <Alert color="red" variant="light" role="alert" mb="md">
          {connect.error.message}
        </Alert>
      )}
      <Checkbox.Group value={[...chosen]} onChange={setChosen} aria-label={t('connect.choice_title')}>
        <ul className="cards">
          {items.map((item) => (
            <li key={`${item.type} ${item.external_id}`} className="card-row">
              <Checkbox
                styles={{ body: { alignItems: 'center' } }}
                value={item.external_id}
                label={
                  <span className="connectable">
                    <ChannelMark type={item.type} size={24} />
                    <span>
                      <strong>{item.name}</strong>
                      <span className="dimmed">
                        {item.external_id}
                        {item.channel_id && ` · ${t('connect.choice_known')}`}
                      </span>
                    </span>
                  </span>
                }
              />
            </li>
          ))}
        </ul>
      </Checkbox.Group>
      <Group mt="md">
        <Button disabled={chosen.length === 0} loading={connect.isPending} onClick={() => connect.mutate()}>
          {t('connect.choice_connect', { count: chosen.length })}
        </Button>
      </Group>
    </section>
  )
}
