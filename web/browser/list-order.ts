/** Newest first; but the conversation that is being worked on stays where it is until another one is chosen. */
import { useMemo, useRef } from 'react'
import type { ConversationJson } from '../presenters/shapes.ts'

/** `scope` names the view: a change of it ends every holding. */
export function useListOrder(conversations: readonly ConversationJson[], selected: string | undefined, scope: string): readonly ConversationJson[] {
  const held = useRef<{ readonly id: string; readonly scope: string; readonly at: string } | undefined>(undefined)
  return useMemo(() => {
    const chosen = conversations.find(({ id }) => id === selected)
    if (!chosen) held.current = undefined
    else if (held.current?.id !== chosen.id || held.current.scope !== scope) held.current = { id: chosen.id, scope, at: chosen.last_activity_at }
    const hold = held.current
    const activityOf = (conversation: ConversationJson): string => (conversation.id === hold?.id ? hold.at : conversation.last_activity_at)
    const unique = new Map(conversations.map((conversation) => [conversation.id, conversation]))
    return [...unique.values()].sort((one, other) => activityOf(other).localeCompare(activityOf(one)) || other.id.localeCompare(one.id))
  }, [conversations, selected, scope])
}
