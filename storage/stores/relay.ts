/** The relay's own place: which facts have left the outbox, the number of the last one, and how far they have been published. */
import type { Reader, Writer } from '../database.ts'
import type { Event } from '../model/events.ts'

/** A committed fact without a number; `invalidates`: cache keys to delete once more. */
export interface Unnumbered {
  readonly id: number
  readonly accountId: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly invalidates: readonly string[]
  readonly at: Date
}

export const relay = {
  /**
   * The oldest committed facts. A plain read on purpose: a locking one would wait for transactions that have not ended, and a
   * slow one would hold up all facts. What commits late under an early id is found by the next look.
   */
  async oldest(reader: Reader, limit: number): Promise<Unnumbered[]> {
    const rows = await reader.query<Omit<Unnumbered, 'invalidates'> & { invalidates: string[] | null }>(
      `select id, account_id accountId, type, data, invalidates, at from outbox order by id limit ${String(Math.trunc(limit))}`,
    )
    return rows.map((row) => ({ ...row, invalidates: row.invalidates ?? [] }))
  },

  /** Numbers these facts without a gap and takes them out of the outbox; the caller has fenced the transaction. The first number. */
  async number(tx: Writer, facts: readonly Unnumbered[]): Promise<number> {
    const state = await tx.first<{ last: number }>('select last_number last from relay where id = 1 for update')
    if (state === undefined) throw new Error('the table "relay" has lost its row')
    const first = state.last + 1
    await tx.insertMany(
      'events',
      ['number', 'account_id', 'type', 'data', 'at'],
      facts.map((fact, index) => [first + index, fact.accountId, fact.type, JSON.stringify(fact.data), fact.at]),
    )
    const { affectedRows } = await tx.run(
      `delete from outbox where id in (${facts.map((fact) => String(fact.id)).join(', ')})`,
    )
    if (affectedRows !== facts.length) throw new Error('facts left the outbox without this relay')
    await tx.run('update relay set last_number = ? where id = 1', [state.last + facts.length])
    return first
  },

  /** Numbered facts that have not been published, in order. */
  async unpublished(reader: Reader, limit: number): Promise<Event[]> {
    return reader.query<Event>(
      `select e.number, e.account_id accountId, e.type, e.data, e.at from relay r join events e on e.number > r.published_number and e.number <= r.last_number
       where r.id = 1 order by e.number limit ${String(Math.trunc(limit))}`,
    )
  },

  /** All up to `number` has been accepted by the broker. */
  async markPublished(tx: Writer, number: number): Promise<void> {
    await tx.run('update relay set published_number = greatest(published_number, ?) where id = 1', [number])
  },
}
