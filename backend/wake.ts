/** A conversation that was put off until a certain time opens by itself. */
import type { Occurrence, Storage, Writer } from '../storage/index.ts'
import type { Fired } from './due.ts'

/** Plans the waking of a conversation that the caller snoozes in the same transaction; an earlier plan for it is dropped. */
export async function planWake(
  storage: Storage,
  tx: Writer,
  conversation: { readonly accountId: string; readonly id: string },
  at: Date,
): Promise<void> {
  const { accountId, id } = conversation
  await storage.occurrences.cancel(tx, accountId, 'wake', id, 'replaced')
  await storage.occurrences.plan(tx, { accountId, kind: 'wake', subjectId: id, dueAt: at })
}

/** One that somebody opened or resolved meanwhile stays as it is. */
export async function fireWake(storage: Storage, tx: Writer, occurrence: Occurrence): Promise<Fired> {
  const { accountId, subjectId } = occurrence
  const conversation = await storage.conversations.lock(tx, accountId, subjectId)
  if (conversation?.status !== 'snoozed')
    return { state: 'skipped', reason: 'The conversation is not snoozed any more.', facts: [] }
  if (conversation.snoozedUntil !== null && conversation.snoozedUntil > occurrence.dueAt)
    return { state: 'skipped', reason: 'The conversation is snoozed for longer.', facts: [] }
  await storage.conversations.setStatus(tx, accountId, subjectId, 'open')
  return [
    {
      type: 'conversation.changed',
      accountId,
      data: { conversation_id: subjectId, changed: ['status'], by: null },
    },
  ]
}
