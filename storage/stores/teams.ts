/** Teams: who works together. */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'

export interface Team {
  readonly id: string
  readonly accountId: string
  readonly name: string
}

const columns = 'id, account_id accountId, name'

export const teams = {
  list(reader: Reader, accountId: string): Promise<Team[]> {
    return reader.query<Team>(`select ${columns} from teams where account_id = ? order by name, id`, [accountId])
  },

  get(reader: Reader, accountId: string, id: string): Promise<Team | undefined> {
    return reader.first<Team>(`select ${columns} from teams where account_id = ? and id = ?`, [accountId, id])
  },

  lock(tx: Writer, accountId: string, id: string): Promise<Team | undefined> {
    return tx.first<Team>(`select ${columns} from teams where account_id = ? and id = ? for update`, [accountId, id])
  },

  /** The name is unique in the account (ER_DUP_ENTRY). */
  async create(tx: Writer, team: Omit<Team, 'id'> & { readonly id?: string | undefined }): Promise<string> {
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

  /** Its conversations belong to no team afterwards. */
  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('delete from team_members where account_id = ? and team_id = ?', [accountId, id])
    await tx.run('update conversations set team_id = null where account_id = ? and team_id = ?', [accountId, id])
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
