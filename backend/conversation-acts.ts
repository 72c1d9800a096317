/** What can be done to a conversation, in one vocabulary: for people, changes of many, rules and macros. */
import { z } from 'zod'
import { invalid } from '../infra/errors.ts'
import type { FieldFault } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import { addNote, sendReply } from '../messaging/send.ts'
import type { Reader, Scope, Storage } from '../storage/index.ts'
import { conversationStatuses, priorities } from '../storage/model/words.ts'
import type { ConversationStatus, Priority } from '../storage/model/words.ts'
import { changeConversation, checkSnooze, mostLabelsOfOne } from './conversations.ts'
import type { CareChange, Cause } from './conversations.ts'
import { scopeOf } from './user-scope.ts'

const text = z.string().trim().min(1).max(20_000)
const id = z.string().max(64)
const label = z.string().trim().min(1).max(64).describe('the id or the name of a label')

/** One act; `me` is whoever runs it. */
export const actShape = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('assign'), user_id: id.nullable().describe('null: nobody; `me`') }),
  z.strictObject({ do: z.literal('team'), team_id: id.nullable() }),
  z.strictObject({ do: z.literal('label'), label }),
  z.strictObject({ do: z.literal('unlabel'), label }),
  z.strictObject({ do: z.literal('priority'), priority: z.enum(priorities) }),
  z.strictObject({ do: z.literal('status'), status: z.enum(['open', 'pending', 'resolved']) }),
  z.strictObject({
    do: z.literal('snooze'),
    minutes: z.int().min(1).max(527_040).nullable().describe('null: until the contact writes'),
  }),
  z.strictObject({ do: z.literal('note'), text }),
  z.strictObject({ do: z.literal('reply'), text }),
])
export type ConversationAct = z.infer<typeof actShape>

/** In the order in which they are done. */
export const actsShape = z.array(actShape).min(1).max(20)

/** A change as it is wished for, with names that are yet to be looked up. */
export interface CareWish {
  readonly status?: ConversationStatus | undefined
  readonly snoozed_until?: string | null | undefined
  readonly assignee_id?: string | null | undefined
  readonly team_id?: string | null | undefined
  readonly priority?: Priority | undefined
  /** All that it is to carry. */
  readonly labels?: readonly string[] | undefined
  readonly add_labels?: readonly string[] | undefined
  readonly remove_labels?: readonly string[] | undefined
  readonly add_participants?: readonly string[] | undefined
  readonly remove_participants?: readonly string[] | undefined
}

/** What is to be done, looked up; `assigneeScope`: what the new assignee sees. */
export interface Resolved {
  readonly change: CareChange
  readonly assigneeScope: Scope | undefined
}

/** Looks up everything that a wish names. @param me who `me` is @throws Problem 422 that names what there is not */
export async function resolveWish(
  storage: Storage,
  reader: Reader,
  accountId: string,
  wish: CareWish,
  me: string | null,
): Promise<Resolved> {
  const faults: FieldFault[] = []
  const self = (userId: string): string => (userId === 'me' ? (me ?? userId) : userId)
  const until =
    wish.snoozed_until === undefined ? undefined : wish.snoozed_until === null ? null : new Date(wish.snoozed_until)
  checkSnooze(until)
  if (until !== undefined && wish.status !== undefined && wish.status !== 'snoozed')
    faults.push({ field: 'snoozed_until', message: 'Only what is snoozed has such a time.' })

  const assigneeId = typeof wish.assignee_id === 'string' ? self(wish.assignee_id) : wish.assignee_id
  const people = {
    add_participants: wish.add_participants?.map(self),
    remove_participants: wish.remove_participants?.map(self),
  }
  const assignee =
    typeof assigneeId === 'string' && isId(assigneeId)
      ? await storage.users.get(reader, accountId, assigneeId)
      : undefined
  if (typeof assigneeId === 'string' && (assignee === undefined || assignee.disabledAt !== null))
    faults.push({ field: 'assignee_id', message: 'There is no such user.' })
  if (people.add_participants !== undefined) {
    const known = await storage.names.find(reader, accountId, {
      ...{ channels: [], teams: [], labels: [] },
      users: people.add_participants.filter(isId),
    })
    if (!people.add_participants.every((each) => known.has(each)))
      faults.push({ field: 'add_participants', message: 'There is no such user.' })
  }
  if (
    typeof wish.team_id === 'string' &&
    !(isId(wish.team_id) && (await storage.teams.get(reader, accountId, wish.team_id)) !== undefined)
  )
    faults.push({ field: 'team_id', message: 'There is no such team.' })
  const labels = await findLabels(storage, reader, accountId, wish, faults)
  if (faults.length > 0) throw invalid(faults)
  return {
    change: {
      status: wish.status,
      snoozedUntil: until,
      assigneeId,
      teamId: wish.team_id,
      priority: wish.priority === undefined ? undefined : priorities.indexOf(wish.priority),
      labelIds: labels.labels,
      addLabelIds: labels.add_labels,
      removeLabelIds: labels.remove_labels,
      addParticipantIds: people.add_participants,
      removeParticipantIds: people.remove_participants?.filter(isId),
    },
    assigneeScope: assignee && (await scopeOf(storage, assignee)),
  }
}

const labelFields = ['labels', 'add_labels', 'remove_labels'] as const

async function findLabels(
  storage: Storage,
  reader: Reader,
  accountId: string,
  wish: CareWish,
  faults: FieldFault[],
): Promise<{ readonly [Field in (typeof labelFields)[number]]: readonly string[] | undefined }> {
  const given = labelFields.flatMap((field) => wish[field] ?? [])
  const found = await storage.labels.find(reader, accountId, given.filter(isId), given)
  const byName = new Map(
    found.flatMap((each) => [[each.id, each.id] as const, [each.name.toLowerCase(), each.id] as const]),
  )
  const idsOf = (field: (typeof labelFields)[number]): string[] | undefined => {
    const ids = wish[field]?.map((each) => byName.get(each) ?? byName.get(each.toLowerCase()))
    if (ids?.some((each) => each === undefined) === true) faults.push({ field, message: 'There is no such label.' })
    return ids?.flatMap((each) => each ?? [])
  }
  if (given.length > mostLabelsOfOne * 2) faults.push({ field: 'labels', message: 'These are too many labels.' })
  return { labels: idsOf('labels'), add_labels: idsOf('add_labels'), remove_labels: idsOf('remove_labels') }
}

/** Acts that change the care, as one wish: what is said later counts; and what is to be said, in its order. */
export function foldActs(
  acts: readonly ConversationAct[],
  now = new Date(),
): { readonly wish: CareWish; readonly said: readonly { readonly kind: 'note' | 'reply'; readonly text: string }[] } {
  let wish: CareWish = {}
  const said: { kind: 'note' | 'reply'; text: string }[] = []
  const without = (list: readonly string[] | undefined, name: string): string[] =>
    (list ?? []).filter((each) => each.toLowerCase() !== name.toLowerCase())
  for (const act of acts) {
    if (act.do === 'assign') wish = { ...wish, assignee_id: act.user_id }
    else if (act.do === 'team') wish = { ...wish, team_id: act.team_id }
    else if (act.do === 'label')
      wish = { ...wish, add_labels: [...without(wish.add_labels, act.label), act.label], remove_labels: without(wish.remove_labels, act.label) } // prettier-ignore
    else if (act.do === 'unlabel')
      wish = { ...wish, remove_labels: [...without(wish.remove_labels, act.label), act.label], add_labels: without(wish.add_labels, act.label) } // prettier-ignore
    else if (act.do === 'priority') wish = { ...wish, priority: act.priority }
    else if (act.do === 'status') wish = { ...wish, status: act.status, snoozed_until: undefined }
    else if (act.do === 'snooze') {
      const until = act.minutes === null ? null : new Date(now.getTime() + act.minutes * 60_000).toISOString()
      wish = { ...wish, status: 'snoozed', snoozed_until: until }
    } else said.push({ kind: act.do, text: act.text })
  }
  const named = conversationStatuses.find((each) => each === wish.status)
  return { wish: named === undefined ? { ...wish, status: undefined } : wish, said }
}

/** Looks up what acts name, so that they can be kept. @throws Problem 422 */
export async function checkActs(
  storage: Storage,
  reader: Reader,
  accountId: string,
  acts: readonly ConversationAct[],
): Promise<void> {
  const { wish } = foldActs(acts)
  const assignee = wish.assignee_id === 'me' ? undefined : wish.assignee_id
  await resolveWish(storage, reader, accountId, { ...wish, assignee_id: assignee }, null)
}

/**
 * Does them to one conversation: what is said first, each in a transaction of its own, then the care in one. What has changed.
 * @throws Problem as `resolveWish`, `changeConversation` and `sendReply` do
 */
export async function performActs(
  storage: Storage,
  accountId: string,
  conversationId: string,
  acts: readonly ConversationAct[],
  cause: Cause,
): Promise<readonly string[]> {
  const { wish, said } = foldActs(acts)
  const { change } = await resolveWish(storage, storage.primary, accountId, wish, cause.by)
  for (const { kind, text: words } of said) {
    const utterance = { accountId, conversationId, userId: cause.by, text: words }
    if (kind === 'note') await addNote(storage, utterance)
    else await sendReply(storage, { ...utterance, kind: 'reply', files: [] })
  }
  return changeConversation(storage, accountId, conversationId, change, cause)
}
