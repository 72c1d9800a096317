/**
 * What was done by whom, from where, and what it changed: one chain of rows per account. The hash of each row covers the one
 * before, and the end of the chain is kept by itself, so that a row that was changed, removed or cut off shows.
 */
import { createHash } from 'node:crypto'
import type { Reader, SqlValue, Writer } from '../database.ts'

/** Who does something, and from where. */
export interface Actor {
  /** null: nobody who is known, such as the command line or a failed sign-in. */
  readonly userId: string | null
  readonly name: string
  /** `session 1a2b3c4d`, `token <id>`, `command line`, `platform`: never what signs in. */
  readonly via: string
  readonly address?: string | undefined
  readonly agent?: string | undefined
  readonly requestId?: string | undefined
}

/** Parley itself, or an operator at the command line. */
export const platformActor: Actor = { userId: null, name: 'Parley', via: 'platform' }

/** The values of some fields; never a secret, not even sealed or hashed. */
export type Fields = Readonly<Record<string, unknown>>

export interface NewAuditEntry {
  readonly accountId: string
  readonly by: Actor
  /** `noun.done`, past tense: `role.changed`, `session.failed`. */
  readonly action: string
  readonly subject: { readonly type: string; readonly id: string | null; readonly name?: string | null | undefined }
  readonly before?: Fields | undefined
  readonly after?: Fields | undefined
}

export interface AuditEntry extends Omit<NewAuditEntry, 'before' | 'after' | 'by'> {
  readonly sequence: number
  readonly at: Date
  readonly by: Actor
  /** What was different before and after; fields that stayed the same are left out. */
  readonly before: Fields
  readonly after: Fields
}

export interface AuditFilter {
  readonly actorId?: string | undefined
  /** The whole action, or its noun. */
  readonly action?: string | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
  /** Entries before this sequence number. */
  readonly before?: number | undefined
  readonly limit: number
}

/** What looking at the whole chain has shown. `brokenAt`: the first sequence number that is missing or not as it was written. */
export interface ChainState {
  readonly isWhole: boolean
  readonly count: number
  readonly brokenAt: number | null
  /** Of the last entry, in hexadecimal: noted elsewhere, it proves later that the chain was not made anew. */
  readonly headHash: string | null
}

interface Row {
  account_id: string
  sequence: number
  at: Date
  actor_id: string | null
  actor_name: string
  action: string
  subject_type: string
  subject_id: string | null
  subject_name: string | null
  via: string
  address: string | null
  agent: string | null
  request_id: string | null
  changes: string | null
  hash: Buffer
}

const columns =
  'account_id, sequence, at, actor_id, actor_name, action, subject_type, subject_id, subject_name, via, address, agent, request_id, changes, hash'
const beginning = Buffer.alloc(32)
const verifyPage = 1_000

export const audit = {
  /**
   * Adds what was done to the account's chain, in the transaction of the act. Call it last there: the end of the chain is
   * locked until the commit. A change in which nothing is different is no entry.
   */
  async append(tx: Writer, entry: NewAuditEntry): Promise<void> {
    const changes = differences(entry.before, entry.after)
    if (changes === undefined) return
    const head = await lockHead(tx, entry.accountId)
    const row: Omit<Row, 'hash'> = {
      account_id: entry.accountId,
      sequence: head.sequence + 1,
      at: new Date(),
      actor_id: entry.by.userId,
      actor_name: cut(entry.by.name, 200),
      action: entry.action,
      subject_type: entry.subject.type,
      subject_id: entry.subject.id,
      subject_name: entry.subject.name == null ? null : cut(entry.subject.name, 200),
      via: ascii(entry.by.via, 60),
      address: entry.by.address === undefined ? null : ascii(entry.by.address, 45),
      agent: entry.by.agent === undefined ? null : cut(entry.by.agent, 300),
      request_id: entry.by.requestId === undefined ? null : ascii(entry.by.requestId, 100),
      changes,
    }
    const hash = hashOf(row, head.hash)
    await tx.insertMany('audit_entries', columns.split(', '), [[...valuesOf(row), hash]])
    await tx.run('update audit_heads set sequence = ?, hash = ? where account_id = ?', [
      row.sequence,
      hash,
      entry.accountId,
    ])
  },

  /** The newest first. */
  async list(reader: Reader, accountId: string, filter: AuditFilter): Promise<AuditEntry[]> {
    const where: string[] = ['account_id = ?']
    const values: SqlValue[] = [accountId]
    const narrow = (sql: string, value: SqlValue): void => {
      where.push(sql)
      values.push(value)
    }
    if (filter.actorId !== undefined) narrow('actor_id = ?', filter.actorId)
    if (filter.action?.includes('.') === true) narrow('action = ?', filter.action)
    else if (filter.action !== undefined) narrow('action like ?', `${filter.action.replace(/[\\%_]/g, '\\$&')}.%`)
    if (filter.since !== undefined) narrow('at >= ?', filter.since)
    if (filter.until !== undefined) narrow('at < ?', filter.until)
    if (filter.before !== undefined) narrow('sequence < ?', filter.before)
    const rows = await reader.query<Row>(
      `select ${columns} from audit_entries where ${where.join(' and ')} order by sequence desc limit ${String(Math.trunc(filter.limit))}`,
      values,
    )
    return rows.map(present)
  },

  /** Reads the whole chain, a page at a time, and looks whether each row is there and as it was written. */
  async verify(reader: Reader, accountId: string): Promise<ChainState> {
    const head = await reader.first<{ sequence: number; hash: Buffer }>(
      'select sequence, hash from audit_heads where account_id = ?',
      [accountId],
    )
    let [last, lastHash]: [number, Buffer] = [0, beginning]
    const broken = (at: number): ChainState => ({ isWhole: false, count: last, brokenAt: at, headHash: null })
    while (last < (head?.sequence ?? 0)) {
      const rows = await reader.query<Row>(
        `select ${columns} from audit_entries where account_id = ? and sequence > ? and sequence <= ? order by sequence limit ${String(verifyPage)}`,
        [accountId, last, head?.sequence ?? 0],
      )
      if (rows.length === 0) return broken(last + 1)
      for (const row of rows) {
        if (row.sequence !== last + 1 || !hashOf(row, lastHash).equals(row.hash)) return broken(last + 1)
        ;[last, lastHash] = [row.sequence, row.hash]
      }
    }
    if (head !== undefined && !head.hash.equals(lastHash)) return broken(last)
    // Rows without an end of the chain, or beyond it: read again later they may be those of acts that happen now.
    const beyond = await reader.first<{ n: number }>(
      'select count(*) as n from audit_entries where account_id = ? and sequence > (select coalesce(max(sequence), 0) from audit_heads where account_id = ?)',
      [accountId, accountId],
    )
    if ((beyond?.n ?? 0) > 0) return broken(last + 1)
    return { isWhole: true, count: last, brokenAt: null, headHash: last === 0 ? null : lastHash.toString('hex') }
  },
}

/** The end of the chain, held until the transaction ends. */
async function lockHead(tx: Writer, accountId: string): Promise<{ sequence: number; hash: Buffer }> {
  const read = () =>
    tx.first<{ sequence: number; hash: Buffer }>(
      'select sequence, hash from audit_heads where account_id = ? for update',
      [accountId],
    )
  const head = await read()
  if (head !== undefined) return head
  await tx.run(
    'insert into audit_heads (account_id, sequence, hash) values (?, 0, ?) on duplicate key update sequence = sequence',
    [accountId, beginning],
  )
  return (await read()) ?? { sequence: 0, hash: beginning }
}

/** What is different, as JSON; undefined when two states are given and nothing is. */
function differences(before: Fields | undefined, after: Fields | undefined): string | null | undefined {
  if (before === undefined && after === undefined) return null
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort()
  const differ = names.filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]))
  if (differ.length === 0) return before === undefined || after === undefined ? null : undefined
  const pick = (fields: Fields | undefined) =>
    Object.fromEntries(differ.flatMap((name) => (fields?.[name] === undefined ? [] : [[name, fields[name]]])))
  return JSON.stringify({ before: pick(before), after: pick(after) })
}

/** As the database gives it back: no half characters. */
const cut = (text: string, length: number): string => text.slice(0, length).toWellFormed()
const ascii = (text: string, length: number): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, length)

const valuesOf = (row: Omit<Row, 'hash'>): SqlValue[] => [
  row.account_id, row.sequence, row.at, row.actor_id, row.actor_name, row.action, row.subject_type, row.subject_id,
  row.subject_name, row.via, row.address, row.agent, row.request_id, row.changes,
] // prettier-ignore

const hashOf = (row: Omit<Row, 'hash'>, before: Buffer): Buffer =>
  createHash('sha256')
    .update(before)
    .update(JSON.stringify(valuesOf(row)))
    .digest()

function present(row: Row): AuditEntry {
  const changes = (row.changes === null ? {} : JSON.parse(row.changes)) as { before?: Fields; after?: Fields }
  return {
    accountId: row.account_id,
    sequence: row.sequence,
    at: row.at,
    by: {
      userId: row.actor_id,
      name: row.actor_name,
      via: row.via,
      address: row.address ?? undefined,
      agent: row.agent ?? undefined,
      requestId: row.request_id ?? undefined,
    },
    action: row.action,
    subject: { type: row.subject_type, id: row.subject_id, name: row.subject_name },
    before: changes.before ?? {},
    after: changes.after ?? {},
  }
}
