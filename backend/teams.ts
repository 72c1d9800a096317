/** Teams: made, named, filled and dissolved. */
import { codeOf, conflict, invalid, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import type { Writer } from '../storage/index.ts'
import type { AssignmentWay } from '../storage/model/words.ts'
import type { Act } from './act.ts'

export interface TeamWish {
  readonly name: string
  readonly memberIds: readonly string[]
  /** How its conversations are given out, and which skills whoever is given one needs. */
  readonly assignment: AssignmentWay
  readonly skills: readonly string[]
}

/** @throws Problem 409 `team_exists`, 422 */
export function createTeam(act: Act, id: string, wish: TeamWish): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  return unique(
    storage.write(async (tx) => {
      await checkMembers(act, tx, wish.memberIds)
      await storage.teams.create(tx, { id, accountId, name: wish.name })
      await storage.teams.setMembers(tx, accountId, id, wish.memberIds)
      await storage.teams.setAssignment(tx, { ...wish, accountId, id })
      await storage.audit.append(tx, {
        ...{ accountId, by: actor, action: 'team.created', subject: { type: 'team', id, name: wish.name } },
        after: fieldsOf(wish),
      })
    }),
  )
}

/** @throws Problem 404, 409 `team_exists`, 422 */
export function changeTeam(act: Act, id: string, change: Partial<TeamWish>): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  return unique(
    storage.write(async (tx) => {
      const team = isId(id) ? await storage.teams.lock(tx, accountId, id) : undefined
      if (team === undefined) throw notFound('team')
      const memberIds = (await storage.teams.members(tx, accountId)).get(id) ?? []
      if (change.memberIds !== undefined) {
        await checkMembers(act, tx, change.memberIds)
        await storage.teams.setMembers(tx, accountId, id, change.memberIds)
      }
      if (change.name !== undefined) await storage.teams.rename(tx, accountId, id, change.name)
      const before = { ...team, memberIds }
      const after = { ...before, ...change }
      await storage.teams.setAssignment(tx, after)
      await storage.audit.append(tx, {
        ...{
          accountId,
          by: actor,
          action: 'team.changed',
          subject: { type: 'team', id, name: after.name },
        },
        before: fieldsOf(before),
        after: fieldsOf(after),
      })
    }),
  )
}

/** Its conversations are with no team afterwards. @throws Problem 404 */
export async function removeTeam({ storage, actor, asker }: Act, id: string): Promise<void> {
  const { accountId } = asker
  await storage.write(async (tx) => {
    const team = isId(id) ? await storage.teams.lock(tx, accountId, id) : undefined
    if (team === undefined) throw notFound('team')
    const memberIds = (await storage.teams.members(tx, accountId)).get(id) ?? []
    await storage.teams.remove(tx, accountId, id)
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'team.removed', subject: { type: 'team', id, name: team.name } },
      before: fieldsOf({ ...team, memberIds }),
    })
  })
}

async function checkMembers({ storage, asker }: Act, tx: Writer, memberIds: readonly string[]): Promise<void> {
  const known = new Set((await storage.users.list(tx, asker.accountId)).map((user) => user.id))
  if (!memberIds.every((id) => known.has(id)))
    throw invalid([{ field: 'member_ids', message: 'There is no such user.' }])
}

const fieldsOf = ({ name, memberIds, assignment, skills }: TeamWish) => ({
  name,
  member_ids: [...memberIds].sort(),
  assignment,
  skills: [...skills].sort(),
})

async function unique(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (codeOf(error) === 'ER_DUP_ENTRY') throw conflict('team_exists', 'There is a team of this name already.')
    throw error
  }
}
