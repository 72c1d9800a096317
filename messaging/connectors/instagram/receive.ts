/** What reaches an Instagram account: messages as in Messenger, comments and mentions as changes (Instagram Platform: webhooks). */
import type { InboundEvent, Person } from '../connector.ts'
import { kept } from '../meta/envelope.ts'
import type { Entry, ItemReaders, ReadItem } from '../meta/envelope.ts'
import { extraOf } from '../meta/extras.ts'
import { readMessaging } from '../meta/messaging.ts'
import { fieldsOf, idOf, instantOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'

export const instagramReaders: ItemReaders = {
  messaging: readMessaging,
  change(field, value, entry): InboundEvent {
    const read = Object.hasOwn(changes, field) ? changes[field] : undefined
    if (read !== undefined) return read(value, entry)
    // With Instagram Login messages may come as changes.
    if (/^(messag|standby)/.test(field)) return readMessaging(value, entry)
    return kept(`change of "${field.slice(0, 60)}" is not shown`)
  },
}

const changes: Readonly<Record<string, ReadItem>> = {
  comments: (value, entry) => readComment(value, entry, false),
  live_comments: (value, entry) => readComment(value, entry, true),
  mentions: readMention,
  story_insights: () => kept('figures of a story that has ended'),
}

/** Comments have no time of their own in webhooks: the entry's is theirs. `timestamp` is there when they were read back. */
export function readComment(value: Fields, entry: Entry, isLive: boolean): InboundEvent {
  const externalId = idOf(value.id) ?? idOf(value.comment_id)
  if (externalId === undefined) return kept('a comment without an id')
  const media = fieldsOf(value.media)
  const postId = idOf(media.id) ?? idOf(value.media_id)
  const parentId = idOf(value.parent_id)
  const isTop = parentId === undefined || parentId === postId
  const from = fieldsOf(value.from)
  const shared = {
    externalId,
    occurredAt: instantOf(value.timestamp) ?? instantOf(value.created_time) ?? entry.at,
    thread: {
      kind: 'public' as const,
      rootId: isTop ? externalId : parentId,
      ...(isTop ? (postId === undefined ? {} : { parentId: postId }) : { parentId }),
      ...(postId === undefined ? {} : { postId }),
    },
    text: textOf(value.text),
    attachments: [],
    ...(isTop ? {} : { inReplyTo: parentId }),
  }
  // `self_ig_scoped_id` is there when the account itself wrote.
  if (idOf(from.id) === entry.id || idOf(from.self_ig_scoped_id) !== undefined)
    return { type: 'echo', kind: 'comment', to: undefined, ...shared }
  return {
    type: 'message',
    kind: 'comment',
    from: personOf(from) ?? { externalId: `withheld:${externalId}`, name: 'Someone on Instagram' },
    ...shared,
    ...extraOf({
      is_live: isLive ? true : undefined,
      media_product_type: textOf(media.media_product_type),
      ad_id: idOf(media.ad_id),
    }),
  }
}

function personOf(from: Fields): Person | undefined {
  const externalId = idOf(from.id)
  const handle = textOf(from.username)?.slice(0, 100)
  return externalId === undefined
    ? undefined
    : { externalId, ...(handle === undefined ? {} : { handle, name: handle }) }
}

/**
 * Webhooks name neither author nor words of a mention. Author and text can be asked for under the ids kept here; the author's
 * id tells `fetchPerson` what to ask.
 */
function readMention(value: Fields, entry: Entry): InboundEvent {
  const mediaId = idOf(value.media_id)
  const commentId = idOf(value.comment_id)
  const externalId = commentId ?? mediaId
  if (externalId === undefined) return kept('a mention without an id')
  return {
    type: 'message',
    kind: 'mention',
    externalId,
    occurredAt: instantOf(value.timestamp) ?? entry.at,
    from: { externalId: `mention:${commentId === undefined ? 'media' : 'comment'}:${externalId}` },
    thread: { kind: 'public', rootId: externalId, ...(mediaId === undefined ? {} : { postId: mediaId }) },
    text: textOf(value.text),
    attachments: [],
    ...extraOf({ media_id: mediaId, comment_id: commentId }),
  }
}
