/** Turns facts into what is shown: asks for exactly what a fact names, and puts it where it belongs. */
import type { QueryClient } from '@tanstack/react-query'
import type { EventJson, MessageJson } from '../presenters/shapes.ts'
import { api, Problem } from './api.ts'
import type { LiveListener } from './live.ts'
import { forgetStates, keys, putConversation, putMessage, putState } from './queries.ts'

/** Facts that come together are answered together. */
const gatherMs = 25
/** Past so many conversations at once, asking for the lists anew is cheaper. */
const tooMany = 40

export interface Arrival {
  readonly conversationId: string
  readonly message: MessageJson
}

/** `onArrival` is called for each message that someone outside sent. */
export function makeLiveListener(client: QueryClient, onArrival: (arrival: Arrival) => void): LiveListener {
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
  const wantMessage = (conversationId: string, messageId: string, isArrival: boolean): void => {
    // Only what is open, or was, is kept in full; the list needs the conversation alone.
    if (!client.getQueryState(keys.messages(conversationId))) return
    messages.set(messageId, { conversationId, isArrival: isArrival || messages.get(messageId)?.isArrival === true })
  }

  return {
    onEvent(event: EventJson) {
      const conversationId = text(event, 'conversation_id')
      const messageId = text(event, 'message_id')
      if (conversationId) {
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
      } else if (event.type.startsWith('channel.')) {
        void client.invalidateQueries({ queryKey: keys.channels })
      } else if (event.type.startsWith('app.')) {
        void client.invalidateQueries({ queryKey: keys.apps })
      }
    },
    onFreshStart() {
      forgetStates()
      for (const queryKey of [keys.lists, ['conversation'], ['messages'], keys.channels, keys.plannedPosts])
        void client.invalidateQueries({ queryKey })
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
