/** Views: filters that somebody keeps; and the mentions of whoever asks. */
import { z } from 'zod'
import { changeView, createView, removeView } from '../../backend/views.ts'
import { notFound } from '../../infra/errors.ts'
import { isId } from '../../infra/ids.ts'
import { filterShape } from '../conversation-filter.ts'
import { pageOf, readCursor } from '../cursor.ts'
import { mentionShape, presentMention, presentView, viewShape } from '../presenters/inbox.ts'
import type { ViewJson } from '../presenters/inbox.ts'
import { page } from '../presenters/shapes.ts'
import { listFields, route } from '../route.ts'
import type { Call } from '../route.ts'

const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}]*$/u, 'Expected no control characters.')
const fields = {
  name,
  filter: filterShape.describe('as GET /conversations takes it'),
  team_ids: z.array(z.string().max(64)).min(1).max(50).nullable().describe('shares it with these teams'),
  is_for_all: z.boolean(),
  position: z.int().min(-10_000).max(10_000),
}
const params = z.strictObject({ id: z.string() })

export const viewRoutes = [
  route({
    method: 'get',
    path: '/views',
    tag: 'views',
    summary: "One's own views, and those that are shared",
    permission: 'conversations.read',
    answer: page(viewShape),
    async handle(_input, { storage, asker }) {
      const views = await storage.views.list(storage.fresh, asker.accountId, asker.userId)
      return { items: views.map((view) => presentView(view, asker.userId)), next_cursor: null }
    },
  }),
  route({
    method: 'post',
    path: '/views',
    tag: 'views',
    summary: 'Keep a filter; to share it needs views.manage',
    permission: 'conversations.read',
    body: z.strictObject({
      name,
      filter: fields.filter,
      team_ids: fields.team_ids.default(null),
      is_for_all: fields.is_for_all.default(false),
      position: fields.position.default(0),
    }),
    answer: viewShape,
    status: 201,
    async handle({ body }, call) {
      const { name, filter, position } = body
      await createView(call, call.effectId, {
        ...{ name, filter: compact(filter), position, teamIds: body.team_ids, isForAll: body.is_for_all },
      })
      return answerView(call.effectId, call)
    },
  }),
  route({
    method: 'patch',
    path: '/views/:id',
    tag: 'views',
    summary: 'Change a view, or with whom it is shared',
    permission: 'conversations.read',
    params,
    body: z.strictObject({
      name: name.optional(),
      filter: fields.filter.optional(),
      team_ids: fields.team_ids.optional(),
      is_for_all: fields.is_for_all.optional(),
      position: fields.position.optional(),
    }),
    answer: viewShape,
    async handle({ params, body }, call) {
      await changeView(call, params.id, {
        ...(body.name !== undefined && { name: body.name }),
        ...(body.filter !== undefined && { filter: compact(body.filter) }),
        ...(body.team_ids !== undefined && { teamIds: body.team_ids }),
        ...(body.is_for_all !== undefined && { isForAll: body.is_for_all }),
        ...(body.position !== undefined && { position: body.position }),
      })
      return answerView(params.id, call)
    },
  }),
  route({
    method: 'delete',
    path: '/views/:id',
    tag: 'views',
    summary: 'Remove a view',
    permission: 'conversations.read',
    params,
    async handle({ params }, call) {
      await removeView(call, params.id)
      return undefined
    },
  }),
  route({
    method: 'get',
    path: '/mentions',
    tag: 'mentions',
    summary: 'Notes in which one was named, the newest first',
    permission: 'conversations.read',
    query: z.strictObject({ ...listFields, unseen: z.enum(['true', 'false']).optional() }),
    answer: page(mentionShape),
    async handle({ query }, { storage, asker }) {
      const { accountId, userId, scope } = asker
      const filter = { isUnseen: query.unseen === 'true', before: readCursor(query.cursor), limit: query.limit + 1 }
      const rows = await storage.mentions.list(storage.fresh, accountId, userId, filter, scope)
      const { items, next_cursor } = pageOf(rows, query.limit, ({ at, messageId: id }) => ({ at, id }))
      return { items: items.map(presentMention), next_cursor }
    },
  }),
  route({
    method: 'post',
    path: '/mentions/seen',
    tag: 'mentions',
    summary: 'One has seen where one was named: in one conversation, or everywhere',
    permission: 'conversations.read',
    body: z.strictObject({ conversation_id: z.string().max(64).optional() }).optional(),
    answer: z.object({ count: z.int().describe('how many were not seen before') }),
    async handle({ body }, { storage, asker }) {
      const id = body?.conversation_id
      if (id !== undefined && !isId(id)) return { count: 0 }
      return { count: await storage.write((tx) => storage.mentions.see(tx, asker.accountId, asker.userId, id)) }
    },
  }),
]

/** Without what is not given. */
const compact = (filter: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))

async function answerView(id: string, { storage, asker }: Call): Promise<ViewJson> {
  const [view] = await storage.views.list(storage.fresh, asker.accountId, asker.userId, [id])
  if (view === undefined) throw notFound('view')
  return presentView(view, asker.userId)
}
