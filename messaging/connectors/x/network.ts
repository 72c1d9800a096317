/**
 * X as a network: Account Activity payloads (V2 webhooks: AAA) and X Activity payloads (XAA) arrive at the same address.
 * The same direct message or post gives the same item, whichever way it came.
 */
import type { InboundEvent, Network, ParsedItem } from '../connector.ts'
import { fieldsOf, flagOf, isFields, readJson, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { openActivity } from './activity.ts'
import { examineXApp } from './api.ts'
import { gatherUsers, itemOf, kept, readRevoke } from './delivery.ts'
import type { ReadItem } from './delivery.ts'
import { readDirectMessage, readReadMark } from './direct-messages.ts'
import { cut, nameOf } from './people.ts'
import { readDeletion, readLike, readPost } from './posts.ts'
import { answerCrc, verifyX } from './signature.ts'

export const x: Network = {
  name: 'x',
  answerHandshake: answerCrc,
  verify: verifyX,
  parse: parseX,
  examineApp: examineXApp,
}

const follow: ReadItem = () => kept('a follow is not shown')
const block: ReadItem = () => kept('a block is not shown')
const mute: ReadItem = () => kept('a mute is not shown')

/** Lists of an Account Activity delivery. */
const lists: Readonly<Record<string, ReadItem>> = {
  direct_message_events: readDirectMessage,
  tweet_create_events: readPost,
  tweet_delete_events: readDeletion,
  favorite_events: readLike,
  direct_message_mark_read_events: readReadMark,
  direct_message_indicate_typing_events: () => kept('someone is typing'),
  // What is undone stands in the same list; the documentation also names lists of its own.
  follow_events: follow,
  unfollow_events: follow,
  block_events: block,
  unblock_events: block,
  mute_events: mute,
  unmute_events: mute,
}

const besides = ['for_user_id', 'users', 'apps', 'user_has_blocked', 'is_blocked_by']

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
  const userId = nameOf(envelope.for_user_id)
  const isAuthorBlocked = flagOf(envelope.user_has_blocked) || flagOf(envelope.is_blocked_by)
  const users = gatherUsers(envelope.users)
  const delivery = {
    userId: userId ?? '',
    users,
    media: new Map<string, Fields>(),
    direction: undefined,
    isAuthorBlocked,
  }
  for (const [key, value] of Object.entries(envelope)) {
    if (besides.includes(key)) continue
    const at = `${prefix}${cut(key, 60)}`
    if (key === 'user_event') {
      items.push(readRevoke(at, value, false))
      continue
    }
    if (key === 'replay_job_status') {
      items.push(readReplay(at, value))
      continue
    }
    const read = Object.hasOwn(lists, key) ? lists[key] : undefined
    if (read === undefined) {
      items.push(itemOf(at, userId, () => kept(`"${cut(key, 60)}" is not yet shown`)))
      continue
    }
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    list.forEach((one, index) => {
      items.push(
        itemOf(`${at}.${String(index)}`, userId, () =>
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

/** The end of a replay that we asked for. It is told of the webhook, so that it names no channel. */
function readReplay(at: string, value: unknown): ParsedItem {
  const status = fieldsOf(value)
  const jobId = nameOf(status.job_id)
  const event: InboundEvent =
    jobId === undefined
      ? kept('the state of a replay without its id')
      : { type: 'replayed', occurredAt: new Date(), jobId, isComplete: textOf(status.job_state) === 'Complete' }
  return itemOf(at, undefined, () => event)
}
