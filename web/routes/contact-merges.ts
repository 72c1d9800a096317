/** Two contacts that are one person. */
import { z } from 'zod'
import { mergeContacts, undoMerge } from '../../backend/merge-contacts.ts'
import { notFound } from '../../infra/errors.ts'
import { mergeShape, presentMerge } from '../presenters/contact.ts'
import type { MergeJson } from '../presenters/contact.ts'
import { emptyBody, route } from '../route.ts'
import type { Call } from '../route.ts'

const params = z.strictObject({ id: z.string() })

export const contactMergeRoutes = [
  route({
    method: 'post',
    path: '/contacts/:id/merge',
    tag: 'contacts',
    summary: 'All of another contact is with this one, the survivor, afterwards; it can be undone',
    permission: 'contacts.merge',
    params,
    body: z.strictObject({ other_id: z.string().max(64) }),
    answer: mergeShape,
    status: 201,
    async handle({ params, body }, call) {
      await mergeContacts(call, call.effectId, params.id, body.other_id)
      return answerMerge(call.effectId, call)
    },
  }),
  route({
    method: 'post',
    path: '/merges/:id/undo',
    tag: 'contacts',
    summary: 'What went over goes back',
    permission: 'contacts.merge',
    params,
    body: emptyBody,
    answer: mergeShape,
    async handle({ params }, call) {
      await undoMerge(call, params.id)
      return answerMerge(params.id, call)
    },
  }),
]

async function answerMerge(id: string, { storage, asker }: Call): Promise<MergeJson> {
  const merge = await storage.contactMerges.get(storage.fresh, asker.accountId, id)
  if (merge === undefined) throw notFound('merge')
  return presentMerge(merge)
}
