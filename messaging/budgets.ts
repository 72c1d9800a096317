/**
 * The networks' allowances, spent before they are exceeded: every node asks here before it calls, by rows in the primary that
 * all share, and takes down here what the answers said. Who must wait holds up its own conversation and nothing else. Locks:
 * deliveries, the app, its budgets and its spend.
 */
import { messageOf } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import type { Budget, Channel, Storage, Writer } from '../storage/index.ts'
import type { Allowances, CallUse, Outcome, QuotaUse } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'

/** Whose call. */
export type Caller = Pick<Channel, 'id' | 'accountId' | 'appId' | 'type'>

/** Why a call must wait, and for how long. `budget_spread`: at the end of that it has a place of its own. */
export interface Wait {
  readonly code: 'budget' | 'budget_spread' | 'spend_cap'
  readonly reason: string
  readonly forMs: number
}

/** From this share on calls are spread; from `holdFrom` on nobody calls. */
const spreadFrom = 0.8
const holdFrom = 0.95
/** Where Meta does not say when a share lessens: its period is a rolling hour, so a look after this long finds it lower. */
const holdMs = 60_000
/** Pauses between calls at `spreadFrom`, at `holdFrom`, and where it has been above. */
const spreadMs = [250, 2_000, 10_000] as const
const longestSpreadMs = 10 * 60_000
/** A share that was told longer ago says nothing. */
const shareLifeMs = 3_600_000
/** Where it names no time at all. */
const rising = { firstMs: 2_000, mostMs: 600_000 }
const jitterMs = 5_000

/** Of a message: what the networks' limits tell apart. */
export const useOf = (kind: string): CallUse =>
  kind === 'comment' ? 'public' : kind === 'private_reply' ? 'private_reply' : 'direct'

/** A call that is allowed: to be counted in the same transaction, or why it must wait. */
export type Answer = { readonly wait: Wait } | { readonly count: () => Promise<void> }

/**
 * Whether the channel may be called now. `now` by the database's clock. `hasPlace`: the caller has waited for a place among calls
 * that are spread (code `budget_spread`).
 */
export async function askBudget(
  storage: Storage,
  tx: Writer,
  channel: Caller,
  use: CallUse,
  now: Date,
  hasPlace: boolean,
): Promise<Answer> {
  const allowances = connectorOf(channel.type)?.allowances
  if (allowances === undefined) return { count: () => Promise.resolve() }
  const known = allowances.known.flatMap((limit) => {
    const about = allowances.about(limit.name)
    if (about?.uses.includes(use) !== true) return []
    const scopeId = about.isOfApp ? channel.appId : channel.id
    return [{ ...limit, accountId: channel.accountId, scopeId, uses: about.uses.join() }]
  })
  const read = async (lock: '' | 'for update'): Promise<Budget[]> => {
    const all = await storage.budgets.of(tx, channel.accountId, [channel.id, channel.appId], lock)
    return all.filter(({ uses }) => uses.split(',').includes(use))
  }
  const mustSpread = (row: Budget): boolean => !hasPlace && isSpread(row, now)
  let rows = known.length > 0 ? [] : await read('')
  if (known.length > 0 || rows.some(mustSpread)) {
    await storage.apps.lock(tx, channel.accountId, channel.appId)
    rows = await read('for update')
  }

  // Told another number than the documented one, the app has another plan: the other documented numbers are not its own, either.
  const isDocumented = ({ name, limitCount }: Budget): boolean =>
    known.some((limit) => limit.name === name && limit.limit === limitCount)
  const hasOtherPlan = rows.some((row) => known.some(({ name }) => name === row.name) && !isDocumented(row))
  if (hasOtherPlan) rows = rows.filter((row) => !isDocumented(row))

  const holds = rows.flatMap((row) => heldUntil(row, now))
  const longest = holds.sort((a, b) => b.until.getTime() - a.until.getTime())[0]
  if (longest !== undefined) {
    const forMs = longest.until.getTime() - now.getTime()
    return { wait: { code: 'budget', reason: `${longest.reason} It goes on at ${clockOf(longest.until)}.`, forMs } }
  }
  for (const row of rows.filter(mustSpread)) {
    const at = Math.max(now.getTime(), row.nextCallAt?.getTime() ?? 0)
    const forMs = Math.min(longestSpreadMs, at - now.getTime())
    await storage.budgets.spread(tx, row, new Date(now.getTime() + forMs + pauseMs(row.share)))
    const reason = `${String(Math.round(row.share * 100))} % of what the network allows is used: calls are spread.`
    if (forMs > 0) return { wait: { code: 'budget_spread', reason, forMs } }
  }
  return {
    count: async () => {
      for (const limit of known) await storage.budgets.count(tx, limit)
    },
  }
}

function heldUntil(row: Budget, now: Date): { readonly until: Date; readonly reason: string }[] {
  const { limitCount, usedCount, windowEndsAt } = row
  if (limitCount !== null && usedCount >= limitCount && windowEndsAt !== null && windowEndsAt > now)
    return [
      { until: windowEndsAt, reason: `The ${String(limitCount)} that the network allows in this time are used up.` },
    ]
  return row.heldUntil !== null && row.heldUntil > now
    ? [{ until: row.heldUntil, reason: row.reason ?? 'What the network allows is used up.' }]
    : []
}

const isSpread = ({ limitCount, share, notedAt }: Budget, now: Date): boolean =>
  limitCount === null && share >= spreadFrom && now.getTime() - notedAt.getTime() < shareLifeMs

function pauseMs(share: number): number {
  if (share >= holdFrom) return spreadMs[2]
  return spreadMs[0] + ((share - spreadFrom) / (holdFrom - spreadFrom)) * (spreadMs[1] - spreadMs[0])
}

const clockOf = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** What this process has written down: not the same again, and each name once a second at most while its level stays. */
const written = new Map<
  string,
  { readonly used: number; readonly resetsAt: number; readonly limit: number; readonly at: number }
>()
const mostWritten = 20_000
const everyMs = 1_000
/** Where little is used, nobody waits for the figure. */
const calm = { below: 0.6, everyMs: 30_000 }

/** Channels that were refused without being told for how long, as far as this process has seen it. */
const risen = new Set<string>()

/** Takes down what the channel's last answer was and said of its allowances; where there is room again, those who wait go on. */
export async function noteBudget(
  { storage, logger }: { readonly storage: Storage; readonly logger: Logger },
  channel: Channel,
  outcome: Pick<Outcome, 'type'>,
): Promise<void> {
  if (outcome.type === 'sent' && risen.delete(channel.id))
    await storage
      .write((tx) => storage.budgets.calm(tx, channel.accountId, [channel.id, channel.appId]))
      .catch(() => undefined)
  const connector = connectorOf(channel.type)
  const { allowances } = connector ?? {}
  if (allowances === undefined) return
  const news = (connector?.quota?.(channel.externalId) ?? []).filter(
    (quota) => allowances.about(quota.name) !== undefined && isNews(channel, quota),
  )
  if (news.length === 0) return
  const { accountId, appId } = channel
  const noting = storage.write(async (tx) => {
    let hasRoom = false
    await storage.apps.lock(tx, accountId, appId)
    for (const quota of news) {
      const about = allowances.about(quota.name)
      if (about === undefined) continue
      hasRoom =
        (await storage.budgets.note(tx, {
          accountId,
          scopeId: about.isOfApp ? appId : channel.id,
          name: quota.name,
          uses: about.uses.join(),
          share: quota.used,
          limit: quota.limit,
          resetsAt: quota.resetsAt,
          holdFrom: quota.limit === undefined ? holdFrom : 1,
          holdMs,
        })) || hasRoom
    }
    return hasRoom
  })
  // Apart, as deliveries are locked before apps and budgets.
  const releasing = noting.then(async (hasRoom) => {
    if (hasRoom) await storage.write((tx) => storage.deliveries.release(tx, accountId, appId, ['budget']))
  })
  await releasing.catch((error: unknown) => {
    // The next answer tells it again.
    logger.warn(
      { channel: channel.id, reason: messageOf(error) },
      'what a network said of its allowances could not be kept',
    )
  })
}

function isNews({ id }: Channel, { name, used, resetsAt, limit = 0 }: QuotaUse): boolean {
  const key = `${id} ${name}`
  const now = performance.now()
  const news = { used, resetsAt: resetsAt?.getTime() ?? 0, limit, at: now }
  const old = written.get(key)
  if (old !== undefined) {
    if (old.used === news.used && old.resetsAt === news.resetsAt && old.limit === limit) return false
    const isCalm = used < calm.below && old.used < calm.below
    if (old.limit === limit && levelOf(used) === levelOf(old.used) && now - old.at < (isCalm ? calm.everyMs : everyMs))
      return false
  }
  written.delete(key)
  written.set(key, news)
  const [oldest] = written.keys()
  if (written.size > mostWritten && oldest !== undefined) written.delete(oldest)
  return true
}

const levelOf = (used: number): number => (used >= 1 ? 3 : used >= holdFrom ? 2 : used >= spreadFrom ? 1 : 0)

/** How long nobody calls, and in the network's words why. `isKnown`: that it ends then is certain, and no try is lost by it. */
export interface Spent {
  readonly reason: string
  readonly forMs: number
  readonly isKnown: boolean
}

/** The network refused because an allowance is spent: nobody calls for it until that ends. `undefined`: it refused for another reason. */
export async function noteSpent(
  storage: Storage,
  tx: Writer,
  channel: Caller,
  use: CallUse,
  outcome: Exclude<Outcome, { type: 'sent' }>,
): Promise<Spent | undefined> {
  const allowances = connectorOf(channel.type)?.allowances
  const spent = allowances === undefined ? undefined : whoseSpent(allowances, outcome)
  if (spent === undefined || outcome.type === 'unknown') return undefined
  const now = new Date()
  const isMonth = spent.until === 'month'
  const toldMs = outcome.type === 'retry' ? outcome.afterMs : undefined
  const monthMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - now.getTime()
  const key = {
    accountId: channel.accountId,
    scopeId: spent.of === 'app' ? channel.appId : channel.id,
    name: isMonth ? 'period' : `refused ${use}`,
    uses: spent.of === 'app' ? 'direct,public,private_reply,post' : use,
  }
  const reason = isMonth
    ? 'The app has used up its monthly cap at the network.'
    : 'The network says that what it allows is used up.'
  const knownMs = toldMs ?? (isMonth ? monthMs : undefined)
  if (knownMs !== undefined) await storage.budgets.hold(tx, key, knownMs, reason)
  if (knownMs === undefined) risen.add(channel.id)
  const heldMs = knownMs ?? (await storage.budgets.holdRising(tx, key, rising, reason))
  const jitter = Math.random() * Math.min(jitterMs, heldMs / 2)
  return { reason: outcome.reason, forMs: heldMs + jitter, isKnown: knownMs !== undefined }
}

/** Whether the network refused because an allowance is spent. */
export const saysSpent = ({ type }: Pick<Channel, 'type'>, outcome: { readonly code: string }): boolean => {
  const allowances = connectorOf(type)?.allowances
  return allowances !== undefined && whoseSpent(allowances, outcome) !== undefined
}

const whoseSpent = (
  { spent }: Allowances,
  { code }: { readonly code: string },
): Allowances['spent'][string] | undefined => spent[code] ?? spent[code.split('/')[0] ?? '']
