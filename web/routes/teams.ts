/** Teams. */
import { z } from 'zod'
import { changeTeam, createTeam, removeTeam } from '../../backend/teams.ts'
import { notFound } from '../../infra/errors.ts'
import { presentTeam, teamShape } from '../presenters/people.ts'
import type { TeamJson } from '../presenters/people.ts'
import { page } from '../presenters/shapes.ts'
import { assignmentWayField } from '../presenters/together.ts'
import { route } from '../route.ts'
import type { Call } from '../route.ts'
import { skillsField } from './users.ts'

const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}]*$/u, 'Expected no control characters.')
const memberIds = z.array(z.string().max(64)).max(1_000)
const params = z.strictObject({ id: z.string() })

export const teamRoutes = [
  route({
    method: 'get',
    path: '/teams',
    tag: 'teams',
    summary: 'All teams, with their members',
    permission: 'users.read',
    answer: page(teamShape),
    handle: async (_input, call) => ({ items: await listTeams(call), next_cursor: null }),
  }),
  route({
    method: 'post',
    path: '/teams',
    tag: 'teams',
    summary: 'Form a team',
    permission: 'teams.manage',
    body: z.strictObject({
      name,
      member_ids: memberIds.default([]),
      assignment: assignmentWayField.default('manual'),
      skills: skillsField.default([]),
    }),
    answer: teamShape,
    status: 201,
    async handle({ body }, call) {
      await createTeam(call, call.effectId, { ...body, memberIds: body.member_ids })
      return answerTeam(call.effectId, call)
    },
  }),
  route({
    method: 'patch',
    path: '/teams/:id',
    tag: 'teams',
    summary: 'Rename a team, say who is in it, and how its conversations are given out',
    permission: 'teams.manage',
    params,
    body: z.strictObject({
      name: name.optional(),
      member_ids: memberIds.optional(),
      assignment: assignmentWayField.optional().describe('how its conversations are given out'),
      skills: skillsField.optional().describe('what whoever is given one must have among their skills'),
    }),
    answer: teamShape,
    async handle({ params, body }, call) {
      await changeTeam(call, params.id, {
        ...(body.name !== undefined && { name: body.name }),
        ...(body.member_ids !== undefined && { memberIds: body.member_ids }),
        ...(body.assignment !== undefined && { assignment: body.assignment }),
        ...(body.skills !== undefined && { skills: body.skills }),
      })
      return answerTeam(params.id, call)
    },
  }),
  route({
    method: 'delete',
    path: '/teams/:id',
    tag: 'teams',
    summary: 'Dissolve a team; its conversations are with no team afterwards',
    permission: 'teams.manage',
    params,
    async handle({ params }, call) {
      await removeTeam(call, params.id)
      return undefined
    },
  }),
]

async function listTeams({ storage, asker }: Call): Promise<TeamJson[]> {
  const [teams, members] = await Promise.all([
    storage.teams.list(storage.fresh, asker.accountId),
    storage.teams.members(storage.fresh, asker.accountId),
  ])
  return teams.map((team) => presentTeam(team, members))
}

async function answerTeam(id: string, call: Call): Promise<TeamJson> {
  const team = (await listTeams(call)).find((each) => each.id === id)
  if (team === undefined) throw notFound('team')
  return team
}
