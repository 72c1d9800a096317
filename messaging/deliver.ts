/**
 * Delivers what was queued: in order within a conversation, each attempt written down before it is made, one conversation
 * never waiting for another. Who sends for a conversation holds its lane; an outcome nobody knows is settled, never repeated
 * blindly.
 */
import { newId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Lane, UploadKey, Writer } from '../storage/index.ts'
import { giveFile, laneMs, lookUp, send } from './attempt.ts'
import type { DeliverContext, Sending, ToGive } from './attempt.ts'
import type { Broker } from './broker/contract.ts'
import type { Parking } from './broker/park.ts'
import { queues } from './broker/queues.ts'
import { deliveryChanged } from './changes.ts'
import { noteBudget, useOf } from './budgets.ts'
import { holdDelivery, mayCall } from './may-call.ts'
import { consumeNudges } from './nudges.ts'
import { composeOutbound, filesToGive } from './outbound.ts'
import { concludeAttempt, concludeLookup } from './outcomes.ts'
import { unsureSince } from './said-before.ts'

const renewMs = 3_000
const conversationsAtOnce = 64
const perChannelAtOnce = 16

/** Consumes nudges until stopped; what is being sent is waited for. */
export const startDeliver = (context: DeliverContext, broker: Broker, parking: Parking): Running =>
  consumeNudges(context, broker, parking, {
    queue: queues.deliver,
    atOnce: conversationsAtOnce,
    perChannel: perChannelAtOnce,
    work: ({ accountId, conversationId }, signal) => deliverConversation(context, accountId, conversationId, signal),
  })

/**
 * Everything of this conversation that is due, one after the other; nothing when someone else is at it. What an attempt has
 * come to and the next step are one transaction: each costs the database a flush.
 */
export async function deliverConversation(
  context: DeliverContext,
  accountId: string,
  conversationId: string,
  signal: AbortSignal,
): Promise<void> {
  const { storage } = context
  if (!(await storage.deliveries.isDue(storage.primary, conversationId))) return
  const holder = `${context.holder.slice(0, 40)}:${newId()}`
  const begun = await storage.write(async (tx) => {
    const lane = await storage.lanes.claim(tx, conversationId, holder, laneMs)
    return lane && { lane, step: await nextStep(context, tx, lane, accountId) }
  })
  if (begun === undefined) return
  const { lane } = begun
  const renewing = setInterval(() => {
    storage
      .write((tx) => storage.lanes.hold(tx, lane, laneMs))
      .catch((error: unknown) => context.logger.warn({ err: error }, 'a lane could not be lengthened'))
  }, renewMs)
  const goOn = async (tx: Writer): Promise<Step> => {
    if (!(await storage.lanes.hold(tx, lane, laneMs))) return { type: 'done' }
    if (!signal.aborted) return nextStep(context, tx, lane, accountId)
    await storage.lanes.release(tx, lane)
    return { type: 'done' }
  }
  try {
    for (let { step } = begun; step.type !== 'done';) {
      if (step.type === 'send') {
        const outcome = await send(context, step)
        await noteBudget(context, step.channel, outcome)
        step = await concludeAttempt(context, step.delivery, step.number, outcome, goOn)
        continue
      }
      if (step.type === 'give') await giveFile(context, lane, step)
      if (step.type === 'lookUp')
        await concludeLookup(context, step.delivery, await lookUp(context, step), step.elapsedMs)
      step = await storage.write(goOn)
    }
  } finally {
    clearInterval(renewing)
  }
}

type Step =
  | { readonly type: 'done' | 'again' }
  | ({ readonly type: 'give' } & ToGive)
  | ({ readonly type: 'send'; readonly number: number; readonly given: readonly UploadKey[] } & Sending)
  | ({ readonly type: 'lookUp'; readonly since: Date; readonly elapsedMs: number } & Sending)

/**
 * What to do next, decided under the lock of the lane, which the caller has. The lane is given back in the transaction that finds nothing to do: a
 * nudge that found it held was sent after its delivery had been committed, so this look sees that delivery.
 */
async function nextStep(context: DeliverContext, tx: Writer, lane: Lane, accountId: string): Promise<Step> {
  const { storage, holder } = context
  const head = await storage.deliveries.lockHead(tx, lane.conversationId)
  if (head === undefined || !head.isDue) {
    await storage.lanes.release(tx, lane)
    return { type: 'done' }
  }
  if (head.state === 'sending') {
    // We hold the lane and are not sending: whoever was has died, and nobody knows how far the request came.
    const reason = 'The node that was sending it stopped.'
    await storage.deliveries.endAttempt(tx, head, head.attemptCount, { type: 'unknown', code: 'node_lost', reason })
    await storage.deliveries.change(tx, accountId, head.id, {
      state: 'unknown',
      reasonCode: 'node_lost',
      reason,
      dueInMs: 0,
    })
    await storage.outbox.append(tx, deliveryChanged(head, 'unknown', reason))
    return { type: 'again' }
  }
  const message = await storage.messages.get(tx, accountId, head.messageId)
  const conversation = await storage.conversations.get(tx, accountId, head.conversationId)
  const channel = await storage.channels.get(tx, accountId, head.channelId)
  const address = conversation && (await storage.contacts.address(tx, accountId, conversation.contactAddressId))
  if (message === undefined || conversation === undefined || channel === undefined) {
    const reason = 'Its channel or its conversation is gone.'
    await storage.deliveries.change(tx, accountId, head.id, { state: 'failed', reasonCode: 'gone', reason })
    await storage.outbox.append(tx, deliveryChanged(head, 'failed', reason))
    return { type: 'again' }
  }
  if (channel.state === 'reconnect_needed') {
    // The network would refuse one after the other: they wait, and the sweep finds them once the channel is reconnected.
    await storage.lanes.release(tx, lane)
    return { type: 'done' }
  }
  const outbound = await composeOutbound(context, tx, { delivery: head, message, conversation, channel, address })
  if (outbound === undefined) {
    const reason = 'A file of it is gone.'
    await storage.deliveries.change(tx, accountId, head.id, { state: 'failed', reasonCode: 'attachment_gone', reason })
    await storage.outbox.append(tx, deliveryChanged(head, 'failed', reason))
    return { type: 'again' }
  }
  if (head.state === 'unknown') {
    const attempts = await storage.deliveries.attemptsOf(tx, accountId, [head.id])
    const endedAt = attempts.at(-1)?.finishedAt ?? head.updatedAt
    return {
      type: 'lookUp',
      delivery: head,
      channel,
      message: outbound.message,
      since: unsureSince(attempts) ?? head.createdAt,
      elapsedMs: head.now.getTime() - endedAt.getTime(),
    }
  }
  const [toGive] = filesToGive(outbound, channel)
  if (toGive !== undefined) return { type: 'give', delivery: head, channel, ...toGive }
  const said = { use: useOf(message.kind), text: head.text ?? message.text ?? '' }
  const may = await mayCall(storage, tx, channel, said, head.now, head.reasonCode === 'budget_spread')
  if (may.wait !== undefined) {
    await holdDelivery(storage, tx, head, may.wait)
    await storage.lanes.release(tx, lane)
    return { type: 'done' }
  }
  const number = await storage.deliveries.beginAttempt(tx, head, holder.slice(0, 40))
  if (may.put !== undefined) await storage.spend.markAttempt(tx, head, number, may.put)
  return {
    type: 'send',
    delivery: { ...head, state: 'sending', attemptCount: number },
    channel,
    message: outbound.message,
    given: outbound.files.map(({ key }) => key),
    number,
  }
}
