/** Views: filters of the list of conversations that somebody keeps, alone or with others. */
import type { Reader, SqlValue, Writer } from '../database.ts'
import { inList } from './in-list.ts'

export interface View {
  readonly id: string
  readonly accountId: string
  readonly ownerId: string
  readonly name: string
  /** As `GET /conversations` takes it. */
  readonly filter: Readonly<Record<string, unknown>>
  /** Shared with these teams. */
  readonly teamIds: readonly string[] | null
  readonly isForAll: boolean
  readonly position: number
}

/** So many views one user can have, and everybody can share. */
export const mostViews = 100

const columns =
  'id, account_id accountId, owner_id ownerId, name, filter, team_ids teamIds, is_for_all isForAll, position'

type Row = Omit<View, 'isForAll'> & { readonly isForAll: number }

const present = (row: Row): View => ({ ...row, isForAll: row.isForAll !== 0 })

export const views = {
  /** Those that this user has or shares. */
  async list(reader: Reader, accountId: string, userId: string, ids?: readonly string[]): Promise<View[]> {
    const values: SqlValue[] = [accountId, userId, accountId, userId]
    const list = ids && inList(ids)
    const rows = await reader.query<Row>(
      `select ${columns} from views v where v.account_id = ? and (v.owner_id = ? or v.is_for_all or (v.team_ids is not null and exists
         (select 1 from team_members t where t.account_id = ? and t.user_id = ? and json_contains(v.team_ids, json_quote(cast(t.team_id as char))))))
         ${list === undefined ? '' : `and v.id in ${list.sql}`} order by v.position, v.id limit 1000`,
      [...values, ...(list?.values ?? [])],
    )
    return rows.map(present)
  },

  async lock(tx: Writer, accountId: string, id: string): Promise<View | undefined> {
    const row = await tx.first<Row>(`select ${columns} from views where account_id = ? and id = ? for update`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  async count(reader: Reader, accountId: string, ownerId: string): Promise<number> {
    const row = await reader.first<{ n: number }>(
      'select count(*) n from views where account_id = ? and owner_id = ?',
      [accountId, ownerId],
    )
    return row?.n ?? 0
  },

  async put(tx: Writer, view: View): Promise<void> {
    await tx.run(
      `insert into views (id, account_id, owner_id, name, filter, team_ids, is_for_all, position, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3))
       on duplicate key update name = values(name), filter = values(filter), team_ids = values(team_ids), is_for_all = values(is_for_all),
         position = values(position), updated_at = values(updated_at)`,
      [
        ...[view.id, view.accountId, view.ownerId, view.name, JSON.stringify(view.filter)],
        view.teamIds === null ? null : JSON.stringify(view.teamIds),
        ...[view.isForAll, view.position],
      ],
    )
  },

  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('delete from views where account_id = ? and id = ?', [accountId, id])
  },
}
