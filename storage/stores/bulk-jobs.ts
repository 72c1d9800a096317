/** Changes of many conversations: what is to be done, how far it is, and what each was before. */
import type { Reader, Writer } from '../database.ts'
import { selectIds } from './conversation-query.ts'
import type { ConversationFilter } from './conversation-query.ts'
import { inList } from './in-list.ts'
import { within } from './scope.ts'
import type { Scope } from './scope.ts'

/** `undone`: as far as nobody has changed anything since. `failed`: it cannot go on, `reason` says why. */
export const bulkStates = ['running', 'done', 'cancelled', 'undoing', 'undone', 'failed'] as const
export type BulkState = (typeof bulkStates)[number]

export interface BulkJob {
  readonly id: string
  readonly accountId: string
  readonly createdBy: string
  readonly state: BulkState
  /** What is done to each; the backend knows its form. */
  readonly changeData: Readonly<Record<string, unknown>>
  readonly total: number
  readonly done: number
  readonly changed: number
  /** Left as they were: it was so already, or could not be. After an undo: changed by somebody since. */
  readonly skipped: number
  readonly undone: number
  readonly reason: string | null
  readonly createdAt: Date
  readonly finishedAt: Date | null
}

export const itemStates = { todo: 0, changed: 1, same: 2, undone: 3, changedSince: 4 } as const

export interface BulkItem {
  readonly conversationId: string
  readonly state: number
  readonly before: Readonly<Record<string, unknown>> | null
  readonly careSeq: number | null
}

const columns = `id, account_id accountId, created_by createdBy, state, change_data changeData, total, done, changed, skipped, undone, reason,
  created_at createdAt, finished_at finishedAt`

export const bulkJobs = {
  async get(reader: Reader, accountId: string, id: string): Promise<BulkJob | undefined> {
    return reader.first<BulkJob>(`select ${columns} from bulk_jobs where account_id = ? and id = ?`, [accountId, id])
  },

  /** The newest first. */
  list(
    reader: Reader,
    accountId: string,
    filter: { readonly before?: { at: Date; id: string } | undefined; readonly limit: number },
  ): Promise<BulkJob[]> {
    const { before, limit } = filter
    return reader.query<BulkJob>(
      `select ${columns} from bulk_jobs where account_id = ?${before === undefined ? '' : ' and created_at <= ? and (created_at < ? or id < ?)'}
       order by created_at desc, id desc limit ${String(limit)}`,
      [accountId, ...(before === undefined ? [] : [before.at, before.at, before.id])],
    )
  },

  async create(
    tx: Writer,
    job: Pick<BulkJob, 'id' | 'accountId' | 'createdBy' | 'changeData' | 'total'>,
  ): Promise<void> {
    await tx.run(
      `insert into bulk_jobs (id, account_id, created_by, state, change_data, total, created_at, updated_at) values (?, ?, ?, 'running', ?, ?, utc_timestamp(3), utc_timestamp(3))`,
      [job.id, job.accountId, job.createdBy, JSON.stringify(job.changeData), job.total],
    )
  },

  /** All that the filter finds within the scope, at most its limit; how many. */
  async choose(
    tx: Writer,
    accountId: string,
    jobId: string,
    filter: ConversationFilter,
    scope: Scope,
  ): Promise<number> {
    const chosen = selectIds(accountId, filter, scope, false)
    const { affectedRows } = await tx.run(
      `insert into bulk_items (account_id, job_id, conversation_id) select cast(? as uuid), cast(? as uuid), found.id from (${chosen.sql}) found`,
      [accountId, jobId, ...chosen.values],
    )
    return affectedRows
  },

  /** These, as far as they are there and within the scope; how many. */
  async chooseThese(
    tx: Writer,
    accountId: string,
    jobId: string,
    ids: readonly string[],
    scope: Scope,
  ): Promise<number> {
    const list = inList(ids)
    const limit = within(scope, { channel: 'c.channel_id', team: 'c.team_id' })
    const { affectedRows } = await tx.run(
      `insert into bulk_items (account_id, job_id, conversation_id)
       select c.account_id, cast(? as uuid), c.id from conversations c where c.account_id = ? and c.id in ${list.sql}${limit.sql}`,
      [jobId, accountId, ...list.values, ...limit.values],
    )
    return affectedRows
  },

  /** One that has work and that nobody is at; locked until the transaction ends. */
  async claim(tx: Writer): Promise<BulkJob | undefined> {
    return tx.first<BulkJob>(
      `select ${columns} from bulk_jobs where state in ('running', 'undoing') order by updated_at limit 1 for update skip locked`,
    )
  },

  async lock(tx: Writer, accountId: string, id: string): Promise<BulkJob | undefined> {
    return tx.first<BulkJob>(`select ${columns} from bulk_jobs where account_id = ? and id = ? for update`, [
      accountId,
      id,
    ])
  },

  items(reader: Reader, job: Pick<BulkJob, 'accountId' | 'id'>, state: number, limit: number): Promise<BulkItem[]> {
    return reader.query<BulkItem>(
      `select conversation_id conversationId, state, before_data \`before\`, care_seq careSeq from bulk_items
       where account_id = ? and job_id = ? and state = ? order by conversation_id limit ${String(limit)}`,
      [job.accountId, job.id, state],
    )
  },

  /** What became of some of them. */
  async settle(
    tx: Writer,
    { accountId, id }: Pick<BulkJob, 'accountId' | 'id'>,
    items: readonly BulkItem[],
  ): Promise<void> {
    await tx.run(
      `update bulk_items i join json_table(?, '$[*]' columns (id char(36) path '$.conversationId', state tinyint path '$.state',
         before_data longtext path '$.before', seq int path '$.careSeq')) n on i.conversation_id = cast(n.id as uuid)
       set i.state = n.state, i.before_data = coalesce(n.before_data, i.before_data), i.care_seq = coalesce(n.seq, i.care_seq)
       where i.account_id = ? and i.job_id = ?`,
      [
        JSON.stringify(items.map((item) => ({ ...item, before: item.before && JSON.stringify(item.before) }))),
        accountId,
        id,
      ],
    )
  },

  /** Its state and counts, as they are from now on. */
  async update(tx: Writer, job: BulkJob): Promise<void> {
    await tx.run(
      `update bulk_jobs set state = ?, done = ?, changed = ?, skipped = ?, undone = ?, reason = ?, updated_at = utc_timestamp(3),
         finished_at = if(? in ('running', 'undoing'), null, coalesce(finished_at, utc_timestamp(3))) where account_id = ? and id = ?`,
      [job.state, job.done, job.changed, job.skipped, job.undone, job.reason, job.state, job.accountId, job.id],
    )
  },

  /** Forgets what ended before then, some rows in one go; how many. */
  async removeBefore(tx: Writer, at: Date, limit: number): Promise<number> {
    const items = await tx.run(
      `delete from bulk_items where job_id in (select id from (select id from bulk_jobs where state not in ('running', 'undoing') and created_at < ? order by created_at limit 5) old) limit ${String(limit)}`,
      [at],
    )
    if (items.affectedRows > 0) return items.affectedRows
    const jobs = await tx.run(
      `delete from bulk_jobs where state not in ('running', 'undoing') and created_at < ? order by created_at limit 5`,
      [at],
    )
    return jobs.affectedRows
  },
}
