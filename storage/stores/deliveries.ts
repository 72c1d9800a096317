/** The fate of outbound messages, and each try at sending one. */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import type { DeliveryState } from '../model/words.ts'
import { inList } from './in-list.ts'

/** `nextAttemptAt`: when it is due again, to be tried (retrying) or looked up (unknown). */
export interface Delivery {
  readonly id: string
  readonly accountId: string
  readonly channelId: string
  readonly conversationId: string
  readonly messageId: string
  readonly seq: number
  readonly state: DeliveryState
  readonly reasonCode: string | null
  readonly reason: string | null
  readonly nextAttemptAt: Date | null
  readonly attemptCount: number
  readonly createdAt: Date
  readonly updatedAt: Date
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

/** A delivery whose fate the network has not told, with what was said. */
export type InFlight = Delivery & { readonly text: string | null; readonly kind: string; readonly visibility: string }

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
  readonly reason?: string
  /** From now, by the database's clock. */
  readonly dueInMs?: number
}

const columns = `d.id, d.account_id accountId, d.channel_id channelId, d.conversation_id conversationId, d.message_id messageId, d.seq, d.state,
  d.reason_code reasonCode, d.reason, d.next_attempt_at nextAttemptAt, d.attempt_count attemptCount, d.created_at createdAt, d.updated_at updatedAt`

export const deliveries = {
  async insert(
    tx: Writer,
    news: Pick<Delivery, 'id' | 'accountId' | 'channelId' | 'conversationId' | 'messageId' | 'seq'>,
  ): Promise<void> {
    const now = new Date()
    await tx.run(
      `insert into deliveries (id, account_id, channel_id, conversation_id, message_id, seq, state, created_at, updated_at) values (?, ?, ?, ?, ?, ?, 'queued', ?, ?)`,
      [news.id, news.accountId, news.channelId, news.conversationId, news.messageId, news.seq, now, now],
    )
  },

  async ofMessages(reader: Reader, accountId: string, messageIds: readonly string[]): Promise<Delivery[]> {
    if (messageIds.length === 0) return []
    const list = inList(messageIds)
    return reader.query<Delivery>(
      `select ${columns} from deliveries d where d.account_id = ? and d.message_id in ${list.sql}`,
      [accountId, ...list.values],
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

  async lockByMessage(tx: Writer, accountId: string, messageId: string): Promise<Delivery | undefined> {
    return tx.first<Delivery>(
      `select ${columns} from deliveries d where d.message_id = ? and d.account_id = ? for update`,
      [messageId, accountId],
    )
  },

  /** Those of these messages, locked in the order of their messages. */
  async lockByMessages(tx: Writer, messageIds: readonly string[]): Promise<Delivery[]> {
    if (messageIds.length === 0) return []
    const list = inList([...messageIds].sort())
    return tx.query<Delivery>(
      `select ${columns} from deliveries d where d.message_id in ${list.sql} order by d.message_id for update`,
      list.values,
    )
  },

  /** The first delivery of the conversation that is not settled, given up for a person, or done; locked. `isDue` by the database's clock. */
  async lockHead(
    tx: Writer,
    conversationId: string,
  ): Promise<(Delivery & { readonly isDue: boolean; readonly now: Date }) | undefined> {
    const row = await tx.first<Delivery & { isDue: unknown; now: Date }>(
      `select ${columns}, (d.next_attempt_at is null or d.next_attempt_at <= utc_timestamp(3)) isDue, utc_timestamp(3) now from deliveries d
       where d.conversation_id = ? and (d.state in ('queued', 'sending', 'retrying') or (d.state = 'unknown' and d.next_attempt_at is not null))
       order by d.seq limit 1 for update`,
      [conversationId],
    )
    return row && { ...row, isDue: Boolean(Number(row.isDue)) }
  },

  /** Sendings of these channels whose fate is open, with what was said, newest first; locked. */
  async lockInFlight(tx: Writer, accountId: string, channelId: string): Promise<InFlight[]> {
    return tx.query<InFlight>(
      `select ${columns}, m.text, m.kind, m.visibility from deliveries d join messages m on m.id = d.message_id
       where d.state in ('sending', 'unknown') and d.account_id = ? and d.channel_id = ? order by d.seq limit 500 for update`,
      [accountId, channelId],
    )
  },

  /** Sent answers of a direct conversation whose receipt `upTo` covers. */
  async lockCovered(tx: Writer, accountId: string, conversationId: string, upTo: Date): Promise<Delivery[]> {
    return tx.query<Delivery>(
      `select ${columns} from deliveries d join messages m on m.id = d.message_id
       where d.account_id = ? and d.conversation_id = ? and d.state in ('sent', 'delivered') and m.occurred_at <= ? order by d.message_id for update`,
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

  async change(tx: Writer, accountId: string, id: string, change: Change): Promise<void> {
    await tx.run(
      `update deliveries set state = ?, reason_code = ?, reason = ?, next_attempt_at = date_add(utc_timestamp(3), interval ? microsecond), updated_at = utc_timestamp(3)
       where account_id = ? and id = ?`,
      [
        change.state,
        change.reasonCode?.slice(0, 100) ?? null,
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
      "update deliveries set state = 'sending', attempt_count = ?, next_attempt_at = null, reason_code = null, reason = null, updated_at = utc_timestamp(3) where account_id = ? and id = ?",
      [number, delivery.accountId, delivery.id],
    )
    await tx.run(
      'insert into attempts (id, account_id, delivery_id, number, node, started_at) values (?, ?, ?, ?, ?, utc_timestamp(3))',
      [newId(), delivery.accountId, delivery.id, number, node],
    )
    return number
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
         where l.conversation_id is null and (c.state <> 'reconnect_needed' or d.state = 'sending') and (
           (d.state in ('retrying', 'unknown') and d.next_attempt_at <= utc_timestamp(3))
           or (d.state in ('queued', 'sending') and d.updated_at < date_sub(utc_timestamp(3), interval ? microsecond)))
         group by d.channel_id, d.conversation_id, d.account_id
       ) due where place <= ?`,
      [idleMs * 1000, perChannel],
    )
  },
}
