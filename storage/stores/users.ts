/** Users: who signs in, and what they may do. */
import { newId } from '../../infra/ids.ts'
import type { Reader, SqlValue, Writer } from '../database.ts'
import type { Availability } from '../model/words.ts'
import { inList } from './in-list.ts'
import type { Secrets } from '../secrets.ts'

export interface User {
  readonly id: string
  readonly accountId: string
  readonly email: string
  readonly name: string
  /** A built-in role's name, or the id of one of the account's own. */
  readonly role: string
  /** As the hashing code writes it; null: cannot sign in with a password. */
  readonly passwordHash: string | null
  readonly language: string
  /** IANA name. */
  readonly timeZone: string
  /** null: not limited to channels. */
  readonly channelIds: readonly string[] | null
  /** Sees the conversations of their teams and of no team only. */
  readonly isTeamLimited: boolean
  readonly hasTotp: boolean
  readonly availability: Availability
  readonly availabilityReason: string | null
  /** They did not say so, they were not there; it ends when they come. */
  readonly isOfflineByItself: boolean
  /** How many open conversations they are given at most. */
  readonly capacity: number
  /** Words, lower case. */
  readonly skills: readonly string[]
  readonly seenAt: Date | null
  readonly disabledAt: Date | null
  readonly createdAt: Date
}

export interface NewUser {
  readonly accountId: string
  readonly email: string
  readonly name: string
  readonly role: string
  readonly passwordHash: string | null
  readonly language?: string
  readonly channelIds?: readonly string[] | null
  readonly isTeamLimited?: boolean
}

/** What can be changed of a user; what is not given stays. */
export type UserChange = Partial<
  Pick<
    User,
    | 'name'
    | 'role'
    | 'language'
    | 'timeZone'
    | 'channelIds'
    | 'isTeamLimited'
    | 'passwordHash'
    | 'disabledAt'
    | 'availability'
    | 'availabilityReason'
    | 'isOfflineByItself'
    | 'capacity'
    | 'skills'
  >
>

type Row = Omit<User, 'isTeamLimited' | 'hasTotp' | 'isOfflineByItself' | 'skills'> & {
  readonly isTeamLimited: number
  readonly hasTotp: number
  readonly isOfflineByItself: number
  readonly skills: readonly string[] | null
}

const columns = `id, account_id accountId, email, name, role, password_hash passwordHash, language, time_zone timeZone, channel_ids channelIds,
  is_team_limited isTeamLimited, totp_since is not null hasTotp, availability, availability_reason availabilityReason,
  is_offline_by_itself isOfflineByItself, capacity, skills, seen_at seenAt, disabled_at disabledAt, created_at createdAt`

const present = (row: Row): User => ({
  ...row,
  isTeamLimited: row.isTeamLimited !== 0,
  hasTotp: row.hasTotp !== 0,
  isOfflineByItself: row.isOfflineByItself !== 0,
  skills: row.skills ?? [],
})

const columnOf: Readonly<Record<keyof UserChange, string>> = {
  name: 'name',
  role: 'role',
  language: 'language',
  timeZone: 'time_zone',
  channelIds: 'channel_ids',
  isTeamLimited: 'is_team_limited',
  passwordHash: 'password_hash',
  disabledAt: 'disabled_at',
  availability: 'availability',
  availabilityReason: 'availability_reason',
  isOfflineByItself: 'is_offline_by_itself',
  capacity: 'capacity',
  skills: 'skills',
}

const totpPlace = (id: string) => `users|sealed_totp|${id}`

export const users = {
  /** The id. The e-mail address is unique over all accounts (ER_DUP_ENTRY). */
  async create(tx: Writer, user: NewUser): Promise<string> {
    const id = newId()
    await tx.run(
      `insert into users (id, account_id, email, name, role, password_hash, language, channel_ids, is_team_limited, created_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, utc_timestamp(3))`,
      [
        id,
        user.accountId,
        user.email.trim().toLowerCase(),
        user.name,
        user.role,
        user.passwordHash,
        user.language ?? 'en',
        user.channelIds == null ? null : JSON.stringify(user.channelIds),
        user.isTeamLimited ?? false,
      ],
    )
    return id
  },

  async get(reader: Reader, accountId: string, id: string): Promise<User | undefined> {
    const row = await reader.first<Row>(`select ${columns} from users where account_id = ? and id = ?`, [accountId, id])
    return row && present(row)
  },

  /** Holds the row until the transaction ends. */
  async lock(tx: Writer, accountId: string, id: string): Promise<User | undefined> {
    const row = await tx.first<Row>(`select ${columns} from users where account_id = ? and id = ? for update`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  /** For signing in, where the account is not known yet. */
  async byEmail(reader: Reader, email: string): Promise<User | undefined> {
    const row = await reader.first<Row>(`select ${columns} from users where email = ?`, [email.trim().toLowerCase()])
    return row && present(row)
  },

  async list(reader: Reader, accountId: string): Promise<User[]> {
    return (
      await reader.query<Row>(`select ${columns} from users where account_id = ? order by name, id`, [accountId])
    ).map(present)
  },

  /** Whoever may sign in with this role, locked in the order of their ids: the last administrator must stay. */
  async lockOfRole(tx: Writer, accountId: string, role: string): Promise<string[]> {
    const rows = await tx.query<{ id: string }>(
      'select id from users where account_id = ? and role = ? and disabled_at is null order by id for update',
      [accountId, role],
    )
    return rows.map(({ id }) => id)
  },

  /** How many have each role, disabled ones as well. */
  async countByRole(reader: Reader, accountId: string): Promise<Map<string, number>> {
    const rows = await reader.query<{ role: string; n: number }>(
      'select role, count(*) n from users where account_id = ? group by role',
      [accountId],
    )
    return new Map(rows.map(({ role, n }) => [role, n]))
  },

  /** A disabled user's sessions and tokens must be ended by the caller. */
  async change(tx: Writer, accountId: string, id: string, change: UserChange): Promise<void> {
    const sets: string[] = []
    const values: SqlValue[] = []
    for (const [name, value] of Object.entries(change)) {
      const column = Object.hasOwn(columnOf, name) ? columnOf[name as keyof UserChange] : undefined
      if (column === undefined) continue
      sets.push(`${column} = ?`)
      values.push(Array.isArray(value) ? JSON.stringify(value) : (value as SqlValue))
    }
    if (sets.length === 0) return
    await tx.run(`update users set ${sets.join(', ')} where account_id = ? and id = ?`, [...values, accountId, id])
  },

  /** Notes that they are here; at most one write in a minute. */
  async touch(tx: Writer, accountId: string, ids: readonly string[]): Promise<void> {
    const list = inList(ids)
    await tx.run(
      `update users set seen_at = utc_timestamp(3) where account_id = ? and id in ${list.sql} and (seen_at is null or seen_at < utc_timestamp(3) - interval 60 second)`,
      [accountId, ...list.values],
    )
  },

  /** A secret for the second factor that is not in use until `confirmTotp`. @param sealer the storage */
  async offerTotp(
    tx: Writer,
    sealer: { readonly secrets: Secrets },
    accountId: string,
    id: string,
    secret: string,
  ): Promise<void> {
    await tx.run(
      'update users set sealed_totp = ?, totp_step = null where account_id = ? and id = ? and totp_since is null',
      [sealer.secrets.seal(secret, totpPlace(id)), accountId, id],
    )
  },

  /** The secret, in use or only offered. Never log or present it. */
  async openTotp(
    reader: Reader,
    sealer: { readonly secrets: Secrets },
    accountId: string,
    id: string,
  ): Promise<string | undefined> {
    const row = await reader.first<{ sealed: Buffer | null }>(
      'select sealed_totp sealed from users where account_id = ? and id = ?',
      [accountId, id],
    )
    return row?.sealed == null ? undefined : sealer.secrets.open(row.sealed, totpPlace(id))
  },

  /** Takes a time step, which is taken once only; false: it, or a later one, was taken before. */
  async takeTotpStep(tx: Writer, accountId: string, id: string, step: number): Promise<boolean> {
    const { affectedRows } = await tx.run(
      'update users set totp_step = ? where account_id = ? and id = ? and (totp_step is null or totp_step < ?)',
      [step, accountId, id, step],
    )
    return affectedRows === 1
  },

  async confirmTotp(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run(
      'update users set totp_since = coalesce(totp_since, utc_timestamp(3)) where account_id = ? and id = ?',
      [accountId, id],
    )
  },

  async removeTotp(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run(
      'update users set sealed_totp = null, totp_since = null, totp_step = null where account_id = ? and id = ?',
      [accountId, id],
    )
    await tx.run('delete from recovery_codes where account_id = ? and user_id = ?', [accountId, id])
  },

  /** New recovery codes in place of the old ones, as hashes. */
  async setRecoveryCodes(tx: Writer, accountId: string, id: string, hashes: readonly Buffer[]): Promise<void> {
    await tx.run('delete from recovery_codes where account_id = ? and user_id = ?', [accountId, id])
    await tx.insertMany(
      'recovery_codes',
      ['account_id', 'user_id', 'hash'],
      hashes.map((hash) => [accountId, id, hash]),
    )
  },

  /** Uses one up; false: there is no such code. */
  async takeRecoveryCode(tx: Writer, accountId: string, id: string, hash: Buffer): Promise<boolean> {
    return (
      (
        await tx.run('delete from recovery_codes where account_id = ? and user_id = ? and hash = ?', [
          accountId,
          id,
          hash,
        ])
      ).affectedRows === 1
    )
  },

  async countRecoveryCodes(reader: Reader, accountId: string, id: string): Promise<number> {
    return (
      (
        await reader.first<{ n: number }>(
          'select count(*) n from recovery_codes where account_id = ? and user_id = ?',
          [accountId, id],
        )
      )?.n ?? 0
    )
  },
}
