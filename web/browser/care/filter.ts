/** What the list is narrowed to. It stands in the address bar under the names that the API has for it, so it can be sent to others. */
import type { ConversationJson } from '../../presenters/shapes.ts'

export const filterNames = [
  'view',
  'q',
  'status',
  'channel_id',
  'assignee',
  'team',
  'label',
  'priority',
  'kind',
  'unanswered',
  'participant',
  'mentioned',
  'since',
  'until',
  'sort',
] as const
export type FilterName = (typeof filterNames)[number]
export type Filter = Readonly<Partial<Record<FilterName, string>>>
/** Empty or undefined takes away. */
export type FilterChange = Partial<Record<FilterName, string | undefined>>

/** Those that have a chip: what is chosen beside the view, the words and the order. */
export const chipNames = filterNames.filter((name) => name !== 'view' && name !== 'q' && name !== 'sort')

export const builtInViews = ['mine', 'unassigned', 'all', 'mentions'] as const
export type BuiltInView = (typeof builtInViews)[number]
export const isBuiltIn = (view: string): view is BuiltInView => builtInViews.some((each) => each === view)

export const sorts = ['newest', 'oldest', 'waiting', 'priority'] as const
export type Sort = (typeof sorts)[number]
export const sortOf = (filter: Filter): Sort => sorts.find((each) => each === filter.sort) ?? 'newest'
export const viewOf = (filter: Filter): string => filter.view ?? 'all'

export const readFilter = (search: URLSearchParams): Filter =>
  Object.fromEntries(filterNames.flatMap((name) => (search.get(name) ? [[name, search.get(name) ?? '']] : [])))

/** As it stands in the address: what is usual is left out. */
export function writeFilter(filter: Filter): string {
  const search = new URLSearchParams()
  for (const name of filterNames) {
    const value = filter[name]
    if (value && !(name === 'view' && value === 'all') && !(name === 'sort' && value === 'newest'))
      search.set(name, value)
  }
  const text = search.toString()
  return text && `?${text}`
}

/** With these changed. */
/** Where the inbox stands with a conversation chosen and this filter. */
export const hrefTo = (id: string | undefined, filter: Filter): string =>
  `/inbox${id ? `/${id}` : ''}${writeFilter(filter)}`

export const withFilter = (filter: Filter, change: FilterChange): Filter =>
  Object.fromEntries(Object.entries({ ...filter, ...change }).filter(([, value]) => value))

export const labelsOf = (filter: Filter): readonly string[] => filter.label?.split(',').filter(Boolean) ?? []

/** What views that are always there mean, as the server reads them. */
const meanings: Readonly<Record<BuiltInView, Filter>> = {
  mine: { assignee: 'me' },
  unassigned: { assignee: 'none' },
  all: {},
  mentions: { mentioned: 'me' },
}

export const statuses = ['open', 'pending', 'snoozed', 'resolved'] as const
/** In an address: whatever its status. */
export const anyStatus = 'any'

/** Without a word of status: what is open, but everything where words are looked for. */
export const statusOf = (filter: Filter, ofView: Filter | undefined): string =>
  filter.status ?? ofView?.status ?? (filter.q ? anyStatus : 'open')

/** All that a filter says, with what its view says, as the API takes it; undefined: its view is not known (yet). */
export function meaningOf(filter: Filter, views: ReadonlyMap<string, Filter>): Filter | undefined {
  const view = viewOf(filter)
  const meant = isBuiltIn(view) ? meanings[view] : views.get(view)
  if (meant === undefined) return undefined
  const status = statusOf(filter, meant)
  return { ...meant, ...filter, status: status === anyStatus ? statuses.join() : status }
}

const oneOf = (wanted: string | undefined, is: string): boolean =>
  wanted === undefined || wanted.split(',').includes(is)

/** Whether it belongs there; undefined: only the server knows. */
export function belongs(conversation: ConversationJson, meant: Filter, me: string | undefined): boolean | undefined {
  const { assignee, team, waiting_since: waitingSince, last_activity_at: at } = conversation
  const says: (boolean | undefined)[] = [
    oneOf(meant.status, conversation.status),
    oneOf(meant.channel_id, conversation.channel.id),
    meant.assignee === undefined ||
      (meant.assignee === 'none'
        ? assignee === null
        : assignee?.id === (meant.assignee === 'me' ? me : meant.assignee)),
    meant.team === undefined ||
      (meant.team === 'mine' ? undefined : meant.team === 'none' ? team === null : team?.id === meant.team),
    labelsOf(meant).every((label) => conversation.labels.some(({ id, name }) => label === id || label === name)),
    oneOf(meant.priority, conversation.priority),
    oneOf(meant.kind, conversation.visibility),
    meant.unanswered === undefined || (meant.unanswered === 'true') === (waitingSince !== null),
    meant.sort !== 'waiting' || waitingSince !== null,
    meant.participant === undefined ||
      conversation.participants.some(({ id }) => id === (meant.participant === 'me' ? me : meant.participant)),
    meant.since === undefined || at >= meant.since,
    meant.until === undefined || at < meant.until,
    (meant.q ?? meant.mentioned) === undefined || undefined,
  ]
  return says.includes(false) ? false : says.includes(undefined) ? undefined : true
}

const ranks = ['none', 'low', 'high', 'urgent']

/** What the list is ordered by, to be compared as text; the least first where `isUp`. */
export function orderOf(conversation: ConversationJson, sort: Sort): string {
  if (sort === 'waiting') return conversation.waiting_since ?? '9999'
  if (sort === 'priority') return `${String(ranks.indexOf(conversation.priority))} ${conversation.last_activity_at}`
  return conversation.last_activity_at
}
export const isUp = (sort: Sort): boolean => sort === 'oldest' || sort === 'waiting'
