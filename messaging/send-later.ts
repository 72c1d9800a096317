/**
 * Answers that are to be sent at a certain time. Until then they wait outside the order of sending (no `seq`), with an occurrence
 * that fires once; then they take their turn, if they may still be said. Locks: occurrence, conversation, deliveries.
 */
import { conflict, notFound } from '../infra/errors.ts'
import type { Problem } from '../infra/errors.ts'
import type { Delivery, Message, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { refusal } from './check-content.ts'
import { checkSayable } from './check-sayable.ts'
import { newDeliveries } from './parts.ts'
import { checkStill, isAnswered, takeTurn, utteranceOf, waitingParts } from './planned-reply.ts'

export interface Later {
  readonly at: Date
  /** Called off when the contact writes before. */
  readonly endsIfAnswered: boolean
}

const yearMs = 366 * 24 * 3_600_000

/** @throws Problem 422 with code `send_at_past` or `send_at_too_far` */
export function checkLater({ at }: Pick<Later, 'at'>, now = new Date()): void {
  if (at <= now) throw refusal('send_at_past', 'send_at', 'That time has passed.')
  if (at.getTime() - now.getTime() > yearMs)
    throw refusal('send_at_too_far', 'send_at', 'An answer can be planned for a year ahead at most.')
}

/** Plans an answer that the caller stores in the same transaction, under the lock of its conversation. */
export async function planReply(storage: Storage, tx: Writer, message: Message, later: Later): Promise<void> {
  const { accountId, id, conversationId } = message
  await storage.occurrences.plan(tx, {
    accountId,
    kind: 'reply',
    subjectId: id,
    dueAt: later.at,
    endsIfAnswered: later.endsIfAnswered,
  })
  if (later.endsIfAnswered) await storage.conversations.expectAnswer(tx, accountId, conversationId, true)
}

/** What a waiting answer says, and when; what is left out stays. */
export interface PlanChange {
  readonly text?: string | undefined
  readonly at?: Date | undefined
  readonly endsIfAnswered?: boolean | undefined
}

/**
 * Changes what a waiting answer says, or when. @param by the user
 * @throws Problem 404; 409 `not_scheduled` when it does not wait (any more), `answered`; 422 as `checkLater` and `checkSayable` do
 */
export function changePlan(
  storage: Storage,
  accountId: string,
  messageId: string,
  change: PlanChange,
  by: string,
): Promise<void> {
  return storage.write(async (tx) => {
    const { occurrence, message, conversation, parts } = await lockPlanned(storage, tx, accountId, messageId)
    const later = {
      at: change.at ?? occurrence.dueAt,
      endsIfAnswered: change.endsIfAnswered ?? occurrence.endsIfAnswered,
    }
    checkLater(later)
    const said = await utteranceOf(storage, tx, conversation, message)
    const sayable = await checkSayable(storage, tx, { ...said, text: change.text ?? said.text }, later.at)
    if (await isAnswered(storage, tx, later, message)) throw answeredMeanwhile()
    if (change.text !== undefined) {
      await storage.messages.setAppearance(tx, accountId, messageId, { ...message, text: change.text })
      await storage.deliveries.replace(tx, parts, newDeliveries(message, sayable.parts, null))
    }
    await storage.occurrences.move(tx, occurrence, { dueAt: later.at, endsIfAnswered: later.endsIfAnswered })
    await storage.messages.setTime(tx, accountId, messageId, later.at)
    if (later.endsIfAnswered) await storage.conversations.expectAnswer(tx, accountId, conversation.id, true)
    await storage.outbox.append(tx, scheduledFact(message, later.at, by))
  })
}

/**
 * Sends a waiting answer at once.
 * @throws Problem 404; 409 `not_scheduled`; 422 as `checkPlace` does
 */
export function sendNow(storage: Storage, accountId: string, messageId: string, by: string): Promise<void> {
  return storage.write(async (tx) => {
    const { occurrence, message, conversation, parts } = await lockPlanned(storage, tx, accountId, messageId)
    await checkStill(storage, tx, conversation, message, new Date())
    await storage.outbox.appendMany(tx, [await takeTurn(storage, tx, conversation, message, parts)])
    await storage.occurrences.end(tx, [{ id: occurrence.id, accountId, state: 'fired', reason: 'sent at once' }], by)
  })
}

/** Puts an answer that was called off before its time, whose parts the caller has locked, into the order of sending. */
export async function sendAfterAll(
  storage: Storage,
  tx: Writer,
  accountId: string,
  messageId: string,
  parts: readonly Delivery[],
): Promise<void> {
  const message = await storage.messages.get(tx, accountId, messageId)
  const conversation = message && (await storage.conversations.lock(tx, accountId, message.conversationId))
  if (message === undefined || conversation === undefined) throw notFound('message')
  await checkStill(storage, tx, conversation, message, new Date())
  await storage.outbox.appendMany(tx, [await takeTurn(storage, tx, conversation, message, parts)])
}

async function lockPlanned(storage: Storage, tx: Writer, accountId: string, messageId: string) {
  const occurrence = await storage.occurrences.lockWaiting(tx, accountId, 'reply', messageId)
  const message = await storage.messages.get(tx, accountId, messageId)
  if (message === undefined) throw notFound('message')
  const conversation = await storage.conversations.lock(tx, accountId, message.conversationId)
  const parts = await waitingParts(storage, tx, accountId, messageId)
  if (conversation === undefined || occurrence === undefined || parts.length === 0)
    throw conflict('not_scheduled', 'The message does not wait for a time, or not any more.')
  return { occurrence, message, conversation, parts }
}

const answeredMeanwhile = (): Problem =>
  conflict('answered', 'The contact has written meanwhile, so the answer is called off.')

/** `delivery_id` is not told: a change of the words may divide them anew. */
export const scheduledFact = (message: Message, at: Date, by: string | null): NewEvent => ({
  type: 'message.scheduled',
  accountId: message.accountId,
  data: {
    conversation_id: message.conversationId,
    message_id: message.id,
    channel_id: message.channelId,
    send_at: at.toISOString(),
    by,
  },
})
