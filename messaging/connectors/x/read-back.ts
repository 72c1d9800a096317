/**
 * What was missed: posts that name the account (`GET /2/users/:id/mentions`), then its direct messages of both directions
 * (`GET /2/dm_events`, 30 days). Newest first, one page for each call, as the items that a webhook would have brought.
 */
import type { Asked, ChannelAccess, ParsedItem, ReadBack } from '../connector.ts'
import { fieldsOf, isFields, listOf, textOf } from '../reading.ts'
import { callX } from './api.ts'
import type { XCall } from './api.ts'
import { gatherMedia, gatherUsers, itemOf, kept } from './delivery.ts'
import type { Delivery, ReadItem } from './delivery.ts'
import { readStoredMessage } from './direct-messages.ts'
import { readPost } from './posts.ts'

interface Source {
  call(userId: string, since: Date): XCall
  readonly read: ReadItem
}

const people = { 'user.fields': 'name,username,profile_image_url' }
const media = { 'media.fields': 'media_key,type,url,preview_image_url,variants,alt_text' }

const mentions: Source = {
  call: (userId, since) => ({
    method: 'GET',
    path: `/2/users/${encodeURIComponent(userId)}/mentions`,
    query: {
      max_results: '100',
      // X tells whole seconds and takes no more.
      start_time: `${new Date(Math.floor(since.getTime() / 1000) * 1000).toISOString().slice(0, 19)}Z`,
      'tweet.fields':
        'created_at,author_id,conversation_id,in_reply_to_user_id,referenced_tweets,entities,note_tweet,attachments',
      expansions: 'author_id,in_reply_to_user_id,attachments.media_keys',
      ...people,
      ...media,
    },
  }),
  read: readPost,
}

const directMessages: Source = {
  call: () => ({
    method: 'GET',
    path: '/2/dm_events',
    query: {
      max_results: '100',
      event_types: 'MessageCreate',
      'dm_event.fields': 'id,event_type,created_at,sender_id,text,dm_conversation_id,attachments,entities',
      expansions: 'sender_id,participant_ids,attachments.media_keys',
      ...people,
      ...media,
    },
  }),
  read: readStoredMessage,
}

const sources = { m: mentions, d: directMessages } as const

/** `cursor`: which of the two, and X's token of the page. */
export async function readBackX(
  channel: ChannelAccess,
  since: Date,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Asked<ReadBack>> {
  const [kind, token] = cursor === undefined ? ['m', ''] : [cursor.slice(0, 1), cursor.slice(2)]
  const source = kind === 'd' ? sources.d : sources.m
  const base = source.call(channel.externalId, since)
  const call = token === '' ? base : { ...base, query: { ...base.query, pagination_token: token } }
  const result = await callX(channel, call, signal)
  if (!result.ok) return result.outcome
  const page = fieldsOf(result.json)
  const includes = fieldsOf(page.includes)
  const delivery: Delivery = {
    userId: channel.externalId,
    users: gatherUsers(includes.users),
    media: gatherMedia(includes.media),
    direction: undefined,
    isAuthorBlocked: false,
  }
  const name = kind === 'd' ? 'dm_events' : 'mentions'
  const read = listOf(page.data).map((one, index) =>
    itemOf(`${name}.${String(index)}`, channel.externalId, () =>
      isFields(one) ? source.read(one, delivery) : kept('the item is not an object'),
    ),
  )
  const isOld = ({ event }: ParsedItem): boolean => 'occurredAt' in event && event.occurredAt < since
  const next = textOf(fieldsOf(page.meta).next_token)
  // The direct messages come newest first and take no beginning: what is older ends them.
  const isOver = next === undefined || read.some(isOld)
  const after = kind === 'd' ? undefined : 'd:'
  return {
    type: 'ok',
    value: {
      items: read.filter((item) => !isOld(item)),
      cursor: isOver ? after : `${kind === 'd' ? 'd' : 'm'}:${next}`,
    },
  }
}
