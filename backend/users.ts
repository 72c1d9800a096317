/** Users: their rights, and their coming and going. */
import { conflict, forbidden, invalid, notFound } from '../infra/errors.ts'
import type { FieldFault } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import type { User, UserChange, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { isBuiltInRole } from '../storage/model/permissions.ts'
import type { Act } from './act.ts'

/** The rights of a user or of someone who is invited; what is not given stays. */
export interface Rights {
  readonly role?: string | undefined
  /** null: every channel. */
  readonly channelIds?: readonly string[] | null | undefined
  readonly isTeamLimited?: boolean | undefined
  readonly teamIds?: readonly string[] | undefined
}

/** Whether and how many conversations someone is given; what is not given stays. */
export type Readiness = Partial<Pick<User, 'availability' | 'availabilityReason' | 'capacity' | 'skills'>>

/** @throws Problem 404, 403 for rights that the asker does not have, 409 `last_administrator`, 422 */
export async function changeUser(
  act: Act,
  id: string,
  change: Rights & { readonly name?: string | undefined; readonly isDisabled?: boolean | undefined },
  readiness: Readiness = {},
): Promise<void> {
  const { storage, actor } = act
  const { accountId, userId } = act.asker
  await storage.write(async (tx) => {
    const administrators = await storage.users.lockOfRole(tx, accountId, 'administrator')
    const user = await storage.users.lock(tx, accountId, id)
    if (user === undefined) throw notFound('user')
    await needAsMuch(act, tx, user.role)
    const teamIds = await storage.teams.ofUser(tx, accountId, id)
    await checkRights(act, tx, {
      role: change.role ?? user.role,
      channelIds: change.channelIds === undefined ? user.channelIds : change.channelIds,
      isTeamLimited: change.isTeamLimited ?? user.isTeamLimited,
      teamIds: change.teamIds ?? teamIds,
    })
    const isDisabled = change.isDisabled ?? user.disabledAt !== null
    const staysAdministrator = (change.role ?? user.role) === 'administrator' && !isDisabled
    if (administrators.includes(id) && !staysAdministrator && administrators.length === 1)
      throw conflict('last_administrator', 'This is the last administrator. Make somebody else one first.')
    if (isDisabled && id === userId) throw conflict('own_account', 'You cannot disable yourself.')
    const disabledAt = isDisabled ? (user.disabledAt ?? new Date()) : null
    const next: UserChange = {
      disabledAt,
      ...(change.name !== undefined && { name: change.name }),
      ...(change.role !== undefined && { role: change.role }),
      ...(change.channelIds !== undefined && { channelIds: change.channelIds }),
      ...(change.isTeamLimited !== undefined && { isTeamLimited: change.isTeamLimited }),
      ...readinessChange(readiness),
    }
    await storage.users.change(tx, accountId, id, next)
    await storage.outbox.append(tx, userChanged(user, { ...change, ...readiness }, userId))
    if (change.teamIds !== undefined) await storage.teams.setOfUser(tx, accountId, id, change.teamIds)
    if (isDisabled && user.disabledAt === null) await dismiss(act, tx, user)
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'user.changed', subject: subjectOf(user) },
      before: fieldsOf(user, teamIds),
      after: fieldsOf({ ...user, ...next }, change.teamIds ?? teamIds),
    })
  })
}

/** A new link by which the user sets a new password, good once for a day; earlier ones are worth nothing. @throws Problem 404 */
export async function offerPassword(act: Act, id: string, linkId: string): Promise<{ token: string; expiresAt: Date }> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  return storage.write(async (tx) => {
    const user = await storage.users.lock(tx, accountId, id)
    if (user === undefined) throw notFound('user')
    await needAsMuch(act, tx, user.role)
    if (user.disabledAt !== null) throw conflict('user_disabled', 'Enable this user first.')
    await storage.invitations.removeOfUser(tx, accountId, id)
    const { token } = await storage.invitations.create(tx, {
      ...{ id: linkId, accountId, userId: id, email: user.email, role: user.role, createdBy: asker.userId },
      ...{ channelIds: null, isTeamLimited: false, teamIds: null, ttlMs: passwordLinkMs },
    })
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'user.password_link_made', subject: subjectOf(user) },
    })
    return { token, expiresAt: new Date(Date.now() + passwordLinkMs) }
  })
}

const passwordLinkMs = 86_400_000

/** Takes the second factor from someone who has lost it. @throws Problem 404 */
export async function dropTotp(act: Act, id: string): Promise<void> {
  const { storage, actor, asker } = act
  await storage.write(async (tx) => {
    const user = await storage.users.lock(tx, asker.accountId, id)
    if (user === undefined) throw notFound('user')
    await needAsMuch(act, tx, user.role)
    if (!user.hasTotp) return
    await storage.users.removeTotp(tx, asker.accountId, id)
    await storage.sessions.endAllIn(tx, asker.accountId, id)
    await storage.audit.append(tx, {
      ...{ accountId: asker.accountId, by: actor, action: 'user.totp_removed', subject: subjectOf(user) },
    })
  })
}

/** Nobody may touch someone who may do more than they. @throws Problem 403 */
async function needAsMuch({ storage, asker }: Act, tx: Writer, role: string): Promise<void> {
  const more = (await storage.roles.permissionsOf(tx, asker.accountId, role)).find(
    (each) => !asker.permissions.has(each),
  )
  if (more !== undefined)
    throw forbidden(`This needs the permission ${more}: nobody gives or takes rights beyond their own.`)
}

/** Whether there are such a role, channels and teams, and the asker may give them. @throws Problem 422, 403 */
export async function checkRights(act: Act, tx: Writer, rights: Required<Rights>): Promise<void> {
  const { storage, asker } = act
  const { role = '', channelIds, teamIds = [], isTeamLimited } = rights
  const faults: FieldFault[] = []
  const isRole =
    isBuiltInRole(role) || (isId(role) && (await storage.roles.get(tx, asker.accountId, role)) !== undefined)
  if (!isRole) faults.push({ field: 'role', message: 'There is no such role.' })
  if (channelIds != null) {
    const known = new Set((await storage.channels.list(tx, asker.accountId)).map((channel) => channel.id))
    if (!channelIds.every((id) => known.has(id)))
      faults.push({ field: 'channel_ids', message: 'There is no such channel.' })
  }
  if (teamIds.length > 0) {
    const known = new Set((await storage.teams.list(tx, asker.accountId)).map((team) => team.id))
    if (!teamIds.every((id) => known.has(id))) faults.push({ field: 'team_ids', message: 'There is no such team.' })
  }
  if (role === 'administrator' && (channelIds != null || isTeamLimited === true))
    faults.push({ field: 'role', message: 'An administrator is not limited to channels or teams.' })
  if (faults.length > 0) throw invalid(faults)
  await needAsMuch(act, tx, role)
}

/** Someone goes: what would let them in ends, and what they had in hand is free for others. */
async function dismiss({ storage, actor }: Act, tx: Writer, { accountId, id }: User): Promise<void> {
  await storage.sessions.endAllIn(tx, accountId, id)
  await storage.tokens.revokeOf(tx, accountId, id)
  await storage.invitations.removeOfUser(tx, accountId, id)
  const freed = await storage.conversations.unassignAll(tx, accountId, id)
  await storage.outbox.appendMany(
    tx,
    freed.map((conversationId) => ({
      type: 'conversation.changed',
      accountId,
      data: { conversation_id: conversationId, changed: ['assignee'], by: actor.userId },
    })),
  )
}

/** What someone says of themselves is not undone by their coming. */
export const readinessChange = (readiness: Readiness): UserChange =>
  readiness.availability === undefined
    ? readiness
    : {
        ...readiness,
        availabilityReason: readiness.availability === 'available' ? null : (readiness.availabilityReason ?? null),
        isOfflineByItself: false,
      }

/** The fact that these have changed of someone. */
export const userChanged = (user: Pick<User, 'id' | 'accountId'>, changed: object, by: string | null): NewEvent => ({
  type: 'user.changed',
  accountId: user.accountId,
  data: { user_id: user.id, changed: namesOf(changed), by },
})

const namesOf = (changed: object): string[] =>
  Object.entries(changed).flatMap(([name, value]) =>
    value === undefined ? [] : [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)],
  )

/** For the audit log. */
export const subjectOf = ({ id, name }: Pick<User, 'id' | 'name'>) => ({ type: 'user', id, name })

const fieldsOf = (user: User, teamIds: readonly string[]) => ({
  name: user.name,
  role: user.role,
  channel_ids: user.channelIds,
  is_team_limited: user.isTeamLimited,
  team_ids: [...teamIds].sort(),
  is_disabled: user.disabledAt !== null,
  availability: user.availability,
  capacity: user.capacity,
  skills: [...user.skills].sort(),
})
