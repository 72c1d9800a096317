/** Rules: made, changed, put in order, removed. */
import { conflict, invalid, notFound } from '../infra/errors.ts'
import type { FieldFault } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import { mostRules } from '../storage/index.ts'
import type { Reader, Rule, Storage, Writer } from '../storage/index.ts'
import type { Conditions } from '../storage/model/rules.ts'
import type { Act } from './act.ts'
import { actsShape, checkActs } from './conversation-acts.ts'
import type { ConversationAct } from './conversation-acts.ts'
import { checkVariables } from './fill-in.ts'
import { leavesOf, plainTrigger } from './rule-shapes.ts'

export type RuleWish = Pick<Rule, 'name' | 'isActive' | 'trigger' | 'conditions' | 'stopsAfter' | 'pauseMinutes'> & {
  readonly acts: readonly ConversationAct[]
}

/** At the end of the order. @throws Problem 409 `too_many_rules`, 422 */
export function createRule(act: Act, id: string, wish: RuleWish): Promise<void> {
  const { storage, asker } = act
  const { accountId } = asker
  return storage.write(async (tx) => {
    const known = await storage.rules.list(tx, accountId)
    if (known.some((rule) => rule.id === id)) return
    if (known.length >= mostRules)
      throw conflict('too_many_rules', `An account has at most ${String(mostRules)} rules; please remove some first.`)
    const position = Math.max(-1, ...known.map((rule) => rule.position)) + 1
    await put(act, tx, undefined, { ...wish, id, accountId, position, activeSince: null })
  })
}

/** It begins anew: nothing older is looked at, and where it was paused it runs again. @throws Problem 404, 422 */
export function changeRule(act: Act, id: string, change: Partial<RuleWish>): Promise<void> {
  return act.storage.write(async (tx) => {
    const rule = await lockRule(act, tx, id)
    await act.storage.rules.resume(tx, rule.accountId, id)
    await put(act, tx, rule, { ...rule, ...change })
  })
}

/** @throws Problem 404 */
export function removeRule(act: Act, id: string): Promise<void> {
  const { storage, actor, asker } = act
  return storage.write(async (tx) => {
    const rule = await lockRule(act, tx, id)
    await storage.rules.remove(tx, rule.accountId, id)
    await storage.outbox.append(tx, factOf(act, id, 'removed'))
    await storage.audit.append(tx, {
      ...{
        accountId: asker.accountId,
        by: actor,
        action: 'rule.removed',
        subject: { type: 'rule', id, name: rule.name },
      },
      before: fieldsOf(rule),
    })
  })
}

/** Every rule, in the order in which they are to run. @throws Problem 422 unless all are named once */
export function arrangeRules({ storage, actor, asker }: Act, ids: readonly string[]): Promise<void> {
  const { accountId } = asker
  return storage.write(async (tx) => {
    const known = (await storage.rules.list(tx, accountId)).map(({ id }) => id)
    if (known.length !== ids.length || !known.every((id) => ids.includes(id)))
      throw invalid([{ field: 'ids', message: 'Expected every rule once.' }])
    await storage.rules.arrange(tx, accountId, ids)
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'rule.arranged', subject: { type: 'rule', id: null } },
      ...{ before: { ids: known }, after: { ids: [...ids] } },
    })
  })
}

/** @throws Problem 422 that names what there is not */
export async function checkRule(
  storage: Storage,
  reader: Reader,
  accountId: string,
  { conditions, acts }: Pick<RuleWish, 'conditions' | 'acts'>,
): Promise<void> {
  for (const [n, act] of acts.entries()) {
    if (act.do === 'assign' && act.user_id === 'me')
      throw invalid([{ field: `acts.${String(n)}.user_id`, message: 'A rule is nobody: please name someone.' }])
    if (act.do === 'note' || act.do === 'reply') checkVariables(act.text, `acts.${String(n)}.text`)
  }
  await checkActs(storage, reader, accountId, acts)
  await checkNames(storage, reader, accountId, conditions)
}

const named = { channel: 'channels', assignee: 'users', team: 'teams', label: 'labels' } as const
type NamedField = keyof typeof named
const isNamed = (field: string): field is NamedField => field in named

async function checkNames(storage: Storage, reader: Reader, accountId: string, conditions: Conditions): Promise<void> {
  const ids: { [Table in (typeof named)[NamedField]]: string[] } = { channels: [], users: [], teams: [], labels: [] }
  const asked = leavesOf(conditions).flatMap((leaf) =>
    isNamed(leaf.field) && Array.isArray(leaf.value)
      ? leaf.value
          .filter((each: string) => each !== 'nobody' && each !== 'none')
          .map((id: string) => ({ field: leaf.field as NamedField, id }))
      : [],
  )
  for (const { field, id } of asked) if (isId(id)) ids[named[field]].push(id)
  const known = await storage.names.find(reader, accountId, ids)
  const faults: FieldFault[] = asked
    .filter(({ id }) => !known.has(id))
    .map(({ field }) => ({ field: 'conditions', message: `There is no such ${field}.` }))
  if (faults.length > 0) throw invalid(faults.slice(0, 5))
}

async function lockRule({ storage, asker }: Act, tx: Writer, id: string): Promise<Rule> {
  const rule = isId(id) ? await storage.rules.lock(tx, asker.accountId, id) : undefined
  if (rule === undefined) throw notFound('rule')
  return rule
}

async function put(act: Act, tx: Writer, before: Rule | undefined, wished: Rule): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  const after: Rule = {
    ...wished,
    trigger: plainTrigger(wished.trigger),
    activeSince: wished.isActive ? new Date() : null,
  }
  await checkRule(storage, tx, accountId, { ...after, acts: actsShape.parse(after.acts) })
  await storage.rules.put(tx, after)
  await storage.outbox.append(tx, factOf(act, after.id, before === undefined ? 'created' : 'changed'))
  await storage.audit.append(tx, {
    ...{ accountId, by: actor, action: before === undefined ? 'rule.created' : 'rule.changed' },
    ...{ subject: { type: 'rule', id: after.id, name: after.name }, after: fieldsOf(after) },
    ...(before !== undefined && { before: fieldsOf(before) }),
  })
}

const factOf = ({ asker }: Act, id: string, change: 'created' | 'changed' | 'removed') => ({
  ...{ type: 'rule.changed' as const, accountId: asker.accountId },
  data: { rule_id: id, change, by: asker.userId },
})

const fieldsOf = ({ name, isActive, trigger, conditions, acts, stopsAfter, pauseMinutes }: Rule) => ({
  ...{ name, is_active: isActive, trigger, conditions, acts, stops_after: stopsAfter, pause_minutes: pauseMinutes },
})
