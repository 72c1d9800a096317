/** Views of conversations: kept by one user, or shared. */
import { conflict, forbidden, invalid, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import { mostViews } from '../storage/index.ts'
import type { View, Writer } from '../storage/index.ts'
import type { Act } from './act.ts'

export type ViewWish = Pick<View, 'name' | 'filter' | 'teamIds' | 'isForAll' | 'position'>

const isShared = (view: Pick<View, 'teamIds' | 'isForAll'>): boolean => view.isForAll || view.teamIds !== null

/** @throws Problem 403, 409 `too_many_views`, 422 */
export async function createView(act: Act, id: string, wish: ViewWish): Promise<void> {
  const { storage, asker } = act
  const { accountId, userId } = asker
  await storage.write(async (tx) => {
    if ((await storage.views.count(tx, accountId, userId)) >= mostViews)
      throw conflict('too_many_views', `A user has at most ${String(mostViews)} views; please remove some first.`)
    await put(act, tx, undefined, { id, accountId, ownerId: userId, ...wish })
  })
}

/** One's own, or a shared one by whoever may manage views. @throws Problem 404, 403, 422 */
export async function changeView(act: Act, id: string, change: Partial<ViewWish>): Promise<void> {
  await act.storage.write(async (tx) => {
    const view = await lockView(act, tx, id)
    await put(act, tx, view, { ...view, ...change })
  })
}

/** @throws Problem 404, 403 */
export async function removeView(act: Act, id: string): Promise<void> {
  const { storage, actor, asker } = act
  await storage.write(async (tx) => {
    const view = await lockView(act, tx, id)
    await storage.views.remove(tx, asker.accountId, id)
    if (isShared(view))
      await storage.audit.append(tx, {
        ...{ accountId: asker.accountId, by: actor, action: 'view.removed' },
        ...{ subject: { type: 'view', id, name: view.name }, before: fieldsOf(view) },
      })
  })
}

async function lockView({ storage, asker }: Act, tx: Writer, id: string): Promise<View> {
  const view = isId(id) ? await storage.views.lock(tx, asker.accountId, id) : undefined
  const isOwn = view?.ownerId === asker.userId
  if (view === undefined || (!isOwn && !isShared(view))) throw notFound('view')
  if (!isOwn && !asker.permissions.has('views.manage')) throw forbidden('This needs the permission views.manage.')
  return view
}

async function put({ storage, actor, asker }: Act, tx: Writer, before: View | undefined, after: View): Promise<void> {
  const { accountId, permissions } = asker
  const isToBeAudited = isShared(after) || (before !== undefined && isShared(before))
  if (isToBeAudited && !permissions.has('views.manage')) throw forbidden('This needs the permission views.manage.')
  if (after.teamIds !== null) {
    const known = new Set((await storage.teams.list(tx, accountId)).map(({ id }) => id))
    if (!after.teamIds.every((id) => known.has(id)))
      throw invalid([{ field: 'team_ids', message: 'There is no such team.' }])
  }
  await storage.views.put(tx, after)
  if (isToBeAudited)
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: before === undefined ? 'view.created' : 'view.changed' },
      ...{ subject: { type: 'view', id: after.id, name: after.name }, after: fieldsOf(after) },
      ...(before !== undefined && { before: fieldsOf(before) }),
    })
}

const fieldsOf = ({ name, filter, teamIds, isForAll, position }: View) => ({
  ...{ name, filter, team_ids: teamIds, is_for_all: isForAll, position },
})
