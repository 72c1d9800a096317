/** What the API does with answers beyond saying them. */
import type { ActJson, MessageJson, TemplateJson } from '../../presenters/shapes.ts'
import { ask, newKey, type Page } from '../api.ts'

export type What = ActJson['what']

export interface PlanChange {
  readonly text?: string
  readonly send_at?: string
  readonly cancel_if_answered?: boolean
}

const change = (path: string, body: unknown = {}): Promise<MessageJson> =>
  ask<MessageJson>('POST', path, body, { key: newKey() })

export const answering = {
  cancel: (id: string) => change(`/messages/${id}/cancel`),
  settle: (id: string, arrived: boolean) => change(`/messages/${id}/settle`, { arrived }),
  sendNow: (id: string) => change(`/messages/${id}/send`),
  changePlan: (id: string, body: PlanChange) => ask<MessageJson>('PATCH', `/messages/${id}`, body),
  act: (id: string, what: What, emoji?: string) =>
    ask<ActJson>('POST', `/messages/${id}/acts`, { what, ...(emoji && { emoji }) }, { key: newKey() }),
  signal: (conversationId: string, what: 'typing' | 'seen') =>
    ask<unknown>('POST', `/conversations/${conversationId}/${what}`, {}),
  templates: (channelId: string, signal?: AbortSignal) =>
    ask<Page<TemplateJson>>('GET', `/channels/${channelId}/templates`, undefined, { signal }),
}
