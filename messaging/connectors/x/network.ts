/**
 * X as a network: Account Activity payloads (V2 webhooks: AAA) and X Activity payloads (XAA) arrive at the same address.
 * The same direct message or post gives the same item, whichever way it came.
 */
import type { InboundEvent, Network, ParsedItem } from '../connector.ts'
import { fieldsOf, idOf, instantOf, isFields, listOf, readJson, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { readDirectMessage, readReadMark } from './direct-messages.ts'
import { readDeletion, readLike, readPost } from './posts.ts'
import { answerCrc, verifyX } from './signature.ts'

export const x: Network = { name: 'x', answerHandshake: answerCrc, verify: verifyX, parse: parseX }

/** What items share: the subscribed user and everyone named in the delivery. */
export interface Delivery {
  readonly userId: string
  readonly users: ReadonlyMap<string, Fields>
}

type ReadItem = (item: Fields, delivery: Delivery) => InboundEvent
const kept = (reason: string): InboundEvent => ({ type: 'kept', reason })

/** Lists of an Account Activity delivery. */
const lists: Readonly<Record<string, ReadItem>> = {
  direct_message_events: readDirectMessage,
  tweet_create_events: readPost,
  tweet_delete_events: readDeletion,
  favorite_events: readLike,
  direct_message_mark_read_events: readReadMark,
  direct_message_indicate_typing_events: () => kept('someone is typing'),
  follow_events: () => kept('a follow is not shown'),
  block_events: () => kept('a block is not shown'),
  mute_events: () => kept('a mute is not shown'),
}

/** Event types of an X Activity delivery: the list within the payload, or the reader of the payload itself. */
const types: Readonly<Record<string, { readonly list: string } | ReadItem>> = {
  'dm.received': { list: 'direct_message_events' },
  'dm.sent': { list: 'direct_message_events' },
  'dm.read': { list: 'direct_message_mark_read_events' },
  'dm.indicate_typing': () => kept('someone is typing'),
  'post.create': readPost,
  'post.mention.create': readPost,
  'post.reply.create': readPost,
  'post.quote.create': readPost,
  'post.repost.create': () => kept('a repost is not shown'),
  'post.delete': readDeletion,
  'chat.received': () => kept('an encrypted message: it can only be read and answered in X'),
  'chat.sent': () => kept('an encrypted message of ours'),
}

function parseX(body: Uint8Array): ParsedItem[] {
  const json = readJson(body)
  const items: ParsedItem[] = []
  const envelopes = Array.isArray(json)
    ? json.map((one: unknown, index) => [`${String(index)}.`, one] as const)
    : [['', json] as const]
  for (const [prefix, envelope] of envelopes) {
    if (!isFields(envelope)) continue
    if (isFields(envelope.data)) openActivity(`${prefix}data`, envelope.data, items)
    else openAccountActivity(prefix, envelope, items)
  }
  if (items.length === 0)
    items.push({
      at: '',
      channelType: undefined,
      channelExternalId: undefined,
      event: kept(json === undefined ? 'the body is not JSON' : 'the body has no items'),
    })
  return items
}

function openAccountActivity(prefix: string, envelope: Fields, items: ParsedItem[]): void {
  const userId = idOf(envelope.for_user_id)
  const delivery = { userId: userId ?? '', users: gatherUsers(envelope.users) }
  for (const [key, value] of Object.entries(envelope)) {
    if (['for_user_id', 'users', 'apps', 'user_has_blocked', 'is_blocked_by'].includes(key)) continue
    const at = `${prefix}${key.slice(0, 60)}`
    if (key === 'user_event') {
      items.push(readRevoke(at, value))
      continue
    }
    const read = Object.hasOwn(lists, key) ? lists[key] : undefined
    if (read === undefined) {
      items.push(item(at, userId, () => kept(`"${key.slice(0, 60)}" is not yet shown`)))
      continue
    }
    const list = Array.isArray(value) ? value : [value]
    list.forEach((one: unknown, index) => {
      items.push(
        item(`${at}.${String(index)}`, userId, () =>
          userId === undefined
            ? kept('the delivery names no subscribed user')
            : isFields(one)
              ? read(one, delivery)
              : kept('the item is not an object'),
        ),
      )
    })
  }
}

function openActivity(at: string, data: Fields, items: ParsedItem[]): void {
  const eventType = textOf(data.event_type) ?? ''
  const payload = fieldsOf(data.payload)
  const includes = fieldsOf(data.includes)
  const users = gatherUsers(payload.users, includes.users, fieldsOf(payload.includes).users)
  const filtered = idOf(fieldsOf(data.filter).user_id)
  if (eventType === 'oauth.revoke') {
    items.push(readRevoke(at, Object.keys(payload).length > 0 ? payload : data, filtered))
    return
  }
  const reader = Object.hasOwn(types, eventType) ? types[eventType] : undefined
  if (reader === undefined) {
    items.push(item(at, filtered, () => kept(`X Activity type "${eventType.slice(0, 60)}" is not yet shown`)))
  } else if (typeof reader === 'function') {
    items.push(
      item(at, filtered, () =>
        filtered === undefined
          ? kept('the event names no subscribed user')
          : reader(isFields(payload.data) ? payload.data : payload, { userId: filtered, users }),
      ),
    )
  } else {
    const read = lists[reader.list]
    const list = Array.isArray(payload[reader.list]) ? listOf(payload[reader.list]) : [payload]
    list.forEach((one, index) => {
      // Without a filter the direction of the event says which side is ours.
      const userId = filtered ?? idOf(payload.for_user_id) ?? sideOf(eventType, fieldsOf(one))
      items.push(
        item(`${at}.${String(index)}`, userId, () =>
          userId === undefined || read === undefined
            ? kept('the event names no subscribed user')
            : isFields(one)
              ? read(one, { userId, users })
              : kept('the item is not an object'),
        ),
      )
    })
  }
}

function sideOf(eventType: string, event: Fields): string | undefined {
  const create = fieldsOf(event.message_create)
  const recipient = idOf(fieldsOf(create.target ?? event.target).recipient_id)
  const sender = idOf(create.sender_id ?? event.sender_id)
  return eventType === 'dm.sent' ? sender : recipient
}

/** AAA `user_event.revoke`, XAA `oauth.revoke`: without `for_user_id`, the source is the account that is gone. */
function readRevoke(at: string, value: unknown, filtered?: string): ParsedItem {
  const event = fieldsOf(value)
  const revoke = isFields(event.revoke) ? event.revoke : event
  const userId = filtered ?? idOf(fieldsOf(revoke.source).user_id) ?? idOf(revoke.user_id)
  return item(at, userId, () =>
    isFields(event.revoke) || userId !== undefined
      ? {
          type: 'revoked',
          occurredAt: instantOf(revoke.date_time) ?? new Date(),
          reason: 'The user withdrew the app’s access in X.',
        }
      : kept('a user event that is not yet shown'),
  )
}

function item(at: string, userId: string | undefined, read: () => InboundEvent): ParsedItem {
  let event: InboundEvent
  try {
    event = read()
  } catch (error) {
    event = kept(`could not be read: ${error instanceof Error ? error.message : 'unknown'}`)
  }
  return { at, channelType: 'x', channelExternalId: userId, event }
}

/** Users as a map by id or as a list; a value may be wrapped in `{data}`. */
function gatherUsers(...sources: readonly unknown[]): Map<string, Fields> {
  const users = new Map<string, Fields>()
  for (const source of sources) {
    const entries: (readonly [string | undefined, unknown])[] = Array.isArray(source)
      ? source.map((one: unknown) => [undefined, one])
      : Object.entries(fieldsOf(source))
    for (const [key, value] of entries) {
      const user = isFields(fieldsOf(value).data) ? fieldsOf(fieldsOf(value).data) : fieldsOf(value)
      const id = key ?? idOf(user.id_str) ?? idOf(user.id)
      if (id !== undefined) users.set(id, user)
    }
  }
  return users
}
