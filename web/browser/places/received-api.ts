/** The calls of the received log. */
import type { DeadLetterJson, ReceivedEntryJson, ReceivedJson, ReplayJson } from '../../presenters/shapes.ts'
import { ask, query, type Page } from '../api.ts'

/** As the address of the screen carries them, and as the API takes them but for `since`. */
export type ReceivedFilter = Partial<Record<'state' | 'app_id' | 'channel_id' | 'q' | 'since', string>>

/** Lengths of time that the screen offers, in hours. */
export const spans = { hour: 1, day: 24, week: 168 } as const

function asked({ since, ...filter }: ReceivedFilter): Record<string, string | undefined> {
  const hours = Object.entries(spans).find(([name]) => name === since)?.[1]
  return { ...filter, from: hours && new Date(Date.now() - hours * 3_600_000).toISOString() }
}

export const receivedApi = {
  list: (filter: ReceivedFilter, cursor: string | null, signal?: AbortSignal) =>
    ask<Page<ReceivedEntryJson>>(
      'GET',
      `/received${query({ ...asked(filter), cursor, limit: '50', body: 'no' })}`,
      undefined,
      { signal },
    ),
  one: (id: string, signal?: AbortSignal) => ask<ReceivedJson>('GET', `/received/${id}`, undefined, { signal }),
  replay: (id: string, key: string) => ask<unknown>('POST', `/received/${id}/replay`, {}, { key }),
  replayMany: (filter: ReceivedFilter, key: string) =>
    ask<ReplayJson>('POST', '/received/replay', { filter: asked(filter) }, { key }),
  deadLetters: (cursor: string | null, signal?: AbortSignal) =>
    ask<Page<DeadLetterJson>>('GET', `/dead-letters${query({ cursor, limit: '50' })}`, undefined, { signal }),
  replayDeadLetter: (id: string, key: string) => ask<unknown>('POST', `/dead-letters/${id}/replay`, {}, { key }),
}
