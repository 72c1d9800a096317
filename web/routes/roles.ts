/** Roles: what whoever has one may do. */
import { z } from 'zod'
import { changeRole, createRole, removeRole } from '../../backend/roles.ts'
import { notFound } from '../../infra/errors.ts'
import { permissionField, presentRoles, roleShape } from '../presenters/people.ts'
import type { RoleJson } from '../presenters/people.ts'
import { page } from '../presenters/shapes.ts'
import { route } from '../route.ts'
import type { Call } from '../route.ts'

const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}]*$/u, 'Expected no control characters.')
const params = z.strictObject({ id: z.string() })
const given = z.array(permissionField).max(200)

export const roleRoutes = [
  route({
    method: 'get',
    path: '/roles',
    tag: 'roles',
    summary: 'All roles with their permissions, the built-in ones first',
    permission: 'users.read',
    answer: page(roleShape),
    handle: async (_input, call) => ({ items: await listRoles(call), next_cursor: null }),
  }),
  route({
    method: 'post',
    path: '/roles',
    tag: 'roles',
    summary: 'A role of your own',
    permission: 'roles.manage',
    isSensitive: true,
    body: z.strictObject({ name, permissions: given, requires_totp: z.boolean().default(false) }),
    answer: roleShape,
    status: 201,
    async handle({ body }, call) {
      const wish = { name: body.name, permissions: [...new Set(body.permissions)], needsTotp: body.requires_totp }
      await createRole(call, call.effectId, wish)
      return answerRole(call.effectId, call)
    },
  }),
  route({
    method: 'patch',
    path: '/roles/:id',
    tag: 'roles',
    summary: 'Change a role; of a built-in one, only whether it requires a second factor',
    permission: 'roles.manage',
    isSensitive: true,
    params,
    body: z.strictObject({
      name: name.optional(),
      permissions: given.optional(),
      requires_totp: z.boolean().optional(),
    }),
    answer: roleShape,
    async handle({ params, body }, call) {
      await changeRole(call, params.id, {
        ...(body.name !== undefined && { name: body.name }),
        ...(body.permissions !== undefined && { permissions: [...new Set(body.permissions)] }),
        ...(body.requires_totp !== undefined && { needsTotp: body.requires_totp }),
      })
      return answerRole(params.id, call)
    },
  }),
  route({
    method: 'delete',
    path: '/roles/:id',
    tag: 'roles',
    summary: 'Remove a role that nobody has',
    permission: 'roles.manage',
    isSensitive: true,
    params,
    async handle({ params }, call) {
      await removeRole(call, params.id)
      return undefined
    },
  }),
]

async function listRoles({ storage, asker }: Call): Promise<RoleJson[]> {
  const [own, needing, counts] = await Promise.all([
    storage.roles.list(storage.fresh, asker.accountId),
    storage.roles.needingTotp(storage.fresh, asker.accountId),
    storage.users.countByRole(storage.fresh, asker.accountId),
  ])
  return presentRoles(own, needing, counts)
}

async function answerRole(id: string, call: Call): Promise<RoleJson> {
  const role = (await listRoles(call)).find((each) => each.id === id)
  if (role === undefined) throw notFound('role')
  return role
}
