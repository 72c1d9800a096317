/** What is done to the care for conversations: pure, from what they are to what they are to be. */
import type { Care, Conversation, Mark } from '../storage/index.ts'
import { markKinds, priorityMark } from '../storage/index.ts'
import type { ConversationStatus } from '../storage/model/words.ts'

/** What is to be so from now on; what is not given stays. */
export interface CareChange {
  readonly status?: ConversationStatus | undefined
  /** With status `snoozed`, or alone: it is snoozed then. null: until the contact writes. */
  readonly snoozedUntil?: Date | null | undefined
  /** null: nobody. */
  readonly assigneeId?: string | null | undefined
  readonly teamId?: string | null | undefined
  /** 0 none to 3 urgent. */
  readonly priority?: number | undefined
  /** All that it carries from now on. */
  readonly labelIds?: readonly string[] | undefined
  readonly addLabelIds?: readonly string[] | undefined
  readonly removeLabelIds?: readonly string[] | undefined
  readonly addParticipantIds?: readonly string[] | undefined
  readonly removeParticipantIds?: readonly string[] | undefined
}

/** A conversation with the labels and participants that it has. */
export interface Carried {
  readonly conversation: Conversation
  readonly marks: readonly Mark[]
}

export interface Changed {
  readonly before: Conversation
  readonly after: Care
  readonly put: readonly Mark[]
  readonly take: readonly Mark[]
  /** As the fact names them; empty: it was so already. */
  readonly changed: readonly string[]
}

export function changeOf({ conversation: before, marks }: Carried, change: CareChange): Changed {
  const isSnoozing = change.status === 'snoozed' || (change.status === undefined && change.snoozedUntil !== undefined)
  const status = isSnoozing ? 'snoozed' : (change.status ?? before.status)
  const snoozedUntil = isSnoozing ? (change.snoozedUntil ?? null) : status === 'snoozed' ? before.snoozedUntil : null
  const after: Care = {
    id: before.id,
    status,
    snoozedUntil,
    assigneeId: change.assigneeId === undefined ? before.assigneeId : change.assigneeId,
    teamId: change.teamId === undefined ? before.teamId : change.teamId,
    priority: change.priority ?? before.priority,
    waitingSince: status === 'resolved' ? null : before.waitingSince,
  }
  const has = (kind: number, mark: string) => marks.some((each) => each.kind === kind && each.mark === mark)
  const markOf = (kind: Mark['kind'], mark: string): Mark => ({ conversationId: before.id, kind, mark })
  const putting = (kind: Mark['kind'], ids: readonly string[] = []) =>
    [...new Set(ids)].filter((id) => !has(kind, id)).map((id) => markOf(kind, id))
  const taking = (kind: Mark['kind'], ids: readonly string[] = []) =>
    [...new Set(ids)].filter((id) => has(kind, id)).map((id) => markOf(kind, id))
  const { labelIds } = change
  const dropped = labelIds && marks.filter((each) => each.kind === markKinds.label && !labelIds.includes(each.mark))
  const labels = [
    putting(markKinds.label, [...(labelIds ?? []), ...(change.addLabelIds ?? [])]),
    [...(dropped ?? []), ...taking(markKinds.label, change.removeLabelIds)],
  ] as const
  const people = [
    putting(markKinds.participant, change.addParticipantIds),
    taking(markKinds.participant, change.removeParticipantIds),
  ] as const
  const isReranked = after.priority !== before.priority
  const rank = (priority: number) =>
    isReranked && priority > 0 ? [markOf(markKinds.priority, priorityMark(priority))] : []
  const changed = [
    ...(status !== before.status ? ['status'] : []),
    ...(snoozedUntil?.getTime() !== before.snoozedUntil?.getTime() && status === 'snoozed' ? ['snoozed_until'] : []),
    ...(after.assigneeId !== before.assigneeId ? ['assignee'] : []),
    ...(after.teamId !== before.teamId ? ['team'] : []),
    ...(isReranked ? ['priority'] : []),
    ...(labels.some((each) => each.length > 0) ? ['labels'] : []),
    ...(people.some((each) => each.length > 0) ? ['participants'] : []),
  ]
  return {
    ...{ before, after, changed },
    put: [...labels[0], ...people[0], ...rank(after.priority)],
    take: [...labels[1], ...people[1], ...rank(before.priority)],
  }
}
