/** Messages that a network has approved beforehand, for when nothing else may be said. */
import { z } from 'zod'
import { notFound } from '../../infra/errors.ts'
import { listTemplates } from '../../messaging/templates.ts'
import { page, templateShape } from '../presenters/shapes.ts'
import { route } from '../route.ts'

export const templateRoutes = [
  route({
    method: 'get',
    path: '/channels/:id/templates',
    tag: 'channels',
    summary: 'Templates of a WhatsApp number, as the network tells them; not older than five minutes',
    permission: 'conversations.reply',
    params: z.strictObject({ id: z.string() }),
    answer: page(templateShape),
    async handle({ params }, { storage, config, asker }) {
      const channels = await storage.channels.list(storage.fresh, asker.accountId, asker.scope)
      const channel = channels.find(({ id }) => id === params.id)
      if (channel === undefined) throw notFound('channel')
      return { items: await listTemplates(storage, config, channel), next_cursor: null }
    },
  }),
]
