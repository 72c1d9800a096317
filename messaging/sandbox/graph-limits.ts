/**
 * How much of its allowance a channel has used: every answer's headers say it, rising to 100 percent, then calls are refused
 * until the allowance is regained (Graph API: rate limiting). Set by `PUT /control/meta/limit`.
 */
import { fieldsOf } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import { businessAccountOf } from './graph-channel.ts'
import { graphError } from './graph-error.ts'
import type { Answer } from './http.ts'
import type { SandboxChannel } from './world.ts'

const keyOf = (channel: SandboxChannel): string => `meta.limit.${channel.external_id}`

/** `calls` are allowed, then `code` is answered for `regain_ms` of the sandbox's time. */
export interface GraphLimit {
  readonly calls: number
  readonly code: number
  readonly regain_ms: number
}

export const setLimit = (stage: Stage, channel: SandboxChannel, limit: GraphLimit | undefined): void => {
  stage.world.note(keyOf(channel), limit)
}

/** Counts one call. `refused` when the allowance is spent. */
export function meter(
  stage: Stage,
  channel: SandboxChannel,
): { readonly headers: Readonly<Record<string, string>>; readonly refused: Answer | undefined } {
  const { world, clock } = stage
  const note = fieldsOf(world.notes.get(keyOf(channel)))
  if (typeof note.calls !== 'number')
    return {
      headers: headersOf(channel, usualCode(channel), channel.type === 'whatsapp' ? 2 : 1, 0),
      refused: undefined,
    }
  const limit = note as unknown as GraphLimit & { readonly used?: number; readonly until?: number }
  const now = clock.now()
  const wasRegained = limit.until !== undefined && limit.until <= now
  const used = (wasRegained ? 0 : (limit.used ?? 0)) + 1
  const until = wasRegained ? undefined : (limit.until ?? (used > limit.calls ? now + limit.regain_ms : undefined))
  world.note(keyOf(channel), { calls: limit.calls, code: limit.code, regain_ms: limit.regain_ms, used, until })
  const minutes = until === undefined ? 0 : Math.max(1, Math.ceil((until - now) / 60_000))
  const headers = headersOf(
    channel,
    limit.code,
    Math.min(100, Math.round((used / Math.max(1, limit.calls)) * 100)),
    minutes,
  )
  const refused =
    until === undefined ? undefined : { ...graphError(limit.code, undefined, reasonOf(limit.code), 403), headers }
  return { headers, refused }
}

const usualCode = ({ type }: SandboxChannel): number => (type === 'whatsapp' ? 80_007 : 4)

const business: Readonly<Record<number, string>> = {
  80_001: 'pages',
  80_002: 'instagram',
  80_006: 'messenger',
  80_007: 'whatsapp',
}

function headersOf(channel: SandboxChannel, code: number, percent: number, minutes: number): Record<string, string> {
  const used = { call_count: percent, total_cputime: 1, total_time: 1 }
  const type = business[code]
  if (type === undefined) return { 'x-app-usage': JSON.stringify(used) }
  const id = channel.type === 'whatsapp' ? businessAccountOf(channel) : channel.external_id
  return {
    'x-business-use-case-usage': JSON.stringify({
      [id]: [{ type, ...used, estimated_time_to_regain_access: minutes }],
    }),
  }
}

const reasonOf = (code: number): string =>
  code === 4
    ? 'Application request limit reached'
    : code === 32
      ? 'Page request limit reached'
      : code === 613
        ? 'Calls to this api have exceeded the rate limit.'
        : 'There have been too many calls to this account. Wait a bit and try again.'
