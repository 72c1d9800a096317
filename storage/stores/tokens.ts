/** Bearer tokens of users. The database knows only their SHA-256. */
import { createHash, randomBytes } from 'node:crypto'
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'

export interface Token {
  readonly id: string
  readonly accountId: string
  readonly userId: string
  readonly name: string
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
}

interface Row {
  id: string
  account_id: string
  user_id: string
  name: string
  created_at: Date
  expires_at: Date | null
  revoked_at: Date | null
}

const columns = 'id, account_id, user_id, name, created_at, expires_at, revoked_at'

const present = (row: Row): Token => ({
  id: row.id,
  accountId: row.account_id,
  userId: row.user_id,
  name: row.name,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
})

/** What is stored of a token, and what its cache entry is named by. */
export const hashToken = (text: string): Buffer => createHash('sha256').update(text).digest()

export const tokens = {
  /** The token itself is given once, here: `prl_` and 43 characters. */
  async create(
    tx: Writer,
    token: { accountId: string; userId: string; name: string; expiresAt?: Date | null },
  ): Promise<{ id: string; text: string }> {
    const id = newId()
    const text = `prl_${randomBytes(32).toString('base64url')}`
    await tx.run(
      'insert into tokens (id, account_id, user_id, name, hash, created_at, expires_at) values (?, ?, ?, ?, ?, utc_timestamp(3), ?)',
      [id, token.accountId, token.userId, token.name, hashToken(text), token.expiresAt ?? null],
    )
    return { id, text }
  },

  /** The token with this hash, revoked and expired ones as well: look at `isTokenValid`. */
  async byHash(reader: Reader, hash: Buffer): Promise<Token | undefined> {
    const row = await reader.first<Row>(`select ${columns} from tokens where hash = ?`, [hash])
    return row && present(row)
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
