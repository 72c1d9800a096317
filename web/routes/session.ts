/** Signing in, signing out, who am I. */
import type { Request } from 'express'
import { z } from 'zod'
import { takeCode } from '../../backend/profile.ts'
import { Problem } from '../../infra/errors.ts'
import { hashSessionId, isLimited } from '../../storage/index.ts'
import type { Actor, Storage, User } from '../../storage/index.ts'
import { actorOf } from '../admit.ts'
import { askerOf } from '../auth.ts'
import type { Identity } from '../auth.ts'
import { newCsrfToken } from '../csrf.ts'
import { isPassword } from '../passwords.ts'
import type { SessionJson } from '../presenters/shapes.ts'
import { sessionShape } from '../presenters/shapes.ts'
import { presentUser } from '../presenters/user.ts'
import { route } from '../route.ts'
import type { Call } from '../route.ts'

const password = z.string().max(1_000)
const code = z.string().max(40).describe('of the authenticator app, or a recovery code')

export const sessionRoutes = [
  route({
    method: 'post',
    path: '/session',
    tag: 'session',
    summary: 'Sign in: sets the session cookie; 401 `totp_required` asks for the code of the second factor',
    permission: 'public',
    body: z.strictObject({ email: z.string().max(254), password, code: code.optional() }),
    answer: sessionShape,
    async handle({ body }, call) {
      const { storage, request } = call
      const email = body.email.trim().toLowerCase()
      const user = await limited(call, email, async () => {
        const found = await storage.users.byEmail(storage.primary, email)
        const isRight = await isPassword(body.password, found?.disabledAt === null ? found.passwordHash : undefined)
        if (found === undefined) return undefined
        if (!isRight) await noteFailure(call, found, 'password')
        return isRight && (await hasSecondFactor(call, found, body.code)) ? found : undefined
      })
      await renew(request)
      const csrf = newCsrfToken()
      const now = Date.now()
      Object.assign(request.session, {
        ...{ userId: user.id, accountId: user.accountId, csrf, signedInAt: now, confirmedAt: now },
        ...{ address: request.ip ?? '', agent: request.get('user-agent') ?? '' },
      })
      await save(request)
      await storage.write((tx) =>
        storage.audit.append(tx, {
          ...{ accountId: user.accountId, by: actorAs(user, request), action: 'session.begun' },
          subject: { type: 'session', id: sessionName(request) },
        }),
      )
      const asker = await askerOf(storage, user, null)
      return presentSession(call, { user, csrf, asker, mustEnrol: await mustEnrol(storage, user) })
    },
  }),
  route({
    method: 'get',
    path: '/session',
    tag: 'session',
    summary: 'Who am I, and what may I do',
    permission: 'none',
    isBeforeTotp: true,
    answer: sessionShape,
    handle: (_input, call) => presentSession(call, sessionOrToken(call)),
  }),
  route({
    method: 'patch',
    path: '/session',
    tag: 'session',
    summary: 'Give the password again: opens sensitive acts for ten minutes',
    permission: 'none',
    isBeforeTotp: true,
    body: z.strictObject({ password, code: code.optional() }),
    async handle({ body }, call) {
      const { request } = call
      const { user } = needSession(call)
      await limited(call, user.email, async () => {
        const isRight = await isPassword(body.password, user.passwordHash)
        if (!isRight) await noteFailure(call, user, 'password')
        return isRight && (await hasSecondFactor(call, user, body.code)) ? user : undefined
      })
      request.session.confirmedAt = Date.now()
      await save(request)
      return undefined
    },
  }),
  route({
    method: 'delete',
    path: '/session',
    tag: 'session',
    summary: 'Sign out',
    permission: 'none',
    isBeforeTotp: true,
    async handle(_input, call) {
      const { storage, request, response, actor } = call
      const { user } = needSession(call)
      const id = sessionName(request)
      await end(request)
      await storage.write((tx) =>
        storage.audit.append(tx, {
          ...{ accountId: user.accountId, by: actor, action: 'session.ended', subject: { type: 'session', id } },
        }),
      )
      response.clearCookie('parley')
      return undefined
    },
  }),
]

/** Whoever asks by a session. @throws Problem 409 for a token */
export function needSession(call: Call): Identity {
  const identity = sessionOrToken(call)
  if (identity.kind === 'session') return identity
  throw new Problem(409, 'no_session', 'A token is no session. Sign in to do this.')
}

function sessionOrToken(call: Call): Identity {
  if (call.identity === undefined) throw new Problem(401, 'not_signed_in', 'Please sign in.')
  return call.identity
}

/**
 * Tries to prove who someone is. Each try costs before it is looked at, so that many at once are no way around the limit; one
 * that is right costs nothing. @throws Problem 401, 429
 */
async function limited(call: Call, email: string, prove: () => Promise<User | undefined>): Promise<User> {
  const { byAddress, byEmail } = call.parts.signInLimiters
  const address = call.request.ip ?? ''
  byAddress.take(address)
  byEmail.take(email)
  const giveBack = (): void => {
    byAddress.give(address)
    byEmail.give(email)
  }
  let user: User | undefined
  try {
    user = await prove()
  } catch (error) {
    // The password was right; the code has not been tried yet.
    if (error instanceof Problem && error.code === 'totp_required') giveBack()
    throw error
  }
  if (user === undefined)
    throw new Problem(401, 'wrong_credentials', 'The e-mail address or the password is not right.')
  giveBack()
  return user
}

/** @throws Problem 401 `totp_required`, `wrong_code` */
async function hasSecondFactor(call: Call, user: User, given: string | undefined): Promise<boolean> {
  if (!user.hasTotp) return true
  if (given === undefined || given.trim() === '')
    throw new Problem(401, 'totp_required', 'Please give the code of your authenticator app, or a recovery code.')
  if (await takeCode(call.storage, user, given, actorAs(user, call.request))) return true
  await noteFailure(call, user, 'code')
  throw new Problem(401, 'wrong_code', 'This code is not right, or was used before. Take the newest one.')
}

function noteFailure({ storage, request }: Call, user: User, what: 'password' | 'code'): Promise<void> {
  return storage.write((tx) =>
    storage.audit.append(tx, {
      ...{ accountId: user.accountId, by: { ...actorOf(undefined, request), name: 'Somebody' } },
      ...{ action: 'session.failed', subject: { type: 'user', id: user.id, name: user.name }, after: { wrong: what } },
    }),
  )
}

const actorAs = (user: User, request: Request): Actor => ({
  ...actorOf(undefined, request),
  ...{ userId: user.id, name: user.name, via: `session ${sessionName(request)}` },
})

/** What the audit log calls a session. */
const sessionName = (request: Request): string => hashSessionId(request.sessionID).toString('hex').slice(0, 8)

async function mustEnrol(storage: Storage, user: User): Promise<boolean> {
  return !user.hasTotp && (await storage.roles.needingTotp(storage.primary, user.accountId)).includes(user.role)
}

/** A new id: one that was planted before signing in is worth nothing. */
const renew = (request: Request): Promise<void> => done('begun', (tell) => request.session.regenerate(tell))
const save = (request: Request): Promise<void> => done('kept', (tell) => request.session.save(tell))
const end = (request: Request): Promise<void> => done('ended', (tell) => request.session.destroy(tell))

function done(what: string, act: (tell: (error: unknown) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    act((error) => {
      if (error === undefined || error === null) resolve()
      else reject(new Error(`the session could not be ${what}`, { cause: error }))
    })
  })
}

async function presentSession(
  { storage, config }: Call,
  { user, csrf, asker, mustEnrol }: Pick<Identity, 'user' | 'csrf' | 'asker' | 'mustEnrol'>,
): Promise<SessionJson> {
  const account = await storage.accounts.get(storage.primary, user.accountId)
  return {
    user: presentUser(user),
    account: { id: user.accountId, name: account?.name ?? '' },
    csrf_token: csrf ?? null,
    permissions: [...asker.permissions],
    is_limited: isLimited(asker.scope),
    totp: { is_set_up: user.hasTotp, is_needed: mustEnrol },
    demo: config.demo,
  }
}
