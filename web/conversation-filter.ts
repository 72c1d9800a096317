/** What the list of conversations, views and changes of many are narrowed to, as it comes from outside. */
import { z } from 'zod'
import { invalid, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import { conversationSorts } from '../storage/index.ts'
import type { ConversationFilter, Reader } from '../storage/index.ts'
import { conversationStatuses, priorities, visibilities } from '../storage/model/words.ts'
import type { ConversationStatus } from '../storage/model/words.ts'
import type { Call } from './route.ts'

const one = z.string().max(64)
const text = (most: number) => z.string().max(64 * most)
/** Several by commas. */
const several = (most: number) => text(most).transform(split(most))
/** The same, or a list. */
const list = (most: number) => z.union([text(most), z.array(z.string().max(64)).max(most)]).transform(split(most))

function split(most: number) {
  return (given: string | readonly string[], context: z.RefinementCtx): string[] => {
    const all = [given].flat().flatMap((each) => each.split(',').map((part) => part.trim()))
    const kept = [...new Set(all.filter((part) => part !== ''))]
    if (kept.length > most) context.addIssue({ code: 'custom', message: `Expected at most ${String(most)}.` })
    return kept
  }
}

function statuses(given: readonly string[], context: z.RefinementCtx): ConversationStatus[] {
  const known = given.flatMap((each) => conversationStatuses.find((status) => status === each) ?? [])
  if (known.length < given.length)
    context.addIssue({ code: 'custom', message: `Expected some of ${conversationStatuses.join(', ')}.` })
  return known
}

/** Each part of a filter; all of them hold together. */
export const filterFields = {
  channel_id: list(20).optional().describe('one or several, by commas'),
  contact_id: one.optional(),
  status: list(4)
    .pipe(z.array(z.enum(conversationStatuses)))
    .optional()
    .describe('one or several, by commas'),
  assignee: one.optional().describe('the id of a user, `me` or `none`'),
  team: one.optional().describe('the id of a team, `mine` or `none`'),
  label: list(10).optional().describe('ids or names of labels, by commas: it carries all of them'),
  priority: z.enum(priorities).optional(),
  kind: z.enum(visibilities).optional(),
  participant: one.optional().describe('the id of a user or `me`'),
  mentioned: one.optional().describe('the id of a user or `me`: was named in a note'),
  unanswered: z.boolean().optional().describe('whether the contact waits for an answer'),
  since: z.iso.datetime({ offset: true }).optional().describe('of the newest activity'),
  until: z.iso.datetime({ offset: true }).optional(),
  q: z.string().max(200).optional().describe("part of the contact's name or of the newest message"),
  sort: z.enum(conversationSorts).optional().describe('default: the newest activity first'),
}
/** As a query says it: no value comes twice. */
export const queryFields = {
  ...filterFields,
  channel_id: several(20).optional().describe('one or several, by commas'),
  status: several(4).transform(statuses).optional().describe('one or several, by commas'),
  label: several(10).optional().describe('ids or names of labels, by commas: it carries all of them'),
  unanswered: z
    .enum(['true', 'false'])
    .transform((word) => word === 'true')
    .optional()
    .describe('whether the contact waits for an answer'),
}
export const filterShape = z.strictObject(filterFields)
export type FilterInput = z.output<typeof filterShape>

/** Views that everybody has. */
const builtIn: Readonly<Record<string, FilterInput>> = {
  all: {},
  mine: { assignee: 'me' },
  unassigned: { assignee: 'none' },
  mentions: { mentioned: 'me' },
}
export const builtInViews = Object.keys(builtIn)
export const builtInFilter = (name: string): FilterInput | undefined =>
  Object.hasOwn(builtIn, name) ? builtIn[name] : undefined

/** The filter of a view, which what is asked beside it changes. @throws Problem 404 for a view that the asker has not */
export async function withView(view: string | undefined, asked: FilterInput, call: Call): Promise<FilterInput> {
  const base = view === undefined ? {} : builtInFilter(view)
  if (base !== undefined) return { ...base, ...asked }
  const [found] = isId(view ?? '')
    ? await call.storage.views.list(call.storage.fresh, call.asker.accountId, call.asker.userId, [view ?? ''])
    : []
  if (found === undefined) throw notFound('view')
  return { ...keptFilter(found.filter), ...asked }
}

/** As a view keeps it. What has become unknown since is left out. */
export function keptFilter(kept: Readonly<Record<string, unknown>>): FilterInput {
  return filterShape.safeParse(kept).data ?? {}
}

/** No row has it. */
const noId = '00000000-0000-0000-0000-000000000000'
const idOf = (text: string): string => (isId(text) ? text : noId)

/** The filter as the store takes it; `me`, `mine` and names of labels looked up. */
export async function readFilter(
  input: FilterInput,
  { storage, asker }: Pick<Call, 'storage' | 'asker'>,
  reader: Reader,
): Promise<Omit<ConversationFilter, 'limit'>> {
  const { accountId, userId } = asker
  const person = (text: string): string => (text === 'me' ? userId : idOf(text))
  const { channel_id, contact_id, status, assignee, team, label, priority, kind, participant, mentioned } = input
  if (input.sort === 'waiting' && input.unanswered === false)
    throw invalid([{ field: 'sort', message: 'What is answered does not wait.' }])
  const labelIds = label?.every(isId)
    ? label
    : label && findLabels(label, await storage.labels.find(reader, accountId, label.filter(isId), label))
  const teamIds =
    team === undefined
      ? undefined
      : team === 'none'
        ? [null]
        : team === 'mine'
          ? await storage.teams.ofUser(reader, accountId, userId)
          : [idOf(team)]
  return {
    ...(channel_id !== undefined && { channelIds: channel_id.map(idOf) }),
    ...(contact_id !== undefined && { contactId: idOf(contact_id) }),
    ...(status !== undefined && status.length > 0 && { statuses: status }),
    ...(assignee !== undefined && { assigneeId: assignee === 'none' ? null : person(assignee) }),
    ...(teamIds !== undefined && { teamIds }),
    ...(labelIds !== undefined && { labelIds }),
    ...(priority !== undefined && { priority: priorities.indexOf(priority) }),
    ...(kind !== undefined && { visibility: kind }),
    ...(participant !== undefined && { participantId: person(participant) }),
    ...(mentioned !== undefined && { mentionedId: person(mentioned) }),
    ...(input.unanswered !== undefined && { isUnanswered: input.unanswered }),
    ...(input.since !== undefined && { since: new Date(input.since) }),
    ...(input.until !== undefined && { until: new Date(input.until) }),
    ...(input.q !== undefined && input.q !== '' && { q: input.q }),
    ...(input.sort !== undefined && { sort: input.sort }),
  }
}

/** One that there is not is carried by nothing. */
function findLabels(
  wanted: readonly string[],
  found: readonly { readonly id: string; readonly name: string }[],
): string[] {
  return wanted.map((text) => {
    const name = text.toLowerCase()
    return found.find((each) => each.id === text || each.name.toLowerCase() === name)?.id ?? noId
  })
}
