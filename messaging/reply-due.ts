/** The time of a planned answer has come, or its contact was faster. Locks: occurrence, conversation, deliveries. */
import { Problem } from '../infra/errors.ts'
import type { Conversation, Delivery, Occurrence, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { deliveryChanged } from './changes.ts'
import { checkStill, isAnswered, takeTurn, waitingParts } from './planned-reply.ts'

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
