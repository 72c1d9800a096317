/** One pool of connections to one database server, and what the driver's errors mean. The only file that knows mysql2. */
import { createPool } from 'mysql2'
import type { Pool as DriverPool, PoolConnection } from 'mysql2'
import type { Secret } from '../infra/config.ts'
import { codeOf, unavailable } from '../infra/errors.ts'

/** What may be a parameter of a statement; objects are refused, so no driver can expand one into SQL. */
export type SqlValue = string | number | bigint | boolean | Date | Buffer | null

/** The answer to a statement that changes rows; `gtid` where the statement committed something. */
export interface Changed {
  readonly affectedRows: number
  readonly gtid: string | undefined
}

/** One connection, held by one user at a time. */
export interface Connection {
  /** Prepared; rows. @param limitMs the connection is given up when the answer takes longer */
  select<Row extends object>(sql: string, values?: readonly SqlValue[], limitMs?: number): Promise<Row[]>
  /** Prepared; changes rows. */
  change(sql: string, values?: readonly SqlValue[]): Promise<Changed>
  /** Not prepared, one statement without values: `commit`, `set …`, schema changes. */
  command(sql: string): Promise<Changed>
  /** Not prepared, escaped by the driver: `insert into T (…) values ?`. */
  insertRows(sql: string, rows: readonly (readonly SqlValue[])[]): Promise<Changed>
  /** Back to the pool; closed when it failed. */
  release(): void
  /** Closed: its state is not known. */
  discard(): void
}

export interface Pool {
  /** @throws Problem 503 `database_away` when no connection can be had */
  acquire(): Promise<Connection>
  close(): Promise<void>
}

export interface PoolOptions {
  readonly connections: number
  /** Run on each new connection before its first use; a rejection closes the connection. */
  readonly prepare: (connection: Connection) => Promise<void>
}

/** Longest that any statement may take before the connection is given up. */
export const statementLimitMs = 30_000

/** A pool for `mysql://user:password@host:port/database`. Connects when first used. */
export function openPool(url: Secret, options: PoolOptions): Pool {
  const address = new URL(url.reveal())
  const driver: DriverPool = createPool({
    host: address.hostname,
    port: Number(address.port === '' ? 3306 : address.port),
    user: decodeURIComponent(address.username),
    password: decodeURIComponent(address.password),
    database: address.pathname.slice(1),
    charset: 'UTF8MB4_UNICODE_CI',
    timezone: 'Z',
    supportBigNumbers: true,
    stringifyObjects: true,
    connectTimeout: 2_000,
    connectionLimit: options.connections,
    // The server counts prepared statements of all connections together (16,382 by default).
    maxPreparedStatements: 150,
    queueLimit: 2_000,
    enableKeepAlive: true,
    idleTimeout: 600_000,
  })
  const prepared = new WeakSet<PoolConnection>()
  return {
    async acquire() {
      const raw = await new Promise<PoolConnection>((resolve, reject) => {
        driver.getConnection((error: NodeJS.ErrnoException | null, connection) => {
          if (error) reject(away(error))
          else resolve(connection)
        })
      })
      const connection = wrap(raw)
      if (!prepared.has(raw)) {
        try {
          await options.prepare(connection)
          prepared.add(raw)
        } catch (error) {
          connection.discard()
          throw error
        }
      }
      return connection
    },
    close: () =>
      new Promise((resolve) => {
        // A frozen server must not keep us from stopping.
        const timer = setTimeout(resolve, 2_000)
        driver.end(() => {
          clearTimeout(timer)
          resolve()
        })
      }),
  }
}

function wrap(raw: PoolConnection): Connection {
  let isBroken = false
  const ask = (isPrepared: boolean, sql: string, values: SqlValue[] | [SqlValue[][]], limitMs = statementLimitMs) =>
    new Promise<unknown>((resolve, reject) => {
      // Our own time limit: the driver's does not hold while a statement is being prepared.
      const timer = setTimeout(() => {
        isBroken = true
        raw.destroy()
        reject(away(new Error(`no answer within ${String(limitMs)} ms`)))
      }, limitMs)
      const done = (error: NodeJS.ErrnoException | null, result: unknown) => {
        clearTimeout(timer)
        if (error === null) {
          resolve(result)
          return
        }
        isBroken ||= isConnectionError(error)
        reject(isConnectionError(error) ? away(error) : error)
      }
      if (isPrepared) raw.execute(sql, values, done)
      else raw.query(sql, values, done)
    })
  return {
    async select<Row extends object>(sql: string, values?: readonly SqlValue[], limitMs = statementLimitMs) {
      refuseObjects(values)
      const rows = await ask(true, sql, values === undefined ? [] : [...values], limitMs)
      // The one place where rows get their type: each store says what its statement selects.
      return rows as Row[]
    },
    async change(sql, values) {
      refuseObjects(values)
      return changed(await ask(true, sql, values === undefined ? [] : [...values]))
    },
    command: async (sql) => changed(await ask(false, sql, [])),
    async insertRows(sql, rows) {
      for (const row of rows) refuseObjects(row)
      return changed(await ask(false, sql, [rows.map((row) => [...row])]))
    },
    release: () => {
      // After a time-out the statement may still run there.
      if (isBroken) raw.destroy()
      else raw.release()
    },
    discard: () => {
      raw.destroy()
    },
  }
}

/** `stateChanges` is where MariaDB's session tracking puts the GTID of the commit (`last_gtid`), in the OK packet itself. */
function changed(result: unknown): Changed {
  if (typeof result !== 'object' || result === null || !('affectedRows' in result))
    return { affectedRows: 0, gtid: undefined }
  const { affectedRows, stateChanges } = result as {
    affectedRows: number
    stateChanges?: { systemVariables?: { last_gtid?: string } }
  }
  const gtid = stateChanges?.systemVariables?.last_gtid
  return { affectedRows, gtid: gtid === '' ? undefined : gtid }
}

function refuseObjects(values: readonly unknown[] | undefined): void {
  for (const value of values ?? []) {
    const isPlain = value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
    if (!isPlain && !(value instanceof Date) && !Buffer.isBuffer(value)) {
      throw new TypeError(
        `A statement's parameter must be a plain value, not ${value === undefined ? 'undefined' : 'an object'}`,
      )
    }
  }
}

const connectionErrors = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_OPTION_PREVENTS_STATEMENT',
  'POOL_CLOSED',
])

/** Whether the connection, not the statement, is what failed; also a primary that has become read-only. */
export function isConnectionError(error: unknown): boolean {
  if (connectionErrors.has(codeOf(error) ?? '')) return true
  return (
    error instanceof Error &&
    (('fatal' in error && error.fatal === true) ||
      /closed state|Queue limit reached|Pool is closed/.test(error.message))
  )
}

export const away = (cause: unknown) =>
  unavailable('database_away', 'The database cannot be reached just now; try again in a moment.', cause)
