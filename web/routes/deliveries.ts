/** The fate of what was sent, over all conversations: what waits, what failed and why, and all of it once more. */
import { z } from 'zod'
import { retryMatching } from '../../messaging/fate.ts'
import { deliveryStates } from '../../storage/model/words.ts'
import { pageOf, readCursor } from '../cursor.ts'
import { presentDeliveryRows } from '../presenters/delivery.ts'
import { deliveryRowShape, page } from '../presenters/shapes.ts'
import { listFields, route } from '../route.ts'

const id = z.string().max(64).optional()
const fields = { channel_id: id, conversation_id: id, reason_code: z.string().max(100).optional() }

/** What a person is needed for. */
const needy = ['failed', 'unknown'] as const

export const deliveryRoutes = [
  route({
    method: 'get',
    path: '/deliveries',
    tag: 'messages',
    summary: 'What became of answers, the latest change first; without a state, what failed or is of unknown fate',
    permission: 'conversations.read',
    query: z.strictObject({ ...listFields, ...fields, state: z.enum(deliveryStates).optional() }),
    answer: page(deliveryRowShape),
    async handle({ query }, { storage, asker }) {
      const before = readCursor(query.cursor)
      const filter = {
        ...filterOf(query),
        states: query.state === undefined ? needy : [query.state],
        limit: query.limit + 1,
        ...(before !== undefined && { before: { updatedAt: before.at, id: before.id } }),
      }
      const rows = await storage.deliveries.list(storage.fresh, asker.accountId, filter, asker.scope)
      const { items, next_cursor } = pageOf(rows, query.limit, (row) => ({ at: row.updatedAt, id: row.id }))
      return { items: await presentDeliveryRows(storage, storage.fresh, asker.accountId, items), next_cursor }
    },
  }),
  route({
    method: 'post',
    path: '/deliveries/retry',
    tag: 'messages',
    summary: 'Send again all that matches, some thousands at once; `left` says how many more there are',
    permission: 'conversations.reply',
    body: z.strictObject({
      ...fields,
      state: z.enum(['failed', 'cancelled', 'unknown']).default('failed').describe('`unknown` may then be there twice'),
    }),
    answer: z.object({ retried: z.number().int(), left: z.number().int() }),
    handle: ({ body }, { storage, asker }) =>
      retryMatching(storage, asker.accountId, { ...filterOf(body), states: [body.state] }, asker.scope),
  }),
]

interface Fields {
  readonly channel_id?: string | undefined
  readonly conversation_id?: string | undefined
  readonly reason_code?: string | undefined
}

const filterOf = ({ channel_id: channelId, conversation_id: conversationId, reason_code: reasonCode }: Fields) => ({
  ...(channelId !== undefined && { channelId }),
  ...(conversationId !== undefined && { conversationId }),
  ...(reasonCode !== undefined && { reasonCode }),
})
