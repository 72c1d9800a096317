/** The care for conversations: who has them, how urgent they are, whether they are done. */
import { invalid, notFound } from '../infra/errors.ts'
import { covers, markKinds } from '../storage/index.ts'
import type { Scope, Storage, Writer } from '../storage/index.ts'
import { changeOf } from './conversation-change.ts'
import type { CareChange, Changed } from './conversation-change.ts'
import { planWake } from './wake.ts'

export type { CareChange } from './conversation-change.ts'

/** On whose behalf: a user, a rule, a change of many. */
export interface Cause {
  readonly by: string | null
  readonly byRule?: string | undefined
  /** The rules whose doing led to it, the first of them first. */
  readonly afterRules?: readonly string[] | undefined
  readonly jobId?: string | undefined
}

/** So many labels one conversation can carry. */
export const mostLabelsOfOne = 50
const longestSnoozeMs = 5 * 366 * 24 * 60 * 60_000

/** Changes one conversation; what is so already is no fact. What has changed. @throws Problem 404, 422 */
export function changeConversation(
  storage: Storage,
  accountId: string,
  id: string,
  change: CareChange,
  cause: string | Cause,
): Promise<readonly string[]> {
  return storage.write(async (tx) => {
    const [changed] = await changeConversations(storage, tx, accountId, [id], change, cause)
    if (changed === undefined) throw notFound('conversation')
    return changed.changed
  })
}

/**
 * Changes these conversations in this transaction, with few statements whatever their number, and tells one fact of each that has
 * changed. Those that are gone, or that the assignee would not see, are left out of the answer.
 * @param assigneeScope what the new assignee sees
 */
export async function changeConversations(
  storage: Storage,
  tx: Writer,
  accountId: string,
  ids: readonly string[],
  change: CareChange,
  cause: string | Cause,
  assigneeScope?: Scope,
): Promise<Changed[]> {
  const { by, byRule, afterRules, jobId } = typeof cause === 'string' ? { by: cause } : cause
  const locked = [...(await storage.conversations.lockAll(tx, ids)).values()].filter(
    (each) => each.accountId === accountId && (assigneeScope === undefined || covers(assigneeScope, each)),
  )
  const marked = locked.filter(({ isMarked }) => isMarked).map(({ id }) => id)
  const [labels, people] = [
    change.labelIds !== undefined || touches(change.addLabelIds, change.removeLabelIds)
      ? await storage.marks.of(tx, accountId, marked, markKinds.label)
      : [],
    touches(change.addParticipantIds, change.removeParticipantIds)
      ? await storage.marks.of(tx, accountId, marked, markKinds.participant)
      : [],
  ]
  const marksOf = Map.groupBy([...labels, ...people], (mark) => mark.conversationId)
  const all = locked.map((conversation) =>
    changeOf({ conversation, marks: marksOf.get(conversation.id) ?? [] }, change),
  )
  checkCounts(
    all,
    Map.groupBy(labels, (mark) => mark.conversationId),
  )
  const changed = all.filter((each) => each.changed.length > 0)
  await applyChanges(storage, tx, accountId, changed)
  await storage.outbox.appendMany(
    tx,
    changed.map(({ before, changed: what }) => ({
      type: 'conversation.changed' as const,
      accountId,
      data: {
        conversation_id: before.id,
        changed: [...what],
        by,
        ...(byRule !== undefined && { by_rule: byRule }),
        ...(afterRules !== undefined && { after_rules: [...afterRules] }),
        ...(jobId !== undefined && { job_id: jobId }),
      },
    })),
  )
  return all
}

/** Writes what `changeOf` found, of locked conversations. */
export async function applyChanges(
  storage: Storage,
  tx: Writer,
  accountId: string,
  changed: readonly Changed[],
): Promise<void> {
  if (changed.length === 0) return
  await storage.conversations.care(
    tx,
    accountId,
    changed.map(({ after }) => after),
  )
  await storage.marks.take(
    tx,
    accountId,
    changed.flatMap(({ take }) => take),
  )
  await storage.marks.put(
    tx,
    accountId,
    changed.flatMap(({ put }) => put),
  )
  await storage.marks.follow(
    tx,
    changed
      .filter(({ before, after }) => before.isMarked && after.status !== before.status)
      .map(({ before }) => before.id),
  )
  for (const { before, after } of changed)
    if (after.status === 'snoozed' && after.snoozedUntil !== null)
      await planWake(storage, tx, before, after.snoozedUntil)
}

/** @throws Problem 422 for an instant that is over, or years away */
export function checkSnooze(until: Date | null | undefined, field = 'snoozed_until'): void {
  if (until == null) return
  const inMs = until.getTime() - Date.now()
  if (inMs < -60_000) throw invalid([{ field, message: 'This time is over.' }])
  if (inMs > longestSnoozeMs) throw invalid([{ field, message: 'This is more than five years away.' }])
}

const touches = (...lists: readonly (readonly string[] | undefined)[]): boolean =>
  lists.some((list) => list !== undefined && list.length > 0)

function checkCounts(all: readonly Changed[], marksOf: ReadonlyMap<string, readonly unknown[]>): void {
  for (const { before, put } of all) {
    const count = put.filter(({ kind }) => kind === markKinds.label).length
    if (count > 0 && count + (marksOf.get(before.id)?.length ?? 0) > mostLabelsOfOne)
      throw invalid([{ field: 'labels', message: `A conversation carries at most ${String(mostLabelsOfOne)} labels.` }])
  }
}
