/** Users: who signs in, and what they may do. */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import type { Role } from '../model/words.ts'

export interface User {
  readonly id: string
  readonly accountId: string
  readonly email: string
  readonly name: string
  readonly role: Role
  /** As the hashing code writes it; null: cannot sign in with a password. */
  readonly passwordHash: string | null
  readonly language: string
  readonly disabledAt: Date | null
  readonly createdAt: Date
}

export interface NewUser {
  readonly accountId: string
  readonly email: string
  readonly name: string
  readonly role: Role
  readonly passwordHash: string | null
  readonly language?: string
}

interface Row {
  id: string
  account_id: string
  email: string
  name: string
  role: Role
  password_hash: string | null
  language: string
  disabled_at: Date | null
  created_at: Date
}

const columns = 'id, account_id, email, name, role, password_hash, language, disabled_at, created_at'

const present = (row: Row): User => ({
  id: row.id,
  accountId: row.account_id,
  email: row.email,
  name: row.name,
  role: row.role,
  passwordHash: row.password_hash,
  language: row.language,
  disabledAt: row.disabled_at,
  createdAt: row.created_at,
})

export const users = {
  /** The id. The e-mail address is unique over all accounts (ER_DUP_ENTRY). */
  async create(tx: Writer, user: NewUser): Promise<string> {
    const id = newId()
    await tx.run(
      `insert into users (id, account_id, email, name, role, password_hash, language, created_at) values (?, ?, ?, ?, ?, ?, ?, utc_timestamp(3))`,
      [
        id,
        user.accountId,
        user.email.trim().toLowerCase(),
        user.name,
        user.role,
        user.passwordHash,
        user.language ?? 'en',
      ],
    )
    return id
  },

  async get(reader: Reader, accountId: string, id: string): Promise<User | undefined> {
    const row = await reader.first<Row>(`select ${columns} from users where account_id = ? and id = ?`, [accountId, id])
    return row && present(row)
  },

  /** For signing in, where the account is not known yet. */
  async byEmail(reader: Reader, email: string): Promise<User | undefined> {
    const row = await reader.first<Row>(`select ${columns} from users where email = ?`, [email.trim().toLowerCase()])
    return row && present(row)
  },

  async list(reader: Reader, accountId: string): Promise<User[]> {
    return (
      await reader.query<Row>(`select ${columns} from users where account_id = ? order by name, id`, [accountId])
    ).map(present)
  },

  async setPasswordHash(tx: Writer, accountId: string, id: string, passwordHash: string): Promise<void> {
    await tx.run('update users set password_hash = ? where account_id = ? and id = ?', [passwordHash, accountId, id])
  },

  async setLanguage(tx: Writer, accountId: string, id: string, language: string): Promise<void> {
    await tx.run('update users set language = ? where account_id = ? and id = ?', [language, accountId, id])
  },

  /** A disabled user's sessions and tokens must be ended by the caller. */
  async setDisabled(tx: Writer, accountId: string, id: string, at: Date | null): Promise<void> {
    await tx.run('update users set disabled_at = ? where account_id = ? and id = ?', [at, accountId, id])
  },
}
