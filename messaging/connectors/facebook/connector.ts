/** Facebook Pages: Messenger conversations and comments below posts. */
import { noFiles } from '../connector.ts'
import type { ChannelAccess, Connector, Limits, Lookup, OutboundMessage, Outcome } from '../connector.ts'
import { careFor } from '../meta/care.ts'
import { findOwn, lookUpDirect } from '../meta/find-own.ts'
import { callGraph } from '../meta/graph.ts'
import type { GraphCall } from '../meta/graph.ts'
import { pageFields, pagePermissions } from '../meta/permissions.ts'
import { sendCall } from '../meta/send.ts'
import { metaSignIn } from '../meta/sign-in.ts'
import { fieldsOf, idOf, listOf, textOf, urlOf } from '../reading.ts'
import { readPageBack } from './read-back.ts'

const dayMs = 24 * 60 * 60 * 1000

export const facebook: Connector = {
  type: 'facebook',
  network: 'meta',
  addressScope: 'channel',
  limits: (thread) => (thread === 'direct' ? directLimits : publicLimits),

  send: (channel, message, signal) => sendCall(channel, toCall(message), signal),

  /** Conversations API for direct answers, comments edge for public ones. */
  lookUp: (channel, message, since, signal) =>
    message.kind === 'comment'
      ? lookUpComment(channel, message, since, signal)
      : lookUpDirect(channel, 'messenger', message, since, signal),

  /** User profile API: may be empty or refused until the person has written. */
  async fetchPerson(channel, externalId, signal) {
    const result = await callGraph(
      channel,
      {
        method: 'GET',
        path: encodeURIComponent(externalId),
        query: { fields: 'first_name,last_name,name,profile_pic' },
      },
      signal,
    )
    if (!result.ok) return undefined
    const profile = fieldsOf(result.json)
    const name =
      textOf(profile.name) ??
      ([textOf(profile.first_name), textOf(profile.last_name)].filter((part) => part !== undefined).join(' ') ||
        undefined)
    const pictureUrl = urlOf(profile.profile_pic)
    return { externalId, ...(name === undefined ? {} : { name }), ...(pictureUrl === undefined ? {} : { pictureUrl }) }
  },

  readBack: readPageBack,
  ...careFor('page', pagePermissions, () => Promise.resolve({ path: 'me', fields: pageFields })),
  signIn: metaSignIn,
}

/** Send API: 2,000 characters. */
const directLimits: Limits = {
  kinds: ['reply', 'note'],
  maxTextLength: 2000,
  measureText: (text) => text.length,
  counting: 'characters',
  files: noFiles,
  extras: {},
  acts: [],
}
const publicLimits: Limits = {
  kinds: ['comment', 'private_reply', 'note'],
  maxTextLength: 8000,
  measureText: (text) => text.length,
  counting: 'characters',
  files: noFiles,
  extras: {},
  acts: [],
}
const pageSize = 50

/** The one request that says `message`, or why it cannot be said. */
function toCall(message: OutboundMessage): GraphCall | Outcome {
  const limit = message.kind === 'comment' ? publicLimits.maxTextLength : directLimits.maxTextLength
  if (message.text.trim() === '') return refuse('content', 'empty', 'The message is empty.')
  if (message.text.length > limit)
    return refuse('content', 'too_long', `The text is longer than ${String(limit)} characters.`)
  switch (message.kind) {
    case 'reply':
      return message.contactExternalId === undefined
        ? refuse('recipient', 'nobody', 'The message is addressed to nobody.')
        : replyCall(message.contactExternalId, message)
    case 'private_reply':
      // Private replies: once for each comment, within seven days.
      return message.inReplyTo === undefined
        ? refuse('recipient', 'nobody', 'A private reply answers a comment.')
        : {
            method: 'POST',
            path: 'me/messages',
            body: {
              recipient: { comment_id: message.inReplyTo },
              message: { text: message.text, metadata: message.reference },
            },
          }
    case 'comment':
      return message.inReplyTo === undefined
        ? refuse('recipient', 'nobody', 'A comment answers a comment or a post.')
        : { method: 'POST', path: `${encodeURIComponent(message.inReplyTo)}/comments`, body: { message: message.text } }
  }
}

/** Send API: RESPONSE within 24 hours of the person's last message, HUMAN_AGENT within seven days, nothing after. */
function replyCall(personId: string, message: OutboundMessage): GraphCall | Outcome {
  const ageMs = message.lastInboundAt === undefined ? 0 : Date.now() - message.lastInboundAt.getTime()
  if (ageMs > 7 * dayMs)
    return refuse(
      'window',
      'window_closed',
      'The person last wrote more than seven days ago; Messenger takes no answer any more.',
    )
  return {
    method: 'POST',
    path: 'me/messages',
    body: {
      recipient: { id: personId },
      ...(ageMs > dayMs ? { messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT' } : { messaging_type: 'RESPONSE' }),
      message: { text: message.text, metadata: message.reference },
    },
  }
}

const refuse = (reasonClass: 'content' | 'recipient' | 'window', code: string, reason: string): Outcome => ({
  type: 'refused',
  class: reasonClass,
  code,
  reason,
})

/** Facebook has two levels of comments: an answer to an answer stands below the first comment, so that is searched too. */
async function lookUpComment(
  channel: ChannelAccess,
  message: OutboundMessage,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  const target = message.inReplyTo
  if (target === undefined) return { type: 'undecided', reason: 'The message names nothing to look under.' }
  const below = await searchBelow(channel, target, message.text, since, signal)
  const isPost = target.startsWith(`${channel.externalId}_`)
  if (below.type !== 'absent' || isPost) return below
  const call: GraphCall = { method: 'GET', path: encodeURIComponent(target), query: { fields: 'parent{id}' } }
  const result = await callGraph(channel, call, signal)
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  const parent = idOf(fieldsOf(fieldsOf(result.json).parent).id)
  return parent === undefined ? below : searchBelow(channel, parent, message.text, since, signal)
}

async function searchBelow(
  channel: ChannelAccess,
  id: string,
  text: string,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  const query = { order: 'reverse_chronological', fields: 'id,message,created_time,from', limit: String(pageSize) }
  const result = await callGraph(channel, { method: 'GET', path: `${encodeURIComponent(id)}/comments`, query }, signal)
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  return findOwn(listOf(fieldsOf(result.json).data).map(fieldsOf), channel.externalId, text, since, pageSize)
}
