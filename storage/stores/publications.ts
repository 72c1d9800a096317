/** A planned post on one channel: its words there and its fate. Tries and who is at it just now: `publication-attempts.ts`. */
import { createHash } from 'node:crypto'
import type { Reader, SqlValue, Writer } from '../database.ts'
import type { PublicationState } from '../model/posts.ts'
import { inList } from './in-list.ts'
import { after, attempts, leases } from './publication-attempts.ts'

export interface Publication {
  readonly id: string
  readonly accountId: string
  readonly plannedPostId: string
  readonly channelId: string
  /** null: the common text. */
  readonly text: string | null
  /** Its own files in place of the common ones. */
  readonly hasOwnFiles: boolean
  readonly state: PublicationState
  readonly reasonCode: string | null
  readonly reason: string | null
  /** When it was to be published; lateness counts from then. */
  readonly dueAt: Date | null
  /** When it is to be tried, gone on with, or looked up; null with `unknown`: left to a person. */
  readonly nextAttemptAt: Date | null
  readonly attemptCount: number
  /** The network's own word for a post that it is still working on. */
  readonly progress: string | null
  readonly holder: string | null
  readonly epoch: number
  readonly externalId: string | null
  readonly permalink: string | null
  /** The row of `posts`, below which comments stand. */
  readonly postId: string | null
  readonly publishedAt: Date | null
  readonly updatedAt: Date
}

/** By the database's clock: whether it is to be worked on, and whether nobody is at it. */
export type LockedPublication = Publication & {
  readonly isDue: boolean
  readonly isFree: boolean
  readonly now: Date
}

export type NewPublication = Pick<Publication, 'id' | 'channelId' | 'text' | 'hasOwnFiles'> & {
  /** What it says on this channel, with the common text where it has none of its own. */
  readonly says: string
}

/** What changes with a state; reasons that are left out become null, the rest stays. */
export interface PublicationChange {
  readonly state: PublicationState
  readonly reasonCode?: string | undefined
  readonly reason?: string | undefined
  /** From now, by the database's clock; undefined: null. */
  readonly dueInMs?: number | undefined
  readonly dueAt?: Date
  readonly progress?: string | null
  readonly externalId?: string | null
  readonly permalink?: string | null
  readonly postId?: string | null
  readonly publishedAt?: Date
}

const columns = `u.id, u.account_id accountId, u.planned_post_id plannedPostId, u.channel_id channelId, u.text, u.has_own_files hasOwnFiles, u.state,
  u.reason_code reasonCode, u.reason, u.due_at dueAt, u.next_attempt_at nextAttemptAt, u.attempt_count attemptCount, u.progress, u.holder, u.epoch,
  u.external_id externalId, u.permalink, u.post_id postId, u.published_at publishedAt, u.updated_at updatedAt`

type Row = Omit<Publication, 'hasOwnFiles'> & { readonly hasOwnFiles: number }
const present = (row: Row): Publication => ({ ...row, hasOwnFiles: row.hasOwnFiles !== 0 })

const seconds30Days = 30 * 86_400

/** The same words, whatever the spaces between them. */
const hashOf = (text: string): Buffer | null => {
  const plain = text.normalize('NFC').replace(/\s+/g, ' ').trim()
  return plain === '' ? null : createHash('sha256').update(plain).digest()
}

export const publications = {
  ...leases,
  ...attempts,

  /** Those of a post, in place of those before; of a channel that stays the id stays. Nothing of the post may have been tried yet. */
  async setAll(
    tx: Writer,
    post: { readonly accountId: string; readonly id: string },
    wanted: readonly NewPublication[],
  ): Promise<void> {
    const list = inList(wanted.map(({ id }) => id))
    await tx.run(
      `delete from publications where account_id = ? and planned_post_id = ? ${wanted.length === 0 ? '' : `and id not in ${list.sql}`}`,
      [post.accountId, post.id, ...(wanted.length === 0 ? [] : list.values)],
    )
    const now = new Date()
    await tx.insertMany(
      'publications',
      ['id', 'account_id', 'planned_post_id', 'channel_id', 'position', 'text', 'has_own_files', 'text_hash', 'state', 'created_at', 'updated_at'],
      wanted.map((each, index) => [
        each.id, post.accountId, post.id, each.channelId, index, each.text, each.hasOwnFiles, hashOf(each.says), 'waiting', now, now,
      ]),
      `on duplicate key update position = values(position), text = values(text), has_own_files = values(has_own_files), text_hash = values(text_hash),
        state = 'waiting', reason_code = null, reason = null, progress = null, next_attempt_at = null, updated_at = values(updated_at)`,
    ) // prettier-ignore
  },

  /** Those of these posts, in their order. */
  async ofPosts(reader: Reader, accountId: string, ids: readonly string[]): Promise<Publication[]> {
    if (ids.length === 0) return []
    const list = inList(ids)
    const rows = await reader.query<Row>(
      `select ${columns} from publications u where u.account_id = ? and u.planned_post_id in ${list.sql} order by u.planned_post_id, u.position`,
      [accountId, ...list.values],
    )
    return rows.map(present)
  },

  async get(reader: Reader, accountId: string, id: string): Promise<Publication | undefined> {
    const row = await reader.first<Row>(`select ${columns} from publications u where u.account_id = ? and u.id = ?`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  /** Held until the transaction ends; the post is held first. */
  async lock(tx: Writer, accountId: string, id: string): Promise<LockedPublication | undefined> {
    const row = await tx.first<Row & { isDue: unknown; isFree: unknown; now: Date }>(
      `select ${columns}, (u.next_attempt_at is null or u.next_attempt_at <= utc_timestamp(3)) isDue,
        (u.holder is null or u.expires_at <= utc_timestamp(3)) isFree, utc_timestamp(3) now
       from publications u where u.account_id = ? and u.id = ? for update`,
      [accountId, id],
    )
    return row && { ...row, ...present(row), isDue: Boolean(Number(row.isDue)), isFree: Boolean(Number(row.isFree)) }
  },

  async change(
    tx: Writer,
    { accountId, id }: Pick<Publication, 'accountId' | 'id'>,
    change: PublicationChange,
  ): Promise<void> {
    const sets = ['state = ?', 'reason_code = ?', 'reason = ?', 'updated_at = utc_timestamp(3)']
    const values: SqlValue[] = [
      change.state,
      change.reasonCode?.slice(0, 100) ?? null,
      change.reason?.slice(0, 500) ?? null,
    ]
    const set = (sql: string, value: SqlValue): void => {
      sets.push(sql)
      values.push(value)
    }
    if (change.dueInMs === undefined) sets.push('next_attempt_at = null')
    else set(`next_attempt_at = ${after}`, Math.round(change.dueInMs * 1000))
    if (change.dueAt !== undefined) set('due_at = ?', change.dueAt)
    if (change.progress !== undefined) set('progress = ?', change.progress)
    if (change.externalId !== undefined) set('external_id = ?', change.externalId)
    if (change.permalink !== undefined) set('permalink = ?', change.permalink?.slice(0, 1000) ?? null)
    if (change.postId !== undefined) set('post_id = ?', change.postId)
    if (change.publishedAt !== undefined) set('published_at = ?', change.publishedAt)
    await tx.run(`update publications set ${sets.join(', ')} where account_id = ? and id = ?`, [
      ...values,
      accountId,
      id,
    ])
  },

  /**
   * What is to be worked on and nobody is at, the longest waiting first; at most `perChannel` of each channel, so that one slow
   * channel hides no other. A channel that must be reconnected has only its broken-off publications looked at; the rest waits.
   */
  async findDue(
    reader: Reader,
    perChannel: number,
  ): Promise<Pick<Publication, 'accountId' | 'id' | 'plannedPostId' | 'channelId'>[]> {
    return reader.query<Pick<Publication, 'accountId' | 'id' | 'plannedPostId' | 'channelId'>>(
      `select accountId, id, plannedPostId, channelId from (
         select u.account_id accountId, u.id, u.planned_post_id plannedPostId, u.channel_id channelId, u.updated_at updatedAt,
                row_number() over (partition by u.channel_id order by u.updated_at) place
         from publications u join channels c on c.account_id = u.account_id and c.id = u.channel_id
         where u.state in ('queued', 'publishing', 'retrying', 'unknown') and (u.holder is null or u.expires_at <= utc_timestamp(3)) and (
           (u.state = 'publishing' and (u.next_attempt_at is null or u.next_attempt_at <= utc_timestamp(3)))
           or (c.state <> 'reconnect_needed' and u.state in ('queued', 'retrying') and (u.next_attempt_at is null or u.next_attempt_at <= utc_timestamp(3)))
           or (c.state <> 'reconnect_needed' and u.state = 'unknown' and u.next_attempt_at <= utc_timestamp(3)))
       ) due where place <= ? order by updatedAt`,
      [perChannel],
    )
  },

  /** Channels of these on which the same words were published within 30 days, or are planned, by another post. */
  async findSame(
    reader: Reader,
    accountId: string,
    plannedPostId: string | undefined,
    wanted: readonly { readonly channelId: string; readonly says: string }[],
  ): Promise<{ readonly channelId: string; readonly plannedPostId: string; readonly publishedAt: Date | null }[]> {
    const known = wanted.flatMap(({ channelId, says }) => {
      const hash = hashOf(says)
      return hash === null ? [] : [{ channelId, hash }]
    })
    if (known.length === 0) return []
    const any = known.map(() => '(u.channel_id = ? and u.text_hash = ?)').join(' or ')
    return reader.query(
      `select u.channel_id channelId, u.planned_post_id plannedPostId, u.published_at publishedAt from publications u join planned_posts p on p.id = u.planned_post_id
       where u.account_id = ? and (${any}) and u.planned_post_id <> ? and p.state <> 'draft' and u.state not in ('failed', 'cancelled')
         and (u.published_at is null or u.published_at > utc_timestamp(3) - interval ${String(seconds30Days)} second) limit 50`,
      [
        accountId,
        ...known.flatMap(({ channelId, hash }) => [channelId, hash]),
        plannedPostId ?? '00000000-0000-0000-0000-000000000000',
      ],
    )
  },

  /** How many comments by others stand below these posts (rows of `posts`). */
  async countComments(
    reader: Reader,
    accountId: string,
    postIds: readonly string[],
  ): Promise<ReadonlyMap<string, number>> {
    if (postIds.length === 0) return new Map()
    const list = inList(postIds)
    const rows = await reader.query<{ postId: string; n: number }>(
      `select c.post_id postId, count(*) n from conversations c join messages m on m.account_id = c.account_id and m.conversation_id = c.id
       where c.account_id = ? and c.post_id in ${list.sql} and m.direction = 'inbound' and m.deleted_at is null group by c.post_id`,
      [accountId, ...list.values],
    )
    return new Map(rows.map(({ postId, n }) => [postId, n]))
  },
}
