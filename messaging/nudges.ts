/**
 * Nudges: "this conversation has something waiting". A nudge is only a hint: once on the board it is settled, and the sweep finds
 * what a dying process leaves behind.
 */
import { z } from 'zod'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type { Message } from '../storage/index.ts'
import { Board } from './board.ts'
import type { Nudge } from './board.ts'
import type { Broker } from './broker/contract.ts'
import { consumeSafely } from './broker/park.ts'
import type { Parking } from './broker/park.ts'
import { queues } from './broker/queues.ts'
import type { QueueName } from './broker/queues.ts'
import { isOutage } from './outage.ts'

const nudgeSchema = z.object({ account_id: z.string(), conversation_id: z.string(), channel_id: z.string().optional() })

/** The body of a nudge. */
export const nudgeBody = (accountId: string, conversationId: string, channelId: unknown): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      account_id: accountId,
      conversation_id: conversationId,
      ...(typeof channelId === 'string' ? { channel_id: channelId } : {}),
    }),
  )

/**
 * Tells the messaging server at once that something was queued in a conversation, after the commit: some 50 ms before the relay
 * does. A failure costs no more than that time.
 */
export function nudgeNow(
  broker: Pick<Broker, 'publish'>,
  { id, accountId, conversationId, channelId }: Pick<Message, 'id' | 'accountId' | 'conversationId' | 'channelId'>,
): void {
  const body = nudgeBody(accountId, conversationId, channelId)
  broker
    .publish(queues.deliver, { id: `now-${id}`, body, properties: { account: accountId } }, { limitMs: 1_000 })
    .catch(() => undefined)
}

export interface NudgeOptions {
  readonly queue: QueueName
  readonly atOnce: number
  readonly perChannel: number
  readonly work: (nudge: Nudge, signal: AbortSignal) => Promise<void>
  /** Takes what else comes by the queue; true: that was no nudge. Must not throw. */
  readonly takeOther?: (body: unknown, signal: AbortSignal) => boolean
}

/** Consumes nudges until stopped; what is being worked on is waited for. */
export function consumeNudges(
  { logger }: { readonly logger: Logger },
  broker: Broker,
  parking: Parking,
  { queue, atOnce, perChannel, work, takeOther }: NudgeOptions,
): Running {
  const stopping = new AbortController()
  const board = new Board({ atOnce, perChannel }, async (nudge) => {
    try {
      await work(nudge, stopping.signal)
    } catch (error) {
      // The sweep nudges again.
      const { conversationId: conversation } = nudge
      logger.warn({ queue, conversation, err: error }, 'what waits in a conversation could not be done just now')
    }
  })
  const consumer = consumeSafely(
    broker,
    parking,
    queue,
    { credit: 500, isOutage },
    (message) => {
      const body: unknown = JSON.parse(message.body.toString('utf8'))
      if (takeOther?.(body, stopping.signal) === true) return Promise.resolve()
      const nudge = nudgeSchema.parse(body)
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
