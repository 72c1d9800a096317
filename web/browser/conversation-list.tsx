import { Button, Loader, Skeleton, TextInput } from '@mantine/core'
import { IconArrowUp, IconInbox, IconSearch, IconX } from '@tabler/icons-react'
import type { useVirtualizer } from '@tanstack/react-virtual'
import { Suspense, useCallback, useEffect, useRef, useState, type ReactNode, type RefObject } from 'react'
import { Link } from 'react-router'
import type { ConversationJson } from '../presenters/shapes.ts'
import type { Chosen } from './care/chosen.ts'
import { rowHeights, useDensity } from './care/density.ts'
import { isBuiltIn, type Filter, type FilterChange } from './care/filter.ts'
import { FilterBar, ViewTabs } from './care/list-head.tsx'
import { useDraftMarks } from './care/queries.ts'
import { useNow } from './clock.ts'
import { ConversationRow } from './conversation-row.tsx'
import type { useConversations } from './queries.ts'
import { isUnread } from './read-marks.ts'
import { useSession } from './session.ts'
import { Empty, Failure } from './states.tsx'
import { useSteadyList } from './steady-list.ts'
import { useSpeech } from './texts/index.tsx'

interface Props {
  readonly list: ReturnType<typeof useConversations>
  readonly conversations: readonly ConversationJson[]
  readonly filter: Filter
  /** Names the list: another filter is another list. */
  readonly scope: string
  readonly view: string
  readonly selected: string | undefined
  /** Undefined: nothing can be done to many. */
  readonly chosen: Chosen | undefined
  readonly read: ReadonlyMap<string, number>
  readonly hrefOf: (id: string | undefined) => string
  readonly change: (to: FilterChange) => void
  readonly take: () => void
  readonly searchField: RefObject<HTMLInputElement | null>
  readonly above: ReactNode
  readonly below: ReactNode
}

export function ConversationList(props: Props) {
  const { list, conversations, filter, scope, selected, chosen, read, hrefOf, change } = props
  const { t } = useSpeech()
  const now = useNow()
  const scroller = useRef<HTMLDivElement>(null)
  const density = useDensity()
  const drafts = useDraftMarks()
  const steady = useSteadyList(scroller, conversations, selected, scope, rowHeights[density])
  const { virtualizer } = steady
  useMore(list, virtualizer, conversations.length)
  // Rows are drawn anew only when they change: what they call must stay the same.
  const latest = useRef(chosen)
  useEffect(() => {
    latest.current = chosen
  })
  const onChoose = useCallback(
    (id: string, isRange: boolean) => (isRange ? latest.current?.extendTo(id) : latest.current?.toggle(id)),
    [],
  )

  return (
    <section className="list" aria-label={t('inbox.conversations')} data-density={density}>
      <ViewTabs filter={filter} />
      <SearchField {...props} />
      <FilterBar filter={filter} change={change} take={props.take} />
      <Suspense>{props.above}</Suspense>
      <div className="list-body">
        {steady.newAbove > 0 && (
          <Button
            className="new-pill"
            size="compact-sm"
            radius="xl"
            leftSection={<IconArrowUp size={14} />}
            onClick={steady.showNewest}
            title={t('inbox.new_hint')}
          >
            {t('inbox.new', { count: steady.newAbove })}
          </Button>
        )}
        <div className="list-scroller" ref={scroller} onPointerEnter={steady.hold} onPointerLeave={steady.release}>
          {list.isPending ? (
            <RowSkeletons height={rowHeights[density]} />
          ) : list.isError && conversations.length === 0 ? (
            <Failure error={list.error} again={() => void list.refetch()} />
          ) : conversations.length === 0 ? (
            <NoConversations {...props} />
          ) : (
            <div
              role="list"
              aria-label={t('inbox.conversations')}
              className="rows"
              style={{ height: Math.max(virtualizer.getTotalSize(), steady.height) }}
            >
              {virtualizer.getVirtualItems().map((item) => {
                const conversation = conversations[item.index]
                return (
                  conversation && (
                    <ConversationRow
                      key={conversation.id}
                      conversation={conversation}
                      top={item.start}
                      position={item.index + 1}
                      count={list.hasNextPage ? -1 : conversations.length}
                      isSelected={conversation.id === selected}
                      isUnread={isUnread(conversation, read)}
                      isChosen={chosen?.ids.has(conversation.id) === true}
                      isChoosing={chosen !== undefined && chosen.count > 0}
                      onChoose={chosen && onChoose}
                      hasDraft={drafts.has(conversation.id)}
                      isCompact={density === 'compact'}
                      href={hrefOf(conversation.id)}
                      now={now}
                    />
                  )
                )
              })}
            </div>
          )}
          {list.isFetchingNextPage && (
            <Loader size="xs" type="dots" className="list-more" aria-label={t('inbox.more')} />
          )}
        </div>
      </div>
      <Suspense>{props.below}</Suspense>
    </section>
  )
}

function SearchField({ filter: { q = '' }, change, searchField }: Props) {
  const { t } = useSpeech()
  const onSearch = (next: string): void => change({ q: next })
  const [typed, setTyped] = useState(q)
  const [asked, setAsked] = useState(q)
  if (asked !== q) {
    setAsked(q)
    setTyped(q)
  }
  useEffect(() => {
    if (typed === q) return
    const timer = setTimeout(() => onSearch(typed), 250)
    return () => clearTimeout(timer)
  })
  return (
    <TextInput
      ref={searchField}
      className="list-search"
      type="search"
      role="searchbox"
      aria-label={t('inbox.search')}
      placeholder={t('inbox.search')}
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        typed && (
          <button type="button" className="bare" aria-label={t('inbox.search_clear')} onClick={() => onSearch('')}>
            <IconX size={16} />
          </button>
        )
      }
    />
  )
}

function NoConversations({ view, filter, change }: Props) {
  const { t } = useSpeech()
  const session = useSession()
  const icon = <IconInbox size={40} stroke={1.3} />
  const { view: _view, q, sort: _sort, ...chips } = filter
  if (q) return <Empty icon={icon} title={t('inbox.empty_search', { q })} hint={t('inbox.empty_search_hint')} />
  if (Object.keys(chips).length > 0 || !isBuiltIn(view))
    return (
      <Empty icon={icon} title={t('inbox.empty_filter')} hint={t('inbox.empty_filter_hint')}>
        {Object.keys(chips).length > 0 && (
          <Button
            variant="light"
            size="xs"
            onClick={() => change(Object.fromEntries(Object.keys(chips).map((name) => [name, ''])))}
          >
            {t('filter.clear')}
          </Button>
        )}
      </Empty>
    )
  if (view !== 'all') return <Empty icon={icon} title={t(`inbox.empty_${view}`)} hint={t(`inbox.empty_${view}_hint`)} />
  return (
    <Empty icon={icon} title={t('inbox.empty_all')} hint={t('inbox.empty_all_hint')}>
      <Button component={Link} to="/channels" variant="light" size="xs">
        {t('inbox.empty_connect')}
      </Button>
      {session.demo && (
        <Button component="a" href="/sandbox/phone" target="_blank" variant="subtle" size="xs">
          {t('inbox.empty_phone')}
        </Button>
      )}
    </Empty>
  )
}

function RowSkeletons({ height }: { readonly height: number }) {
  const { t } = useSpeech()
  return (
    <div role="status" aria-label={t('state.loading')}>
      {Array.from({ length: 8 }, (_, index) => (
        <div key={index} className="row-skeleton" style={{ height }}>
          <Skeleton circle height={Math.min(36, height - 6)} />
          <div>
            <Skeleton height={12} width="55%" />
            {height > 40 && <Skeleton height={10} mt={8} width="90%" />}
          </div>
        </div>
      ))}
    </div>
  )
}

/** Asks for the next page shortly before its first row is needed. */
function useMore(
  list: Props['list'],
  virtualizer: ReturnType<typeof useVirtualizer<HTMLDivElement, Element>>,
  count: number,
): void {
  const lastSeen = virtualizer.getVirtualItems().at(-1)?.index ?? 0
  const { hasNextPage, isFetchingNextPage, isError, fetchNextPage } = list
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isError && lastSeen >= count - 12) void fetchNextPage()
  }, [lastSeen, count, hasNextPage, isFetchingNextPage, isError, fetchNextPage])
}
