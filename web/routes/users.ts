/** The people of the account: who they are, and what they may do. */
import { z } from 'zod'
import { changeUser, dropTotp, offerPassword } from '../../backend/users.ts'
import { notFound } from '../../infra/errors.ts'
import type { Availability } from '../../storage/model/words.ts'
import { need } from '../admit.ts'
import { linkShape, personShape, presentPerson } from '../presenters/people.ts'
import type { PersonJson } from '../presenters/people.ts'
import { page } from '../presenters/shapes.ts'
import { availabilityField } from '../presenters/together.ts'
import { emptyBody, route } from '../route.ts'
import type { Call } from '../route.ts'

export const personName = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'Expected no control characters.')
const idList = z.array(z.string().max(64)).max(500)

/** Role and limits, of a user or an invitation. */
export const rightsFields = {
  channel_ids: idList.nullable().optional().describe('limits to these channels; null: every channel'),
  is_team_limited: z.boolean().optional().describe('limits to the conversations of their teams and of no team'),
  team_ids: idList.optional(),
}
export const roleField = z.string().max(40).describe('a built-in role or the id of one of your own')

/** Whether someone is given conversations, and why not. */
export const availabilityFields = {
  availability: availabilityField.optional().describe('whether they are given conversations'),
  availability_reason: z
    .string()
    .trim()
    .max(200)
    .regex(/^[^\p{Cc}]*$/u, 'Expected no control characters.')
    .nullable()
    .optional()
    .describe('why not; kept together with `availability`'),
}

export const availabilityOf = (body: {
  readonly availability?: Availability | undefined
  readonly availability_reason?: string | null | undefined
}) =>
  body.availability === undefined
    ? {}
    : { availability: body.availability, availabilityReason: body.availability_reason ?? null }

/** Words, lower case, each once. */
export const skillsField = z
  .array(
    z
      .string()
      .trim()
      .toLowerCase()
      .min(1)
      .max(50)
      .regex(/^[^\p{Cc}]*$/u, 'Expected no control characters.'),
  )
  .max(50)
  .transform((words) => [...new Set(words)])

const params = z.strictObject({ id: z.string() })

export const userRoutes = [
  route({
    method: 'get',
    path: '/users',
    tag: 'users',
    summary: 'Who works here',
    permission: 'users.read',
    query: z.strictObject({
      include: z.enum(['disabled']).optional().describe('those who cannot sign in any more as well'),
    }),
    answer: page(personShape),
    async handle({ query }, { storage, asker }) {
      if (query.include !== undefined) need(asker, 'users.manage')
      const [users, members] = await Promise.all([
        storage.users.list(storage.fresh, asker.accountId),
        storage.teams.members(storage.fresh, asker.accountId),
      ])
      const shown = users.filter((user) => query.include !== undefined || user.disabledAt === null)
      return { items: shown.map((user) => presentPerson(user, members)), next_cursor: null }
    },
  }),
  route({
    method: 'get',
    path: '/users/:id',
    tag: 'users',
    summary: 'One user',
    permission: 'users.read',
    params,
    answer: personShape,
    handle: ({ params }, call) => answerUser(params.id, call),
  }),
  route({
    method: 'patch',
    path: '/users/:id',
    tag: 'users',
    summary:
      'Change name, role and limits of a user, or disable them: their sessions and tokens end, and what they had is free',
    permission: 'users.manage',
    isSensitive: true,
    params,
    body: z.strictObject({
      name: personName.optional(),
      role: roleField.optional(),
      ...rightsFields,
      is_disabled: z.boolean().optional(),
      ...availabilityFields,
      capacity: z.int().min(0).max(1_000).optional().describe('how many open conversations they are given at most'),
      skills: skillsField.optional(),
    }),
    answer: personShape,
    async handle({ params, body }, call) {
      await changeUser(
        call,
        params.id,
        {
          name: body.name,
          role: body.role,
          channelIds: body.channel_ids,
          isTeamLimited: body.is_team_limited,
          teamIds: body.team_ids,
          isDisabled: body.is_disabled,
        },
        {
          ...availabilityOf(body),
          ...(body.capacity !== undefined && { capacity: body.capacity }),
          ...(body.skills !== undefined && { skills: body.skills }),
        },
      )
      return answerUser(params.id, call)
    },
  }),
  route({
    method: 'post',
    path: '/users/:id/password-link',
    tag: 'users',
    summary: 'A link by which they set a new password: good once, for a day',
    permission: 'users.manage',
    isSensitive: true,
    showsSecret: true,
    params,
    body: emptyBody,
    answer: linkShape,
    status: 201,
    async handle({ params }, call) {
      const { token, expiresAt } = await offerPassword(call, params.id, call.effectId)
      return { id: call.effectId, url: joinUrl(call, token), expires_at: expiresAt.toISOString() }
    },
  }),
  route({
    method: 'delete',
    path: '/users/:id/totp',
    tag: 'users',
    summary: 'Take the second factor from someone who has lost it; their sessions end',
    permission: 'users.manage',
    isSensitive: true,
    params,
    async handle({ params }, call) {
      await dropTotp(call, params.id)
      return undefined
    },
  }),
]

/** What stands behind the `#` does not leave the browser, so no log has it. */
export const joinUrl = ({ config }: Call, token: string): string => `${config.publicUrl}/join#${token}`

async function answerUser(id: string, { storage, asker }: Call): Promise<PersonJson> {
  const user = await storage.users.get(storage.fresh, asker.accountId, id)
  if (user === undefined) throw notFound('user')
  return presentPerson(user, await storage.teams.members(storage.fresh, asker.accountId))
}
