/** Bearer tokens of users. The database knows only their SHA-256. */
import { createHash, randomBytes } from 'node:crypto'
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import { isPermission } from '../model/permissions.ts'
import type { Permission } from '../model/permissions.ts'
import { inList } from './in-list.ts'

export interface Token {
  readonly id: string
  readonly accountId: string
  readonly userId: string
  readonly name: string
  /** null: all that the user may do. */
  readonly scopes: readonly Permission[] | null
  readonly createdAt: Date
  readonly usedAt: Date | null
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
}

interface Row {
  id: string
  account_id: string
  user_id: string
  name: string
  scopes: string[] | null
  created_at: Date
  used_at: Date | null
  expires_at: Date | null
  revoked_at: Date | null
}

const columns = 'id, account_id, user_id, name, scopes, created_at, used_at, expires_at, revoked_at'

const present = (row: Row): Token => ({
  id: row.id,
  accountId: row.account_id,
  userId: row.user_id,
  name: row.name,
  scopes: row.scopes && row.scopes.filter(isPermission),
  createdAt: row.created_at,
  usedAt: row.used_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
})

/** What is stored of a token, and what its cache entry is named by. */
export const hashToken = (text: string): Buffer => createHash('sha256').update(text).digest()

export const tokens = {
  /** The token itself is given once, here: `prl_` and 43 characters. */
  async create(
    tx: Writer,
    token: {
      readonly id?: string | undefined
      readonly accountId: string
      readonly userId: string
      readonly name: string
      readonly scopes?: readonly Permission[] | null | undefined
      readonly expiresAt?: Date | null | undefined
    },
  ): Promise<{ id: string; text: string }> {
    const id = token.id ?? newId()
    const text = `prl_${randomBytes(32).toString('base64url')}`
    await tx.run(
      'insert into tokens (id, account_id, user_id, name, scopes, hash, created_at, expires_at) values (?, ?, ?, ?, ?, ?, utc_timestamp(3), ?)',
      [
        id,
        token.accountId,
        token.userId,
        token.name,
        token.scopes == null ? null : JSON.stringify(token.scopes),
        hashToken(text),
        token.expiresAt ?? null,
      ],
    )
    return { id, text }
  },

  /** The token with this hash, revoked and expired ones as well: look at `isTokenValid`. */
  async byHash(reader: Reader, hash: Buffer): Promise<Token | undefined> {
    const row = await reader.first<Row>(`select ${columns} from tokens where hash = ?`, [hash])
    return row && present(row)
  },

  async get(reader: Reader, accountId: string, id: string): Promise<Token | undefined> {
    const row = await reader.first<Row>(`select ${columns} from tokens where account_id = ? and id = ?`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  /** Notes that they are in use; at most one write in a minute. */
  async touch(tx: Writer, accountId: string, ids: readonly string[]): Promise<void> {
    const list = inList(ids)
    await tx.run(
      `update tokens set used_at = utc_timestamp(3) where account_id = ? and id in ${list.sql} and (used_at is null or used_at < utc_timestamp(3) - interval 60 second)`,
      [accountId, ...list.values],
    )
  },

  /** Revokes all of a user's tokens; how many were in use. */
  async revokeOf(tx: Writer, accountId: string, userId: string): Promise<number> {
    return (
      await tx.run(
        'update tokens set revoked_at = utc_timestamp(3) where account_id = ? and user_id = ? and revoked_at is null',
        [accountId, userId],
      )
    ).affectedRows
  },

  async list(reader: Reader, accountId: string, userId: string): Promise<Token[]> {
    return (
      await reader.query<Row>(`select ${columns} from tokens where account_id = ? and user_id = ? order by id`, [
        accountId,
        userId,
      ])
    ).map(present)
  },

  /** Returns the hash, whose cache entry must go after the commit; undefined when there is no such token. */
  async revoke(tx: Writer, accountId: string, id: string): Promise<Buffer | undefined> {
    const row = await tx.first<{ hash: Buffer }>('select hash from tokens where account_id = ? and id = ? for update', [
      accountId,
      id,
    ])
    if (row === undefined) return undefined
    await tx.run(
      'update tokens set revoked_at = coalesce(revoked_at, utc_timestamp(3)) where account_id = ? and id = ?',
      [accountId, id],
    )
    return row.hash
  },
}

/** Whether the token may be used at this moment. */
export function isTokenValid(token: Pick<Token, 'expiresAt' | 'revokedAt'>, now: Date = new Date()): boolean {
  return token.revokedAt === null && (token.expiresAt === null || token.expiresAt > now)
}
