import { Button, SegmentedControl, Skeleton, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { IconListDetails, IconRefresh } from '@tabler/icons-react'
import { useEffect } from 'react'
import { useSearchParams } from 'react-router'
import type { ReceivedJson } from '../../presenters/shapes.ts'
import { api, newKey } from '../api.ts'
import { useNow } from '../clock.ts'
import { allItems, keys } from '../queries.ts'
import { Empty, Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'

const states = ['pending', 'processed', 'kept', 'dead'] as const

/** What the networks sent, raw, and what became of it. */
export function Received() {
  const { t } = useSpeech()
  const [search, setSearch] = useSearchParams()
  const state = states.find((each) => each === search.get('state')) ?? ''
  const query = useInfiniteQuery({
    queryKey: keys.received(state),
    queryFn: ({ pageParam, signal }) => api.received(state, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: 0,
    refetchInterval: (current) => ((current.state.data?.pages.length ?? 0) > 1 ? false : 5_000),
  })
  useEffect(() => {
    document.title = `${t('place.received')} · ${t('app.name')}`
  }, [t])
  const items = allItems(query.data)
  return (
    <div className="place">
      <div className="place-inner">
        <header className="place-head">
          <div>
            <Title order={1} size="h2">
              {t('place.received')}
            </Title>
            <Text c="dimmed">{t('received.lead')}</Text>
          </div>
          <SegmentedControl
            aria-label={t('received.state')}
            value={state || 'all'}
            onChange={(value) => setSearch(value === 'all' ? {} : { state: value })}
            data={['all' as const, ...states].map((value) => ({ value, label: t(`received.${value}`) }))}
          />
        </header>
        {query.isPending && <Skeleton height={66} radius="md" />}
        {query.isError && items.length === 0 && <Failure error={query.error} again={() => void query.refetch()} />}
        {query.isSuccess && items.length === 0 && (
          <Empty
            icon={<IconListDetails size={40} stroke={1.3} />}
            title={t('received.empty')}
            hint={t('received.empty_hint')}
          />
        )}
        <ul className="cards" aria-label={t('received.list')}>
          {items.map((item) => (
            <ReceivedCard key={item.id} item={item} />
          ))}
        </ul>
        {query.hasNextPage && (
          <Button
            mt="md"
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            {t('received.more')}
          </Button>
        )}
      </div>
    </div>
  )
}

function ReceivedCard({ item }: { readonly item: ReceivedJson }) {
  const { t, times, language } = useSpeech()
  const now = useNow()
  const client = useQueryClient()
  const replay = useMutation({
    mutationFn: () => api.replay(item.id, newKey()),
    onSuccess: () => {
      notifications.show({ message: t('received.replayed') })
      return client.invalidateQueries({ queryKey: ['received'] })
    },
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
  })
  return (
    <li className="card-row">
      <div className="card-main">
        <time dateTime={item.received_at} title={times.exact(item.received_at)}>
          {times.relative(item.received_at, now)}
        </time>{' '}
        <span className="card-side">· {t('received.size', { count: item.size })}</span>
        {item.reason && <div>{item.reason}</div>}
        {item.trace.length > 0 && (
          <div className="card-side">
            {t('received.became')}: {new Intl.ListFormat(language).format(item.trace.map(({ became }) => became))}
          </div>
        )}
      </div>
      <span className="health" data-state={item.state}>
        {t(`received.${item.state}`)}
      </span>
      {(item.state === 'dead' || item.state === 'kept') && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconRefresh size={16} aria-hidden />}
          loading={replay.isPending}
          onClick={() => replay.mutate()}
        >
          {t('received.replay')}
        </Button>
      )}
      <details style={{ flexBasis: '100%' }}>
        <summary className="card-side">JSON</summary>
        <pre className="raw" tabIndex={0}>
          {pretty(item.body)}
        </pre>
      </details>
    </li>
  )
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}
