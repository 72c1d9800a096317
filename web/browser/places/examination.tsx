/** The set-up doctor: asks the network now, one line for each thing looked at, and what to do. */
import { Loader, Text } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { IconCircleCheck, IconCircleX } from '@tabler/icons-react'
import { newKey } from '../api.ts'
import { keys } from '../queries.ts'
import { Failure } from '../states.tsx'
import { useSpeech, type Key } from '../texts/index.tsx'
import { channelsApi } from './channels-api.ts'

const names: Readonly<Record<string, Key>> = {
  callback: 'check.callback',
  token: 'check.token',
  permissions: 'check.permissions',
  subscription: 'check.subscription',
  secrets: 'check.secrets',
  address: 'check.address',
  expiry: 'check.expiry',
  last_event: 'check.last_event',
}

/** Runs once when it appears; a further run is another component. */
export function Examination({ channelId, name }: { readonly channelId: string; readonly name: string }) {
  const { t, times } = useSpeech()
  const client = useQueryClient()
  const query = useQuery({
    queryKey: ['examination', channelId],
    queryFn: async () => {
      const answer = await channelsApi.examine(channelId, newKey())
      client.setQueryData(keys.channel(channelId), answer.channel)
      void client.invalidateQueries({ queryKey: keys.channels, exact: true })
      return answer
    },
    gcTime: 0,
    staleTime: Infinity,
    retry: false,
  })
  return (
    <section className="checks" aria-label={t('check.title', { name })} aria-live="polite" aria-busy={query.isPending}>
      {query.isPending && (
        <Text c="dimmed" className="checks-wait">
          <Loader size="xs" aria-hidden /> {t('check.running')}
        </Text>
      )}
      {query.isError && <Failure error={query.error} again={() => void query.refetch()} />}
      {query.data && (
        <ul className="plain-list">
          {query.data.checks.map(({ name: check, is_good, code, parameters, cure_code }) => {
            const Sign = is_good ? IconCircleCheck : IconCircleX
            const known = names[check]
            const { at } = parameters
            const said = at === undefined ? parameters : { ...parameters, at: times.exact(at) }
            return (
              <li key={check} className="check" data-verdict={is_good ? 'good' : 'bad'}>
                <Sign size={22} role="img" aria-label={t(is_good ? 'check.good' : 'check.bad')} />
                <div>
                  <strong>{known ? t(known) : check}</strong> <span>{t(`setup.${code}`, said)}</span>
                  {cure_code && <div className="check-cure">{t(`cure.${cure_code}`, said)}</div>}
                </div>
              </li>
            )
          })}
        </ul>
      )}
    </section>
  )
}
