/** The inbox: list, conversation, contact; as many of them beside each other as the screen holds. */
import { IconMessages } from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { ContactPanel } from './contact-panel.tsx'
import { ConversationList } from './conversation-list.tsx'
import { ConversationView } from './conversation.tsx'
import { views, type View } from './api.ts'
import { useActions } from './keyboard.ts'
import { allItems, useConversations } from './queries.ts'
import { isUnread, useReadMarks } from './read-marks.ts'
import { Empty } from './states.tsx'
import { useSpeech } from './texts/index.tsx'
import { useListOrder } from './list-order.ts'

export function Inbox() {
  const { t } = useSpeech()
  const navigate = useNavigate()
  const { conversationId } = useParams()
  const [search, setSearch] = useSearchParams()
  const view = views.find((each) => each === search.get('view')) ?? 'all'
  const q = search.get('q') ?? ''
  const list = useConversations(view, q)
  const conversations = useListOrder(allItems(list.data), conversationId, `${view} ${q}`)
  const read = useReadMarks()
  const searchField = useRef<HTMLInputElement>(null)
  const [isPanelOpen, setPanelOpen] = useState(false)

  const unread = useMemo(() => conversations.filter((each) => isUnread(each, read)).length, [conversations, read])
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${t('place.inbox')} · ${t('app.name')}`
  }, [unread, t])

  const hrefOf = (id: string | undefined, nextView: View = view, nextQ: string = q): string => {
    const params = new URLSearchParams({
      ...(nextView !== 'all' && { view: nextView }),
      ...(nextQ && { q: nextQ }),
    }).toString()
    return `/inbox${id ? `/${id}` : ''}${params && `?${params}`}`
  }
  const move = (step: 1 | -1): void => {
    const index = conversations.findIndex(({ id }) => id === conversationId)
    const next = conversations[index === -1 ? 0 : index + step]
    // Where the reader goes through the list, back leads out of it at once.
    if (next) void navigate(hrefOf(next.id), { replace: conversationId !== undefined })
  }
  const close = (): void => {
    if (isPanelOpen) setPanelOpen(false)
    else if (conversationId) void navigate(hrefOf(undefined))
    else if (q) setSearch(view === 'all' ? {} : { view })
  }

  useActions([
    { id: 'next', label: 'action.next', keys: 'j', group: 'group.list', run: () => move(1) },
    { id: 'previous', label: 'action.previous', keys: 'k', group: 'group.list', run: () => move(-1) },
    { id: 'search', label: 'action.search', keys: '/', group: 'group.list', run: () => searchField.current?.focus() },
    {
      id: 'back',
      label: 'action.back',
      keys: 'Escape',
      group: 'group.list',
      isForFields: true,
      isKeyOnly: true,
      run: () => {
        const field = document.activeElement
        // First out of the field, then out of the conversation: one press never loses both.
        if (field instanceof HTMLElement && ['INPUT', 'TEXTAREA'].includes(field.tagName)) field.blur()
        else close()
      },
    },
  ])

  /** Where a conversation leaves the view as it is resolved or given away, the next one takes its place. */
  const goOn = (): void => {
    if (view === 'all') return
    const index = conversations.findIndex(({ id }) => id === conversationId)
    const next = conversations[index + 1] ?? conversations[index - 1]
    void navigate(hrefOf(next?.id), { replace: true })
  }

  return (
    <div className="inbox" data-showing={conversationId ? (isPanelOpen ? 'panel' : 'conversation') : 'list'}>
      <h1 className="heard-only">{t('place.inbox')}</h1>
      <ConversationList
        list={list}
        conversations={conversations}
        view={view}
        q={q}
        selected={conversationId}
        read={read}
        hrefOf={hrefOf}
        onSearch={(next) => void navigate(hrefOf(conversationId, view, next), { replace: true })}
        searchField={searchField}
      />
      {conversationId ? (
        <ConversationView
          key={conversationId}
          id={conversationId}
          backTo={hrefOf(undefined)}
          view={view}
          goOn={goOn}
          isPanelOpen={isPanelOpen}
          togglePanel={() => setPanelOpen((isOpen) => !isOpen)}
        />
      ) : (
        <section className="conversation nothing-chosen" aria-label={t('inbox.choose')}>
          <Empty
            icon={<IconMessages size={40} stroke={1.3} />}
            title={t('inbox.choose')}
            hint={t('inbox.choose_hint')}
          />
        </section>
      )}
      {conversationId && (
        <ContactPanel
          key={`contact-${conversationId}`}
          conversationId={conversationId}
          close={() => setPanelOpen(false)}
        />
      )}
    </div>
  )
}
