/** One transaction on the primary: all or nothing, repeated on a deadlock, honest about a lost answer. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem, codeOf } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import type { Reader, Writer, WriteOptions, writes } from './database.ts'
import type { Connection, Pool, SqlValue } from './pool.ts'

/** The connection was lost while the commit was answered: the transaction may have happened or not. Only a unique key can tell. */
export class CommitUnknown extends Problem {
  constructor(cause: unknown) {
    super(
      503,
      'commit_unknown',
      'The database went away while saving; look whether the change is there before you repeat it.',
      [],
      { cause },
    )
    this.name = 'CommitUnknown'
  }
}

const tries = 5

/** One transaction, repeated on a deadlock. `note` is given the GTID of the commit; none: nothing was written. @throws CommitUnknown */
export async function write<T>(
  primary: Pool,
  logger: Logger,
  work: (tx: Writer) => Promise<T>,
  note: (gtid: string | undefined) => void,
  options: WriteOptions = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeOnce(primary, logger, work, note, options)
    } catch (error) {
      if (attempt === tries || !isRepeatable(error)) throw error
      await sleep(Math.random() * 10 * 2 ** attempt)
    }
  }
}

const isRepeatable = (error: unknown): boolean =>
  ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT'].includes(codeOf(error) ?? '')

async function writeOnce<T>(
  primary: Pool,
  logger: Logger,
  work: (tx: Writer) => Promise<T>,
  note: (gtid: string | undefined) => void,
  { idleLimitS = 0 }: WriteOptions,
): Promise<T> {
  const connection = await primary.acquire()
  const hooks: (() => void | Promise<void>)[] = []
  const giveBack = async (): Promise<void> => {
    if (idleLimitS > 0)
      await connection.command('set session idle_transaction_timeout = default').catch(() => undefined)
    connection.release()
  }
  let result: T
  try {
    if (idleLimitS > 0)
      await connection.command(`set session idle_transaction_timeout = ${String(Math.trunc(idleLimitS))}`)
    await connection.command('start transaction')
    result = await work(writerOf(connection, hooks))
  } catch (error) {
    // A connection that cannot even roll back is closed, which rolls back as well.
    await connection.command('rollback').then(giveBack, () => connection.discard())
    throw error
  }
  try {
    const { gtid } = await connection.command('commit')
    note(gtid)
  } catch (error) {
    connection.discard()
    throw error instanceof Problem ? new CommitUnknown(error.cause) : error
  }
  await giveBack()
  for (const hook of hooks) {
    try {
      await hook()
    } catch (error) {
      logger.error({ err: error }, 'work after a commit failed')
    }
  }
  return result
}

const identifier = /^[a-z][a-z0-9_]{0,63}$/
/** Well below max_allowed_packet (16 MB by default). */
const statementBytes = 4_000_000

function writerOf(connection: Connection, hooks: (() => void | Promise<void>)[]): Writer {
  const writer: Omit<Writer, typeof writes> = {
    ...asReader((sql, values) => connection.select(sql, values)),
    run: (sql, values) => connection.change(sql, values),
    async insertMany(table, columns, rows, tail = '') {
      if (![table, ...columns].every((name) => identifier.test(name)))
        throw new TypeError(`not a table and its columns: ${table}`)
      let affectedRows = 0
      for (const part of parts(rows)) {
        affectedRows += (
          await connection.insertRows(`insert into ${table} (${columns.join(', ')}) values ? ${tail}`, part)
        ).affectedRows
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

/** A reader from one function that runs a statement. */
export function asReader(query: Reader['query']): Reader {
  return {
    query,
    async first<Row extends object>(sql: string, values?: readonly SqlValue[]) {
      return (await query<Row>(sql, values))[0]
    },
  }
}
