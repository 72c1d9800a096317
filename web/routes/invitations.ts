/** Coming in by a link. */
import { z } from 'zod'
import { acceptLink, invitationMs, inviteUser, readLink, withdrawInvitation } from '../../backend/invitations.ts'
import { invalid } from '../../infra/errors.ts'
import { actorOf } from '../admit.ts'
import { admitPassword } from '../password-rules.ts'
import { hashPassword } from '../passwords.ts'
import { invitationShape, linkContentShape, linkShape, presentInvitation } from '../presenters/people.ts'
import { page } from '../presenters/shapes.ts'
import { route } from '../route.ts'
import type { Call } from '../route.ts'
import { joinUrl, personName, rightsFields, roleField } from './users.ts'

const token = z.string().min(1).max(100).describe('what stands behind the # of the link')
export const languageField = z.enum(['en', 'de'])

export const invitationRoutes = [
  route({
    method: 'get',
    path: '/invitations',
    tag: 'users',
    summary: 'Invitations that have not been accepted',
    permission: 'users.manage',
    answer: page(invitationShape),
    async handle(_input, { storage, asker }) {
      const items = await storage.invitations.list(storage.fresh, asker.accountId)
      return { items: items.map(presentInvitation), next_cursor: null }
    },
  }),
  route({
    method: 'post',
    path: '/invitations',
    tag: 'users',
    summary: 'Invite someone: gives a link that is good once, for a week',
    permission: 'users.manage',
    isSensitive: true,
    showsSecret: true,
    body: z.strictObject({ email: z.email().max(254), role: roleField, ...rightsFields }),
    answer: linkShape,
    status: 201,
    async handle({ body }, call) {
      const { token } = await inviteUser(call, call.effectId, {
        email: body.email,
        role: body.role,
        channelIds: body.channel_ids ?? null,
        isTeamLimited: body.is_team_limited ?? false,
        teamIds: body.team_ids ?? [],
      })
      const expiresAt = new Date(Date.now() + invitationMs)
      return { id: call.effectId, url: joinUrl(call, token), expires_at: expiresAt.toISOString() }
    },
  }),
  route({
    method: 'delete',
    path: '/invitations/:id',
    tag: 'users',
    summary: 'Withdraw an invitation: its link is worth nothing any more',
    permission: 'users.manage',
    params: z.strictObject({ id: z.string() }),
    async handle({ params }, call) {
      await withdrawInvitation(call, params.id)
      return undefined
    },
  }),
  route({
    method: 'post',
    path: '/join/look',
    tag: 'users',
    summary: 'What a link is for',
    permission: 'public',
    body: z.strictObject({ token }),
    answer: linkContentShape,
    async handle({ body }, call) {
      const link = await limited(call, () => readLink(call.storage, body.token))
      const account = await call.storage.accounts.get(call.storage.primary, link.accountId)
      return {
        kind: link.userId === null ? 'invitation' : 'password',
        email: link.email,
        account: account?.name ?? '',
      }
    },
  }),
  route({
    method: 'post',
    path: '/join',
    tag: 'users',
    summary: 'Use a link up: join with a name and a password, or set a new password. Then sign in',
    permission: 'public',
    body: z.strictObject({
      token,
      name: personName.optional().describe('needed to join'),
      password: z.string().max(1_000),
      language: languageField.optional(),
    }),
    async handle({ body }, call) {
      const link = await limited(call, () => readLink(call.storage, body.token))
      if (link.userId === null && body.name === undefined)
        throw invalid([{ field: 'name', message: 'Expected your name.' }])
      await admitPassword(body.password, [link.email, body.name ?? ''])
      const passwordHash = await hashPassword(body.password)
      const given = { name: body.name ?? '', passwordHash, language: body.language ?? 'en' }
      await acceptLink(call.storage, body.token, given, actorOf(undefined, call.request))
      return undefined
    },
  }),
]

/** Links are too long to guess; trying costs as much as trying passwords all the same. */
async function limited<T>({ parts, request }: Call, work: () => Promise<T>): Promise<T> {
  const { byAddress } = parts.signInLimiters
  const address = request.ip ?? ''
  byAddress.take(address)
  const result = await work()
  byAddress.give(address)
  return result
}
