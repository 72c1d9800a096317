/** Signing in, signing out, who am I. */
import { z } from 'zod'
import { Problem } from '../../infra/errors.ts'
import { isLimited } from '../../storage/index.ts'
import { askerOf } from '../auth.ts'
import type { Identity } from '../auth.ts'
import { newCsrfToken } from '../csrf.ts'
import { isPassword } from '../passwords.ts'
import type { SessionJson } from '../presenters/shapes.ts'
import { sessionShape } from '../presenters/shapes.ts'
import { presentUser } from '../presenters/user.ts'
import { route } from '../route.ts'
import type { Call } from '../route.ts'

export const sessionRoutes = [
  route({
    method: 'post',
    path: '/session',
    tag: 'session',
    summary: 'Sign in: sets the session cookie',
    permission: 'public',
    body: z.strictObject({
      email: z.string().max(254),
      password: z.string().max(1_000),
      code: z.string().max(20).optional(),
    }),
    answer: sessionShape,
    async handle({ body }, call) {
      const { storage, request } = call
      const limiters = call.parts.signInLimiters
      const address = request.ip ?? ''
      const email = body.email.trim().toLowerCase()
      limiters.byAddress.check(address)
      limiters.byEmail.check(email)
      const user = await storage.users.byEmail(storage.primary, email)
      const isRight = await isPassword(body.password, user?.disabledAt === null ? user.passwordHash : undefined)
      if (user === undefined || !isRight) {
        limiters.byAddress.take(address)
        limiters.byEmail.take(email)
        throw new Problem(401, 'wrong_credentials', 'The e-mail address or the password is not right.')
      }
      // A new id: one that was planted before signing in is worth nothing.
      await new Promise<void>((resolve, reject) => {
        request.session.regenerate((error: unknown) => {
          if (error === undefined || error === null) resolve()
          else reject(new Error('no session could be begun', { cause: error }))
        })
      })
      const csrf = newCsrfToken()
      Object.assign(request.session, {
        userId: user.id,
        accountId: user.accountId,
        csrf,
        signedInAt: Date.now(),
        confirmedAt: Date.now(),
        address,
        agent: request.get('user-agent') ?? '',
      })
      await new Promise<void>((resolve, reject) => {
        request.session.save((error: unknown) => {
          if (error === undefined || error === null) resolve()
          else reject(new Error('the session could not be kept', { cause: error }))
        })
      })
      const needing = user.hasTotp ? [] : await storage.roles.needingTotp(storage.primary, user.accountId)
      return presentSession(call, {
        ...{ user, csrf, asker: await askerOf(storage, user, null), mustEnrol: needing.includes(user.role) },
      })
    },
  }),
  route({
    method: 'get',
    path: '/session',
    tag: 'session',
    summary: 'Who am I',
    permission: 'none',
    isBeforeTotp: true,
    answer: sessionShape,
    handle: (_input, call) => presentSession(call, knownOf(call)),
  }),
  route({
    method: 'delete',
    path: '/session',
    tag: 'session',
    summary: 'Sign out',
    permission: 'none',
    isBeforeTotp: true,
    async handle(_input, { request, response, identity }) {
      if (identity?.kind !== 'session')
        throw new Problem(409, 'no_session', 'A token is no session; it is revoked, not signed out.')
      await new Promise<void>((resolve, reject) => {
        request.session.destroy((error: unknown) => {
          if (error === undefined || error === null) resolve()
          else reject(new Error('the session could not be ended', { cause: error }))
        })
      })
      response.clearCookie('parley')
      return undefined
    },
  }),
]

function knownOf(call: Call): Identity {
  if (call.identity === undefined) throw new Problem(401, 'not_signed_in', 'Please sign in.')
  return call.identity
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
