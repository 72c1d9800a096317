/**
 * Reading what a network sent without ever failing: any shape may come in any place (PROTOCOLS, rule 2 and 6). What is
 * not of the expected shape is `undefined` or empty, and the caller goes on without it.
 */

export type Fields = Readonly<Record<string, unknown>>

/** JSON, or `undefined`. Halves of characters, which no database takes, become U+FFFD. */
export function readJson(body: Uint8Array | string): unknown {
  try {
    const text =
      typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
    const value: unknown = loneHalf.test(text) ? JSON.parse(text, mend) : JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** An escaped surrogate without the other: bytes in UTF-8 cannot hold one, escapes can. */
const loneHalf =
  /\\u[dD][89abAB][\da-fA-F]{2}(?!\\u[dD][c-fC-F][\da-fA-F]{2})|(?<!\\u[dD][89abAB][\da-fA-F]{2})\\u[dD][c-fC-F][\da-fA-F]{2}/

function mend(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (!isFields(value) || Object.keys(value).every((name) => name.isWellFormed())) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name.toWellFormed(), one]))
}

/** The value as an object; an empty one if it is none. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {}
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as a list; a single object counts as a list of one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : isFields(value) ? [value] : []
}

/** Text that is not empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** An id as text. A number beyond 2^53 was damaged by the JSON parser and is no id. */
export function idOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value !== '' && value.length <= 300 ? value : undefined
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined
}

/** `true`, or the string that says so (PROTOCOLS B3). */
export function flagOf(value: unknown): boolean {
  return value === true || value === 'true' || value === 1
}

const earliest = Date.UTC(2004, 0, 1)
const latest = Date.UTC(2100, 0, 1)

/** An instant from seconds, milliseconds, either as a string, ISO 8601, or `Www Mmm dd hh:mm:ss +0000 yyyy` (PROTOCOLS, rule 7). */
export function instantOf(value: unknown): Date | undefined {
  const ms =
    typeof value === 'number'
      ? toMs(value)
      : typeof value === 'string' && /^\d{1,20}(\.\d+)?$/.test(value.trim())
        ? toMs(Number(value))
        : typeof value === 'string' && value.length >= 8 && value.length < 60
          ? Date.parse(value)
          : Number.NaN
  return ms >= earliest && ms <= latest ? new Date(ms) : undefined
}

const toMs = (value: number): number => (value < 1e11 ? value * 1000 : value < 1e14 ? value : value / 1000)

/** An http(s) address, or `undefined`. */
export function urlOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= 4096 && /^https?:\/\/\S+$/i.test(value) ? value : undefined
}
