/** An account's own roles; the built-in ones are in the code. And which roles may not work without a second factor. */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import { isBuiltInRole, isPermission, permissionsOfRole } from '../model/permissions.ts'
import type { Permission } from '../model/permissions.ts'

export interface CustomRole {
  readonly id: string
  readonly accountId: string
  readonly name: string
  readonly permissions: readonly Permission[]
}

interface Row {
  id: string
  account_id: string
  name: string
  permissions: string[]
}

const columns = 'id, account_id, name, permissions'
/** A permission that this version does not know gives nothing. */
const present = (row: Row): CustomRole => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  permissions: row.permissions.filter(isPermission),
})

export const roles = {
  async list(reader: Reader, accountId: string): Promise<CustomRole[]> {
    const rows = await reader.query<Row>(`select ${columns} from roles where account_id = ? order by name, id`, [
      accountId,
    ])
    return rows.map(present)
  },

  async get(reader: Reader, accountId: string, id: string): Promise<CustomRole | undefined> {
    const row = await reader.first<Row>(`select ${columns} from roles where account_id = ? and id = ?`, [accountId, id])
    return row && present(row)
  },

  async lock(tx: Writer, accountId: string, id: string): Promise<CustomRole | undefined> {
    const row = await tx.first<Row>(`select ${columns} from roles where account_id = ? and id = ? for update`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  /** The name is unique in the account (ER_DUP_ENTRY). */
  async create(tx: Writer, role: Omit<CustomRole, 'id'> & { readonly id?: string | undefined }): Promise<string> {
    const id = role.id ?? newId()
    await tx.run(
      'insert into roles (id, account_id, name, permissions, created_at, updated_at) values (?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3))',
      [id, role.accountId, role.name, JSON.stringify(role.permissions)],
    )
    return id
  },

  async change(tx: Writer, role: CustomRole): Promise<void> {
    await tx.run(
      'update roles set name = ?, permissions = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ?',
      [role.name, JSON.stringify(role.permissions), role.accountId, role.id],
    )
  },

  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('delete from roles where account_id = ? and id = ?', [accountId, id])
  },

  /** What a role gives: a built-in one's permissions, or those of the account's own; nothing when there is no such role. */
  async permissionsOf(reader: Reader, accountId: string, role: string): Promise<readonly Permission[]> {
    if (isBuiltInRole(role)) return permissionsOfRole[role]
    return (await roles.get(reader, accountId, role))?.permissions ?? []
  },

  /** Names and ids of the roles that need a second factor. */
  async needingTotp(reader: Reader, accountId: string): Promise<readonly string[]> {
    const row = await reader.first<{ totp_roles: string[] | null }>('select totp_roles from accounts where id = ?', [
      accountId,
    ])
    return row?.totp_roles ?? []
  },

  async setNeedingTotp(tx: Writer, accountId: string, needing: readonly string[]): Promise<void> {
    await tx.run('update accounts set totp_roles = ? where id = ?', [JSON.stringify(needing), accountId])
  },
}
