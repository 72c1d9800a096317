/**
 * Answers that are to be sent at a certain time. Until then they wait outside the order of sending (no `seq`), with an occurrence
 * that fires once; then they take their turn, if they may still be said. Locks: occurrence, conversation, deliveries.
 */
import { conflict, notFound, Problem } from '../infra/errors.ts'
import type { Conversation, Delivery, Message, Occurrence, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { deliveryChanged } from './changes.ts'
import { refusal } from './check-content.ts'
import type { Utterance } from './check-content.ts'
import { checkPlace, checkSayable } from './check-sayable.ts'
import { storedExtras } from './extras.ts'
import { newDeliveries } from './parts.ts'
import { previewOf } from './summary.ts'

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

/** Its time has come: it takes its turn, unless it may not be said any more or the contact has written. */
export async function fireReply(
  storage: Storage,
  tx: Writer,
  occurrence: Occurrence,
): Promise<
  readonly NewEvent[] | { readonly state: 'skipped' | 'cancelled'; readonly reason: string; readonly facts: NewEvent[] }
> {
  const { accountId, subjectId } = occurrence
  const message = await storage.messages.get(tx, accountId, subjectId)
  const conversation = message && (await storage.conversations.lock(tx, accountId, message.conversationId))
  const parts = await waitingParts(storage, tx, accountId, subjectId)
  if (message === undefined || conversation === undefined || parts.length === 0)
    return { state: 'skipped', reason: 'It is not there any more.', facts: [] }
  if (await isAnswered(storage, tx, occurrence, message))
    return { state: 'cancelled', reason: 'answered', facts: await callOff(storage, tx, parts) }
  try {
    await checkStill(storage, tx, conversation, message, new Date())
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500) throw error
    // With a place in the order of sending, so that it can be sent again like all that failed.
    await takeTurn(storage, tx, conversation, message, parts)
    const facts: NewEvent[] = []
    for (const part of parts) {
      const { code: reasonCode, message: reason } = error
      const reasonClass = reasonCode === 'window_closed' ? 'window' : 'content'
      await storage.deliveries.change(tx, accountId, part.id, { state: 'failed', reasonCode, reasonClass, reason })
      facts.push(deliveryChanged(part, 'failed', reason))
    }
    return { state: 'skipped', reason: error.code, facts }
  }
  return [await takeTurn(storage, tx, conversation, message, parts)]
}

/**
 * Contacts have written in these conversations, whose rows are locked and say that answers may wait for that: they are called
 * off. One that is just being fired is left to itself: it looks again once it has the conversation.
 */
export async function callOffAnswered(
  storage: Storage,
  tx: Writer,
  conversations: readonly Pick<Conversation, 'id' | 'accountId'>[],
  facts: NewEvent[],
): Promise<void> {
  for (const [accountId, some] of Map.groupBy(conversations, (each) => each.accountId)) {
    const ids = some.map(({ id }) => id)
    const waiting = await storage.deliveries.unplaced(tx, accountId, ids)
    const messageIds = [...new Set(waiting.map(({ messageId }) => messageId))]
    const planned = await storage.occurrences.lockWaitingFree(tx, accountId, 'reply', messageIds)
    const ended = planned.filter(({ endsIfAnswered }) => endsIfAnswered)
    const gone = new Set(ended.map(({ subjectId }) => subjectId))
    facts.push(
      ...(await callOff(
        storage,
        tx,
        waiting.filter(({ messageId }) => gone.has(messageId)),
      )),
    )
    await storage.occurrences.end(
      tx,
      ended.map(({ id }) => ({ id, accountId, state: 'cancelled' as const, reason: 'answered' })),
      'receive',
    )
    // What is being fired or changed just now keeps the mark.
    if (planned.length === messageIds.length)
      for (const id of ids) await storage.conversations.expectAnswer(tx, accountId, id, false)
  }
}

async function callOff(storage: Storage, tx: Writer, parts: readonly Delivery[]): Promise<NewEvent[]> {
  const reason = 'The contact wrote before its time had come.'
  for (const { accountId, id } of parts)
    await storage.deliveries.change(tx, accountId, id, { state: 'cancelled', reasonCode: 'answered', reason })
  return parts.map((part) => deliveryChanged(part, 'cancelled', reason))
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

const waitingParts = async (storage: Storage, tx: Writer, accountId: string, messageId: string): Promise<Delivery[]> =>
  (await storage.deliveries.lockByMessage(tx, accountId, messageId)).filter(
    ({ seq, state }) => seq === null && state === 'queued',
  )

/** Whether the contact has written since it was planned: what arrived meanwhile counts, whenever it was said. */
const isAnswered = async (
  storage: Storage,
  tx: Writer,
  { endsIfAnswered }: Pick<Occurrence, 'endsIfAnswered'>,
  { accountId, conversationId, receivedAt }: Message,
): Promise<boolean> =>
  endsIfAnswered && (await storage.messages.hasInboundSince(tx, accountId, conversationId, receivedAt))

/** @throws Problem as `checkPlace` does */
async function checkStill(
  storage: Storage,
  tx: Writer,
  conversation: Conversation,
  message: Message,
  at: Date,
): Promise<void> {
  const channel = await storage.channels.get(tx, message.accountId, message.channelId)
  if (channel === undefined) throw notFound('channel')
  await checkPlace(storage, tx, conversation, channel, await utteranceOf(storage, tx, conversation, message), at)
}

/** What a stored answer says, as if it were said anew. */
async function utteranceOf(
  storage: Storage,
  tx: Writer,
  { id: conversationId, visibility }: Conversation,
  message: Message,
): Promise<Utterance> {
  const { accountId, kind, inReplyTo, channelId } = message
  const key = { accountId, channelId, visibility, externalId: inReplyTo ?? '' }
  const targets = inReplyTo === null ? undefined : await storage.messages.findByExternal(tx, [key])
  const files = await storage.attachments.ofMessages(tx, accountId, [message.id])
  return {
    accountId,
    conversationId,
    kind: kind === 'comment' || kind === 'private_reply' ? kind : 'reply',
    text: message.text ?? '',
    inReplyTo: targets === undefined ? undefined : [...targets.values()][0]?.id,
    files: files.flatMap(({ documentId, altText }) =>
      documentId === null ? [] : [{ documentId, altText: altText ?? undefined }],
    ),
    extras: storedExtras(message.extra),
  }
}

/** The next places in the order of sending; the conversation is locked. The fact that it is queued, by which it is nudged. */
async function takeTurn(
  storage: Storage,
  tx: Writer,
  conversation: Conversation,
  message: Message,
  parts: readonly Delivery[],
): Promise<NewEvent> {
  const { accountId, id } = message
  const now = new Date()
  const files = await storage.attachments.ofMessages(tx, accountId, [id])
  const preview = previewOf(message.text, files)
  const first = await storage.conversations.takeTurns(tx, conversation, parts.length, preview, now)
  for (const [index, part] of parts.entries()) await storage.deliveries.place(tx, accountId, part.id, first + index)
  await storage.messages.setTime(tx, accountId, id, now)
  return {
    type: 'message.queued',
    accountId,
    data: {
      conversation_id: conversation.id,
      message_id: id,
      channel_id: message.channelId,
      delivery_id: parts[0]?.id ?? '',
      by: message.authorId,
    },
  }
}

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
