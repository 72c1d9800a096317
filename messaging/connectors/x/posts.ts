/** Posts: v1.1 objects of Account Activity and v2 objects of X Activity, mentions, replies, our own, deletions, likes. */
import type { InboundAttachment, InboundEvent, Thread } from '../connector.ts'
import { fieldsOf, flagOf, instantOf, isFields, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { mediaByKeys, readMedia } from './media.ts'
import { kept } from './delivery.ts'
import type { Delivery } from './delivery.ts'
import { nameOf, personOf, readText, xIdOf, xInstantOf } from './people.ts'

interface Post {
  readonly externalId: string
  readonly authorId: string
  readonly author: unknown
  readonly text: string | undefined
  readonly attachments: readonly InboundAttachment[]
  readonly repliedTo: string | undefined
  readonly repliedToUser: string | undefined
  readonly quoted: string | undefined
  readonly conversationId: string | undefined
  readonly isRepost: boolean
  readonly createdAt: unknown
}

/**
 * A direct answer to one of our posts is a `comment`, any other naming of us a `mention`; our own answer is an echo, our
 * own new post a `post`. The kind follows from the post, not from the event, since a post may come under two event types.
 */
export function readPost(raw: Fields, delivery: Delivery): InboundEvent {
  const post = isFields(raw.user) || raw.id_str !== undefined ? readV1(raw) : readV2(raw, delivery)
  if (post === undefined) return kept('a post without an id or an author')
  if (post.isRepost) return kept('a repost is not shown')
  const { externalId, text, attachments, repliedTo, quoted } = post
  const occurredAt = xInstantOf(post.createdAt, externalId)
  const rootId = post.conversationId ?? repliedTo ?? externalId
  const thread: Thread = {
    kind: 'public',
    rootId,
    isPerPerson: true,
    ...(repliedTo === undefined ? {} : { parentId: repliedTo }),
    ...(rootId === externalId ? {} : { postId: rootId }),
  }
  const answered = repliedTo === undefined ? {} : { inReplyTo: repliedTo }
  if (post.authorId === delivery.userId) {
    if (repliedTo === undefined) {
      const handle = personOf(post.authorId, post.author).handle
      return {
        type: 'post',
        externalId,
        occurredAt,
        text,
        permalink: `https://x.com/${handle ?? 'i'}/status/${externalId}`,
      }
    }
    const to =
      post.repliedToUser === undefined || post.repliedToUser === delivery.userId
        ? undefined
        : personOf(post.repliedToUser, delivery.users.get(post.repliedToUser))
    return { type: 'echo', kind: 'comment', externalId, occurredAt, to, thread, text, attachments, ...answered }
  }
  const kind = repliedTo !== undefined && post.repliedToUser === delivery.userId ? 'comment' : 'mention'
  const extra = {
    ...(quoted === undefined ? {} : { quoted }),
    // Shown all the same: what was written stays written, and an operator should see why no answer arrives.
    ...(delivery.isAuthorBlocked ? { author_blocked: true } : {}),
  }
  return {
    type: 'message',
    kind,
    externalId,
    occurredAt,
    from: personOf(post.authorId, post.author),
    thread,
    text,
    attachments,
    ...answered,
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  }
}

/** v1.1: a truncated post has its text, entities and media in `extended_tweet` only. */
function readV1(raw: Fields): Post | undefined {
  const externalId = xIdOf(raw)
  const user = fieldsOf(raw.user)
  const authorId = xIdOf(user)
  if (externalId === undefined || authorId === undefined) return undefined
  const whole = flagOf(raw.truncated) || isFields(raw.extended_tweet) ? fieldsOf(raw.extended_tweet) : raw
  const media =
    mediaOf(whole.extended_entities) ??
    mediaOf(whole.entities) ??
    mediaOf(raw.extended_entities) ??
    mediaOf(raw.entities) ??
    []
  return {
    externalId,
    authorId,
    author: user,
    text: readText(textOf(whole.full_text) ?? textOf(whole.text) ?? raw.text, whole.entities ?? raw.entities, media),
    attachments: readMedia(media),
    repliedTo: nameOf(raw.in_reply_to_status_id_str),
    repliedToUser: nameOf(raw.in_reply_to_user_id_str),
    quoted: nameOf(raw.quoted_status_id_str) ?? xIdOf(fieldsOf(raw.quoted_status)),
    conversationId: nameOf(raw.conversation_id_str),
    isRepost: isFields(raw.retweeted_status),
    createdAt: instantOf(raw.timestamp_ms) === undefined ? raw.created_at : raw.timestamp_ms,
  }
}

/** v2: long text in `note_tweet`, relations in `referenced_tweets`, media in `includes`. */
function readV2(raw: Fields, delivery: Delivery): Post | undefined {
  const externalId = nameOf(raw.id)
  const authorId = nameOf(raw.author_id)
  if (externalId === undefined || authorId === undefined) return undefined
  const references = (Array.isArray(raw.referenced_tweets) ? raw.referenced_tweets : []).map(fieldsOf)
  const referred = (type: string): string | undefined => nameOf(references.find((one) => one.type === type)?.id)
  const note = fieldsOf(raw.note_tweet)
  const isLong = textOf(note.text) !== undefined
  const media = mediaByKeys(raw.attachments, delivery.media)
  return {
    externalId,
    authorId,
    author: delivery.users.get(authorId),
    // The entities of a note leave its media out, so that those of the shortened text are needed too.
    text: readText(isLong ? note.text : raw.text, isLong ? bothUrls(note.entities, raw.entities) : raw.entities, []),
    attachments: readMedia(media),
    repliedTo: nameOf(raw.in_reply_to_tweet_id) ?? referred('replied_to'),
    repliedToUser: nameOf(raw.in_reply_to_user_id),
    quoted: referred('quoted'),
    conversationId: nameOf(raw.conversation_id),
    isRepost: references.some((one) => one.type === 'retweeted'),
    createdAt: raw.created_at,
  }
}

const bothUrls = (...all: readonly unknown[]): Fields => ({
  urls: all.flatMap((entities) => {
    const urls: unknown = fieldsOf(entities).urls
    return Array.isArray(urls) ? (urls as unknown[]) : []
  }),
})

function mediaOf(entities: unknown): Fields[] | undefined {
  const media = fieldsOf(entities).media
  return Array.isArray(media) ? media.filter(isFields) : undefined
}

/** AAA: tweet_delete_events; XAA: post.delete. What was deleted must be removed. */
export function readDeletion(raw: Fields): InboundEvent {
  const externalId = xIdOf(isFields(raw.status) ? raw.status : raw)
  return externalId === undefined
    ? kept('a deletion without an id')
    : { type: 'delete', externalId, occurredAt: xInstantOf(raw.timestamp_ms ?? raw.created_at, '') }
}

/** AAA: favorite_events. A like of something of ours is a reaction to it. */
export function readLike(raw: Fields, { userId }: Delivery): InboundEvent {
  const status = fieldsOf(raw.favorited_status)
  const author = xIdOf(fieldsOf(status.user))
  const user = fieldsOf(raw.user)
  return likeOf(
    { post: xIdOf(status), author, from: xIdOf(user), user, at: raw.timestamp_ms ?? raw.created_at },
    userId,
  )
}

/** XAA: like.create. Who liked is told by `includes` alone; `created_at` is the time of the post. */
export function readActivityLike(raw: Fields, { userId, users, direction }: Delivery): InboundEvent {
  if (direction === 'outbound') return kept('our own like')
  const author = nameOf(raw.liked_tweet_author_id)
  const named = nameOf(raw.user_id) ?? nameOf(raw.liking_user_id)
  const others = [...users.keys()].filter((id) => id !== author && id !== userId)
  const from = named ?? (others.length === 1 ? others[0] : undefined)
  const user = from === undefined ? undefined : users.get(from)
  return likeOf({ post: nameOf(raw.liked_tweet_id), author, from, user, at: raw.timestamp_ms }, userId)
}

interface Like {
  readonly post: string | undefined
  readonly author: string | undefined
  readonly from: string | undefined
  readonly user: unknown
  readonly at: unknown
}

function likeOf({ post, author, from, user, at }: Like, userId: string): InboundEvent {
  if (from === userId) return kept('our own like')
  if (author !== undefined && author !== userId) return kept('a like of somebody else’s post')
  if (post === undefined || from === undefined) return kept('a like without a post or a person')
  const occurredAt = xInstantOf(at, '')
  return { type: 'reaction', externalId: post, occurredAt, from: personOf(from, user), emoji: '❤️' }
}
