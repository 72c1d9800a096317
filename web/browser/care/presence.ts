/** Who is here and looks at what: told by the stream, never written down. And what this tab tells of itself. */
import { useEffect, useSyncExternalStore } from 'react'
import type { HereJson } from '../../presenters/together.ts'
import { ask, newKey, type NewMessage, type Page } from '../api.ts'

type Kind = NewMessage['kind']

export interface Onlooker {
  readonly userId: string
  readonly isAway: boolean
  readonly typing: Kind | null
}

let here: ReadonlyMap<string, HereJson> = new Map()
let byConversation: ReadonlyMap<string, readonly Onlooker[]> = new Map()
const watchers = new Set<() => void>()
const none: readonly Onlooker[] = []

const subscribe = (watcher: () => void): (() => void) => {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

/** Who looks at it, but for oneself. */
export const useOnlookers = (conversationId: string, me: string): readonly Onlooker[] => {
  const all = useSyncExternalStore(subscribe, () => byConversation.get(conversationId) ?? none)
  return all.some(({ userId }) => userId === me) ? all.filter(({ userId }) => userId !== me) : all
}

/** By user, how they are here. */
export const usePeopleHere = (): ReadonlyMap<string, HereJson> => useSyncExternalStore(subscribe, () => here)

/** What the stream says, always whole for each of them. */
export function putPresence(users: readonly HereJson[], isAll = false): void {
  const next = new Map(isAll ? [] : here)
  for (const user of users) {
    if (user.is_here) next.set(user.user_id, user)
    else next.delete(user.user_id)
  }
  here = next
  const places = new Map<string, Onlooker[]>()
  for (const { user_id: userId, is_away: isAway, viewing } of next.values())
    for (const { conversation_id: id, typing } of viewing)
      places.set(id, [...(places.get(id) ?? []), { userId, isAway, typing }])
  // Rows that nobody came to or left are not drawn anew.
  byConversation = new Map(
    [...places].map(([id, now]) => {
      const before = byConversation.get(id)
      return [id, before !== undefined && JSON.stringify(before) === JSON.stringify(now) ? before : now]
    }),
  )
  for (const watcher of watchers) watcher()
}

export async function readPresence(): Promise<void> {
  const { items } = await ask<Page<HereJson>>('GET', '/presence')
  putPresence(items, true)
}

// ------------------------------------------------------------------------------------------------- of oneself

/** The server forgets after 15 s. */
const beatMs = 6_000
const typingMs = 6_000
const awayMs = 2 * 60_000
const tab = newKey().slice(0, 12)
let typing: { readonly conversationId: string; readonly kind: Kind; readonly until: number } | undefined
let tellNow: () => void = () => {}

/** At each stroke of a key. */
export function noteTyping(conversationId: string, kind: Kind): void {
  const isNews = typing?.conversationId !== conversationId || typing.kind !== kind || typing.until < Date.now()
  typing = { conversationId, kind, until: Date.now() + typingMs }
  if (isNews) tellNow()
}

/** It was sent, or thrown away. */
export function noteTypingEnd(): void {
  if (typing === undefined) return
  typing = undefined
  tellNow()
}

/** Tells the others what is open here, as long as the component is there. */
export function useTellPresence(conversationId: string | undefined): void {
  useEffect(() => {
    let touchedAt = Date.now()
    let told = ''
    let timer: ReturnType<typeof setTimeout> | undefined
    const tell = (): void => {
      clearTimeout(timer)
      timer = setTimeout(tell, beatMs)
      if (!navigator.onLine) return
      const isTyping = typing !== undefined && typing.conversationId === conversationId && typing.until > Date.now()
      const view = {
        conversation_id: conversationId ?? null,
        typing: isTyping ? (typing?.kind ?? null) : null,
        is_away: document.hidden || Date.now() - touchedAt > awayMs,
        tab,
      }
      told = JSON.stringify(view)
      ask('POST', '/presence', view).catch(() => undefined)
    }
    const touch = (): void => {
      const wasAway = Date.now() - touchedAt > awayMs
      touchedAt = Date.now()
      if (wasAway || told.includes('"is_away":true')) tell()
    }
    tellNow = tell
    // Whoever leafs through the list is not seen at each row.
    timer = setTimeout(tell, 400)
    document.addEventListener('visibilitychange', tell)
    addEventListener('pointermove', touch, { passive: true })
    addEventListener('keydown', touch, { passive: true })
    return () => {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', tell)
      removeEventListener('pointermove', touch)
      removeEventListener('keydown', touch)
    }
  }, [conversationId])
}
