/**
 * In the order that was chosen; but what has been opened stays where it was, so that j and k lead there and back. It moves when its contact
 * writes again, when another view is chosen, or when no conversation is open any more.
 */
import { useMemo, useState } from 'react'
import { isUp, orderOf, type Sort } from './care/filter.ts'
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
  sort: Sort,
): readonly ConversationJson[] {
  const [kept, setKept] = useState<{ readonly scope: string; readonly holds: Holds }>({ scope, holds: new Map() })
  const holds = useMemo(
    () => renewHolds(kept.scope === scope ? kept.holds : new Map(), conversations, selected, sort),
    [kept, conversations, selected, scope, sort],
  )
  if (holds !== kept.holds || scope !== kept.scope) setKept({ scope, holds })

  return useMemo(() => {
    const unique = new Map(conversations.map((conversation) => [conversation.id, conversation]))
    const placeOf = (one: ConversationJson): string => holds.get(one.id)?.at ?? orderOf(one, sort)
    const direction = isUp(sort) ? 1 : -1
    const compare = (one: string, other: string): number => (one < other ? -direction : one > other ? direction : 0)
    return [...unique.values()].sort((one, other) => compare(placeOf(one), placeOf(other)) || compare(one.id, other.id))
  }, [conversations, holds, sort])
}

const none: Holds = new Map()

/** The same map where nothing changes. */
function renewHolds(
  holds: Holds,
  conversations: readonly ConversationJson[],
  selected: string | undefined,
  sort: Sort,
): Holds {
  if (selected === undefined) return holds.size === 0 ? holds : none
  const next = new Map<string, Hold>()
  for (const conversation of conversations) {
    const { id, last_inbound_at } = conversation
    const hold = holds.get(id)
    if (id === selected) next.set(id, { at: hold?.at ?? orderOf(conversation, sort), inbound: last_inbound_at })
    else if (hold && hold.inbound === last_inbound_at) next.set(id, hold)
  }
  const isSame = next.size === holds.size && [...next].every(([id, { inbound }]) => holds.get(id)?.inbound === inbound)
  return isSame ? holds : next
}
