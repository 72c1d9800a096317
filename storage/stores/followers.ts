/** Who follows the numbered events, how far each has come, and what it could not work on. */
import type { Reader, Writer } from '../database.ts'
import type { Event } from '../model/events.ts'

export const followers = {
  /** The number of the last event that this follower has dealt with; one that is new begins behind the newest. */
  async position(reader: Reader, name: string): Promise<number | undefined> {
    return (await reader.first<{ last: number }>('select last_number last from followers where name = ?', [name]))?.last
  },

  async begin(tx: Writer, name: string): Promise<void> {
    await tx.run(
      'insert ignore into followers (name, last_number, updated_at) select ?, last_number, utc_timestamp(3) from relay where id = 1',
      [name],
    )
  },

  /** All up to `number` is dealt with; the caller has fenced the transaction. */
  async move(tx: Writer, name: string, number: number): Promise<void> {
    await tx.run('update followers set last_number = ?, updated_at = utc_timestamp(3) where name = ?', [number, name])
  },

  async keepFailure(tx: Writer, name: string, event: Event, reason: string): Promise<void> {
    await tx.insertMany(
      'follower_failures',
      ['follower', 'number', 'account_id', 'type', 'data', 'reason', 'at'],
      [
        [
          name,
          event.number,
          event.accountId,
          event.type,
          JSON.stringify(event.data),
          reason.slice(0, 1000),
          new Date(),
        ],
      ],
    )
  },
}
