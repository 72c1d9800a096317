/** Page feed changes (Page webhooks: feed, mention): comments, posts of others and of the page, reactions. */
import type { InboundAttachment, InboundEvent, Person } from '../connector.ts'
import { kept } from '../meta/envelope.ts'
import type { Entry } from '../meta/envelope.ts'
import { fieldsOf, idOf, instantOf, textOf, urlOf } from '../reading.ts'
import type { Fields } from '../reading.ts'

/** Reads `value` of a `feed` change by its item. */
export function readFeed(value: Fields, entry: Entry): InboundEvent {
  const item = textOf(value.item) ?? ''
  if (item === 'comment') return readComment(value, entry)
  if (postItems.has(item)) return readPost(value, entry)
  if (item === 'reaction' || item === 'like') return readReaction(value, entry)
  if (item === 'rating') return kept('a recommendation, which comes as "ratings" too')
  return kept(`feed item "${item.slice(0, 60)}" is not shown`)
}

const postItems: ReadonlySet<string> = new Set([
  'post',
  'status',
  'photo',
  'video',
  'share',
  'album',
  'event',
  'note',
  'link',
])

function readComment(value: Fields, entry: Entry): InboundEvent {
  const externalId = idOf(value.comment_id)
  if (externalId === undefined) return kept('a comment without an id')
  const changed = readChange(value, externalId, entry)
  if (changed !== undefined) return changed

  const postId = idOf(value.post_id)
  const parentId = idOf(value.parent_id)
  // A top-level comment names the post as its parent.
  const isTop = parentId === undefined || parentId === postId
  const thread = {
    kind: 'public' as const,
    rootId: isTop ? externalId : parentId,
    ...(parentId === undefined ? {} : { parentId }),
    ...(postId === undefined ? {} : { postId }),
  }
  const from = authorOf(value)
  const text = textOf(value.message)
  const shared = {
    externalId,
    occurredAt: timeOf(value, entry),
    thread,
    text,
    attachments: mediaOf(value),
    ...(isTop ? {} : { inReplyTo: parentId }),
  }
  if (from?.externalId === entry.id) return { type: 'echo', kind: 'comment', to: undefined, ...shared }
  return { type: 'message', kind: 'comment', from: from ?? strangerOf(externalId), ...shared }
}

function readPost(value: Fields, entry: Entry): InboundEvent {
  const externalId = idOf(value.post_id)
  // An album or a photo may come without a post: what it shows comes with the post that tells of it.
  if (externalId === undefined) return kept('a post without an id')
  const changed = readChange(value, externalId, entry)
  if (changed !== undefined) return changed
  const from = authorOf(value)
  const text = textOf(value.message)
  const occurredAt = timeOf(value, entry)
  if (from === undefined || from.externalId === entry.id) {
    if (value.published === 0 || value.published === false) return kept('a post that is not yet published')
    const permalink = urlOf(fieldsOf(value.post).permalink_url) ?? urlOf(value.permalink_url)
    return { type: 'post', externalId, occurredAt, text, ...(permalink === undefined ? {} : { permalink }) }
  }
  return {
    type: 'message',
    kind: 'post',
    externalId,
    occurredAt,
    from,
    thread: { kind: 'public', rootId: externalId, postId: externalId },
    text,
    attachments: mediaOf(value),
  }
}

/** Everything that happens to content already there; `undefined` for what is new. */
function readChange(value: Fields, externalId: string, entry: Entry): InboundEvent | undefined {
  const occurredAt = timeOf(value, entry)
  switch (value.verb) {
    case 'add':
    case undefined:
      return undefined
    case 'edit':
    case 'edited':
    case 'update':
      return { type: 'edit', externalId, occurredAt: entry.at, text: textOf(value.message) }
    case 'remove':
    case 'delete':
      return { type: 'delete', externalId, occurredAt: entry.at }
    case 'hide':
    case 'unhide':
      return { type: 'hide', externalId, occurredAt, isHidden: value.verb === 'hide' }
    default:
      return kept(`feed verb "${String(textOf(value.verb)?.slice(0, 40))}" is not shown`)
  }
}

const emoji: Readonly<Record<string, string>> = {
  like: '👍',
  love: '❤️',
  care: '🤗',
  haha: '😆',
  wow: '😮',
  sad: '😢',
  sorry: '😢',
  angry: '😠',
  anger: '😠',
}

function readReaction(value: Fields, entry: Entry): InboundEvent {
  const externalId = idOf(value.comment_id) ?? idOf(value.post_id)
  const from = authorOf(value)
  if (externalId === undefined) return kept('a like of the page')
  if (from === undefined) return kept('a reaction without a person')
  if (from.externalId === entry.id) return kept('our own reaction')
  const isTaken = value.verb === 'remove' || value.verb === 'delete'
  const name = textOf(value.reaction_type) ?? 'like'
  return {
    type: 'reaction',
    externalId,
    occurredAt: timeOf(value, entry),
    from,
    emoji: isTaken ? undefined : ((Object.hasOwn(emoji, name) ? emoji[name] : undefined) ?? '👍'),
  }
}

/** Page webhooks: mention. The network names no author in most deliveries. */
export function readMention(value: Fields, entry: Entry): InboundEvent {
  const postId = idOf(value.post_id)
  const externalId = idOf(value.comment_id) ?? postId
  if (externalId === undefined) return kept('a mention without an id')
  const changed = readChange(value, externalId, entry)
  if (changed !== undefined) return changed
  const from = authorOf(value)
  if (from?.externalId === entry.id) return kept('a mention of ourselves')
  return {
    type: 'message',
    kind: 'mention',
    externalId,
    occurredAt: timeOf(value, entry),
    from: from ?? strangerOf(externalId),
    thread: { kind: 'public', rootId: externalId, ...(postId === undefined ? {} : { postId }) },
    text: textOf(value.message),
    attachments: mediaOf(value),
  }
}

const timeOf = (value: Fields, entry: Entry): Date => instantOf(value.created_time) ?? entry.at

/** `from`, or the older `sender_id` and `sender_name`; ids come as text or number. */
function authorOf(value: Fields): Person | undefined {
  const from = fieldsOf(value.from)
  const externalId = idOf(from.id) ?? idOf(value.sender_id)
  const name = textOf(from.name) ?? textOf(value.sender_name)
  return externalId === undefined
    ? undefined
    : { externalId, ...(name === undefined ? {} : { name: name.slice(0, 200) }) }
}

/** The network withholds some authors; what they wrote is shown all the same, each as a person of its own. */
const strangerOf = (contentId: string): Person => ({ externalId: `withheld:${contentId}`, name: 'Someone on Facebook' })

function mediaOf(value: Fields): InboundAttachment[] {
  const more: readonly unknown[] = Array.isArray(value.photos) ? value.photos : []
  const photos = [value.photo, ...more].map(urlOf).filter((url) => url !== undefined)
  const video = urlOf(value.video)
  const link = urlOf(value.link)
  // A photo post gives its picture as link too.
  const media: InboundAttachment[] = [...new Set(photos)].map((url) => ({ kind: 'image', url }))
  if (video !== undefined) media.push({ kind: 'video', url: video })
  if (media.length === 0 && link !== undefined)
    media.push(
      value.item === 'photo'
        ? { kind: 'image', url: link }
        : value.item === 'video'
          ? { kind: 'video', url: link }
          : { kind: 'share', title: link },
    )
  return media
}
