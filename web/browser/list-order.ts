/**
 * Newest first; but what has been opened stays where it was, so that j and k lead there and back. It moves when its contact
 * writes again, when another view is chosen, or when no conversation is open any more.
 */
import { useMemo, useState } from 'react'
import type { ConversationJson } from '../presenters/shapes.ts'

interface Hold {
  readonly at: string
  readonly inbound: string | null
}

type Holds = ReadonlyMap<string, Hold>

/** `scope` names the view. */
export function useListOrder(
  conversations: readonly ConversationJson[],
  selected: string | undefined,
  scope: string,
): readonly ConversationJson[] {
  const [kept, setKept] = useState<{ readonly scope: string; readonly holds: Holds }>({ scope, holds: new Map() })
  const holds = useMemo(
    () => renewHolds(kept.scope === scope ? kept.holds : new Map(), conversations, selected),
    [kept, conversations, selected, scope],
  )
  if (holds !== kept.holds || scope !== kept.scope) setKept({ scope, holds })

  return useMemo(() => {
    const unique = new Map(conversations.map((conversation) => [conversation.id, conversation]))
    const activityOf = ({ id, last_activity_at }: ConversationJson): string => holds.get(id)?.at ?? last_activity_at
    return [...unique.values()].sort(
      (one, other) => activityOf(other).localeCompare(activityOf(one)) || other.id.localeCompare(one.id),
    )
  }, [conversations, holds])
}

const none: Holds = new Map()

/** The same map where nothing changes. */
function renewHolds(holds: Holds, conversations: readonly ConversationJson[], selected: string | undefined): Holds {
  if (selected === undefined) return holds.size === 0 ? holds : none
  const next = new Map<string, Hold>()
  for (const { id, last_activity_at, last_inbound_at } of conversations) {
    const hold = holds.get(id)
    if (id === selected) next.set(id, { at: hold?.at ?? last_activity_at, inbound: last_inbound_at })
    else if (hold && hold.inbound === last_inbound_at) next.set(id, hold)
  }
  const isSame = next.size === holds.size && [...next].every(([id, { inbound }]) => holds.get(id)?.inbound === inbound)
  return isSame ? holds : next
}
