/** Facts committed with the change they tell of, and not yet announced; the relay numbers and announces them. */
import type { NewEvent } from '../model/events.ts'
import type { Reader, Writer } from '../database.ts'

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
      events.map((event, index) => [
        event.accountId,
        event.type,
        JSON.stringify(event.data),
        index === 0 ? keys : null,
        at,
      ]),
    )
  },

  /** How many facts wait, and since when. */
  async backlog(reader: Reader): Promise<{ count: number; oldestAt: Date | null }> {
    const row = await reader.first<{ n: number; oldest: Date | null }>(
      'select count(*) as n, min(at) as oldest from outbox',
    )
    return { count: row?.n ?? 0, oldestAt: row?.oldest ?? null }
  },
}
