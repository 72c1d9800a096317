/** The inbox: list, conversation, contact; as many of them beside each other as the screen holds. */
import { IconMessages } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { lazy, useEffect, useMemo, useRef, useState } from 'react'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { careApi } from './care/api.ts'
import { useBulk } from './care/bulk.ts'
import { useChosen } from './care/chosen.ts'
import { setDensity, useDensity } from './care/density.ts'
import {
  hrefTo,
  builtInViews,
  meaningOf,
  readFilter,
  sortOf,
  viewOf,
  withFilter,
  type FilterChange,
} from './care/filter.ts'
import { useFilterQuestions } from './care/filter-questions.tsx'
import { useTellPresence } from './care/presence.ts'
import { useMeanings } from './care/queries.ts'
import { useQuestions, type Target } from './care/questions.tsx'
import { ContactPanel } from './contact-panel.tsx'
import { useCare } from './conversation-care.tsx'
import { ConversationList } from './conversation-list.tsx'
import { ConversationView } from './conversation.tsx'
import { useActions, type Action } from './keyboard.ts'
import { useListOrder } from './list-order.ts'
import { isOffline } from './live.ts'
import { useTell } from './places/use-tell.ts'
import { allItems, putConversation, useConversations } from './queries.ts'
import { isUnread, useReadMarks } from './read-marks.ts'
import { useSession } from './session.ts'
import { Empty } from './states.tsx'
import { useSpeech } from './texts/index.tsx'

const BulkBar = lazy(async () => ({ default: (await import('./care/bulk-bar.tsx')).BulkBar }))
const BulkProgress = lazy(async () => ({ default: (await import('./care/bulk-bar.tsx')).BulkProgress }))

export function Inbox() {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { done, failed } = useTell()
  const { conversationId } = useParams()
  const [search] = useSearchParams()
  const filter = useMemo(() => readFilter(search), [search])
  const meanings = useMeanings()
  const meant = useMemo(() => meaningOf(filter, meanings), [filter, meanings])
  const scope = JSON.stringify(meant)
  const list = useConversations(meant)
  const conversations = useListOrder(allItems(list.data), conversationId, scope, sortOf(meant ?? filter))
  const order = useMemo(() => conversations.map(({ id }) => id), [conversations])
  const read = useReadMarks()
  const searchField = useRef<HTMLInputElement>(null)
  const [isPanelOpen, setPanelOpen] = useState(false)
  const density = useDensity()
  useTellPresence(conversationId)

  const unread = useMemo(() => conversations.filter((each) => isUnread(each, read)).length, [conversations, read])
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${t('place.inbox')} · ${t('app.name')}`
  }, [unread, t])

  const hrefOf = (id: string | undefined): string => hrefTo(id, filter)
  const change = (to: FilterChange): void =>
    void navigate(hrefTo(conversationId, withFilter(filter, to)), { replace: true })
  const move = (step: 1 | -1): void => {
    const index = order.indexOf(conversationId ?? '')
    const next = order[index === -1 ? 0 : index + step]
    // Where the reader goes through the list, back leads out of it at once.
    if (next) void navigate(hrefOf(next), { replace: conversationId !== undefined })
  }
  /** Where a conversation leaves the list as it is resolved or given away, the next one takes its place. */
  const goOn = (): void => {
    const index = order.indexOf(conversationId ?? '')
    const next = order[index + 1] ?? order[index - 1]
    void navigate(hrefOf(next), { replace: true })
  }
  const take = async (): Promise<void> => {
    if (isOffline()) {
      failed(new Error(t('care.offline')))
      return
    }
    try {
      const taken = await careApi.take()
      if (taken === undefined) done(t('care.none_waits'))
      else {
        putConversation(client, taken)
        void navigate(hrefOf(taken.id))
      }
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)))
    }
  }

  const care = useCare(conversationId, meant, goOn)
  const chosen = useChosen(order, scope)
  const bulk = useBulk(chosen, meant)
  const isMany = chosen.count > 0
  const many: Target = {
    useConversations: () => conversations.filter(({ id }) => chosen.ids.has(id)),
    apply: (wish) => void bulk.start(wish),
  }
  const questions = useQuestions(isMany ? many : care.target)
  const resolve = (): void => (isMany ? void bulk.start({ status: 'resolved' }) : care.toggleResolved())
  const { askField } = useFilterQuestions(filter, change)
  const close = (): void => {
    if (isMany) chosen.clear()
    else if (isPanelOpen) setPanelOpen(false)
    else if (conversationId) void navigate(hrefOf(undefined))
    else if (filter.q) change({ q: undefined })
  }

  const may = (permission: string, ...actions: readonly Action[]): readonly Action[] =>
    permissions.includes(permission) && (conversationId !== undefined || isMany) ? actions : []
  const inList = { group: 'group.list' } as const
  const inConversation = { group: 'group.conversation' } as const
  useActions([
    { ...inList, id: 'next', label: 'action.next', keys: 'j', run: () => move(1) },
    { ...inList, id: 'previous', label: 'action.previous', keys: 'k', run: () => move(-1) },
    { ...inList, id: 'search-list', label: 'action.search_list', keys: '/', run: () => searchField.current?.focus() },
    { ...inList, id: 'filter', label: 'filter.add', keys: 'f', run: askField },
    ...(permissions.includes('conversations.reply')
      ? [{ ...inList, id: 'take', label: 'action.take', keys: 't', run: () => void take() } as const]
      : []),
    ...(permissions.includes('conversations.bulk')
      ? ([
          { ...inList, id: 'select', label: 'action.select', keys: 'x', run: () => toggle(conversationId ?? order[0]) },
          {
            ...inList,
            id: 'select-range',
            label: 'action.select_range',
            keys: 'shift+x',
            run: () => extend(conversationId),
          },
          { ...inList, id: 'select-all', label: 'action.select_all', run: chosen.all },
        ] as const)
      : []),
    {
      ...inList,
      id: 'density',
      label: density === 'compact' ? 'action.roomy' : 'action.compact',
      run: () => setDensity(density === 'compact' ? 'roomy' : 'compact'),
    },
    ...builtInViews.map(
      (view) =>
        ({
          ...inList,
          id: `view-${view}`,
          label: `action.view_${view}`,
          run: () => void navigate(hrefTo(undefined, { view })),
        }) as const,
    ),
    ...may(
      'conversations.assign',
      { ...inConversation, id: 'assign', label: 'care.assign', keys: 'a', run: questions.assign },
      { ...inConversation, id: 'team', label: 'care.team', run: questions.team },
    ),
    ...may(
      'conversations.change',
      { ...inConversation, id: 'label', label: 'care.label', keys: 'l', run: questions.label },
      { ...inConversation, id: 'priority', label: 'care.priority', keys: 'p', run: questions.priority },
      { ...inConversation, id: 'snooze', label: 'care.snooze', keys: 's', run: questions.snooze },
      { ...inConversation, id: 'status', label: 'care.status', run: questions.status },
      {
        ...inConversation,
        id: 'resolve',
        label: care.isResolved && !isMany ? 'action.reopen' : 'action.resolve',
        keys: 'e',
        run: resolve,
      },
    ),
    {
      ...inList,
      id: 'back',
      label: 'action.back',
      keys: 'Escape',
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
  const toggle = (id: string | undefined): void => {
    if (id) chosen.toggle(id)
  }
  const extend = (id: string | undefined): void => {
    if (id) chosen.extendTo(id)
  }

  return (
    <div className="inbox" data-showing={conversationId ? (isPanelOpen ? 'panel' : 'conversation') : 'list'}>
      <h1 className="heard-only">{t('place.inbox')}</h1>
      <ConversationList
        list={list}
        conversations={conversations}
        filter={filter}
        scope={scope}
        view={viewOf(filter)}
        selected={conversationId}
        chosen={permissions.includes('conversations.bulk') ? chosen : undefined}
        read={read}
        hrefOf={hrefOf}
        change={change}
        take={() => void take()}
        searchField={searchField}
        above={isMany && <BulkBar chosen={chosen} hasMore={list.hasNextPage} questions={questions} resolve={resolve} />}
        below={bulk.job && <BulkProgress key={bulk.job.id} job={bulk.job} forget={bulk.forget} />}
      />
      {conversationId ? (
        <ConversationView
          key={conversationId}
          id={conversationId}
          backTo={hrefOf(undefined)}
          care={care}
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
          hrefOf={hrefOf}
          close={() => setPanelOpen(false)}
        />
      )}
    </div>
  )
}
