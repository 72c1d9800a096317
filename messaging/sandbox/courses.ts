/** How long each network tries to deliver, and what it does to those who do not answer (PROTOCOLS A2, B2). */
import { fieldsOf, listOf } from '../connectors/reading.ts'

/** Page feed and the like; conversations; WhatsApp; X. */
export type Course = 'graph' | 'messenger' | 'whatsapp' | 'x'

const seconds = (...list: readonly number[]): readonly number[] => list.map((one) => one * 1000)
const minute = 60
const hour = 60 * minute
const many = (count: number, each: number): number[] => Array.from({ length: count }, () => each)

/** For demonstrations and tests of our own: soon again, for some twenty minutes, and nothing is switched off. */
export const quickRetryMs = seconds(1, 1, 2, 2, 4, 8, 15, 30, 60, 60, 120, 120, 300, 300)

/** Waiting times between the tries of the real networks. After the last one the event is lost. */
// prettier-ignore
export const realRetryMs: Readonly<Record<Course, readonly number[]>> = {
  // At once, then less and less often over 36 hours.
  graph: seconds(0, 15, minute, 5 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 4 * hour, ...many(4, 7 * hour)),
  // At once and a few more times; whoever fails for an hour is switched off before the end of this list.
  messenger: seconds(0, 5, 15, minute, 3 * minute, ...many(12, 5 * minute)),
  // Less and less often over seven days.
  whatsapp: seconds(1, 10, minute, 10 * minute, 30 * minute, hour, 3 * hour, 6 * hour, ...many(13, 12 * hour)),
  x: seconds(3, 30, 5 * minute),
}

export const warnAfterMs = 15 * minute * 1000
export const switchOffAfterMs = hour * 1000
/** An X webhook that could not be reached for so long is invalid; a wrong answer makes it so at once. */
export const crcPatienceMs = 28 * hour * 1000
export const crcEveryMs = hour * 1000

/** Under which rules a body is delivered. */
export function courseOf(body: unknown): Course {
  const fields = fieldsOf(body)
  if (fields.object === undefined) return 'x'
  if (fields.object === 'whatsapp_business_account') return 'whatsapp'
  const isConversation = listOf(fields.entry).some(
    (entry) => fieldsOf(entry).messaging !== undefined || fieldsOf(entry).standby !== undefined,
  )
  return isConversation ? 'messenger' : 'graph'
}
