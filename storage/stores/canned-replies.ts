/** Texts that are kept to be said again and again. */
import type { Reader, SqlValue, Writer } from '../database.ts'
import { inList } from './in-list.ts'

export interface CannedReply {
  readonly id: string
  readonly accountId: string
  /** The account's own id, or that of the team whose it is. */
  readonly ownerId: string
  /** What is typed after `/`. */
  readonly shortcut: string
  readonly name: string
  /** With variables such as `{{contact.name}}`. */
  readonly text: string
  readonly documentIds: readonly string[]
  readonly useCount: number
  readonly usedAt: Date | null
}

/** So many an account can have. */
export const mostCannedReplies = 1_000

const columns =
  'id, account_id accountId, owner_id ownerId, shortcut, name, text, document_ids documentIds, use_count useCount, used_at usedAt'

export const cannedReplies = {
  /** Of these owners, the most used first; `q` stands at the beginning of the shortcut or within name or text. */
  list(
    reader: Reader,
    accountId: string,
    filter: {
      readonly ownerIds?: readonly string[] | undefined
      readonly q?: string | undefined
      readonly limit: number
    },
  ): Promise<CannedReply[]> {
    const values: SqlValue[] = [accountId]
    let where = ''
    if (filter.ownerIds !== undefined) {
      const list = inList(filter.ownerIds)
      where += ` and owner_id in ${list.sql}`
      values.push(...list.values)
    }
    let order = ''
    if (filter.q !== undefined && filter.q !== '') {
      const like = filter.q.replace(/[\\%_]/g, '\\$&')
      where += ' and (shortcut like ? or name like ? or text like ?)'
      order = 'shortcut like ? desc, '
      values.push(`${like}%`, `%${like}%`, `%${like}%`, `${like}%`)
    }
    return reader.query<CannedReply>(
      `select ${columns} from canned_replies where account_id = ?${where} order by ${order}use_count desc, shortcut limit ${String(Math.trunc(filter.limit))}`,
      values,
    )
  },

  lock(tx: Writer, accountId: string, id: string): Promise<CannedReply | undefined> {
    return tx.first<CannedReply>(`select ${columns} from canned_replies where account_id = ? and id = ? for update`, [
      accountId,
      id,
    ])
  },

  get(reader: Reader, accountId: string, id: string): Promise<CannedReply | undefined> {
    return reader.first<CannedReply>(`select ${columns} from canned_replies where account_id = ? and id = ?`, [
      accountId,
      id,
    ])
  },

  async count(reader: Reader, accountId: string): Promise<number> {
    const row = await reader.first<{ n: number }>('select count(*) n from canned_replies where account_id = ?', [
      accountId,
    ])
    return row?.n ?? 0
  },

  /** The shortcut is unique for its owner (ER_DUP_ENTRY). */
  async create(tx: Writer, reply: CannedReply): Promise<void> {
    await tx.run(
      `insert into canned_replies (id, account_id, owner_id, shortcut, name, text, document_ids, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3))`,
      [
        ...[reply.id, reply.accountId, reply.ownerId, reply.shortcut, reply.name, reply.text],
        JSON.stringify(reply.documentIds),
      ],
    )
  },

  async change(tx: Writer, reply: CannedReply): Promise<void> {
    await tx.run(
      'update canned_replies set owner_id = ?, shortcut = ?, name = ?, text = ?, document_ids = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ?',
      [
        ...[reply.ownerId, reply.shortcut, reply.name, reply.text, JSON.stringify(reply.documentIds)],
        ...[reply.accountId, reply.id],
      ],
    )
  },

  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('delete from canned_replies where account_id = ? and id = ?', [accountId, id])
  },

  async countUse(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run(
      'update canned_replies set use_count = use_count + 1, used_at = utc_timestamp(3) where account_id = ? and id = ?',
      [accountId, id],
    )
  },
}
