/** Files and shares carried by messages; their bytes come later, apart from the message. */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import type { AttachmentState } from '../model/words.ts'
import { inList } from './in-list.ts'

export interface Attachment {
  readonly id: string
  readonly accountId: string
  readonly messageId: string
  readonly position: number
  readonly kind: string
  readonly state: AttachmentState
  readonly url: string | null
  readonly externalId: string | null
  readonly title: string | null
  readonly contentType: string | null
  readonly size: number | null
  readonly documentId: string | null
  readonly reason: string | null
}

export interface NewAttachment {
  readonly accountId: string
  readonly messageId: string
  readonly position: number
  readonly kind: string
  readonly url?: string | undefined
  readonly externalId?: string | undefined
  readonly title?: string | undefined
  readonly contentType?: string | undefined
  /** Words of its own, shown as the title where there is none. */
  readonly text?: string | undefined
}

const columns = `id, account_id accountId, message_id messageId, position, kind, state, url, external_id externalId, title,
  content_type contentType, size, document_id documentId, reason`

export const attachments = {
  async get(reader: Reader, accountId: string, id: string): Promise<Attachment | undefined> {
    return reader.first<Attachment>(`select ${columns} from attachments where account_id = ? and id = ?`, [
      accountId,
      id,
    ])
  },

  /** Those of these messages, in order. */
  async ofMessages(reader: Reader, accountId: string, messageIds: readonly string[]): Promise<Attachment[]> {
    if (messageIds.length === 0) return []
    const list = inList(messageIds)
    return reader.query<Attachment>(
      `select ${columns} from attachments where account_id = ? and message_id in ${list.sql} order by message_id, position`,
      [accountId, ...list.values],
    )
  },

  /** What has nothing to fetch (a location, a share) is unavailable from the start. */
  async insert(tx: Writer, news: readonly NewAttachment[]): Promise<void> {
    const now = new Date()
    await tx.insertMany(
      'attachments',
      [
        'id',
        'account_id',
        'message_id',
        'position',
        'kind',
        'state',
        'url',
        'external_id',
        'title',
        'content_type',
        'reason',
        'created_at',
      ],
      news.map((a) => {
        const isFetchable = a.url !== undefined || a.externalId !== undefined
        return [
          newId(), a.accountId, a.messageId, a.position, a.kind, isFetchable ? 'pending' : 'unavailable', a.url ?? null, a.externalId?.slice(0, 190) ?? null,
          (a.title ?? a.text)?.slice(0, 500) ?? null, a.contentType?.slice(0, 100) ?? null, isFetchable ? null : 'The network gave no file.', now,
        ] // prettier-ignore
      }),
    )
  },

  /** Pending ones, oldest first. */
  async pending(reader: Reader, limit: number): Promise<Attachment[]> {
    return reader.query<Attachment>(
      `select ${columns} from attachments where state = 'pending' order by created_at limit ${String(Math.trunc(limit))}`,
    )
  },

  async fetched(
    tx: Writer,
    accountId: string,
    id: string,
    file: { readonly documentId: string; readonly contentType: string; readonly size: number },
  ): Promise<void> {
    await tx.run(
      "update attachments set state = 'fetched', document_id = ?, content_type = ?, size = ?, reason = null where account_id = ? and id = ?",
      [file.documentId, file.contentType, file.size, accountId, id],
    )
  },

  async unavailable(tx: Writer, accountId: string, id: string, reason: string): Promise<void> {
    await tx.run(
      "update attachments set state = 'unavailable', reason = ? where account_id = ? and id = ? and state = 'pending'",
      [reason.slice(0, 500), accountId, id],
    )
  },

  /** Those of a copy go with it when it is merged into another message. */
  async removeOf(tx: Writer, accountId: string, messageId: string): Promise<void> {
    await tx.run('delete from attachments where account_id = ? and message_id = ?', [accountId, messageId])
  },
}
