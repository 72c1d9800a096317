/** People on their way through a network's sign-in: the OAuth state, what may not leave the server, and the choice at the end. */
import { createHash } from 'node:crypto'
import type { Reader, Writer } from '../database.ts'
import type { ChannelType } from '../model/words.ts'
import type { Sealer } from './channels.ts'

/** `exchanging`: the code is being exchanged; once. `choosing`: the channels that may be connected lie sealed. */
export type ConnectStep = 'begun' | 'exchanging' | 'choosing'

export interface ConnectAttempt {
  readonly id: string
  readonly accountId: string
  readonly userId: string
  readonly appId: string
  readonly type: ChannelType
  readonly redirectUri: string
  readonly step: ConnectStep
  readonly sealedData: Buffer
  readonly expiresAt: Date
}

const columns =
  'id, account_id accountId, user_id userId, app_id appId, type, redirect_uri redirectUri, step, sealed_data sealedData, expires_at expiresAt'
const place = (id: string) => `connect_attempts|sealed_data|${id}`
const hash = (text: string): Buffer => createHash('sha256').update(text).digest()

export const connectAttempts = {
  /** @param binding names the browser session that must come back; only its digest is kept, as of the state */
  async begin(
    tx: Writer,
    sealer: Sealer,
    attempt: Pick<ConnectAttempt, 'id' | 'accountId' | 'userId' | 'appId' | 'type' | 'redirectUri'> & {
      readonly state: string
      readonly binding: string
      readonly data: string
      readonly ttlMs: number
    },
  ): Promise<void> {
    const { id, accountId, userId, appId, type, redirectUri } = attempt
    await tx.run(
      `insert into connect_attempts (id, account_id, user_id, app_id, type, redirect_uri, state_hash, binding_hash, step, sealed_data, created_at, expires_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, 'begun', ?, utc_timestamp(3), utc_timestamp(3) + interval ? microsecond)`,
      [
        id, accountId, userId, appId, type, redirectUri, hash(attempt.state), hash(attempt.binding),
        sealer.secrets.seal(attempt.data, place(id)), attempt.ttlMs * 1000,
      ], // prettier-ignore
    )
  },

  /** Uses the state up: whoever comes second, too late, in another session or as another user finds nothing. */
  async takeState(
    tx: Writer,
    accountId: string,
    by: { readonly userId: string; readonly binding: string; readonly state: string },
  ): Promise<ConnectAttempt | undefined> {
    const row = await tx.first<ConnectAttempt>(
      `select ${columns} from connect_attempts where account_id = ? and user_id = ? and binding_hash = ? and state_hash = ?
         and step = 'begun' and expires_at > utc_timestamp(3) for update`,
      [accountId, by.userId, hash(by.binding), hash(by.state)],
    )
    if (row !== undefined) await tx.run("update connect_attempts set step = 'exchanging' where id = ?", [row.id])
    return row
  },

  /** The choice lies ready for `ttlMs`. */
  async offer(tx: Writer, sealer: Sealer, id: string, data: string, ttlMs: number): Promise<void> {
    await tx.run(
      "update connect_attempts set step = 'choosing', sealed_data = ?, expires_at = utc_timestamp(3) + interval ? microsecond where id = ?",
      [sealer.secrets.seal(data, place(id)), ttlMs * 1000, id],
    )
  },

  /** The attempt whose choice lies ready, of this user in this browser session; locked in a transaction. */
  choosing(
    reader: Reader,
    accountId: string,
    by: { readonly userId: string; readonly binding: string; readonly id: string },
  ): Promise<ConnectAttempt | undefined> {
    return reader.first<ConnectAttempt>(
      `select ${columns} from connect_attempts where account_id = ? and user_id = ? and binding_hash = ? and id = ?
         and step = 'choosing' and expires_at > utc_timestamp(3)`,
      [accountId, by.userId, hash(by.binding), by.id],
    )
  },

  openData(sealer: Sealer, attempt: Pick<ConnectAttempt, 'id' | 'sealedData'>): string {
    return sealer.secrets.open(attempt.sealedData, place(attempt.id))
  },

  async removeExpired(tx: Writer, limit: number): Promise<void> {
    await tx.run('delete from connect_attempts where expires_at < utc_timestamp(3) limit ?', [limit])
  },
}
