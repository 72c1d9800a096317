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

/**
 * A condition for rows named by several columns: `(a = ? and b in (…)) or …`, one part for each beginning. Far cheaper for the
 * server than one list of tuples, as most lists share their beginning (an account and a channel).
 */
export function anyOf(
  columns: readonly string[],
  tuples: readonly (readonly SqlValue[])[],
): { sql: string; values: SqlValue[] } {
  const names = columns.slice(0, -1)
  const groups = Map.groupBy(tuples, (tuple) => JSON.stringify(tuple.slice(0, -1)))
  const values: SqlValue[] = []
  const parts = [...groups.values()].map((group) => {
    const list = inList(group.flatMap((tuple) => tuple.at(-1) ?? null))
    values.push(...(group[0]?.slice(0, -1) ?? []), ...list.values)
    return `(${names.map((name) => `${name} = ? and `).join('')}${columns.at(-1) ?? ''} in ${list.sql})`
  })
  return { sql: parts.length === 0 ? '(false)' : `(${parts.join(' or ')})`, values }
}

const isTuple = (value: SqlValue | readonly SqlValue[]): value is readonly SqlValue[] => Array.isArray(value)
