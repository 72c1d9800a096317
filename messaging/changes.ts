/** What happens to a message after it was said: edits, deletions, hiding, reactions, receipts; also when they come before it. */
import { z } from 'zod'
import type { Appearance, Delivery, Message, PartKey, Post, Storage, Writer } from '../storage/index.ts'
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
  part = 0,
): Promise<Message> {
  let appearance: Appearance = message
  for (const change of changes) {
    if (change.type === 'receipt') {
      await moveForward(storage, tx, [{ messageId: message.id, part }], change, facts)
      continue
    }
    const after =
      change.type === 'delete' && message.direction === 'outbound'
        ? await takeBack(storage, tx, { ...message, ...appearance }, part, change)
        : // The words of a later part are not those of the whole.
          change.type === 'edit' && part > 0
          ? undefined
          : applyChange(appearance, change)
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

/** What is left of an answer of ours when one part of it is taken back on the network; without any part left it is deleted. */
async function takeBack(
  storage: Storage,
  tx: Writer,
  message: Message,
  part: number,
  change: Extract<Change, { type: 'delete' }>,
): Promise<Appearance | undefined> {
  const { accountId, id } = message
  const parts = await storage.deliveries.ofMessages(tx, accountId, [id])
  const gone = parts.find((each) => each.part === part)
  const left = parts.filter((each) => each.part !== part && each.deletedAt === null)
  if (gone === undefined || parts.length === 1) return applyChange(message, change)
  if (gone.deletedAt !== null) return undefined
  await storage.deliveries.markDeleted(tx, accountId, gone.id, change.at)
  if (left.length === 0) return applyChange(message, change)
  await storage.attachments.removeAt(tx, accountId, id, gone.files ?? [])
  const texts = left.flatMap(({ text }) => (text === null || text === '' ? [] : [text]))
  return { ...message, text: texts.join('\n') || null }
}

/** Applies what was said of these messages before they came, under the id of one part; the messages as they are then. */
export async function applyEarly(
  storage: Storage,
  tx: Writer,
  messages: readonly Message[],
  facts: NewEvent[],
  part = 0,
): Promise<Message[]> {
  const named = messages.flatMap(({ accountId, channelId, externalId }) =>
    externalId === null ? [] : [{ accountId, channelId, externalId }],
  )
  const early = Map.groupBy(await storage.earlyChanges.take(tx, named), earlyKey)
  const after: Message[] = []
  for (const message of messages) {
    const own = early.get(earlyKey(message))?.flatMap(({ change }) => changeSchema.safeParse(change).data ?? [])
    after.push(own === undefined ? message : await changeMessage(storage, tx, message, own, facts, part))
  }
  return after
}

/** The same for posts. */
export async function applyEarlyToPosts(
  storage: Storage,
  tx: Writer,
  posts: readonly Post[],
  facts: NewEvent[],
): Promise<void> {
  const early = Map.groupBy(await storage.earlyChanges.take(tx, posts), earlyKey)
  for (const post of posts)
    for (const { change } of early.get(earlyKey(post)) ?? []) {
      const parsed = changeSchema.safeParse(change).data
      if (parsed !== undefined && isOfPost(parsed)) await changePost(storage, tx, post, parsed, facts)
    }
}

/** The id of the post, if there is such a post; a reaction that counts is announced. @param lock as of `posts.change` */
export async function changePost(
  storage: Storage,
  tx: Writer,
  post: Pick<Post, 'accountId' | 'channelId' | 'externalId'>,
  change: PostChange,
  facts: NewEvent[],
  lock: '' | 'for update' = '',
): Promise<string | undefined> {
  const changed = await storage.posts.change(tx, post, change, lock)
  if (changed?.isReaction === true && change.type === 'reaction')
    facts.push({
      accountId: post.accountId,
      type: 'post.reacted',
      data: { post_id: changed.id, channel_id: post.channelId, by: change.by, emoji: change.emoji },
    })
  return changed?.id
}

type PostChange = Extract<Change, { type: 'edit' | 'delete' | 'reaction' }>

/** What may also happen to a post. */
export const isOfPost = (change: Change): change is PostChange =>
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
  parts: readonly PartKey[],
  receipt: Pick<Receipt, 'state' | 'refusal'>,
  facts: NewEvent[],
): Promise<void> {
  const { state, refusal } = receipt
  for (const delivery of await storage.deliveries.lockParts(tx, parts)) {
    // A receipt also proves that what we had no answer for was sent.
    const isNews =
      state === 'failed' ? rank(delivery.state) < 1 && delivery.state !== 'failed' : rank(delivery.state) < rank(state)
    if (!isNews || delivery.state === 'cancelled') continue
    const reason = state === 'failed' ? (refusal?.reason ?? 'The network could not deliver it.') : undefined
    await storage.deliveries.change(tx, delivery.accountId, delivery.id, {
      state,
      ...(reason === undefined ? {} : { reason, reasonCode: refusal?.code ?? 'failed' }),
      ...(reason !== undefined && refusal !== undefined && { reasonClass: refusal.class }),
    })
    facts.push(deliveryChanged(delivery, state, reason ?? null))
    if (refusal?.class === 'token')
      await setTrouble(storage, tx, delivery, 'token', tokenTrouble(refusal.code, refusal.reason), facts)
  }
}

export const deliveryChanged = (
  delivery: Pick<Delivery, 'accountId' | 'conversationId' | 'messageId' | 'id' | 'part' | 'partCount'>,
  state: DeliveryState,
  reason: string | null = null,
): NewEvent => ({
  accountId: delivery.accountId,
  type: 'delivery.changed',
  data: {
    conversation_id: delivery.conversationId,
    message_id: delivery.messageId,
    delivery_id: delivery.id,
    part: delivery.part,
    part_count: delivery.partCount,
    state,
    reason,
  },
})
