/** Segments: contacts that fit a filter, by a name. And what an account keeps about its contacts. */
import { z } from 'zod'
import { changeSegment, createSegment, defineAttribute, redefineAttribute, removeSegment, undefineAttribute } from '../../backend/contacts.ts' // prettier-ignore
import { invalid, notFound } from '../../infra/errors.ts'
import { attributeTypes } from '../../storage/model/contact-filter.ts'
import { attributeKey, attributeShape, segmentFilter, segmentShape } from '../presenters/contact.ts'
import type { AttributeJson, SegmentJson } from '../presenters/contact.ts'
import { page } from '../presenters/shapes.ts'
import { route } from '../route.ts'
import type { Call } from '../route.ts'

const name = z.string().trim().min(1).max(100).regex(/^[^\p{Cc}]*$/u, 'Expected no control characters.') // prettier-ignore
const choices = z.array(z.string().trim().min(1).max(100)).min(1).max(100)
const params = z.strictObject({ id: z.string() })
const keyParams = z.strictObject({ key: z.string() })

export const segmentRoutes = [
  route({
    method: 'get',
    path: '/segments',
    tag: 'contacts',
    summary: 'All segments',
    permission: 'contacts.read',
    answer: page(segmentShape),
    handle: async (_input, call) => ({ items: await listSegments(call), next_cursor: null }),
  }),
  route({
    method: 'post',
    path: '/segments',
    tag: 'contacts',
    summary: 'Keep a filter of contacts under a name',
    permission: 'views.manage',
    body: z.strictObject({ name, filter: segmentFilter }),
    answer: segmentShape,
    status: 201,
    async handle({ body }, call) {
      await createSegment(call, { id: call.effectId, ...body })
      return answerSegment(call.effectId, call)
    },
  }),
  route({
    method: 'patch',
    path: '/segments/:id',
    tag: 'contacts',
    summary: 'Rename a segment, or say anew who is in it',
    permission: 'views.manage',
    params,
    body: z.strictObject({ name: name.optional(), filter: segmentFilter.optional() }),
    answer: segmentShape,
    async handle({ params, body }, call) {
      await changeSegment(call, params.id, body)
      return answerSegment(params.id, call)
    },
  }),
  route({
    method: 'delete',
    path: '/segments/:id',
    tag: 'contacts',
    summary: 'Forget a segment; its contacts stay',
    permission: 'views.manage',
    params,
    async handle({ params }, call) {
      await removeSegment(call, params.id)
      return undefined
    },
  }),
  route({
    method: 'get',
    path: '/contact-attributes',
    tag: 'contacts',
    summary: 'What is kept about contacts',
    permission: 'contacts.read',
    answer: page(attributeShape),
    handle: async (_input, call) => ({ items: await listAttributes(call), next_cursor: null }),
  }),
  route({
    method: 'post',
    path: '/contact-attributes',
    tag: 'contacts',
    summary: 'Define an attribute of contacts; key and type stay as they are',
    permission: 'labels.manage',
    body: z.strictObject({ key: attributeKey, name, type: z.enum(attributeTypes), choices: choices.optional() }),
    answer: attributeShape,
    status: 201,
    async handle({ body }, call) {
      if ((body.type === 'choice') !== (body.choices !== undefined))
        throw invalid([{ field: 'choices', message: 'A choice has choices, and nothing else has.' }])
      await defineAttribute(call, { ...body, choices: body.choices ?? null })
      return answerAttribute(body.key, call)
    },
  }),
  route({
    method: 'patch',
    path: '/contact-attributes/:key',
    tag: 'contacts',
    summary: 'Rename an attribute, or say what can be chosen',
    permission: 'labels.manage',
    params: keyParams,
    body: z.strictObject({ name: name.optional(), choices: choices.optional() }),
    answer: attributeShape,
    async handle({ params, body }, call) {
      await redefineAttribute(call, params.key, body)
      return answerAttribute(params.key, call)
    },
  }),
  route({
    method: 'delete',
    path: '/contact-attributes/:key',
    tag: 'contacts',
    summary: 'Forget an attribute; what contacts have under it is shown no longer',
    permission: 'labels.manage',
    params: keyParams,
    async handle({ params }, call) {
      await undefineAttribute(call, params.key)
      return undefined
    },
  }),
]

const listSegments = async ({ storage, asker }: Call): Promise<SegmentJson[]> =>
  (await storage.segments.list(storage.fresh, asker.accountId)).map((segment) => ({
    ...segment,
    filter: segmentFilter.parse(segment.filter),
  }))

async function answerSegment(id: string, call: Call): Promise<SegmentJson> {
  const segment = (await listSegments(call)).find((each) => each.id === id)
  if (segment === undefined) throw notFound('segment')
  return segment
}

const listAttributes = async ({ storage, asker }: Call): Promise<AttributeJson[]> =>
  (await storage.contactCare.definitions(storage.fresh, asker.accountId)).map((each) => ({
    ...each,
    choices: each.choices === null ? null : [...each.choices],
  }))

async function answerAttribute(key: string, call: Call): Promise<AttributeJson> {
  const found = (await listAttributes(call)).find((each) => each.key === key)
  if (found === undefined) throw notFound('attribute')
  return found
}
