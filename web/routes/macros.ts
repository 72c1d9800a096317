/** Macros. */
import { z } from 'zod'
import { actsShape } from '../../backend/conversation-acts.ts'
import { changeMacro, createMacro, listMacros, previewMacro, removeMacro, runMacro } from '../../backend/macros.ts'
import { notFound } from '../../infra/errors.ts'
import { isId } from '../../infra/ids.ts'
import { macroScopes } from '../../storage/index.ts'
import { macroRunShape, macroShape, presentMacro } from '../presenters/rules.ts'
import { page } from '../presenters/shapes.ts'
import { emptyBody, route } from '../route.ts'
import type { Call } from '../route.ts'

const params = z.strictObject({ id: z.string() })
const both = z.strictObject({ id: z.string(), macro_id: z.string() })
const fields = {
  name: z.string().trim().min(1).max(100),
  scope: z.enum(macroScopes).describe('everybody’s, a team’s, or one’s own'),
  team_id: z.string().nullable(),
  acts: actsShape,
  position: z.int().min(0).max(10_000),
}

export const macroRoutes = [
  route({
    method: 'get',
    path: '/macros',
    tag: 'macros',
    summary: 'The macros that one can run',
    permission: 'conversations.read',
    answer: page(macroShape),
    handle: async (_input, call) => ({ items: (await listMacros(call)).map(presentMacro), next_cursor: null }),
  }),
  route({
    method: 'post',
    path: '/macros',
    tag: 'macros',
    summary: 'Make a macro; one that is not one’s own needs canned.manage',
    permission: 'conversations.change',
    body: z.strictObject({ ...fields, team_id: fields.team_id.default(null), position: fields.position.default(0) }),
    answer: macroShape,
    status: 201,
    async handle({ body: { team_id: teamId, ...body } }, call) {
      await createMacro(call, call.effectId, { ...body, teamId })
      return answerOne(call.effectId, call)
    },
  }),
  route({
    method: 'patch',
    path: '/macros/:id',
    tag: 'macros',
    summary: 'Change a macro',
    permission: 'conversations.change',
    params,
    body: z.strictObject({
      ...{ name: fields.name.optional(), scope: fields.scope.optional(), team_id: fields.team_id.optional() },
      ...{ acts: fields.acts.optional(), position: fields.position.optional() },
    }),
    answer: macroShape,
    async handle({ params, body }, call) {
      await changeMacro(call, params.id, {
        ...(body.name !== undefined && { name: body.name }),
        ...(body.scope !== undefined && { scope: body.scope }),
        ...(body.team_id !== undefined && { teamId: body.team_id }),
        ...(body.acts !== undefined && { acts: body.acts }),
        ...(body.position !== undefined && { position: body.position }),
      })
      return answerOne(params.id, call)
    },
  }),
  route({
    method: 'delete',
    path: '/macros/:id',
    tag: 'macros',
    summary: 'Remove a macro',
    permission: 'conversations.change',
    params,
    async handle({ params }, call) {
      await removeMacro(call, params.id)
      return undefined
    },
  }),
  route({
    method: 'get',
    path: '/macros/:id/preview',
    tag: 'macros',
    summary: 'What a macro would do to a conversation, with its texts filled in',
    permission: 'conversations.read',
    params,
    query: z.strictObject({ conversation_id: z.string().max(64) }),
    answer: z.object({ acts: z.array(z.record(z.string(), z.unknown())) }),
    async handle({ params, query }, call) {
      return { acts: (await previewMacro(call, query.conversation_id, params.id)).map((act) => ({ ...act })) }
    },
  }),
  route({
    method: 'post',
    path: '/conversations/:id/macros/:macro_id',
    tag: 'macros',
    summary: 'Run a macro: all of it, or nothing',
    permission: 'conversations.read',
    params: both,
    body: emptyBody,
    answer: macroRunShape,
    async handle({ params }, call) {
      const { changed, said } = await runMacro(call, params.id, params.macro_id)
      return { changed: [...changed], said: [...said] }
    },
  }),
]

async function answerOne(id: string, { storage, asker }: Call) {
  const macro = isId(id) ? await storage.macros.get(storage.fresh, asker.accountId, id) : undefined
  if (macro === undefined) throw notFound('macro')
  return presentMacro(macro)
}
