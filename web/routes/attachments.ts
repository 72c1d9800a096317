/** Files of messages: their bytes, and asking for them again. */
import { z } from 'zod'
import { notFound } from '../../infra/errors.ts'
import { refetchAttachment } from '../../messaging/media.ts'
import { answerDocument } from '../answer-file.ts'
import { presentAttachment } from '../presenters/file.ts'
import { attachmentShape } from '../presenters/shapes.ts'
import { emptyBody, route } from '../route.ts'
import { variantQuery } from './documents.ts'

export const attachmentRoutes = [
  route({
    method: 'get',
    path: '/attachments/:id/content',
    tag: 'messages',
    summary: 'The file of a message, or a smaller copy of a picture; one range is honoured',
    permission: 'conversations.read',
    params: z.strictObject({ id: z.string() }),
    query: variantQuery,
    contentType: 'application/octet-stream',
    status: 200,
    async handle({ params, query }, call) {
      const { storage, asker } = call
      const attachment = await storage.attachments.get(storage.fresh, asker.accountId, params.id)
      if (attachment?.documentId == null) throw notFound('file')
      const [message, document] = await Promise.all([
        storage.messages.get(storage.fresh, asker.accountId, attachment.messageId, asker.scope),
        storage.documents.get(storage.fresh, asker.accountId, attachment.documentId),
      ])
      // What was taken back is shown to nobody.
      if (document === undefined || message === undefined || message.deletedAt !== null) throw notFound('file')
      return answerDocument(document, query.variant, attachment.title ?? document.name, call)
    },
  }),
  route({
    method: 'post',
    path: '/attachments/:id/fetch',
    tag: 'messages',
    summary: 'Fetch a file again that was unavailable; its state then says pending',
    permission: 'conversations.reply',
    params: z.strictObject({ id: z.string() }),
    body: emptyBody,
    answer: attachmentShape,
    status: 202,
    async handle({ params }, { storage, asker }) {
      const wanted = await storage.attachments.get(storage.fresh, asker.accountId, params.id)
      const message =
        wanted && (await storage.messages.get(storage.fresh, asker.accountId, wanted.messageId, asker.scope))
      if (message === undefined) throw notFound('attachment')
      const attachment = await refetchAttachment(storage, asker.accountId, params.id)
      const documentIds = attachment.documentId === null ? [] : [attachment.documentId]
      return presentAttachment(
        attachment,
        await storage.documents.variantsOf(storage.fresh, asker.accountId, documentIds),
      )
    },
  }),
]
