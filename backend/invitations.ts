/** Coming in by a link: to join an account, or with a new password. */
import { codeOf, conflict, notFound, Problem } from '../infra/errors.ts'
import type { Actor, Invitation, Storage } from '../storage/index.ts'
import type { Act } from './act.ts'
import { checkRights, subjectOf } from './users.ts'
import type { Rights } from './users.ts'

export type Invited = Required<Omit<Rights, 'role'>> & { readonly email: string; readonly role: string }

export const invitationMs = 7 * 86_400_000

/** A link to join with these rights, good once for a week; an earlier one to the same address is worth nothing. @throws Problem 409, 422, 403 */
export async function inviteUser(act: Act, id: string, wish: Invited): Promise<{ token: string }> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  return storage.write(async (tx) => {
    await checkRights(act, tx, wish)
    const known = await storage.users.byEmail(tx, wish.email)
    if (known?.accountId === accountId) throw conflict('user_exists', 'Somebody with this address works here already.')
    await storage.invitations.removeOfEmail(tx, accountId, wish.email)
    const { token } = await storage.invitations.create(tx, {
      ...{
        id,
        accountId,
        userId: null,
        email: wish.email,
        role: wish.role,
        createdBy: asker.userId,
        ttlMs: invitationMs,
      },
      ...{
        channelIds: wish.channelIds ?? null,
        isTeamLimited: wish.isTeamLimited ?? false,
        teamIds: wish.teamIds ?? null,
      },
    })
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'invitation.made', subject: { type: 'invitation', id, name: wish.email } },
      after: { email: wish.email, role: wish.role, channel_ids: wish.channelIds, team_ids: wish.teamIds },
    })
    return { token }
  })
}

/** @throws Problem 404 */
export async function withdrawInvitation({ storage, actor, asker }: Act, id: string): Promise<void> {
  await storage.write(async (tx) => {
    const invitation = await storage.invitations.get(tx, asker.accountId, id)
    if (invitation === undefined || invitation.userId !== null) throw notFound('invitation')
    await storage.invitations.remove(tx, asker.accountId, id)
    await storage.audit.append(tx, {
      ...{ accountId: asker.accountId, by: actor, action: 'invitation.withdrawn' },
      subject: { type: 'invitation', id, name: invitation.email },
    })
  })
}

/** The invitation of a link. @throws Problem 404 when it is used up, too old, or was never made */
export async function readLink(storage: Storage, token: string): Promise<Invitation> {
  const invitation = await storage.invitations.byToken(storage.primary, token)
  if (invitation === undefined) throw unknownLink()
  return invitation
}

const unknownLink = () =>
  new Problem(404, 'unknown_link', 'This link was used already, or is too old. Please ask for a new one.')

/**
 * Uses the link up: whoever has it joins with this name and password, or sets a new password. Their id.
 * @param from where the request comes from; who it is, the link tells
 * @throws Problem 404 `unknown_link`, 409
 */
export async function acceptLink(
  storage: Storage,
  token: string,
  given: { readonly name: string; readonly passwordHash: string; readonly language: string },
  from: Actor,
): Promise<void> {
  try {
    await storage.write(async (tx) => {
      const link = await storage.invitations.byToken(tx, token, 'for update')
      if (link === undefined) throw unknownLink()
      const { accountId } = link
      await storage.invitations.remove(tx, accountId, link.id)
      if (link.userId !== null) {
        const user = await storage.users.lock(tx, accountId, link.userId)
        if (user === undefined || user.disabledAt !== null) throw unknownLink()
        await storage.users.change(tx, accountId, user.id, { passwordHash: given.passwordHash })
        await storage.sessions.endAllIn(tx, accountId, user.id)
        const by = { ...from, userId: user.id, name: user.name, via: 'password link' }
        await storage.audit.append(tx, { accountId, by, action: 'user.password_set', subject: subjectOf(user) })
        return
      }
      const { name, passwordHash, language } = given
      const { email, role, channelIds, isTeamLimited } = link
      const id = await storage.users.create(tx, {
        ...{ accountId, email, name, role, passwordHash, language, channelIds, isTeamLimited },
      })
      if (link.teamIds !== null) await storage.teams.setOfUser(tx, accountId, id, link.teamIds)
      const by = { ...from, userId: id, name, via: 'invitation' }
      await storage.audit.append(tx, {
        ...{ accountId, by, action: 'user.joined', subject: { type: 'user', id, name } },
        after: { email, role, invited_by: link.createdBy },
      })
    })
  } catch (error) {
    if (codeOf(error) === 'ER_DUP_ENTRY')
      throw conflict('user_exists', 'Somebody with this address can sign in already.')
    throw error
  }
}
