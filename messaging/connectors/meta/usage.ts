/**
 * How much of Meta's allowances is used up, as the newest answers said (`X-App-Usage`, `X-Business-Use-Case-Usage`: Graph
 * API, rate limiting). Kept in this process for each channel; a node that has not called knows nothing.
 */
import type { QuotaUse } from '../connector.ts'
import { fieldsOf, listOf, readJson, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'

const newest = new Map<string, readonly QuotaUse[]>()
const mostChannels = 10_000

/** What is known of the channel's allowances; empty when nothing was said yet. */
export function quota(channelExternalId: string): readonly QuotaUse[] {
  return newest.get(channelExternalId) ?? []
}

/** Takes note of an answer's headers. */
export function noteUsage(
  channelExternalId: string,
  headers: Readonly<Record<string, string>>,
  now = new Date(),
): void {
  const uses = readQuota(headers, now)
  if (uses.length === 0) return
  // Put at the end; the one not called for longest is forgotten.
  newest.delete(channelExternalId)
  newest.set(channelExternalId, uses)
  const [oldest] = newest.keys()
  if (newest.size > mostChannels && oldest !== undefined) newest.delete(oldest)
}

/** Every allowance that the headers name, the share used from 0 to 1 (above, when Meta says so). */
export function readQuota(headers: Readonly<Record<string, string>>, now: Date): QuotaUse[] {
  const app = fieldsOf(readJson(headers['x-app-usage'] ?? ''))
  const own: QuotaUse[] =
    Object.keys(app).length === 0 ? [] : [{ name: 'app', used: highest(app), resetsAt: undefined }]
  const business = Object.values(fieldsOf(readJson(headers['x-business-use-case-usage'] ?? '')))
  return [...own, ...business.flatMap((list) => listOf(list).map((one) => readBusiness(fieldsOf(one), now)))].slice(
    0,
    50,
  )
}

function readBusiness(use: Fields, now: Date): QuotaUse {
  const minutes = Number(use.estimated_time_to_regain_access)
  const resetsAt = minutes > 0 && minutes < 100_000 ? new Date(now.getTime() + minutes * 60_000) : undefined
  return { name: textOf(use.type)?.slice(0, 60) ?? 'business', used: highest(use), resetsAt }
}

/** The fullest of the three counters, which are percents. */
const highest = (use: Fields): number =>
  Math.max(0, ...[use.call_count, use.total_time, use.total_cputime].map(Number).filter(Number.isFinite)) / 100
