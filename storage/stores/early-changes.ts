/** What was said of a message before it came: applied when it comes. */
import { newId } from '../../infra/ids.ts'
import type { Writer } from '../database.ts'
import { anyOf, inList } from './in-list.ts'

/** `change` is JSON as its writer made it, parsed by its reader. */
export interface EarlyChange {
  readonly id: string
  readonly channelId: string
  readonly externalId: string
  readonly change: unknown
}

export const earlyChanges = {
  async keep(
    tx: Writer,
    news: {
      readonly accountId: string
      readonly channelId: string
      readonly externalId: string
      readonly change: object
    },
  ): Promise<void> {
    await tx.run('insert into early_changes (id, account_id, channel_id, external_id, change_data, created_at) values (?, ?, ?, ?, ?, utc_timestamp(3))', [
      newId(), news.accountId, news.channelId, news.externalId, JSON.stringify(news.change),
    ]) // prettier-ignore
  },

  /** What waited for these messages, in the order in which it came, taken out. A locking read: it also sees what has just been committed. */
  async take(
    tx: Writer,
    keys: readonly { readonly accountId: string; readonly channelId: string; readonly externalId: string }[],
  ): Promise<EarlyChange[]> {
    if (keys.length === 0) return []
    const named = anyOf(
      ['account_id', 'channel_id', 'external_id'],
      keys.map((key) => [key.accountId, key.channelId, key.externalId]),
    )
    const rows = await tx.query<EarlyChange>(
      `select id, channel_id channelId, external_id externalId, change_data \`change\` from early_changes
       where ${named.sql} order by id for update`,
      named.values,
    )
    if (rows.length > 0) {
      const ids = inList(rows.map((row) => row.id))
      await tx.run(`delete from early_changes where id in ${ids.sql}`, ids.values)
    }
    return rows
  },

  /** Forgets what waited longer than the networks repeat themselves; at most `limit`. */
  async removeOlder(tx: Writer, days: number, limit: number): Promise<number> {
    return (
      await tx.run('delete from early_changes where created_at < date_sub(utc_timestamp(3), interval ? day) limit ?', [
        days,
        limit,
      ])
    ).affectedRows
  },
}
