/** X Activity payloads (XAA): one event each, under the type that was subscribed. */
import type { InboundEvent, ParsedItem } from '../connector.ts'
import { fieldsOf, isFields, listOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { gatherMedia, gatherUsers, itemOf, kept, readRevoke } from './delivery.ts'
import type { ReadItem } from './delivery.ts'
import { readChat, readDirectMessage, readReadMark } from './direct-messages.ts'
import { cut, nameOf } from './people.ts'
import { readActivityLike, readDeletion, readPost } from './posts.ts'

/** The readers of the payload itself, or of a list within it. */
const types: Readonly<Record<string, { readonly list: string; readonly read: ReadItem } | ReadItem>> = {
  'dm.received': { list: 'direct_message_events', read: readDirectMessage },
  'dm.sent': { list: 'direct_message_events', read: readDirectMessage },
  'dm.read': { list: 'direct_message_mark_read_events', read: readReadMark },
  'dm.indicate_typing': () => kept('someone is typing'),
  'chat.received': readChat,
  'chat.sent': readChat,
  'chat.conversation_join': () => kept('someone joined an encrypted conversation'),
  'post.create': readPost,
  'post.mention.create': readPost,
  'post.reply.create': readPost,
  'post.quote.create': readPost,
  'post.repost.create': () => kept('a repost is not shown'),
  'post.delete': readDeletion,
  'like.create': readActivityLike,
}

/** Whole families that are kept and shown to nobody. */
const families: Readonly<Record<string, string>> = {
  follow: 'a follow is not shown',
  mute: 'a mute is not shown',
  block: 'a block is not shown',
  profile: 'a change of the account’s own profile',
  spaces: 'a Space is not shown',
  broadcast: 'a broadcast is not shown',
  news: 'news are not shown',
}

/** Takes the inside of `data` apart. */
export function openActivity(at: string, data: Fields, items: ParsedItem[]): void {
  const eventType = textOf(data.event_type) ?? ''
  const payload = fieldsOf(data.payload)
  const filter = fieldsOf(data.filter)
  const filtered = nameOf(filter.user_id)
  if (eventType === 'oauth.revoke') {
    items.push(readRevoke(at, Object.keys(payload).length > 0 ? payload : data, true, filtered))
    return
  }
  const included = [fieldsOf(data.includes), fieldsOf(payload.includes)]
  const shared = {
    users: gatherUsers(payload.users, ...included.map(({ users }) => users)),
    media: gatherMedia(...included.map(({ media }) => media)),
    direction: textOf(filter.direction),
    isAuthorBlocked: false,
  }
  const reader = Object.hasOwn(types, eventType) ? types[eventType] : undefined
  const put = (place: string, userId: string | undefined, one: unknown, read: ReadItem): void => {
    items.push(
      itemOf(place, userId, () =>
        userId === undefined
          ? kept('the event names no subscribed user')
          : isFields(one)
            ? read(one, { userId, ...shared })
            : kept('the item is not an object'),
      ),
    )
  }
  if (reader === undefined) {
    items.push(itemOf(at, filtered, () => unknownType(eventType)))
  } else if (typeof reader === 'function') {
    const inner = isFields(payload.data) ? payload.data : payload
    put(at, filtered ?? ownerOf(eventType, inner), inner, reader)
  } else {
    const list = Array.isArray(payload[reader.list]) ? listOf(payload[reader.list]) : [payload]
    if (list.length === 0) items.push(itemOf(at, filtered, () => kept('the event has no items')))
    list.forEach((one, index) => {
      const userId = filtered ?? nameOf(payload.for_user_id) ?? sideOf(eventType, fieldsOf(one))
      put(`${at}.${String(index)}`, userId, one, reader.read)
    })
  }
}

function unknownType(eventType: string): InboundEvent {
  const [family = ''] = eventType.split('.')
  const reason = Object.hasOwn(families, family) ? families[family] : undefined
  return kept(reason ?? `X Activity type "${cut(eventType, 60)}" is not yet shown`)
}

/** Without a filter the payload says whose it is, where only one side can be meant. */
function ownerOf(eventType: string, payload: Fields): string | undefined {
  if (eventType === 'post.create' || eventType === 'post.delete') return nameOf(payload.author_id)
  if (eventType === 'post.reply.create') return nameOf(payload.in_reply_to_user_id)
  return eventType === 'chat.sent' ? nameOf(payload.sender_id) : undefined
}

/** Without a filter the direction of the event says which side is ours. */
function sideOf(eventType: string, event: Fields): string | undefined {
  const create = fieldsOf(event.message_create)
  const recipient = nameOf(fieldsOf(create.target ?? event.target).recipient_id)
  const sender = nameOf(create.sender_id ?? event.sender_id)
  return eventType === 'dm.sent' ? sender : recipient
}
