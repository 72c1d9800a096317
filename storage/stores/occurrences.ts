/** Firings of what was planned for a time, each unique by its due time; which kinds there are is the backend's list. */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import { inList } from './in-list.ts'

/** `post`: a post is to be published · `reply`: an answer is to be sent · `wake`: a snoozed conversation opens. */
export type OccurrenceKind = 'post' | 'reply' | 'wake'

/** `asked`: it came too late, a person decides · `dead`: it failed again and again; `reason` says how. */
export type OccurrenceState = 'waiting' | 'fired' | 'skipped' | 'cancelled' | 'asked' | 'dead'

export interface Occurrence {
  readonly id: string
  readonly accountId: string
  readonly kind: OccurrenceKind
  /** What it is about: the message, the post, the conversation. */
  readonly subjectId: string
  readonly dueAt: Date
  /** Of an answer: called off when the contact writes before. */
  readonly endsIfAnswered: boolean
  readonly state: OccurrenceState
  /** Failed tries. */
  readonly tries: number
  readonly firedAt: Date | null
  /** The node. */
  readonly firedBy: string | null
  readonly reason: string | null
}

export type Planned = Pick<Occurrence, 'accountId' | 'kind' | 'subjectId' | 'dueAt'> &
  Partial<Pick<Occurrence, 'endsIfAnswered'>>

/** How one that was claimed ended. */
export interface Ended {
  readonly id: string
  readonly accountId: string
  readonly state: Exclude<OccurrenceState, 'waiting'>
  readonly reason?: string
}

const columns = `o.id, o.account_id accountId, o.kind, o.subject_id subjectId, o.due_at dueAt, o.ends_if_answered endsIfAnswered, o.state, o.tries,
  o.fired_at firedAt, o.fired_by firedBy, o.reason`

type Row = Omit<Occurrence, 'endsIfAnswered'> & { readonly endsIfAnswered: number }

/** The driver tells booleans as numbers. */
const present = (row: Row): Occurrence => ({ ...row, endsIfAnswered: row.endsIfAnswered !== 0 })

export const occurrences = {
  /** Plans one firing; planned again for the same time after it was cancelled, it waits again. What has fired never fires twice. */
  async plan(tx: Writer, news: Planned): Promise<void> {
    await tx.run(
      `insert into occurrences (id, account_id, kind, subject_id, due_at, next_try_at, ends_if_answered, created_at) values (?, ?, ?, ?, ?, ?, ?, utc_timestamp(3))
       on duplicate key update reason = if(state in ('cancelled', 'skipped', 'asked'), null, reason), tries = if(state in ('cancelled', 'skipped', 'asked'), 0, tries),
         next_try_at = if(state in ('cancelled', 'skipped', 'asked'), values(next_try_at), next_try_at),
         state = if(state in ('cancelled', 'skipped', 'asked'), 'waiting', state)`,
      [newId(), news.accountId, news.kind, news.subjectId, news.dueAt, news.dueAt, news.endsIfAnswered ?? false],
    )
  },

  /** The one that waits for this subject; locked, so that it does not fire meanwhile. */
  async lockWaiting(
    tx: Writer,
    accountId: string,
    kind: OccurrenceKind,
    subjectId: string,
  ): Promise<Occurrence | undefined> {
    const row = await tx.first<Row>(
      `select ${columns} from occurrences o where o.kind = ? and o.subject_id = ? and o.account_id = ? and o.state = 'waiting' order by o.due_at limit 1 for update`,
      [kind, subjectId, accountId],
    )
    return row && present(row)
  },

  /** As `lockWaiting`, of many subjects; those that another transaction holds are left out. */
  async lockWaitingFree(
    tx: Writer,
    accountId: string,
    kind: OccurrenceKind,
    subjectIds: readonly string[],
  ): Promise<Occurrence[]> {
    if (subjectIds.length === 0) return []
    const list = inList([...subjectIds].sort())
    const rows = await tx.query<Row>(
      `select ${columns} from occurrences o where o.kind = ? and o.subject_id in ${list.sql} and o.account_id = ? and o.state = 'waiting' for update skip locked`,
      [kind, ...list.values, accountId],
    )
    return rows.map(present)
  },

  /** When each of these subjects is due next, of those that wait. */
  async waitingOf(
    reader: Reader,
    accountId: string,
    kind: OccurrenceKind,
    subjectIds: readonly string[],
  ): Promise<Occurrence[]> {
    if (subjectIds.length === 0) return []
    const list = inList(subjectIds)
    const rows = await reader.query<Row>(
      `select ${columns} from occurrences o where o.kind = ? and o.subject_id in ${list.sql} and o.account_id = ? and o.state = 'waiting'`,
      [kind, ...list.values, accountId],
    )
    return rows.map(present)
  },

  /** Everything that was ever planned for this subject, by due time. */
  async ofSubject(reader: Reader, accountId: string, kind: OccurrenceKind, subjectId: string): Promise<Occurrence[]> {
    const rows = await reader.query<Row>(
      `select ${columns} from occurrences o where o.kind = ? and o.subject_id = ? and o.account_id = ? order by o.due_at`,
      [kind, subjectId, accountId],
    )
    return rows.map(present)
  },

  /** All that wait for this subject are called off; how many. */
  async cancel(
    tx: Writer,
    accountId: string,
    kind: OccurrenceKind,
    subjectId: string,
    reason: string,
  ): Promise<number> {
    const { affectedRows } = await tx.run(
      "update occurrences set state = 'cancelled', reason = ? where kind = ? and subject_id = ? and account_id = ? and state = 'waiting'",
      [reason.slice(0, 500), kind, subjectId, accountId],
    )
    return affectedRows
  },

  /** One that waits is to fire at another time. */
  async move(
    tx: Writer,
    { accountId, id }: Occurrence,
    to: Pick<Occurrence, 'dueAt' | 'endsIfAnswered'>,
  ): Promise<void> {
    await tx.run(
      "update occurrences set due_at = ?, next_try_at = ?, ends_if_answered = ? where account_id = ? and id = ? and state = 'waiting'",
      [to.dueAt, to.dueAt, to.endsIfAnswered, accountId, id],
    )
  },

  /** When the next one is due, by the database's clock: milliseconds from now, negative when it is late; undefined: none waits. */
  async nextInMs(reader: Reader): Promise<number | undefined> {
    const row = await reader.first<{ us: number | null }>(
      "select timestampdiff(microsecond, utc_timestamp(3), min(next_try_at)) us from occurrences where state = 'waiting'",
    )
    return row?.us == null ? undefined : row.us / 1_000
  },

  /** Due ones that nobody else is at, the longest due first; locked until the transaction ends. */
  async claim(tx: Writer, limit: number): Promise<Occurrence[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from occurrences o where o.state = 'waiting' and o.next_try_at <= utc_timestamp(3)
       order by o.next_try_at limit ${String(Math.trunc(limit))} for update skip locked`,
    )
    return rows.map(present)
  },

  /** This one, if it is still due and nobody is at it; locked. */
  async claimOne(tx: Writer, accountId: string, id: string): Promise<Occurrence | undefined> {
    const row = await tx.first<Row>(
      `select ${columns} from occurrences o where o.id = ? and o.account_id = ? and o.state = 'waiting' and o.next_try_at <= utc_timestamp(3) for update skip locked`,
      [id, accountId],
    )
    return row && present(row)
  },

  /** Ends claimed ones, those that ended alike in one statement. */
  async end(tx: Writer, ended: readonly Ended[], node: string): Promise<void> {
    for (const group of Map.groupBy(ended, ({ state, reason }) => `${state} ${reason ?? ''}`).values()) {
      const [first] = group
      if (first === undefined) continue
      const list = inList(group.map(({ id }) => id))
      await tx.run(
        `update occurrences set state = ?, reason = ?, fired_at = utc_timestamp(3), fired_by = ? where id in ${list.sql} and state = 'waiting'`,
        [first.state, first.reason?.slice(0, 500) ?? null, node.slice(0, 80), ...list.values],
      )
    }
  },

  /** Forgets what ended before then, some in one go; how many. */
  async removeBefore(tx: Writer, at: Date, limit: number): Promise<number> {
    const { affectedRows } = await tx.run(
      `delete from occurrences where state <> 'waiting' and next_try_at < ? limit ${String(Math.trunc(limit))}`,
      [at],
    )
    return affectedRows
  },

  /** A try failed: again in `againInMs`. */
  async putOff(tx: Writer, occurrence: Occurrence, reason: string, againInMs: number): Promise<void> {
    await tx.run(
      'update occurrences set tries = tries + 1, reason = ?, next_try_at = date_add(utc_timestamp(3), interval ? microsecond) where account_id = ? and id = ?',
      [reason.slice(0, 500), Math.round(againInMs * 1000), occurrence.accountId, occurrence.id],
    )
  },
}
