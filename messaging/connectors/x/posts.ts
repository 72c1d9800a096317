/** Posts: v1.1 objects of Account Activity and v2 objects of X Activity, mentions, replies, our own, deletions, likes. */
import type { InboundAttachment, InboundEvent, Thread } from '../connector.ts'
import { fieldsOf, flagOf, idOf, isFields, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import type { Delivery } from './network.ts'
import { personOf, readMedia, readText, xIdOf, xInstantOf } from './people.ts'

const kept = (reason: string): InboundEvent => ({ type: 'kept', reason })

interface Post {
  readonly externalId: string
  readonly authorId: string
  readonly author: unknown
  readonly text: string | undefined
  readonly attachments: readonly InboundAttachment[]
  readonly repliedTo: string | undefined
  readonly repliedToUser: string | undefined
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
  const { externalId, text, attachments, repliedTo } = post
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
  }
}

/** v1.1: a truncated post has its text, entities and media in `extended_tweet` only. */
function readV1(raw: Fields): Post | undefined {
  const externalId = xIdOf(raw)
  const user = fieldsOf(raw.user)
  const authorId = xIdOf(user)
  if (externalId === undefined || authorId === undefined) return undefined
  const whole = flagOf(raw.truncated) || isFields(raw.extended_tweet) ? fieldsOf(raw.extended_tweet) : raw
  const media = mediaOf(whole.extended_entities) ?? mediaOf(whole.entities) ?? []
  return {
    externalId,
    authorId,
    author: user,
    text: readText(textOf(whole.full_text) ?? textOf(whole.text) ?? raw.text, whole.entities ?? raw.entities, media),
    attachments: readMedia(media),
    repliedTo: idOf(raw.in_reply_to_status_id_str),
    repliedToUser: idOf(raw.in_reply_to_user_id_str),
    conversationId: idOf(raw.conversation_id_str),
    isRepost: isFields(raw.retweeted_status),
    createdAt: raw.timestamp_ms ?? raw.created_at,
  }
}

/** v2: long text in `note_tweet`, relations in `referenced_tweets`. */
function readV2(raw: Fields, delivery: Delivery): Post | undefined {
  const externalId = idOf(raw.id)
  const authorId = idOf(raw.author_id)
  if (externalId === undefined || authorId === undefined) return undefined
  const references = (Array.isArray(raw.referenced_tweets) ? raw.referenced_tweets : []).map(fieldsOf)
  const note = fieldsOf(raw.note_tweet)
  const repliedTo = idOf(raw.in_reply_to_tweet_id) ?? idOf(references.find((one) => one.type === 'replied_to')?.id)
  return {
    externalId,
    authorId,
    author: delivery.users.get(authorId),
    text: readText(
      textOf(note.text) ?? raw.text,
      textOf(note.text) === undefined ? raw.entities : (note.entities ?? raw.entities),
      [],
    ),
    attachments: (Array.isArray(fieldsOf(raw.attachments).media_keys)
      ? (fieldsOf(raw.attachments).media_keys as unknown[])
      : []
    )
      .map(idOf)
      .filter((id) => id !== undefined)
      .map((id) => ({ kind: 'other', externalId: id })),
    repliedTo,
    repliedToUser: idOf(raw.in_reply_to_user_id),
    conversationId: idOf(raw.conversation_id),
    isRepost: references.some((one) => one.type === 'retweeted'),
    createdAt: raw.created_at,
  }
}

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

/** AAA: favorite_events. A like of an answer of ours is a reaction to it; a like of a post is not shown. */
export function readLike(raw: Fields, { userId }: Delivery): InboundEvent {
  const status = fieldsOf(raw.favorited_status)
  const externalId = xIdOf(status)
  const user = fieldsOf(raw.user)
  const from = xIdOf(user)
  if (externalId === undefined || from === undefined) return kept('a like without a post or a person')
  if (from === userId) return kept('our own like')
  if (idOf(status.in_reply_to_status_id_str) === undefined) return kept('a like of a post')
  return {
    type: 'reaction',
    externalId,
    occurredAt: xInstantOf(raw.timestamp_ms ?? raw.created_at, ''),
    from: personOf(from, user),
    emoji: '❤️',
  }
}
