/**
 * Where a network is paid by use: each call is put down with its price before it is made, and taken off again when the network
 * refused it. A cap stops what would go beyond it.
 */
import type { Channel, Storage, Writer } from '../storage/index.ts'
import type { Wait } from './budgets.ts'
import type { CallUse, ParsedItem, Pricing } from './connectors/connector.ts'
import { connectorOf, connectors } from './connectors/registry.ts'

/** What was put down for a call. */
export interface Put {
  readonly kind: string
  readonly micros: number
  readonly month: string
}

type Place = Pick<Channel, 'accountId' | 'appId' | 'type'>

const warnAt = [100, 80] as const

/** How calls by apps of this network are paid; `undefined`: not by use. */
export const pricingOf = (network: string): Pricing | undefined =>
  connectors.find((connector) => connector.network === network)?.pricing

/** Of UTC, such as `2026-11`. */
export const monthOf = (at: Date): string => at.toISOString().slice(0, 7)

/** Puts a call down if the cap leaves room for it, else says how long it must wait. `undefined`: nothing is charged. */
export async function putDown(
  storage: Storage,
  tx: Writer,
  channel: Place,
  said: { readonly use: CallUse; readonly text: string },
  now: Date,
): Promise<{ readonly put: Put } | { readonly wait: Wait } | undefined> {
  const pricing = connectorOf(channel.type)?.pricing
  if (pricing === undefined) return undefined
  const { accountId, appId } = channel
  const month = monthOf(now)
  const kind = pricing.kindOf(said.use, said.text)
  const { cap, prices, warned } = await storage.spend.lockTerms(tx, accountId, appId)
  const micros = prices[kind] ?? pricing.prices[kind] ?? 0
  if (cap !== null) {
    const spent = sum(await storage.spend.of(tx, accountId, appId, month))
    const isFull = spent + micros > cap
    await warn(storage, tx, channel, { spent: isFull ? cap : spent + micros, cap, month, warned })
    if (isFull) {
      const endsAt = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)
      const reason = `The app's cap of $${(cap / 1e6).toFixed(2)} for this month leaves no room. Raise it, or wait for the next month.`
      return { wait: { code: 'spend_cap', reason, forMs: endsAt - now.getTime() + Math.random() * 60_000 } }
    }
  }
  await storage.spend.add(tx, { accountId, appId, month }, { kind, count: 1, micros })
  return { put: { kind, micros, month } }
}

/** Items that were read are paid for one by one; it has happened, so it counts towards the cap and is not stopped by it. */
export async function putDownReads(
  storage: Storage,
  tx: Writer,
  channel: Place,
  items: readonly ParsedItem[],
): Promise<void> {
  const pricing = connectorOf(channel.type)?.pricing
  if (pricing === undefined) return
  const kinds = items.flatMap(({ event }) =>
    event.type === 'message' || event.type === 'echo'
      ? [pricing.readKindOf(event.thread.kind)]
      : event.type === 'post'
        ? [pricing.readKindOf('public')]
        : [],
  )
  if (kinds.length === 0) return
  const { accountId, appId } = channel
  const month = monthOf(new Date())
  const { cap, prices, warned } = await storage.spend.lockTerms(tx, accountId, appId)
  for (const [kind, { length: count }] of Map.groupBy(kinds, (each) => each)) {
    const micros = count * (prices[kind] ?? pricing.prices[kind] ?? 0)
    await storage.spend.add(tx, { accountId, appId, month }, { kind, count, micros })
  }
  if (cap === null) return
  const spent = sum(await storage.spend.of(tx, accountId, appId, month))
  await warn(storage, tx, channel, { spent, cap, month, warned })
}

/** Told once in a month at 80 %, and once more when nothing is left. */
async function warn(
  storage: Storage,
  tx: Writer,
  { accountId, appId }: Place,
  { spent, cap, month, warned }: { spent: number; cap: number; month: string; warned: string | null },
): Promise<void> {
  const percent = warnAt.find((each) => spent * 100 >= cap * each)
  const [toldMonth, told] = warned?.split(':') ?? []
  if (percent === undefined || (toldMonth === month && Number(told) >= percent)) return
  await storage.spend.setWarned(tx, accountId, appId, `${month}:${String(percent)}`)
  await storage.outbox.append(tx, {
    type: 'app.spend_warned',
    accountId,
    data: { app_id: appId, month, percent, spent: spent / 1e6, cap: cap / 1e6 },
  })
}

const sum = (rows: readonly { readonly micros: number }[]): number =>
  rows.reduce((total, { micros }) => total + micros, 0)
