/** Canned replies. */
import { z } from 'zod'
import { changeCannedReply, createCannedReply, findCannedReplies, removeCannedReply, useCannedReply } from '../../backend/canned-replies.ts' // prettier-ignore
import type { Found } from '../../backend/canned-replies.ts'
import { forbidden, notFound } from '../../infra/errors.ts'
import { isId } from '../../infra/ids.ts'
import { presentDocument } from '../presenters/file.ts'
import { cannedShape, presentCanned } from '../presenters/rules.ts'
import { page } from '../presenters/shapes.ts'
import { emptyBody, limitField, route } from '../route.ts'
import type { Call } from '../route.ts'

const params = z.strictObject({ id: z.string() })
const fields = {
  shortcut: z
    .string()
    .trim()
    .toLowerCase()
    .min(1)
    .max(40)
    .regex(/^[^\s/\p{Cc}]*$/u, 'Expected one word without a stroke.')
    .describe('what is typed after `/`'),
  name: z.string().trim().min(1).max(100),
  text: z.string().trim().min(1).max(20_000).describe('with variables such as {{contact.first_name|there}}'),
  team_id: z.string().nullable(),
  document_ids: z.array(z.string().max(64)).max(10),
}

export const cannedReplyRoutes = [
  route({
    method: 'get',
    path: '/canned-replies',
    tag: 'canned replies',
    summary: 'Canned replies, the most used first; filled in for a conversation',
    permission: 'conversations.read',
    query: z.strictObject({
      q: z.string().max(100).optional().describe('the beginning of a shortcut, or part of name or text'),
      conversation_id: z.string().max(64).optional(),
      all: z.enum(['true']).optional().describe('also those of teams that one is not in: for whoever manages them'),
      limit: limitField,
    }),
    answer: page(cannedShape),
    async handle({ query }, call) {
      const isAll = query.all !== undefined
      if (isAll && !call.asker.permissions.has('canned.manage'))
        throw forbidden('This needs the permission canned.manage.')
      const found = await findCannedReplies(call, {
        ...{ q: query.q, conversationId: query.conversation_id, isAll, limit: query.limit },
      })
      return { items: await present(found, call), next_cursor: null }
    },
  }),
  route({
    method: 'post',
    path: '/canned-replies',
    tag: 'canned replies',
    summary: 'Keep a reply, for everybody or a team',
    permission: 'canned.manage',
    body: z.strictObject({
      ...fields,
      team_id: fields.team_id.default(null),
      document_ids: fields.document_ids.default([]),
    }),
    answer: cannedShape,
    status: 201,
    async handle({ body }, call) {
      await createCannedReply(call, call.effectId, {
        ...{ shortcut: body.shortcut, name: body.name, text: body.text },
        ...{ teamId: body.team_id, documentIds: body.document_ids },
      })
      return answerOne(call.effectId, call)
    },
  }),
  route({
    method: 'patch',
    path: '/canned-replies/:id',
    tag: 'canned replies',
    summary: 'Change a canned reply',
    permission: 'canned.manage',
    params,
    body: z.strictObject({
      ...{ shortcut: fields.shortcut.optional(), name: fields.name.optional(), text: fields.text.optional() },
      ...{ team_id: fields.team_id.optional(), document_ids: fields.document_ids.optional() },
    }),
    answer: cannedShape,
    async handle({ params, body }, call) {
      await changeCannedReply(call, params.id, {
        ...(body.shortcut !== undefined && { shortcut: body.shortcut }),
        ...(body.name !== undefined && { name: body.name }),
        ...(body.text !== undefined && { text: body.text }),
        ...(body.team_id !== undefined && { teamId: body.team_id }),
        ...(body.document_ids !== undefined && { documentIds: body.document_ids }),
      })
      return answerOne(params.id, call)
    },
  }),
  route({
    method: 'delete',
    path: '/canned-replies/:id',
    tag: 'canned replies',
    summary: 'Remove a canned reply',
    permission: 'canned.manage',
    params,
    async handle({ params }, call) {
      await removeCannedReply(call, params.id)
      return undefined
    },
  }),
  route({
    method: 'post',
    path: '/canned-replies/:id/use',
    tag: 'canned replies',
    summary: 'Count that it was used: those that are used most come first',
    permission: 'conversations.reply',
    params,
    body: emptyBody,
    async handle({ params }, call) {
      await useCannedReply(call, params.id)
      return undefined
    },
  }),
]

async function present(found: readonly Found[], { storage, asker }: Call) {
  const ids = [...new Set(found.flatMap(({ documentIds }) => documentIds))]
  const documents = await storage.documents.getMany(storage.fresh, asker.accountId, ids)
  const presented = await Promise.all(documents.map((each) => presentDocument(each, storage)))
  const byId = new Map(presented.map((each) => [each.id, each]))
  return found.map((reply) => presentCanned(reply, byId))
}

async function answerOne(id: string, call: Call) {
  const { storage, asker } = call
  const reply = isId(id) ? await storage.cannedReplies.get(storage.fresh, asker.accountId, id) : undefined
  const [presented] = reply === undefined ? [] : await present([{ ...reply, filled: null }], call)
  if (presented === undefined) throw notFound('canned reply')
  return presented
}
