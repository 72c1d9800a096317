/** Broker messages that could not be processed: kept whole, visible, replayable. */
import { z } from 'zod'
import { invalid, notFound } from '../../infra/errors.ts'
import { isId } from '../../infra/ids.ts'
import { parkedStates } from '../../storage/index.ts'
import type { ParkedRow } from '../../storage/index.ts'
import { deadLetterShape, page } from '../presenters/shapes.ts'
import type { DeadLetterJson } from '../presenters/shapes.ts'
import { emptyBody, listFields, route } from '../route.ts'

export const deadLetterRoutes = [
  route({
    method: 'get',
    path: '/dead-letters',
    tag: 'dead letters',
    summary: 'What could not be processed, the newest first',
    permission: 'received.read',
    query: z.strictObject({ ...listFields, state: z.enum(parkedStates).default('dead') }),
    answer: page(deadLetterShape),
    async handle({ query }, { storage, asker }) {
      if (query.cursor !== undefined && !isId(query.cursor))
        throw invalid([{ field: 'cursor', message: 'This is no cursor of this list.' }])
      const rows = await storage.parked.listFor(storage.primary, asker.accountId, {
        state: query.state,
        before: query.cursor,
        limit: query.limit + 1,
      })
      const items = rows.slice(0, query.limit)
      return {
        items: items.map(presentDeadLetter),
        next_cursor: (rows.length > query.limit && items.at(-1)?.id) || null,
      }
    },
  }),
  route({
    method: 'post',
    path: '/dead-letters/:id/replay',
    tag: 'dead letters',
    summary: 'Try it again, as if for the first time',
    permission: 'received.replay',
    params: z.strictObject({ id: z.string() }),
    body: emptyBody,
    answer: deadLetterShape,
    status: 202,
    async handle({ params }, { storage, asker, actor }) {
      const row = await storage.parked.get(storage.primary, params.id)
      if (row === undefined || !isOf(row, asker.accountId)) throw notFound('dead letter')
      await storage.write(async (tx) => {
        await storage.parked.revive(tx, row.id)
        await storage.audit.append(tx, {
          ...{ accountId: asker.accountId, by: actor, action: 'letter.replayed' },
          subject: { type: 'letter', id: row.id },
        })
      })
      return presentDeadLetter({ ...row, size: row.body.length, state: 'waiting', tries: 0 })
    },
  }),
]

const isOf = (row: ParkedRow, accountId: string): boolean => row.properties['account'] === accountId

const presentDeadLetter = (row: ParkedRow & { readonly size: number }): DeadLetterJson => ({
  id: row.id,
  queue: row.queue,
  message_id: row.messageId,
  state: row.state,
  tries: row.tries,
  last_error: row.lastError,
  body: row.body.toString('utf8').slice(0, 20_000),
  size: row.size,
  next_try_at: row.nextTryAt?.toISOString() ?? null,
  created_at: row.createdAt.toISOString(),
})
