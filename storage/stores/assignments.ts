/** Who is given which conversation: those that wait and that nobody has, who may be given one, and whose turn it is. */
import type { Reader, SqlValue, Writer } from '../database.ts'
import type { AssignmentWay, Availability } from '../model/words.ts'
import { inList } from './in-list.ts'

/** Conversations that wait for one team, or (null) for no team in particular. */
export interface Queue {
  readonly teamId: string | null
  readonly way: AssignmentWay
  /** All of these whoever is given one must have. */
  readonly skills: readonly string[]
}

/** One that waits for somebody. */
export interface Waiting {
  readonly id: string
  readonly channelId: string
  readonly teamId: string | null
  readonly waitingSince: Date
}

/** Somebody who is there, and may be given conversations by the queue. */
export interface Taker {
  readonly id: string
  readonly role: string
  readonly capacity: number
  readonly skills: readonly string[]
  /** null: every channel. */
  readonly channelIds: readonly string[] | null
  /** When they were given one last; 0: never. */
  readonly turn: number
}

export interface WaitingFilter {
  /** null: those of no team. */
  readonly teamIds: readonly (string | null)[]
  /** undefined: of any channel. */
  readonly channelIds?: readonly string[] | undefined
  /** Where the page before ended. */
  readonly after?: Pick<Waiting, 'id' | 'waitingSince'> | undefined
  readonly limit: number
}

/** What an account says of giving out. */
export interface AssignmentSettings {
  readonly assignment: AssignmentWay
  readonly goesOffline: boolean
}

/** Whoever was or is there, and is taken for the contrary. */
export interface Absence {
  readonly accountId: string
  readonly userId: string
}

const isWaiting = "assignee_id is null and status = 'open' and waiting_since is not null"
const queuesAtOnce = 50

export const assignments = {
  async settings(reader: Reader, accountId: string): Promise<AssignmentSettings> {
    const row = await reader.first<{ assignment: AssignmentWay; goes: number }>(
      'select assignment, goes_offline goes from accounts where id = ?',
      [accountId],
    )
    return { assignment: row?.assignment ?? 'manual', goesOffline: row?.goes === 1 }
  },

  async change(tx: Writer, accountId: string, { assignment, goesOffline }: AssignmentSettings): Promise<void> {
    await tx.run('update accounts set assignment = ?, goes_offline = ? where id = ?', [
      assignment,
      goesOffline,
      accountId,
    ])
  },

  /** Accounts in which anything is given out without somebody asking. */
  async accounts(reader: Reader): Promise<string[]> {
    const rows = await reader.query<{ id: string }>(
      "select id from accounts where assignment <> 'manual' union select account_id from teams where assignment <> 'manual' order by 1",
    )
    return rows.map(({ id }) => id)
  },

  /** The account's queues that are given out, those of teams first. */
  async queues(reader: Reader, accountId: string): Promise<Queue[]> {
    const rows = await reader.query<{ teamId: string | null; way: AssignmentWay; skills: string[] | null }>(
      `select id teamId, assignment way, skills from teams where account_id = ? and assignment <> 'manual'
       union all select null, assignment, null from accounts where id = ? and assignment <> 'manual'`,
      [accountId, accountId],
    )
    return rows
      .map((row) => ({ ...row, skills: row.skills ?? [] }))
      .sort((a, b) => ((a.teamId ?? '~') < (b.teamId ?? '~') ? -1 : 1))
  },

  /** One decision at a time: whoever gives out an account's conversations holds this until the transaction ends. */
  async lock(tx: Writer, accountId: string): Promise<void> {
    await tx.first('select 1 as one from accounts where id = ? for update', [accountId])
  },

  /** Those that wait, the longest first; the index alone answers. */
  async waiting(reader: Reader, accountId: string, filter: WaitingFilter): Promise<Waiting[]> {
    const found: Waiting[] = []
    for (let from = 0; from < filter.teamIds.length; from += queuesAtOnce) {
      const values: SqlValue[] = []
      const parts = filter.teamIds.slice(from, from + queuesAtOnce).map((teamId) => {
        values.push(accountId)
        let sql = `select id, channel_id channelId, team_id teamId, waiting_since waitingSince from conversations force index (by_queue)
          where account_id = ? and ${isWaiting} and team_id ${teamId === null ? 'is null' : '= ?'}`
        if (teamId !== null) values.push(teamId)
        if (filter.channelIds !== undefined) {
          const list = inList(filter.channelIds)
          sql += ` and channel_id in ${list.sql}`
          values.push(...list.values)
        }
        if (filter.after !== undefined) {
          sql += ' and waiting_since >= ? and (waiting_since > ? or id > ?)'
          values.push(filter.after.waitingSince, filter.after.waitingSince, filter.after.id)
        }
        values.push(filter.limit)
        return `(${sql} order by waiting_since, id limit ?)`
      })
      found.push(...(await reader.query<Waiting>(parts.join(' union all '), values)))
    }
    return found.sort(byAge).slice(0, filter.limit)
  },

  /** Holds those of these that still wait and that nobody else holds, the longest waiting first. */
  async hold(tx: Writer, accountId: string, ids: readonly string[]): Promise<Waiting[]> {
    if (ids.length === 0) return []
    const list = inList(ids)
    const rows = await tx.query<Waiting>(
      `select id, channel_id channelId, team_id teamId, waiting_since waitingSince from conversations
       where account_id = ? and id in ${list.sql} and ${isWaiting} for update skip locked`,
      [accountId, ...list.values],
    )
    return rows.sort(byAge)
  },

  /** Gives conversations that the transaction holds. */
  async give(tx: Writer, accountId: string, ids: readonly string[], assigneeId: string): Promise<void> {
    const list = inList(ids)
    await tx.run(
      `update conversations set assignee_id = ?, care_seq = care_seq + 1, updated_at = utc_timestamp(3) where account_id = ? and id in ${list.sql}`,
      [assigneeId, accountId, ...list.values],
    )
  },

  /** Who is available in a team, or (null) in the account. */
  async takers(reader: Reader, accountId: string, teamId: string | null): Promise<Taker[]> {
    const rows = await reader.query<Omit<Taker, 'skills'> & { skills: string[] | null }>(
      `select u.id, u.role, u.capacity, u.skills, u.channel_ids channelIds, coalesce(t.turn, 0) turn from users u
       ${teamId === null ? '' : 'join team_members m on m.account_id = u.account_id and m.user_id = u.id and m.team_id = ?'}
       left join assignment_turns t on t.account_id = u.account_id and t.queue_id = ? and t.user_id = u.id
       where u.account_id = ? and u.availability = 'available' and u.disabled_at is null order by u.id`,
      [...(teamId === null ? [] : [teamId]), teamId ?? accountId, accountId],
    )
    return rows.map((row) => ({ ...row, skills: row.skills ?? [] }))
  },

  /** How many open conversations each has; counted up to their capacity. */
  async loads(
    reader: Reader,
    accountId: string,
    takers: readonly Pick<Taker, 'id' | 'capacity'>[],
  ): Promise<Map<string, number>> {
    const loads = new Map<string, number>()
    for (let from = 0; from < takers.length; from += queuesAtOnce) {
      const some = takers.slice(from, from + queuesAtOnce)
      const rows = await reader.query<{ id: string; n: number }>(
        some
          .map(
            () =>
              "(select ? id, count(*) n from (select 1 from conversations where account_id = ? and assignee_id = ? and status = 'open' limit ?) few)",
          )
          .join(' union all '),
        some.flatMap(({ id, capacity }) => [id, accountId, id, capacity]),
      )
      for (const { id, n } of rows) loads.set(id, n)
    }
    return loads
  },

  /** Notes who was given one last. */
  async takeTurns(tx: Writer, accountId: string, queueId: string, turns: ReadonlyMap<string, number>): Promise<void> {
    await tx.insertMany(
      'assignment_turns',
      ['account_id', 'queue_id', 'user_id', 'turn'],
      [...turns].map(([userId, turn]) => [accountId, queueId, userId, turn]),
      'on duplicate key update turn = values(turn)',
    )
  },

  /** What someone has in these states, the oldest id first, held until the transaction ends. */
  async held(tx: Writer, accountId: string, userId: string, statuses: readonly string[]): Promise<Waiting[]> {
    const list = inList(statuses)
    return tx.query<Waiting>(
      `select id, channel_id channelId, team_id teamId, waiting_since waitingSince from conversations
       where account_id = ? and assignee_id = ? and status in ${list.sql} order by id for update`,
      [accountId, userId, ...list.values],
    )
  },

  /** They belong to nobody from now on. */
  async free(tx: Writer, accountId: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const list = inList(ids)
    await tx.run(
      `update conversations set assignee_id = null, care_seq = care_seq + 1, updated_at = utc_timestamp(3) where account_id = ? and id in ${list.sql}`,
      [accountId, ...list.values],
    )
  },

  /** Of all accounts that want it: who is available and was not seen since `since`, and who went offline by itself and was. */
  async absences(reader: Reader, since: Date, limit: number): Promise<{ gone: Absence[]; back: Absence[] }> {
    const columns = 'u.account_id accountId, u.id userId'
    const [gone, back] = await Promise.all([
      reader.query<Absence>(
        `select ${columns} from accounts a join users u on u.account_id = a.id
         where a.goes_offline = 1 and u.availability = 'available' and u.disabled_at is null and coalesce(u.seen_at, u.created_at) < ?
         order by u.id limit ?`,
        [since, limit],
      ),
      reader.query<Absence>(
        `select ${columns} from accounts a join users u on u.account_id = a.id
         where u.is_offline_by_itself = 1 and u.disabled_at is null and u.seen_at >= ? order by u.id limit ?`,
        [since, limit],
      ),
    ])
    return { gone, back }
  },

  /** By itself, if that is still so; false: it is not. */
  async setByItself(tx: Writer, { accountId, userId }: Absence, since: Date, is: Availability): Promise<boolean> {
    const { affectedRows } =
      is === 'offline'
        ? await tx.run(
            `update users set availability = 'offline', availability_reason = null, is_offline_by_itself = true
             where account_id = ? and id = ? and availability = 'available' and coalesce(seen_at, created_at) < ?`,
            [accountId, userId, since],
          )
        : await tx.run(
            `update users set availability = 'available', availability_reason = null, is_offline_by_itself = false
             where account_id = ? and id = ? and is_offline_by_itself = 1 and seen_at >= ?`,
            [accountId, userId, since],
          )
    return affectedRows === 1
  },
}

const byAge = (a: Waiting, b: Waiting): number =>
  a.waitingSince.getTime() - b.waitingSince.getTime() || (a.id < b.id ? -1 : 1)
