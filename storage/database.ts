/** Pools of the primary and the replicas; readers and writers. The only file that knows mysql2. */

/** What may be a parameter of a statement; objects are refused, so no driver can expand one into SQL. */
export type SqlValue = string | number | bigint | boolean | Date | Buffer | null

/** Reads: from a replica, the primary or inside a transaction; the type does not say which, the caller's choice of reader does. */
export interface Reader {
  /** Prepared statement; one row type per query. UUIDs are strings, DATETIME is a UTC `Date`, JSON is parsed. */
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
  /** One transaction; repeated on a deadlock. Notes the GTID of its commit in the position. */
  write<T>(work: (tx: Writer) => Promise<T>): Promise<T>
  /** Sees this reader's own last write: a replica that has reached its position, else the primary. */
  readonly fresh: Reader
  /** May lag: reports, exports, searches. A replica; the primary only when there is none. */
  readonly bulk: Reader
  /** The primary itself: sessions, permissions, and what must be decided on the newest state. */
  readonly primary: Reader
}
