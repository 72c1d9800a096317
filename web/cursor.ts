/** Keyset cursors: opaque outside, an instant and an id inside. */
import { invalid } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'

export interface Place {
  readonly at: Date
  readonly id: string
  /** Where instants are ordered within something else. */
  readonly rank?: number | undefined
}

export const writeCursor = (place: Place): string =>
  Buffer.from(
    `${place.at.toISOString()} ${place.id}${place.rank === undefined ? '' : ` ${String(place.rank)}`}`,
  ).toString('base64url')

/** @throws Problem 422 that names `cursor` */
export function readCursor(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined
  const [instant = '', id = '', rank] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ')
  const at = new Date(instant)
  if (Number.isNaN(at.getTime()) || !isId(id) || (rank !== undefined && !/^[0-9]$/.test(rank)))
    throw invalid([{ field: 'cursor', message: 'This is no cursor of this list.' }])
  return { at, id, ...(rank !== undefined && { rank: Number(rank) }) }
}

/** One more row than asked for tells that there is another page. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => Place,
): { items: Row[]; next_cursor: string | null } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next_cursor: rows.length > limit && last !== undefined ? writeCursor(placeOf(last)) : null }
}
