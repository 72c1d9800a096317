/**
 * Which conversations a filter means, as SQL. The most telling part of the filter leads: one index per leading part, each ordered by
 * status and activity, so that a page is read from the top of a few ranges; what is left of the filter is looked up row by row.
 */
import type { SqlValue } from '../database.ts'
import { conversationStatuses } from '../model/words.ts'
import type { ConversationStatus, Visibility } from '../model/words.ts'
import { inList } from './in-list.ts'
import { markKinds, priorityMark, publicMark } from './marks.ts'
import { within } from './scope.ts'
import type { Scope } from './scope.ts'

export const conversationSorts = ['newest', 'oldest', 'waiting', 'priority'] as const
/** `oldest`: the longest without activity; `waiting`: those whose contact waits, the longest first; `priority`: the most urgent first. */
export type ConversationSort = (typeof conversationSorts)[number]

/** What a list may be narrowed to, all of it together; lists are alternatives, but labels must all be there. */
export interface ConversationFilter {
  readonly channelIds?: readonly string[]
  readonly contactId?: string
  readonly statuses?: readonly ConversationStatus[]
  /** null: nobody's. */
  readonly assigneeId?: string | null
  /** null among them: of no team. */
  readonly teamIds?: readonly (string | null)[]
  readonly labelIds?: readonly string[]
  readonly priority?: number
  readonly visibility?: Visibility
  readonly participantId?: string
  /** Somebody was mentioned in a note. */
  readonly mentionedId?: string
  /** The contact waits for an answer, or does not. */
  readonly isUnanswered?: boolean
  /** Of the newest activity. */
  readonly since?: Date
  readonly until?: Date
  /** Part of the contact's name or of the preview. */
  readonly q?: string
  readonly sort?: ConversationSort
  /** Where the page before ended; `rank`: its priority, where that is the order. */
  readonly after?: { readonly at: Date; readonly id: string; readonly rank?: number | undefined }
  readonly limit: number
}

export interface Query {
  readonly sql: string
  readonly values: SqlValue[]
}

/** Ranges of one index, or rows of a table beside, in which to look. */
interface Lead {
  readonly kind: 'index' | 'marks' | 'waiting' | 'small'
  readonly index: string
  readonly ranges: readonly Query[]
  readonly answers: readonly (keyof ConversationFilter)[]
}

/** More ranges than these cost more than looking at rows one by one. */
const mostRanges = 16

/** `id`, `at` (what it is ordered by) and `rank` of the page, or `id` alone in no order, at most `limit`. */
export function selectIds(accountId: string, asked: ConversationFilter, scope: Scope, isOrdered = true): Query {
  const { sort = 'newest', limit } = asked
  const ranked = sort === 'priority' && asked.priority === undefined
  const after = asked.after && { ...asked.after, rank: ranked ? (asked.after.rank ?? 0) : undefined }
  const filter = { ...narrowed(asked, scope), ...(after !== undefined && { after }) }
  const single = [leadOf(filter, accountId)]
  const leads: { lead: Lead; extra?: number }[] = !ranked
    ? single.map((lead) => ({ lead }))
    : [3, 2, 1, 0]
        .filter((priority) => filter.after?.rank === undefined || priority <= filter.after.rank)
        .map((priority) => ({ lead: leadOf({ ...filter, priority }, accountId), extra: priority }))
  const parts: string[] = []
  const values: SqlValue[] = []
  for (const { lead, extra } of leads) {
    const own = extra === undefined ? filter : { ...filter, priority: extra }
    for (const range of lead.ranges) {
      const branch = branchOf(lead, range, own, scope, isOrdered)
      parts.push(branch.sql)
      values.push(...branch.values)
    }
  }
  const direction = isUp(sort) ? 'asc' : 'desc'
  const order = isOrdered ? ` order by \`rank\` desc, at ${direction}, id ${direction}` : ''
  if (parts.length === 0)
    return { sql: 'select c.id, c.last_activity_at at, 0 `rank` from conversations c where false', values }
  if (parts.length === 1) return { sql: (parts[0] ?? '').replace(/^\(|\)$/g, ''), values }
  return { sql: `${parts.join(' union all ')}${order} limit ${String(limit)}`, values }
}

export const isUp = (sort: ConversationSort): boolean => sort === 'oldest' || sort === 'waiting'

/** With what the scope and the order say anyway. */
function narrowed(filter: ConversationFilter, scope: Scope): ConversationFilter {
  const { sort, statuses = conversationStatuses } = filter
  const channelIds =
    scope.channelIds === null
      ? filter.channelIds
      : (filter.channelIds ?? scope.channelIds).filter((id) => scope.channelIds?.includes(id))
  const teamIds =
    scope.teamIds === null
      ? filter.teamIds
      : (filter.teamIds ?? [null, ...scope.teamIds]).filter((id) => id === null || scope.teamIds?.includes(id))
  return {
    ...filter,
    // Nobody waits in what is resolved.
    statuses:
      sort === 'waiting' || filter.isUnanswered === true ? statuses.filter((each) => each !== 'resolved') : statuses,
    ...(channelIds !== undefined && { channelIds }),
    ...(teamIds !== undefined && { teamIds }),
  }
}

function leadOf(filter: ConversationFilter, accountId: string): Lead {
  const statuses = filter.statuses ?? conversationStatuses
  const byIndex = (
    index: string,
    column: string | undefined,
    of: readonly (string | null)[],
    answers: Lead['answers'],
  ): Lead | undefined =>
    of.length * statuses.length > mostRanges
      ? undefined
      : {
          ...{ kind: 'index', index, answers: [...answers, 'statuses'] },
          ranges: of.flatMap((value) =>
            statuses.map((status) => {
              const is =
                column === undefined ? '' : value === null ? ` and c.${column} is null` : ` and c.${column} = ?`
              const values = [accountId, ...(column === undefined || value === null ? [] : [value]), status]
              return { sql: `c.account_id = ?${is} and c.status = ?`, values }
            }),
          ),
        }
  const byMark = (kind: number, mark: string, answers: Lead['answers']): Lead => ({
    ...{ kind: 'marks', index: 'by_mark', answers: [...answers, 'statuses'] },
    ranges: statuses.map((status) => ({
      sql: 'm.account_id = ? and m.kind = ? and m.mark = ? and m.status = ?',
      values: [accountId, kind, mark, status],
    })),
  })
  const { contactId, assigneeId, participantId, mentionedId, labelIds, priority, teamIds, channelIds, sort } = filter
  if (contactId !== undefined)
    return {
      ...{ kind: 'small', index: 'by_contact', answers: ['contactId'] },
      ranges: [{ sql: 'c.account_id = ? and c.contact_id = ?', values: [accountId, contactId] }],
    }
  const isWaiting = sort === 'waiting' || filter.isUnanswered === true
  const isOfSomebody = typeof assigneeId === 'string'
  const found =
    (isOfSomebody ? byIndex('by_assignee', 'assignee_id', [assigneeId], ['assigneeId']) : undefined) ??
    (mentionedId !== undefined ? byMark(markKinds.mention, mentionedId, ['mentionedId']) : undefined) ??
    (participantId !== undefined ? byMark(markKinds.participant, participantId, ['participantId']) : undefined) ??
    (labelIds?.[0] !== undefined ? byMark(markKinds.label, labelIds[0], []) : undefined) ??
    (priority !== undefined && priority > 0
      ? byMark(markKinds.priority, priorityMark(priority), ['priority'])
      : undefined) ??
    (filter.visibility === 'public' ? byMark(markKinds.public, publicMark, ['visibility']) : undefined)
  if (found !== undefined)
    return isWaiting && sort === 'waiting' ? { ...found, kind: found.kind === 'marks' ? 'marks' : 'small' } : found
  if (sort === 'waiting')
    return {
      ...{ kind: 'waiting', index: 'by_waiting', answers: [] },
      ranges: [{ sql: 'c.account_id = ? and c.waiting_since is not null', values: [accountId] }],
    }
  return (
    (teamIds !== undefined ? byIndex('by_team', 'team_id', teamIds, ['teamIds']) : undefined) ??
    (channelIds !== undefined ? byIndex('by_channel', 'channel_id', channelIds, ['channelIds']) : undefined) ??
    (assigneeId === null ? byIndex('by_assignee', 'assignee_id', [null], ['assigneeId']) : undefined) ??
    byIndex('by_status', undefined, [null], []) ?? { kind: 'small', index: 'by_status', ranges: [], answers: [] }
  )
}

/** One range, with the rest of the filter. */
function branchOf(lead: Lead, range: Query, filter: ConversationFilter, scope: Scope, isOrdered: boolean): Query {
  const { sort = 'newest', after, limit } = filter
  const isMarks = lead.kind === 'marks'
  const at = sort === 'waiting' ? 'c.waiting_since' : isMarks ? 'm.last_activity_at' : 'c.last_activity_at'
  const id = isMarks ? 'm.conversation_id' : 'c.id'
  const where = [range.sql]
  const values = [...range.values]
  const add = (query: Query | undefined): void => {
    if (query === undefined) return
    where.push(query.sql)
    values.push(...query.values)
  }
  const rest = restOf(filter, lead, scope, isMarks ? 'm.last_activity_at' : 'c.last_activity_at')
  for (const each of rest) add(each)
  const rank = sort === 'priority' ? String(filter.priority ?? 0) : '0'
  if (isOrdered && after !== undefined && (after.rank === undefined || after.rank === Number(rank))) {
    const than = isUp(sort) ? '>' : '<'
    add({ sql: `${at} ${than}= ? and (${at} ${than} ? or ${id} ${than} ?)`, values: [after.at, after.at, after.id] })
  }
  const direction = isUp(sort) ? 'asc' : 'desc'
  const isJoined = isMarks && (where.some((each) => each.includes('c.')) || at.startsWith('c.'))
  const from = isMarks
    ? `conversation_marks m force index (by_mark)${isJoined ? ' straight_join conversations c on c.account_id = m.account_id and c.id = m.conversation_id' : ''}`
    : `conversations c force index (${lead.index})`
  const columns = isOrdered ? `${id} id, ${at} at, ${rank} \`rank\`` : `${id} id`
  const order = isOrdered ? ` order by ${at} ${direction}, ${id} ${direction}` : ''
  return { sql: `(select ${columns} from ${from} where ${where.join(' and ')}${order} limit ${String(limit)})`, values }
}

/** What the lead does not answer. */
function restOf(filter: ConversationFilter, { answers, kind }: Lead, scope: Scope, activity: string): Query[] {
  const rest: Query[] = []
  const add = (sql: string, ...values: SqlValue[]): void => {
    rest.push({ sql, values })
  }
  const is = (name: keyof ConversationFilter): boolean => !answers.includes(name) && filter[name] !== undefined
  const { statuses, assigneeId, priority, q } = filter
  if (statuses !== undefined && is('statuses') && statuses.length < conversationStatuses.length) {
    const list = inList(statuses)
    add(`c.status in ${list.sql}`, ...list.values)
  }
  if (is('channelIds')) {
    const list = inList(filter.channelIds ?? [])
    add(`c.channel_id in ${list.sql}`, ...list.values)
  }
  if (is('teamIds')) {
    const ids = (filter.teamIds ?? []).filter((id) => id !== null)
    const list = inList(ids)
    const isNone = filter.teamIds?.includes(null) === true
    add(isNone ? `(c.team_id is null or c.team_id in ${list.sql})` : `c.team_id in ${list.sql}`, ...list.values)
  }
  if (is('assigneeId')) {
    if (assigneeId === null) add('c.assignee_id is null')
    else add('c.assignee_id = ?', assigneeId ?? null)
  }
  if (is('priority')) add('c.priority = ?', priority ?? 0)
  if (is('visibility')) add('c.visibility = ?', filter.visibility ?? null)
  if (filter.isUnanswered === false) add('c.waiting_since is null')
  if ((filter.isUnanswered === true || filter.sort === 'waiting') && kind !== 'waiting')
    add('c.waiting_since is not null')
  if (filter.since !== undefined) add(`${activity} >= ?`, filter.since)
  if (filter.until !== undefined) add(`${activity} < ?`, filter.until)
  const of = kind === 'marks' ? ['m.account_id', 'm.conversation_id'] : ['c.account_id', 'c.id']
  const carries = (markKind: number, mark: string): void =>
    add(
      `exists (select 1 from conversation_marks x where x.account_id = ${of[0] ?? ''} and x.conversation_id = ${of[1] ?? ''} and x.kind = ? and x.mark = ?)`,
      markKind,
      mark,
    )
  const labels = filter.labelIds ?? []
  const isLedByLabel = kind === 'marks' && filter.mentionedId === undefined && filter.participantId === undefined
  for (const label of labels.slice(isLedByLabel ? 1 : 0)) carries(markKinds.label, label)
  if (is('participantId')) carries(markKinds.participant, filter.participantId ?? '')
  if (is('mentionedId')) carries(markKinds.mention, filter.mentionedId ?? '')
  if (q !== undefined) {
    const like = `%${q.replace(/[\\%_]/g, '\\$&')}%`
    add(
      '(c.preview like ? or exists (select 1 from contacts p where p.account_id = c.account_id and p.id = c.contact_id and p.name like ?))',
      like,
      like,
    )
  }
  // The scope is part of the filter by now; where it is not answered by the index it stands here once more, whatever the filter says.
  const limit = within(scope, { channel: 'c.channel_id', team: 'c.team_id' })
  if (limit.sql !== '') add(limit.sql.replace(/^ and /, ''), ...limit.values)
  return rest
}
