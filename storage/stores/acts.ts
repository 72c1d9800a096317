/** What is done to messages beside saying something. */
import type { Reader, Writer } from '../database.ts'
import type { ActState, MessageAct } from '../model/words.ts'
import { inList } from './in-list.ts'

/** `createdBy` null: the platform itself. `nextAttemptAt` null: it is over. */
export interface Act {
  readonly id: string
  readonly accountId: string
  readonly channelId: string
  readonly conversationId: string
  readonly messageId: string
  readonly what: MessageAct
  readonly emoji: string | null
  readonly state: ActState
  readonly reasonCode: string | null
  readonly reason: string | null
  readonly attemptCount: number
  /** A try of it ended without an answer: it may have been done. */
  readonly isUnsure: boolean
  readonly nextAttemptAt: Date | null
  readonly createdBy: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

export type NewAct = Pick<
  Act,
  'id' | 'accountId' | 'channelId' | 'conversationId' | 'messageId' | 'what' | 'emoji' | 'createdBy'
>

/** What changes with a state; what is left out becomes null. */
export interface ActChange {
  readonly state: ActState
  readonly reasonCode?: string
  readonly reason?: string
  readonly isUnsure?: true
  /** From now, by the database's clock. */
  readonly dueInMs?: number
}

const columns = `a.id, a.account_id accountId, a.channel_id channelId, a.conversation_id conversationId, a.message_id messageId, a.what, a.emoji,
  a.state, a.reason_code reasonCode, a.reason, a.attempt_count attemptCount, a.is_unsure isUnsure, a.next_attempt_at nextAttemptAt, a.created_by createdBy,
  a.created_at createdAt, a.updated_at updatedAt`

/** A time as `datetime(3)` from now. */
const inMs = 'utc_timestamp(3) + interval ? microsecond'

const isBefore = (one: string, other: string): string =>
  `(${one}.created_at < ${other}.created_at or (${one}.created_at = ${other}.created_at and ${one}.id < ${other}.id))`

export const acts = {
  async insert(tx: Writer, act: NewAct): Promise<void> {
    await tx.run(
      `insert into acts (id, account_id, channel_id, conversation_id, message_id, what, emoji, state, next_attempt_at, created_by, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, 'queued', utc_timestamp(3), ?, utc_timestamp(3), utc_timestamp(3))`,
      [act.id, act.accountId, act.channelId, act.conversationId, act.messageId, act.what, act.emoji, act.createdBy],
    )
  },

  async get(reader: Reader, accountId: string, id: string): Promise<Act | undefined> {
    const row = await reader.first<Row>(`select ${columns} from acts a where a.account_id = ? and a.id = ?`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  /** Those of these messages, the oldest first. */
  async ofMessages(reader: Reader, accountId: string, messageIds: readonly string[]): Promise<Act[]> {
    if (messageIds.length === 0) return []
    const list = inList(messageIds)
    const rows = await reader.query<Row>(
      `select ${columns} from acts a where a.account_id = ? and a.message_id in ${list.sql} order by a.created_at, a.id`,
      [accountId, ...list.values],
    )
    return rows.map(present)
  },

  /** Those that are not over, and the last one if it failed. */
  async openOfMessages(reader: Reader, accountId: string, messageIds: readonly string[]): Promise<Act[]> {
    if (messageIds.length === 0) return []
    const list = inList(messageIds)
    const rows = await reader.query<Row>(
      `select ${columns} from acts a where a.account_id = ? and a.message_id in ${list.sql} and (a.state in ('queued', 'doing')
         or (a.state = 'failed' and not exists (select 1 from acts b where b.account_id = a.account_id and b.message_id = a.message_id and ${isBefore('a', 'b')})))
       order by a.created_at, a.id`,
      [accountId, ...list.values],
    )
    return rows.map(present)
  },

  /** Ends those of the message that nobody has begun: something else was asked for afterwards. */
  async supersede(tx: Writer, accountId: string, messageId: string, whats: readonly MessageAct[]): Promise<void> {
    const list = inList(whats)
    await tx.run(
      `update acts set state = 'failed', reason_code = 'superseded', reason = 'Something else was asked for afterwards.', next_attempt_at = null,
         updated_at = utc_timestamp(3)
       where account_id = ? and message_id = ? and state = 'queued' and what in ${list.sql}`,
      [accountId, messageId, ...list.values],
    )
  },

  /**
   * The next that is due in the conversation, now being done for `leaseMs`; those of one message one after the other, those of a
   * channel that must be reconnected not at all.
   */
  async claim(tx: Writer, accountId: string, conversationId: string, leaseMs: number): Promise<Act | undefined> {
    const act = await tx.first<Row>(
      `select ${columns} from acts a where a.account_id = ? and a.conversation_id = ? and a.state in ('queued', 'doing')
         and a.next_attempt_at <= utc_timestamp(3)
         and exists (select 1 from channels c where c.account_id = a.account_id and c.id = a.channel_id and c.state <> 'reconnect_needed')
         and not exists (select 1 from acts b where b.account_id = a.account_id and b.conversation_id = a.conversation_id and b.message_id = a.message_id
           and b.state in ('queued', 'doing') and ${isBefore('b', 'a')})
       order by a.created_at, a.id limit 1 for update`,
      [accountId, conversationId],
    )
    if (act === undefined) return undefined
    await tx.run(
      `update acts set state = 'doing', attempt_count = attempt_count + 1, next_attempt_at = ${inMs}, updated_at = utc_timestamp(3)
       where account_id = ? and id = ?`,
      [leaseMs * 1000, accountId, act.id],
    )
    return { ...present(act), state: 'doing', attemptCount: act.attemptCount + 1 }
  },

  /** Writes down what became of this attempt; false: another has begun since, and this one is history. */
  async conclude(
    tx: Writer,
    act: Pick<Act, 'accountId' | 'id' | 'attemptCount'>,
    { state, reasonCode, reason, isUnsure, dueInMs }: ActChange,
  ): Promise<boolean> {
    const { affectedRows } = await tx.run(
      `update acts set state = ?, reason_code = ?, reason = ?, is_unsure = is_unsure or ?, next_attempt_at = ${dueInMs === undefined ? '?' : inMs}, updated_at = utc_timestamp(3)
       where account_id = ? and id = ? and state = 'doing' and attempt_count = ?`,
      [
        state,
        reasonCode ?? null,
        reason?.slice(0, 500) ?? null,
        isUnsure === true,
        dueInMs === undefined ? null : Math.round(dueInMs) * 1000,
        act.accountId,
        act.id,
        act.attemptCount,
      ],
    )
    return affectedRows > 0
  },

  /** Conversations with something due, overlooked for `idleMs`; channels that must be reconnected wait. */
  findDue(
    reader: Reader,
    idleMs: number,
    most: number,
  ): Promise<{ readonly accountId: string; readonly conversationId: string; readonly channelId: string }[]> {
    return reader.query(
      `select distinct a.account_id accountId, a.conversation_id conversationId, a.channel_id channelId from acts a
       join channels c on c.account_id = a.account_id and c.id = a.channel_id and c.state <> 'reconnect_needed'
       where a.state in ('queued', 'doing') and a.next_attempt_at <= utc_timestamp(3) - interval ? microsecond limit ${String(Math.trunc(most))}`,
      [idleMs * 1000],
    )
  },
}

type Row = Omit<Act, 'isUnsure'> & { readonly isUnsure: number }

/** The driver tells booleans as numbers. */
const present = (row: Row): Act => ({ ...row, isUnsure: row.isUnsure !== 0 })
