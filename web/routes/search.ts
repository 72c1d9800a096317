/** The search over everything that was said, and everybody who said it. */
import { z } from 'zod'
import { findAnything } from '../../backend/search.ts'
import { invalid } from '../../infra/errors.ts'
import { presentFound, searchShape } from '../presenters/search.ts'
import { listFields, route } from '../route.ts'

const mostPages = 1_000

export const searchRoutes = [
  route({
    method: 'get',
    path: '/search',
    tag: 'search',
    summary:
      'People, and conversations by what was said; words, "phrases", -without, from: channel: label: assignee: has: is: before: after: in:; never fails by what is asked, but says in `notes` what it made of it',
    permission: 'conversations.read',
    query: z.strictObject({ ...listFields, q: z.string().max(2_000) }),
    answer: searchShape,
    async handle({ query }, { storage, asker }) {
      const { at, skip } = readPlace(query.cursor)
      const found = await findAnything(
        storage,
        { ...asker, mayReadContacts: asker.permissions.has('contacts.read') },
        query.q,
        { at, skip, limit: query.limit },
      )
      return {
        items: await presentFound(storage, storage.fresh, asker, found),
        notes: [...found.notes],
        next_cursor: found.hasMore ? writePlace(at, skip + query.limit) : null,
      }
    },
  }),
]

/** Pages are of the search as it was when the first one was asked for. */
const writePlace = (at: Date, skip: number): string =>
  Buffer.from(`${String(at.getTime())} ${String(skip)}`).toString('base64url')

/** @throws Problem 422 that names `cursor` */
function readPlace(cursor: string | undefined): { at: Date; skip: number } {
  // A network's clock may be ahead of ours.
  if (cursor === undefined) return { at: new Date(Date.now() + 600_000), skip: 0 }
  const [, at, skip] = /^(\d{12,15}) (\d{1,4})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? []
  const instant = new Date(Number(at))
  if (at === undefined || Number(skip) > mostPages || Number.isNaN(instant.getTime()))
    throw invalid([{ field: 'cursor', message: 'This is no cursor of this list.' }])
  return { at: instant, skip: Number(skip) }
}
