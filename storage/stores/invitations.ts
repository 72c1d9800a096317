/** Links that are good once, for a while: to join, or to set a new password. Only SHA-256 of what stands in the link is kept. */
import { createHash, randomBytes } from 'node:crypto'
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'

export interface Invitation {
  readonly id: string
  readonly accountId: string
  /** Whose password it sets; null: an invitation to join. */
  readonly userId: string | null
  readonly email: string
  readonly role: string
  readonly channelIds: readonly string[] | null
  readonly isTeamLimited: boolean
  readonly teamIds: readonly string[] | null
  readonly createdBy: string | null
  readonly createdAt: Date
  readonly expiresAt: Date
}

export type NewInvitation = Omit<Invitation, 'id' | 'createdAt' | 'expiresAt'> & {
  readonly id?: string | undefined
  readonly ttlMs: number
}

type Row = Omit<Invitation, 'isTeamLimited'> & { readonly isTeamLimited: number }

const columns = `id, account_id accountId, user_id userId, email, role, channel_ids channelIds, is_team_limited isTeamLimited,
  team_ids teamIds, created_by createdBy, created_at createdAt, expires_at expiresAt`
const present = (row: Row): Invitation => ({ ...row, isTeamLimited: row.isTeamLimited !== 0 })
const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()
const json = (list: readonly string[] | null): string | null => (list === null ? null : JSON.stringify(list))

export const invitations = {
  /** The token stands in the link; it is given once, here: 43 characters. */
  async create(tx: Writer, invitation: NewInvitation): Promise<{ readonly id: string; readonly token: string }> {
    const id = invitation.id ?? newId()
    const token = randomBytes(32).toString('base64url')
    await tx.run(
      `insert into invitations (id, account_id, user_id, email, role, channel_ids, is_team_limited, team_ids, hash, created_by, created_at, expires_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3) + interval ? microsecond)`,
      [
        id, invitation.accountId, invitation.userId, invitation.email.trim().toLowerCase(), invitation.role,
        json(invitation.channelIds), invitation.isTeamLimited, json(invitation.teamIds), hashOf(token),
        invitation.createdBy, invitation.ttlMs * 1000,
      ], // prettier-ignore
    )
    return { id, token }
  },

  /** Those to join that are still good. */
  async list(reader: Reader, accountId: string): Promise<Invitation[]> {
    const rows = await reader.query<Row>(
      `select ${columns} from invitations where account_id = ? and user_id is null and expires_at > utc_timestamp(3) order by id desc`,
      [accountId],
    )
    return rows.map(present)
  },

  async get(reader: Reader, accountId: string, id: string): Promise<Invitation | undefined> {
    const row = await reader.first<Row>(`select ${columns} from invitations where account_id = ? and id = ?`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  /** The one of this link while it is good: whoever has the link is not known yet. With a lock, nobody else uses it up. */
  async byToken(reader: Reader, token: string, lock: '' | 'for update' = ''): Promise<Invitation | undefined> {
    const row = await reader.first<Row>(
      `select ${columns} from invitations where hash = ? and expires_at > utc_timestamp(3) ${lock}`,
      [hashOf(token)],
    )
    return row && present(row)
  },

  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('delete from invitations where account_id = ? and id = ?', [accountId, id])
  },

  /** Links to set this user's password are worth nothing any more. */
  async removeOfUser(tx: Writer, accountId: string, userId: string): Promise<void> {
    await tx.run('delete from invitations where account_id = ? and user_id = ?', [accountId, userId])
  },

  /** Earlier invitations to the same address. */
  async removeOfEmail(tx: Writer, accountId: string, email: string): Promise<void> {
    await tx.run('delete from invitations where account_id = ? and user_id is null and email = ?', [
      accountId,
      email.trim().toLowerCase(),
    ])
  },

  /** For the sweep: at most `limit`; how many. */
  async removeExpired(tx: Writer, limit: number): Promise<number> {
    return (
      await tx.run('delete from invitations where expires_at < utc_timestamp(3) order by expires_at limit ?', [limit])
    ).affectedRows
  },
}
