/** What an app may cost, and what it has cost. */
import { invalid, notFound } from '../infra/errors.ts'
import { monthOf, pricingOf } from '../messaging/spend.ts'
import type { Storage } from '../storage/index.ts'

/** Dollars; what is left out stays. `prices`: those that differ from the documented ones; null: none do. */
export interface SpendChange {
  readonly cap?: number | null | undefined
  readonly prices?: Readonly<Record<string, number>> | null | undefined
}

/**
 * Changes cap and prices; what waited for room goes on at once, as far as there is any.
 * @throws Problem 404; 422 where the network is not paid by use, or charges nothing by such a name
 */
export async function changeSpend(storage: Storage, accountId: string, id: string, change: SpendChange): Promise<void> {
  const { cap, prices } = change
  if (cap === undefined && prices === undefined) return
  await storage.write(async (tx) => {
    const app = await storage.apps.lock(tx, accountId, id)
    if (app === undefined) throw notFound('app')
    const pricing = pricingOf(app.network)
    if (pricing === undefined)
      throw invalid([
        { field: cap === undefined ? 'prices' : 'spend_cap', message: 'This network is not paid by use.' },
      ])
    const strange = Object.keys(prices ?? {}).find((kind) => !(kind in pricing.prices))
    if (strange !== undefined)
      throw invalid([
        {
          field: 'prices',
          message: `There is no price of ${strange}; there are: ${Object.keys(pricing.prices).join(', ')}.`,
        },
      ])
    await storage.spend.setTerms(tx, accountId, id, {
      ...(cap !== undefined && { cap: cap === null ? null : micros(cap) }),
      ...(prices !== undefined && {
        prices: prices && Object.fromEntries(Object.entries(prices).map(([kind, price]) => [kind, micros(price)])),
      }),
    })
    await storage.outbox.append(tx, { type: 'app.changed', accountId, data: { app_id: id } })
  })
  // Apart, as deliveries are locked before apps.
  await storage.write((tx) => storage.deliveries.release(tx, accountId, id, ['spend_cap']))
}

/** Somebody has made room at the network (bought more, raised a cap): nobody waits for it any longer. @throws Problem 404 */
export async function resumeApp(storage: Storage, accountId: string, id: string): Promise<void> {
  await storage.write(async (tx) => {
    if ((await storage.apps.lock(tx, accountId, id)) === undefined) throw notFound('app')
    await storage.budgets.lift(tx, accountId, id)
  })
  await storage.write((tx) =>
    storage.deliveries.release(tx, accountId, id, ['budget', 'budget_spread', 'usage-capped']),
  )
}

export interface Spending {
  readonly month: string
  /** Dollars. */
  readonly cap: number | null
  readonly spent: number
  readonly kinds: readonly {
    readonly kind: string
    readonly price: number
    readonly count: number
    readonly spent: number
  }[]
  readonly months: readonly { readonly month: string; readonly spent: number }[]
}

/** What this month and the ones before have cost by our own count; `undefined`: there is no such app. */
export async function readSpending(storage: Storage, accountId: string, id: string): Promise<Spending | undefined> {
  const app = await storage.apps.get(storage.fresh, accountId, id)
  if (app === undefined) return undefined
  const month = monthOf(new Date())
  const [terms, rows, months] = await Promise.all([
    storage.spend.terms(storage.fresh, accountId, id),
    storage.spend.of(storage.fresh, accountId, id, month),
    storage.spend.months(storage.fresh, accountId, id),
  ])
  const prices = { ...pricingOf(app.network)?.prices, ...terms.prices }
  return {
    month,
    cap: terms.cap === null ? null : terms.cap / 1e6,
    spent: rows.reduce((total, row) => total + row.micros, 0) / 1e6,
    kinds: Object.entries(prices).map(([kind, price]) => {
      const row = rows.find((each) => each.kind === kind)
      return { kind, price: price / 1e6, count: row?.count ?? 0, spent: (row?.micros ?? 0) / 1e6 }
    }),
    months: months.map((each) => ({ month: each.month, spent: each.micros / 1e6 })),
  }
}

const micros = (dollars: number): number => Math.round(dollars * 1e6)
