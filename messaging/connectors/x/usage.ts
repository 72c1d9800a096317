/** How much of X's limits is used up, as its answers say (`x-rate-limit-*`, `x-user-limit-24hour-*`): the newest of each endpoint. */
import type { QuotaUse } from '../connector.ts'

const mostChannels = 5_000
const mostEndpoints = 40
const byChannel = new Map<string, Map<string, QuotaUse>>()

/** What is known of a channel's quotas in this process, the fullest first; those whose window has ended count as unused. */
export function quotaOf(channelExternalId: string, now = new Date()): readonly QuotaUse[] {
  const known = [...(byChannel.get(channelExternalId)?.values() ?? [])]
  return known
    .map((quota) => (quota.resetsAt !== undefined && quota.resetsAt <= now ? { ...quota, used: 0 } : quota))
    .sort((a, b) => b.used - a.used)
}

/** Reads the headers of one answer. */
export function noteQuota(
  channelExternalId: string | undefined,
  call: { readonly method: string; readonly path: string },
  headers: Readonly<Record<string, string>>,
): void {
  if (channelExternalId === undefined || channelExternalId === '') return
  for (const [prefix, suffix] of families) {
    const limit = Number(headers[`${prefix}-limit`])
    const remaining = Number(headers[`${prefix}-remaining`])
    const reset = Number(headers[`${prefix}-reset`])
    if (!(limit > 0) || !(remaining >= 0)) continue
    const name = `${call.method} ${shapeOf(call.path)}${suffix}`
    const own = byChannel.get(channelExternalId) ?? new Map<string, QuotaUse>()
    // The newest stands last, so that what goes first is the oldest.
    own.delete(name)
    own.set(name, {
      name,
      used: Math.min(1, Math.max(0, 1 - remaining / limit)),
      resetsAt: reset > 0 && reset < 1e11 ? new Date(reset * 1000) : undefined,
      limit,
    })
    if (own.size > mostEndpoints) forgetOldest(own)
    byChannel.delete(channelExternalId)
    byChannel.set(channelExternalId, own)
    if (byChannel.size > mostChannels) forgetOldest(byChannel)
  }
}

const families = [
  ['x-rate-limit', ''],
  ['x-user-limit-24hour', ' (24 h)'],
  ['x-app-limit-24hour', ' (app, 24 h)'],
] as const

/** The endpoint without the ids in it. */
const shapeOf = (path: string): string => path.replace(/\/[\d-]{3,}(?=\/|$)/g, '/:id')

function forgetOldest(map: Map<string, unknown>): void {
  const [first] = map.keys()
  if (first !== undefined) map.delete(first)
}
