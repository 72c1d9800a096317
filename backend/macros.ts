/** Macros: several acts under a name, done by a person to one conversation, all of them or none. */
import { conflict, forbidden, invalid, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import { mostMacros } from '../storage/index.ts'
import type { Macro, Scope, Writer } from '../storage/index.ts'
import type { Permission } from '../storage/model/permissions.ts'
import type { Act } from './act.ts'
import { ownersFor } from './canned-replies.ts'
import { actsShape, checkActs } from './conversation-acts.ts'
import type { ConversationAct } from './conversation-acts.ts'
import { doActs } from './do-acts.ts'
import type { Done } from './do-acts.ts'
import { checkVariables, fillIn } from './fill-in.ts'
import { lookAround, valuesOf } from './rule-facts.ts'

export type MacroWish = Pick<Macro, 'name' | 'scope' | 'position'> & {
  /** With scope `team`. */
  readonly teamId: string | null
  readonly acts: readonly ConversationAct[]
}
type ScopedAct = Act & { readonly asker: { readonly scope: Scope } }

/** @throws Problem 403, 409 `too_many_macros`, 422 */
export async function createMacro(act: Act, id: string, wish: MacroWish): Promise<void> {
  const { storage, asker } = act
  await storage.write(async (tx) => {
    if ((await storage.macros.get(tx, asker.accountId, id)) !== undefined) return
    if ((await storage.macros.count(tx, asker.accountId)) >= mostMacros)
      throw conflict('too_many_macros', `An account has at most ${String(mostMacros)} macros.`)
    await put(act, tx, undefined, { ...wish, id, accountId: asker.accountId, ownerId: await ownerOf(act, tx, wish) })
  })
}

/** @throws Problem 404, 403, 422 */
export async function changeMacro(act: Act, id: string, change: Partial<MacroWish>): Promise<void> {
  await act.storage.write(async (tx) => {
    const before = await lock(act, tx, id)
    const wish = { ...before, teamId: before.scope === 'team' ? before.ownerId : null, ...change }
    await put(act, tx, before, { ...wish, ownerId: await ownerOf(act, tx, wish) })
  })
}

/** @throws Problem 404, 403 */
export async function removeMacro(act: Act, id: string): Promise<void> {
  const { storage, actor, asker } = act
  await storage.write(async (tx) => {
    const macro = await lock(act, tx, id)
    await storage.macros.remove(tx, asker.accountId, id)
    if (macro.scope !== 'own')
      await storage.audit.append(tx, {
        ...{ accountId: asker.accountId, by: actor, action: 'macro.removed' },
        ...{ subject: { type: 'macro', id, name: macro.name }, before: fieldsOf(macro) },
      })
  })
}

/** Those that this user can run: their own, those of their teams, those of everybody. */
export async function listMacros({ storage, asker }: Act): Promise<Macro[]> {
  const { accountId, userId } = asker
  return storage.macros.list(storage.fresh, accountId, [...(await ownersFor(storage, storage.fresh, asker)), userId])
}

/** All of it in one transaction. @throws Problem 404, 403 that names what is not permitted, 422 */
export async function runMacro(act: ScopedAct, conversationId: string, macroId: string): Promise<Done> {
  const { storage, asker } = act
  const { accountId, userId, scope } = asker
  const macro = await findMacro(act, macroId)
  checkPermitted(asker.permissions, macro)
  return storage.write(async (tx) => {
    const seen = isId(conversationId)
      ? await storage.conversations.get(tx, accountId, conversationId, scope)
      : undefined
    const conversation = seen && (await storage.conversations.lock(tx, accountId, conversationId))
    if (conversation === undefined) throw notFound('conversation')
    const around = await lookAround(storage, tx, accountId, [conversation])
    const user = await storage.users.get(tx, accountId, userId)
    const values = valuesOf(around, conversation, user?.name ?? null)
    return doActs(storage, tx, conversation, actsShape.parse(macro.acts), { by: userId }, { values })
  })
}

/** What it would do here, with its texts filled in; nothing is written. @throws Problem 404 */
export async function previewMacro(
  act: ScopedAct,
  conversationId: string,
  macroId: string,
): Promise<readonly ConversationAct[]> {
  const { storage, asker } = act
  const { accountId, userId, scope } = asker
  const macro = await findMacro(act, macroId)
  const reader = storage.fresh
  const conversation = isId(conversationId)
    ? await storage.conversations.get(reader, accountId, conversationId, scope)
    : undefined
  if (conversation === undefined) throw notFound('conversation')
  const user = await storage.users.get(reader, accountId, userId)
  const values = valuesOf(
    await lookAround(storage, reader, accountId, [conversation]),
    conversation,
    user?.name ?? null,
  )
  return actsShape
    .parse(macro.acts)
    .map((each) => (each.do === 'note' || each.do === 'reply' ? { ...each, text: fillIn(each.text, values) } : each))
}

async function findMacro(act: Act, id: string): Promise<Macro> {
  const macro = (await listMacros(act)).find((each) => each.id === id)
  if (macro === undefined) throw notFound('macro')
  return macro
}

const permissionOf: Readonly<Record<ConversationAct['do'], Permission>> = {
  assign: 'conversations.assign',
  team: 'conversations.assign',
  label: 'conversations.change',
  unlabel: 'conversations.change',
  priority: 'conversations.change',
  status: 'conversations.change',
  snooze: 'conversations.change',
  note: 'notes.write',
  reply: 'conversations.reply',
}

function checkPermitted(permissions: ReadonlySet<Permission>, macro: Macro): void {
  const missing = actsShape
    .parse(macro.acts)
    .map((each) => permissionOf[each.do])
    .find((each) => !permissions.has(each))
  if (missing !== undefined) throw forbidden(`This macro needs the permission ${missing}.`)
}

/** One's own; any other only for whoever manages them. */
async function lock({ storage, asker }: Act, tx: Writer, id: string): Promise<Macro> {
  const macro = isId(id) ? await storage.macros.lock(tx, asker.accountId, id) : undefined
  if (macro === undefined || (macro.scope === 'own' && macro.ownerId !== asker.userId)) throw notFound('macro')
  if (macro.scope !== 'own' && !asker.permissions.has('canned.manage'))
    throw forbidden('This needs the permission canned.manage.')
  return macro
}

async function ownerOf(
  { storage, asker }: Act,
  tx: Writer,
  wish: Pick<MacroWish, 'scope' | 'teamId'>,
): Promise<string> {
  const { accountId, userId, permissions } = asker
  if (wish.scope === 'own') return userId
  if (!permissions.has('canned.manage')) throw forbidden('This needs the permission canned.manage.')
  if (wish.scope === 'all') return accountId
  if (wish.teamId !== null && isId(wish.teamId) && (await storage.teams.get(tx, accountId, wish.teamId)) !== undefined)
    return wish.teamId
  throw invalid([{ field: 'team_id', message: 'There is no such team.' }])
}

async function put({ storage, actor, asker }: Act, tx: Writer, before: Macro | undefined, after: Macro): Promise<void> {
  const { accountId } = asker
  const acts = actsShape.parse(after.acts)
  for (const [n, each] of acts.entries())
    if (each.do === 'note' || each.do === 'reply') checkVariables(each.text, `acts.${String(n)}.text`)
  await checkActs(storage, tx, accountId, acts)
  await storage.macros.put(tx, after)
  if (after.scope !== 'own' || (before !== undefined && before.scope !== 'own'))
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: before === undefined ? 'macro.created' : 'macro.changed' },
      ...{ subject: { type: 'macro', id: after.id, name: after.name }, after: fieldsOf(after) },
      ...(before !== undefined && { before: fieldsOf(before) }),
    })
}

const fieldsOf = ({ name, scope, ownerId, acts, position }: Macro) => ({
  name,
  scope,
  owner_id: ownerId,
  acts,
  position,
})
