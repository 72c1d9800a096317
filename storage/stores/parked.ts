/** Messages that could not be processed: waiting for their next try, or dead letters. Times are those of the database. */
import type { Reader, Writer } from '../database.ts'
import { newId } from '../../infra/ids.ts'

export const parkedStates = ['waiting', 'dead'] as const
export type ParkedState = (typeof parkedStates)[number]

/** What is written down of a failure. */
export interface NewParked {
  readonly queue: string
  readonly messageId: string
  readonly body: Buffer
  readonly properties: Readonly<Record<string, string>>
  readonly tries: number
  readonly state: ParkedState
  readonly delayMs: number
  readonly lastError: string
}

export interface ParkedRow {
  readonly id: string
  readonly queue: string
  readonly messageId: string
  readonly body: Buffer
  readonly properties: Readonly<Record<string, string>>
  readonly tries: number
  readonly state: ParkedState
  readonly lastError: string
  readonly nextTryAt: Date | null
  readonly createdAt: Date
}

interface Row {
  id: string
  queue: string
  message_id: string
  body: Buffer
  properties: Record<string, string>
  tries: number
  state: ParkedState
  last_error: string
  next_try_at: Date | null
  created_at: Date
}

const columns = 'id, queue, message_id, body, properties, tries, state, last_error, next_try_at, created_at'
const longestError = 1_000

export const parked = {
  /** Writes it down; what is known of the same message of the same queue is replaced, its id stays. */
  async keep(tx: Writer, message: NewParked): Promise<void> {
    const { queue, messageId, body, properties, tries, state, delayMs } = message
    const lastError = message.lastError.slice(0, longestError)
    const delay = state === 'dead' ? null : Math.round(delayMs * 1_000)
    await tx.run(
      `insert into parked_messages (id, queue, message_id, body, properties, state, tries, last_error, next_try_at, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, utc_timestamp(3) + interval ? microsecond, utc_timestamp(3), utc_timestamp(3))
       on duplicate key update body = values(body), properties = values(properties), state = values(state), tries = values(tries),
         last_error = values(last_error), next_try_at = values(next_try_at), updated_at = values(updated_at)`,
      [newId(), queue, messageId, body, JSON.stringify(properties), state, tries, lastError, delay],
    )
  },

  /** Those whose time has come, oldest first; nobody else gets them for `leaseMs`. */
  async takeDue(tx: Writer, limit: number, leaseMs: number): Promise<ParkedRow[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from parked_messages where state = 'waiting' and next_try_at <= utc_timestamp(3)
       order by next_try_at limit ? for update skip locked`,
      [limit],
    )
    for (const row of rows) {
      await tx.run('update parked_messages set next_try_at = utc_timestamp(3) + interval ? microsecond where id = ?', [
        leaseMs * 1_000,
        row.id,
      ])
    }
    return rows.map(parkedOf)
  },

  /** Forgets it if it still stands at this number of tries. */
  async forget(tx: Writer, id: string, tries: number): Promise<void> {
    await tx.run(`delete from parked_messages where id = ? and tries = ? and state = 'waiting'`, [id, tries])
  },

  /** Makes it due now and as if never tried; false when there is none with this id. */
  async revive(tx: Writer, id: string): Promise<boolean> {
    const { affectedRows } = await tx.run(
      `update parked_messages set state = 'waiting', tries = 0, next_try_at = utc_timestamp(3), updated_at = utc_timestamp(3) where id = ?`,
      [id],
    )
    return affectedRows === 1
  },

  async get(reader: Reader, id: string): Promise<ParkedRow | undefined> {
    const row = await reader.first<Row>(`select ${columns} from parked_messages where id = ?`, [id])
    return row && parkedOf(row)
  },

  /** Newest first, for people. */
  async list(reader: Reader, state: ParkedState, limit: number): Promise<ParkedRow[]> {
    return (
      await reader.query<Row>(`select ${columns} from parked_messages where state = ? order by id desc limit ?`, [
        state,
        limit,
      ])
    ).map(parkedOf)
  },

  /** Those of this account, newest first, from `before` on; of their bodies the first 20,000 bytes. */
  async listFor(
    reader: Reader,
    accountId: string,
    filter: { readonly state: ParkedState; readonly before: string | undefined; readonly limit: number },
  ): Promise<(ParkedRow & { readonly size: number })[]> {
    const rows = await reader.query<Row & { size: number }>(
      `select ${columns.replace('body', 'left(body, 20000) body, length(body) size')} from parked_messages
       where state = ? and json_value(properties, '$.account') = ? and (? is null or id < ?) order by id desc limit ?`,
      [filter.state, accountId, filter.before ?? null, filter.before ?? null, filter.limit],
    )
    return rows.map((row) => ({ ...parkedOf(row), size: row.size }))
  },

  async count(reader: Reader): Promise<Readonly<Record<ParkedState, number>>> {
    const rows = await reader.query<{ state: ParkedState; n: number }>(
      'select state, count(*) as n from parked_messages group by state',
    )
    return { waiting: 0, dead: 0, ...Object.fromEntries(rows.map((row) => [row.state, row.n])) }
  },
}

function parkedOf(row: Row): ParkedRow {
  return {
    id: row.id,
    queue: row.queue,
    messageId: row.message_id,
    body: row.body,
    properties: row.properties,
    tries: row.tries,
    state: row.state,
    lastError: row.last_error,
    nextTryAt: row.next_try_at,
    createdAt: row.created_at,
  }
}
