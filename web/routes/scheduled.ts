/** Answers that wait for their time: said in other words or at another time, or sent at once. `cancel` takes them back. */
import { z } from 'zod'
import { notFound } from '../../infra/errors.ts'
import { changePlan, sendNow } from '../../messaging/send-later.ts'
import { messageShape } from '../presenters/shapes.ts'
import { emptyBody, route } from '../route.ts'
import type { Call } from '../route.ts'
import { answerMessage } from './messages.ts'

export const scheduledRoutes = [
  route({
    method: 'patch',
    path: '/messages/:id',
    tag: 'messages',
    summary: 'Change an answer that waits for its time',
    permission: 'conversations.reply',
    params: z.strictObject({ id: z.string() }),
    body: z.strictObject({
      text: z.string().max(100_000).optional(),
      send_at: z.iso.datetime({ offset: true }).optional(),
      cancel_if_answered: z.boolean().optional(),
    }),
    answer: messageShape,
    async handle({ params, body }, call) {
      await needMessage(params.id, call)
      const change = {
        text: body.text,
        at: body.send_at === undefined ? undefined : new Date(body.send_at),
        endsIfAnswered: body.cancel_if_answered,
      }
      await changePlan(call.storage, call.asker.accountId, params.id, change, call.asker.userId)
      return answerMessage(params.id, call)
    },
  }),
  route({
    method: 'post',
    path: '/messages/:id/send',
    tag: 'messages',
    summary: 'Send an answer at once that waits for its time',
    permission: 'conversations.reply',
    params: z.strictObject({ id: z.string() }),
    body: emptyBody,
    answer: messageShape,
    async handle({ params }, call) {
      await needMessage(params.id, call)
      await sendNow(call.storage, call.asker.accountId, params.id, call.asker.userId)
      return answerMessage(params.id, call)
    },
  }),
]

async function needMessage(id: string, { storage, asker }: Call): Promise<void> {
  if ((await storage.messages.get(storage.primary, asker.accountId, id, asker.scope)) === undefined)
    throw notFound('message')
}
