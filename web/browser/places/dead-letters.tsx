/** Messages between our own nodes that could not be processed, with the reason; each can be tried again. */
import { Button, Skeleton, Text } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQueryClient, type UseInfiniteQueryResult } from '@tanstack/react-query'
import { IconMailCheck, IconRefresh } from '@tabler/icons-react'
import type { DeadLetterJson } from '../../presenters/shapes.ts'
import { newKey, type Page } from '../api.ts'
import { useNow } from '../clock.ts'
import { allItems, keys } from '../queries.ts'
import { Empty, Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { receivedApi } from './received-api.ts'
import { sizeOf } from './received-row.tsx'
import { useTell } from './use-tell.ts'

export const useDeadLetters = () =>
  useInfiniteQuery({
    queryKey: keys.deadLetters,
    queryFn: ({ pageParam, signal }) => receivedApi.deadLetters(pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: 0,
    refetchInterval: (current) => ((current.state.data?.pages.length ?? 0) > 1 ? false : 10_000),
  })

type Query = UseInfiniteQueryResult<{ readonly pages: Page<DeadLetterJson>[] }>

export function DeadLetters({ query }: { readonly query: Query }) {
  const { t } = useSpeech()
  const items = allItems(query.data)
  return (
    <>
      <Text c="dimmed" mb="sm">
        {t('letters.lead')}
      </Text>
      {query.isPending && <Skeleton height={66} radius="md" aria-label={t('state.loading')} />}
      {query.isError && items.length === 0 && <Failure error={query.error} again={() => void query.refetch()} />}
      {query.isSuccess && items.length === 0 && (
        <Empty
          icon={<IconMailCheck size={40} stroke={1.3} />}
          title={t('letters.empty')}
          hint={t('letters.empty_hint')}
        />
      )}
      <ul className="cards" aria-label={t('letters.title')}>
        {items.map((letter) => (
          <Letter key={letter.id} letter={letter} />
        ))}
      </ul>
      {query.hasNextPage && (
        <Button mt="md" variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t('received.more')}
        </Button>
      )}
    </>
  )
}

function Letter({ letter }: { readonly letter: DeadLetterJson }) {
  const { t, times, language } = useSpeech()
  const now = useNow()
  const client = useQueryClient()
  const tell = useTell()
  const replay = useMutation({
    mutationFn: () => receivedApi.replayDeadLetter(letter.id, newKey()),
    onSuccess: () => {
      tell.done(t('received.replayed'))
      return client.invalidateQueries({ queryKey: keys.deadLetters })
    },
    onError: tell.failed,
  })
  return (
    <li className="card-row">
      <div className="card-main">
        <div>{letter.last_error}</div>
        <div className="card-side">
          <code>{letter.queue}</code> ·{' '}
          <time dateTime={letter.created_at} title={times.exact(letter.created_at)}>
            {times.relative(letter.created_at, now)}
          </time>{' '}
          · {t('received.tries', { count: letter.tries })} · {sizeOf(letter.size, language)}
        </div>
      </div>
      <Button
        size="compact-md"
        variant="default"
        leftSection={<IconRefresh size={16} aria-hidden />}
        loading={replay.isPending}
        onClick={() => replay.mutate()}
      >
        {t('letters.replay')}
      </Button>
      <details className="card-whole">
        <summary className="card-side">{t('letters.content')}</summary>
        <pre className="raw" tabIndex={0} aria-label={t('letters.content')}>
          {letter.body}
        </pre>
      </details>
    </li>
  )
}
