/** Facts committed with the change they tell of, and not yet announced; the relay numbers and announces them. */
import type { NewEvent } from '../model/events.ts'
import type { Reader, Writer } from '../database.ts'
import { inList } from './in-list.ts'

/** A fact as the relay takes it. */
export interface OutboxRow {
  readonly id: number
  readonly accountId: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  /** Cache keys to delete once more: their writer may have died between its commit and their deletion. */
  readonly invalidates: readonly string[]
  readonly at: Date
}

interface Row {
  id: number
  account_id: string
  type: string
  data: Record<string, unknown>
  invalidates: string[] | null
  at: Date
}

export const outbox = {
  /** Announces `event` when, and only when, the transaction commits. @param invalidates cache keys that the change makes old */
  append(tx: Writer, event: NewEvent, invalidates: readonly string[] = []): Promise<void> {
    return outbox.appendMany(tx, [event], invalidates)
  },

  /** As `append`, many facts in one statement; the order is kept. */
  async appendMany(tx: Writer, events: readonly NewEvent[], invalidates: readonly string[] = []): Promise<void> {
    const keys = invalidates.length === 0 ? null : JSON.stringify(invalidates)
    const at = new Date()
    await tx.insertMany(
      'outbox',
      ['account_id', 'type', 'data', 'invalidates', 'at'],
      events.map((event, index) => [event.accountId, event.type, JSON.stringify(event.data), index === 0 ? keys : null, at]),
    )
  },

  /** The oldest facts, locked for this relay until its transaction ends. */
  async lockOldest(tx: Writer, limit: number): Promise<OutboxRow[]> {
    const rows = await tx.query<Row>('select id, account_id, type, data, invalidates, at from outbox order by id limit ? for update', [limit])
    return rows.map((row) => ({ id: row.id, accountId: row.account_id, type: row.type, data: row.data, invalidates: row.invalidates ?? [], at: row.at }))
  },

  /** Takes out what has been numbered. */
  async remove(tx: Writer, ids: readonly number[]): Promise<void> {
    const list = inList(ids)
    await tx.run(`delete from outbox where id in ${list.sql}`, list.values)
  },

  /** How many facts wait, and since when. */
  async backlog(reader: Reader): Promise<{ count: number; oldestAt: Date | null }> {
    const row = await reader.first<{ n: number; oldest: Date | null }>('select count(*) as n, min(at) as oldest from outbox')
    return { count: row?.n ?? 0, oldestAt: row?.oldest ?? null }
  },
}
