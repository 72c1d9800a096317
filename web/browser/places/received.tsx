/** What the networks sent, as it came, and what became of it. */
import { Button, Skeleton, Tabs, Text, Title } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { IconListDetails, IconMailOff } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { api } from '../api.ts'
import { useActions } from '../keyboard.ts'
import { allItems, keys } from '../queries.ts'
import { Empty, Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { DeadLetters, useDeadLetters } from './dead-letters.tsx'
import { receivedApi, type ReceivedFilter } from './received-api.ts'
import { ReceivedDetail } from './received-detail.tsx'
import { filterOf, FilterBar } from './received-filter.tsx'
import { ReceivedRow } from './received-row.tsx'
import { ReplayMany } from './replay-many.tsx'

export function Received() {
  const { t } = useSpeech()
  const [search, setSearch] = useSearchParams()
  const { receivedId } = useParams()
  const navigate = useNavigate()
  const letters = useDeadLetters()
  const letterCount = allItems(letters.data).length
  const isLetters = search.get('tab') === 'dead-letters'
  useEffect(() => {
    document.title = `${t('place.received')} · ${t('app.name')}`
  }, [t])
  return (
    <div className="place">
      <div className="place-inner place-wide">
        <header className="place-head">
          <div>
            <Title order={1} size="h2">
              {t('place.received')}
            </Title>
            <Text c="dimmed">{t('received.lead')}</Text>
          </div>
        </header>
        <Tabs
          value={isLetters ? 'dead-letters' : 'log'}
          onChange={(tab) => setSearch(tab === 'log' || tab === null ? {} : { tab })}
          keepMounted={false}
        >
          <Tabs.List aria-label={t('received.parts')}>
            <Tabs.Tab value="log" leftSection={<IconListDetails size={18} aria-hidden />}>
              {t('received.log')}
            </Tabs.Tab>
            <Tabs.Tab value="dead-letters" leftSection={<IconMailOff size={18} aria-hidden />}>
              {t('letters.title')}
              {letterCount > 0 && (
                <span className="count tab-count">{letters.hasNextPage ? `${letterCount}+` : letterCount}</span>
              )}
            </Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="log" pt="md">
            <Log filter={filterOf(search)} change={(filter) => setSearch(filter, { replace: true })} />
          </Tabs.Panel>
          <Tabs.Panel value="dead-letters" pt="md">
            <DeadLetters query={letters} />
          </Tabs.Panel>
        </Tabs>
      </div>
      <ReceivedDetail
        id={receivedId}
        close={() => void navigate({ pathname: '/received', search: search.toString() })}
      />
    </div>
  )
}

function Log({
  filter,
  change,
}: {
  readonly filter: ReceivedFilter
  readonly change: (filter: ReceivedFilter) => void
}) {
  const { t } = useSpeech()
  const [isReplaying, setReplaying] = useState(false)
  const channels = useQuery({ queryKey: keys.channels, queryFn: ({ signal }) => api.channels(signal) })
  const apps = useQuery({ queryKey: keys.apps, queryFn: ({ signal }) => api.apps(signal) })
  const query = useInfiniteQuery({
    queryKey: keys.received(filter),
    queryFn: ({ pageParam, signal }) => receivedApi.list(filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: 0,
    // Whoever reads further down is not to lose the place.
    refetchInterval: (current) => ((current.state.data?.pages.length ?? 0) > 1 ? false : 3_000),
  })
  const items = allItems(query.data)
  const isNarrowed = Object.keys(filter).length > 0
  const step = (by: 1 | -1): void => {
    const links = [...document.querySelectorAll<HTMLElement>('.log-row a')]
    const at = links.findIndex((link) => link === document.activeElement)
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus()
  }
  useActions([
    { id: 'received-next', label: 'action.next_line', keys: 'j', group: 'group.list', isKeyOnly: true, run: () => step(1) },
    { id: 'received-previous', label: 'action.previous_line', keys: 'k', group: 'group.list', isKeyOnly: true, run: () => step(-1) },
    { id: 'received-find', label: 'action.find_id', keys: '/', group: 'group.list', run: () => document.getElementById('received-q')?.focus() },
  ]) // prettier-ignore

  return (
    <>
      <FilterBar
        filter={filter}
        change={change}
        channels={channels.data?.items ?? []}
        apps={apps.data?.items ?? []}
        replay={isNarrowed && items.length > 0 ? () => setReplaying(true) : undefined}
      />
      {query.isPending && (
        <div role="status" aria-busy aria-label={t('state.loading')}>
          {Array.from({ length: 8 }, (_, index) => (
            <Skeleton key={index} height={44} mb={6} radius="sm" />
          ))}
        </div>
      )}
      {query.isError && items.length === 0 && <Failure error={query.error} again={() => void query.refetch()} />}
      {query.isSuccess && items.length === 0 && (
        <Empty
          icon={<IconListDetails size={40} stroke={1.3} />}
          title={isNarrowed ? t('received.nothing') : t('received.empty')}
          hint={isNarrowed ? t('received.nothing_hint') : t('received.empty_hint')}
        >
          {isNarrowed && (
            <Button variant="default" onClick={() => change({})}>
              {t('received.clear')}
            </Button>
          )}
        </Empty>
      )}
      {items.length > 0 && (
        <ul className="log" aria-label={t('received.list')}>
          {items.map((item) => (
            <ReceivedRow
              key={item.id}
              item={item}
              channel={channels.data?.items.find(({ id }) => id === item.channel_id)}
              appName={apps.data?.items.find(({ id }) => id === item.app_id)?.name}
            />
          ))}
        </ul>
      )}
      {query.hasNextPage && (
        <Button mt="md" variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t('received.more')}
        </Button>
      )}
      <ReplayMany filter={filter} isOpen={isReplaying} close={() => setReplaying(false)} />
    </>
  )
}
