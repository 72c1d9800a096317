/** What may be said in a conversation now, and whether this text may be. */
import type { ConversationJson } from '../presenters/shapes.ts'
import type { NewMessage } from './api.ts'
import { countText } from './counting.ts'

export type Kind = NewMessage['kind']

/** In this order; the first one is offered first. */
const order: readonly Kind[] = ['reply', 'comment', 'private_reply', 'note']

/** A note is always possible, whatever the network says. */
export function sayableKinds(conversation: ConversationJson): readonly Kind[] {
  const kinds = new Set<Kind>(
    conversation.sayable?.flatMap(({ kind, refused }) => (refused === null ? [kind] : [])) ??
      (conversation.visibility === 'public' ? ['comment'] : ['reply']),
  )
  kinds.add('note')
  return order.filter((kind) => kinds.has(kind))
}

export interface Check {
  readonly canSend: boolean
  readonly used: number
  readonly limit: number | null
  /** By how much it is too long; 0 when it is not. */
  readonly over: number
  readonly closesAt: string | null
  readonly isClosed: boolean
}

export function sendable(conversation: ConversationJson, kind: Kind, text: string, now: number): Check {
  const rule = conversation.sayable?.find((each) => each.kind === kind)
  const used = rule ? countText(text.trim(), rule.counting) : text.trim().length
  const limit = rule?.max_text_length ?? null
  const over = limit === null ? 0 : Math.max(0, used - limit)
  const closesAt = rule?.closes_at ?? null
  const isClosed = closesAt !== null && Date.parse(closesAt) <= now
  return { canSend: text.trim() !== '' && over === 0 && !isClosed, used, limit, over, closesAt, isClosed }
}
