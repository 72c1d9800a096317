/** What networks have been given already, and how they call it. */
import { createHash } from 'node:crypto'
import type { Reader, Writer } from '../database.ts'

/** Which file on which channel: networks tell private from public files, and keep the text for those who do not see it. */
export interface UploadKey {
  readonly accountId: string
  readonly channelId: string
  readonly documentId: string
  readonly use: 'direct' | 'public'
  readonly altText: string | null
}

/** `isBegun`: the network is still looking at it. `expiresAt` null: it does not. */
export interface Uploaded {
  readonly externalId: string
  readonly isBegun: boolean
  readonly expiresAt: Date | null
  readonly createdAt: Date
}

const where = 'account_id = ? and channel_id = ? and document_id = ? and used_for = ? and alt_hash = ?'
const valuesOf = (key: UploadKey) => [
  key.accountId,
  key.channelId,
  key.documentId,
  key.use,
  createHash('sha256').update(key.altText ?? '').digest(),
] // prettier-ignore

export const uploads = {
  /** One that will be good for some minutes more, or is begun. */
  async get(reader: Reader, key: UploadKey): Promise<Uploaded | undefined> {
    const row = await reader.first<Omit<Uploaded, 'isBegun'> & { isBegun: number }>(
      `select external_id externalId, is_begun isBegun, expires_at expiresAt, created_at createdAt from uploads
       where ${where} and (expires_at is null or expires_at > utc_timestamp(3) + interval 5 minute)`,
      valuesOf(key),
    )
    return row && { ...row, isBegun: row.isBegun !== 0 }
  },

  /** Keeps the newest word of the network on it. */
  async keep(tx: Writer, key: UploadKey, upload: Omit<Uploaded, 'createdAt'>): Promise<void> {
    await tx.run(
      `insert into uploads (account_id, channel_id, document_id, used_for, alt_hash, external_id, is_begun, expires_at, created_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, utc_timestamp(3))
       on duplicate key update created_at = if(external_id = values(external_id), created_at, values(created_at)), external_id = values(external_id),
         is_begun = values(is_begun), expires_at = values(expires_at)`,
      [...valuesOf(key), upload.externalId, upload.isBegun, upload.expiresAt],
    )
  },

  /** The network does not know it, or does not want it. */
  async forget(tx: Writer, key: UploadKey): Promise<void> {
    await tx.run(`delete from uploads where ${where}`, valuesOf(key))
  },

  /** Removes what has long been no good. */
  async removeExpired(tx: Writer, limit: number): Promise<number> {
    const { affectedRows } = await tx.run('delete from uploads where expires_at < utc_timestamp(3) limit ?', [limit])
    return affectedRows
  },
}
