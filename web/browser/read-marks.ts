/**
 * What this person has seen, kept in this browser. A conversation is unread when the contact waits for an answer and wrote
 * after it was last opened here.
 */
import { useSyncExternalStore } from 'react'
import type { ConversationJson } from '../presenters/shapes.ts'

const storageKey = 'parley-read'
const most = 3_000

let marks: ReadonlyMap<string, number> = load()
const watchers = new Set<() => void>()

export const useReadMarks = (): ReadonlyMap<string, number> =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => marks,
  )

export function isUnread(conversation: ConversationJson, read: ReadonlyMap<string, number>): boolean {
  if (conversation.waiting_since === null || conversation.last_inbound_at === null) return false
  return Date.parse(conversation.last_inbound_at) > (read.get(conversation.id) ?? 0)
}

export function markRead(conversation: ConversationJson): void {
  if (!isUnread(conversation, marks)) return
  const next = new Map(marks)
  next.delete(conversation.id)
  next.set(conversation.id, Date.parse(conversation.last_inbound_at ?? conversation.last_activity_at))
  for (const id of next.keys()) {
    if (next.size <= most) break
    next.delete(id)
  }
  marks = next
  try {
    localStorage.setItem(storageKey, JSON.stringify([...marks]))
  } catch {
    // Storage is full or refused: the marks live as long as the page.
  }
  for (const watcher of watchers) watcher()
}

function load(): ReadonlyMap<string, number> {
  try {
    return new Map(JSON.parse(localStorage.getItem(storageKey) ?? '[]') as [string, number][])
  } catch {
    return new Map()
  }
}
