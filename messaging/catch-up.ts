/**
 * Reads back what was missed: page by page, newest first, by the same way and under the same unique keys as webhooks. Cursor and
 * counts are stored with each page, so another node goes on where this one stopped.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../infra/errors.ts'
import { newId } from '../infra/ids.ts'
import { Counter, metrics } from '../infra/metrics.ts'
import type { CatchUp, Channel, Lease, Received, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { inboundKinds } from '../storage/model/words.ts'
import type { ChannelAccess, Connector, Outcome, ParsedItem, ReadBack } from './connectors/connector.ts'
import { openAccess } from './directory.ts'
import { connectorFor, setTrouble, tokenTrouble, withLimit } from './health.ts'
import type { CareContext } from './health.ts'
import type { Names } from './names.ts'
import { isOutage } from './outage.ts'
import { putDownReads } from './spend.ts'
import { takeIn } from './take-in.ts'
import type { Item, TakenIn } from './take-in.ts'
import { answerTokenRefusal } from './tokens.ts'

export interface CatchUpContext extends CareContext {
  /** Fetches the names of those who came without one. */
  readonly names?: Pick<Names, 'want'>
  /** Between two pages; default 1,000. */
  readonly pauseMs?: number
}

const items = new Counter({
  name: 'parley_catch_up_items_total',
  help: 'Items that were read back, by whether they were known.',
  labelNames: ['result'] as const,
  registers: [metrics],
})

const leaseMs = 60_000
const callLimitMs = 30_000
const mostPages = 2_000
/** One transaction stays small, so that live traffic passes between. */
const mostItems = 100
/** X keeps 24 hours for sending again, and takes nothing younger than ten minutes (V2 webhooks, replay). */
const replayReachMs = 24 * 3_600_000
const replayGapMs = 10 * 60_000

/** Goes on with one reading back until it ends, must wait, or is told to stop. Nothing when another node is at it. */
export async function catchUp(
  context: CatchUpContext,
  place: { readonly accountId: string; readonly channelId: string },
  signal: AbortSignal,
): Promise<void> {
  const { storage, logger } = context
  const { accountId, channelId } = place
  const lease = await storage.write((tx) => storage.leases.acquire(tx, `catch-up:${channelId}`, newId(), leaseMs))
  if (lease === undefined) return
  try {
    while (!signal.aborted && (await step(context, lease, accountId, channelId, signal))) {
      await sleep(context.pauseMs ?? 1_000, undefined, { signal }).catch(() => undefined)
      if (!(await storage.write((tx) => storage.leases.renew(tx, lease, leaseMs)))) return
    }
  } catch (error) {
    logger.warn({ channel: channelId, err: error }, 'a reading back was broken off; it goes on later')
    if (!isOutage(error) && !signal.aborted)
      await storage.write((tx) => storage.catchUps.postpone(tx, channelId, 60_000, messageOf(error)))
  } finally {
    await storage.write((tx) => storage.leases.release(tx, lease)).catch(() => undefined)
  }
}

/** One page. Whether to go on at once. */
async function step(
  context: CatchUpContext,
  lease: Lease,
  accountId: string,
  channelId: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { storage, config } = context
  const channel = await storage.channels.get(storage.primary, accountId, channelId)
  const run = await storage.catchUps.get(storage.primary, accountId, channelId)
  if (run === undefined) return false
  const connector = channel && connectorFor(context, channel.type)
  if (channel === undefined || channel.disconnectedAt !== null || connector?.readBack === undefined) {
    await storage.write((tx) => storage.catchUps.forget(tx, channelId))
    return false
  }
  if (channel.state === 'reconnect_needed') return false
  const access = await openAccess(storage, config, channel)
  await askForReplay(context, connector, access, run, signal)
  const asked = await withLimit(callLimitMs, signal, async (limited) =>
    connector.readBack?.(access, run.since, run.cursor ?? undefined, limited),
  )
  if (asked === undefined) return false
  if (asked.type !== 'ok') return wait(context, channel, run, asked, signal)
  const taken = await takePage(context, lease, channel, run, asked.value)
  items.inc({ result: 'new' }, taken.fresh)
  items.inc({ result: 'known' }, taken.found - taken.fresh)
  return taken.goesOn
}

/** Where the network sends again by itself, it is asked once; what it brings comes by the webhook. */
async function askForReplay(
  { storage, logger }: CareContext,
  connector: Connector,
  access: ChannelAccess,
  run: CatchUp,
  signal: AbortSignal,
): Promise<void> {
  const since = Math.max(run.since.getTime(), Date.now() - replayReachMs)
  const until = run.beganAt.getTime()
  if (connector.requestReplay === undefined || run.replayAskedAt !== null || run.why === 'connected') return
  if (run.why === 'replay_incomplete' || until - since < replayGapMs) return
  await storage.write((tx) => storage.catchUps.noteReplay(tx, run.channelId))
  const asked = await withLimit(callLimitMs, signal, async (limited) =>
    connector.requestReplay?.(access, new Date(since), new Date(until), limited),
  )
  logger.info({ channel: run.channelId, outcome: asked?.type }, 'the network was asked to send again what it sent')
}

/** Takes the items in, moves the cursor in the same transaction as the last of them, and ends the reading when nothing is left. */
async function takePage(
  context: CatchUpContext,
  lease: Lease,
  channel: Channel,
  run: CatchUp,
  page: ReadBack,
): Promise<{ found: number; fresh: number; goesOn: boolean }> {
  const { storage } = context
  const own = page.items.flatMap((item) => itemOf(item, channel))
  let fresh = 0
  const rest = [...own]
  while (rest.length > mostItems) fresh += await takeItems(context, rest.splice(0, mostItems))
  fresh += await takeItems(context, rest)
  const found = own.filter(({ event }) => event.type !== 'kept').length
  const { cursor } = page
  const goesOn = cursor !== undefined && cursor !== run.cursor && run.pages + 1 < mostPages
  await storage.write(async (tx) => {
    await storage.leases.assertHeld(tx, lease.name, lease.epoch)
    // Channels are locked before their catch-ups, here as in a check.
    if (!goesOn) await storage.channels.lock(tx, channel.accountId, channel.id)
    await storage.catchUps.progress(tx, channel.id, { cursor, found, fresh })
    await putDownReads(storage, tx, channel, page.items)
    if (!goesOn) await finish(context, tx, channel)
  })
  return { found, fresh, goesOn }
}

function itemOf({ at, channelType, channelExternalId, event }: ParsedItem, channel: Channel): Item[] {
  const isOurs =
    (channelType === undefined || channelType === channel.type) &&
    (channelExternalId === undefined || channelExternalId === channel.externalId)
  return isOurs && event.type !== 'kept' ? [{ at, channel, event, receivedAt: new Date() }] : []
}

/** How many were not known. A failing item costs no other. */
async function takeItems(context: CatchUpContext, some: readonly Item[]): Promise<number> {
  const { storage, names, logger } = context
  if (some.length === 0) return 0
  try {
    const taken = await storage.write((tx) => takeIn(storage, tx, some))
    for (const { channel, address } of taken.nameless) names?.want(channel, address)
    return countFresh(taken)
  } catch (error) {
    if (isOutage(error)) throw error
    const [only] = some
    if (some.length === 1 && only !== undefined) {
      logger.error({ channel: only.channel.id, at: only.at, err: error }, 'an item that was read back is dead')
      await storage.write((tx) => storage.received.settle(tx, [deadRow(only, messageOf(error))]))
      return 0
    }
  }
  let fresh = 0
  for (const one of some) fresh += await takeItems(context, [one])
  return fresh
}

/** Shown in the received log like a webhook's item that failed. */
const deadRow = ({ at, channel, event, receivedAt }: Item, error: string): Omit<Received, 'tries'> => ({
  id: newId(),
  accountId: channel.accountId,
  appId: channel.appId,
  channelId: channel.id,
  body: Buffer.from(JSON.stringify({ read_back: event })),
  state: 'dead',
  reason: `${at}: ${error}`,
  trace: [{ at, became: `dead: ${error}`.slice(0, 300), id: null }],
  receivedAt,
  processedAt: new Date(),
})

const freshWords: ReadonlySet<string> = new Set([...inboundKinds, 'sent elsewhere'])
const countFresh = (taken: TakenIn): number =>
  [...taken.trace.values()].filter(({ became }) => freshWords.has(became)).length

/** Everything up to the beginning of this run is here. */
async function finish({ storage, logger }: CareContext, tx: Writer, channel: Channel): Promise<void> {
  const { accountId, id: channelId } = channel
  const run = await storage.catchUps.lock(tx, accountId, channelId)
  if (run === undefined) return
  const facts: NewEvent[] = [
    { accountId, type: 'channel.caught_up', data: { channel_id: channelId, found: run.found, new: run.fresh } },
  ]
  await storage.catchUps.finish(tx, run)
  await storage.health.advance(tx, accountId, channelId, run.beganAt)
  const place = { accountId, channelId }
  await setTrouble(storage, tx, place, 'catch_up', undefined, facts)
  if (run.why === 'silence' && run.fresh > 0)
    await setTrouble(
      storage,
      tx,
      place,
      'silence',
      {
        state: 'degraded',
        code: 'events_missing',
        reason: `${String(run.fresh)} items were found by reading back that the network had not sent.`,
        cure: 'Run the check of the set-up: it tests the way from the network to us.',
      },
      facts,
    )
  await storage.outbox.appendMany(tx, facts)
  logger.info({ channel: channelId, why: run.why, found: run.found, new: run.fresh }, 'a channel has caught up')
}

/** The network did not give a page. */
async function wait(
  context: CareContext,
  channel: Channel,
  run: CatchUp,
  said: Exclude<Outcome, { type: 'sent' }>,
  signal: AbortSignal,
): Promise<boolean> {
  const { storage } = context
  const outcome =
    said.type === 'refused' && said.class === 'token'
      ? await answerTokenRefusal(context, channel, said, run.tries + 1, signal)
      : said
  const { accountId, id: channelId } = channel
  const pauseMs = Math.min(1_800_000, 5_000 * 2 ** run.tries)
  const inMs = Math.max(pauseMs, outcome.type === 'retry' ? (outcome.afterMs ?? 0) : 0)
  await storage.write(async (tx) => {
    const facts: NewEvent[] = []
    const place = { accountId, channelId }
    if (outcome.type === 'refused' && outcome.class === 'token')
      await setTrouble(storage, tx, place, 'token', tokenTrouble(outcome.code, outcome.reason), facts)
    else if (outcome.type === 'refused')
      await setTrouble(storage, tx, place, 'catch_up', refusedTrouble(outcome), facts)
    const isOver = outcome.type === 'refused' && outcome.class !== 'token'
    if (isOver) await storage.catchUps.forget(tx, channelId)
    else await storage.catchUps.postpone(tx, channelId, inMs, `${outcome.code}: ${outcome.reason}`)
    await storage.outbox.appendMany(tx, facts)
  })
  return false
}

const refusedTrouble = ({ code, reason }: { readonly code: string; readonly reason: string }) => ({
  state: 'degraded' as const,
  code: `read_back_${code}`,
  reason: `What was missed could not be read back: ${reason}`,
  cure: 'Reconnect the channel and allow everything that is asked, then catch up once more.',
})
