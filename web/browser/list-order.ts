/**
 * Newest first; but what has been opened stays where it was, so that j and k lead there and back. It moves when its contact
 * writes again, or when the newest are asked for.
 */
import { useMemo, useRef } from 'react'
import type { ConversationJson } from '../presenters/shapes.ts'

interface Hold {
  readonly at: string
  readonly inbound: string | null
}

/** `scope` names the view; a change of it, like leaving the last conversation, ends every hold. */
export function useListOrder(
  conversations: readonly ConversationJson[],
  selected: string | undefined,
  scope: string,
): readonly ConversationJson[] {
  const held = useRef<{ scope: string; readonly holds: Map<string, Hold> }>({ scope, holds: new Map() })
  return useMemo(() => {
    const { holds } = held.current
    if (held.current.scope !== scope || selected === undefined) {
      holds.clear()
      held.current.scope = scope
    }
    const unique = new Map(conversations.map((conversation) => [conversation.id, conversation]))
    for (const [id, hold] of holds) {
      if (id !== selected && unique.get(id)?.last_inbound_at !== hold.inbound) holds.delete(id)
    }
    const chosen = selected === undefined ? undefined : unique.get(selected)
    if (chosen)
      holds.set(chosen.id, { at: holds.get(chosen.id)?.at ?? chosen.last_activity_at, inbound: chosen.last_inbound_at })
    const activityOf = ({ id, last_activity_at }: ConversationJson): string => holds.get(id)?.at ?? last_activity_at
    return [...unique.values()].sort(
      (one, other) => activityOf(other).localeCompare(activityOf(one)) || other.id.localeCompare(one.id),
    )
  }, [conversations, selected, scope])
}
