/** What a conversation was before a change of many, as it is kept, and the way back. */
import { z } from 'zod'
import { markKinds } from '../storage/index.ts'
import type { Conversation, Mark } from '../storage/index.ts'
import { conversationStatuses } from '../storage/model/words.ts'
import type { Changed } from './conversation-change.ts'

const instant = z.coerce.date().nullable()
const care = z.object({
  status: z.enum(conversationStatuses),
  assigneeId: z.string().nullable(),
  teamId: z.string().nullable(),
  priority: z.number(),
  snoozedUntil: instant,
  waitingSince: instant,
})
const kind = z.literal([
  markKinds.label,
  markKinds.participant,
  markKinds.mention,
  markKinds.priority,
  markKinds.public,
])
const mark = z.tuple([kind, z.string()])

export const snapshotShape = z.object({
  before: care,
  after: care,
  /** How many answers had been queued. */
  deliverySeq: z.number(),
  put: z.array(mark),
  take: z.array(mark),
  changed: z.array(z.string()),
})
export type Snapshot = z.infer<typeof snapshotShape>

const careOf = (of: Snapshot['before']): Snapshot['before'] => ({
  ...{ status: of.status, assigneeId: of.assigneeId, teamId: of.teamId, priority: of.priority },
  ...{ snoozedUntil: of.snoozedUntil, waitingSince: of.waitingSince },
})

export function snapshotOf({ before, after, put, take, changed }: Changed): Readonly<Record<string, unknown>> {
  const short = (marks: readonly Mark[]) => marks.map((each) => [each.kind, each.mark])
  return {
    ...{ before: careOf(before), after: careOf(after), deliverySeq: before.deliverySeq },
    ...{ put: short(put), take: short(take), changed },
  }
}

/** Back to what it was; undefined: it is not as the change left it any more, as when the contact has written. */
export function reverse(now: Conversation, was: Snapshot): Changed | undefined {
  const { before, after } = was
  if (
    now.status !== after.status ||
    now.assigneeId !== after.assigneeId ||
    now.teamId !== after.teamId ||
    now.priority !== after.priority
  )
    return undefined
  const isStillUnanswered = now.deliverySeq === was.deliverySeq && now.waitingSince === null
  const long = (marks: Snapshot['put']): Mark[] =>
    marks.map(([kind, id]) => ({ conversationId: now.id, kind, mark: id }))
  return {
    before: now,
    after: {
      ...before,
      id: now.id,
      waitingSince: isStillUnanswered ? before.waitingSince : now.waitingSince,
    },
    ...{ put: long(was.take), take: long(was.put), changed: was.changed },
  }
}
