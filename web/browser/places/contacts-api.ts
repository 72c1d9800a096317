/** The calls of contacts and of the search. */
import type {
  AttributeJson,
  ContactCardJson,
  ContactDetailJson,
  ContactNoteJson,
  MergeJson,
  SegmentFilterJson,
  SegmentJson,
  SuggestionJson,
  TimelineJson,
} from '../../presenters/contact.ts'
import type { SearchJson } from '../../presenters/search.ts'
import { ask, newKey, query, type Page } from '../api.ts'
import { keys } from '../queries.ts'

type Fields = Readonly<Record<string, unknown>>
type Asked = Readonly<Record<string, string | undefined>>

/** Everything asked for here is known by keys that begin so. */
export const contactsKey = keys.contacts

const one = <Answer>(path: string) => ({
  queryKey: [...contactsKey, path],
  queryFn: ({ signal }: { signal: AbortSignal }) => ask<Answer>('GET', path, undefined, { signal }),
})

const pages = <Answer extends { next_cursor: string | null }>(path: string, asked: Asked) => ({
  queryKey: [...contactsKey, path, asked],
  queryFn: ({ pageParam, signal }: { pageParam: string | null; signal: AbortSignal }) =>
    ask<Answer>('GET', `${path}${query({ ...asked, cursor: pageParam })}`, undefined, { signal }),
  initialPageParam: null as string | null,
  getNextPageParam: (last: Answer) => last.next_cursor,
})

export const contactQueries = {
  list: (asked: Asked) => pages<Page<ContactCardJson>>('/contacts', asked),
  timeline: (id: string) => pages<Page<TimelineJson>>(`/contacts/${id}/timeline`, { limit: '30' }),
  search: (q: string) => pages<SearchJson>('/search', { q, limit: '20' }),
  contact: (id: string) => one<ContactDetailJson>(`/contacts/${id}`),
  notes: (id: string) => one<Page<ContactNoteJson>>(`/contacts/${id}/notes`),
  suggestions: (id: string) => one<Page<SuggestionJson>>(`/contacts/${id}/suggestions`),
  attributes: one<Page<AttributeJson>>('/contact-attributes'),
  segments: one<Page<SegmentJson>>('/segments'),
}

export const contactsApi = {
  change: (id: string, change: Fields) => ask<ContactDetailJson>('PATCH', `/contacts/${id}`, change),
  addNote: (id: string, text: string) =>
    ask<ContactNoteJson>('POST', `/contacts/${id}/notes`, { text }, { key: newKey() }),
  removeNote: (id: string, noteId: string) => ask<unknown>('DELETE', `/contacts/${id}/notes/${noteId}`),
  merge: (id: string, otherId: string) =>
    ask<MergeJson>('POST', `/contacts/${id}/merge`, { other_id: otherId }, { key: newKey() }),
  undo: (mergeId: string) => ask<MergeJson>('POST', `/merges/${mergeId}/undo`, {}, { key: newKey() }),
  keepSegment: (name: string, filter: SegmentFilterJson) =>
    ask<SegmentJson>('POST', '/segments', { name, filter }, { key: newKey() }),
  forgetSegment: (id: string) => ask<unknown>('DELETE', `/segments/${id}`),
}
