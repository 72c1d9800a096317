/** Several acts that a person does at once, under a name. */
import type { Reader, Writer } from '../database.ts'
import { inList } from './in-list.ts'

export const macroScopes = ['all', 'team', 'own'] as const

export interface Macro {
  readonly id: string
  readonly accountId: string
  /** Whose it is: the account's own id, a team's or a user's, as `scope` says. */
  readonly ownerId: string
  readonly scope: (typeof macroScopes)[number]
  readonly name: string
  /** As `actShape` has them. */
  readonly acts: readonly Readonly<Record<string, unknown>>[]
  readonly position: number
}

/** So many an account can have, those of its users with them. */
export const mostMacros = 1_000

const columns = 'id, account_id accountId, owner_id ownerId, scope, name, acts, position'

export const macros = {
  list(reader: Reader, accountId: string, ownerIds: readonly string[] | undefined): Promise<Macro[]> {
    const list = ownerIds && inList(ownerIds)
    return reader.query<Macro>(
      `select ${columns} from macros where account_id = ?${list === undefined ? " and scope <> 'own'" : ` and owner_id in ${list.sql}`}
       order by position, name, id limit ${String(mostMacros)}`,
      [accountId, ...(list?.values ?? [])],
    )
  },

  get(reader: Reader, accountId: string, id: string): Promise<Macro | undefined> {
    return reader.first<Macro>(`select ${columns} from macros where account_id = ? and id = ?`, [accountId, id])
  },

  lock(tx: Writer, accountId: string, id: string): Promise<Macro | undefined> {
    return tx.first<Macro>(`select ${columns} from macros where account_id = ? and id = ? for update`, [accountId, id])
  },

  async count(reader: Reader, accountId: string): Promise<number> {
    const row = await reader.first<{ n: number }>('select count(*) n from macros where account_id = ?', [accountId])
    return row?.n ?? 0
  },

  async put(tx: Writer, macro: Macro): Promise<void> {
    await tx.run(
      `insert into macros (id, account_id, owner_id, scope, name, acts, position, created_at, updated_at) values (?, ?, ?, ?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3))
       on duplicate key update owner_id = values(owner_id), scope = values(scope), name = values(name), acts = values(acts), position = values(position),
         updated_at = utc_timestamp(3)`,
      [
        ...[macro.id, macro.accountId, macro.ownerId, macro.scope, macro.name, JSON.stringify(macro.acts)],
        macro.position,
      ],
    )
  },

  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('delete from macros where account_id = ? and id = ?', [accountId, id])
  },
}
