/** Teams: who works together. */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import type { AssignmentWay } from '../model/words.ts'

export interface Team {
  readonly id: string
  readonly accountId: string
  readonly name: string
  /** How its conversations are given out, and … */
  readonly assignment: AssignmentWay
  /** … which words all who are given one must have among their skills. */
  readonly skills: readonly string[]
}

type Row = Omit<Team, 'skills'> & { readonly skills: readonly string[] | null }

const columns = 'id, account_id accountId, name, assignment, skills'
const present = (row: Row): Team => ({ ...row, skills: row.skills ?? [] })

export const teams = {
  async list(reader: Reader, accountId: string): Promise<Team[]> {
    const rows = await reader.query<Row>(`select ${columns} from teams where account_id = ? order by name, id`, [
      accountId,
    ])
    return rows.map(present)
  },

  async get(reader: Reader, accountId: string, id: string): Promise<Team | undefined> {
    const row = await reader.first<Row>(`select ${columns} from teams where account_id = ? and id = ?`, [accountId, id])
    return row && present(row)
  },

  async lock(tx: Writer, accountId: string, id: string): Promise<Team | undefined> {
    const row = await tx.first<Row>(`select ${columns} from teams where account_id = ? and id = ? for update`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  /** The name is unique in the account (ER_DUP_ENTRY). */
  async create(
    tx: Writer,
    team: Pick<Team, 'accountId' | 'name'> & { readonly id?: string | undefined },
  ): Promise<string> {
    const id = team.id ?? newId()
    await tx.run(
      'insert into teams (id, account_id, name, created_at, updated_at) values (?, ?, ?, utc_timestamp(3), utc_timestamp(3))',
      [id, team.accountId, team.name],
    )
    return id
  },

  async rename(tx: Writer, accountId: string, id: string, name: string): Promise<void> {
    await tx.run('update teams set name = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ?', [
      name,
      accountId,
      id,
    ])
  },

  async setAssignment(
    tx: Writer,
    { accountId, id, assignment, skills }: Pick<Team, 'accountId' | 'id' | 'assignment' | 'skills'>,
  ): Promise<void> {
    await tx.run(
      'update teams set assignment = ?, skills = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ?',
      [assignment, JSON.stringify(skills), accountId, id],
    )
  },

  /** Its conversations belong to no team afterwards. */
  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('delete from team_members where account_id = ? and team_id = ?', [accountId, id])
    await tx.run('update conversations set team_id = null where account_id = ? and team_id = ?', [accountId, id])
    await tx.run('delete from assignment_turns where account_id = ? and queue_id = ?', [accountId, id])
    await tx.run('delete from teams where account_id = ? and id = ?', [accountId, id])
  },

  /** The members of each team, by the team's id. */
  async members(reader: Reader, accountId: string): Promise<Map<string, string[]>> {
    const rows = await reader.query<{ teamId: string; userId: string }>(
      'select team_id teamId, user_id userId from team_members where account_id = ? order by team_id, user_id',
      [accountId],
    )
    return new Map([...Map.groupBy(rows, (row) => row.teamId)].map(([id, of]) => [id, of.map(({ userId }) => userId)]))
  },

  async ofUser(reader: Reader, accountId: string, userId: string): Promise<string[]> {
    const rows = await reader.query<{ teamId: string }>(
      'select team_id teamId from team_members where account_id = ? and user_id = ? order by team_id',
      [accountId, userId],
    )
    return rows.map(({ teamId }) => teamId)
  },

  async setMembers(tx: Writer, accountId: string, teamId: string, userIds: readonly string[]): Promise<void> {
    await tx.run('delete from team_members where account_id = ? and team_id = ?', [accountId, teamId])
    await tx.insertMany(
      'team_members',
      ['account_id', 'team_id', 'user_id'],
      [...new Set(userIds)].map((userId) => [accountId, teamId, userId]),
    )
  },

  async setOfUser(tx: Writer, accountId: string, userId: string, teamIds: readonly string[]): Promise<void> {
    await tx.run('delete from team_members where account_id = ? and user_id = ?', [accountId, userId])
    await tx.insertMany(
      'team_members',
      ['account_id', 'team_id', 'user_id'],
      [...new Set(teamIds)].map((teamId) => [accountId, teamId, userId]),
    )
  },
}
