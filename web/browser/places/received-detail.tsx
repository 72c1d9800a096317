/** One body, whole: when, the verdict, what each part became and where that is, and the bytes. */
import { Alert, Button, CopyButton, Drawer, Group, Skeleton, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { IconCheck, IconCopy, IconRefresh } from '@tabler/icons-react'
import { useMemo } from 'react'
import { Link } from 'react-router'
import type { ReceivedJson } from '../../presenters/shapes.ts'
import { api, newKey } from '../api.ts'
import { keys } from '../queries.ts'
import { Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { receivedApi } from './received-api.ts'
import { sizeOf, Verdict } from './received-row.tsx'
import { useTell } from './use-tell.ts'

export function ReceivedDetail({ id, close }: { readonly id: string | undefined; readonly close: () => void }) {
  const { t } = useSpeech()
  return (
    <Drawer
      opened={id !== undefined}
      onClose={close}
      position="right"
      size="min(720px, 100vw)"
      title={t('received.one')}
      transitionProps={{ duration: 100 }}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      {id !== undefined && <Detail id={id} />}
    </Drawer>
  )
}

function Detail({ id }: { readonly id: string }) {
  const { t } = useSpeech()
  const query = useQuery({
    queryKey: keys.receivedOne(id),
    queryFn: ({ signal }) => receivedApi.one(id, signal),
    staleTime: 0,
    // What waits is about to be processed.
    refetchInterval: (current) => (current.state.data?.state === 'pending' ? 1_000 : false),
  })
  if (query.isPending) return <Skeleton height={240} radius="md" aria-label={t('state.loading')} />
  if (query.isError) return <Failure error={query.error} again={() => void query.refetch()} />
  return <Shown item={query.data} />
}

/** More than a person reads; a body may carry a thousand. */
const mostShown = 200

function Shown({ item }: { readonly item: ReceivedJson }) {
  const { t, times, language } = useSpeech()
  const client = useQueryClient()
  const tell = useTell()
  const channels = useQuery({ queryKey: keys.channels, queryFn: ({ signal }) => api.channels(signal) })
  const apps = useQuery({ queryKey: keys.apps, queryFn: ({ signal }) => api.apps(signal) })
  const replay = useMutation({
    mutationFn: () => receivedApi.replay(item.id, newKey()),
    onSuccess: () => {
      tell.done(t('received.replayed'))
      return client.invalidateQueries({ queryKey: keys.receivedLog })
    },
    onError: tell.failed,
  })
  const text = useMemo(() => pretty(item.body), [item.body])
  const channel = channels.data?.items.find(({ id }) => id === item.channel_id)
  const app = apps.data?.items.find(({ id }) => id === item.app_id)
  return (
    <div className="received-one">
      <Group justify="space-between">
        <Verdict state={item.state} />
        <Button
          size="compact-md"
          variant="default"
          leftSection={<IconRefresh size={16} aria-hidden />}
          loading={replay.isPending}
          disabled={item.state === 'pending'}
          onClick={() => replay.mutate()}
        >
          {t('received.replay')}
        </Button>
      </Group>
      {item.reason && (
        <Alert mt="sm" variant="light" color={item.state === 'dead' ? 'red' : 'gray'}>
          {item.reason}
        </Alert>
      )}
      <dl className="facts">
        <dt>{t('received.when')}</dt>
        <dd>{times.exact(item.received_at)}</dd>
        {item.processed_at && (
          <>
            <dt>{t('received.took')}</dt>
            <dd className="count">{tookOf(item.received_at, item.processed_at, language)}</dd>
          </>
        )}
        <dt>{t('channels.app')}</dt>
        <dd>{app?.name ?? item.app_id}</dd>
        {item.channel_id && (
          <>
            <dt>{t('received.channel')}</dt>
            <dd>{channel?.name ?? item.channel_id}</dd>
          </>
        )}
        <dt>{t('received.id')}</dt>
        <dd>
          <code>{item.id}</code>
        </dd>
        {item.tries > 1 && (
          <>
            <dt>{t('received.times')}</dt>
            <dd className="count">{item.tries}</dd>
          </>
        )}
      </dl>
      {item.trace.length > 0 && (
        <>
          <h3>{t('received.became')}</h3>
          <ul className="trace">
            {item.trace.slice(0, mostShown).map((entry) => (
              <li key={entry.at}>
                <code>{entry.at || '/'}</code>
                <span>{entry.became}</span>
                {entry.conversation_id && (
                  <Link to={`/inbox/${entry.conversation_id}`}>{t('received.to_conversation')}</Link>
                )}
              </li>
            ))}
          </ul>
          {item.trace.length > mostShown && (
            <Text c="dimmed">{t('received.further', { count: item.trace.length - mostShown })}</Text>
          )}
        </>
      )}
      <Group justify="space-between" mt="md">
        <h3>{t('received.body', { size: sizeOf(item.size, language) })}</h3>
        <CopyButton value={item.body}>
          {({ copied, copy }) => (
            <Button
              size="compact-sm"
              variant="subtle"
              onClick={copy}
              leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
            >
              {copied ? t('channels.copied') : t('channels.copy')}
            </Button>
          )}
        </CopyButton>
      </Group>
      <pre className="raw raw-whole" tabIndex={0} aria-label={t('received.raw')}>
        {text}
      </pre>
    </div>
  )
}

function tookOf(from: string, to: string, language: string): string {
  const ms = Math.max(0, Date.parse(to) - Date.parse(from))
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: ms < 10_000 ? 'millisecond' : 'second',
    maximumFractionDigits: 0,
  }).format(ms < 10_000 ? ms : ms / 1_000)
}

/** Large bodies are shown as they came: to lay them out would hold up the page. */
const largest = 200_000

function pretty(body: string): string {
  if (body.length > largest) return body
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}
