/**
 * Changes many conversations at once: what is chosen is written down when it is asked for, then worked on in batches, each in a
 * transaction that holds the job's row. So a node that dies leaves whole batches, and any other goes on. What each conversation was
 * is kept, and an undo gives it back where nobody has changed anything since.
 */
import { z } from 'zod'
import { Problem, conflict, invalid, messageOf, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import { isOutage } from '../messaging/outage.ts'
import { itemStates } from '../storage/index.ts'
import type { BulkItem, BulkJob, Conversation, ConversationFilter, Scope, Storage, Writer } from '../storage/index.ts'
import type { Act } from './act.ts'
import { applyChanges, changeConversations } from './conversations.ts'
import { reverse, snapshotOf, snapshotShape } from './bulk-undo.ts'
import type { Resolved } from './conversation-acts.ts'

/** So many conversations one job changes. */
export const mostInBulk = 50_000
const batch = 200
const pauseMs = 1_000
/** A process that stands still holds its batch so long. */
const idleLimitS = 5

/** Which: all that a filter finds, or these. */
export type BulkChoice = { readonly filter: ConversationFilter } | { readonly ids: readonly string[] }

/** Writes down what is to be done to which. @throws Problem 422 when there are none, or too many */
export async function startBulkJob(
  { storage, actor, asker }: Act & { readonly asker: { readonly scope: Scope } },
  id: string,
  choice: BulkChoice,
  resolved: Resolved,
  wish: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { accountId, userId, scope } = asker
  await storage.write(async (tx) => {
    if ((await storage.bulkJobs.get(tx, accountId, id)) !== undefined) return
    const total =
      'ids' in choice
        ? await storage.bulkJobs.chooseThese(tx, accountId, id, choice.ids.filter(isId), scope)
        : await storage.bulkJobs.choose(tx, accountId, id, { ...choice.filter, limit: mostInBulk + 1 }, scope)
    if (total > mostInBulk)
      throw new Problem(
        ...([
          422,
          'too_many',
          `More than ${String(mostInBulk)} conversations match; please narrow the filter.`,
        ] as const),
      )
    if (total === 0) throw invalid([{ field: 'ids' in choice ? 'ids' : 'filter', message: 'No conversation matches.' }])
    const changeData = { ...resolved, wish }
    await storage.bulkJobs.create(tx, { id, accountId, createdBy: userId, changeData, total })
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'bulk.started', subject: { type: 'bulk', id } },
      after: { total, change: wish },
    })
  })
}

/** `undo` of one that has ended; `cancel` of one that runs: what is done stays, and can be undone. @throws Problem 404, 409 */
export async function steerBulkJob({ storage, actor, asker }: Act, id: string, to: 'undo' | 'cancel'): Promise<void> {
  const { accountId } = asker
  await storage.write(async (tx) => {
    const job = isId(id) ? await storage.bulkJobs.lock(tx, accountId, id) : undefined
    if (job === undefined) throw notFound('job')
    const fits = to === 'undo' ? ['done', 'cancelled', 'failed'] : ['running']
    if (job.state === (to === 'undo' ? 'undoing' : 'cancelled')) return
    if (!fits.includes(job.state))
      throw conflict('wrong_state', `This job is ${job.state}; only one that is ${fits.join(' or ')} allows that.`)
    const state = to === 'undo' ? 'undoing' : 'cancelled'
    await storage.bulkJobs.update(tx, { ...job, state, ...(to === 'undo' && { skipped: 0 }) })
    await storage.audit.append(tx, {
      ...{
        accountId,
        by: actor,
        action: to === 'undo' ? 'bulk.undone' : 'bulk.cancelled',
        subject: { type: 'bulk', id },
      },
      after: { total: job.total, changed: job.changed },
    })
  })
}

export interface BulkContext {
  readonly storage: Storage
  readonly logger: Logger
}

/** Works on what there is, until stopped. */
export function startBulk({ storage, logger }: BulkContext): Running {
  let isAway = false
  return every(
    pauseMs,
    async (signal) => {
      while (!signal.aborted && (await workBatch(storage)) > 0);
      isAway = false
    },
    (error) => {
      if (!isAway || !isOutage(error))
        logger.warn({ reason: messageOf(error) }, 'a change of many conversations stands still; it is tried again')
      isAway = true
    },
  )
}

/** One batch of whichever job waits longest; how many conversations were looked at, or 1 when a job has ended. */
export async function workBatch(storage: Storage): Promise<number> {
  return storage.write(
    async (tx) => {
      const job = await storage.bulkJobs.claim(tx)
      if (job === undefined) return 0
      const isUndo = job.state === 'undoing'
      const items = await storage.bulkJobs.items(tx, job, isUndo ? itemStates.changed : itemStates.todo, batch)
      const settled =
        items.length === 0 ? [] : isUndo ? await undo(storage, tx, job, items) : await change(storage, tx, job, items)
      if (settled.length > 0) await storage.bulkJobs.settle(tx, job, settled)
      const count = (state: number) => settled.filter((item) => item.state === state).length
      const isLast = items.length < batch
      const after: BulkJob = {
        ...job,
        done: job.done + (isUndo ? 0 : items.length),
        changed: job.changed + count(itemStates.changed),
        skipped: job.skipped + count(itemStates.same) + count(itemStates.changedSince),
        undone: job.undone + count(itemStates.undone),
        state: isLast ? (isUndo ? 'undone' : 'done') : job.state,
      }
      await storage.bulkJobs.update(tx, after)
      await storage.outbox.append(tx, {
        ...{ type: 'bulk.changed', accountId: job.accountId },
        data: {
          job_id: job.id,
          state: after.state,
          done: isUndo ? after.undone : after.done,
          total: job.total,
          by: job.createdBy,
        },
      })
      return Math.max(1, items.length)
    },
    { idleLimitS },
  )
}

const ids = z.array(z.string()).optional()
/** As it was kept: dates are texts by now. */
const keptShape = z.object({
  change: z.object({
    status: z.enum(['open', 'pending', 'snoozed', 'resolved']).optional(),
    snoozedUntil: z.coerce.date().nullable().optional(),
    assigneeId: z.string().nullable().optional(),
    teamId: z.string().nullable().optional(),
    priority: z.number().optional(),
    ...{ labelIds: ids, addLabelIds: ids, removeLabelIds: ids, addParticipantIds: ids, removeParticipantIds: ids },
  }),
  assigneeScope: z
    .object({ channelIds: z.array(z.string()).nullable(), teamIds: z.array(z.string()).nullable() })
    .optional(),
})

async function change(storage: Storage, tx: Writer, job: BulkJob, items: readonly BulkItem[]): Promise<BulkItem[]> {
  const kept = keptShape.parse(job.changeData)
  const wanted = items.map(({ conversationId }) => conversationId)
  const cause = { by: job.createdBy, jobId: job.id }
  const all = await changeConversations(storage, tx, job.accountId, wanted, kept.change, cause, kept.assigneeScope)
  const byId = new Map(all.map((each) => [each.before.id, each]))
  return items.map((item) => {
    const one = byId.get(item.conversationId)
    return one === undefined || one.changed.length === 0
      ? { ...item, state: itemStates.same }
      : { ...item, state: itemStates.changed, before: snapshotOf(one), careSeq: one.before.careSeq + 1 }
  })
}

async function undo(storage: Storage, tx: Writer, job: BulkJob, items: readonly BulkItem[]): Promise<BulkItem[]> {
  const wanted = items.map(({ conversationId }) => conversationId)
  const locked: ReadonlyMap<string, Conversation> = await storage.conversations.lockAll(tx, wanted)
  const back = items.flatMap((item) => {
    const now = locked.get(item.conversationId)
    const snapshot = snapshotShape.safeParse(item.before)
    if (now?.accountId !== job.accountId || now.careSeq !== item.careSeq || !snapshot.success) return []
    return reverse(now, snapshot.data) ?? []
  })
  await applyChanges(storage, tx, job.accountId, back)
  await storage.outbox.appendMany(
    tx,
    back.map(({ before, changed }) => ({
      type: 'conversation.changed' as const,
      accountId: job.accountId,
      data: { conversation_id: before.id, changed: [...changed], by: job.createdBy, job_id: job.id },
    })),
  )
  const undone = new Set(back.map(({ before }) => before.id))
  return items.map(({ conversationId, careSeq }) => ({
    ...{ conversationId, careSeq, before: null },
    state: undone.has(conversationId) ? itemStates.undone : itemStates.changedSince,
  }))
}
