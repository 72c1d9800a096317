/** Whether people are let in as they were, asked for many at once: whoever keeps a line open need not be asked for one by one. */
import type { Reader } from '../database.ts'
import { inList } from './in-list.ts'

const atOnce = 500

export const standing = {
  /**
   * All that decides what each of these users may do and where, as one text: if it is as it was, so are their rights. None for users
   * that are gone.
   */
  async rightsOf(reader: Reader, accountId: string, userIds: readonly string[]): Promise<Map<string, string>> {
    const [account, roles] = await Promise.all([
      reader.first<{ rights: string | null }>('select cast(totp_roles as char) rights from accounts where id = ?', [
        accountId,
      ]),
      reader.query<{ id: string; rights: string }>(
        'select id, cast(permissions as char) rights from roles where account_id = ?',
        [accountId],
      ),
    ])
    const byRole = new Map(roles.map(({ id, rights }) => [id, rights]))
    const found = new Map<string, string>()
    for (const some of portions(userIds)) {
      const list = inList(some)
      const [users, teams] = await Promise.all([
        reader.query<{ id: string; role: string; rights: string }>(
          `select id, role, concat_ws('|', role, coalesce(cast(channel_ids as char), '-'), is_team_limited, totp_since is null, disabled_at is null) rights
           from users where account_id = ? and id in ${list.sql}`,
          [accountId, ...list.values],
        ),
        reader.query<{ id: string; teamId: string }>(
          `select user_id id, team_id teamId from team_members where account_id = ? and user_id in ${list.sql} order by user_id, team_id`,
          [accountId, ...list.values],
        ),
      ])
      const teamsOf = Map.groupBy(teams, ({ id }) => id)
      for (const { id, role, rights } of users) {
        const ofTeams = (teamsOf.get(id) ?? []).map(({ teamId }) => teamId).join()
        found.set(id, [rights, byRole.get(role) ?? '', account?.rights ?? '', ofTeams].join('\n'))
      }
    }
    return found
  },

  /** Those of these tokens that hold still. */
  async validTokens(reader: Reader, ids: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>()
    for (const some of portions(ids)) {
      const list = inList(some)
      const rows = await reader.query<{ id: string }>(
        `select id from tokens where id in ${list.sql} and revoked_at is null and (expires_at is null or expires_at > utc_timestamp(3))`,
        list.values,
      )
      for (const { id } of rows) found.add(id)
    }
    return found
  },

  /** Those of these sessions, by the hash of their ids in hexadecimal, that have not ended, with their user. */
  async validSessions(reader: Reader, hashes: readonly string[]): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    for (const some of portions(hashes)) {
      const list = inList(some.map((hash) => Buffer.from(hash, 'hex')))
      const rows = await reader.query<{ hash: Buffer; userId: string | null }>(
        `select id_hash hash, user_id userId from sessions where id_hash in ${list.sql} and expires_at > utc_timestamp(3)`,
        list.values,
      )
      for (const { hash, userId } of rows) if (userId !== null) found.set(hash.toString('hex'), userId)
    }
    return found
  },
}

function* portions(all: readonly string[]): Generator<readonly string[]> {
  const each = [...new Set(all)]
  for (let from = 0; from < each.length; from += atOnce) yield each.slice(from, from + atOnce)
}
