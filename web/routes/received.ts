/** What networks sent, raw, and what became of it. */
import { z } from 'zod'
import { notFound } from '../../infra/errors.ts'
import { receivedStates } from '../../storage/model/words.ts'
import { pageOf, readCursor } from '../cursor.ts'
import { presentReceived } from '../presenters/received.ts'
import { page, receivedShape } from '../presenters/shapes.ts'
import type { ReceivedJson } from '../presenters/shapes.ts'
import { emptyBody, listFields, route } from '../route.ts'
import type { Call } from '../route.ts'

const filterId = z.string().max(64).optional()

export const receivedRoutes = [
  route({
    method: 'get',
    path: '/received',
    tag: 'received',
    summary: 'Webhook bodies as they came, the newest first',
    permission: 'administrator',
    query: z.strictObject({
      ...listFields,
      app_id: filterId,
      channel_id: filterId,
      state: z.enum(receivedStates).optional(),
    }),
    answer: page(receivedShape),
    async handle({ query }, { storage, asker }) {
      const before = readCursor(query.cursor)
      const rows = await storage.received.list(storage.fresh, asker.accountId, {
        limit: query.limit + 1,
        ...(query.app_id !== undefined && { appId: query.app_id }),
        ...(query.channel_id !== undefined && { channelId: query.channel_id }),
        ...(query.state !== undefined && { state: query.state }),
        ...(before !== undefined && { before: { receivedAt: before.at, id: before.id } }),
      })
      const { items, next_cursor } = pageOf(rows, query.limit, (row) => ({ at: row.receivedAt, id: row.id }))
      return { items: items.map(presentReceived), next_cursor }
    },
  }),
  route({
    method: 'get',
    path: '/received/:id',
    tag: 'received',
    summary: 'One webhook body',
    permission: 'administrator',
    params: z.strictObject({ id: z.string() }),
    answer: receivedShape,
    handle: ({ params }, call) => answerReceived(params.id, call),
  }),
  route({
    method: 'post',
    path: '/received/:id/replay',
    tag: 'received',
    summary: 'Process it again; what is there already stays as it is',
    permission: 'administrator',
    params: z.strictObject({ id: z.string() }),
    body: emptyBody,
    answer: receivedShape,
    status: 202,
    async handle({ params }, call) {
      const { storage, asker } = call
      const isThere = await storage.write((tx) => storage.received.replay(tx, asker.accountId, params.id))
      if (!isThere) throw notFound('received body')
      return answerReceived(params.id, call)
    },
  }),
]

async function answerReceived(id: string, { storage, asker }: Call): Promise<ReceivedJson> {
  const received = await storage.received.get(storage.fresh, asker.accountId, id)
  if (received === undefined) throw notFound('received body')
  return presentReceived(received)
}
