/** What is done to messages on their networks beside answering, and what people outside are shown for a moment. */
import { z } from 'zod'
import { notFound } from '../../infra/errors.ts'
import { askAct } from '../../messaging/ask-act.ts'
import { askSignal } from '../../messaging/signals.ts'
import { messageActs } from '../../storage/model/words.ts'
import type { MessageAct } from '../../storage/model/words.ts'
import { presentAct } from '../presenters/act.ts'
import { actShape, page } from '../presenters/shapes.ts'
import type { ActJson } from '../presenters/shapes.ts'
import { emptyBody, route } from '../route.ts'
import type { Call } from '../route.ts'

const params = z.strictObject({ id: z.string() })

export const actRoutes = [
  route({
    method: 'post',
    path: '/messages/:id/acts',
    tag: 'messages',
    summary: 'Hide, like, delete or react to a message on its network, or take that back',
    permission: 'conversations.reply',
    params,
    body: z.strictObject({
      what: z.enum(messageActs),
      emoji: z.string().max(64).optional().describe('with `react` only'),
    }),
    answer: actShape,
    status: 202,
    handle: ({ params: { id }, body }, call) => ask(id, body.what, body.emoji, call),
  }),
  route({
    method: 'get',
    path: '/messages/:id/acts',
    tag: 'messages',
    summary: 'What was done to a message, the oldest first',
    permission: 'conversations.read',
    params,
    answer: page(actShape),
    async handle({ params: { id } }, call) {
      await needMessage(id, call)
      const { storage, asker } = call
      const all = await storage.acts.ofMessages(storage.fresh, asker.accountId, [id])
      return { items: all.map(presentAct), next_cursor: null }
    },
  }),
  route({
    method: 'delete',
    path: '/messages/:id',
    tag: 'messages',
    summary: 'Delete a message on its network: one of ours, or a comment where the network lets us',
    permission: 'conversations.reply',
    params,
    answer: actShape,
    status: 202,
    handle: ({ params: { id } }, call) => ask(id, 'delete', undefined, call),
  }),
  ...(['typing', 'seen'] as const).map((what) =>
    route({
      method: 'post',
      path: `/conversations/:id/${what}`,
      tag: 'conversations',
      summary:
        what === 'typing'
          ? 'Show the contact that somebody is typing; at most once in five seconds'
          : 'Show the contact that their messages were seen; at most once in five seconds',
      permission: 'conversations.reply',
      params,
      body: emptyBody,
      async handle({ params: { id } }, { storage, asker, parts }) {
        const seen = await storage.conversations.get(storage.primary, asker.accountId, id, asker.scope)
        if (seen === undefined) throw notFound('conversation')
        await askSignal(storage, parts.broker, { accountId: asker.accountId, conversationId: id, what })
        return undefined
      },
    }),
  ),
]

async function ask(id: string, what: MessageAct, emoji: string | undefined, call: Call): Promise<ActJson> {
  await needMessage(id, call)
  const { storage, asker, effectId } = call
  const { accountId, userId } = asker
  return presentAct(await askAct(storage, { id: effectId, accountId, messageId: id, userId, what, emoji }))
}

async function needMessage(id: string, { storage, asker }: Call): Promise<void> {
  if ((await storage.messages.get(storage.primary, asker.accountId, id, asker.scope)) === undefined)
    throw notFound('message')
}
