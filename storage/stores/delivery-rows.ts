/** What a delivery and an attempt are, as rows. */
import type { SqlValue } from '../database.ts'
import type { DeliveryState } from '../model/words.ts'
import { inList } from './in-list.ts'

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

/** What every select of a delivery `d` reads. */
export const deliveryColumns = `d.id, d.account_id accountId, d.channel_id channelId, d.conversation_id conversationId, d.message_id messageId, d.part,
  d.part_count partCount, d.text, d.files, d.external_id externalId, d.seq, d.state, d.reason_code reasonCode, d.reason_class reasonClass, d.reason,
  d.next_attempt_at nextAttemptAt, d.attempt_count attemptCount, d.deleted_at deletedAt, d.created_at createdAt, d.updated_at updatedAt`

/** The condition of a filter. */
export function narrowed(
  accountId: string,
  filter: Omit<DeliveryFilter, 'limit'>,
): { sql: string; values: SqlValue[] } {
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
