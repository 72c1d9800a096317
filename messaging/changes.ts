/** What happens to a message after it was said: edits, deletions, hiding, reactions, receipts; also when they come before it. */
import { z } from 'zod'
import type { Appearance, Message, Post, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import type { DeliveryState } from '../storage/model/words.ts'
import { setTrouble, tokenTrouble } from './health.ts'

const at = z.coerce.date()

/** A change as it is kept while its message has not come. */
export const changeSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('edit'), at, text: z.string().nullable() }),
  z.object({ type: z.literal('delete'), at }),
  z.object({ type: z.literal('hide'), at, isHidden: z.boolean() }),
  z.object({ type: z.literal('reaction'), at, by: z.string(), emoji: z.string().nullable() }),
  z.object({
    type: z.literal('receipt'),
    at,
    state: z.enum(['sent', 'delivered', 'read', 'failed']),
    refusal: z.object({ class: z.string(), code: z.string(), reason: z.string() }).optional(),
  }),
])
export type Change = z.infer<typeof changeSchema>
export type Receipt = Extract<Change, { type: 'receipt' }>

/** The words of `message.changed`. */
const saidAs = { edit: 'edited', delete: 'deleted', hide: 'hidden', reaction: 'reaction' } as const

/** How the message looks afterwards; `undefined`: no different (a repetition, or older than what is known). */
export function applyChange(before: Appearance, change: Change): Appearance | undefined {
  switch (change.type) {
    case 'edit':
      if (before.deletedAt !== null || (before.editedAt !== null && before.editedAt >= change.at)) return undefined
      return { ...before, text: change.text, editedAt: change.at }
    case 'delete':
      // Networks ask that what was taken back is not kept.
      return before.deletedAt === null ? { ...before, text: null, deletedAt: change.at } : undefined
    case 'hide':
      return before.isHidden === change.isHidden ? undefined : { ...before, isHidden: change.isHidden }
    case 'reaction': {
      const reactions = before.reactions ?? []
      const old = reactions.find(({ by }) => by === change.by)
      const at = change.at.toISOString()
      if (old !== undefined && ((old.at ?? '') > at || (old.at === at && old.emoji === change.emoji))) return undefined
      const others = reactions.filter(({ by }) => by !== change.by)
      return { ...before, reactions: [...others, { by: change.by, emoji: change.emoji, at }] }
    }
    case 'receipt':
      return undefined
  }
}

/**
 * Applies changes to one message whose row the caller has locked or just inserted; what is to be announced is added to
 * `facts`. The message as it is then.
 */
export async function changeMessage(
  storage: Storage,
  tx: Writer,
  message: Message,
  changes: readonly Change[],
  facts: NewEvent[],
): Promise<Message> {
  let appearance: Appearance = message
  for (const change of changes) {
    if (change.type === 'receipt') {
      await moveForward(storage, tx, [message.id], change, facts)
      continue
    }
    const after = applyChange(appearance, change)
    if (after === undefined) continue
    appearance = after
    const { accountId, conversationId, id } = message
    facts.push({
      accountId,
      type: 'message.changed',
      data: { conversation_id: conversationId, message_id: id, change: saidAs[change.type] },
    })
  }
  if (appearance === message) return message
  const { accountId, id } = message
  await storage.messages.setAppearance(tx, accountId, id, appearance)
  if (appearance.deletedAt !== null && message.deletedAt === null) await storage.attachments.removeOf(tx, accountId, id)
  return { ...message, ...appearance }
}

/** Applies what was said of these messages before they came; the messages as they are then. */
export async function applyEarly(
  storage: Storage,
  tx: Writer,
  messages: readonly Message[],
  facts: NewEvent[],
): Promise<Message[]> {
  const named = messages.flatMap(({ accountId, channelId, externalId }) =>
    externalId === null ? [] : [{ accountId, channelId, externalId }],
  )
  const early = Map.groupBy(await storage.earlyChanges.take(tx, named), earlyKey)
  const after: Message[] = []
  for (const message of messages) {
    const own = early.get(earlyKey(message))?.flatMap(({ change }) => changeSchema.safeParse(change).data ?? [])
    after.push(own === undefined ? message : await changeMessage(storage, tx, message, own, facts))
  }
  return after
}

/** The same for posts. */
export async function applyEarlyToPosts(storage: Storage, tx: Writer, posts: readonly Post[]): Promise<void> {
  const early = Map.groupBy(await storage.earlyChanges.take(tx, posts), earlyKey)
  for (const post of posts)
    for (const { change } of early.get(earlyKey(post)) ?? []) {
      const parsed = changeSchema.safeParse(change).data
      if (parsed !== undefined && isOfPost(parsed)) await storage.posts.change(tx, post, parsed)
    }
}

/** What may also happen to a post. */
export const isOfPost = (change: Change): change is Extract<Change, { type: 'edit' | 'delete' | 'reaction' }> =>
  change.type === 'edit' || change.type === 'delete' || change.type === 'reaction'

const earlyKey = ({ channelId, externalId }: Pick<Message, 'channelId' | 'externalId'>): string =>
  `${channelId} ${externalId ?? ''}`

/** Under this name a watermark waits for a sending that is under way in the conversation. */
export const watermarkKey = (conversationId: string): string => `until:${conversationId}`

const rank = (state: DeliveryState): number => ['sent', 'delivered', 'read'].indexOf(state)

/** A receipt moves deliveries forward only; a late failure overrules "sent", never what the person has seen. */
export async function moveForward(
  storage: Storage,
  tx: Writer,
  messageIds: readonly string[],
  receipt: Pick<Receipt, 'state' | 'refusal'>,
  facts: NewEvent[],
): Promise<void> {
  const { state, refusal } = receipt
  for (const delivery of await storage.deliveries.lockByMessages(tx, messageIds)) {
    // A receipt also proves that what we had no answer for was sent.
    const isNews =
      state === 'failed' ? rank(delivery.state) < 1 && delivery.state !== 'failed' : rank(delivery.state) < rank(state)
    if (!isNews || delivery.state === 'cancelled') continue
    const reason = state === 'failed' ? (refusal?.reason ?? 'The network could not deliver it.') : undefined
    await storage.deliveries.change(tx, delivery.accountId, delivery.id, {
      state,
      ...(reason === undefined ? {} : { reason, reasonCode: refusal?.code ?? 'failed' }),
    })
    facts.push(deliveryChanged(delivery, state, reason ?? null))
    if (refusal?.class === 'token')
      await setTrouble(storage, tx, delivery, 'token', tokenTrouble(refusal.code, refusal.reason), facts)
  }
}

export const deliveryChanged = (
  delivery: {
    readonly accountId: string
    readonly conversationId: string
    readonly messageId: string
    readonly id: string
  },
  state: DeliveryState,
  reason: string | null = null,
): NewEvent => ({
  accountId: delivery.accountId,
  type: 'delivery.changed',
  data: {
    conversation_id: delivery.conversationId,
    message_id: delivery.messageId,
    delivery_id: delivery.id,
    state,
    reason,
  },
})
