/** Labels. */
import { z } from 'zod'
import { changeLabel, createLabel, removeLabel } from '../../backend/labels.ts'
import { isId } from '../../infra/ids.ts'
import { notFound } from '../../infra/errors.ts'
import { labelShape, presentLabel } from '../presenters/inbox.ts'
import type { LabelJson } from '../presenters/inbox.ts'
import { page } from '../presenters/shapes.ts'
import { route } from '../route.ts'
import type { Call } from '../route.ts'

const name = z
  .string()
  .trim()
  .min(1)
  .max(60)
  .regex(/^[^\p{Cc},]*$/u, 'Expected no commas and no control characters.')
const color = z
  .string()
  .regex(/^#[0-9a-f]{6}$/i, 'Expected a colour such as #1f6feb.')
  .transform((text) => text.toLowerCase())
const params = z.strictObject({ id: z.string() })

export const labelRoutes = [
  route({
    method: 'get',
    path: '/labels',
    tag: 'labels',
    summary: 'All labels by name',
    permission: 'conversations.read',
    answer: page(labelShape),
    async handle(_input, { storage, asker }) {
      const labels = await storage.labels.list(storage.fresh, asker.accountId)
      return { items: labels.map(presentLabel), next_cursor: null }
    },
  }),
  route({
    method: 'post',
    path: '/labels',
    tag: 'labels',
    summary: 'Make a label; an account has at most 500',
    permission: 'labels.manage',
    body: z.strictObject({ name, color: color.default('#6b7280') }),
    answer: labelShape,
    status: 201,
    async handle({ body }, call) {
      await createLabel(call, call.effectId, body)
      return answerLabel(call.effectId, call)
    },
  }),
  route({
    method: 'patch',
    path: '/labels/:id',
    tag: 'labels',
    summary: 'Rename a label, or give it another colour',
    permission: 'labels.manage',
    params,
    body: z.strictObject({ name: name.optional(), color: color.optional() }),
    answer: labelShape,
    async handle({ params, body }, call) {
      await changeLabel(call, params.id, {
        ...(body.name !== undefined && { name: body.name }),
        ...(body.color !== undefined && { color: body.color }),
      })
      return answerLabel(params.id, call)
    },
  }),
  route({
    method: 'delete',
    path: '/labels/:id',
    tag: 'labels',
    summary: 'Remove a label from everything that carries it',
    permission: 'labels.manage',
    params,
    async handle({ params }, call) {
      await removeLabel(call, params.id)
      return undefined
    },
  }),
]

async function answerLabel(id: string, { storage, asker }: Call): Promise<LabelJson> {
  const [label] = isId(id) ? await storage.labels.find(storage.fresh, asker.accountId, [id], []) : []
  if (label === undefined) throw notFound('label')
  return presentLabel(label)
}
