/** The calls of working in a team: labels, views, counts, many at once, taking, drafts of oneself. */
import type { BulkJson, LabelJson, ViewJson } from '../../presenters/inbox.ts'
import type { ConversationJson } from '../../presenters/shapes.ts'
import type { PersonJson, TeamJson } from '../../presenters/people.ts'
import type { DraftJson, DraftMarkJson } from '../../presenters/together.ts'
import { ask, newKey, query, type Page } from '../api.ts'
import type { Filter } from './filter.ts'

/** As PATCH /conversations/:id takes it. */
export interface CareWish {
  readonly status?: ConversationJson['status']
  readonly snoozed_until?: string | null
  readonly assignee_id?: string | null
  readonly team_id?: string | null
  readonly priority?: ConversationJson['priority']
  readonly add_labels?: readonly string[]
  readonly remove_labels?: readonly string[]
}

export interface Count {
  readonly count: number
  readonly is_more: boolean
}

export const careApi = {
  labels: (signal?: AbortSignal) => ask<Page<LabelJson>>('GET', '/labels', undefined, { signal }),
  addLabel: (name: string, color: string) => ask<LabelJson>('POST', '/labels', { name, color }, { key: newKey() }),
  views: (signal?: AbortSignal) => ask<Page<ViewJson>>('GET', '/views', undefined, { signal }),
  addView: (wish: object) => ask<ViewJson>('POST', '/views', wish, { key: newKey() }),
  changeView: (id: string, change: object) => ask<ViewJson>('PATCH', `/views/${id}`, change),
  removeView: (id: string) => ask<unknown>('DELETE', `/views/${id}`),
  users: (signal?: AbortSignal) => ask<Page<PersonJson>>('GET', '/users', undefined, { signal }),
  teams: (signal?: AbortSignal) => ask<Page<TeamJson>>('GET', '/teams', undefined, { signal }),
  counts: (views: readonly string[], signal?: AbortSignal) =>
    ask<{ readonly counts: Readonly<Record<string, Count>> }>(
      'GET',
      `/conversations/counts${query({ views: views.join() })}`,
      undefined,
      { signal },
    ),
  bulk: (which: { readonly ids: readonly string[] } | { readonly filter: Filter }, change: CareWish) =>
    ask<BulkJson>('POST', '/conversations/bulk', { ...which, change }, { key: newKey() }),
  job: (id: string, signal?: AbortSignal) => ask<BulkJson>('GET', `/bulk-jobs/${id}`, undefined, { signal }),
  steer: (id: string, to: 'undo' | 'cancel') => ask<BulkJson>('POST', `/bulk-jobs/${id}/${to}`, {}, { key: newKey() }),
  /** Undefined: none waits. */
  take: () => ask<ConversationJson | undefined>('POST', '/conversations/take', {}, { key: newKey() }),
  availability: (is: 'available' | 'away' | 'offline') => ask<unknown>('PATCH', '/profile', { availability: is }),
  drafts: (signal?: AbortSignal) => ask<Page<DraftMarkJson>>('GET', '/drafts?limit=100', undefined, { signal }),
  draft: (id: string, signal?: AbortSignal) =>
    ask<{ readonly draft: DraftJson | null }>('GET', `/conversations/${id}/draft`, undefined, { signal }),
  putDraft: (id: string, wish: object) =>
    ask<{ readonly draft: DraftJson | null }>('PUT', `/conversations/${id}/draft`, wish),
}
