/** Public content by a channel, beneath which comments stand. A post that is only known by its id is kept bare. */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import { anyOf, inList } from './in-list.ts'

export interface Post {
  readonly id: string
  readonly accountId: string
  readonly channelId: string
  readonly externalId: string
  readonly text: string | null
  readonly permalink: string | null
  readonly occurredAt: Date | null
  /** How many people reacted with each emoji. */
  readonly reactions: Readonly<Record<string, number>> | null
}

/** What may happen to a post. `emoji` null: the reaction was taken back. */
export type PostChange =
  | { readonly type: 'edit'; readonly at: Date; readonly text: string | null }
  | { readonly type: 'delete'; readonly at: Date }
  | { readonly type: 'reaction'; readonly at: Date; readonly by: string; readonly emoji: string | null }

export interface NewPost {
  readonly accountId: string
  readonly channelId: string
  readonly externalId: string
  readonly text?: string | undefined
  readonly permalink?: string | undefined
  readonly occurredAt?: Date | undefined
}

const postKey = (post: Pick<Post, 'channelId' | 'externalId'>): string => `${post.channelId} ${post.externalId}`

const columns =
  'id, account_id accountId, channel_id channelId, external_id externalId, text, permalink, occurred_at occurredAt, reactions'

export const posts = {
  key: (post: Pick<Post, 'channelId' | 'externalId'>): string => postKey(post),

  async getMany(reader: Reader, accountId: string, ids: readonly string[]): Promise<Post[]> {
    if (ids.length === 0) return []
    const list = inList(ids)
    return reader.query<Post>(`select ${columns} from posts where account_id = ? and id in ${list.sql}`, [
      accountId,
      ...list.values,
    ])
  },

  /** The posts by `key`; unknown ones are created, bare ones completed with what is given. `fresh`: those that may be new. */
  async ensure(
    tx: Writer,
    wanted: readonly NewPost[],
  ): Promise<{ readonly all: ReadonlyMap<string, Post>; readonly fresh: readonly Post[] }> {
    if (wanted.length === 0) return { all: new Map(), fresh: [] }
    const byKey = new Map<string, NewPost>()
    for (const post of wanted)
      if (post.occurredAt !== undefined || !byKey.has(postKey(post))) byKey.set(postKey(post), post)
    const sorted = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, post]) => post)
    const known = await find(tx, sorted, '')
    const news = sorted.filter((post) => !known.has(postKey(post)) || post.occurredAt !== undefined)
    if (news.length === 0) return { all: known, fresh: [] }
    await tx.insertMany(
      'posts',
      ['id', 'account_id', 'channel_id', 'external_id', 'text', 'permalink', 'occurred_at', 'created_at'],
      news.map((p) => [
        newId(),
        p.accountId,
        p.channelId,
        p.externalId,
        p.text ?? null,
        p.permalink !== undefined && p.permalink.length <= 1000 ? p.permalink : null,
        p.occurredAt ?? null,
        new Date(),
      ]),
      'on duplicate key update text = if(deleted_at is null, coalesce(text, values(text)), null), permalink = coalesce(permalink, values(permalink)), occurred_at = coalesce(occurred_at, values(occurred_at))',
    )
    const all = await find(tx, sorted, 'lock in share mode')
    return { all, fresh: news.flatMap((post) => all.get(postKey(post)) ?? []) }
  },

  /**
   * A post was edited, deleted or reacted to: the newest edit and the newest word of each person count, a deletion for ever.
   * The id of the post, if there is such a post; `isReaction`: its reactions are others now.
   * @param lock waits for a post that is on its way in
   */
  async change(
    tx: Writer,
    post: Pick<Post, 'accountId' | 'channelId' | 'externalId'>,
    change: PostChange,
    lock: '' | 'for update' = '',
  ): Promise<{ readonly id: string; readonly isReaction: boolean } | undefined> {
    const found = await tx.first<{ id: string }>(
      `select id from posts where account_id = ? and channel_id = ? and external_id = ? ${lock}`,
      [post.accountId, post.channelId, post.externalId],
    )
    if (found === undefined) return undefined
    const where = 'where account_id = ? and id = ? and deleted_at is null'
    let isReaction = false
    if (change.type === 'reaction') isReaction = await react(tx, post.accountId, found.id, change)
    else if (change.type === 'delete')
      await tx.run(`update posts set text = null, deleted_at = ? ${where}`, [change.at, post.accountId, found.id])
    else
      await tx.run(`update posts set text = ?, edited_at = ? ${where} and (edited_at is null or edited_at < ?)`, [
        change.text,
        change.at,
        post.accountId,
        found.id,
        change.at,
      ])
    return { id: found.id, isReaction }
  },
}

/** The post's row is locked first, so that one after another counts. */
async function react(
  tx: Writer,
  accountId: string,
  postId: string,
  { by, emoji, at }: Extract<PostChange, { type: 'reaction' }>,
): Promise<boolean> {
  const [person, word] = [by.slice(0, 190), emoji?.slice(0, 40) ?? null]
  const post = await tx.first<Pick<Post, 'reactions'>>(
    'select reactions from posts where account_id = ? and id = ? for update',
    [accountId, postId],
  )
  const before = await tx.first<{ emoji: string | null; at: Date }>(
    'select emoji, at from post_reactions where account_id = ? and post_id = ? and person = ?',
    [accountId, postId, person],
  )
  if (post === undefined || (before !== undefined && before.at > at)) return false
  await tx.run(
    'insert into post_reactions (account_id, post_id, person, emoji, at) values (?, ?, ?, ?, ?) on duplicate key update emoji = values(emoji), at = values(at)',
    [accountId, postId, person, word, at],
  )
  const was = before?.emoji ?? null
  if (was === word) return false
  const tally = new Map(Object.entries(post.reactions ?? {}))
  if (was !== null) tally.set(was, (tally.get(was) ?? 1) - 1)
  if (word !== null) tally.set(word, (tally.get(word) ?? 0) + 1)
  const left = Object.fromEntries([...tally].filter(([, count]) => count > 0))
  await tx.run('update posts set reactions = ? where account_id = ? and id = ?', [
    JSON.stringify(left),
    accountId,
    postId,
  ])
  return true
}

async function find(
  reader: Reader,
  wanted: readonly NewPost[],
  lock: '' | 'lock in share mode',
): Promise<Map<string, Post>> {
  const named = anyOf(
    ['account_id', 'channel_id', 'external_id'],
    wanted.map((post) => [post.accountId, post.channelId, post.externalId]),
  )
  const rows = await reader.query<Post>(`select ${columns} from posts where ${named.sql} ${lock}`, named.values)
  return new Map(rows.map((row) => [postKey(row), row]))
}
