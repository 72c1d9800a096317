/** The calls of the calendar and of its editor, and what is remembered of them. */
import type { ChannelCheckJson, PlannedPostJson, PostSettingsJson, PostStepJson } from '../../presenters/post-shapes.ts'
import { ask, newKey, Problem, query, type Page } from '../api.ts'
import { keys } from '../queries.ts'

type Fields = Readonly<Record<string, unknown>>
const all = keys.plannedPosts

export interface PostFilter {
  readonly channel_id?: string | undefined
  readonly state?: string | undefined
}

/** More than this in one month is shown in part, and said to be. */
const mostPages = 5
const pageSize = '100'

/** What is asked for: each a query of the library, below one key. */
export const postQueries = {
  all,
  /** Every post with a time from `from` until before `to`, both instants. */
  range: (from: string, to: string, filter: PostFilter) => ({
    queryKey: [...all, 'range', from, to, filter],
    queryFn: async ({ signal }: { signal: AbortSignal }) => {
      const items: PlannedPostJson[] = []
      let cursor: string | null = null
      for (let count = 0; count < mostPages; count++) {
        const page: Page<PlannedPostJson> = await ask(
          'GET',
          `/posts${query({ ...filter, from, to, cursor, limit: pageSize })}`,
          undefined,
          { signal },
        )
        items.push(...page.items)
        cursor = page.next_cursor
        if (cursor === null) break
      }
      return { items, isPart: cursor !== null }
    },
  }),
  /** What has no time yet: ideas and drafts, and what waits for or has an approval. */
  ideas: (channelId: string | undefined) => ({
    queryKey: [...all, 'ideas', channelId ?? ''],
    queryFn: async ({ signal }: { signal: AbortSignal }) => {
      const pages = await Promise.all(
        ['draft', 'in_review', 'approved'].map((state) =>
          ask<Page<PlannedPostJson>>(
            'GET',
            `/posts${query({ state, channel_id: channelId, limit: pageSize })}`,
            undefined,
            { signal },
          ),
        ),
      )
      return pages.flatMap(({ items }) => items).filter(({ publish_at }) => publish_at === null)
    },
  }),
  one: (id: string) => ({
    queryKey: [...all, 'one', id],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      ask<PlannedPostJson>('GET', `/posts/${id}`, undefined, { signal }),
    // How many comments there are no fact of the post tells.
    refetchInterval: 20_000,
  }),
  history: (id: string) => ({
    queryKey: [...all, 'history', id],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      ask<{ items: PostStepJson[] }>('GET', `/posts/${id}/history`, undefined, { signal }),
  }),
  settings: {
    queryKey: [...all, 'settings'],
    queryFn: () => ask<PostSettingsJson>('GET', '/posts/settings'),
  },
  check: (content: Fields) => ({
    queryKey: ['post-check', content],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      ask<{ channels: ChannelCheckJson[] }>('POST', '/posts/check', content, { signal }),
    staleTime: 60_000,
    gcTime: 60_000,
  }),
}

export type PostVerb = 'submit' | 'approve' | 'reject' | 'schedule' | 'publish' | 'cancel'

export const postApi = {
  one: (id: string) => ask<PlannedPostJson>('GET', `/posts/${id}`),
  create: (wish: Fields, key: string) => ask<PlannedPostJson>('POST', '/posts', wish, { key }),
  change: (id: string, change: Fields) => ask<PlannedPostJson>('PATCH', `/posts/${id}`, change),
  remove: (id: string) => ask<unknown>('DELETE', `/posts/${id}`),
  step: (id: string, verb: PostVerb, wish: Fields = {}) =>
    ask<PlannedPostJson>('POST', `/posts/${id}/${verb}`, wish, { key: newKey() }),
  retry: (publicationId: string) =>
    ask<PlannedPostJson>('POST', `/publications/${publicationId}/retry`, {}, { key: newKey() }),
  settle: (publicationId: string, arrived: boolean) =>
    ask<PlannedPostJson>('POST', `/publications/${publicationId}/settle`, { arrived }, { key: newKey() }),
  changeSettings: (change: Partial<PostSettingsJson>) => ask<PostSettingsJson>('PATCH', '/posts/settings', change),
}

/** A post goes to another time: the approval stays. @throws Problem; 409 `not_possible` where it does not move at all */
export function movePost(post: PlannedPostJson, at: string): Promise<PlannedPostJson> {
  if (post.may.includes('schedule') && post.state !== 'draft')
    return postApi.step(post.id, 'schedule', { publish_at: at })
  if (post.may.includes('edit')) return postApi.change(post.id, { publish_at: at, version: post.version })
  return Promise.reject(new Problem(409, 'not_possible', 'This post cannot be moved.'))
}

export const mayMove = ({ may, state }: PlannedPostJson): boolean =>
  state !== 'cancelled' && state !== 'failed' && (may.includes('schedule') || may.includes('edit'))

export interface Uploaded {
  readonly id: string
  readonly content_type: string
  readonly size: number
  readonly variants: PlannedPostJson['files'][number]['variants']
}

/** Sends a file. Only this way tells how far it is. @param told 0 to 1 @throws Problem */
export function upload(file: File, csrfToken: string | null, told: (part: number) => void): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const fail = (code: string, message: string): void => reject(new Problem(request.status, code, message))
    request.open('POST', `/api/v1/documents${query({ name: file.name.slice(0, 255) })}`)
    request.responseType = 'json'
    request.setRequestHeader('accept', 'application/json')
    request.setRequestHeader('content-type', file.type || 'application/octet-stream')
    request.setRequestHeader('idempotency-key', newKey())
    if (csrfToken) request.setRequestHeader('x-csrf-token', csrfToken)
    request.upload.onprogress = ({ loaded, total }) => told(total > 0 ? loaded / total : 0)
    request.onload = () => {
      const answer: unknown = request.response
      if (request.status === 201) resolve(answer as Uploaded)
      else {
        const detail: unknown =
          typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'detail') : undefined
        fail(`http_${request.status}`, typeof detail === 'string' ? detail : `The server answered ${request.status}.`)
      }
    }
    request.onerror = () => fail('no_answer', 'No answer came from the server.')
    request.send(file)
  })
}
