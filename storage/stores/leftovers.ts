/** What lies about: documents that nobody names any more, and what may not be kept any longer. Looked for over all accounts. */
import type { Reader, Writer } from '../database.ts'
import { anyOf, inList } from './in-list.ts'

/** Every column that keeps a document; where a new table names documents, it is written down here. */
export const keepers = [
  ['attachments', 'document_id'],
  ['post_files', 'document_id'],
  ['draft_files', 'document_id'],
] as const

/** Rows that are nothing without their document. */
export const dependents = [
  ['document_variants', 'document_id'],
  ['uploads', 'document_id'],
] as const

export interface Overdue {
  readonly id: string
  readonly accountId: string
  readonly messageId: string
  readonly conversationId: string
}

export const leftovers = {
  /** Attachments whose time is over, the longest first. */
  overdue(reader: Reader, limit: number): Promise<Overdue[]> {
    return reader.query<Overdue>(
      `select a.id, a.account_id accountId, a.message_id messageId, m.conversation_id conversationId
       from attachments a join messages m on m.account_id = a.account_id and m.id = a.message_id
       where a.keep_until <= utc_timestamp(3) order by a.keep_until limit ?`,
      [limit],
    )
  },

  /** Takes away its file and every address of it, and says why; a fetch under way finds its claim gone. The document it named. */
  async expire(
    tx: Writer,
    { accountId, id }: Pick<Overdue, 'accountId' | 'id'>,
    why: { readonly code: string; readonly reason: string },
  ): Promise<{ readonly documentId: string | null } | undefined> {
    const before = await tx.first<{ documentId: string | null }>(
      'select document_id documentId from attachments where account_id = ? and id = ? and keep_until <= utc_timestamp(3) for update',
      [accountId, id],
    )
    if (before === undefined) return undefined
    await tx.run(
      `update attachments set state = 'unavailable', reason = ?, reason_code = ?, url = null, link = null, external_id = null, document_id = null,
         size = null, claim_id = null, next_try_at = null, keep_until = null where account_id = ? and id = ?`,
      [why.reason, why.code, accountId, id],
    )
    return before
  },

  /** Documents made before `before` in the order of their ids, some of which nobody may name. */
  async unnamed(
    reader: Reader,
    after: string,
    before: Date,
    limit: number,
  ): Promise<{ readonly found: readonly { id: string; accountId: string }[]; readonly last: string | undefined }> {
    const rows = await reader.query<{ id: string; accountId: string }>(
      'select id, account_id accountId from documents where id > ? and created_at < ? order by id limit ?',
      [after, before, limit],
    )
    const named = await namedOf(reader, rows)
    return { found: rows.filter(({ id }) => !named.has(id)), last: rows.length < limit ? undefined : rows.at(-1)?.id }
  },

  /** Removes a document that nobody names, with what is nothing without it; the digests of its bytes, which others may share. */
  async removeUnnamed(tx: Writer, accountId: string, id: string): Promise<readonly string[]> {
    const row = await tx.first<{ digest: Buffer }>(
      'select digest from documents where account_id = ? and id = ? for update',
      [accountId, id],
    )
    // Whoever is about to name it holds the row: by now it shows.
    if (row === undefined || (await namedOf(tx, [{ id, accountId }], 'lock in share mode')).size > 0) return []
    const variants = await tx.query<{ digest: Buffer }>(
      'select digest from document_variants where account_id = ? and document_id = ?',
      [accountId, id],
    )
    for (const [table, column] of dependents)
      await tx.run(`delete from ${table} where account_id = ? and ${column} = ?`, [accountId, id])
    await tx.run('delete from documents where account_id = ? and id = ?', [accountId, id])
    return [row, ...variants].map(({ digest }) => digest.toString('hex'))
  },

  /** Those of these digests that any row of any account names. */
  async usedDigests(reader: Reader, digests: readonly string[]): Promise<ReadonlySet<string>> {
    if (digests.length === 0) return new Set()
    const list = inList(digests.map((digest) => Buffer.from(digest, 'hex')))
    const rows = await reader.query<{ digest: Buffer }>(
      `select digest from documents where digest in ${list.sql} union select digest from document_variants where digest in ${list.sql}`,
      [...list.values, ...list.values],
    )
    return new Set(rows.map(({ digest }) => digest.toString('hex')))
  },
}

async function namedOf(
  reader: Reader,
  documents: readonly { readonly id: string; readonly accountId: string }[],
  lock: '' | 'lock in share mode' = '',
): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const [table, column] of keepers) {
    const named = anyOf(
      ['account_id', column],
      documents.map(({ id, accountId }) => [accountId, id]),
    )
    const rows = await reader.query<{ id: string }>(
      `select distinct ${column} id from ${table} where ${named.sql} ${lock}`,
      named.values,
    )
    for (const { id } of rows) found.add(id)
  }
  return found
}
