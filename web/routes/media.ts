/** Files for the networks: by a link that only we can make, for an hour, without anybody signed in. */
import { z } from 'zod'
import { notFound } from '../../infra/errors.ts'
import { readMediaLink } from '../../messaging/files.ts'
import { answerDocument } from '../answer-file.ts'
import { route } from '../route.ts'

export const mediaRoutes = [
  route({
    method: 'get',
    path: '/media/:token',
    tag: 'documents',
    summary: 'A file that is being sent, for the network that fetches it: good for an hour',
    permission: 'public',
    params: z.strictObject({ token: z.string().max(300) }),
    contentType: 'application/octet-stream',
    status: 200,
    async handle({ params }, call) {
      const { storage } = call
      const named = readMediaLink(storage, params.token)
      const document = named && (await storage.documents.get(storage.primary, named.accountId, named.documentId))
      if (document === undefined) throw notFound('file')
      return answerDocument(document, undefined, document.name, call)
    },
  }),
]
