/** The calls of the channels' screens. */
import type {
  AppJson,
  ChannelJson,
  ConnectableJson,
  DisconnectedJson,
  ExaminationJson,
} from '../../presenters/shapes.ts'
import { ask, type Page } from '../api.ts'

export type ChannelType = ChannelJson['type']

export const channelsApi = {
  one: (id: string, signal?: AbortSignal) => ask<ChannelJson>('GET', `/channels/${id}`, undefined, { signal }),
  rename: (id: string, name: string) => ask<ChannelJson>('PATCH', `/channels/${id}`, { name }),
  setCredentials: (id: string, credentials: Readonly<Record<string, string>>) =>
    ask<ChannelJson>('PATCH', `/channels/${id}`, { credentials }),
  examine: (id: string, key: string) =>
    ask<ExaminationJson>('POST', `/channels/${id}/examine`, {}, { key, limitMs: 60_000 }),
  catchUp: (id: string, key: string) => ask<ChannelJson>('POST', `/channels/${id}/catch-up`, {}, { key }),
  disconnect: (id: string) => ask<DisconnectedJson>('DELETE', `/channels/${id}`),
  app: (id: string, signal?: AbortSignal) => ask<AppJson>('GET', `/apps/${id}`, undefined, { signal }),
  changeApp: (id: string, change: Readonly<Record<string, unknown>>) => ask<AppJson>('PATCH', `/apps/${id}`, change),
  beginConnect: (appId: string, type: ChannelType, key: string) =>
    ask<{ authorize_url: string }>('POST', '/connect', { app_id: appId, type }, { key }),
  connectables: (attemptId: string, signal?: AbortSignal) =>
    ask<Page<ConnectableJson>>('GET', `/connect/${attemptId}`, undefined, {
      signal,
    }),
  connectChosen: (attemptId: string, externalIds: readonly string[], key: string) =>
    ask<Page<ChannelJson>>('POST', `/connect/${attemptId}`, { external_ids: externalIds }, { key }),
}
