import { Button, Loader, Skeleton, TextInput } from '@mantine/core'
import { IconArrowUp, IconInbox, IconSearch, IconX } from '@tabler/icons-react'
import type { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, useState, type RefObject } from 'react'
import { Link } from 'react-router'
import type { ConversationJson } from '../presenters/shapes.ts'
import { views, type View } from './api.ts'
import { useNow } from './clock.ts'
import { ConversationRow, rowHeight } from './conversation-row.tsx'
import type { useConversations } from './queries.ts'
import { isUnread } from './read-marks.ts'
import { useSession } from './session.ts'
import { Empty, Failure } from './states.tsx'
import { useSteadyList } from './steady-list.ts'
import { useSpeech } from './texts/index.tsx'

interface Props {
  readonly list: ReturnType<typeof useConversations>
  readonly conversations: readonly ConversationJson[]
  readonly view: View
  readonly q: string
  readonly selected: string | undefined
  readonly read: ReadonlyMap<string, number>
  readonly hrefOf: (id: string | undefined, view?: View, q?: string) => string
  readonly onSearch: (q: string) => void
  readonly searchField: RefObject<HTMLInputElement | null>
}

export function ConversationList(props: Props) {
  const { list, conversations, view, q, selected, read, hrefOf } = props
  const { t } = useSpeech()
  const now = useNow()
  const scroller = useRef<HTMLDivElement>(null)
  const steady = useSteadyList(scroller, conversations, selected, `${view} ${q}`)
  const { virtualizer } = steady
  useMore(list, virtualizer, conversations.length)

  return (
    <section className="list" aria-label={t('inbox.conversations')}>
      <nav className="views" aria-label={t('inbox.views')}>
        {views.map((each) => (
          <Link
            key={each}
            to={hrefOf(undefined, each)}
            className="view"
            aria-current={each === view ? 'page' : undefined}
          >
            {t(`view.${each}`)}
          </Link>
        ))}
      </nav>
      <SearchField {...props} />
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
            <RowSkeletons />
          ) : list.isError && conversations.length === 0 ? (
            <Failure error={list.error} again={() => void list.refetch()} />
          ) : conversations.length === 0 ? (
            <NoConversations view={view} q={q} />
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
    </section>
  )
}

function SearchField({ q, onSearch, searchField }: Props) {
  const { t } = useSpeech()
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

function NoConversations({ view, q }: { readonly view: View; readonly q: string }) {
  const { t } = useSpeech()
  const session = useSession()
  const icon = <IconInbox size={40} stroke={1.3} />
  if (q) return <Empty icon={icon} title={t('inbox.empty_search', { q })} hint={t('inbox.empty_search_hint')} />
  if (view === 'unassigned') return <Empty icon={icon} title={t('inbox.empty_unassigned')} />
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

function RowSkeletons() {
  const { t } = useSpeech()
  return (
    <div role="status" aria-label={t('state.loading')}>
      {Array.from({ length: 8 }, (_, index) => (
        <div key={index} className="row-skeleton" style={{ height: rowHeight }}>
          <Skeleton circle height={36} />
          <div>
            <Skeleton height={12} width="55%" />
            <Skeleton height={10} mt={8} width="90%" />
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
