/** What is one's own: name, password, second factor, sessions, tokens. */
import { z } from 'zod'
import {
  changePassword,
  changeProfile,
  confirmTotp,
  createOwnToken,
  endOtherSessions,
  endSession,
  offerTotp,
  removeTotp,
  renewRecoveryCodes,
  revokeOwnToken,
} from '../../backend/profile.ts'
import { invalid, notFound } from '../../infra/errors.ts'
import { hashSessionId } from '../../storage/index.ts'
import { admitPassword } from '../password-rules.ts'
import { hashPassword } from '../passwords.ts'
import {
  newTokenShape,
  ownSessionShape,
  permissionField,
  presentOwnSession,
  presentToken,
  tokenShape,
} from '../presenters/people.ts'
import { page, userShape } from '../presenters/shapes.ts'
import { presentUser } from '../presenters/user.ts'
import { emptyBody, route } from '../route.ts'
import { languageField } from './invitations.ts'
import { needSession } from './session.ts'
import { availabilityFields, availabilityOf, personName } from './users.ts'

const params = z.strictObject({ id: z.string() })
const codesShape = z.object({ recovery_codes: z.array(z.string()).describe('shown only now; each is good once') })
const zones: ReadonlySet<string> = new Set([...Intl.supportedValuesOf('timeZone'), 'UTC'])
const longestTokenMs = 5 * 366 * 86_400_000

export const profileRoutes = [
  route({
    method: 'patch',
    path: '/profile',
    tag: 'profile',
    summary: 'Change your own name, language and time zone, and whether you are given conversations',
    permission: 'none',
    body: z.strictObject({
      name: personName.optional(),
      language: languageField.optional(),
      time_zone: z
        .string()
        .max(50)
        .refine((zone) => zones.has(zone), 'Expected an IANA time zone.')
        .optional(),
      ...availabilityFields,
    }),
    answer: userShape,
    async handle({ body }, call) {
      const change = {
        ...(body.name !== undefined && { name: body.name }),
        ...(body.language !== undefined && { language: body.language }),
        ...(body.time_zone !== undefined && { timeZone: body.time_zone }),
      }
      await changeProfile(call, change, availabilityOf(body))
      const user = await call.storage.users.get(call.storage.primary, call.asker.accountId, call.asker.userId)
      if (user === undefined) throw notFound('user')
      call.parts.auth.forget(user)
      return presentUser(user)
    },
  }),
  route({
    method: 'patch',
    path: '/profile/password',
    tag: 'profile',
    summary: 'Set a new password of your own; your other sessions end',
    permission: 'none',
    isSensitive: true,
    body: z.strictObject({ password: z.string().max(1_000).describe('the new one') }),
    async handle({ body }, call) {
      const { user } = needSession(call)
      await admitPassword(body.password, [user.email, user.name])
      await changePassword(call, await hashPassword(body.password), call.request.sessionID)
      return undefined
    },
  }),
  route({
    method: 'post',
    path: '/profile/totp',
    tag: 'profile',
    summary: 'Begin to set up a second factor: gives the secret for an authenticator app',
    permission: 'none',
    isSensitive: true,
    isBeforeTotp: true,
    showsSecret: true,
    body: emptyBody,
    answer: z.object({ secret: z.string(), url: z.string().describe('otpauth: for a QR code') }),
    status: 201,
    handle(_input, call) {
      needSession(call)
      return offerTotp(call)
    },
  }),
  route({
    method: 'post',
    path: '/profile/totp/confirm',
    tag: 'profile',
    summary: 'Prove that the authenticator app works; from now on signing in asks for its code',
    permission: 'none',
    isSensitive: true,
    isBeforeTotp: true,
    showsSecret: true,
    body: z.strictObject({ code: z.string().min(1).max(20) }),
    answer: codesShape,
    async handle({ body }, call) {
      const { user } = needSession(call)
      call.parts.signInLimiters.byEmail.take(user.email)
      const codes = await confirmTotp(call, body.code)
      call.parts.signInLimiters.byEmail.give(user.email)
      call.parts.auth.forget(user)
      return { recovery_codes: codes }
    },
  }),
  route({
    method: 'delete',
    path: '/profile/totp',
    tag: 'profile',
    summary: 'Remove your second factor',
    permission: 'none',
    isSensitive: true,
    async handle(_input, call) {
      const { user } = needSession(call)
      await removeTotp(call)
      call.parts.auth.forget(user)
      return undefined
    },
  }),
  route({
    method: 'post',
    path: '/profile/recovery-codes',
    tag: 'profile',
    summary: 'New recovery codes; the old ones are worth nothing',
    permission: 'none',
    isSensitive: true,
    showsSecret: true,
    body: emptyBody,
    answer: codesShape,
    status: 201,
    async handle(_input, call) {
      needSession(call)
      return { recovery_codes: await renewRecoveryCodes(call) }
    },
  }),
  route({
    method: 'get',
    path: '/sessions',
    tag: 'profile',
    summary: 'Where you are signed in',
    permission: 'none',
    answer: page(ownSessionShape),
    async handle(_input, { storage, asker, identity, request }) {
      const sessions = await storage.sessions.list(asker.accountId, asker.userId)
      const current = identity?.kind === 'session' ? hashSessionId(request.sessionID).toString('hex') : undefined
      return { items: sessions.map((session) => presentOwnSession(session, current)), next_cursor: null }
    },
  }),
  route({
    method: 'delete',
    path: '/sessions',
    tag: 'profile',
    summary: 'End all of your sessions but this one',
    permission: 'none',
    async handle(_input, call) {
      await endOtherSessions(call, call.identity?.kind === 'session' ? call.request.sessionID : undefined)
      return undefined
    },
  }),
  route({
    method: 'delete',
    path: '/sessions/:id',
    tag: 'profile',
    summary: 'End one of your sessions',
    permission: 'none',
    params,
    async handle({ params }, call) {
      await endSession(call, params.id)
      return undefined
    },
  }),
  route({
    method: 'get',
    path: '/tokens',
    tag: 'profile',
    summary: 'Your own bearer tokens, those that are over as well',
    permission: 'none',
    answer: page(tokenShape),
    async handle(_input, { storage, asker }) {
      const tokens = await storage.tokens.list(storage.fresh, asker.accountId, asker.userId)
      return { items: tokens.map(presentToken), next_cursor: null }
    },
  }),
  route({
    method: 'post',
    path: '/tokens',
    tag: 'profile',
    summary: 'A bearer token that may do a part of what you may',
    permission: 'none',
    isSensitive: true,
    showsSecret: true,
    body: z.strictObject({
      name: personName,
      scopes: z.array(permissionField).min(1).max(200),
      expires_at: z.iso.datetime({ offset: true }).nullable().optional(),
    }),
    answer: newTokenShape,
    status: 201,
    async handle({ body }, call) {
      const expiresAt = body.expires_at == null ? null : new Date(body.expires_at)
      if (
        expiresAt !== null &&
        !(expiresAt.getTime() > Date.now() && expiresAt.getTime() < Date.now() + longestTokenMs)
      )
        throw invalid([{ field: 'expires_at', message: 'Expected an instant within the next five years.' }])
      const text = await createOwnToken(call, call.effectId, {
        ...{ name: body.name, scopes: [...new Set(body.scopes)], expiresAt },
      })
      const token = await call.storage.tokens.get(call.storage.primary, call.asker.accountId, call.effectId)
      if (token === undefined) throw notFound('token')
      return { ...presentToken(token), token: text }
    },
  }),
  route({
    method: 'delete',
    path: '/tokens/:id',
    tag: 'profile',
    summary: 'Revoke one of your tokens',
    permission: 'none',
    params,
    async handle({ params }, call) {
      await revokeOwnToken(call, params.id)
      return undefined
    },
  }),
]
