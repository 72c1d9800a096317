/** What few conversations carry and lists are narrowed to: labels, participants, mentions, priorities above none; that they are public. */
import type { Reader, Writer } from '../database.ts'
import { inList } from './in-list.ts'

export const markKinds = { label: 1, participant: 2, mention: 3, priority: 4, public: 5 } as const
export type MarkKind = (typeof markKinds)[keyof typeof markKinds]

/** A priority stands as an id among marks. */
export const priorityMark = (priority: number): string => `00000000-0000-0000-0000-00000000000${String(priority)}`

export const publicMark = priorityMark(0)

export interface Mark {
  readonly conversationId: string
  readonly kind: MarkKind
  readonly mark: string
}

export const marks = {
  /** Puts them on locked conversations; those that are there stay. */
  async put(tx: Writer, accountId: string, news: readonly Mark[]): Promise<void> {
    if (news.length === 0) return
    const list = inList([...new Set(news.map(({ conversationId }) => conversationId))])
    await tx.run(
      `update conversations set is_marked = true where account_id = ? and id in ${list.sql} and is_marked = 0`,
      [accountId, ...list.values],
    )
    await tx.run(
      `insert ignore into conversation_marks (account_id, conversation_id, kind, mark, status, last_activity_at)
       select c.account_id, c.id, n.kind, cast(n.mark as uuid), c.status, c.last_activity_at
       from json_table(?, '$[*]' columns (id char(36) path '$.conversationId', kind tinyint path '$.kind', mark char(36) path '$.mark')) n
       join conversations c on c.account_id = ? and c.id = cast(n.id as uuid)`,
      [JSON.stringify(news), accountId],
    )
  },

  async take(tx: Writer, accountId: string, gone: readonly Mark[]): Promise<void> {
    for (const [kind, some] of Map.groupBy(gone, (each) => each.kind))
      for (const [mark, of] of Map.groupBy(some, (each) => each.mark)) {
        const list = inList(of.map(({ conversationId }) => conversationId))
        await tx.run(
          `delete from conversation_marks where account_id = ? and conversation_id in ${list.sql} and kind = ? and mark = ?`,
          [accountId, ...list.values, kind, mark],
        )
      }
  },

  /** Of these conversations. */
  of(reader: Reader, accountId: string, conversationIds: readonly string[], kind: MarkKind): Promise<Mark[]> {
    if (conversationIds.length === 0) return Promise.resolve([])
    const list = inList(conversationIds)
    return reader.query<Mark>(
      `select conversation_id conversationId, kind, mark from conversation_marks where account_id = ? and conversation_id in ${list.sql} and kind = ?`,
      [accountId, ...list.values, kind],
    )
  },

  /** Status and activity of these conversations have changed: their marks say so too. */
  async follow(tx: Writer, conversationIds: readonly string[]): Promise<void> {
    if (conversationIds.length === 0) return
    const list = inList([...conversationIds].sort())
    await tx.run(
      `update conversations c straight_join conversation_marks m on m.account_id = c.account_id and m.conversation_id = c.id
       set m.status = c.status, m.last_activity_at = c.last_activity_at where c.id in ${list.sql}`,
      list.values,
    )
  },

  /** Some conversations that carry it, to be freed from it. */
  carriers(reader: Reader, accountId: string, kind: MarkKind, mark: string, limit: number): Promise<{ id: string }[]> {
    return reader.query<{ id: string }>(
      'select conversation_id id from conversation_marks where account_id = ? and kind = ? and mark = ? limit ?',
      [accountId, kind, mark, limit],
    )
  },
}
