/** Turns facts into what is shown: asks for exactly what a fact names, and puts it where it belongs. */
import type { QueryClient } from '@tanstack/react-query'
import type { EventJson, MessageJson } from '../presenters/shapes.ts'
import { api, Problem } from './api.ts'
import type { LiveListener } from './live.ts'
import { careKeys } from './care/queries.ts'
import { tellOfDraft } from './care/server-drafts.ts'
import { putPresence, readPresence } from './care/presence.ts'
import type { HereJson } from '../presenters/together.ts'
import { forgetStates, keys, putConversation, putMessage, putState } from './queries.ts'

/** Facts that come together are answered together. */
const gatherMs = 25
const countMs = 3_000
/** Past so many conversations at once, asking for the lists anew is cheaper. */
const tooMany = 40

export interface Arrival {
  readonly conversationId: string
  readonly message: MessageJson
}

/** `onArrival` is called for each message that someone outside sent, `onMention` where one of us has named the reader. */
export function makeLiveListener(
  client: QueryClient,
  onArrival: (arrival: Arrival) => void,
  onMention: (conversationId: string, by: string | undefined) => void,
): LiveListener {
  const conversations = new Set<string>()
  const messages = new Map<string, { readonly conversationId: string; readonly isArrival: boolean }>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isWorking = false

  const work = async (): Promise<void> => {
    timer = undefined
    if (isWorking) return
    isWorking = true
    try {
      while (conversations.size > 0 || messages.size > 0) {
        const nextMessages = [...messages]
        const nextConversations = [...conversations]
        messages.clear()
        conversations.clear()
        if (nextConversations.length > tooMany) void client.invalidateQueries({ queryKey: keys.lists })
        await untilRead(client)
        const wanted =
          nextConversations.length > tooMany
            ? nextConversations.filter((id) => client.getQueryData(keys.conversation(id)))
            : nextConversations
        await Promise.all([
          ...wanted.map((id) => again(async () => putConversation(client, await api.conversation(id)))),
          ...nextMessages.map(([id, { conversationId, isArrival }]) =>
            again(async () => {
              const message = await api.message(id)
              putMessage(client, message)
              if (isArrival) onArrival({ conversationId, message })
            }),
          ),
        ])
      }
    } finally {
      isWorking = false
    }
  }
  const soon = (): void => {
    timer ??= setTimeout(() => void work(), gatherMs)
  }
  let countTimer: ReturnType<typeof setTimeout> | undefined
  /** However much happens, counts are asked for once in a few seconds, and not by all browsers at the same moment. */
  const countSoon = (): void => {
    if (document.hidden) return
    countTimer ??= setTimeout(
      () => {
        countTimer = undefined
        void client.invalidateQueries({ queryKey: careKeys.counts })
      },
      countMs * (0.5 + Math.random()),
    )
  }
  const me = (): string | undefined => client.getQueryData<{ user: { id: string } } | null>(keys.session)?.user.id
  const wantMessage = (conversationId: string, messageId: string, isArrival: boolean): void => {
    // Only what is open, or was, is kept in full; the list needs the conversation alone.
    if (!client.getQueryState(keys.messages(conversationId))) return
    messages.set(messageId, { conversationId, isArrival: isArrival || messages.get(messageId)?.isArrival === true })
  }

  return {
    onEvent(event: EventJson) {
      const conversationId = text(event, 'conversation_id')
      const messageId = text(event, 'message_id')
      if (event.type === 'bulk.changed') {
        void client.invalidateQueries({ queryKey: keys.lists })
        void client.invalidateQueries({ queryKey: careKeys.job(text(event, 'job_id') ?? '') })
        countSoon()
      } else if (event.type === 'user.mentioned') {
        if (text(event, 'user_id') !== me() || !conversationId) return
        void client.invalidateQueries({ queryKey: keys.lists })
        countSoon()
        onMention(conversationId, text(event, 'by'))
      } else if (event.type === 'label.changed') {
        void client.invalidateQueries({ queryKey: careKeys.labels })
      } else if (event.type === 'user.changed') {
        void client.invalidateQueries({ queryKey: careKeys.people })
        if (text(event, 'user_id') === me()) void client.invalidateQueries({ queryKey: keys.session })
      } else if (conversationId) {
        if (event.type.startsWith('conversation.') || event.type === 'message.received') countSoon()
        // Of a change of many only what is open is asked for; the lists follow its batches.
        if (text(event, 'job_id') && !client.getQueryData(keys.conversation(conversationId))) return
        if (event.type === 'delivery.changed' && messageId) {
          const state = text(event, 'state')
          // Of an answer in parts only the message says what the whole is.
          const isWhole = event.data['part_count'] === undefined || event.data['part_count'] === 1
          if (isState(state) && isWhole)
            putState(client, conversationId, messageId, state, text(event, 'reason') ?? null)
          // When it is tried again, why, and what was tried, only the message says.
          if (!isWhole || !isState(state) || !['sending', 'delivered', 'read'].includes(state))
            wantMessage(conversationId, messageId, false)
        } else {
          conversations.add(conversationId)
          if (messageId) wantMessage(conversationId, messageId, event.type === 'message.received')
        }
        soon()
      } else if (event.type.startsWith('post.')) {
        void client.invalidateQueries({ queryKey: keys.plannedPosts })
      } else if (event.type.startsWith('contact.')) {
        void client.invalidateQueries({ queryKey: keys.contacts })
      } else if (event.type.startsWith('channel.')) {
        void client.invalidateQueries({ queryKey: keys.channels })
      } else if (event.type.startsWith('app.')) {
        void client.invalidateQueries({ queryKey: keys.apps })
      }
    },
    onFreshStart() {
      forgetStates()
      const old = [keys.lists, ['conversation'], ['messages'], keys.channels, keys.plannedPosts]
      for (const queryKey of [...old, careKeys.counts, careKeys.labels, careKeys.views, careKeys.drafts])
        void client.invalidateQueries({ queryKey })
    },
    onLine() {
      // Nothing of it is numbered: after each gap it is asked for whole.
      void readPresence().catch(() => undefined)
    },
    onTold(name, data) {
      if (name === 'presence') putPresence((data as { users: HereJson[] }).users)
      if (name === 'draft') {
        const { conversation_id: id, version } = data as { conversation_id: string; version: number | null }
        void client.invalidateQueries({ queryKey: careKeys.drafts })
        tellOfDraft(id, version)
      }
    },
    onSignedOut() {
      client.setQueryData(keys.session, null)
    },
  }
}

const states = ['queued', 'sending', 'sent', 'delivered', 'read', 'retrying', 'unknown', 'failed', 'cancelled'] as const

const isState = (value: string | undefined): value is (typeof states)[number] => states.some((state) => state === value)

function text(event: EventJson, name: string): string | undefined {
  const value = event.data[name]
  return typeof value === 'string' ? value : undefined
}

/** An answer under way may be older than the fact and would overwrite it. */
async function untilRead(client: QueryClient): Promise<void> {
  const isReading = (): boolean =>
    client.isFetching({ predicate: ({ queryKey }) => queryKey[0] === 'conversations' || queryKey[0] === 'messages' }) >
    0
  for (let waited = 0; waited < 5_000 && isReading(); waited += 50)
    await new Promise((resolve) => setTimeout(resolve, 50))
}

/** A fact may be a breath ahead of what is read; one more try, then it is left for the next fact. */
async function again(act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return
    await new Promise((resolve) => setTimeout(resolve, 500))
    await act().catch(() => undefined)
  }
}
