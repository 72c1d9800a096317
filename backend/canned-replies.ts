/** Canned replies: kept, found, filled in for a conversation, counted. */
import { codeOf, conflict, invalid, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import { mostCannedReplies } from '../storage/index.ts'
import type { CannedReply, Reader, Scope, Storage, Writer } from '../storage/index.ts'
import type { Act } from './act.ts'
import { checkVariables, fillIn } from './fill-in.ts'
import { lookAround, valuesOf } from './rule-facts.ts'

export type CannedWish = Pick<CannedReply, 'shortcut' | 'name' | 'text' | 'documentIds'> & {
  /** null: everybody's. */
  readonly teamId: string | null
}

/** @throws Problem 409 `shortcut_taken`, `too_many_canned_replies`, 422 */
export function createCannedReply(act: Act, id: string, wish: CannedWish): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  return unique(
    storage.write(async (tx) => {
      if ((await storage.cannedReplies.get(tx, accountId, id)) !== undefined) return
      if ((await storage.cannedReplies.count(tx, accountId)) >= mostCannedReplies)
        throw conflict('too_many_canned_replies', `An account has at most ${String(mostCannedReplies)} canned replies.`)
      await check(act, tx, wish)
      const reply = { ...wish, id, accountId, ownerId: wish.teamId ?? accountId, useCount: 0, usedAt: null }
      await storage.cannedReplies.create(tx, reply)
      await storage.audit.append(tx, {
        ...{ accountId, by: actor, action: 'canned_reply.created' },
        ...{ subject: { type: 'canned_reply', id, name: reply.name }, after: fieldsOf(reply) },
      })
    }),
  )
}

/** @throws Problem 404, 409 `shortcut_taken`, 422 */
export function changeCannedReply(act: Act, id: string, change: Partial<CannedWish>): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  return unique(
    storage.write(async (tx) => {
      const before = await lock(act, tx, id)
      const teamId = change.teamId ?? (before.ownerId === accountId ? null : before.ownerId)
      const wish = { ...before, ...change, teamId: change.teamId === null ? null : teamId }
      await check(act, tx, wish)
      const after = { ...wish, ownerId: wish.teamId ?? accountId }
      await storage.cannedReplies.change(tx, after)
      await storage.audit.append(tx, {
        ...{
          accountId,
          by: actor,
          action: 'canned_reply.changed',
          subject: { type: 'canned_reply', id, name: after.name },
        },
        ...{ before: fieldsOf(before), after: fieldsOf(after) },
      })
    }),
  )
}

/** @throws Problem 404 */
export async function removeCannedReply(act: Act, id: string): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  await storage.write(async (tx) => {
    const reply = await lock(act, tx, id)
    await storage.cannedReplies.remove(tx, accountId, id)
    await storage.audit.append(tx, {
      ...{
        accountId,
        by: actor,
        action: 'canned_reply.removed',
        subject: { type: 'canned_reply', id, name: reply.name },
      },
      before: fieldsOf(reply),
    })
  })
}

/** Somebody has said it. @throws Problem 404 for one that they cannot see */
export async function useCannedReply(act: Act, id: string): Promise<void> {
  const { storage, asker } = act
  await storage.write(async (tx) => {
    const reply = await lock(act, tx, id)
    if (!(await ownersFor(storage, tx, asker)).includes(reply.ownerId)) throw notFound('canned reply')
    await storage.cannedReplies.countUse(tx, asker.accountId, id)
  })
}

/** A canned reply, and its text with names in place of variables where it was asked for a conversation. */
export type Found = CannedReply & { readonly filled: string | null }

/**
 * Those of everybody and of the asker's teams, the most used first; all of the account for whoever manages them and asks so.
 * @throws Problem 404 for a conversation that the asker does not see
 */
export async function findCannedReplies(
  { storage, asker }: Act & { readonly asker: { readonly scope: Scope } },
  ask: {
    readonly q?: string | undefined
    readonly conversationId?: string | undefined
    readonly isAll: boolean
    readonly limit: number
  },
): Promise<Found[]> {
  const { accountId, scope, userId } = asker
  const reader = storage.fresh
  const ownerIds = ask.isAll ? undefined : await ownersFor(storage, reader, asker)
  const found = await storage.cannedReplies.list(reader, accountId, { ownerIds, q: ask.q, limit: ask.limit })
  if (ask.conversationId === undefined) return found.map((each) => ({ ...each, filled: null }))
  const conversation = isId(ask.conversationId)
    ? await storage.conversations.get(reader, accountId, ask.conversationId, scope)
    : undefined
  if (conversation === undefined) throw notFound('conversation')
  const user = await storage.users.get(reader, accountId, userId)
  const values = valuesOf(
    await lookAround(storage, reader, accountId, [conversation]),
    conversation,
    user?.name ?? null,
  )
  return found.map((each) => ({ ...each, filled: fillIn(each.text, values) }))
}

/** Whose are shown to this user: the account's and those of the teams. */
export async function ownersFor(
  storage: Storage,
  reader: Reader,
  { accountId, userId }: { readonly accountId: string; readonly userId: string },
): Promise<string[]> {
  return [accountId, ...(await storage.teams.ofUser(reader, accountId, userId))]
}

async function lock({ storage, asker }: Act, tx: Writer, id: string): Promise<CannedReply> {
  const reply = isId(id) ? await storage.cannedReplies.lock(tx, asker.accountId, id) : undefined
  if (reply === undefined) throw notFound('canned reply')
  return reply
}

async function check({ storage, asker }: Act, tx: Writer, wish: CannedWish): Promise<void> {
  const { accountId } = asker
  checkVariables(wish.text, 'text')
  if (
    wish.teamId !== null &&
    !(isId(wish.teamId) && (await storage.teams.get(tx, accountId, wish.teamId)) !== undefined)
  )
    throw invalid([{ field: 'team_id', message: 'There is no such team.' }])
  const documents = await storage.documents.getMany(tx, accountId, wish.documentIds.filter(isId))
  if (!wish.documentIds.every((id) => documents.some((document) => document.id === id)))
    throw invalid([{ field: 'document_ids', message: 'There is no such file.' }])
}

const fieldsOf = ({ shortcut, name, text, ownerId, documentIds }: CannedReply) => ({
  ...{ shortcut, name, text, owner_id: ownerId, document_ids: documentIds },
})

async function unique(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (codeOf(error) === 'ER_DUP_ENTRY')
      throw conflict('shortcut_taken', 'There is a canned reply of this shortcut already.')
    throw error
  }
}
