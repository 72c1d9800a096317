/** Labels of an account: what conversations are sorted by. */
import type { Reader, Writer } from '../database.ts'
import { inList } from './in-list.ts'

export interface Label {
  readonly id: string
  readonly accountId: string
  readonly name: string
  /** `#rrggbb`. */
  readonly color: string
}

/** So many an account can have. */
export const mostLabels = 500

const columns = 'id, account_id accountId, name, color'

export const labels = {
  list(reader: Reader, accountId: string): Promise<Label[]> {
    return reader.query<Label>(
      `select ${columns} from labels where account_id = ? order by name limit ${String(mostLabels)}`,
      [accountId],
    )
  },

  /** By ids and names, whatever they are. */
  find(reader: Reader, accountId: string, ids: readonly string[], names: readonly string[]): Promise<Label[]> {
    if (ids.length + names.length === 0) return Promise.resolve([])
    const [byId, byName] = [inList(ids), inList(names)]
    return reader.query<Label>(
      `select ${columns} from labels where account_id = ? and (id in ${byId.sql} or name in ${byName.sql})`,
      [accountId, ...byId.values, ...byName.values],
    )
  },

  lock(tx: Writer, accountId: string, id: string): Promise<Label | undefined> {
    return tx.first<Label>(`select ${columns} from labels where account_id = ? and id = ? for update`, [accountId, id])
  },

  async count(reader: Reader, accountId: string): Promise<number> {
    const row = await reader.first<{ n: number }>('select count(*) n from labels where account_id = ?', [accountId])
    return row?.n ?? 0
  },

  /** The name is unique in the account (ER_DUP_ENTRY). */
  async create(tx: Writer, { id, accountId, name, color }: Label): Promise<void> {
    await tx.run(
      'insert into labels (id, account_id, name, color, created_at, updated_at) values (?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3))',
      [id, accountId, name, color],
    )
  },

  async change(tx: Writer, { id, accountId, name, color }: Label): Promise<void> {
    await tx.run(
      'update labels set name = ?, color = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ?',
      [name, color, accountId, id],
    )
  },

  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('delete from labels where account_id = ? and id = ?', [accountId, id])
  },

  /** Takes it off some conversations; how many. */
  async takeOff(tx: Writer, accountId: string, id: string, limit: number): Promise<number> {
    const { affectedRows } = await tx.run(
      'delete from conversation_marks where account_id = ? and kind = 1 and mark = ? limit ?',
      [accountId, id, limit],
    )
    return affectedRows
  },
}
