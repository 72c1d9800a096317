/** Roles: an account's own, and which of all roles need a second factor. */
import { codeOf, conflict, forbidden, invalid, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import type { Writer } from '../storage/index.ts'
import { isBuiltInRole } from '../storage/model/permissions.ts'
import type { Permission } from '../storage/model/permissions.ts'
import type { Act } from './act.ts'

export interface RoleWish {
  readonly name: string
  readonly permissions: readonly Permission[]
  readonly needsTotp: boolean
}

/** @throws Problem 403 for permissions that the asker does not have, 409 `role_exists` */
export function createRole(act: Act, id: string, wish: RoleWish): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  needOwn(act, wish.permissions)
  return unique(
    storage.write(async (tx) => {
      if (isBuiltInRole(wish.name.toLowerCase())) throw taken()
      await storage.roles.create(tx, { id, accountId, name: wish.name, permissions: wish.permissions })
      await setTotp(act, tx, id, wish.needsTotp)
      await storage.audit.append(tx, {
        ...{ accountId, by: actor, action: 'role.created', subject: { type: 'role', id, name: wish.name } },
        after: fieldsOf(wish),
      })
    }),
  )
}

/** Of a built-in role, only whether it needs a second factor can be changed. @throws Problem 404, 403, 409, 422 */
export function changeRole(act: Act, id: string, change: Partial<RoleWish>): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  return unique(
    storage.write(async (tx) => {
      const wasNeeded = (await storage.roles.needingTotp(tx, accountId)).includes(id)
      const needsTotp = change.needsTotp ?? wasNeeded
      let [before, after] = [{ requires_totp: wasNeeded }, { requires_totp: needsTotp }]
      let name = id
      if (isBuiltInRole(id)) {
        if (change.name !== undefined || change.permissions !== undefined)
          throw invalid([
            { field: change.name === undefined ? 'permissions' : 'name', message: 'A built-in role stays as it is.' },
          ])
      } else {
        const role = isId(id) ? await storage.roles.lock(tx, accountId, id) : undefined
        if (role === undefined) throw notFound('role')
        needOwn(act, role.permissions)
        const next = { ...role, name: change.name ?? role.name, permissions: change.permissions ?? role.permissions }
        needOwn(act, next.permissions)
        if (isBuiltInRole(next.name.toLowerCase())) throw taken()
        await storage.roles.change(tx, next)
        name = next.name
        ;[before, after] = [fieldsOf({ ...role, needsTotp: wasNeeded }), fieldsOf({ ...next, needsTotp })]
      }
      await setTotp(act, tx, id, needsTotp)
      await storage.audit.append(tx, {
        ...{ accountId, by: actor, action: 'role.changed', subject: { type: 'role', id, name }, before, after },
      })
    }),
  )
}

/** @throws Problem 404, 409 `role_in_use` */
export async function removeRole(act: Act, id: string): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  await storage.write(async (tx) => {
    if (isBuiltInRole(id)) throw conflict('built_in_role', 'A built-in role stays.')
    const role = isId(id) ? await storage.roles.lock(tx, accountId, id) : undefined
    if (role === undefined) throw notFound('role')
    const isInvited = (await storage.invitations.list(tx, accountId)).some((each) => each.role === id)
    if (isInvited || ((await storage.users.countByRole(tx, accountId)).get(id) ?? 0) > 0)
      throw conflict('role_in_use', 'Somebody has this role, or is invited with it. Give them another one first.')
    await storage.roles.remove(tx, accountId, id)
    await setTotp(act, tx, id, false)
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'role.removed', subject: { type: 'role', id, name: role.name } },
      before: fieldsOf({ ...role, needsTotp: false }),
    })
  })
}

/** Nobody gives more than they have. @throws Problem 403 */
function needOwn({ asker }: Act, given: readonly Permission[]): void {
  const more = given.find((each) => !asker.permissions.has(each))
  if (more !== undefined)
    throw forbidden(`This needs the permission ${more}: nobody gives or takes rights beyond their own.`)
}

async function setTotp({ storage, asker }: Act, tx: Writer, role: string, isNeeded: boolean): Promise<void> {
  const needing = await storage.roles.needingTotp(tx, asker.accountId)
  if (needing.includes(role) === isNeeded) return
  await storage.roles.setNeedingTotp(
    tx,
    asker.accountId,
    isNeeded ? [...needing, role] : needing.filter((each) => each !== role),
  )
}

const fieldsOf = (role: RoleWish) => ({
  name: role.name,
  permissions: [...role.permissions].sort(),
  requires_totp: role.needsTotp,
})

const taken = () => conflict('role_exists', 'There is a role of this name already.')

async function unique(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    throw codeOf(error) === 'ER_DUP_ENTRY' ? taken() : error
  }
}
