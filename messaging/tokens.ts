/**
 * Tokens are renewed ahead of their end by one refresher at a time. What comes back is stored before it is used: at X every
 * refresh kills the old refresh token, so an answer that is lost is the end of both.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../infra/errors.ts'
import { newId } from '../infra/ids.ts'
import { Counter, metrics } from '../infra/metrics.ts'
import type { Channel, Trouble } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import type { ChannelAccess, Connector, Outcome } from './connectors/connector.ts'
import { openAccess } from './directory.ts'
import { connectorFor, reconnectCure, reportTrouble, setTrouble, tokenTrouble, troubleOf, withLimit } from './health.ts'
import type { CareContext } from './health.ts'
import { isOutage } from './outage.ts'

const refreshes = new Counter({
  name: 'parley_token_refreshes_total',
  help: 'Renewals of access tokens, by what came of them.',
  labelNames: ['result'] as const,
  registers: [metrics],
})

const minuteMs = 60_000
const dayMs = 86_400_000
/** From then on the end of a token that cannot be renewed is announced. */
export const announceMs = 7 * dayMs
const leaseMs = 40_000
const callLimitMs = 15_000
/** How long new credentials are kept in memory while the database is away. */
const rememberedMs = 300_000
/** A refresh whose end is not known may still be under way on another node. */
const unansweredMs = 120_000
const mostWhims = 3

/** `busy`: someone else is at it; `failed`: not now; `refused`: never again with these credentials. */
export type Refreshed = 'refreshed' | 'not_possible' | 'busy' | 'failed' | 'refused'

/** When the token should be renewed: after half its life where it lives a day at most, else seven days before its end. */
export function refreshDueAt(
  channel: Pick<Channel, 'tokenExpiresAt' | 'tokenIssuedAt' | 'createdAt'>,
): Date | undefined {
  if (channel.tokenExpiresAt === null) return undefined
  const endsAt = channel.tokenExpiresAt.getTime()
  const life = endsAt - (channel.tokenIssuedAt ?? channel.createdAt).getTime()
  const lead = life <= dayMs ? Math.max(life / 2, 10 * minuteMs) : Math.min(7 * dayMs, life / 2)
  return new Date(endsAt - lead)
}

/**
 * Renews the credentials that `channel` was read with. When it returns `refreshed`, better ones are stored.
 * Never throws for what the network says.
 */
export async function refreshToken(context: CareContext, channel: Channel, signal: AbortSignal): Promise<Refreshed> {
  const connector = connectorFor(context, channel.type)
  if (connector?.refreshToken === undefined) return 'not_possible'
  const { storage } = context
  const lease = await storage.write((tx) => storage.leases.acquire(tx, `token:${channel.id}`, newId(), leaseMs))
  if (lease === undefined) return 'busy'
  try {
    const current = await storage.channels.get(storage.primary, channel.accountId, channel.id)
    if (current === undefined || current.disconnectedAt !== null) return 'not_possible'
    if (current.credentialsVersion !== channel.credentialsVersion) return 'refreshed'
    if (current.refreshBeganAt !== null && Date.now() - current.refreshBeganAt.getTime() < unansweredMs) return 'busy'
    const result = await refreshOnce(context, connector, current, signal)
    refreshes.inc({ result })
    return result
  } finally {
    await storage.write((tx) => storage.leases.release(tx, lease)).catch(() => undefined)
  }
}

type Answer = Awaited<ReturnType<NonNullable<Connector['refreshToken']>>>

async function refreshOnce(
  context: CareContext,
  connector: Connector,
  channel: Channel,
  signal: AbortSignal,
): Promise<Refreshed> {
  const { storage, config, logger } = context
  const { accountId, id } = channel
  const access = await openAccess(storage, config, channel)
  const wasLost = channel.refreshBeganAt !== null
  await storage.write((tx) => storage.channels.noteRefresh(tx, accountId, id, true))
  const asked = await ask(connector, access, signal)
  if (asked.type === 'ok') {
    await keep(context, channel, asked.value)
    logger.info({ channel: id }, 'the access token was renewed')
    return 'refreshed'
  }
  logger.warn({ channel: id, code: asked.code, outcome: asked.type }, 'the access token could not be renewed')
  // Unknown: the old refresh token may be dead by now. What is noted stays, and the next try shows it.
  if (asked.type === 'unknown') return 'failed'
  if (asked.type === 'retry') {
    if (!wasLost) await storage.write((tx) => storage.channels.noteRefresh(tx, accountId, id, false))
    return 'failed'
  }
  await storage.write((tx) => storage.channels.noteRefresh(tx, accountId, id, false))
  if (impossible.includes(asked.code)) return 'not_possible'
  const trouble = refusedTrouble(channel, asked, wasLost)
  if (trouble !== undefined) await reportTrouble(storage, { accountId, channelId: id }, 'expiry', trouble)
  return 'refused'
}

async function ask(connector: Connector, access: ChannelAccess, signal: AbortSignal): Promise<Answer> {
  try {
    const answer = await withLimit(callLimitMs, signal, (limited) =>
      Promise.resolve(connector.refreshToken?.(access, limited)),
    )
    return answer ?? { type: 'retry', code: 'not_possible', reason: 'Tokens of this network cannot be renewed.' }
  } catch (error) {
    return { type: 'unknown', code: 'no_answer', reason: messageOf(error) }
  }
}

/** The only copy is in our hands: an outage of the database is waited out. */
async function keep(
  { storage }: CareContext,
  channel: Channel,
  { credentials, expiresAt }: Extract<Answer, { type: 'ok' }>['value'],
): Promise<void> {
  const { accountId, id } = channel
  const endsAt = performance.now() + rememberedMs
  for (;;) {
    try {
      await storage.write(async (tx) => {
        const facts: NewEvent[] = []
        const from = channel.credentialsVersion
        // Someone has reconnected the channel meanwhile: theirs are newer.
        if (!(await storage.channels.setCredentials(tx, storage, accountId, id, credentials, expiresAt ?? null, from)))
          return
        // Whether the network takes them shows when the channel is looked at.
        await setTrouble(storage, tx, { accountId, channelId: id }, 'expiry', undefined, facts)
        await storage.health.hurry(tx, accountId, id)
        await storage.outbox.appendMany(tx, facts)
      })
      return
    } catch (error) {
      if (!isOutage(error) || performance.now() > endsAt) throw error
      await sleep(500)
    }
  }
}

/** There is nothing to renew with: nothing is lost either. */
const impossible: readonly string[] = ['no_refresh_token', 'no_client_id', 'no_app', 'no_token']

/** Codes after which nothing is tried again with the same credentials. */
export const hopelessCodes: readonly string[] = ['refresh_refused', 'refresh_answer_lost']

function refusedTrouble(
  channel: Channel,
  refusal: Extract<Outcome, { type: 'refused' }>,
  wasLost: boolean,
): Trouble | undefined {
  const code = wasLost ? 'refresh_answer_lost' : 'refresh_refused'
  const why = wasLost
    ? 'The network renewed the access token, but its answer was lost on the way'
    : `The network does not renew the access token (${refusal.code})`
  const endsAt = channel.tokenExpiresAt
  // Without an end of its own it goes on until the network refuses it.
  if (endsAt === null && !wasLost) return undefined
  if (endsAt === null || endsAt.getTime() <= Date.now() + minuteMs) return tokenTrouble(code, `${why}.`)
  return { state: 'degraded', code, reason: `${why}; it ends on ${readable(endsAt)}.`, cure: reconnectCure }
}

export const readable = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** What is to be said of a token's end; `undefined`: nothing, or what is said already. */
export function expiryTrouble(channel: Pick<Channel, 'tokenExpiresAt'>, isRotating: boolean): Trouble | undefined {
  const endsAt = channel.tokenExpiresAt
  if (endsAt === null) return undefined
  if (endsAt.getTime() <= Date.now())
    return tokenTrouble('token_expired', `The access token ended on ${readable(endsAt)}.`)
  // One that is renewed every hour or two is news only when that fails.
  if (isRotating || endsAt.getTime() > Date.now() + announceMs) return undefined
  return {
    state: 'degraded',
    code: 'token_expires_soon',
    reason: `The access token ends on ${readable(endsAt)}.`,
    cure: `Reconnect the channel before ${readable(endsAt)}.`,
  }
}

/**
 * A network refused our token while we sent or fetched. Some such refusals are about one message only, so the channel itself is
 * asked for; else the token is renewed, and the same may be tried again.
 * @param attempt how often it has been tried
 * @returns the refusal, when the channel must be reconnected
 */
export async function answerTokenRefusal(
  context: CareContext,
  channel: Channel,
  refusal: Extract<Outcome, { type: 'refused' }>,
  attempt: number,
  signal: AbortSignal,
): Promise<Exclude<Outcome, { type: 'sent' }>> {
  const { code, reason } = refusal
  if (await isSound(context, channel, signal))
    // The channel is sound: it was a passing whim, or this message is refused each time.
    return attempt < mostWhims ? { type: 'retry', code, reason } : { type: 'refused', class: 'policy', code, reason }
  const refreshed = await refreshToken(context, channel, signal)
  if (refreshed === 'refreshed')
    return { type: 'retry', code, reason: 'The access token has been renewed.', afterMs: 0 }
  if (refreshed === 'busy') return { type: 'retry', code, reason: 'The access token is being renewed.', afterMs: 3_000 }
  return refusal
}

/** Whether the network says so; not being able to ask is no. */
async function isSound(context: CareContext, channel: Channel, signal: AbortSignal): Promise<boolean> {
  const connector = connectorFor(context, channel.type)
  if (connector?.examine === undefined) return false
  try {
    const access = await openAccess(context.storage, context.config, channel)
    const condition = await withLimit(callLimitMs, signal, (limited) =>
      Promise.resolve(connector.examine?.(access, limited)),
    )
    return condition !== undefined && troubleOf(condition) === undefined
  } catch (error) {
    context.logger.debug({ channel: channel.id, err: error }, 'a channel could not be examined')
    return false
  }
}
