/** Rows of browser sessions, by the SHA-256 of the id in the cookie. */
import type { Reader, SqlValue, Writer } from '../database.ts'

/** A session as a person sees it in a list. `id` is the hash in hexadecimal: it signs nobody in. */
export interface SessionInfo {
  readonly id: string
  readonly address: string | null
  readonly agent: string | null
  readonly createdAt: Date
  readonly seenAt: Date
}

/** A session as it is stored. */
export interface SessionRow {
  readonly accountId: string | null
  readonly userId: string | null
  readonly data: Readonly<Record<string, unknown>>
  readonly address: string | null
  readonly agent: string | null
  readonly expiresAt: Date
}

interface InfoRow {
  id_hash: Buffer
  address: string | null
  agent: string | null
  created_at: Date
  seen_at: Date
}

export const sessionRows = {
  async get(reader: Reader, hash: Buffer): Promise<{ data: Record<string, unknown>; expiresAt: Date } | undefined> {
    const row = await reader.first<{ data: Record<string, unknown>; expires_at: Date }>(
      'select data, expires_at from sessions where id_hash = ? and expires_at > utc_timestamp(3)',
      [hash],
    )
    return row && { data: row.data, expiresAt: row.expires_at }
  },

  async insert(tx: Writer, hash: Buffer, row: SessionRow): Promise<void> {
    await tx.run(
      `insert into sessions (id_hash, account_id, user_id, data, address, agent, expires_at, created_at, seen_at)
       values (?, ?, ?, ?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3))
       on duplicate key update account_id = values(account_id), user_id = values(user_id), data = values(data), expires_at = values(expires_at)`,
      [hash, ...valuesOf(row)],
    )
  },

  /** Changes nothing when the session was ended meanwhile. */
  async update(tx: Writer, hash: Buffer, row: SessionRow): Promise<void> {
    await tx.run(
      `update sessions set account_id = ?, user_id = ?, data = ?, address = ?, agent = ?, expires_at = ?, seen_at = utc_timestamp(3) where id_hash = ?`,
      [...valuesOf(row), hash],
    )
  },

  /** Notes that it is in use; false when it was ended. */
  async touch(tx: Writer, hash: Buffer, expiresAt: Date): Promise<boolean> {
    return (
      (
        await tx.run('update sessions set seen_at = utc_timestamp(3), expires_at = ? where id_hash = ?', [
          expiresAt,
          hash,
        ])
      ).affectedRows === 1
    )
  },

  async remove(tx: Writer, hash: Buffer): Promise<void> {
    await tx.run('delete from sessions where id_hash = ?', [hash])
  },

  async list(reader: Reader, accountId: string, userId: string): Promise<SessionInfo[]> {
    const rows = await reader.query<InfoRow>(
      `select id_hash, address, agent, created_at, seen_at from sessions
       where account_id = ? and user_id = ? and expires_at > utc_timestamp(3) order by seen_at desc`,
      [accountId, userId],
    )
    return rows.map((row) => ({
      id: row.id_hash.toString('hex'),
      address: row.address,
      agent: row.agent,
      createdAt: row.created_at,
      seenAt: row.seen_at,
    }))
  },

  /** Ends a user's sessions, or the one named, or all but one; the hashes of those ended. */
  async removeOf(
    tx: Writer,
    accountId: string,
    userId: string,
    which: { readonly only?: Buffer; readonly except?: Buffer } = {},
  ): Promise<Buffer[]> {
    const named = which.only ?? which.except
    const one = named === undefined ? '' : ` and id_hash ${which.only === undefined ? '<>' : '='} ?`
    const values: SqlValue[] = [accountId, userId, ...(named === undefined ? [] : [named])]
    const rows = await tx.query<{ id_hash: Buffer }>(
      `select id_hash from sessions where account_id = ? and user_id = ?${one} for update`,
      values,
    )
    await tx.run(`delete from sessions where account_id = ? and user_id = ?${one}`, values)
    return rows.map((row) => row.id_hash)
  },

  /** Deletes sessions that have expired, at most `limit`; returns how many. */
  async removeExpired(tx: Writer, limit: number): Promise<number> {
    return (
      await tx.run('delete from sessions where expires_at < utc_timestamp(3) order by expires_at limit ?', [limit])
    ).affectedRows
  },
}

const valuesOf = (row: SessionRow): SqlValue[] => [
  row.accountId,
  row.userId,
  JSON.stringify(row.data),
  row.address,
  row.agent,
  row.expiresAt,
]
