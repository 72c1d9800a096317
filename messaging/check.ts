/** One look at one channel: its token, how the network sees it, whether we are told what happens there, and what may have been missed. */
import { messageOf } from '../infra/errors.ts'
import type { Channel, Quota, Trouble } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import type { ChannelAccess, ChannelCondition } from './connectors/connector.ts'
import { openAccess } from './directory.ts'
import { requestCatchUp } from './gaps.ts'
import type { GapReason } from './gaps.ts'
import { connectorFor, setTrouble, troubleOf, withLimit } from './health.ts'
import type { CareContext } from './health.ts'
import { ensureSubscription, webhookOf } from './subscriptions.ts'
import type { Subscribed } from './subscriptions.ts'
import { expiryTrouble, hopelessCodes, refreshDueAt, refreshToken } from './tokens.ts'

const minuteMs = 60_000
export const checkEveryMs = 10 * minuteMs
/** When the network could not be asked. */
const soonMs = minuteMs
/** New trouble is looked at after so long, then after twice, four times … as long. */
const troubledMs = 10_000
const brokenOffMs = 3 * minuteMs
const callLimitMs = 20_000
/** Looked at later than this, nobody was there to look. */
const outageMs = 30 * minuteMs
/** A channel that is silent for so long is read back, as often. */
export const silenceMs = 6 * 3_600_000
/** Up to then networks have repeated what they could not deliver at once. */
const settledMs = 60 * minuteMs
/** A warning that is never taken back is forgotten. */
const noticeMs = 7 * 86_400_000

/** Looks, mends what it can, writes down what it saw, and asks for a reading back where something may have been missed. */
export async function checkChannel(context: CareContext, found: Channel, signal: AbortSignal): Promise<void> {
  const { storage } = context
  const { accountId, id: channelId } = found
  const now = Date.now()
  await storage.write((tx) => storage.health.beginCheck(tx, accountId, channelId, brokenOffMs))
  const { channel, seen } = await lookAndRenew(context, await renewInTime(context, found, now, signal), signal)
  await storage.write(async (tx) => {
    const current = await storage.channels.lock(tx, accountId, channelId)
    // Reconnected or disconnected meanwhile: what was seen is about what was before.
    if (current?.credentialsVersion !== channel.credentialsVersion || current.disconnectedAt !== null) return
    const facts: NewEvent[] = []
    const place = { accountId, channelId }
    const troubles = await storage.health.troubles(tx, accountId, channelId)
    const say = (source: Parameters<typeof setTrouble>[3], trouble: Trouble | undefined): Promise<void> =>
      setTrouble(storage, tx, place, source, trouble, facts)
    const tokenExpiresAt = seen.condition?.tokenExpiresAt ?? current.tokenExpiresAt
    if (seen.condition !== undefined) await say('token', troubleOf(seen.condition))
    const expiry = expiryTrouble({ tokenExpiresAt }, seen.isRotating)
    const hopeless = hopelessCodes.includes(troubles.expiry?.code ?? '') ? troubles.expiry : undefined
    // Why it could not be renewed says more than that it has ended.
    if (hopeless === undefined) await say('expiry', expiry)
    else if (expiry?.state === 'reconnect_needed') await say('expiry', { ...hopeless, state: expiry.state })
    if (seen.subscribed !== undefined) await say('subscription', seen.subscribed.trouble)
    const { silence, notice } = troubles
    if (silence !== undefined && (current.lastEventAt?.getTime() ?? 0) > Date.parse(silence.at))
      await say('silence', undefined)
    if (notice !== undefined && now - Date.parse(notice.at) > noticeMs) await say('notice', undefined)
    const newest = Object.values(await storage.health.troubles(tx, accountId, channelId)).map(({ at }) =>
      Date.parse(at),
    )
    await storage.health.noteCheck(tx, accountId, channelId, {
      nextInMs: nextInMs(seen, now - Math.max(-Infinity, ...newest), tokenExpiresAt, now),
      isAnswered: !seen.isUnanswered,
      tokenExpiresAt: seen.condition?.tokenExpiresAt,
      subscription: seen.subscribed,
    })
    const gap = gapOf(context, current, seen, now)
    if (gap !== undefined) await requestCatchUp(storage, tx, current, gap.why, gap.since)
    else if (seen.condition?.state === 'connected' && seen.subscribed?.state === 'active')
      if ((await storage.catchUps.get(tx, accountId, channelId)) === undefined)
        await storage.health.advance(tx, accountId, channelId, new Date(now - settledMs))
    await storage.outbox.appendMany(tx, facts)
  })
}

interface Seen {
  readonly condition: ChannelCondition | undefined
  readonly subscribed: Subscribed | undefined
  readonly isRotating: boolean
  /** The network could not be asked. */
  readonly isUnanswered: boolean
}

async function renewInTime(context: CareContext, channel: Channel, now: number, signal: AbortSignal): Promise<Channel> {
  const { storage } = context
  const { accountId, id } = channel
  const dueAt = refreshDueAt(channel)
  if (dueAt === undefined || dueAt.getTime() > now || (await isHopeless(context, channel))) return channel
  const refreshed = await refreshToken(context, channel, signal)
  return refreshed === 'refreshed' ? ((await storage.channels.get(storage.primary, accountId, id)) ?? channel) : channel
}

/** A token that the network refuses is renewed once, whatever our clock says of it. */
async function lookAndRenew(
  context: CareContext,
  channel: Channel,
  signal: AbortSignal,
): Promise<{ readonly channel: Channel; readonly seen: Seen }> {
  const { storage } = context
  const seen = await look(context, channel, signal)
  if (seen.condition?.state !== 'reconnect_needed' || (await isHopeless(context, channel))) return { channel, seen }
  if ((await refreshToken(context, channel, signal)) !== 'refreshed') return { channel, seen }
  const renewed = (await storage.channels.get(storage.primary, channel.accountId, channel.id)) ?? channel
  return { channel: renewed, seen: await look(context, renewed, signal) }
}

/** Nothing is to be had for these credentials any more: they are refused, or new ones were had and did not help. */
async function isHopeless({ storage }: CareContext, channel: Channel): Promise<boolean> {
  const { expiry, token } = await storage.health.troubles(storage.primary, channel.accountId, channel.id)
  if (expiry !== undefined && hopelessCodes.includes(expiry.code)) return true
  return token !== undefined && (channel.tokenIssuedAt?.getTime() ?? 0) > Date.parse(token.at)
}

async function look(context: CareContext, channel: Channel, signal: AbortSignal): Promise<Seen> {
  const { storage, config, logger } = context
  const unanswered = { condition: undefined, subscribed: undefined, isRotating: false, isUnanswered: true }
  let access: ChannelAccess
  try {
    access = await openAccess(storage, config, channel)
  } catch (error) {
    logger.error({ channel: channel.id, err: error }, 'the credentials of a channel cannot be opened')
    return unanswered
  }
  const isRotating = access.credentials.refresh_token !== undefined
  try {
    const connector = connectorFor(context, channel.type)
    const condition = await withLimit(callLimitMs, signal, async (limited) => connector?.examine?.(access, limited))
    if (condition?.state === 'reconnect_needed')
      return { condition, subscribed: undefined, isRotating, isUnanswered: false }
    const app = await storage.apps.get(storage.primary, channel.accountId, channel.appId)
    const subscribed =
      app && (await ensureSubscription(context, channel, access, webhookOf(storage, config, app), signal))
    const isUnanswered = connector?.checkSubscription !== undefined && subscribed === undefined
    return { condition, subscribed, isRotating, isUnanswered }
  } catch (error) {
    logger.warn({ channel: channel.id, reason: messageOf(error) }, 'a channel could not be looked at')
    return { ...unanswered, isRotating }
  }
}

/** About ten minutes, spread; sooner where nobody could be asked or trouble is young, and in time for the token. */
function nextInMs(seen: Seen, troubleAgeMs: number, tokenExpiresAt: Date | null, now: number): number {
  const usual = Math.min(seen.isUnanswered ? soonMs : checkEveryMs, Math.max(troubledMs, troubleAgeMs))
  const spread = usual * (0.85 + Math.random() * 0.3)
  const left = tokenExpiresAt === null ? Infinity : tokenExpiresAt.getTime() - now
  return left > 0 ? Math.min(spread, left + 1_000) : spread
}

/** Why something may have been missed, and since when. */
function gapOf(
  context: CareContext,
  channel: Channel,
  seen: Seen,
  now: number,
): { readonly why: GapReason; readonly since?: Date } | undefined {
  if (connectorFor(context, channel.type)?.readBack === undefined || seen.isUnanswered) return undefined
  if (seen.condition?.state === 'reconnect_needed') return undefined
  if (channel.caughtUpTo === null && channel.checkedAt === null) return { why: 'connected' }
  // It was refused when it was looked at before, by the token or by a person's hand.
  if (channel.state === 'reconnect_needed') return seen.condition && { why: 'reconnected' }
  if (channel.checkedAt === null || now - channel.checkedAt.getTime() > outageMs) return { why: 'outage' }
  if (seen.subscribed?.wasRenewed === true) return { why: 'subscription_renewed' }
  const heardAt = channel.lastEventAt ?? channel.createdAt
  const readAt = silentReads.get(channel.id) ?? 0
  if (now - heardAt.getTime() < silenceMs || now - readAt < silenceMs) return undefined
  if (silentReads.size > 10_000) silentReads.clear()
  silentReads.set(channel.id, now)
  return { why: 'silence', since: heardAt }
}

/** When silent channels were read back; a node that begins anew reads them once more. */
const silentReads = new Map<string, number>()

/** What this process knows of the quotas, laid over what was known. */
export function mergeQuotas(known: readonly Quota[] | null, own: readonly Quota[], now = new Date()): readonly Quota[] {
  const names = new Set(own.map(({ name }) => name))
  const others = (known ?? []).filter(
    ({ name, resets_at }) => !names.has(name) && resets_at !== null && Date.parse(resets_at) > now.getTime(),
  )
  return [...own, ...others].sort((a, b) => b.used - a.used).slice(0, 20)
}
