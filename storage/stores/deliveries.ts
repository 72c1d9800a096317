/** The fate of outbound messages, of each part its own, and each try at sending one. */
import { newId } from '../../infra/ids.ts'
import type { Reader, SqlValue, Writer } from '../database.ts'
import type { DeliveryState, Visibility } from '../model/words.ts'
import { anyOf, inList } from './in-list.ts'
import { everything, withinConversation } from './scope.ts'
import type { Scope } from './scope.ts'

/**
 * One part of an answer; most have one. `text` null: all of it; `files` (positions of attachments) null: all of them. `nextAttemptAt`:
 * when it is due again, to be tried (queued, retrying) or looked up (unknown).
 */
export interface Delivery {
  readonly id: string
  readonly accountId: string
  readonly channelId: string
  readonly conversationId: string
  readonly messageId: string
  readonly part: number
  readonly partCount: number
  readonly text: string | null
  readonly files: readonly number[] | null
  readonly externalId: string | null
  /** The place in the order of sending; null: its time has not come, it is outside of it. */
  readonly seq: number | null
  readonly state: DeliveryState
  readonly reasonCode: string | null
  /** Of a refusal. */
  readonly reasonClass: string | null
  readonly reason: string | null
  readonly nextAttemptAt: Date | null
  readonly attemptCount: number
  /** Taken back on the network. */
  readonly deletedAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

export type NewDelivery = Pick<
  Delivery,
  'id' | 'accountId' | 'channelId' | 'conversationId' | 'messageId' | 'seq' | 'part' | 'partCount' | 'text' | 'files'
>

/** Which part of which message. */
export type PartKey = Pick<Delivery, 'messageId' | 'part'>

export interface DeliveryFilter {
  readonly states: readonly DeliveryState[]
  readonly channelId?: string
  readonly conversationId?: string
  readonly reasonCode?: string
  readonly before?: { readonly updatedAt: Date; readonly id: string }
  readonly limit: number
}

export interface Attempt {
  readonly deliveryId: string
  readonly number: number
  readonly node: string
  readonly startedAt: Date
  readonly finishedAt: Date | null
  readonly outcome: string | null
  readonly code: string | null
  readonly reason: string | null
}

/** A delivery whose fate the network has not told, with what was said and how many files with it. */
export type InFlight = Delivery & {
  readonly said: string | null
  readonly fileCount: number
  readonly kind: string
  readonly visibility: string
}

/** A conversation that should be nudged. */
export interface Due {
  readonly accountId: string
  readonly conversationId: string
  readonly channelId: string
}

/** What changes with a state; what is left out becomes null. */
export interface Change {
  readonly state: DeliveryState
  readonly reasonCode?: string
  readonly reasonClass?: string
  readonly reason?: string
  /** From now, by the database's clock. */
  readonly dueInMs?: number
}

const columns = `d.id, d.account_id accountId, d.channel_id channelId, d.conversation_id conversationId, d.message_id messageId, d.part,
  d.part_count partCount, d.text, d.files, d.external_id externalId, d.seq, d.state, d.reason_code reasonCode, d.reason_class reasonClass, d.reason,
  d.next_attempt_at nextAttemptAt, d.attempt_count attemptCount, d.deleted_at deletedAt, d.created_at createdAt, d.updated_at updatedAt`

function narrowed(accountId: string, filter: Omit<DeliveryFilter, 'limit'>): { sql: string; values: SqlValue[] } {
  const states = inList(filter.states)
  const where = [`d.account_id = ? and d.state in ${states.sql}`]
  const values: SqlValue[] = [accountId, ...states.values]
  const narrow = (sql: string, ...more: SqlValue[]): void => {
    where.push(sql)
    values.push(...more)
  }
  if (filter.channelId !== undefined) narrow('d.channel_id = ?', filter.channelId)
  if (filter.conversationId !== undefined) narrow('d.conversation_id = ?', filter.conversationId)
  if (filter.reasonCode !== undefined) narrow('d.reason_code = ?', filter.reasonCode)
  if (filter.before !== undefined)
    narrow(
      'd.updated_at <= ? and (d.updated_at < ? or d.id < ?)',
      filter.before.updatedAt,
      filter.before.updatedAt,
      filter.before.id,
    )
  return { sql: where.join(' and '), values }
}

export const deliveries = {
  /** The parts of one answer. */
  async insert(tx: Writer, news: readonly NewDelivery[]): Promise<void> {
    const now = new Date()
    await tx.insertMany(
      'deliveries',
      [
        'id',
        'account_id',
        'channel_id',
        'conversation_id',
        'message_id',
        'part',
        'part_count',
        'text',
        'files',
        'seq',
        'state',
        'created_at',
        'updated_at',
      ],
      news.map((d) => [
        d.id, d.accountId, d.channelId, d.conversationId, d.messageId, d.part, d.partCount, d.text, d.files && JSON.stringify(d.files), d.seq, 'queued',
        now, now,
      ]), // prettier-ignore
    )
  },

  /** Those of these messages, the parts of each in order. */
  async ofMessages(reader: Reader, accountId: string, messageIds: readonly string[]): Promise<Delivery[]> {
    if (messageIds.length === 0) return []
    const list = inList(messageIds)
    return reader.query<Delivery>(
      `select ${columns} from deliveries d where d.account_id = ? and d.message_id in ${list.sql} order by d.message_id, d.part`,
      [accountId, ...list.values],
    )
  },

  /** The latest change first. */
  async list(
    reader: Reader,
    accountId: string,
    filter: DeliveryFilter,
    scope: Scope = everything,
  ): Promise<Delivery[]> {
    const where = narrowed(accountId, filter)
    const limit = withinConversation(scope, 'd')
    return reader.query<Delivery>(
      `select ${columns} from deliveries d where ${where.sql}${limit.sql} order by d.updated_at desc, d.id desc limit ${String(Math.trunc(filter.limit))}`,
      [...where.values, ...limit.values],
    )
  },

  /** Only of those whose time has come. */
  /** Those that have had their turn. */
  async count(
    reader: Reader,
    accountId: string,
    filter: Omit<DeliveryFilter, 'limit'>,
    scope: Scope = everything,
  ): Promise<number> {
    const where = narrowed(accountId, filter)
    const limit = withinConversation(scope, 'd')
    const row = await reader.first<{ n: number }>(
      `select count(*) n from deliveries d where ${where.sql}${limit.sql} and d.seq is not null`,
      [...where.values, ...limit.values],
    )
    return row?.n ?? 0
  },

  /** The later parts that these ids of networks name, by their external id; the first is named by its message. */
  async findParts(
    reader: Reader,
    keys: readonly { readonly accountId: string; readonly channelId: string; readonly externalId: string }[],
    lock: '' | 'for update' = '',
  ): Promise<
    (PartKey & { readonly channelId: string; readonly externalId: string; readonly visibility: Visibility })[]
  > {
    if (keys.length === 0) return []
    const named = anyOf(
      ['d.account_id', 'd.channel_id', 'd.external_id'],
      keys.map((key) => [key.accountId, key.channelId, key.externalId]),
    )
    return reader.query(
      `select d.message_id messageId, d.part, d.channel_id channelId, d.external_id externalId, m.visibility
       from deliveries d join messages m on m.id = d.message_id where (${named.sql}) and d.part > 0 ${lock}`,
      named.values,
    )
  },

  async attemptsOf(reader: Reader, accountId: string, deliveryIds: readonly string[]): Promise<Attempt[]> {
    if (deliveryIds.length === 0) return []
    const list = inList(deliveryIds)
    return reader.query<Attempt>(
      `select delivery_id deliveryId, number, node, started_at startedAt, finished_at finishedAt, outcome, code, reason from attempts
       where account_id = ? and delivery_id in ${list.sql} order by delivery_id, number`,
      [accountId, ...list.values],
    )
  },

  async lock(tx: Writer, accountId: string, id: string): Promise<Delivery | undefined> {
    return tx.first<Delivery>(`select ${columns} from deliveries d where d.account_id = ? and d.id = ? for update`, [
      accountId,
      id,
    ])
  },

  /** All parts of a message, in order. */
  async lockByMessage(tx: Writer, accountId: string, messageId: string): Promise<Delivery[]> {
    return tx.query<Delivery>(
      `select ${columns} from deliveries d where d.message_id = ? and d.account_id = ? order by d.part for update`,
      [messageId, accountId],
    )
  },

  /** These parts, locked in the order of their messages. */
  async lockParts(tx: Writer, parts: readonly PartKey[]): Promise<Delivery[]> {
    if (parts.length === 0) return []
    const list = inList(parts.map(({ messageId }) => messageId).sort())
    const wanted = new Set(parts.map(({ messageId, part }) => `${messageId} ${String(part)}`))
    const rows = await tx.query<Delivery>(
      `select ${columns} from deliveries d where d.message_id in ${list.sql} order by d.message_id, d.part for update`,
      list.values,
    )
    return rows.filter(({ messageId, part }) => wanted.has(`${messageId} ${String(part)}`))
  },

  /** Those of the filter that have had their turn, locked; what someone else holds just now is left out. */
  async lockMatching(
    tx: Writer,
    accountId: string,
    filter: DeliveryFilter,
    scope: Scope = everything,
  ): Promise<Delivery[]> {
    const where = narrowed(accountId, filter)
    const limit = withinConversation(scope, 'd')
    return tx.query<Delivery>(
      `select ${columns} from deliveries d where ${where.sql}${limit.sql} and d.seq is not null order by d.conversation_id, d.seq limit ${String(Math.trunc(filter.limit))} for update skip locked`,
      [...where.values, ...limit.values],
    )
  },

  /** Whether a comment has had its private reply, or one is on its way; those that failed or were taken back do not count. */
  async hasPrivateReply(
    reader: Reader,
    accountId: string,
    conversationId: string,
    inReplyTo: string,
  ): Promise<boolean> {
    const row = await reader.first(
      `select d.id from deliveries d join messages m on m.id = d.message_id
       where d.account_id = ? and d.conversation_id = ? and m.kind = 'private_reply' and m.in_reply_to = ? and d.state not in ('failed', 'cancelled') limit 1`,
      [accountId, conversationId, inReplyTo],
    )
    return row !== undefined
  },

  /** Whether the network has refused an answer to this with this code, and has taken none since. */
  async wasRefused(
    reader: Reader,
    accountId: string,
    conversationId: string,
    inReplyTo: string,
    code: string,
  ): Promise<boolean> {
    const row = await reader.first<{ code: string | null }>(
      `select d.reason_code code from deliveries d join messages m on m.id = d.message_id
       where d.account_id = ? and d.conversation_id = ? and m.in_reply_to = ? and d.state in ('failed', 'sent', 'delivered', 'read')
       order by d.updated_at desc limit 1`,
      [accountId, conversationId, inReplyTo],
    )
    return row?.code === code
  },

  /** The first delivery of the conversation that is not settled, given up for a person, or done; locked. `isDue` by the database's clock. */
  async lockHead(
    tx: Writer,
    conversationId: string,
  ): Promise<(Delivery & { readonly isDue: boolean; readonly now: Date }) | undefined> {
    const row = await tx.first<Delivery & { isDue: unknown; now: Date }>(
      `select ${columns}, (d.next_attempt_at is null or d.next_attempt_at <= utc_timestamp(3)) isDue, utc_timestamp(3) now from deliveries d
       where d.conversation_id = ? and d.seq is not null
         and (d.state in ('queued', 'sending', 'retrying') or (d.state = 'unknown' and d.next_attempt_at is not null))
       order by d.seq limit 1 for update`,
      [conversationId],
    )
    return row && { ...row, isDue: Boolean(Number(row.isDue)) }
  },

  /** Sendings of these channels whose fate is open, with what was said, newest first; locked. */
  async lockInFlight(tx: Writer, accountId: string, channelId: string): Promise<InFlight[]> {
    return tx.query<InFlight>(
      `select ${columns}, coalesce(d.text, m.text) said, m.kind, m.visibility,
         coalesce(json_length(d.files), (select count(*) from attachments a where a.account_id = d.account_id and a.message_id = d.message_id)) fileCount
       from deliveries d join messages m on m.id = d.message_id
       where d.state in ('sending', 'unknown') and d.account_id = ? and d.channel_id = ? order by d.seq limit 500 for update`,
      [accountId, channelId],
    )
  },

  /** Sent answers of a direct conversation whose receipt `upTo` covers. */
  async lockCovered(tx: Writer, accountId: string, conversationId: string, upTo: Date): Promise<Delivery[]> {
    return tx.query<Delivery>(
      `select ${columns} from deliveries d join messages m on m.id = d.message_id
       where d.account_id = ? and d.conversation_id = ? and d.state in ('sent', 'delivered') and m.occurred_at <= ? order by d.message_id, d.part for update`,
      [accountId, conversationId, upTo],
    )
  },

  /** Whether a sending in this conversation has left and not been answered for. */
  async isUnderWay(tx: Writer, accountId: string, conversationId: string): Promise<boolean> {
    const row = await tx.first(
      "select id from deliveries where account_id = ? and conversation_id = ? and state in ('sending', 'unknown') limit 1 lock in share mode",
      [accountId, conversationId],
    )
    return row !== undefined
  },

  /** The network's own id of a part has become known. */
  async setExternalId(tx: Writer, accountId: string, id: string, externalId: string): Promise<void> {
    await tx.run('update deliveries set external_id = ? where account_id = ? and id = ?', [externalId, accountId, id])
  },

  /** Whether the network's id is that of another part of an answer. */
  async isTaken(reader: Reader, { accountId, channelId, id }: Delivery, externalId: string): Promise<boolean> {
    const row = await reader.first(
      'select id from deliveries where account_id = ? and channel_id = ? and external_id = ? and id <> ? limit 1',
      [accountId, channelId, externalId, id],
    )
    return row !== undefined
  },

  /** A part was taken back on the network. */
  async markDeleted(tx: Writer, accountId: string, id: string, at: Date): Promise<void> {
    await tx.run('update deliveries set deleted_at = ?, text = null where account_id = ? and id = ?', [
      at,
      accountId,
      id,
    ])
  },

  async change(tx: Writer, accountId: string, id: string, change: Change): Promise<void> {
    await tx.run(
      `update deliveries set state = ?, reason_code = ?, reason_class = ?, reason = ?, next_attempt_at = date_add(utc_timestamp(3), interval ? microsecond), updated_at = utc_timestamp(3)
       where account_id = ? and id = ?`,
      [
        change.state,
        change.reasonCode?.slice(0, 100) ?? null,
        change.reasonClass ?? null,
        change.reason?.slice(0, 500) ?? null,
        change.dueInMs === undefined ? null : Math.round(change.dueInMs * 1000),
        accountId,
        id,
      ],
    )
  },

  /** Begins the next attempt of a locked delivery; its number. */
  async beginAttempt(tx: Writer, delivery: Delivery, node: string): Promise<number> {
    const number = delivery.attemptCount + 1
    await tx.run(
      "update deliveries set state = 'sending', attempt_count = ?, next_attempt_at = null, reason_code = null, reason_class = null, reason = null, updated_at = utc_timestamp(3) where account_id = ? and id = ?",
      [number, delivery.accountId, delivery.id],
    )
    await tx.run(
      'insert into attempts (id, account_id, delivery_id, number, node, started_at) values (?, ?, ?, ?, ?, utc_timestamp(3))',
      [newId(), delivery.accountId, delivery.id, number, node],
    )
    return number
  },

  /** Those of these conversations whose time has not come. */
  async unplaced(reader: Reader, accountId: string, conversationIds: readonly string[]): Promise<Delivery[]> {
    if (conversationIds.length === 0) return []
    const list = inList(conversationIds)
    return reader.query<Delivery>(
      `select ${columns} from deliveries d where d.conversation_id in ${list.sql} and d.seq is null and d.account_id = ? and d.state = 'queued'`,
      [...list.values, accountId],
    )
  },

  /** Its time has come: it gets a place in the order of sending. */
  async place(tx: Writer, accountId: string, id: string, seq: number): Promise<void> {
    await tx.run(
      "update deliveries set seq = ?, state = 'queued', reason_code = null, reason_class = null, reason = null, next_attempt_at = null, updated_at = utc_timestamp(3) where account_id = ? and id = ?",
      [seq, accountId, id],
    )
  },

  /** A message that has never been tried is divided in another way. */
  async replace(tx: Writer, old: readonly Delivery[], news: readonly NewDelivery[]): Promise<void> {
    for (const { accountId, id } of old)
      await tx.run('delete from deliveries where account_id = ? and id = ? and attempt_count = 0', [accountId, id])
    await deliveries.insert(tx, news)
  },

  /** What an app's channels wait for under these codes is there again. */
  async release(tx: Writer, accountId: string, appId: string, codes: readonly string[]): Promise<void> {
    const list = inList(codes)
    await tx.run(
      `update deliveries d join channels c on c.account_id = d.account_id and c.id = d.channel_id and c.app_id = ?
       set d.next_attempt_at = utc_timestamp(3) where d.account_id = ? and d.state = 'retrying' and d.reason_code in ${list.sql} and d.next_attempt_at > utc_timestamp(3)`,
      [appId, accountId, ...list.values],
    )
  },

  /** What became of an attempt; one that has been concluded stays as it is. */
  async endAttempt(
    tx: Writer,
    delivery: Pick<Delivery, 'id' | 'accountId'>,
    number: number,
    outcome: { readonly type: string; readonly code?: string; readonly reason?: string },
  ): Promise<void> {
    await tx.run('update attempts set finished_at = utc_timestamp(3), outcome = ?, code = ?, reason = ? where account_id = ? and delivery_id = ? and number = ? and finished_at is null', [
      outcome.type, outcome.code?.slice(0, 100) ?? null, outcome.reason?.slice(0, 500) ?? null, delivery.accountId, delivery.id, number,
    ]) // prettier-ignore
  },

  /**
   * Conversations with something due and nobody at it: retries and look-ups whose time has come, what has been queued for
   * `idleMs`, sendings whose lane expired. At most `perChannel` of each channel, so that one slow channel hides no other.
   * A channel that must be reconnected has only its broken-off sendings looked at; the rest waits.
   */
  async findDue(reader: Reader, idleMs: number, perChannel: number): Promise<Due[]> {
    return reader.query<Due>(
      `select accountId, conversationId, channelId from (
         select d.account_id accountId, d.conversation_id conversationId, d.channel_id channelId,
                row_number() over (partition by d.channel_id order by min(d.updated_at)) place
         from deliveries d join channels c on c.id = d.channel_id left join delivery_lanes l on l.conversation_id = d.conversation_id and l.expires_at > utc_timestamp(3)
         where l.conversation_id is null and d.seq is not null and (c.state <> 'reconnect_needed' or d.state = 'sending') and (
           (d.state in ('queued', 'retrying', 'unknown') and d.next_attempt_at <= utc_timestamp(3))
           or (d.state in ('queued', 'sending') and d.next_attempt_at is null and d.updated_at < date_sub(utc_timestamp(3), interval ? microsecond)))
         group by d.channel_id, d.conversation_id, d.account_id
       ) due where place <= ? order by place`,
      [idleMs * 1000, perChannel],
    )
  },
}
