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

/** A row of the log: all but the body, of which it has the size in bytes and the beginning. */
export interface ReceivedEntry extends Omit<Received, 'body'> {
  readonly size: number
  readonly snippet: Buffer
}

/** Which of them. `text`: the beginning of a row's own id, or the whole id of a message that it became, ours or the network's. */
export interface ReceivedChoice {
  readonly appId?: string | undefined
  readonly channelId?: string | undefined
  readonly state?: ReceivedState | undefined
  readonly from?: Date | undefined
  /** Before this instant. */
  readonly to?: Date | undefined
  readonly text?: string | undefined
}

export interface ReceivedFilter extends ReceivedChoice {
  readonly before?: { readonly receivedAt: Date; readonly id: string } | undefined
  readonly limit: number
}

const entryColumns =
  'id, account_id accountId, app_id appId, channel_id channelId, size, snippet, state, reason, trace, tries, received_at receivedAt, processed_at processedAt'
const columns = entryColumns.replace('size, snippet', 'body')

export const received = {
  async get(reader: Reader, accountId: string, id: string): Promise<Received | undefined> {
    return reader.first<Received>(`select ${columns} from received where account_id = ? and id = ?`, [accountId, id])
  },

  /** Newest first; bodies are not read. */
  async list(reader: Reader, accountId: string, filter: ReceivedFilter): Promise<ReceivedEntry[]> {
    const { sql, values } = await narrow(reader, accountId, filter)
    return reader.query<ReceivedEntry>(
      `select ${entryColumns} from received ${indexFor(filter)} where ${sql} order by received_at desc, id desc limit ${String(Math.trunc(filter.limit))}`,
      values,
    )
  },

  /** Bodies of these rows. */
  async bodies(reader: Reader, accountId: string, ids: readonly string[]): Promise<Map<string, Buffer>> {
    if (ids.length === 0) return new Map()
    const list = inList(ids)
    const rows = await reader.query<{ id: string; body: Buffer }>(
      `select id, body from received where account_id = ? and id in ${list.sql}`,
      [accountId, ...list.values],
    )
    return new Map(rows.map(({ id, body }) => [id, body]))
  },

  /** In which conversations the messages lie that a trace names. */
  async conversationsOf(
    reader: Reader,
    accountId: string,
    messageIds: readonly string[],
  ): Promise<Map<string, string>> {
    if (messageIds.length === 0) return new Map()
    const list = inList(messageIds)
    const rows = await reader.query<{ id: string; conversationId: string }>(
      `select id, conversation_id conversationId from messages where account_id = ? and id in ${list.sql}`,
      [accountId, ...list.values],
    )
    return new Map(rows.map(({ id, conversationId }) => [id, conversationId]))
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

  /** Marks one portion of those chosen as `replay` does, the newest first; gives the place to go on from. */
  async replayMany(
    tx: Writer,
    accountId: string,
    filter: ReceivedFilter,
  ): Promise<{ readonly count: number; readonly last: ReceivedFilter['before'] }> {
    const { sql, values } = await narrow(tx, accountId, filter)
    const rows = await tx.query<{ id: string; receivedAt: Date }>(
      `select id, received_at receivedAt from received ${indexFor(filter)} where ${sql} and state <> 'pending' order by received_at desc, id desc limit ${String(Math.trunc(filter.limit))}`,
      values,
    )
    if (rows.length > 0) {
      const list = inList(rows.map(({ id }) => id))
      await tx.run(
        `update received set state = 'pending', reason = null where account_id = ? and id in ${list.sql} and state <> 'pending'`,
        [accountId, ...list.values],
      )
    }
    return { count: rows.length, last: rows.at(-1) }
  },

  /** At most `limit` of those that were settled and came before this instant. Gives their number. */
  async removeBefore(tx: Writer, before: Date, limit: number): Promise<number> {
    let removed = 0
    for (const state of ['processed', 'kept', 'dead'] as const) {
      if (removed >= limit) break
      const { affectedRows } = await tx.run(
        `delete from received where state = ? and received_at < ? order by received_at limit ${String(Math.trunc(limit - removed))}`,
        [state, before],
      )
      removed += affectedRows
    }
    return removed
  },

  /** Pending ones with their bodies, oldest first. */
  async pending(reader: Reader, limit: number): Promise<Pick<Received, 'id' | 'accountId' | 'appId' | 'body'>[]> {
    return reader.query(
      `select id, account_id accountId, app_id appId, body from received where state = 'pending' order by received_at limit ${String(Math.trunc(limit))}`,
    )
  },
}

/**
 * The optimizer follows only the first column of these indices as soon as there is an order and a limit, and reads its way from the newest
 * row to the place where the page begins.
 */
function indexFor({ appId, channelId, state, text }: ReceivedChoice): string {
  if (text !== undefined) return ''
  // Most are processed, few are not.
  if (state !== undefined && state !== 'processed') return 'force index (by_state)'
  if (channelId !== undefined) return 'force index (by_channel)'
  return appId === undefined ? 'force index (by_account)' : 'force index (by_app)'
}

async function narrow(
  reader: Reader,
  accountId: string,
  filter: ReceivedFilter,
): Promise<{ readonly sql: string; readonly values: SqlValue[] }> {
  const where: string[] = ['account_id = ?']
  const values: SqlValue[] = [accountId]
  const add = (sql: string, ...more: SqlValue[]): void => {
    where.push(sql)
    values.push(...more)
  }
  if (filter.appId !== undefined) add('app_id = ?', filter.appId)
  if (filter.channelId !== undefined) add('channel_id = ?', filter.channelId)
  if (filter.state !== undefined) add('state = ?', filter.state)
  if (filter.from !== undefined) add('received_at >= ?', filter.from)
  if (filter.to !== undefined) add('received_at < ?', filter.to)
  // The first part is what an index can follow.
  if (filter.before !== undefined)
    add(
      'received_at <= ? and (received_at < ? or id < ?)',
      filter.before.receivedAt,
      filter.before.receivedAt,
      filter.before.id,
    )
  if (filter.text !== undefined) {
    const found = await namedBy(reader, accountId, filter.text)
    add(found.sql, ...found.values)
  }
  return { sql: where.join(' and '), values }
}

/** Messages carry the instant of the body that brought them, which leads to it by an index. */
async function namedBy(
  reader: Reader,
  accountId: string,
  text: string,
): Promise<{ readonly sql: string; readonly values: SqlValue[] }> {
  const any: string[] = []
  const values: SqlValue[] = []
  if (/^[0-9a-f]{8}[0-9a-f-]{0,28}$/i.test(text)) {
    const digits = text.replaceAll('-', '')
    any.push('id between ? and ?')
    values.push(digits.padEnd(32, '0').slice(0, 32), digits.padEnd(32, 'f').slice(0, 32))
  }
  const messages = await reader.query<{ id: string; receivedAt: Date }>(
    `select id, received_at receivedAt from messages where account_id = ? and id = ?
     union all
     select id, received_at receivedAt from messages where account_id = ? and external_id = ?
       and channel_id in (select id from channels where account_id = ?) and visibility in ('direct', 'public')
     limit 20`,
    [accountId, text, accountId, text, accountId],
  )
  for (const { id, receivedAt } of messages) {
    any.push('(received_at = ? and instr(trace, ?) > 0)')
    values.push(receivedAt, id)
  }
  return { sql: any.length === 0 ? 'false' : `(${any.join(' or ')})`, values }
}
