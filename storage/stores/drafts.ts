/** What people have begun to write: one draft for each user and conversation, which nobody else sees. */
import type { Reader, Writer } from '../database.ts'
import type { OutboundKind } from '../model/words.ts'

export interface DraftKey {
  readonly accountId: string
  readonly userId: string
  readonly conversationId: string
}

export interface Draft extends DraftKey {
  readonly kind: OutboundKind
  readonly text: string
  readonly inReplyTo: string | null
  readonly documentIds: readonly string[]
  /** Rises with each change, and never repeats after a draft was removed. */
  readonly version: number
  readonly updatedAt: Date
}

/** What a list shows of one. */
export type DraftMark = Pick<Draft, 'conversationId' | 'kind' | 'version' | 'updatedAt'>

const here = 'account_id = ? and user_id = ? and conversation_id = ?'
const valuesOf = ({ accountId, userId, conversationId }: DraftKey) => [accountId, userId, conversationId]

export const drafts = {
  get: (reader: Reader, key: DraftKey): Promise<Draft | undefined> => read(reader, key),

  /** Holds its place until the transaction ends, which must put or remove it: two tabs come one after the other. */
  async lock(tx: Writer, key: DraftKey): Promise<Draft | undefined> {
    await tx.insertMany(
      'drafts',
      ['account_id', 'user_id', 'conversation_id', 'kind', 'text', 'version', 'updated_at'],
      [[...valuesOf(key), 'note', '', 0, new Date()]],
      'on duplicate key update version = version',
    )
    const found = await read(tx, key)
    return found?.version === 0 ? undefined : found
  },

  /** In place of what was there; the caller holds its documents. */
  async put(tx: Writer, draft: Draft): Promise<void> {
    const { kind, text, inReplyTo, version, updatedAt } = draft
    await tx.insertMany(
      'drafts',
      ['account_id', 'user_id', 'conversation_id', 'kind', 'text', 'in_reply_to', 'version', 'updated_at'],
      [[...valuesOf(draft), kind, text, inReplyTo, version, updatedAt]],
      'on duplicate key update kind = values(kind), text = values(text), in_reply_to = values(in_reply_to), version = values(version), updated_at = values(updated_at)',
    )
    await tx.run(`delete from draft_files where ${here}`, valuesOf(draft))
    await tx.insertMany(
      'draft_files',
      ['account_id', 'user_id', 'conversation_id', 'position', 'document_id'],
      draft.documentIds.map((documentId, position) => [...valuesOf(draft), position, documentId]),
    )
  },

  /** With a version: only if it is that one still. Whether it is gone by this. */
  async remove(tx: Writer, key: DraftKey, version?: number): Promise<boolean> {
    const { affectedRows } = await tx.run(
      `delete from drafts where ${here}${version === undefined ? '' : ' and version = ?'}`,
      [...valuesOf(key), ...(version === undefined ? [] : [version])],
    )
    if (affectedRows === 0) return false
    await tx.run(`delete from draft_files where ${here}`, valuesOf(key))
    return true
  },

  /** Of one user, the newest first. */
  list(reader: Reader, accountId: string, userId: string, limit: number): Promise<DraftMark[]> {
    return reader.query<DraftMark>(
      `select conversation_id conversationId, kind, version, updated_at updatedAt from drafts where account_id = ? and user_id = ?
       order by updated_at desc, conversation_id limit ?`,
      [accountId, userId, limit],
    )
  },

  async count(reader: Reader, accountId: string, userId: string): Promise<number> {
    const row = await reader.first<{ n: number }>(
      'select count(*) n from drafts where account_id = ? and user_id = ?',
      [accountId, userId],
    )
    return row?.n ?? 0
  },

  /** Those that nobody has touched since, of all accounts; how many. */
  async removeBefore(tx: Writer, at: Date, limit: number): Promise<number> {
    const rows = await tx.query<DraftKey>(
      'select account_id accountId, user_id userId, conversation_id conversationId from drafts where updated_at < ? order by updated_at limit ? for update skip locked',
      [at, limit],
    )
    for (const key of rows) await drafts.remove(tx, key)
    return rows.length
  },
}

async function read(reader: Reader, key: DraftKey): Promise<Draft | undefined> {
  const row = await reader.first<Omit<Draft, keyof DraftKey | 'documentIds'>>(
    `select kind, text, in_reply_to inReplyTo, version, updated_at updatedAt from drafts where ${here}`,
    valuesOf(key),
  )
  if (row === undefined) return undefined
  const files = await reader.query<{ id: string }>(
    `select document_id id from draft_files where ${here} order by position`,
    valuesOf(key),
  )
  return { ...key, ...row, documentIds: files.map(({ id }) => id) }
}
