/** Deliveries as they are looked for and locked. */
import type { Reader, Writer } from '../database.ts'
import type { Visibility } from '../model/words.ts'
import { deliveryColumns as columns, narrowed } from './delivery-rows.ts'
import type { Attempt, Delivery, DeliveryFilter, Due, InFlight, PartKey } from './delivery-rows.ts'
import { anyOf, inList } from './in-list.ts'
import { everything, withinConversation } from './scope.ts'
import type { Scope } from './scope.ts'

const dueNow = '(d.next_attempt_at is null or d.next_attempt_at <= utc_timestamp(3))'

/** By the index of what is open, so that a conversation of many years costs no more than a new one. */
const head = `deliveries d force index (by_open) where d.conversation_id = ? and d.state in ('queued', 'sending', 'retrying', 'unknown')
  and d.seq is not null and (d.state <> 'unknown' or d.next_attempt_at is not null) order by d.seq limit 1`

export const deliveryFinds = {
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
      `select ${columns}, ${dueNow} isDue, utc_timestamp(3) now from ${head} for update`,
      [conversationId],
    )
    return row && { ...row, isDue: Boolean(Number(row.isDue)) }
  },

  /** Whether that one is due: what a nudge that came late looks at first, without locking anything. */
  async isDue(reader: Reader, conversationId: string): Promise<boolean> {
    const row = await reader.first<{ isDue: unknown }>(`select ${dueNow} isDue from ${head}`, [conversationId])
    return row !== undefined && Boolean(Number(row.isDue))
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

  /** Whether the network's id is that of another part of an answer. */
  async isTaken(reader: Reader, { accountId, channelId, id }: Delivery, externalId: string): Promise<boolean> {
    const row = await reader.first(
      'select id from deliveries where account_id = ? and channel_id = ? and external_id = ? and id <> ? limit 1',
      [accountId, channelId, externalId, id],
    )
    return row !== undefined
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
