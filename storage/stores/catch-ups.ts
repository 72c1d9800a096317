/** Readings back of what was missed: one row for each channel that is being caught up. */
import type { Reader, Writer } from '../database.ts'

export interface CatchUp {
  readonly channelId: string
  readonly accountId: string
  readonly why: string
  readonly since: Date
  /** What happens from then on comes by itself. */
  readonly beganAt: Date
  readonly cursor: string | null
  readonly pages: number
  readonly found: number
  readonly fresh: number
  readonly tries: number
  readonly replayAskedAt: Date | null
  readonly againSince: Date | null
  readonly againWhy: string | null
  readonly dueAt: Date
  readonly lastError: string | null
}

const columns = `channel_id channelId, account_id accountId, why, since, began_at beganAt, read_cursor \`cursor\`, pages, found, fresh, tries,
  replay_asked_at replayAskedAt, again_since againSince, again_why againWhy, due_at dueAt, last_error lastError`

export const catchUps = {
  /** Asks for a reading back; when one is under way, another follows it. */
  async request(tx: Writer, wish: Pick<CatchUp, 'channelId' | 'accountId' | 'why' | 'since'>): Promise<void> {
    await tx.run(
      `insert into catch_ups (channel_id, account_id, why, since, began_at, due_at) values (?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3))
       on duplicate key update
         again_since = if(pages > 0, least(coalesce(again_since, values(since)), values(since)), again_since),
         again_why = if(pages > 0, values(why), again_why),
         since = if(pages > 0, since, least(since, values(since))), due_at = utc_timestamp(3)`,
      [wish.channelId, wish.accountId, wish.why, wish.since],
    )
  },

  get(reader: Reader, accountId: string, channelId: string): Promise<CatchUp | undefined> {
    return reader.first<CatchUp>(`select ${columns} from catch_ups where account_id = ? and channel_id = ?`, [
      accountId,
      channelId,
    ])
  },

  /** All that are under way in the account. */
  list(reader: Reader, accountId: string): Promise<CatchUp[]> {
    return reader.query<CatchUp>(`select ${columns} from catch_ups where account_id = ?`, [accountId])
  },

  lock(tx: Writer, accountId: string, channelId: string): Promise<CatchUp | undefined> {
    return tx.first<CatchUp>(`select ${columns} from catch_ups where account_id = ? and channel_id = ? for update`, [
      accountId,
      channelId,
    ])
  },

  /** Due ones of channels that can be spoken for. */
  findDue(reader: Reader, limit: number): Promise<CatchUp[]> {
    return reader.query<CatchUp>(
      `select ${columns} from catch_ups where due_at <= utc_timestamp(3) and exists (
         select 1 from channels where channels.id = channel_id and state <> 'reconnect_needed' and disconnected_at is null)
       order by due_at limit ?`,
      [limit],
    )
  },

  /** A page was taken in. */
  async progress(
    tx: Writer,
    channelId: string,
    page: { readonly cursor: string | undefined; readonly found: number; readonly fresh: number },
  ): Promise<void> {
    await tx.run(
      'update catch_ups set read_cursor = ?, pages = pages + 1, found = found + ?, fresh = fresh + ?, tries = 0, last_error = null where channel_id = ?',
      [page.cursor ?? null, page.found, page.fresh, channelId],
    )
  },

  async noteReplay(tx: Writer, channelId: string): Promise<void> {
    await tx.run('update catch_ups set replay_asked_at = utc_timestamp(3) where channel_id = ?', [channelId])
  },

  /** It did not work now; once more later. */
  async postpone(tx: Writer, channelId: string, inMs: number, error: string): Promise<void> {
    await tx.run(
      'update catch_ups set due_at = utc_timestamp(3) + interval ? microsecond, tries = tries + 1, last_error = ? where channel_id = ?',
      [Math.round(inMs * 1000), error.slice(0, 500), channelId],
    )
  },

  /** All is read: the row goes, or begins anew for what was noticed meanwhile. */
  async finish(tx: Writer, { channelId, againSince, againWhy }: CatchUp): Promise<void> {
    if (againSince === null) {
      await tx.run('delete from catch_ups where channel_id = ?', [channelId])
      return
    }
    await tx.run(
      `update catch_ups set why = ?, since = ?, began_at = utc_timestamp(3), read_cursor = null, pages = 0, found = 0, fresh = 0, tries = 0,
         replay_asked_at = null, again_since = null, again_why = null, due_at = utc_timestamp(3), last_error = null where channel_id = ?`,
      [againWhy ?? 'gap', againSince, channelId],
    )
  },

  async forget(tx: Writer, channelId: string): Promise<void> {
    await tx.run('delete from catch_ups where channel_id = ?', [channelId])
  },
}
