/** X accounts: direct messages, and answers below posts. */
import { noFiles } from '../connector.ts'
import type { Connector, Limits, Lookup, OutboundMessage, Outcome } from '../connector.ts'
import { fieldsOf, idOf, instantOf, listOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { callX } from './api.ts'
import type { XCall } from './api.ts'
import { examineX } from './condition.ts'
import { measurePost } from './length.ts'
import { locateXMedia } from './media.ts'
import { personOf, snowflakeInstant } from './people.ts'
import { readBackX } from './read-back.ts'
import { refreshXToken, xSignIn } from './tokens.ts'
import { quotaOf } from './usage.ts'
import { checkXSubscription, requestXReplay, subscribeX, unsubscribeX } from './webhook.ts'

export const xConnector: Connector = {
  type: 'x',
  network: 'x',
  addressScope: 'network',
  limits: (thread) => (thread === 'direct' ? directLimits : publicLimits),

  async send(channel, message, signal) {
    const call = toCall(message)
    if ('type' in call) return call
    const result = await callX(channel, call, signal)
    if (!result.ok) return result.outcome
    const data = fieldsOf(fieldsOf(result.json).data)
    const externalId = idOf(data.dm_event_id) ?? idOf(data.id)
    return externalId === undefined
      ? { type: 'unknown', code: 'no_id', reason: 'X accepted the message and gave no id.' }
      : { type: 'sent', externalId }
  },

  /** Direct messages: the events with that person. Public answers: our own timeline. Both newest first. */
  async lookUp(channel, message, since, signal) {
    const isPublic = message.kind === 'comment'
    if (!isPublic && message.contactExternalId === undefined)
      return { type: 'undecided', reason: 'The message names nobody to look under.' }
    const call: XCall = isPublic
      ? {
          method: 'GET',
          path: `/2/users/${encodeURIComponent(channel.externalId)}/tweets`,
          query: { max_results: '100', 'tweet.fields': 'created_at,referenced_tweets,author_id,note_tweet' },
        }
      : {
          method: 'GET',
          path: `/2/dm_conversations/with/${encodeURIComponent(message.contactExternalId ?? '')}/dm_events`,
          query: { max_results: '100', 'dm_event.fields': 'created_at,sender_id,text,event_type' },
        }
    const result = await callX(channel, call, signal)
    if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
    const { data, meta } = fieldsOf(result.json)
    if (data === undefined && meta === undefined) return { type: 'undecided', reason: 'X gave no list.' }
    return findOwn(listOf(data).map(fieldsOf), channel.externalId, message, since)
  },

  async fetchPerson(channel, externalId, signal) {
    const result = await callX(
      channel,
      {
        method: 'GET',
        path: `/2/users/${encodeURIComponent(externalId)}`,
        query: { 'user.fields': 'name,username,profile_image_url' },
      },
      signal,
    )
    return result.ok && fieldsOf(result.json).data !== undefined
      ? personOf(externalId, fieldsOf(result.json).data)
      : undefined
  },

  locateMedia: (channel, attachment) => Promise.resolve(locateXMedia(channel, attachment)),
  readBack: readBackX,
  requestReplay: requestXReplay,
  examine: examineX,
  checkSubscription: checkXSubscription,
  subscribe: subscribeX,
  unsubscribe: unsubscribeX,
  refreshToken: refreshXToken,
  quota: (channelExternalId) => quotaOf(channelExternalId),
  signIn: xSignIn,
}

const directLimits: Limits = {
  kinds: ['reply', 'note'],
  maxTextLength: 10_000,
  measureText: (text) => Array.from(text).length,
  counting: 'characters',
  files: noFiles,
  extras: {},
  acts: [],
}
const publicLimits: Limits = {
  kinds: ['comment', 'private_reply', 'note'],
  maxTextLength: 280,
  measureText: measurePost,
  counting: 'weighted',
  files: noFiles,
  extras: {},
  acts: [],
}

/** The one request that says `message`, or why it cannot be said. */
function toCall(message: OutboundMessage): XCall | Outcome {
  if (message.text.trim() === '')
    return { type: 'refused', class: 'content', code: 'empty', reason: 'The message is empty.' }
  const limits = message.kind === 'comment' ? publicLimits : directLimits
  if (limits.measureText(message.text) > limits.maxTextLength) {
    return {
      type: 'refused',
      class: 'content',
      code: 'too_long',
      reason: `X counts more than ${String(limits.maxTextLength)} characters.`,
    }
  }
  if (message.kind === 'comment') {
    return message.inReplyTo === undefined
      ? { type: 'refused', class: 'recipient', code: 'nobody', reason: 'A public answer needs a post to answer.' }
      : {
          method: 'POST',
          path: '/2/tweets',
          body: { text: message.text, reply: { in_reply_to_tweet_id: message.inReplyTo } },
        }
  }
  // A private answer to a public post is an ordinary direct message to its author.
  return message.contactExternalId === undefined
    ? { type: 'refused', class: 'recipient', code: 'nobody', reason: 'The message is addressed to nobody.' }
    : {
        method: 'POST',
        path: `/2/dm_conversations/with/${encodeURIComponent(message.contactExternalId)}/messages`,
        body: { text: message.text },
      }
}

/** The newest utterance of ours with this text. A full page that does not reach back to `since` decides nothing. */
function findOwn(list: readonly Fields[], userId: string, message: OutboundMessage, since: Date): Lookup {
  // X may have cut milliseconds off.
  const from = Math.floor(since.getTime() / 1000) * 1000
  const timeOf = (item: Fields): number =>
    (instantOf(item.created_at) ?? snowflakeInstant(idOf(item.id) ?? ''))?.getTime() ?? 0
  for (const item of list) {
    const externalId = idOf(item.id)
    const author = idOf(item.sender_id) ?? idOf(item.author_id) ?? (message.kind === 'comment' ? userId : undefined)
    const text = textOf(fieldsOf(item.note_tweet).text) ?? textOf(item.text) ?? ''
    if (
      externalId !== undefined &&
      author === userId &&
      timeOf(item) >= from &&
      comparable(text) === comparable(message.text) &&
      answers(item, message)
    ) {
      return { type: 'found', externalId }
    }
  }
  const oldest = Math.min(...list.map(timeOf))
  return list.length >= 100 && oldest >= from
    ? { type: 'undecided', reason: 'Too much was said since to find it.' }
    : { type: 'absent' }
}

function answers(item: Fields, message: OutboundMessage): boolean {
  if (message.kind !== 'comment') return true
  const references = listOf(item.referenced_tweets).map(fieldsOf)
  return (
    references.length === 0 || references.some((one) => one.type === 'replied_to' && idOf(one.id) === message.inReplyTo)
  )
}

/** Links come back shortened, marks escaped, and an answer starts with the names it was given. */
const comparable = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .normalize('NFC')
    .replace(/^(?:@\w+\s+)+/, '')
    .replace(/https?:\/\/\S+/g, '\u0001')
    .replace(/\s+/g, ' ')
    .trim()
