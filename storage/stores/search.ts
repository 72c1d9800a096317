/** The full-text index of messages: how it is kept, and how it is asked. What a term is: `storage/model/search-terms.ts`. */
import { codeOf } from '../../infra/errors.ts'
import type { Reader, SqlValue, Writer } from '../database.ts'
import { inList } from './in-list.ts'
import { withinConversation } from './scope.ts'
import type { Condition, Scope } from './scope.ts'

/** A message with what its cards say. */
export interface Searchable {
  readonly id: string
  readonly accountId: string
  readonly conversationId: string
  readonly channelId: string
  readonly occurredAt: Date
  readonly kind: string
  readonly text: string | null
  readonly isDeleted: number
  readonly cards: readonly { readonly kind: string; readonly words: string; readonly link: string | null }[]
}

export interface SearchRow {
  readonly messageId: string
  readonly accountId: string
  readonly conversationId: string
  readonly channelId: string
  readonly occurredAt: Date
  readonly flags: number
  readonly terms: string
}

/** Bits of `flags`. */
export const searchFlags = { attachment: 1, image: 2, link: 4, note: 8 } as const

/** What a search is narrowed to; an empty list matches nothing. `writerIds`: contacts or users. */
export interface SearchFilter {
  readonly channelIds?: readonly string[]
  readonly writerIds?: readonly string[]
  readonly assigneeIds?: readonly string[]
  readonly isUnassigned?: boolean
  readonly statuses?: readonly string[]
  /** One of each of these lists. */
  readonly labelIds?: readonly (readonly string[])[]
  readonly flags?: number
  readonly before?: Date | undefined
  readonly after?: Date | undefined
}

/** Terms that stand next to each other, as the index writes them. `isPrefix`: the last one may go on. */
export interface SearchPhrase {
  readonly terms: readonly string[]
  readonly isPrefix: boolean
  readonly isExcluded: boolean
}

export interface SearchHit {
  readonly messageId: string
  readonly conversationId: string
}

export interface SearchWish {
  readonly accountId: string
  readonly scope: Scope
  readonly phrases: readonly SearchPhrase[]
  readonly filter: SearchFilter
  readonly most: number
  readonly limitMs: number
}

export const search = {
  /** These messages as they are now; what is gone is left out. */
  async read(reader: Reader, ids: readonly string[]): Promise<Searchable[]> {
    if (ids.length === 0) return []
    const list = inList(ids)
    const [rows, cards] = [
      await reader.query<Omit<Searchable, 'cards'>>(
        `select id, account_id accountId, conversation_id conversationId, channel_id channelId, occurred_at occurredAt, kind, text,
           deleted_at is not null isDeleted from messages where id in ${list.sql}`,
        list.values,
      ),
      await reader.query<Searchable['cards'][number] & { readonly messageId: string }>(
        `select a.message_id messageId, a.kind, concat_ws(' ', a.title, a.text) words, a.link from messages m
         join attachments a on a.account_id = m.account_id and a.message_id = m.id where m.id in ${list.sql}`,
        list.values,
      ),
    ]
    const cardsOf = Map.groupBy(cards, ({ messageId }) => messageId)
    return rows.map((row) => ({ ...row, cards: cardsOf.get(row.id) ?? [] }))
  },

  /** Puts these rows in the place of what was there for `ids`. */
  async put(tx: Writer, ids: readonly string[], rows: readonly SearchRow[]): Promise<void> {
    if (ids.length === 0) return
    const list = inList(ids)
    await tx.run(`delete from message_search where message_id in ${list.sql}`, list.values)
    await insertRows(tx, rows, 'insert')
  },

  /** Adds what is not there yet; what is there is newer. */
  addMissing: (tx: Writer, rows: readonly SearchRow[]): Promise<void> => insertRows(tx, rows, 'fill'),

  /** Ids of messages before `nextId` that are to be taken in, the newest first; undefined when all are. */
  async backfillNext(reader: Reader, count: number): Promise<string[] | undefined> {
    const place = await reader.first<{ nextId: string | null; doneAt: Date | null }>(
      'select next_id nextId, done_at doneAt from search_backfill where id = 1',
    )
    if (place === undefined || place.doneAt !== null) return undefined
    const rows = await reader.query<{ id: string }>(
      `select id from messages ${place.nextId === null ? '' : 'where id < ?'} order by id desc limit ${String(Math.trunc(count))}`,
      place.nextId === null ? [] : [place.nextId],
    )
    return rows.map(({ id }) => id)
  },

  /** `nextId` undefined: all are there. */
  async backfillMove(tx: Writer, nextId: string | undefined): Promise<void> {
    await tx.run(
      'update search_backfill set next_id = coalesce(?, next_id), done_at = if(?, utc_timestamp(3), null) where id = 1',
      [nextId ?? null, nextId === undefined],
    )
  },

  /** In how many of the newest messages, of `among`, each phrase is: what is common must not be asked of the index. */
  async sample(
    reader: Reader,
    wish: SearchWish,
    among: number,
  ): Promise<{ count: number; found: number[] } | undefined> {
    const likes = wish.phrases.map(likeOf)
    const rows = await inTime(() =>
      reader.query<Record<string, string | number | null>>(
        `${limited(wish.limitMs)} select count(*) n${likes.map((_, n) => `, sum(t.terms like ?) f${String(n)}`).join('')}
         from (select terms from message_search where account_id = ? order by occurred_at desc limit ${String(Math.trunc(among))}) t`,
        [...likes, wish.accountId],
      ),
    )
    if (rows === undefined) return undefined
    const [row] = rows
    return { count: Number(row?.['n'] ?? 0), found: likes.map((_, n) => Number(row?.[`f${String(n)}`] ?? 0)) }
  },

  /** By the index: `rare` are asked of it, all are held against the terms. The best first, then the newest. */
  async match(reader: Reader, wish: SearchWish, rare: readonly SearchPhrase[]): Promise<SearchHit[] | undefined> {
    const against = rare.map(({ terms, isPrefix }) => terms.map((term, n) => `+${term}${isPrefix && n === terms.length - 1 ? '*' : ''}`).join(' ')).join(' ') // prettier-ignore
    const narrowed = conditions(wish)
    return inTime(() =>
      reader.query<SearchHit>(
        `${limited(wish.limitMs)} select s.message_id messageId, s.conversation_id conversationId from message_search s
         where match(s.terms) against(? in boolean mode) and s.account_id = ?${narrowed.sql}
         order by floor(log2(1 + match(s.terms) against(? in boolean mode))) desc, s.occurred_at desc limit ${String(Math.trunc(wish.most))}`,
        [against, wish.accountId, ...narrowed.values, against],
      ),
    )
  },

  /** Without the index: the newest that fit, of the `among` newest messages of the account, or of all. */
  async scan(reader: Reader, wish: SearchWish, among?: number): Promise<SearchHit[] | undefined> {
    const narrowed = conditions(wish)
    const from =
      among === undefined
        ? 'message_search'
        : `(select * from message_search where account_id = ? order by occurred_at desc limit ${String(Math.trunc(among))})`
    return inTime(() =>
      reader.query<SearchHit>(
        `${limited(wish.limitMs)} select s.message_id messageId, s.conversation_id conversationId from ${from} s
         where s.account_id = ?${narrowed.sql} order by s.occurred_at desc limit ${String(Math.trunc(wish.most))}`,
        [...(among === undefined ? [] : [wish.accountId]), wish.accountId, ...narrowed.values],
      ),
    )
  },
}

async function insertRows(tx: Writer, rows: readonly SearchRow[], how: 'insert' | 'fill'): Promise<void> {
  await tx.insertMany(
    'message_search',
    ['message_id', 'account_id', 'conversation_id', 'channel_id', 'occurred_at', 'flags', 'terms'],
    rows.map((row) => [row.messageId, row.accountId, row.conversationId, row.channelId, row.occurredAt, row.flags, row.terms]), // prettier-ignore
    ...(how === 'fill' ? ['on duplicate key update flags = flags'] : []),
  )
}

/** Stopped by the server itself, so that nothing goes on running there. */
const limited = (limitMs: number): string => `set statement max_statement_time = ${(Math.max(1, limitMs) / 1000).toFixed(3)} for` // prettier-ignore

const overTime = new Set(['ER_QUERY_INTERRUPTED', 'HA_ERR_FTS_EXCEED_RESULT_CACHE_LIMIT'])
/** MariaDB's ER_STATEMENT_TIMEOUT, of which the driver has no name. */
const isTimeLimit = (error: unknown): boolean => error instanceof Error && 'errno' in error && error.errno === 1969

/** The index, when it is interrupted, says that its results are too many. */
async function inTime<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work()
  } catch (error) {
    if (overTime.has(codeOf(error) ?? '') || isTimeLimit(error)) return undefined
    throw error
  }
}

/** Terms hold letters and digits alone, so nothing is to be escaped. */
const likeOf = ({ terms, isPrefix }: SearchPhrase): string => `% ${terms.join(' ')}${isPrefix ? '' : ' '}%`

function conditions({ accountId, scope, phrases, filter }: SearchWish): Condition {
  const within = withinConversation(scope, 's')
  const parts: string[] = [within.sql]
  const values: SqlValue[] = [...within.values]
  const narrow = (sql: string, more: readonly SqlValue[]): void => {
    parts.push(` and ${sql}`)
    values.push(...more)
  }
  const oneOf = (column: string, ids: readonly string[]): Condition => {
    const list = inList(ids)
    return { sql: `${column} in ${list.sql}`, values: list.values }
  }
  for (const phrase of phrases) narrow(`s.terms ${phrase.isExcluded ? 'not ' : ''}like ?`, [likeOf(phrase)])
  if (filter.flags !== undefined && filter.flags > 0) narrow('s.flags & ? = ?', [filter.flags, filter.flags])
  if (filter.before !== undefined) narrow('s.occurred_at < ?', [filter.before])
  if (filter.after !== undefined) narrow('s.occurred_at >= ?', [filter.after])
  if (filter.channelIds !== undefined) {
    const of = oneOf('s.channel_id', filter.channelIds)
    narrow(of.sql, of.values)
  }
  if (filter.writerIds !== undefined) {
    const [contact, author] = [oneOf('m.contact_id', filter.writerIds), oneOf('m.author_id', filter.writerIds)]
    narrow(
      `exists (select 1 from messages m where m.account_id = ? and m.id = s.message_id and (${contact.sql} or ${author.sql}))`,
      [accountId, ...contact.values, ...author.values],
    )
  }
  const care: Condition[] = []
  if (filter.statuses !== undefined) care.push(oneOf('c.status', filter.statuses))
  if (filter.assigneeIds !== undefined) care.push(oneOf('c.assignee_id', filter.assigneeIds))
  if (filter.isUnassigned === true) care.push({ sql: 'c.assignee_id is null', values: [] })
  if (care.length > 0)
    narrow(
      `exists (select 1 from conversations c where c.account_id = ? and c.id = s.conversation_id and ${care.map(({ sql }) => sql).join(' and ')})`,
      [accountId, ...care.flatMap((each) => each.values)],
    )
  for (const ids of filter.labelIds ?? []) {
    const of = oneOf('k.mark', ids)
    narrow(
      `exists (select 1 from conversation_marks k where k.account_id = ? and k.conversation_id = s.conversation_id and k.kind = 1 and ${of.sql})`,
      [accountId, ...of.values],
    )
  }
  return { sql: parts.join(''), values }
}
