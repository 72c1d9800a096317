/** What an app's calls have cost by our own count, by month and kind; and the cap that stops them. Amounts in millionths of a dollar. */
import { z } from 'zod'
import type { Reader, Writer } from '../database.ts'

export interface Spent {
  readonly kind: string
  readonly count: number
  readonly micros: number
}

export interface SpendTerms {
  /** For each month (UTC); null: none. */
  readonly cap: number | null
  /** What this app pays where it is not the documented price. */
  readonly prices: Readonly<Record<string, number>>
  /** What was told of last, such as `2026-11:80`. */
  readonly warned: string | null
}

interface Row {
  cap: number | string | null
  prices: unknown
  warned: string | null
}

const pricesShape = z.record(z.string(), z.number())
const termsOf = (row: Row | undefined): SpendTerms => ({
  cap: row?.cap == null ? null : Number(row.cap),
  prices: pricesShape.safeParse(row?.prices).data ?? {},
  warned: row?.warned ?? null,
})
const terms = 'select spend_cap cap, prices, spend_warned warned from apps where account_id = ? and id = ?'

export const spend = {
  async terms(reader: Reader, accountId: string, appId: string): Promise<SpendTerms> {
    return termsOf(await reader.first<Row>(terms, [accountId, appId]))
  },

  /** As `terms`; locked, so that no other call is put down meanwhile. */
  async lockTerms(tx: Writer, accountId: string, appId: string): Promise<SpendTerms> {
    return termsOf(await tx.first<Row>(`${terms} for update`, [accountId, appId]))
  },

  /** What is left out stays. */
  async setTerms(
    tx: Writer,
    accountId: string,
    appId: string,
    change: { readonly cap?: number | null; readonly prices?: Readonly<Record<string, number>> | null },
  ): Promise<void> {
    if (change.cap !== undefined)
      await tx.run('update apps set spend_cap = ?, spend_warned = null where account_id = ? and id = ?', [
        change.cap,
        accountId,
        appId,
      ])
    if (change.prices !== undefined)
      await tx.run('update apps set prices = ? where account_id = ? and id = ?', [
        change.prices === null ? null : JSON.stringify(change.prices),
        accountId,
        appId,
      ])
  },

  async setWarned(tx: Writer, accountId: string, appId: string, warned: string): Promise<void> {
    await tx.run('update apps set spend_warned = ? where account_id = ? and id = ?', [warned, accountId, appId])
  },

  async of(reader: Reader, accountId: string, appId: string, month: string): Promise<Spent[]> {
    const rows = await reader.query<Omit<Spent, 'micros'> & { micros: number | string }>(
      'select kind, count, micros from spend where account_id = ? and app_id = ? and month = ? order by kind',
      [accountId, appId, month],
    )
    return rows.map((row) => ({ ...row, micros: Number(row.micros) }))
  },

  /** The months that something was put down for, the newest first. */
  async months(reader: Reader, accountId: string, appId: string): Promise<{ month: string; micros: number }[]> {
    const rows = await reader.query<{ month: string; micros: number | string }>(
      'select month, sum(micros) micros from spend where account_id = ? and app_id = ? group by month order by month desc limit 24',
      [accountId, appId],
    )
    return rows.map((row) => ({ ...row, micros: Number(row.micros) }))
  },

  async add(
    tx: Writer,
    place: { readonly accountId: string; readonly appId: string; readonly month: string },
    { kind, count, micros }: Spent,
  ): Promise<void> {
    await tx.run(
      `insert into spend (account_id, app_id, month, kind, count, micros) values (?, ?, ?, ?, ?, ?)
       on duplicate key update count = count + values(count), micros = micros + values(micros)`,
      [place.accountId, place.appId, place.month, kind, count, micros],
    )
  },

  /** Takes off again what was put down for a call that the network refused. */
  async takeOff(
    tx: Writer,
    place: { readonly accountId: string; readonly appId: string; readonly month: string },
    { kind, count, micros }: Spent,
  ): Promise<void> {
    await tx.run(
      'update spend set count = count - ?, micros = micros - ? where account_id = ? and app_id = ? and month = ? and kind = ?',
      [count, micros, place.accountId, place.appId, place.month, kind],
    )
  },

  /** Remembers with an attempt what was put down for it. */
  async markAttempt(
    tx: Writer,
    delivery: { readonly accountId: string; readonly id: string },
    number: number,
    put: { readonly kind: string; readonly micros: number; readonly month: string },
  ): Promise<void> {
    await tx.run(
      'update attempts set spend_kind = ?, spend_micros = ?, spend_month = ? where account_id = ? and delivery_id = ? and number = ?',
      [put.kind, put.micros, put.month, delivery.accountId, delivery.id, number],
    )
  },

  /** Takes off again what was put down for an attempt that the network refused. */
  async takeBack(
    tx: Writer,
    delivery: { readonly accountId: string; readonly id: string; readonly channelId: string },
    number: number,
  ): Promise<void> {
    await tx.run(
      `update spend s join attempts a on a.spend_kind = s.kind and a.spend_month = s.month and a.account_id = s.account_id
         join channels c on c.account_id = a.account_id and c.id = ? and c.app_id = s.app_id
       set s.count = s.count - 1, s.micros = s.micros - a.spend_micros
       where a.account_id = ? and a.delivery_id = ? and a.number = ?`,
      [delivery.channelId, delivery.accountId, delivery.id, number],
    )
    await tx.run(
      'update attempts set spend_kind = null, spend_micros = null, spend_month = null where account_id = ? and delivery_id = ? and number = ?',
      [delivery.accountId, delivery.id, number],
    )
  },
}
