/**
 * Does to messages what was asked for, one after the other for each message. Everything here may be repeated without harm, so
 * what is not known is simply tried again; a refusal is final and told in plain words. What people are only shown for a moment
 * (typing, seen) is done at once or never.
 */
import { messageOf } from '../infra/errors.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Act, Channel, Message, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import type { Broker } from './broker/contract.ts'
import type { Parking } from './broker/park.ts'
import { queues } from './broker/queues.ts'
import { changeMessage } from './changes.ts'
import type { Change } from './changes.ts'
import type { Connector, OutboundAct } from './connectors/connector.ts'
import { openAccess } from './directory.ts'
import { connectorFor, setTrouble, tokenTrouble, withLimit } from './health.ts'
import type { CareContext } from './health.ts'
import { consumeNudges } from './nudges.ts'
import { readSignal, showSignal } from './signals.ts'
import { deletedPreview } from './summary.ts'
import { answerTokenRefusal } from './tokens.ts'

const conversationsAtOnce = 32
const perChannelAtOnce = 4
const signalsAtOnce = 64
const callLimitMs = 15_000
const refreshLimitMs = 30_000
/** Longer than all calls of one act together. */
const leaseMs = 120_000
/** So often, and as often again when its channel has been reconnected meanwhile. */
const mostTries = 8

/** Consumes nudges and signals until stopped; what is being done is waited for. */
export function startActs(context: CareContext, broker: Broker, parking: Parking): Running {
  let signals = 0
  return consumeNudges(context, broker, parking, {
    queue: queues.acts,
    atOnce: conversationsAtOnce,
    perChannel: perChannelAtOnce,
    work: ({ accountId, conversationId }, signal) => doActs(context, accountId, conversationId, signal),
    takeOther(body, stopping) {
      const signal = readSignal(body)
      if (signal === undefined) return false
      if (signals >= signalsAtOnce) return true
      signals += 1
      void showSignal(context, signal, stopping).finally(() => {
        signals -= 1
      })
      return true
    },
  })
}

/** Everything of this conversation that is due. */
export async function doActs(
  context: CareContext,
  accountId: string,
  conversationId: string,
  signal: AbortSignal,
): Promise<void> {
  const { storage } = context
  while (!signal.aborted) {
    const act = await storage.write((tx) => storage.acts.claim(tx, accountId, conversationId, leaseMs))
    if (act === undefined) return
    await conclude(context, act, await perform(context, act))
  }
}

type Performed = { readonly type: 'gone' } | Awaited<ReturnType<NonNullable<Connector['act']>>>

/** An answer of ours that was said in parts is treated part by part. */
async function perform(context: CareContext, act: Act): Promise<Performed> {
  const { storage, config, logger } = context
  const { accountId } = act
  const message = await storage.messages.get(storage.primary, accountId, act.messageId)
  const channel = await storage.channels.get(storage.primary, accountId, act.channelId)
  if (message?.externalId == null || channel === undefined || channel.disconnectedAt !== null) return { type: 'gone' }
  const connector = connectorFor(context, channel.type)
  if (connector?.act === undefined)
    return { type: 'refused', class: 'policy', code: 'act_not_possible', reason: 'This network knows nothing of it.' }
  try {
    const access = await openAccess(storage, config, channel)
    const contactExternalId = await contactOf(storage, message)
    for (const target of await targetsOf(storage, act, message)) {
      const wanted: OutboundAct = {
        what: act.what,
        thread: message.visibility,
        targetExternalId: target,
        contactExternalId,
        emoji: act.emoji ?? undefined,
      }
      const outcome = await withLimit(callLimitMs, new AbortController().signal, (limited) =>
        Promise.resolve(connector.act?.(access, wanted, limited) ?? ({ type: 'done' } as const)),
      )
      if (outcome.type === 'refused' && outcome.class === 'token')
        return await answerTokenRefusal(
          context,
          channel,
          outcome,
          act.attemptCount,
          AbortSignal.timeout(refreshLimitMs),
        )
      if (outcome.type !== 'done') return outcome
    }
    return { type: 'done' }
  } catch (error) {
    logger.warn({ act: act.id, channel: channel.id, err: error }, 'an act could not be done just now')
    return { type: 'retry', code: 'no_answer', reason: messageOf(error) }
  }
}

async function targetsOf(storage: Storage, { what, accountId }: Act, message: Message): Promise<readonly string[]> {
  if (what !== 'delete' || message.direction === 'inbound') return [message.externalId ?? '']
  const parts = await storage.deliveries.ofMessages(storage.primary, accountId, [message.id])
  const later = parts.filter(({ part, deletedAt }) => part > 0 && deletedAt === null)
  return [message.externalId ?? '', ...later.flatMap(({ externalId }) => externalId ?? [])]
}

async function contactOf(storage: Storage, message: Message): Promise<string | undefined> {
  const conversation = await storage.conversations.get(storage.primary, message.accountId, message.conversationId)
  const address =
    conversation && (await storage.contacts.address(storage.primary, message.accountId, conversation.contactAddressId))
  return address?.externalId
}

/** Writes down what became of it; the message looks so from then on. */
async function conclude({ storage }: CareContext, act: Act, outcome: Performed): Promise<void> {
  await storage.write(async (tx) => {
    const facts: NewEvent[] = []
    // Before its acts, as whoever asks for more of them locks it too.
    const message = await storage.messages.lock(tx, act.accountId, act.messageId)
    const end = async (state: 'done' | 'failed', reasonCode?: string, reason?: string): Promise<boolean> => {
      const isOurs = await storage.acts.conclude(tx, act, {
        state,
        ...(reasonCode === undefined ? {} : { reasonCode }),
        ...(reason === undefined ? {} : { reason }),
      })
      if (isOurs)
        facts.push({
          accountId: act.accountId,
          type: 'message.changed',
          data: { conversation_id: act.conversationId, message_id: act.messageId, change: 'act' },
        })
      return isOurs
    }
    const again = async (reasonCode: string, reason: string, dueInMs: number): Promise<void> => {
      const isUnsure = outcome.type === 'unknown' ? { isUnsure: true as const } : {}
      await storage.acts.conclude(tx, act, { state: 'queued', reasonCode, reason, dueInMs, ...isUnsure })
    }
    if (outcome.type === 'done' || wasDeletedBefore(act, outcome)) {
      if ((await end('done')) && message !== undefined) await showDone(storage, tx, act, message, facts)
    } else if (outcome.type === 'gone') await end('failed', 'gone', 'The message or its channel is gone.')
    else if (outcome.type === 'refused' && outcome.class !== 'token') await end('failed', outcome.code, outcome.reason)
    else if (act.attemptCount % mostTries === 0)
      await end('failed', outcome.code, `Tried ${String(act.attemptCount)} times. ${outcome.reason}`)
    else if (outcome.type === 'refused') {
      // The channel is passed over until it is reconnected.
      await setTrouble(storage, tx, act, 'token', tokenTrouble(outcome.code, outcome.reason), facts)
      await again(outcome.code, `Waits until the channel is reconnected. ${outcome.reason}`, 0)
    } else {
      const afterMs = outcome.type === 'retry' ? (outcome.afterMs ?? 0) : 0
      await again(outcome.code, outcome.reason, Math.max(afterMs, pauseMs(act.attemptCount)))
    }
    await storage.outbox.appendMany(tx, facts)
  })
}

/** Networks refuse to delete what is not there: after a try without an answer, that one has done it. */
const wasDeletedBefore = ({ what, isUnsure }: Act, outcome: Performed): boolean =>
  what === 'delete' &&
  isUnsure &&
  outcome.type === 'refused' &&
  (outcome.class === 'content' || outcome.class === 'recipient')

/** 2 s doubling, spread by a quarter so that what failed together does not come back together. */
const pauseMs = (tries: number): number => 2_000 * 2 ** ((tries - 1) % mostTries) * (0.75 + Math.random() / 2)

async function showDone(storage: Storage, tx: Writer, act: Act, message: Message, facts: NewEvent[]): Promise<void> {
  const channel = await storage.channels.get(tx, act.accountId, act.channelId)
  if (channel === undefined) return
  const change = changeOf(act, channel)
  const parts = change.type === 'delete' ? await storage.deliveries.ofMessages(tx, act.accountId, [message.id]) : []
  let after = message
  for (const { part } of parts.length === 0 ? [{ part: 0 }] : parts)
    after = await changeMessage(storage, tx, after, [change], facts, part)
  if (after.deletedAt !== null && message.deletedAt === null)
    await storage.conversations.showNewest(tx, after, deletedPreview)
}

/** A like is a reaction of ours, under the emoji that the network shows for it. */
function changeOf({ what, emoji }: Act, { type, externalId: by }: Channel): Change {
  const at = new Date()
  switch (what) {
    case 'hide':
    case 'unhide':
      return { type: 'hide', at, isHidden: what === 'hide' }
    case 'delete':
      return { type: 'delete', at }
    case 'like':
      return { type: 'reaction', at, by, emoji: type === 'facebook' ? '👍' : '❤️' }
    case 'react':
      return { type: 'reaction', at, by, emoji: emoji ?? '❤️' }
    case 'unlike':
    case 'unreact':
      return { type: 'reaction', at, by, emoji: null }
  }
}
