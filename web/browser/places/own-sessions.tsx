/** Where I am signed in; each can be ended. */
import { Badge, Button, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNow } from '../clock.ts'
import { useSpeech } from '../texts/index.tsx'
import { lists, peopleApi } from './people-api.ts'
import { Shown, useAct } from './people-parts.tsx'

export function OwnSessions() {
  const { t, times } = useSpeech()
  const now = useNow()
  const query = useQuery(lists.sessions)
  const end = useAct(peopleApi.endSession)
  const endOthers = useAct(peopleApi.endOthers)
  const others = query.data?.items.filter((session) => !session.is_current).length ?? 0
  return (
    <section aria-label={t('sessions.title')}>
      <header className="place-head place-part">
        <div>
          <Title order={2} size="h4">
            {t('sessions.title')}
          </Title>
          <Text c="dimmed">{t(others === 0 ? 'sessions.only' : 'sessions.lead')}</Text>
        </div>
        {others > 1 && (
          <Button variant="default" loading={endOthers.isPending} onClick={() => endOthers.mutate(undefined)}>
            {t('sessions.end_others')}
          </Button>
        )}
      </header>
      <Shown query={query}>
        {({ items }) => (
          <ul className="cards" aria-label={t('sessions.title')}>
            {items.map((session) => (
              <li key={session.id} className="card-row">
                <div className="card-main">
                  <div title={session.agent ?? undefined}>{programOf(session.agent) ?? t('sessions.unknown')}</div>
                  <div className="card-side">
                    {session.address} ·{' '}
                    <time dateTime={session.seen_at} title={times.exact(session.seen_at)}>
                      {t('sessions.seen', { time: times.relative(session.seen_at, now) })}
                    </time>
                  </div>
                </div>
                {session.is_current ? (
                  <Badge variant="light" tt="none">
                    {t('sessions.this')}
                  </Badge>
                ) : (
                  <Button
                    size="compact-md"
                    variant="default"
                    loading={end.isPending && end.variables === session.id}
                    onClick={() => end.mutate(session.id)}
                  >
                    {t('sessions.end')}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </section>
  )
}

/** "Firefox, Linux": what people know of a long line that programs send. */
function programOf(agent: string | null): string | undefined {
  if (!agent) return undefined
  const program = ['Edg', 'OPR', 'Firefox', 'HeadlessChrome', 'Chrome', 'Safari'].find((name) => agent.includes(name))
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS X', 'Linux'].find((name) => agent.includes(name))
  if (program === undefined) return agent.slice(0, 60)
  const name = { Edg: 'Edge', OPR: 'Opera', HeadlessChrome: 'Chrome' }[program] ?? program
  return system === undefined ? name : `${name}, ${system.replace(' OS X', '')}`
}
