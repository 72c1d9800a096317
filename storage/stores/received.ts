/** What networks sent, raw, and what became of it. The id is made at the webhook door and travels with the message. */
import type { Reader, SqlValue, Writer } from '../database.ts'
import type { ReceivedState } from '../model/words.ts'
import { inList } from './in-list.ts'

/** What became of one item of a body: where it stood, what it became, and the id of that. */
export interface TraceEntry {
  readonly at: string
  readonly became: string
  readonly id: string | null
}

export interface Received {
  readonly id: string
  readonly accountId: string
  readonly appId: string
  readonly channelId: string | null
  readonly body: Buffer
  readonly state: ReceivedState
  readonly reason: string | null
  readonly trace: readonly TraceEntry[] | null
  readonly tries: number
  readonly receivedAt: Date
  readonly processedAt: Date | null
}

export interface ReceivedFilter {
  readonly appId?: string
  readonly channelId?: string
  readonly state?: ReceivedState
  readonly before?: { readonly receivedAt: Date; readonly id: string }
  readonly limit: number
}

const columns =
  'id, account_id accountId, app_id appId, channel_id channelId, body, state, reason, trace, tries, received_at receivedAt, processed_at processedAt'

export const received = {
  async get(reader: Reader, accountId: string, id: string): Promise<Received | undefined> {
    return reader.first<Received>(`select ${columns} from received where account_id = ? and id = ?`, [accountId, id])
  },

  /** Newest first. */
  async list(reader: Reader, accountId: string, filter: ReceivedFilter): Promise<Received[]> {
    const where: string[] = ['account_id = ?']
    const values: SqlValue[] = [accountId]
    const narrow = (sql: string, ...more: SqlValue[]): void => {
      where.push(sql)
      values.push(...more)
    }
    if (filter.appId !== undefined) narrow('app_id = ?', filter.appId)
    if (filter.channelId !== undefined) narrow('channel_id = ?', filter.channelId)
    if (filter.state !== undefined) narrow('state = ?', filter.state)
    if (filter.before !== undefined)
      narrow(
        '(received_at < ? or (received_at = ? and id < ?))',
        filter.before.receivedAt,
        filter.before.receivedAt,
        filter.before.id,
      )
    return reader.query<Received>(
      `select ${columns} from received where ${where.join(' and ')} order by received_at desc, id desc limit ${String(Math.trunc(filter.limit))}`,
      values,
    )
  },

  /** The door keeps a body here while the broker is away; the sweep hands it on. */
  async keepPending(
    tx: Writer,
    row: Pick<Received, 'id' | 'accountId' | 'appId' | 'body' | 'receivedAt'>,
  ): Promise<void> {
    await tx.run(
      "insert into received (id, account_id, app_id, body, state, received_at) values (?, ?, ?, ?, 'pending', ?) on duplicate key update id = id",
      [row.id, row.accountId, row.appId, row.body, row.receivedAt],
    )
  },

  /** Which of these ids have been dealt with already; `pending` ones have not. */
  async findSettled(reader: Reader, ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set()
    const list = inList(ids)
    const rows = await reader.query<{ id: string }>(
      `select id from received where id in ${list.sql} and state <> 'pending'`,
      list.values,
    )
    return new Set(rows.map((row) => row.id))
  },

  /** Writes what became of these bodies; a row that was pending is completed, one that was settled stays. */
  async settle(tx: Writer, rows: readonly Omit<Received, 'tries'>[]): Promise<void> {
    // The order matters: state last, since the others look at the old one.
    const unlessSettled = (column: string): string => `${column} = if(state = 'pending', values(${column}), ${column})`
    await tx.insertMany(
      'received',
      [
        'id',
        'account_id',
        'app_id',
        'channel_id',
        'body',
        'state',
        'reason',
        'trace',
        'tries',
        'received_at',
        'processed_at',
      ],
      [...rows]
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .map((r) => [
          r.id,
          r.accountId,
          r.appId,
          r.channelId,
          r.body,
          r.state,
          r.reason?.slice(0, 500) ?? null,
          JSON.stringify(r.trace ?? []),
          1,
          r.receivedAt,
          r.processedAt,
        ]),
      `on duplicate key update tries = if(state = 'pending', tries + 1, tries), ${['channel_id', 'reason', 'trace', 'processed_at', 'state'].map(unlessSettled).join(', ')}`,
    )
  },

  /** To be processed again; what is there already ends quietly on its keys. False: there is no such row. */
  async replay(tx: Writer, accountId: string, id: string): Promise<boolean> {
    const row = await tx.first<{ id: string }>('select id from received where account_id = ? and id = ? for update', [
      accountId,
      id,
    ])
    if (row === undefined) return false
    await tx.run("update received set state = 'pending', reason = null where account_id = ? and id = ?", [
      accountId,
      id,
    ])
    return true
  },

  /** Pending ones with their bodies, oldest first. */
  async pending(reader: Reader, limit: number): Promise<Pick<Received, 'id' | 'accountId' | 'appId' | 'body'>[]> {
    return reader.query(
      `select id, account_id accountId, app_id appId, body from received where state = 'pending' order by received_at limit ${String(Math.trunc(limit))}`,
    )
  },
}
