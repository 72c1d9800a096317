/** Instagram accounts: direct messages and comments, by Facebook Login or by Instagram Login (`login: instagram`). */
import { noFiles } from '../connector.ts'
import type { ChannelAccess, Connector, Limits, Lookup, OutboundMessage, Outcome } from '../connector.ts'
import { careFor } from '../meta/care.ts'
import { findOwn, lookUpDirect } from '../meta/find-own.ts'
import { callGraph } from '../meta/graph.ts'
import type { GraphCall } from '../meta/graph.ts'
import { instagramLoginFields, instagramPageFields, instagramPermissions } from '../meta/permissions.ts'
import { sendCall } from '../meta/send.ts'
import { metaSignIn } from '../meta/sign-in.ts'
import { fieldsOf, idOf, listOf, textOf, urlOf } from '../reading.ts'
import { readAccountBack } from './read-back.ts'

const dayMs = 24 * 60 * 60 * 1000

export const instagram: Connector = {
  type: 'instagram',
  network: 'meta',
  addressScope: 'channel',
  limits: (thread) => (thread === 'direct' ? directLimits : publicLimits),

  send: (channel, message, signal) => sendCall(channel, toCall(message), signal),

  lookUp: (channel, message, since, signal) =>
    message.kind === 'comment'
      ? lookUpReply(channel, message, since, signal)
      : lookUpDirect(channel, 'instagram', message, since, signal),

  /** User profile API: only after the person has written. Authors of mentions are asked for under what mentioned us. */
  async fetchPerson(channel, externalId, signal) {
    const mention = /^mention:(media|comment):(.+)$/.exec(externalId)
    const call: GraphCall =
      mention === null
        ? { method: 'GET', path: encodeURIComponent(externalId), query: { fields: 'name,username,profile_pic' } }
        : {
            method: 'GET',
            path: encodeURIComponent(channel.externalId),
            query: { fields: mentionFields(mention[1], mention[2]) },
          }
    const result = await callGraph(channel, call, signal)
    if (!result.ok) return undefined
    const answer = fieldsOf(result.json)
    const profile = mention === null ? answer : fieldsOf(answer.mentioned_comment ?? answer.mentioned_media)
    const handle = textOf(profile.username)
    const name = textOf(profile.name) ?? handle
    const pictureUrl = urlOf(profile.profile_pic)
    return {
      externalId,
      ...(name === undefined ? {} : { name }),
      ...(handle === undefined ? {} : { handle }),
      ...(pictureUrl === undefined ? {} : { pictureUrl }),
    }
  },

  readBack: readAccountBack,
  ...careFor('instagram', instagramPermissions, (channel) =>
    Promise.resolve({
      path: 'me',
      fields: channel.credentials.login === 'instagram' ? instagramLoginFields : instagramPageFields,
    }),
  ),
  signIn: metaSignIn,
}

/** Instagram counts bytes in direct messages (Send API). */
const directLimits: Limits = {
  kinds: ['reply', 'note'],
  maxTextLength: 1000,
  measureText: (text) => Buffer.byteLength(text),
  counting: 'bytes',
  files: noFiles,
  extras: {},
  acts: [],
}
const publicLimits: Limits = {
  kinds: ['comment', 'private_reply', 'note'],
  maxTextLength: 2200,
  measureText: (text) => text.length,
  counting: 'characters',
  files: noFiles,
  extras: {},
  acts: [],
}
const pageSize = 50

/** The one request that says `message`, or why it cannot be said. */
function toCall(message: OutboundMessage): GraphCall | Outcome {
  if (message.text.trim() === '') return refuse('content', 'empty', 'The message is empty.')
  const limits = message.kind === 'comment' ? publicLimits : directLimits
  if (limits.measureText(message.text) > limits.maxTextLength)
    return refuse(
      'content',
      'too_long',
      `The text is longer than ${String(limits.maxTextLength)} ${message.kind === 'comment' ? 'characters' : 'bytes'}.`,
    )
  const { text, inReplyTo, contactExternalId } = message
  if (message.kind === 'reply')
    return contactExternalId === undefined
      ? refuse('recipient', 'nobody', 'The message is addressed to nobody.')
      : replyCall(contactExternalId, message)
  if (inReplyTo === undefined) return refuse('recipient', 'nobody', 'A comment answers a comment.')
  return message.kind === 'private_reply'
    ? { method: 'POST', path: 'me/messages', body: { recipient: { comment_id: inReplyTo }, message: { text } } }
    : { method: 'POST', path: `${encodeURIComponent(inReplyTo)}/replies`, body: { message: text } }
}

/** 24 hours after the person's last message, with HUMAN_AGENT seven days; Instagram knows no other tag. */
function replyCall(personId: string, message: OutboundMessage): GraphCall | Outcome {
  const ageMs = message.lastInboundAt === undefined ? 0 : Date.now() - message.lastInboundAt.getTime()
  if (ageMs > 7 * dayMs)
    return refuse(
      'window',
      'window_closed',
      'The person last wrote more than seven days ago; Instagram takes no answer any more.',
    )
  return {
    method: 'POST',
    path: 'me/messages',
    body: {
      recipient: { id: personId },
      ...(ageMs > dayMs ? { messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT' } : { messaging_type: 'RESPONSE' }),
      message: { text: message.text },
    },
  }
}

const refuse = (reasonClass: 'content' | 'recipient' | 'window', code: string, reason: string): Outcome => ({
  type: 'refused',
  class: reasonClass,
  code,
  reason,
})

const mentionFields = (kind: string | undefined, id: string | undefined): string =>
  `mentioned_${kind === 'comment' ? 'comment' : 'media'}.${kind === 'comment' ? 'comment_id' : 'media_id'}(${(id ?? '').replace(/\W/g, '')}){username}`

/** An answer to an answer stands below the first comment, so that is searched too. */
async function lookUpReply(
  channel: ChannelAccess,
  message: OutboundMessage,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  const target = message.inReplyTo
  if (target === undefined) return { type: 'undecided', reason: 'The message names nothing to look under.' }
  const below = await searchReplies(channel, target, message.text, since, signal)
  if (below.type !== 'absent') return below
  const result = await callGraph(
    channel,
    { method: 'GET', path: encodeURIComponent(target), query: { fields: 'parent_id' } },
    signal,
  )
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  const parent = idOf(fieldsOf(result.json).parent_id)
  return parent === undefined ? below : searchReplies(channel, parent, message.text, since, signal)
}

async function searchReplies(
  channel: ChannelAccess,
  id: string,
  text: string,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  const query = { fields: 'id,text,timestamp,from,username', limit: String(pageSize) }
  const result = await callGraph(channel, { method: 'GET', path: `${encodeURIComponent(id)}/replies`, query }, signal)
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  return findOwn(listOf(fieldsOf(result.json).data).map(fieldsOf), channel.externalId, text, since, pageSize)
}
