/** What a person outside is shown for a moment: that somebody is typing, that their message was seen. Never stored, never late. */
import { z } from 'zod'
import { notFound } from '../infra/errors.ts'
import { newId } from '../infra/ids.ts'
import type { Storage } from '../storage/index.ts'
import { limitsOfActs } from './ask-act.ts'
import type { Broker } from './broker/contract.ts'
import { queues } from './broker/queues.ts'
import { openAccess } from './directory.ts'
import { connectorFor, withLimit } from './health.ts'
import type { CareContext } from './health.ts'

const signalSchema = z.object({
  account_id: z.string(),
  conversation_id: z.string(),
  signal: z.enum(['typing', 'seen']),
  at: z.coerce.date(),
})
export type Signal = z.infer<typeof signalSchema>

/** Once in this time for each conversation; what comes later than this is not shown any more. */
const freshMs = 5_000
const publishLimitMs = 1_000
const callLimitMs = 5_000

/** A signal in a body of the queue; `undefined`: it is a nudge. */
export const readSignal = (body: unknown): Signal | undefined => signalSchema.safeParse(body).data

/**
 * Hands it on, at most once in five seconds for each conversation; what cannot be handed on just now is dropped.
 * @throws Problem 404; 422 `act_not_possible`, `channel_disconnected`
 */
export async function askSignal(
  storage: Storage,
  broker: Pick<Broker, 'publish'>,
  asked: { readonly accountId: string; readonly conversationId: string; readonly what: Signal['signal'] },
): Promise<void> {
  const { accountId, conversationId, what } = asked
  const conversation = await storage.conversations.get(storage.primary, accountId, conversationId)
  const channel = conversation && (await storage.channels.get(storage.primary, accountId, conversation.channelId))
  if (conversation === undefined || channel === undefined) throw notFound('conversation')
  limitsOfActs(channel, conversation.visibility, what)
  const place = storage.cache.locate(`signal.1:${what}:${conversationId}`)
  const taken = await place?.server.put(place.name, Buffer.from('1'), freshMs / 1000, 'add')
  if (taken === 'refused') return
  const body: z.input<typeof signalSchema> = {
    account_id: accountId,
    conversation_id: conversationId,
    signal: what,
    at: new Date().toISOString(),
  }
  const message = { id: newId(), body: Buffer.from(JSON.stringify(body)), properties: { account: accountId } }
  await broker.publish(queues.acts, message, { limitMs: publishLimitMs }).catch(() => undefined)
}

/** Shows it, if it is not too late by now. Never throws. */
export async function showSignal(context: CareContext, given: Signal, signal: AbortSignal): Promise<void> {
  const { storage, config, logger } = context
  const { account_id: accountId, conversation_id: conversationId } = given
  if (Date.now() - given.at.getTime() > freshMs) return
  try {
    const conversation = await storage.conversations.get(storage.primary, accountId, conversationId)
    const channel = conversation && (await storage.channels.get(storage.primary, accountId, conversation.channelId))
    if (conversation === undefined || channel?.state === 'reconnect_needed' || channel === undefined) return
    const address = await storage.contacts.address(storage.primary, accountId, conversation.contactAddressId)
    const newest = await storage.messages.latestInbound(storage.primary, accountId, conversationId)
    const access = await openAccess(storage, config, channel)
    await withLimit(callLimitMs, signal, (limited) =>
      Promise.resolve(
        connectorFor(context, channel.type)?.act?.(
          access,
          {
            what: given.signal,
            thread: conversation.visibility,
            targetExternalId: newest?.externalId ?? undefined,
            contactExternalId: address?.externalId,
            emoji: undefined,
          },
          limited,
        ),
      ),
    )
  } catch (error) {
    logger.debug({ conversation: conversationId, err: error }, 'a signal could not be shown')
  }
}
