/** Facts that have been numbered; whoever follows the numbers misses nothing. */
import type { Event } from '../model/events.ts'
import type { Reader, Writer } from '../database.ts'

interface Row {
  number: number
  account_id: string
  type: string
  data: Record<string, unknown>
  at: Date
}

export const events = {
  /** Events with a greater number than `number`, in order; of all accounts when `accountId` is undefined. */
  async after(reader: Reader, accountId: string | undefined, number: number, limit: number): Promise<Event[]> {
    const rows =
      accountId === undefined
        ? await reader.query<Row>(
            'select number, account_id, type, data, at from events where number > ? order by number limit ?',
            [number, limit],
          )
        : await reader.query<Row>(
            'select number, account_id, type, data, at from events where account_id = ? and number > ? order by number limit ?',
            [accountId, number, limit],
          )
    return rows.map((row) => ({
      number: row.number,
      accountId: row.account_id,
      type: row.type,
      data: row.data,
      at: row.at,
    }))
  },

  /** The greatest number given so far; 0 before the first event. */
  async lastNumber(reader: Reader): Promise<number> {
    return (await reader.first<{ last_number: number }>('select last_number from relay where id = 1'))?.last_number ?? 0
  },

  /** Where the primary is now: whoever has reached this sees every event that was read before. */
  async position(primary: Reader): Promise<string | undefined> {
    return (await primary.first<{ position: string }>('select @@global.gtid_current_pos as position'))?.position
  },

  /** Deletes old events, at most `limit`; returns how many. */
  async removeBefore(tx: Writer, at: Date, limit: number): Promise<number> {
    return (await tx.run('delete from events where at < ? order by number limit ?', [at, limit])).affectedRows
  },
}
