/** Structured extras of a message, cut to what is worth keeping: senders decide their size and depth, not we. */
import type { Fields } from '../reading.ts'

const deepest = 6
const mostEntries = 50
const longestText = 4_000

/** The beginning of a text; a character cut in half becomes U+FFFD, since no JSON column takes half of one. */
export const cut = (text: string, most: number): string => text.slice(0, most).toWellFormed()

/** A copy at most six levels deep, with at most fifty entries on each; what is beyond is left out. */
export function trimmed(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cut(value, longestText)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= deepest) return undefined
  if (Array.isArray(value)) return value.slice(0, mostEntries).map((one: unknown) => trimmed(one, depth + 1) ?? null)
  const entries = Object.entries(value).slice(0, mostEntries)
  return Object.fromEntries(entries.map(([name, one]: [string, unknown]) => [cut(name, 100), trimmed(one, depth + 1)]))
}

/** `extra` of a message: those given, trimmed; nothing at all when there are none. */
export function extraOf(given: Fields): { readonly extra?: Fields } {
  const kept = Object.entries(given).filter(([, value]) => value !== undefined && value !== null)
  if (kept.length === 0) return {}
  return { extra: Object.fromEntries(kept.map(([name, value]) => [name, trimmed(value)])) }
}
