/** What is one's own: name, password, second factor, sessions, tokens. */
import { conflict, forbidden, notFound, Problem } from '../infra/errors.ts'
import type { Actor, Storage, User, UserChange, Writer } from '../storage/index.ts'
import type { Permission } from '../storage/model/permissions.ts'
import type { Act } from './act.ts'
import { hashRecoveryCode, newRecoveryCodes, newTotpSecret, otpauthUrl, stepOf } from './totp.ts'
import { readinessChange, subjectOf, userChanged } from './users.ts'
import type { Readiness } from './users.ts'

/**
 * Name, language, time zone, and whether one is there to be given conversations: nobody else's business, so no entry in the audit log but
 * for the name.
 */
export async function changeProfile(
  act: Act,
  change: Pick<UserChange, 'name' | 'language' | 'timeZone'>,
  readiness: Pick<Readiness, 'availability' | 'availabilityReason'> = {},
): Promise<void> {
  await changeOwn(act, async (tx, user) => {
    await act.storage.users.change(tx, user.accountId, user.id, { ...change, ...readinessChange(readiness) })
    if (readiness.availability !== undefined || change.name !== undefined)
      await act.storage.outbox.append(
        tx,
        userChanged(user, { name: change.name, availability: readiness.availability }, user.id),
      )
    if (change.name === undefined || change.name === user.name) return
    await act.storage.audit.append(tx, {
      ...{ accountId: user.accountId, by: act.actor, action: 'user.changed', subject: subjectOf(user) },
      ...{ before: { name: user.name }, after: { name: change.name } },
    })
  })
}

/** Ends every other session. @param sessionId the one that stays, as in the cookie */
export async function changePassword(act: Act, passwordHash: string, sessionId: string): Promise<void> {
  const { storage, actor } = act
  await changeOwn(act, async (tx, user) => {
    await storage.users.change(tx, user.accountId, user.id, { passwordHash })
    await storage.sessions.endAllIn(tx, user.accountId, user.id, sessionId)
    await storage.invitations.removeOfUser(tx, user.accountId, user.id)
    await storage.audit.append(tx, {
      ...{ accountId: user.accountId, by: actor, action: 'user.password_set', subject: subjectOf(user) },
    })
  })
}

/** A secret for an authenticator app; it counts once `confirmTotp` was given a code. @throws Problem 409 `totp_set_up` */
export function offerTotp(act: Act): Promise<{ readonly secret: string; readonly url: string }> {
  return changeOwn(act, async (tx, user) => {
    if (user.hasTotp) throw conflict('totp_set_up', 'A second factor is set up already. Remove it first.')
    const secret = newTotpSecret()
    await act.storage.users.offerTotp(tx, act.storage, user.accountId, user.id, secret)
    return { secret, url: otpauthUrl(secret, user.email) }
  })
}

/** The offered secret is in use from now on. The recovery codes, shown once. @throws Problem 409, 422 `wrong_code` */
export function confirmTotp(act: Act, code: string): Promise<string[]> {
  const { storage, actor } = act
  return changeOwn(act, async (tx, user) => {
    if (user.hasTotp) throw conflict('totp_set_up', 'A second factor is set up already.')
    const secret = await storage.users.openTotp(tx, storage, user.accountId, user.id)
    if (secret === undefined) throw conflict('totp_not_begun', 'Begin to set up the second factor first.')
    const step = stepOf(secret, code)
    if (step === undefined || !(await storage.users.takeTotpStep(tx, user.accountId, user.id, step)))
      throw new Problem(
        422,
        'wrong_code',
        'This code is not right. Look at the clock of your device, and take the newest code.',
      )
    await storage.users.confirmTotp(tx, user.accountId, user.id)
    await storage.audit.append(tx, {
      ...{ accountId: user.accountId, by: actor, action: 'user.totp_set_up', subject: subjectOf(user) },
    })
    return giveCodes(storage, tx, user)
  })
}

/** New recovery codes; the old ones are worth nothing. @throws Problem 409 */
export function renewRecoveryCodes(act: Act): Promise<string[]> {
  return changeOwn(act, async (tx, user) => {
    if (!user.hasTotp) throw conflict('no_totp', 'There is no second factor. Set one up first.')
    await act.storage.audit.append(tx, {
      ...{ accountId: user.accountId, by: act.actor, action: 'user.recovery_codes_made', subject: subjectOf(user) },
    })
    return giveCodes(act.storage, tx, user)
  })
}

export async function removeTotp(act: Act): Promise<void> {
  await changeOwn(act, async (tx, user) => {
    if (!user.hasTotp) return
    await act.storage.users.removeTotp(tx, user.accountId, user.id)
    await act.storage.audit.append(tx, {
      ...{ accountId: user.accountId, by: act.actor, action: 'user.totp_removed', subject: subjectOf(user) },
    })
  })
}

/** Uses up a code of the authenticator app or a recovery code; false: it is not right, or was used before. */
export function takeCode(storage: Storage, user: User, code: string, by: Actor): Promise<boolean> {
  const { accountId, id } = user
  return storage.write(async (tx) => {
    const recovery = hashRecoveryCode(code)
    if (recovery !== undefined) {
      const isRight = await storage.users.takeRecoveryCode(tx, accountId, id, recovery)
      if (isRight)
        await storage.audit.append(tx, {
          ...{ accountId, by, action: 'user.recovery_code_used', subject: subjectOf(user) },
        })
      return isRight
    }
    const secret = await storage.users.openTotp(tx, storage, accountId, id)
    const step = secret === undefined ? undefined : stepOf(secret, code)
    return step !== undefined && (await storage.users.takeTotpStep(tx, accountId, id, step))
  })
}

/** A bearer token, shown once. @throws Problem 403 for scopes that the asker does not have */
export async function createOwnToken(
  act: Act,
  id: string,
  wish: { readonly name: string; readonly scopes: readonly Permission[]; readonly expiresAt: Date | null },
): Promise<string> {
  const more = wish.scopes.find((scope) => !act.asker.permissions.has(scope))
  if (more !== undefined) throw forbidden(`This needs the permission ${more}: a token may do nothing that you may not.`)
  return changeOwn(act, async (tx, user) => {
    const { text } = await act.storage.tokens.create(tx, { ...wish, id, accountId: user.accountId, userId: user.id })
    await act.storage.audit.append(tx, {
      ...{ accountId: user.accountId, by: act.actor, action: 'token.created' },
      subject: { type: 'token', id, name: wish.name },
      after: { scopes: [...wish.scopes].sort(), expires_at: wish.expiresAt?.toISOString() ?? null },
    })
    return text
  })
}

/** @throws Problem 404 */
export async function revokeOwnToken(act: Act, id: string): Promise<void> {
  const { storage, actor } = act
  await changeOwn(act, async (tx, user) => {
    const token = await storage.tokens.get(tx, user.accountId, id)
    if (token === undefined || token.userId !== user.id) throw notFound('token')
    if (token.revokedAt !== null) return
    await storage.tokens.revoke(tx, user.accountId, id)
    await storage.audit.append(tx, {
      ...{ accountId: user.accountId, by: actor, action: 'token.revoked' },
      subject: { type: 'token', id, name: token.name },
    })
  })
}

/** Ends one of one's sessions. @param id as in the list @throws Problem 404 */
export async function endSession(act: Act, id: string): Promise<void> {
  await changeOwn(act, async (tx, user) => {
    if (!(await act.storage.sessions.endIn(tx, user.accountId, user.id, id))) throw notFound('session')
    await act.storage.audit.append(tx, {
      ...{ accountId: user.accountId, by: act.actor, action: 'session.ended' },
      subject: { type: 'session', id: id.slice(0, 8) },
    })
  })
}

/** Ends one's sessions but the one that asks; how many. */
export function endOtherSessions(act: Act, sessionId: string | undefined): Promise<number> {
  return changeOwn(act, async (tx, user) => {
    const count = await act.storage.sessions.endAllIn(tx, user.accountId, user.id, sessionId)
    if (count > 0)
      await act.storage.audit.append(tx, {
        ...{ accountId: user.accountId, by: act.actor, action: 'session.others_ended', subject: subjectOf(user) },
        after: { count },
      })
    return count
  })
}

/** One transaction that holds one's own row. */
function changeOwn<T>({ storage, asker }: Act, work: (tx: Writer, user: User) => Promise<T>): Promise<T> {
  return storage.write(async (tx) => {
    const user = await storage.users.lock(tx, asker.accountId, asker.userId)
    if (user === undefined) throw notFound('user')
    return work(tx, user)
  })
}

async function giveCodes(storage: Storage, tx: Writer, user: User): Promise<string[]> {
  const codes = newRecoveryCodes()
  const hashes = codes.flatMap((code) => hashRecoveryCode(code) ?? [])
  await storage.users.setRecoveryCodes(tx, user.accountId, user.id, hashes)
  return codes
}
