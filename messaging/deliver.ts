/**
 * Delivers what was queued: in order within a conversation, each attempt written down before it is made, one conversation
 * never waiting for another. Who sends for a conversation holds its lane; an outcome nobody knows is settled, never repeated
 * blindly.
 */
import { z } from 'zod'
import type { Config } from '../infra/config.ts'
import { newId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type { Channel, Delivery, Lane, Message, Storage, Writer } from '../storage/index.ts'
import { Board } from './board.ts'
import type { Broker } from './broker/contract.ts'
import { consumeSafely } from './broker/park.ts'
import type { Parking } from './broker/park.ts'
import { queues } from './broker/queues.ts'
import { deliveryChanged } from './changes.ts'
import type { OutboundMessage, Outcome } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'
import { openAccess } from './directory.ts'
import { isOutage } from './outage.ts'
import { concludeAttempt, concludeLookup } from './outcomes.ts'
import { answerTokenRefusal } from './tokens.ts'

export interface DeliverContext {
  readonly storage: Storage
  readonly config: Config
  readonly logger: Logger
  /** Unique to this process. */
  readonly holder: string
}

const nudgeSchema = z.object({ account_id: z.string(), conversation_id: z.string(), channel_id: z.string().optional() })

/** A dead node's lane is free after this; a living one lengthens it while it waits for a network. */
const laneMs = 10_000
const renewMs = 3_000
const sendLimitMs = 15_000
const refreshLimitMs = 30_000
const conversationsAtOnce = 64
const perChannelAtOnce = 16

/** Consumes nudges until stopped; what is being sent is waited for. */
export function startDeliver(context: DeliverContext, broker: Broker, parking: Parking): Running {
  const { logger } = context
  const stopping = new AbortController()
  const board = new Board(
    { atOnce: conversationsAtOnce, perChannel: perChannelAtOnce },
    async ({ accountId, conversationId }) => {
      try {
        await deliverConversation(context, accountId, conversationId, stopping.signal)
      } catch (error) {
        // The sweep nudges again.
        logger.warn({ conversation: conversationId, err: error }, 'a conversation could not be delivered just now')
      }
    },
  )
  // A nudge is only a hint: once on the board it is settled, and the sweep finds what a dying process leaves behind.
  const consumer = consumeSafely(
    broker,
    parking,
    queues.deliver,
    { credit: 500, isOutage },
    (message) => {
      const nudge = nudgeSchema.parse(JSON.parse(message.body.toString('utf8')))
      board.add({
        accountId: nudge.account_id,
        conversationId: nudge.conversation_id,
        channelId: nudge.channel_id ?? nudge.conversation_id,
      })
      return Promise.resolve()
    },
    logger,
  )
  return {
    async stop() {
      await consumer.stop()
      stopping.abort()
      await board.stop()
    },
  }
}

/** Everything of this conversation that is due, one after the other; nothing when someone else is at it. */
export async function deliverConversation(
  context: DeliverContext,
  accountId: string,
  conversationId: string,
  signal: AbortSignal,
): Promise<void> {
  const { storage } = context
  const lane = await storage.write((tx) =>
    storage.lanes.claim(tx, conversationId, `${context.holder.slice(0, 40)}:${newId()}`, laneMs),
  )
  if (lane === undefined) return
  const renewing = setInterval(() => {
    storage
      .write((tx) => storage.lanes.hold(tx, lane, laneMs))
      .catch((error: unknown) => context.logger.warn({ err: error }, 'a lane could not be lengthened'))
  }, renewMs)
  try {
    while (!signal.aborted) {
      const step = await storage.write((tx) => nextStep(context, tx, lane, accountId))
      if (step.type === 'done') return
      if (step.type === 'send') await concludeAttempt(context, step.delivery, step.number, await send(context, step))
      if (step.type === 'lookUp')
        await concludeLookup(context, step.delivery, await lookUp(context, step), step.elapsedMs)
    }
    await storage.write((tx) => storage.lanes.release(tx, lane))
  } finally {
    clearInterval(renewing)
  }
}

interface Sending {
  readonly delivery: Delivery
  readonly channel: Channel
  readonly message: OutboundMessage
}
type Step =
  | { readonly type: 'done' | 'again' }
  | ({ readonly type: 'send'; readonly number: number } & Sending)
  | ({ readonly type: 'lookUp'; readonly since: Date; readonly elapsedMs: number } & Sending)

/**
 * What to do next, decided under the lock of the lane. The lane is given back in the transaction that finds nothing to do: a
 * nudge that found it held was sent after its delivery had been committed, so this look sees that delivery.
 */
async function nextStep({ storage, holder }: DeliverContext, tx: Writer, lane: Lane, accountId: string): Promise<Step> {
  if (!(await storage.lanes.hold(tx, lane, laneMs))) return { type: 'done' }
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
  const outbound = outboundOf(head, message, address?.externalId, conversation.lastInboundAt)
  if (head.state === 'unknown') {
    const attempt = (await storage.deliveries.attemptsOf(tx, accountId, [head.id])).at(-1)
    const endedAt = attempt?.finishedAt ?? head.updatedAt
    return {
      type: 'lookUp',
      delivery: head,
      channel,
      message: outbound,
      since: attempt?.startedAt ?? head.createdAt,
      elapsedMs: head.now.getTime() - endedAt.getTime(),
    }
  }
  const number = await storage.deliveries.beginAttempt(tx, head, holder.slice(0, 40))
  return {
    type: 'send',
    delivery: { ...head, state: 'sending', attemptCount: number },
    channel,
    message: outbound,
    number,
  }
}

function outboundOf(
  delivery: Delivery,
  message: Message,
  contactExternalId: string | undefined,
  lastInboundAt: Date | null,
): OutboundMessage {
  return {
    kind: message.kind === 'comment' || message.kind === 'private_reply' ? message.kind : 'reply',
    reference: delivery.id,
    text: message.text ?? '',
    contactExternalId,
    inReplyTo: message.inReplyTo ?? undefined,
    lastInboundAt: lastInboundAt ?? undefined,
  }
}

/** One request, at most; always an outcome. */
async function send(
  context: DeliverContext,
  { channel, message, number }: Extract<Step, { type: 'send' }>,
): Promise<Outcome> {
  const { storage, config, logger } = context
  const connector = connectorOf(channel.type)
  if (connector === undefined)
    return {
      type: 'refused',
      class: 'policy',
      code: 'no_connector',
      reason: `Parley cannot write to ${channel.type} yet.`,
    }
  let access
  try {
    access = await openAccess(storage, config, channel)
  } catch (error) {
    logger.error({ channel: channel.id, err: error }, 'the credentials of a channel cannot be opened')
    return { type: 'retry', code: 'no_access', reason: 'The credentials of the channel cannot be opened just now.' }
  }
  let outcome: Outcome
  try {
    outcome = await within(sendLimitMs, (signal) => connector.send(access, message, signal))
  } catch (error) {
    logger.error({ channel: channel.id, err: error }, 'a connector failed to say what became of a message')
    return { type: 'unknown', code: 'no_answer', reason: 'The network gave no answer in time.' }
  }
  if (outcome.type !== 'refused' || outcome.class !== 'token') return outcome
  return answerTokenRefusal(context, channel, outcome, number, AbortSignal.timeout(refreshLimitMs)).catch(
    (error: unknown) => {
      logger.warn({ channel: channel.id, err: error }, 'a refused token could not be looked into')
      return outcome
    },
  )
}

async function lookUp(
  { storage, config, logger }: DeliverContext,
  { channel, message, since }: Extract<Step, { type: 'lookUp' }>,
) {
  try {
    const access = await openAccess(storage, config, channel)
    const found = await within(sendLimitMs, async (signal) =>
      connectorOf(channel.type)?.lookUp(access, message, since, signal),
    )
    return found ?? { type: 'undecided' as const, reason: 'This network cannot be asked.' }
  } catch (error) {
    logger.warn({ channel: channel.id, err: error }, 'a message could not be looked up')
    return { type: 'undecided' as const, reason: 'The network could not be asked.' }
  }
}

/** The work is told to stop after `limitMs`; a second later it is left alone. */
async function within<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = AbortSignal.timeout(limitMs)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('the time limit was passed'))
    }, limitMs + 1_000)
  })
  try {
    return await Promise.race([work(limit), late])
  } finally {
    clearTimeout(timer)
  }
}
