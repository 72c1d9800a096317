/** Rules, what they did, and what they would do; business hours. */
import { z } from 'zod'
import { setBusinessHours } from '../../backend/business-hours.ts'
import { arrangeRules, changeRule, createRule, removeRule } from '../../backend/rules.ts'
import type { RuleWish } from '../../backend/rules.ts'
import { mostTried, tryRule } from '../../backend/try-rule.ts'
import { notFound } from '../../infra/errors.ts'
import { isId } from '../../infra/ids.ts'
import { hoursShape, presentHours, presentRule, presentRun, presentTrial, ruleFields, ruleRunShape, ruleShape, trialShape } from '../presenters/rules.ts' // prettier-ignore
import { page } from '../presenters/shapes.ts'
import { listFields, route } from '../route.ts'
import type { Call } from '../route.ts'

const params = z.strictObject({ id: z.string() })
const newRule = z.strictObject(ruleFields)
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'Expected a time such as 09:30.')
const weekly = z
  .array(z.array(z.tuple([time, time])).max(6))
  .length(7)
  .describe('seven days from Monday; a span that ends before it begins goes over midnight')
const hoursBody = z.strictObject({
  team_id: z.string().nullable().default(null),
  hours: z
    .strictObject({
      time_zone: z.string().max(64),
      weekly,
      holidays: z.array(z.strictObject({ date: z.iso.date(), name: z.string().trim().max(100) })).max(400),
    })
    .nullable()
    .describe('null: none are kept, and somebody is always there'),
})

export const ruleRoutes = [
  route({
    method: 'get',
    path: '/rules',
    tag: 'rules',
    summary: 'All rules, in the order in which they run',
    permission: 'rules.manage',
    answer: page(ruleShape),
    handle: async (_input, call) => ({ items: await listRules(call), next_cursor: null }),
  }),
  route({
    method: 'post',
    path: '/rules',
    tag: 'rules',
    summary: 'Make a rule; it stands at the end',
    permission: 'rules.manage',
    body: newRule,
    answer: ruleShape,
    status: 201,
    async handle({ body }, call) {
      await createRule(call, call.effectId, wishOf(body))
      return answerRule(call.effectId, call)
    },
  }),
  route({
    method: 'post',
    path: '/rules/order',
    tag: 'rules',
    summary: 'Say in which order all rules run',
    permission: 'rules.manage',
    body: z.strictObject({ ids: z.array(z.string()).max(500) }),
    async handle({ body }, call) {
      await arrangeRules(call, body.ids)
      return undefined
    },
  }),
  route({
    method: 'post',
    path: '/rules/check',
    tag: 'rules',
    summary: `What a rule would do to these conversations, or to the newest ${String(mostTried)}; nothing is written`,
    permission: 'rules.manage',
    body: z.strictObject({
      rule: newRule.partial({ name: true }),
      conversation_ids: z.array(z.string()).max(mostTried).optional(),
    }),
    answer: page(trialShape).extend({ matched: z.int() }),
    async handle({ body }, call) {
      const trials = await tryRule(call, wishOf({ ...body.rule, name: body.rule.name ?? '' }), body.conversation_ids)
      const matched = trials.filter(({ isMatch }) => isMatch).length
      return { items: trials.map(presentTrial), next_cursor: null, matched }
    },
  }),
  route({
    method: 'get',
    path: '/rules/:id',
    tag: 'rules',
    summary: 'One rule',
    permission: 'rules.manage',
    params,
    answer: ruleShape,
    handle: ({ params }, call) => answerRule(params.id, call),
  }),
  route({
    method: 'patch',
    path: '/rules/:id',
    tag: 'rules',
    summary: 'Change a rule, turn it on or off; where it was paused it runs again',
    permission: 'rules.manage',
    params,
    body: z.strictObject({
      ...{
        name: ruleFields.name.optional(),
        is_active: z.boolean().optional(),
        trigger: ruleFields.trigger.optional(),
      },
      ...{ conditions: ruleFields.conditions.unwrap().optional(), acts: ruleFields.acts.optional() },
      stops_after: z.boolean().optional(),
      pause_minutes: ruleFields.pause_minutes.unwrap().optional(),
    }),
    answer: ruleShape,
    async handle({ params, body }, call) {
      await changeRule(call, params.id, {
        ...(body.name !== undefined && { name: body.name }),
        ...(body.is_active !== undefined && { isActive: body.is_active }),
        ...(body.trigger !== undefined && { trigger: body.trigger }),
        ...(body.conditions !== undefined && { conditions: body.conditions }),
        ...(body.acts !== undefined && { acts: body.acts }),
        ...(body.stops_after !== undefined && { stopsAfter: body.stops_after }),
        ...(body.pause_minutes !== undefined && { pauseMinutes: body.pause_minutes }),
      })
      return answerRule(params.id, call)
    },
  }),
  route({
    method: 'delete',
    path: '/rules/:id',
    tag: 'rules',
    summary: 'Remove a rule; what it did can still be read at its conversations',
    permission: 'rules.manage',
    params,
    async handle({ params }, call) {
      await removeRule(call, params.id)
      return undefined
    },
  }),
  route({
    method: 'get',
    path: '/rules/:id/runs',
    tag: 'rules',
    summary: 'What a rule did and why, the newest first',
    permission: 'rules.manage',
    params,
    query: z.strictObject(listFields),
    answer: page(ruleRunShape),
    async handle({ params, query }, call) {
      await answerRule(params.id, call)
      return listRuns({ ruleId: params.id }, query, call)
    },
  }),
  route({
    method: 'get',
    path: '/conversations/:id/rule-runs',
    tag: 'rules',
    summary: 'What rules did to a conversation and why, the newest first',
    permission: 'conversations.read',
    params,
    query: z.strictObject(listFields),
    answer: page(ruleRunShape),
    async handle({ params, query }, call) {
      const { storage, asker } = call
      const conversation = isId(params.id)
        ? await storage.conversations.get(storage.fresh, asker.accountId, params.id, asker.scope)
        : undefined
      if (conversation === undefined) throw notFound('conversation')
      return listRuns({ conversationId: conversation.id }, query, call)
    },
  }),
  route({
    method: 'get',
    path: '/business-hours',
    tag: 'rules',
    summary: 'Business hours of the account and of teams that keep others',
    permission: 'conversations.read',
    answer: page(hoursShape),
    handle: async (_input, call) => ({ items: await listHours(call), next_cursor: null }),
  }),
  route({
    method: 'patch',
    path: '/business-hours',
    tag: 'rules',
    summary: 'Set the business hours of the account or of a team',
    permission: 'rules.manage',
    body: hoursBody,
    answer: page(hoursShape),
    async handle({ body }, call) {
      const { hours } = body
      await setBusinessHours(call, body.team_id, hours && { ...hours, timeZone: hours.time_zone })
      return { items: await listHours(call), next_cursor: null }
    },
  }),
]

const wishOf = (body: z.output<typeof newRule>): RuleWish => ({
  ...{ name: body.name, isActive: body.is_active, trigger: body.trigger, conditions: body.conditions },
  ...{ acts: body.acts, stopsAfter: body.stops_after, pauseMinutes: body.pause_minutes },
})

async function listRules({ storage, asker }: Call) {
  const [rules, pauses] = await Promise.all([
    storage.rules.list(storage.fresh, asker.accountId),
    storage.rules.pauses(storage.fresh, asker.accountId),
  ])
  return rules.map((rule) => presentRule(rule, pauses))
}

async function answerRule(id: string, call: Call) {
  const rule = (await listRules(call)).find((each) => each.id === id)
  if (rule === undefined) throw notFound('rule')
  return rule
}

async function listRuns(
  of: { readonly ruleId: string } | { readonly conversationId: string },
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  { storage, asker }: Call,
) {
  const before = cursor !== undefined && isId(cursor) ? cursor : undefined
  const runs = await storage.rules.runs(storage.fresh, asker.accountId, of, { before, limit: limit + 1 })
  const items = runs.slice(0, limit).map(presentRun)
  return { items, next_cursor: runs.length > limit ? (items.at(-1)?.id ?? null) : null }
}

const listHours = async ({ storage, asker }: Call) =>
  (await storage.businessHours.list(storage.fresh, asker.accountId)).map(presentHours)
