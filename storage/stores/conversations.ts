/** The unit of care between a channel and a contact, or below one post. */
import { Problem } from '../../infra/errors.ts'
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import type { ConversationStatus, Visibility } from '../model/words.ts'
import { isUp, selectIds } from './conversation-query.ts'
import type { ConversationFilter } from './conversation-query.ts'
import { anyOf, inList } from './in-list.ts'
import { markKinds, marks, publicMark } from './marks.ts'
import { everything, within } from './scope.ts'
import type { Scope } from './scope.ts'

export interface Conversation {
  readonly id: string
  readonly accountId: string
  readonly channelId: string
  readonly contactId: string
  readonly contactAddressId: string
  readonly visibility: Visibility
  readonly threadKey: string
  readonly postId: string | null
  readonly status: ConversationStatus
  readonly assigneeId: string | null
  readonly teamId: string | null
  /** 0 none, 1 low, 2 high, 3 urgent. */
  readonly priority: number
  /** Of a snoozed one; null: until the contact writes. */
  readonly snoozedUntil: Date | null
  readonly preview: string
  readonly lastActivityAt: Date
  readonly lastInboundAt: Date | null
  readonly waitingSince: Date | null
  readonly deliverySeq: number
  /** There may be answers that are called off when the contact writes. */
  readonly endsIfAnswered: boolean
  /** It has marks: labels, participants and the like. */
  readonly isMarked: boolean
  /** Rises with every change of its care. */
  readonly careSeq: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export type NewConversation = Pick<
  Conversation,
  | 'accountId'
  | 'channelId'
  | 'contactId'
  | 'contactAddressId'
  | 'visibility'
  | 'threadKey'
  | 'postId'
  | 'lastActivityAt'
>

/** A conversation as lists and its own page show it. */
export interface ShownConversation extends Conversation {
  readonly contactName: string
  readonly handle: string | null
  readonly labelIds: readonly string[]
  readonly participantIds: readonly string[]
}

/** The fields of care, as they are to be from now on. */
export type Care = Pick<
  Conversation,
  'id' | 'status' | 'assigneeId' | 'teamId' | 'priority' | 'snoozedUntil' | 'waitingSince'
>

const threadKeyOf = (conversation: Pick<Conversation, 'channelId' | 'threadKey'>): string =>
  `${conversation.channelId} ${conversation.threadKey}`

const columns = `c.id, c.account_id accountId, c.channel_id channelId, c.contact_id contactId, c.contact_address_id contactAddressId,
  c.visibility, c.thread_key threadKey, c.post_id postId, c.status, c.assignee_id assigneeId, c.team_id teamId, c.priority,
  c.snoozed_until snoozedUntil, c.preview, c.last_activity_at lastActivityAt, c.last_inbound_at lastInboundAt, c.waiting_since waitingSince, c.delivery_seq deliverySeq,
  c.ends_if_answered = 1 endsIfAnswered, c.is_marked = 1 isMarked, c.care_seq careSeq, c.created_at createdAt, c.updated_at updatedAt`

/** With what stands around it: whom it is with, and its marks as `kind:id` in one text. */
const shownColumns = `${columns}, coalesce(p.name, '') contactName, a.handle, if(c.is_marked, (select group_concat(k.kind, ':', k.mark)
  from conversation_marks k where k.account_id = c.account_id and k.conversation_id = c.id and k.kind <= 2), null) marks`
const around = `straight_join conversations c on c.account_id = ? and c.id = page.id
  left join contacts p on p.account_id = c.account_id and p.id = c.contact_id
  left join contact_addresses a on a.account_id = c.account_id and a.id = c.contact_address_id`

type ShownRow = Omit<ShownConversation, 'labelIds' | 'participantIds'> & { readonly marks: string | null }

function show({ marks: text, ...row }: ShownRow): ShownConversation {
  const all = text === null ? [] : text.split(',')
  const of = (kind: number) => all.filter((each) => each.startsWith(`${String(kind)}:`)).map((each) => each.slice(2))
  return { ...row, labelIds: of(markKinds.label), participantIds: of(markKinds.participant) }
}

/** A filter that is slower than this is refused: it must be narrowed. */
const slowestS = 3

/** Where a conversation stands, for scopes. */
const places = { channel: 'c.channel_id', team: 'c.team_id' }

export const conversations = {
  /** What makes it one, as one text. */
  key: (conversation: Pick<Conversation, 'channelId' | 'threadKey'>): string => threadKeyOf(conversation),

  async get(
    reader: Reader,
    accountId: string,
    id: string,
    scope: Scope = everything,
  ): Promise<Conversation | undefined> {
    const limit = within(scope, places)
    return reader.first<Conversation>(
      `select ${columns} from conversations c where c.account_id = ? and c.id = ?${limit.sql}`,
      [accountId, id, ...limit.values],
    )
  },

  async getMany(reader: Reader, accountId: string, ids: readonly string[]): Promise<Conversation[]> {
    if (ids.length === 0) return []
    const list = inList(ids)
    return reader.query<Conversation>(
      `select ${columns} from conversations c where c.account_id = ? and c.id in ${list.sql}`,
      [accountId, ...list.values],
    )
  },

  /** One statement for the page and what stands around it. @throws Problem 422 `filter_too_slow` */
  async list(
    reader: Reader,
    accountId: string,
    filter: ConversationFilter,
    scope: Scope = everything,
  ): Promise<ShownConversation[]> {
    const page = selectIds(accountId, filter, scope)
    const rows = await bounded(
      reader.query<ShownRow & { at: Date; rank: number }>(
        `set statement max_statement_time = ${String(slowestS)} for select ${shownColumns}, page.at, page.\`rank\` from (${page.sql}) page ${around}`,
        [...page.values, accountId],
      ),
    )
    const up = isUp(filter.sort ?? 'newest') ? 1 : -1
    const order = (a: { at: Date; id: string }, b: { at: Date; id: string }): number =>
      up * (a.at.getTime() - b.at.getTime() || (a.id < b.id ? -1 : 1))
    return rows.sort((a, b) => b.rank - a.rank || order(a, b)).map(show)
  },

  /** As `list` gives it, within the scope. */
  async shown(
    reader: Reader,
    accountId: string,
    id: string,
    scope: Scope = everything,
  ): Promise<ShownConversation | undefined> {
    const limit = within(scope, places)
    const row = await reader.first<ShownRow>(
      `select ${shownColumns} from (select cast(? as uuid) id) page ${around} where true${limit.sql}`,
      [id, accountId, ...limit.values],
    )
    return row && show(row)
  },

  /** How many each of these filters finds, counted up to the filter's limit, in one statement. */
  async count(
    reader: Reader,
    accountId: string,
    filters: readonly ConversationFilter[],
    scope: Scope = everything,
  ): Promise<number[]> {
    if (filters.length === 0) return []
    const parts = filters.map((filter) => selectIds(accountId, filter, scope, false))
    const rows = await bounded(
      reader.query<{ number: number; n: number }>(
        `set statement max_statement_time = ${String(slowestS)} for ${parts
          .map(({ sql }, index) => `select ${String(index)} number, count(*) n from (${sql}) found`)
          .join(' union all ')}`,
        parts.flatMap(({ values }) => values),
      ),
    )
    return filters.map((_, index) => rows.find(({ number }) => number === index)?.n ?? 0)
  },

  /** Holds the row until the transaction ends. */
  async lock(tx: Writer, accountId: string, id: string): Promise<Conversation | undefined> {
    return tx.first<Conversation>(
      `select ${columns} from conversations c where c.account_id = ? and c.id = ? for update`,
      [accountId, id],
    )
  },

  /** Locks all in the order of their ids, the same on every node; by id. */
  async lockAll(tx: Writer, ids: readonly string[]): Promise<Map<string, Conversation>> {
    if (ids.length === 0) return new Map()
    const list = inList([...ids].sort())
    const rows = await tx.query<Conversation>(
      `select ${columns} from conversations c where c.id in ${list.sql} order by c.id for update`,
      list.values,
    )
    return new Map(rows.map((row) => [row.id, row]))
  },

  /** The ids of these threads' conversations by `key`; an index alone answers. */
  async findByThread(
    reader: Reader,
    threads: readonly Pick<Conversation, 'accountId' | 'channelId' | 'threadKey'>[],
  ): Promise<Map<string, string>> {
    if (threads.length === 0) return new Map()
    const named = threadsNamed(threads)
    const rows = await reader.query<Pick<Conversation, 'id' | 'channelId' | 'threadKey'>>(
      `select c.id, c.channel_id channelId, c.thread_key threadKey from conversations c where ${named.sql}`,
      named.values,
    )
    return new Map(rows.map((row) => [threadKeyOf(row), row.id]))
  },

  /** Begins these conversations, or finds those that another node began meanwhile. `created`: the ids that are new. */
  async begin(
    tx: Writer,
    news: readonly NewConversation[],
  ): Promise<{ all: Map<string, Conversation>; created: Set<string> }> {
    if (news.length === 0) return { all: new Map(), created: new Set() }
    const sorted = [...news].sort((a, b) => (threadKeyOf(a) < threadKeyOf(b) ? -1 : 1))
    const now = new Date()
    const ids = sorted.map(() => newId())
    await tx.insertMany(
      'conversations',
      [
        'id',
        'account_id',
        'channel_id',
        'contact_id',
        'contact_address_id',
        'visibility',
        'thread_key',
        'post_id',
        'last_activity_at',
        'created_at',
        'updated_at',
      ],
      sorted.map((c, index) => [
        ids[index] ?? '',
        c.accountId,
        c.channelId,
        c.contactId,
        c.contactAddressId,
        c.visibility,
        c.threadKey,
        c.postId,
        c.lastActivityAt,
        now,
        now,
      ]),
      'on duplicate key update id = id',
    )
    const named = threadsNamed(sorted)
    const rows = await tx.query<Conversation>(
      `select ${columns} from conversations c where ${named.sql} for update`,
      named.values,
    )
    const made = new Set(ids)
    for (const [accountId, some] of Map.groupBy(
      rows.filter(({ id, visibility }) => visibility === 'public' && made.has(id)),
      (row) => row.accountId,
    ))
      await marks.put(
        tx,
        accountId,
        some.map(({ id }) => ({ conversationId: id, kind: markKinds.public, mark: publicMark })),
      )
    return {
      all: new Map(
        rows.map((row) => [threadKeyOf(row), row.visibility === 'public' ? { ...row, isMarked: true } : row]),
      ),
      created: new Set(rows.map(({ id }) => id).filter((id) => made.has(id))),
    }
  },

  /** Writes the summaries of locked conversations back, all in one statement: a join costs a third less than an upsert. */
  async summarise(tx: Writer, changed: readonly Conversation[]): Promise<void> {
    if (changed.length === 0) return
    const rows = changed.map((c) => ({
      id: c.id,
      status: c.status,
      preview: c.preview,
      activity: sqlTime(c.lastActivityAt),
      inbound: sqlTime(c.lastInboundAt),
      waiting: sqlTime(c.waitingSince),
    }))
    await tx.run(
      `update conversations c join json_table(?, '$[*]' columns (id char(36) path '$.id', status varchar(10) path '$.status',
         preview varchar(200) path '$.preview', activity datetime(3) path '$.activity', inbound datetime(3) path '$.inbound',
         waiting datetime(3) path '$.waiting')) after on c.id = cast(after.id as uuid)
       set c.preview = after.preview, c.last_activity_at = after.activity, c.last_inbound_at = after.inbound,
         c.status = after.status, c.waiting_since = after.waiting, c.updated_at = utc_timestamp(3)`,
      [JSON.stringify(rows)],
    )
    await marks.follow(
      tx,
      changed.filter(({ isMarked }) => isMarked).map(({ id }) => id),
    )
  },

  /** The words of this message have changed: shown if it is the newest. */
  async showNewest(
    tx: Writer,
    message: { readonly accountId: string; readonly conversationId: string; readonly occurredAt: Date },
    preview: string,
  ): Promise<void> {
    await tx.run(
      'update conversations set preview = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ? and last_activity_at <= ?',
      [preview, message.accountId, message.conversationId, message.occurredAt],
    )
  },

  /** Nobody had written here before: it is with this person from now on. */
  async adopt(tx: Writer, accountId: string, id: string, contactId: string): Promise<void> {
    await tx.run(
      `update conversations c set c.contact_id = ?, c.contact_address_id = coalesce((select a.id from contact_addresses a
         join channels h on h.id = c.channel_id and h.type = a.channel_type
         where a.account_id = c.account_id and a.contact_id = ? order by a.scope = cast(h.id as char) desc, a.id limit 1), c.contact_address_id)
       where c.account_id = ? and c.id = ?`,
      [contactId, contactId, accountId, id],
    )
  },

  /** An answer was queued in a locked conversation: the next places in its order of sending, the first of them; nobody waits any more. */
  async takeTurns(tx: Writer, conversation: Conversation, count: number, preview: string, at: Date): Promise<number> {
    const seq = conversation.deliverySeq + count
    await tx.run(
      `update conversations set delivery_seq = ?, preview = ?, last_activity_at = greatest(last_activity_at, ?), waiting_since = null, updated_at = ?
       where account_id = ? and id = ?`,
      [seq, preview, at, at, conversation.accountId, conversation.id],
    )
    if (conversation.isMarked) await marks.follow(tx, [conversation.id])
    return conversation.deliverySeq + 1
  },

  /** Whether an answer waits here that is called off when the contact writes. */
  async expectAnswer(tx: Writer, accountId: string, id: string, isExpected: boolean): Promise<void> {
    await tx.run('update conversations set ends_if_answered = ? where account_id = ? and id = ?', [
      isExpected,
      accountId,
      id,
    ])
  },

  async setStatus(tx: Writer, accountId: string, id: string, status: ConversationStatus): Promise<void> {
    await tx.run(
      `update conversations set status = ?, snoozed_until = null, waiting_since = if(? = 'resolved', null, waiting_since),
         care_seq = care_seq + 1, updated_at = utc_timestamp(3) where account_id = ? and id = ?`,
      [status, status, accountId, id],
    )
    await marks.follow(tx, [id])
  },

  /** Writes the care of locked conversations, all in one statement. */
  async care(tx: Writer, accountId: string, after: readonly Care[]): Promise<void> {
    if (after.length === 0) return
    const rows = after.map((c) => ({
      ...c,
      snoozedUntil: sqlTime(c.snoozedUntil),
      waitingSince: sqlTime(c.waitingSince),
    }))
    await tx.run(
      `update conversations c join json_table(?, '$[*]' columns (id char(36) path '$.id', status varchar(10) path '$.status',
         assignee char(36) path '$.assigneeId', team char(36) path '$.teamId', priority tinyint path '$.priority',
         snoozed datetime(3) path '$.snoozedUntil', waiting datetime(3) path '$.waitingSince')) after on c.id = cast(after.id as uuid)
       set c.status = after.status, c.assignee_id = after.assignee, c.team_id = after.team, c.priority = after.priority,
         c.snoozed_until = after.snoozed, c.waiting_since = after.waiting, c.care_seq = c.care_seq + 1, c.updated_at = utc_timestamp(3)
       where c.account_id = ?`,
      [JSON.stringify(rows), accountId],
    )
  },

  /** An address has moved: its conversations follow its contact, its direct line goes by the new key unless there is one already. */
  async follow(
    tx: Writer,
    address: { readonly id: string; readonly accountId: string; readonly contactId: string },
    keys: { readonly was: string; readonly is: string },
  ): Promise<void> {
    const { id, accountId, contactId } = address
    await tx.run('update conversations set contact_id = ? where account_id = ? and contact_address_id = ?', [
      contactId,
      accountId,
      id,
    ])
    await tx.run(
      'update ignore conversations set thread_key = ? where account_id = ? and contact_address_id = ? and thread_key = ?',
      [keys.is, accountId, id, keys.was],
    )
  },

  /** Someone has left: what they had and is not done belongs to nobody; the ids. */
  async unassignAll(tx: Writer, accountId: string, assigneeId: string): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      "select id from conversations where account_id = ? and assignee_id = ? and status in ('open', 'pending', 'snoozed') order by id for update",
      [accountId, assigneeId],
    )
    await tx.run(
      "update conversations set assignee_id = null, care_seq = care_seq + 1, updated_at = utc_timestamp(3) where account_id = ? and assignee_id = ? and status in ('open', 'pending', 'snoozed')",
      [accountId, assigneeId],
    )
    return rows.map(({ id }) => id)
  },
}

/** MariaDB's ER_STATEMENT_TIMEOUT, which the driver knows by its number alone. */
const isBrokenOff = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'errno' in error && error.errno === 1969

/** @throws Problem 422 for a statement that was broken off for its length */
async function bounded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isBrokenOff(error)) throw error
    throw new Problem(
      422,
      'filter_too_slow',
      'This filter finds too little among too much; please narrow it by status, time, channel or team.',
    )
  }
}

const sqlTime = (at: Date | null): string | null => at && at.toISOString().slice(0, 23).replace('T', ' ')

const threadsNamed = (threads: readonly Pick<Conversation, 'accountId' | 'channelId' | 'threadKey'>[]) =>
  anyOf(
    ['c.account_id', 'c.channel_id', 'c.thread_key'],
    threads.map((thread) => [thread.accountId, thread.channelId, thread.threadKey]),
  )
