/** Readers and writers: transactions on the primary, reads that see their own writes, reads that may lag. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config, Secret } from '../infra/config.ts'
import { Problem, codeOf } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import { away, openPool } from './pool.ts'
import type { Connection, Pool, SqlValue } from './pool.ts'

export type { SqlValue } from './pool.ts'

/** Reads: from a replica, the primary or inside a transaction; the type does not say which, the caller's choice of reader does. */
export interface Reader {
  /** Prepared statement; one row type per query. UUIDs are strings, DATETIME is a UTC `Date`, JSON columns are parsed, BOOLEAN is 0 or 1. */
  query<Row extends object>(sql: string, values?: readonly SqlValue[]): Promise<Row[]>
  /** The first row, if there is one. */
  first<Row extends object>(sql: string, values?: readonly SqlValue[]): Promise<Row | undefined>
}

declare const writes: unique symbol

/** Always a transaction on the primary. */
export interface Writer extends Reader {
  readonly [writes]: true
  /** One statement that changes rows. */
  run(sql: string, values?: readonly SqlValue[]): Promise<{ affectedRows: number }>
  /**
   * Many rows in one statement: `insert into T (columns) values …` followed by `tail`
   * (such as `on duplicate key update …`). No rows: nothing happens.
   */
  insertMany(table: string, columns: readonly string[], rows: readonly (readonly SqlValue[])[], tail?: string): Promise<{ affectedRows: number }>
  /** Called once the transaction has been committed; a failure there is logged, never thrown. */
  afterCommit(work: () => void | Promise<void>): void
}

/**
 * How far a reader must be able to see: the GTID of its own last write. One per session or token; `undefined`: it has
 * written nothing yet; `'unknown'`: not known, so it reads the primary.
 */
export interface Position {
  gtid: string | 'unknown' | undefined
}

/** The databases as one reader and writer sees them. */
export interface Database {
  /** One transaction; repeated on a deadlock. Notes the GTID of its commit in the position. @throws CommitUnknown */
  write<T>(work: (tx: Writer) => Promise<T>): Promise<T>
  /** Sees this reader's own last write: a replica that has reached its position, else the primary. */
  readonly fresh: Reader
  /** May lag: reports, exports, searches. A replica; the primary only when there is none. */
  readonly bulk: Reader
  /** The primary itself: sessions, permissions, and what must be decided on the newest state. */
  readonly primary: Reader
}

/** The connection was lost while the commit was answered: the transaction may have happened or not. Only a unique key can tell. */
export class CommitUnknown extends Problem {
  constructor(cause: unknown) {
    super(503, 'commit_unknown', 'The database went away while saving; look whether the change is there before you repeat it.', [], { cause })
    this.name = 'CommitUnknown'
  }
}

/** The pools of this process. */
export interface Databases {
  /** The databases as seen by the reader whose position this is. */
  as(position: Position): Database
  close(): Promise<void>
}

/** Opens the pools; nothing connects before the first use. */
export function openDatabases(config: Config, logger: Logger): Databases {
  if (config.primaryUrl === undefined) throw new Error('PARLEY_PRIMARY_URL is not set: Parley needs its primary database.')
  const primary = openPool(config.primaryUrl, { connections: 16, prepare: preparePrimary })
  const replicas = config.replicaUrls.map((url: Secret) => openPool(url, { connections: 16, prepare: () => Promise.resolve() }))
  const primaryReader = readerOf(primary)
  const bulk = readerOf(replicas[0] ?? primary)
  return {
    as: (position) => ({
      primary: primaryReader,
      fresh: primaryReader,
      bulk,
      write: (work) => write(primary, logger, position, work),
    }),
    async close() {
      await Promise.all([primary, ...replicas].map((pool) => pool.close()))
    },
  }
}

/** A primary that was demoted is refused at once, so no writer keeps a connection to it. */
async function preparePrimary(connection: Connection): Promise<void> {
  await connection.command(`set session session_track_system_variables = 'last_gtid', tx_isolation = 'READ-COMMITTED'`)
  const [row] = await connection.select<{ read_only: number }>('select @@read_only as read_only')
  if (row?.read_only !== 0) throw away(new Error('the server named as primary is read-only'))
}

function readerOf(pool: Pool): Reader {
  return asReader(async (sql, values) => {
    const connection = await pool.acquire()
    try {
      return await connection.select(sql, values)
    } finally {
      connection.release()
    }
  })
}

/** A reader from one function that runs a statement. */
export function asReader(query: Reader['query']): Reader {
  return {
    query,
    async first<Row extends object>(sql: string, values?: readonly SqlValue[]) {
      return (await query<Row>(sql, values))[0]
    },
  }
}

const tries = 5

async function write<T>(primary: Pool, logger: Logger, position: Position, work: (tx: Writer) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeOnce(primary, logger, position, work)
    } catch (error) {
      if (attempt === tries || !isRepeatable(error)) throw error
      await sleep(Math.random() * 10 * 2 ** attempt)
    }
  }
}

const isRepeatable = (error: unknown): boolean => ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT'].includes(codeOf(error) ?? '')

async function writeOnce<T>(primary: Pool, logger: Logger, position: Position, work: (tx: Writer) => Promise<T>): Promise<T> {
  const connection = await primary.acquire()
  const hooks: (() => void | Promise<void>)[] = []
  let result: T
  try {
    await connection.command('start transaction')
    result = await work(writerOf(connection, hooks))
  } catch (error) {
    // A connection that cannot even roll back is closed, which rolls back as well.
    await connection.command('rollback').then(connection.release, connection.discard)
    throw error
  }
  try {
    const { gtid } = await connection.command('commit')
    if (gtid !== undefined) position.gtid = gtid
  } catch (error) {
    connection.discard()
    throw error instanceof Problem ? new CommitUnknown(error.cause) : error
  }
  connection.release()
  for (const hook of hooks) {
    try {
      await hook()
    } catch (error) {
      logger.error({ err: error }, 'work after a commit failed')
    }
  }
  return result
}

const identifier = /^[a-z_]{1,64}$/
/** Well below max_allowed_packet (16 MB by default). */
const statementBytes = 4_000_000

function writerOf(connection: Connection, hooks: (() => void | Promise<void>)[]): Writer {
  const writer: Omit<Writer, typeof writes> = {
    ...asReader((sql, values) => connection.select(sql, values)),
    run: (sql, values) => connection.change(sql, values),
    async insertMany(table, columns, rows, tail = '') {
      if (![table, ...columns].every((name) => identifier.test(name))) throw new TypeError(`not a table and its columns: ${table}`)
      let affectedRows = 0
      for (const part of parts(rows)) {
        affectedRows += (await connection.insertRows(`insert into ${table} (${columns.join(', ')}) values ? ${tail}`, part)).affectedRows
      }
      return { affectedRows }
    },
    afterCommit: (work) => {
      hooks.push(work)
    },
  }
  return writer as Writer
}

function* parts(rows: readonly (readonly SqlValue[])[]) {
  let part: (readonly SqlValue[])[] = []
  let bytes = 0
  for (const row of rows) {
    part.push(row)
    // Escaping can double a text; a buffer is written in hexadecimal.
    for (const value of row) bytes += typeof value === 'string' || Buffer.isBuffer(value) ? 2 * value.length + 4 : 30
    if (bytes > statementBytes) {
      yield part
      part = []
      bytes = 0
    }
  }
  if (part.length > 0) yield part
}
