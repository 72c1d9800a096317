/** Readers and writers: transactions on the primary, reads that see their own writes, reads that may lag. */
import type { Config, Secret } from '../infra/config.ts'
import { Problem, codeOf } from '../infra/errors.ts'
import { every } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import { later, watchReplica } from './freshness.ts'
import type { ReplicaWatch } from './freshness.ts'
import { away, openPool, statementLimitMs } from './pool.ts'
import type { Connection, Pool, SqlValue } from './pool.ts'
import { asReader, write } from './transaction.ts'

export type { SqlValue } from './pool.ts'
export { CommitUnknown } from './transaction.ts'

/** Reads: from a replica, the primary or inside a transaction; the type does not say which, the caller's choice of reader does. */
export interface Reader {
  /** Prepared statement; one row type per query. UUIDs are strings, DATETIME is a UTC `Date`, JSON columns are parsed, BOOLEAN is 0 or 1. */
  query<Row extends object>(sql: string, values?: readonly SqlValue[]): Promise<Row[]>
  /** The first row, if there is one. */
  first<Row extends object>(sql: string, values?: readonly SqlValue[]): Promise<Row | undefined>
}

export declare const writes: unique symbol

/** Always a transaction on the primary. */
export interface Writer extends Reader {
  readonly [writes]: true
  /** One statement that changes rows. */
  run(sql: string, values?: readonly SqlValue[]): Promise<{ affectedRows: number }>
  /**
   * Many rows in one statement: `insert into T (columns) values …` followed by `tail`
   * (such as `on duplicate key update …`). No rows: nothing happens.
   */
  insertMany(
    table: string,
    columns: readonly string[],
    rows: readonly (readonly SqlValue[])[],
    tail?: string,
  ): Promise<{ affectedRows: number }>
  /** Called once the transaction has been committed; a failure there is logged, never thrown. */
  afterCommit(work: () => void | Promise<void>): void
}

/**
 * How far a reader must be able to see: the GTID of its own last write. One per session or token; `undefined`: it has
 * written nothing yet; `'unknown'`: not known, so it reads the primary.
 */
export interface Position {
  gtid: string | undefined
  /** A transaction that wrote nothing may have read what is newer: the primary is read until the next write. */
  isBehind?: boolean
}

export interface WriteOptions {
  /** Rolled back by the server when nothing is heard from us for so many seconds: the locks of a process that stands still come free. */
  readonly idleLimitS?: number
}

/** The databases as one reader and writer sees them. */
export interface Database {
  /** One transaction; repeated on a deadlock. Notes the GTID of its commit in the position. @throws CommitUnknown */
  write<T>(work: (tx: Writer) => Promise<T>, options?: WriteOptions): Promise<T>
  /** Sees this reader's own last write: a replica that has reached its position, else the primary. */
  readonly fresh: Reader
  /** May lag: reports, exports, searches. A replica; the primary only when there is none. */
  readonly bulk: Reader
  /** The primary itself: sessions, permissions, and what must be decided on the newest state. */
  readonly primary: Reader
}

/** The pools of this process. */
export interface Databases {
  /** The databases as seen by the reader whose position this is. */
  as(position: Position): Database
  /** The primary's position now. */
  current(): Promise<string | undefined>
  /** How the replicas are, for people and metrics. */
  replicas(): { readonly name: string; readonly isConnected: boolean; readonly lagMs: number }[]
  /** Whether all replicas that can be asked have reached this position within the limit. */
  settle(gtid: string, limitMs: number): Promise<boolean>
  close(): Promise<void>
}

interface Replica {
  readonly name: string
  readonly pool: Pool
  readonly watch: ReplicaWatch
}

/** Longest that a fresh read waits for a replica's answer before it asks the primary instead. */
const replicaLimitMs = 2_000
/** A replica further behind is broken: even those who may lag are better served by the primary. */
const mostBulkLagMs = 900_000
const markMs = 1_000
const bulkLimitMs = 600_000

/** Opens the pools and begins to watch the replicas. */
export function openDatabases(config: Config, logger: Logger): Databases {
  if (config.primaryUrl === undefined)
    throw new Error('PARLEY_PRIMARY_URL is not set: Parley needs its primary database.')
  const primary = openPool(config.primaryUrl, { connections: 16, prepare: preparePrimary })
  const replicas = config.replicaUrls.map((url) => openReplica(url, logger))
  const primaryReader = asReader((sql, values) => select(primary, sql, values, statementLimitMs))
  const marking =
    replicas.length === 0
      ? undefined
      : every(
          markMs,
          () => markReplicas(primaryReader, replicas),
          () => undefined,
        )
  let turn = 0

  /** The replicas by turns, so that several share the load. */
  const choose = (fits: (watch: ReplicaWatch) => boolean): Replica | undefined => {
    turn = (turn + 1) % Math.max(1, replicas.length)
    return [...replicas.slice(turn), ...replicas.slice(0, turn)].find(({ watch }) => fits(watch))
  }
  const fresh = (position: Position) =>
    asReader(async <Row extends object>(sql: string, values?: readonly SqlValue[]) => {
      const { gtid, isBehind = false } = position
      const replica =
        gtid === 'unknown' || isBehind
          ? undefined
          : choose((watch) => watch.isUsable && (gtid === undefined || watch.hasReached(gtid)))
      if (replica !== undefined) {
        const rows = await selectThere<Row>(replica, sql, values, replicaLimitMs, gtid)
        if (rows !== undefined) return rows
      } else if (gtid !== undefined && gtid !== 'unknown' && !isBehind) {
        for (const { watch } of replicas) watch.expect(gtid)
      }
      return primaryReader.query<Row>(sql, values)
    })
  const bulk = asReader(async <Row extends object>(sql: string, values?: readonly SqlValue[]) => {
    const replica = choose((watch) => watch.isConnected && watch.lagMs < mostBulkLagMs)
    const rows = replica && (await selectThere<Row>(replica, sql, values, bulkLimitMs))
    return rows ?? primaryReader.query<Row>(sql, values)
  })
  return {
    as: (position) => ({
      primary: primaryReader,
      fresh: fresh(position),
      bulk,
      write: (work, options) =>
        write(
          primary,
          logger,
          work,
          (gtid) => {
            position.isBehind = gtid === undefined
            if (gtid === undefined) return
            position.gtid =
              position.gtid === undefined || position.gtid === 'unknown' ? gtid : later(position.gtid, gtid)
            for (const { watch } of replicas) watch.expect(gtid)
          },
          options,
        ),
    }),
    current: () => currentPosition(primaryReader),
    replicas: () => replicas.map(({ name, watch }) => ({ name, isConnected: watch.isConnected, lagMs: watch.lagMs })),
    settle: async (gtid, limitMs) =>
      (await Promise.all(replicas.map(({ watch }) => watch.waitFor(gtid, limitMs)))).every(Boolean),
    async close() {
      await marking?.stop()
      await Promise.all(replicas.map(({ watch }) => watch.stop()))
      await Promise.all([primary, ...replicas.map(({ pool }) => pool)].map((pool) => pool.close()))
    },
  }
}

function openReplica(url: Secret, logger: Logger): Replica {
  const name = new URL(url.reveal()).host
  const watching = openPool(url, { connections: 1, prepare: () => Promise.resolve() })
  const watch = watchReplica(watching, name, logger)
  const pool = openPool(url, { connections: 16, prepare: (connection) => watch.compare(connection) })
  return { name, pool, watch }
}

async function currentPosition(primary: Reader): Promise<string | undefined> {
  return (await primary.first<{ position: string }>('select @@global.gtid_current_pos as position'))?.position
}

async function markReplicas(primary: Reader, replicas: readonly Replica[]): Promise<void> {
  const position = await currentPosition(primary)
  for (const { watch } of replicas) {
    if (position !== undefined) watch.mark(position)
  }
}

/** Rows, or undefined when the replica cannot answer: the primary will. */
async function selectThere<Row extends object>(
  replica: Replica,
  sql: string,
  values: readonly SqlValue[] | undefined,
  limitMs: number,
  gtid?: string,
): Promise<Row[] | undefined> {
  try {
    // Looked at again once the connection is there: a new one may have shown that the replica lost its past.
    return await select<Row>(
      replica.pool,
      sql,
      values,
      limitMs,
      () => gtid === undefined || replica.watch.hasReached(gtid),
    )
  } catch (error) {
    if (error instanceof Problem || notThereYet.has(codeOf(error) ?? '')) return undefined
    throw error
  }
}

/** A table, column or database that the replica has not been told of yet. */
const notThereYet = new Set([
  'ER_NO_SUCH_TABLE',
  'ER_BAD_FIELD_ERROR',
  'ER_BAD_DB_ERROR',
  'ER_DBACCESS_DENIED_ERROR',
  'ER_ACCESS_DENIED_ERROR',
])

/** A primary that was demoted is refused at once, so no writer keeps a connection to it. */
async function preparePrimary(connection: Connection): Promise<void> {
  await connection.command(`set session session_track_system_variables = 'last_gtid', tx_isolation = 'READ-COMMITTED'`)
  const [row] = await connection.select<{ read_only: number }>('select @@read_only as read_only')
  if (row?.read_only !== 0) throw away(new Error('the server named as primary is read-only'))
}

async function select<Row extends object>(
  pool: Pool,
  sql: string,
  values: readonly SqlValue[] | undefined,
  limitMs: number,
): Promise<Row[]>
async function select<Row extends object>(
  pool: Pool,
  sql: string,
  values: readonly SqlValue[] | undefined,
  limitMs: number,
  mayGoOn: () => boolean,
): Promise<Row[] | undefined>
async function select<Row extends object>(
  pool: Pool,
  sql: string,
  values: readonly SqlValue[] | undefined,
  limitMs: number,
  mayGoOn: () => boolean = () => true,
): Promise<Row[] | undefined> {
  const connection = await pool.acquire()
  try {
    return mayGoOn() ? await connection.select<Row>(sql, values, limitMs) : undefined
  } finally {
    connection.release()
  }
}
