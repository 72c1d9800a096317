/** Tries at publishing, and who has the right to: a lease by the clock of the database, fenced by its epoch. */
import type { Reader, Writer } from '../database.ts'
import { inList } from './in-list.ts'
import type { Publication } from './publications.ts'

export interface PublicationAttempt {
  readonly publicationId: string
  readonly number: number
  readonly node: string
  readonly startedAt: Date
  readonly finishedAt: Date | null
  readonly outcome: string | null
  readonly code: string | null
  readonly reason: string | null
}

/** The right to publish; `epoch` fences a holder that was paused. */
export type PublicationLease = Pick<Publication, 'accountId' | 'id' | 'plannedPostId' | 'channelId' | 'epoch'> & {
  readonly holder: string
}

/** What a call was put down for, where the network is paid by use. */
export interface Put {
  readonly kind: string
  readonly micros: number
  readonly month: string
}

/** So many microseconds from now. */
export const after = 'date_add(utc_timestamp(3), interval ? microsecond)'

const place = 'account_id = ? and publication_id = ? and number = ?'

export const leases = {
  /** The caller has locked it and found it free. */
  async claim(tx: Writer, publication: Publication, holder: string, ttlMs: number): Promise<PublicationLease> {
    const { accountId, id, plannedPostId, channelId } = publication
    const epoch = publication.epoch + 1
    await tx.run(
      `update publications set holder = ?, epoch = ?, expires_at = ${after} where account_id = ? and id = ?`,
      [holder, epoch, ttlMs * 1000, accountId, id],
    )
    return { accountId, id, plannedPostId, channelId, holder, epoch }
  },

  /** Holds it for longer; false when it was lost. */
  async hold(tx: Writer, lease: PublicationLease, ttlMs: number): Promise<boolean> {
    const { affectedRows } = await tx.run(
      `update publications set expires_at = ${after} where account_id = ? and id = ? and holder = ? and epoch = ?`,
      [ttlMs * 1000, lease.accountId, lease.id, lease.holder, lease.epoch],
    )
    return affectedRows === 1
  },

  /** Gives it back; does nothing when it was lost. */
  async release(tx: Writer, lease: PublicationLease): Promise<void> {
    await tx.run(
      'update publications set holder = null, expires_at = null where account_id = ? and id = ? and holder = ? and epoch = ?',
      [lease.accountId, lease.id, lease.holder, lease.epoch],
    )
  },
}

export const attempts = {
  /** Written before the network is called; its number. */
  async beginAttempt(tx: Writer, publication: Publication, node: string): Promise<number> {
    const number = publication.attemptCount + 1
    await tx.run(
      `update publications set state = 'publishing', reason_code = null, reason = null, next_attempt_at = null, attempt_count = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ?`,
      [number, publication.accountId, publication.id],
    )
    await tx.run(
      'insert into publication_attempts (account_id, publication_id, number, node, started_at) values (?, ?, ?, ?, utc_timestamp(3))',
      [publication.accountId, publication.id, number, node],
    )
    return number
  },

  async endAttempt(
    tx: Writer,
    publication: Pick<Publication, 'accountId' | 'id'>,
    number: number,
    outcome: { readonly type: string; readonly code?: string; readonly reason?: string },
  ): Promise<void> {
    await tx.run(
      'update publication_attempts set finished_at = utc_timestamp(3), outcome = ?, code = ?, reason = ? where account_id = ? and publication_id = ? and number = ? and finished_at is null',
      [outcome.type, outcome.code?.slice(0, 100) ?? null, outcome.reason?.slice(0, 500) ?? null, publication.accountId, publication.id, number],
    ) // prettier-ignore
  },

  async attemptsOf(reader: Reader, accountId: string, ids: readonly string[]): Promise<PublicationAttempt[]> {
    if (ids.length === 0) return []
    const list = inList(ids)
    return reader.query<PublicationAttempt>(
      `select publication_id publicationId, number, node, started_at startedAt, finished_at finishedAt, outcome, code, reason
       from publication_attempts where account_id = ? and publication_id in ${list.sql} order by publication_id, number`,
      [accountId, ...list.values],
    )
  },

  /** Remembers what was put down for it. */
  async markSpent(
    tx: Writer,
    { accountId, id }: Pick<Publication, 'accountId' | 'id'>,
    number: number,
    put: Put,
  ): Promise<void> {
    await tx.run(`update publication_attempts set spend_kind = ?, spend_micros = ?, spend_month = ? where ${place}`, [
      put.kind,
      put.micros,
      put.month,
      accountId,
      id,
      number,
    ])
  },

  /** What was put down for it, to be taken off; it is forgotten here. */
  async unmarkSpent(
    tx: Writer,
    { accountId, id }: Pick<Publication, 'accountId' | 'id'>,
    number: number,
  ): Promise<Put | undefined> {
    const put = await tx.first<{ [Name in keyof Put]: Put[Name] | null }>(
      `select spend_kind kind, spend_micros micros, spend_month month from publication_attempts where ${place} for update`,
      [accountId, id, number],
    )
    if (put?.kind == null || put.micros === null || put.month === null) return undefined
    await tx.run(
      `update publication_attempts set spend_kind = null, spend_micros = null, spend_month = null where ${place}`,
      [accountId, id, number],
    )
    return { kind: put.kind, micros: put.micros, month: put.month }
  },
}
