/** Numbered facts: as a list, and live. */
import { z } from 'zod'
import { invalid } from '../../infra/errors.ts'
import { hashSessionId } from '../../storage/index.ts'
import { heardBy } from '../live.ts'
import { presentEvent } from '../presenters/event.ts'
import { eventShape, page } from '../presenters/shapes.ts'
import { answered, limitField, route } from '../route.ts'

const number = z
  .string()
  .regex(/^\d{1,15}$/, 'Expected the number of an event.')
  .transform(Number)

export const eventRoutes = [
  route({
    method: 'get',
    path: '/events',
    tag: 'events',
    summary: 'Facts after a number that the asker may hear of, in order; ask again after `next_cursor` or the last one',
    permission: 'none',
    query: z.strictObject({
      limit: limitField,
      after: number.optional(),
      cursor: number.optional().describe('the same as `after`'),
    }),
    answer: page(eventShape),
    async handle({ query }, { storage, asker }) {
      // From the primary: a list that lags must not hide the newest number from someone who was told of it.
      const events = await storage.events.after(
        storage.primary,
        asker.accountId,
        query.after ?? query.cursor ?? 0,
        query.limit + 1,
      )
      const items = events.slice(0, query.limit)
      const last = items.at(-1)
      return {
        items: (await heardBy(storage, asker, items)).map(presentEvent),
        next_cursor: events.length > query.limit && last !== undefined ? String(last.number) : null,
      }
    },
  }),
  route({
    method: 'get',
    path: '/live',
    tag: 'events',
    summary: 'The same as server-sent events; resumes from Last-Event-ID without loss or repetition',
    permission: 'none',
    query: z.strictObject({ after: number.optional().describe('where to begin without a Last-Event-ID') }),
    contentType: 'text/event-stream',
    status: 200,
    async handle({ query }, { request, response, asker, identity, parts }) {
      const seen = request.get('last-event-id')
      const parsed = seen === undefined || seen === '' ? undefined : number.safeParse(seen)
      if (parsed?.success === false)
        throw invalid([{ field: 'Last-Event-ID', message: 'Expected the number of an event.' }])
      await parts.live.open(request, response, {
        after: parsed?.data ?? query.after,
        asker,
        pass:
          identity?.kind === 'token'
            ? { kind: 'token', id: identity.key.slice('token:'.length) }
            : { kind: 'session', hash: hashSessionId(request.sessionID).toString('hex') },
        askAgain: async () => (identity === undefined ? undefined : (await parts.auth.again(request, identity))?.asker),
      })
      return answered
    },
  }),
]
