/**
 * `in (…)` lists. Their lengths are rounded up to powers of two by repeating the last value, so that the number of
 * different prepared statements stays small.
 */
import type { SqlValue } from '../database.ts'

/** Placeholders and values of an `in` list; of tuples when `values` are arrays. An empty list matches nothing. */
export function inList(values: readonly SqlValue[] | readonly (readonly SqlValue[])[]): {
  sql: string
  values: SqlValue[]
} {
  const rows = values.map((value) => (isTuple(value) ? value : [value]))
  const last = rows.at(-1)
  if (last === undefined) return { sql: '(null)', values: [] }
  const length = 2 ** Math.ceil(Math.log2(rows.length))
  const padded = [...rows, ...Array.from({ length: length - rows.length }, () => last)]
  const mark = last.length === 1 ? '?' : `(${last.map(() => '?').join(', ')})`
  return { sql: `(${padded.map(() => mark).join(', ')})`, values: padded.flat() }
}

const isTuple = (value: SqlValue | readonly SqlValue[]): value is readonly SqlValue[] => Array.isArray(value)
