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
  /** Words of its own beside the title: an address, numbers, the lines of an order. */
  readonly text: string | null
  /** A page outside that it leads to. */
  readonly link: string | null
  /** Said to people who do not see the picture. */
  readonly altText: string | null
  readonly contentType: string | null
  readonly size: number | null
  readonly documentId: string | null
  readonly reason: string | null
  /** Why it is unavailable, or may only be saved: a stable word. */
  readonly reasonCode: string | null
  /** The network's own word for the SHA-256. */
  readonly sha256: string | null
  /** Times its bytes have been asked for. */
  readonly attempts: number
}

/** An attachment that one worker fetches; `claimId` fences it against whoever took over meanwhile. */
export type ClaimedAttachment = Attachment & { readonly claimId: string }

export interface NewAttachment {
  readonly accountId: string
  readonly messageId: string
  readonly position: number
  readonly kind: string
  readonly url?: string | undefined
  readonly externalId?: string | undefined
  readonly title?: string | undefined
  readonly contentType?: string | undefined
  readonly sha256?: string | undefined
  readonly text?: string | undefined
  readonly link?: string | undefined
  /** Then its bytes and its addresses are removed (`leftovers.ts`). */
  readonly keepUntil?: Date | undefined
}

export type OwnAttachment = Pick<Attachment, 'accountId' | 'messageId' | 'position' | 'kind' | 'title' | 'altText'> & {
  readonly contentType: string
  readonly size: number
  readonly documentId: string
}

const columns = `id, account_id accountId, message_id messageId, position, kind, state, url, external_id externalId, title, text, link,
  alt_text altText, content_type contentType, size, document_id documentId, reason, reason_code reasonCode, sha256, attempts`

/** Kinds that say all they have in words. */
const cards: ReadonlySet<string> = new Set(['location', 'share', 'other'])

/** New ones are due since long ago. */
const due = "state = 'pending' and next_try_at <= utc_timestamp(3)"

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

  /** A card (a place, a share) has no file and is complete from the start; any other kind without one is unavailable. */
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
        'text',
        'link',
        'content_type',
        'sha256',
        'reason',
        'reason_code',
        'keep_until',
        'created_at',
      ],
      news.map((a) => {
        const isFetchable = a.url !== undefined || a.externalId !== undefined
        const isMissing = !isFetchable && !cards.has(a.kind)
        return [
          newId(), a.accountId, a.messageId, a.position, a.kind, isFetchable ? 'pending' : isMissing ? 'unavailable' : 'fetched', a.url ?? null,
          a.externalId?.slice(0, 190) ?? null, a.title?.slice(0, 500) ?? null, a.text?.slice(0, 2_000) ?? null,
          a.link !== undefined && a.link.length <= 2_000 ? a.link : null, a.contentType?.slice(0, 100) ?? null, a.sha256?.slice(0, 64) ?? null,
          isMissing ? 'The network gave no file.' : null, isMissing ? 'no_file' : null, a.keepUntil ?? null, now,
        ] // prettier-ignore
      }),
    )
  },

  /** Files of ours, said or kept in a note: documents that are here already. */
  async insertOwn(tx: Writer, news: readonly OwnAttachment[]): Promise<void> {
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
        'title',
        'alt_text',
        'content_type',
        'size',
        'document_id',
        'next_try_at',
        'created_at',
      ],
      news.map((a) => [
        newId(), a.accountId, a.messageId, a.position, a.kind, 'fetched', a.title?.slice(0, 500) ?? null, a.altText?.slice(0, 1_000) ?? null, a.contentType,
        a.size, a.documentId, null, now,
      ]), // prettier-ignore
    )
  },

  /** Those of a part that was taken back. */
  async removeAt(tx: Writer, accountId: string, messageId: string, positions: readonly number[]): Promise<void> {
    if (positions.length === 0) return
    const list = inList(positions)
    await tx.run(`delete from attachments where account_id = ? and message_id = ? and position in ${list.sql}`, [
      accountId,
      messageId,
      ...list.values,
    ])
  },

  /** Whether anything is due; takes no locks. */
  async isAnyDue(reader: Reader): Promise<boolean> {
    return (await reader.first(`select 1 as one from attachments where ${due} limit 1`)) !== undefined
  },

  /** Takes what is due for one worker, new ones first; nobody else gets them for `holdMs`. Counts the attempt. */
  async claim(tx: Writer, limit: number, holdMs: number): Promise<ClaimedAttachment[]> {
    const rows = await tx.query<Attachment>(
      `select ${columns} from attachments where ${due} order by next_try_at limit ? for update skip locked`,
      [limit],
    )
    const claimed = rows.map((row) => ({ ...row, attempts: row.attempts + 1, claimId: newId() }))
    for (const { id, claimId } of claimed)
      await tx.run(
        'update attachments set claim_id = ?, attempts = attempts + 1, next_try_at = utc_timestamp(3) + interval ? microsecond where id = ?',
        [claimId, holdMs * 1_000, id],
      )
    return claimed
  },

  /** Lengthens the claims that still hold. */
  async hold(tx: Writer, claimIds: readonly string[], holdMs: number): Promise<void> {
    const list = inList(claimIds)
    await tx.run(
      `update attachments set next_try_at = utc_timestamp(3) + interval ? microsecond
       where state = 'pending' and next_try_at > utc_timestamp(3) and claim_id in ${list.sql}`,
      [holdMs * 1_000, ...list.values],
    )
  },

  /** Locks what was claimed; false when the claim was lost, or the attachment is gone. */
  async lockClaimed(tx: Writer, { accountId, id, claimId }: ClaimedAttachment): Promise<boolean> {
    const row = await tx.first(
      "select 1 as one from attachments where account_id = ? and id = ? and claim_id = ? and state = 'pending' for update",
      [accountId, id, claimId],
    )
    return row !== undefined
  },

  /** The bytes are there. `note`: why they may only be saved, not shown. */
  async fetched(
    tx: Writer,
    { accountId, id }: ClaimedAttachment,
    file: { readonly documentId: string; readonly contentType: string; readonly size: number },
    note?: { readonly code: string; readonly reason: string },
  ): Promise<void> {
    await tx.run(
      `update attachments set state = 'fetched', document_id = ?, content_type = ?, size = ?, reason = ?, reason_code = ?,
       claim_id = null, next_try_at = null where account_id = ? and id = ?`,
      [file.documentId, file.contentType, file.size, note?.reason ?? null, note?.code ?? null, accountId, id],
    )
  },

  /** Another try after `delayMs`. @param isCounted false: this one was not the attachment's fault */
  async postpone(
    tx: Writer,
    { accountId, id }: ClaimedAttachment,
    failure: { readonly code: string; readonly reason: string },
    delayMs: number,
    isCounted: boolean,
  ): Promise<void> {
    await tx.run(
      `update attachments set claim_id = null, attempts = attempts - ?, reason = ?, reason_code = ?,
       next_try_at = utc_timestamp(3) + interval ? microsecond where account_id = ? and id = ?`,
      [isCounted ? 0 : 1, failure.reason.slice(0, 500), failure.code, Math.round(delayMs * 1_000), accountId, id],
    )
  },

  /** No further try by itself. */
  async unavailable(
    tx: Writer,
    { accountId, id }: ClaimedAttachment,
    failure: { readonly code: string; readonly reason: string },
  ): Promise<void> {
    await tx.run(
      `update attachments set state = 'unavailable', reason = ?, reason_code = ?, claim_id = null, next_try_at = null
       where account_id = ? and id = ?`,
      [failure.reason.slice(0, 500), failure.code, accountId, id],
    )
  },

  /** Due now and as if never tried; false when it is there, being fetched this moment, or nothing to fetch. */
  async revive(tx: Writer, accountId: string, id: string): Promise<boolean> {
    const { affectedRows } = await tx.run(
      `update attachments set state = 'pending', reason = null, reason_code = null, attempts = 0, next_try_at = '2000-01-01'
       where account_id = ? and id = ? and (state = 'unavailable' or (state = 'pending' and claim_id is null))
         and (url is not null or external_id is not null)`,
      [accountId, id],
    )
    return affectedRows === 1
  },

  /** What waits in this channel is due at once, as after a reconnection. */
  async hurryOf(tx: Writer, accountId: string, channelId: string): Promise<void> {
    await tx.run(
      `update attachments a join messages m on m.account_id = a.account_id and m.id = a.message_id
       set a.next_try_at = '2000-01-01'
       where a.account_id = ? and m.channel_id = ? and a.state = 'pending' and a.claim_id is null`,
      [accountId, channelId],
    )
  },

  /** Those of a copy go with it when it is merged into another message. */
  async removeOf(tx: Writer, accountId: string, messageId: string): Promise<void> {
    await tx.run('delete from attachments where account_id = ? and message_id = ?', [accountId, messageId])
  },
}
