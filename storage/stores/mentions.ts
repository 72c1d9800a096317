/** Who was named in notes, and whether they have seen it. */
import type { Reader, SqlValue, Writer } from '../database.ts'
import { everything, withinConversation } from './scope.ts'
import type { Scope } from './scope.ts'

export interface Mention {
  readonly accountId: string
  readonly userId: string
  readonly messageId: string
  readonly conversationId: string
  readonly at: Date
  readonly seenAt: Date | null
}

export const mentions = {
  async add(tx: Writer, news: readonly Omit<Mention, 'seenAt'>[]): Promise<void> {
    await tx.insertMany(
      'mentions',
      ['account_id', 'user_id', 'message_id', 'conversation_id', 'at'],
      news.map((each) => [each.accountId, each.userId, each.messageId, each.conversationId, each.at]),
      'on duplicate key update at = at',
    )
  },

  /** The newest first. */
  async list(
    reader: Reader,
    accountId: string,
    userId: string,
    filter: {
      readonly isUnseen: boolean
      readonly before?: { at: Date; id: string } | undefined
      readonly limit: number
    },
    scope: Scope = everything,
  ): Promise<(Mention & { readonly text: string | null; readonly authorId: string | null })[]> {
    const limit = withinConversation(scope, 'g')
    const values: SqlValue[] = [accountId, userId]
    const before = filter.before === undefined ? '' : ' and m.at <= ? and (m.at < ? or m.message_id < ?)'
    if (filter.before !== undefined) values.push(filter.before.at, filter.before.at, filter.before.id)
    return reader.query(
      `select m.account_id accountId, m.user_id userId, m.message_id messageId, m.conversation_id conversationId, m.at, m.seen_at seenAt,
         left(g.text, 300) text, g.author_id authorId
       from mentions m straight_join messages g on g.account_id = m.account_id and g.id = m.message_id
       where m.account_id = ? and m.user_id = ?${before}${filter.isUnseen ? ' and m.seen_at is null' : ''}${limit.sql}
       order by m.at desc, m.message_id desc limit ${String(filter.limit)}`,
      [...values, ...limit.values],
    )
  },

  /** Those in this conversation, or all of this user; how many were not seen before. */
  async see(tx: Writer, accountId: string, userId: string, conversationId: string | undefined): Promise<number> {
    const { affectedRows } = await tx.run(
      `update mentions set seen_at = utc_timestamp(3) where account_id = ? and user_id = ? and seen_at is null${conversationId === undefined ? '' : ' and conversation_id = ?'}`,
      [accountId, userId, ...(conversationId === undefined ? [] : [conversationId])],
    )
    return affectedRows
  },
}
