/** Messages over all conversations, and the fate of outbound ones. */
import { z } from 'zod'
import { notFound } from '../../infra/errors.ts'
import { cancelDelivery, retryDelivery, settleDelivery } from '../../messaging/fate.ts'
import { directions, inboundKinds, outboundKinds } from '../../storage/model/words.ts'
import { pageOf, readCursor } from '../cursor.ts'
import { presentMessages } from '../presenters/message.ts'
import { messageShape, page } from '../presenters/shapes.ts'
import type { MessageJson } from '../presenters/shapes.ts'
import { emptyBody, listFields, route } from '../route.ts'
import type { Call } from '../route.ts'

const filterId = z.string().max(64).optional()

export const messageRoutes = [
  route({
    method: 'get',
    path: '/messages',
    tag: 'messages',
    summary: 'Messages, the newest first',
    permission: 'conversations.read',
    query: z.strictObject({
      ...listFields,
      channel_id: filterId,
      conversation_id: filterId,
      direction: z.enum(directions).optional(),
      kind: z.enum([...inboundKinds, ...outboundKinds]).optional(),
      external_id: z.string().max(190).optional(),
    }),
    answer: page(messageShape),
    async handle({ query }, { storage, asker }) {
      const before = readCursor(query.cursor)
      const rows = await storage.messages.list(
        storage.fresh,
        asker.accountId,
        {
          limit: query.limit + 1,
          ...(query.channel_id !== undefined && { channelId: query.channel_id }),
          ...(query.conversation_id !== undefined && { conversationId: query.conversation_id }),
          ...(query.direction !== undefined && { direction: query.direction }),
          ...(query.kind !== undefined && { kind: query.kind }),
          ...(query.external_id !== undefined && { externalId: query.external_id }),
          ...(before !== undefined && { before: { occurredAt: before.at, id: before.id } }),
        },
        asker.scope,
      )
      const { items, next_cursor } = pageOf(rows, query.limit, (row) => ({ at: row.occurredAt, id: row.id }))
      return { items: await presentMessages(storage, storage.fresh, asker.accountId, items), next_cursor }
    },
  }),
  route({
    method: 'get',
    path: '/messages/:id',
    tag: 'messages',
    summary: 'One message, with the fate of its delivery',
    permission: 'conversations.read',
    params: z.strictObject({ id: z.string() }),
    answer: messageShape,
    handle: ({ params }, call) => answerMessage(params.id, call),
  }),
  route({
    method: 'post',
    path: '/messages/:id/retry',
    tag: 'messages',
    summary: 'Send again what failed or was taken back, part by part; where nothing was, what is of unknown fate',
    permission: 'conversations.reply',
    params: z.strictObject({ id: z.string() }),
    body: emptyBody,
    answer: messageShape,
    async handle({ params }, call) {
      await needMessage(params.id, call)
      await retryDelivery(call.storage, call.asker.accountId, params.id)
      return answerMessage(params.id, call)
    },
  }),
  route({
    method: 'post',
    path: '/messages/:id/settle',
    tag: 'messages',
    summary: 'Decide what nobody could tell, after a look on the network: it arrived, or it did not',
    permission: 'conversations.reply',
    params: z.strictObject({ id: z.string() }),
    body: z.strictObject({ arrived: z.boolean() }),
    answer: messageShape,
    async handle({ params, body }, call) {
      await needMessage(params.id, call)
      await settleDelivery(call.storage, call.asker.accountId, params.id, body.arrived)
      return answerMessage(params.id, call)
    },
  }),
  route({
    method: 'post',
    path: '/messages/:id/cancel',
    tag: 'messages',
    summary: 'Take back a delivery that has not left',
    permission: 'conversations.reply',
    params: z.strictObject({ id: z.string() }),
    body: emptyBody,
    answer: messageShape,
    async handle({ params }, call) {
      await needMessage(params.id, call)
      await cancelDelivery(call.storage, call.asker.accountId, params.id)
      return answerMessage(params.id, call)
    },
  }),
]

async function needMessage(id: string, { storage, asker }: Call): Promise<void> {
  if ((await storage.messages.get(storage.primary, asker.accountId, id, asker.scope)) === undefined)
    throw notFound('message')
}

/** One message as the asker sees it now. @throws Problem 404 */
export async function answerMessage(id: string, { storage, asker }: Call): Promise<MessageJson> {
  const message = await storage.messages.get(storage.fresh, asker.accountId, id, asker.scope)
  const [presented] = await presentMessages(
    storage,
    storage.fresh,
    asker.accountId,
    message === undefined ? [] : [message],
  )
  if (presented === undefined) throw notFound('message')
  return presented
}
