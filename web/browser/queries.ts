/** What is asked of the API and remembered, by key; and the small careful changes that events make to it. */
import {
  QueryClient,
  type InfiniteData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query'
import type { ConversationJson, MessageJson } from '../presenters/shapes.ts'
import { api, newKey, Problem, type Page } from './api.ts'
import type { CareWish } from './care/api.ts'
import { belongs, type Filter } from './care/filter.ts'
import { careKeys } from './care/queries.ts'
import { shownAfter, type Names } from './care/wish.ts'
import { isOffline } from './live.ts'

export const keys = {
  session: ['session'],
  lists: ['conversations'],
  list: (meant: Filter | undefined) => ['conversations', 'list', meant] as const,
  othersOf: (contactId: string) => ['conversations', 'of', contactId] as const,
  conversation: (id: string) => ['conversation', id],
  messages: (conversationId: string) => ['messages', conversationId],
  contact: (id: string) => ['contact', id],
  channels: ['channels'],
  /** Below `channels`, so that what makes the list old makes this old. */
  channel: (id: string) => ['channels', id],
  apps: ['apps'],
  app: (id: string) => ['apps', id] as const,
  receivedLog: ['received'],
  received: (filter: Readonly<Record<string, string>>) => ['received', 'list', filter],
  receivedOne: (id: string) => ['received', 'one', id],
  deadLetters: ['dead-letters'],
  /** Everything in the places of contacts. */
  contacts: ['contacts'],
  plannedPosts: ['planned-posts'],
} as const

type Pages<Item> = InfiniteData<Page<Item>, string | null>

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // Events keep what is shown right; asking again on every focus would only make work.
        staleTime: 5 * 60_000,
        gcTime: 15 * 60_000,
        refetchOnWindowFocus: false,
        networkMode: 'always',
        retryDelay: (count) => 500 * 2 ** count,
        retry: (count, error) => count < 2 && error instanceof Problem && (error.status === 0 || error.status >= 500),
      },
      mutations: { networkMode: 'always' },
    },
  })
}

export const useSessionQuery = () =>
  useQuery({ queryKey: keys.session, queryFn: () => api.session(), staleTime: Infinity, gcTime: Infinity })

/** Those that are meant; undefined: it is not known yet what is meant. */
export const useConversations = (meant: Filter | undefined) =>
  useInfiniteQuery({
    queryKey: keys.list(meant),
    queryFn: ({ pageParam, signal }) => {
      const { view: _, ...asked } = meant ?? {}
      return api.conversations(asked, pageParam, signal)
    },
    enabled: meant !== undefined,
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  })

/** One conversation, with what may be said in it; what the list knows of it shows at once. */
export const useConversation = (id: string | undefined) => {
  const client = useQueryClient()
  return useQuery<ConversationJson>({
    queryKey: keys.conversation(id ?? ''),
    queryFn: ({ signal }) => api.conversation(id ?? '', signal),
    enabled: id !== undefined,
    placeholderData: () => findInLists(client, id ?? ''),
  })
}

export const useMessages = (conversationId: string) =>
  useInfiniteQuery({
    queryKey: keys.messages(conversationId),
    queryFn: ({ pageParam, signal }) => api.messages(conversationId, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  })

export const useContact = (id: string) =>
  useQuery({ queryKey: keys.contact(id), queryFn: ({ signal }) => api.contact(id, signal), staleTime: 60_000 })

/** Whatever else this contact has written: the newest few. */
export const useOthersOf = (contactId: string) =>
  useQuery({
    queryKey: keys.othersOf(contactId),
    queryFn: ({ signal }) => api.conversations({ contact_id: contactId, limit: '10' }, null, signal),
    staleTime: 30_000,
  })

/** Any change of care: shown at once, taken back if the server refuses; refused here while offline. */
export function useConversationChange(
  conversation: ConversationJson | undefined,
  names: Names,
  onRefused: (error: Error) => void,
) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (wish: CareWish) => {
      if (!conversation) throw new Error('no conversation')
      if (isOffline()) throw new Problem(0, 'offline', '')
      return api.changeConversation(conversation.id, wish)
    },
    onMutate: (wish) => {
      const before =
        conversation && (client.getQueryData<ConversationJson>(keys.conversation(conversation.id)) ?? conversation)
      if (before && !isOffline()) putConversation(client, shownAfter(before, wish, names))
      return before
    },
    onSuccess: (answer) => {
      putConversation(client, answer)
      void client.invalidateQueries({ queryKey: careKeys.counts })
    },
    onError: (error, _wish, before) => {
      if (before) putConversation(client, before)
      onRefused(error)
    },
  })
}

/** A file that could not be fetched is asked for once more; a fact tells what became of it. */
export const useFetchAgain = (onRefused: (error: Error) => void) =>
  useMutation({ mutationFn: (attachmentId: string) => api.fetchAgain(attachmentId, newKey()), onError: onRefused })

// ------------------------------------------------------------------------------------------------- changes to what is remembered

export function putConversation(client: QueryClient, conversation: ConversationJson): void {
  client.setQueryData<ConversationJson>(keys.conversation(conversation.id), (old) =>
    // Lists and answers to a change say less: what may be said is kept from before.
    old ? { ...conversation, sayable: conversation.sayable ?? old.sayable } : conversation.sayable && conversation,
  )
  const me = client.getQueryData<{ user: { id: string } } | null>(keys.session)?.user.id
  for (const [key, data] of client.getQueriesData<Pages<ConversationJson>>({ queryKey: keys.lists })) {
    const [, kind, meant] = key as readonly [string, string, Filter | undefined]
    if (!data || kind !== 'list') continue
    const isThere = data.pages.some((page) => page.items.some(({ id }) => id === conversation.id))
    // What a search would find only the server knows: what is there stays until it is asked again.
    const fits = belongs(conversation, meant ?? {}, me) ?? isThere
    if (!fits) {
      if (isThere) client.setQueryData<Pages<ConversationJson>>(key, remove(data, conversation.id))
    } else client.setQueryData<Pages<ConversationJson>>(key, upsert(data, conversation))
  }
}

/** Adds or replaces a message; one that was shown before the server had answered gives way to the real one. */
export function putMessage(client: QueryClient, message: MessageJson): void {
  const key = keys.messages(message.conversation_id)
  const data = client.getQueryData<Pages<MessageJson>>(key)
  if (!data) return
  const known = latestStates.get(message.id)
  const told = known === undefined || message.state === null ? message : withState(message, known.state, known.reason)
  const isKnown = data.pages.some((page) => page.items.some(({ id }) => id === message.id))
  const standIn =
    isKnown || isLocal(message)
      ? undefined
      : allItems(data).find((each) => isLocal(each) && each.text === message.text && each.kind === message.kind)
  client.setQueryData<Pages<MessageJson>>(key, upsert(standIn ? remove(data, standIn.id) : data, told))
}

export function removeMessage(client: QueryClient, conversationId: string, messageId: string): void {
  client.setQueryData<Pages<MessageJson>>(keys.messages(conversationId), (data) => data && remove(data, messageId))
}

/**
 * The state that an event told. It holds against an answer that was read a moment before the event: every later change
 * brings an event of its own.
 */
const latestStates = new Map<
  string,
  { readonly state: NonNullable<MessageJson['state']>; readonly reason: string | null }
>()

export function putState(
  client: QueryClient,
  conversationId: string,
  messageId: string,
  state: NonNullable<MessageJson['state']>,
  reason: string | null,
): void {
  latestStates.delete(messageId)
  latestStates.set(messageId, { state, reason })
  for (const oldest of latestStates.keys()) {
    if (latestStates.size <= 500) break
    latestStates.delete(oldest)
  }
  client.setQueryData<Pages<MessageJson>>(keys.messages(conversationId), (data) => {
    const message = data && allItems(data).find(({ id }) => id === messageId)
    return message ? upsert(data, withState(message, state, reason)) : data
  })
}

/** After a gap nothing that events told is newer than what is read now. */
export const forgetStates = (): void => latestStates.clear()

function withState(message: MessageJson, state: NonNullable<MessageJson['state']>, reason: string | null): MessageJson {
  if (message.state === state) return message
  const delivery = message.delivery && { ...message.delivery, state, reason, next_attempt_at: null }
  return { ...message, state, delivery }
}

/** A message that is on its way to the server stands in the list under an id of our own. */
export const isLocal = (message: MessageJson): boolean => message.id.startsWith('local:')

export const allItems = <Item>(data: { readonly pages: readonly Page<Item>[] } | undefined): Item[] =>
  data?.pages.flatMap((page) => page.items) ?? []

function findInLists(client: QueryClient, id: string): ConversationJson | undefined {
  for (const [, data] of client.getQueriesData<Pages<ConversationJson>>({ queryKey: [...keys.lists, 'list'] })) {
    const found = allItems(data).find((conversation) => conversation.id === id)
    if (found) return found
  }
  return undefined
}

function upsert<Item extends { id: string }>(data: Pages<Item>, item: Item): Pages<Item> {
  const isThere = data.pages.some((page) => page.items.some(({ id }) => id === item.id))
  const pages = data.pages.map((page) => {
    if (!page.items.some(({ id }) => id === item.id)) return page
    return { ...page, items: page.items.map((each) => (each.id === item.id ? item : each)) }
  })
  const [first, ...others] = pages
  return { ...data, pages: isThere || !first ? pages : [{ ...first, items: [item, ...first.items] }, ...others] }
}

function remove<Item extends { id: string }>(data: Pages<Item>, id: string): Pages<Item> {
  return { ...data, pages: data.pages.map((page) => ({ ...page, items: page.items.filter((each) => each.id !== id) })) }
}
