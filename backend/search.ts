/** The search: messages by their words, grouped by conversation, and people by any address. It answers within its time, whatever is asked. */
import type { Reader, Scope, SearchFilter, SearchHit, SearchPhrase, SearchWish, Storage } from '../storage/index.ts'
import { searchFlags } from '../storage/index.ts'
import { parseSearch } from '../storage/model/search-query.ts'
import type { SearchNote, SearchQuery, Wanted } from '../storage/model/search-query.ts'
import { fold, indexed, tagOf } from '../storage/model/search-terms.ts'

export interface SearchAsker {
  readonly accountId: string
  readonly userId: string
  readonly scope: Scope
  /** Whether people may be told of. */
  readonly mayReadContacts: boolean
}

export interface Found {
  readonly query: SearchQuery
  readonly contactIds: readonly string[]
  /** The best conversation first; of each the best messages. */
  readonly conversations: readonly { readonly id: string; readonly messageIds: readonly string[]; readonly count: number }[] // prettier-ignore
  readonly hasMore: boolean
  readonly notes: readonly SearchNote[]
}

/** The server ends a statement after so long, in ms; a search has few. */
const limitMs = 2_000
/** A page is cut out of so many messages. */
const mostHits = 1_000
const mostContacts = 8
const passages = 3
const sampled = 1_000
/** A phrase in more than 4 of 1,000 messages is not asked of the index: it would read hundreds of thousands of places. */
const rareBelow = 4
/** What is everywhere is looked for in so many of the newest. */
const scanned = 20_000

/**
 * @param page `at`: what is newer is left out, so that pages do not shift; `skip`: conversations of the pages before
 */
export async function findAnything(
  storage: Storage,
  asker: SearchAsker,
  text: string,
  page: { readonly at: Date; readonly skip: number; readonly limit: number },
): Promise<Found> {
  const query = parseSearch(text)
  const notes = [...query.notes]
  const reader = storage.bulk
  const isFirst = page.skip === 0
  const contactIds =
    isFirst && query.only !== 'messages' && asker.mayReadContacts && query.words !== ''
      ? await storage.contactKeys.find(reader, asker.accountId, query.words, query.only === 'contacts' ? page.limit : mostContacts, asker.scope) // prettier-ignore
      : []
  const nothing: Found = { query, contactIds, conversations: [], hasMore: false, notes }
  if (query.only === 'contacts') return nothing
  const filter = await filterOf(storage, reader, asker, query, notes)
  const isNarrowed = Object.keys(filter).length > 0
  const included = query.wanted.filter(({ isExcluded }) => !isExcluded)
  if (included.length === 0 && !isNarrowed) {
    notes.push({ code: query.wanted.length > 0 ? 'only_exclusions' : 'nothing_to_look_for', about: '' })
    return nothing
  }
  const tag = tagOf(asker.accountId)
  const before = filter.before !== undefined && filter.before < page.at ? filter.before : page.at
  const hits = await findMessages(
    storage,
    {
      accountId: asker.accountId,
      scope: asker.scope,
      phrases: query.wanted.map((each) => phraseOf(each, tag)),
      filter: { ...filter, before },
      ...{ most: mostHits, limitMs },
    },
    notes,
  )
  const grouped = [...Map.groupBy(hits, ({ conversationId }) => conversationId)]
  return {
    ...nothing,
    conversations: grouped.slice(page.skip, page.skip + page.limit).map(([id, found]) => ({
      id,
      messageIds: found.slice(0, passages).map(({ messageId }) => messageId),
      count: found.length,
    })),
    hasMore: grouped.length > page.skip + page.limit,
  }
}

/** The messages themselves, the best first; what the time did not allow is said in `notes`. */
export async function findMessages(storage: Storage, wish: SearchWish, notes: SearchNote[]): Promise<SearchHit[]> {
  const { search, bulk } = storage
  const endsAt = performance.now() + wish.limitMs
  const left = (): number => Math.max(50, endsAt - performance.now())
  const included = wish.phrases.filter(({ isExcluded }) => !isExcluded)
  let hits: SearchHit[] | undefined
  if (included.length === 0) hits = await search.scan(bulk, { ...wish, limitMs: left() / 2 })
  else {
    const sample = await search.sample(bulk, { ...wish, phrases: included, limitMs: left() / 4 }, sampled)
    const isRare = (index: number): boolean => sample !== undefined && (sample.count < sampled || (sample.found[index] ?? 0) <= rareBelow) // prettier-ignore
    const rare = included.filter((_, index) => isRare(index))
    if (rare.length > 0) hits = await search.match(bulk, { ...wish, limitMs: left() * 0.75 }, rare)
  }
  if (hits !== undefined) return hits
  notes.push({ code: 'partial', about: String(scanned) })
  return (await search.scan(bulk, { ...wish, limitMs: left() }, scanned)) ?? []
}

const phraseOf = ({ terms, isPrefix, isExcluded }: Wanted, tag: string): SearchPhrase => ({
  terms: terms.map(({ text }) => indexed(tag, text)),
  isPrefix,
  isExcluded,
})

/** What the names in the query mean; a name that means nothing finds nothing, and is told. */
async function filterOf(
  storage: Storage,
  reader: Reader,
  { accountId, userId, scope }: SearchAsker,
  query: SearchQuery,
  notes: SearchNote[],
): Promise<SearchFilter> {
  const told = (operator: string, names: readonly string[], ids: readonly string[]): readonly string[] => {
    if (ids.length === 0) notes.push({ code: 'not_found', about: names.map((name) => `${operator}:${name}`).join(' ') })
    return ids
  }
  const needsUsers = query.from.length > 0 || query.assignees.length > 0
  const users = needsUsers ? await storage.users.list(reader, accountId) : []
  const usersNamed = (name: string): string[] =>
    fold(name) === 'me' ? [userId] : users.filter((user) => isNamed(name, user.name, user.email, user.id)).map(({ id }) => id) // prettier-ignore
  const filter: { -readonly [Key in keyof SearchFilter]: SearchFilter[Key] } = {}
  if (query.channels.length > 0) {
    const channels = await storage.channels.list(reader, accountId)
    const ids = channels.filter((each) => query.channels.some((name) => fold(name) === each.type || isNamed(name, each.name, each.id))) // prettier-ignore
    filter.channelIds = told('channel', query.channels, ids.map(({ id }) => id)) // prettier-ignore
  }
  if (query.from.length > 0) {
    const ids: string[] = []
    for (const name of query.from)
      ids.push(...usersNamed(name), ...(await storage.contactKeys.find(reader, accountId, name, 200, scope)))
    filter.writerIds = told('from', query.from, await storage.contactCare.withMerged(reader, accountId, ids))
  }
  if (query.assignees.length > 0) {
    if (query.assignees.some((name) => fold(name) === 'none')) filter.isUnassigned = true
    else filter.assigneeIds = told('assignee', query.assignees, query.assignees.flatMap(usersNamed))
  }
  if (query.labels.length > 0) {
    const labels = await storage.labels.list(reader, accountId)
    filter.labelIds = query.labels.map(
      (name) =>
      told('label', [name], labels.filter((label) => isNamed(name, label.name, label.id)).map(({ id }) => id)), // prettier-ignore
    )
  }
  if (query.before !== undefined) filter.before = query.before
  if (query.after !== undefined) filter.after = query.after
  const statuses = query.is.filter((each) => ['open', 'pending', 'snoozed', 'resolved'].includes(each))
  if (statuses.length > 0) filter.statuses = statuses
  if (query.is.includes('mine')) filter.assigneeIds = [userId]
  if (query.is.includes('unassigned')) filter.isUnassigned = true
  const flags =
    query.has.reduce((sum, each) => sum | searchFlags[each], 0) | (query.is.includes('note') ? searchFlags.note : 0)
  if (flags > 0) filter.flags = flags
  return filter
}

const isNamed = (name: string, ...called: readonly string[]): boolean =>
  fold(name).trim() !== '' && called.some((each) => fold(each).includes(fold(name).trim()))
