/** The sealed columns of all tables, for changing keys. */
import type { Writer } from '../database.ts'
import type { Secrets } from '../secrets.ts'

/** Each column that holds sealed text, written out. */
export const sealedColumns = [
  { table: 'apps', column: 'sealed_secrets' },
  { table: 'channels', column: 'sealed_credentials' },
  { table: 'connect_attempts', column: 'sealed_data' },
  { table: 'users', column: 'sealed_totp' },
] as const

/**
 * Seals with the current key what lies under an older one, in the rows after `afterId`, at most `limit` of them.
 * The last id looked at, or undefined at the end.
 */
export async function resealSome(
  tx: Writer,
  secrets: Secrets,
  { table, column }: (typeof sealedColumns)[number],
  afterId: string,
  limit: number,
): Promise<{ lastId: string; resealed: number } | undefined> {
  const rows = await tx.query<{ id: string; sealed: Buffer }>(
    `select id, ${column} as sealed from ${table} where id > ? and ${column} is not null order by id limit ? for update`,
    [afterId, limit],
  )
  const last = rows.at(-1)
  if (last === undefined) return undefined
  const old = rows.filter(({ sealed }) => !secrets.isCurrent(sealed))
  for (const { id, sealed } of old) {
    const place = `${table}|${column}|${id}`
    await tx.run(`update ${table} set ${column} = ? where id = ?`, [
      secrets.seal(secrets.open(sealed, place), place),
      id,
    ])
  }
  return { lastId: last.id, resealed: old.length }
}
