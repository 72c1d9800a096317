/** What the contact is shown quietly: that somebody types, that a message was seen. Whether it worked concerns nobody. */
import { useEffect, useRef } from 'react'
import type { ConversationJson } from '../../presenters/shapes.ts'
import { useSession } from '../session.ts'
import { answering } from './api.ts'

/** The server hands on no more than that. */
const everyMs = 5_000
/** So long something must lie open before it counts as looked at. */
const lookMs = 1_500

const can = ({ sayable }: ConversationJson, what: string): boolean =>
  sayable?.some(({ acts }) => acts.includes(what)) === true

/** To be called at each stroke of a key. */
export function useTypingSignal(conversation: ConversationJson): () => void {
  const told = useRef(0)
  return () => {
    if (!can(conversation, 'typing') || Date.now() - told.current < everyMs) return
    told.current = Date.now()
    answering.signal(conversation.id, 'typing').catch(() => undefined)
  }
}

const lastSeen = new Map<string, string>()

/** `isAtEnd`: whether the newest is in sight. Told once for each newest message, and only when someone is really there. */
export function useSeenSignal(conversation: ConversationJson | undefined, isAtEnd: () => boolean): void {
  const { permissions } = useSession()
  const may = permissions.includes('conversations.reply')
  const id = conversation?.id
  // What has been answered was seen.
  const newest = conversation?.waiting_since === null ? null : conversation?.last_inbound_at
  const possible = conversation !== undefined && may && can(conversation, 'seen')
  useEffect(() => {
    if (!possible || id === undefined || !newest || lastSeen.get(id) === newest) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        if (document.hidden || !document.hasFocus() || !isAtEnd()) return
        if (lastSeen.get(id) === newest) return
        lastSeen.set(id, newest)
        answering.signal(id, 'seen').catch(() => undefined)
      }, lookMs)
    }
    look()
    const target = document.querySelector('.messages')
    addEventListener('focus', look)
    document.addEventListener('visibilitychange', look)
    target?.addEventListener('scroll', look, { passive: true })
    return () => {
      clearTimeout(timer)
      removeEventListener('focus', look)
      document.removeEventListener('visibilitychange', look)
      target?.removeEventListener('scroll', look)
    }
  }, [possible, id, newest, isAtEnd])
}
