/** Facebook Pages: Messenger conversations and comments below posts. */
import type { ChannelAccess, Connector, Limits, Lookup, OutboundMessage, Outcome } from '../connector.ts'
import { actCall, doAct } from '../meta/acts.ts'
import { careFor } from '../meta/care.ts'
import { privateReplyCall, replyCall, splitDirect } from '../meta/direct.ts'
import type { DirectRules } from '../meta/direct.ts'
import { findOwn, lookUpDirect, saidBy } from '../meta/find-own.ts'
import { callGraph } from '../meta/graph.ts'
import type { GraphCall } from '../meta/graph.ts'
import { inCharacters, megabyte, outOfBounds } from '../meta/limits.ts'
import { pageFields, pagePermissions } from '../meta/permissions.ts'
import { refuse } from '../meta/refuse.ts'
import { sendCall } from '../meta/send.ts'
import { metaSignIn } from '../meta/sign-in.ts'
import { notUploaded, uploadAttachment, uploadPhoto } from '../meta/upload.ts'
import { fieldsOf, idOf, listOf, textOf, urlOf } from '../reading.ts'
import { lookUpPost, postLimits, publish } from './publish.ts'
import { readPageBack } from './read-back.ts'

export const facebook: Connector = {
  type: 'facebook',
  network: 'meta',
  addressScope: 'channel',
  limits: (thread) => (thread === 'direct' ? directLimits : publicLimits),

  split: (message) =>
    message.kind === 'comment'
      ? [{ text: message.text, files: (message.files ?? []).map((_, index) => index) }]
      : splitDirect(message),
  upload: (channel, file, use, _begun, signal) =>
    use === 'public' && file.kind === 'image'
      ? uploadPhoto(channel, file, signal)
      : uploadAttachment(channel, file, 'messenger', signal),
  send: (channel, message, signal) => sendCall(channel, toCall(message), signal),

  act: (channel, act, signal) => doAct(channel, actCall(act, 'facebook'), signal),

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

  postLimits,
  publish,
  lookUpPost,

  readBack: readPageBack,
  ...careFor('page', pagePermissions, () => Promise.resolve({ path: 'me', fields: pageFields })),
  signIn: metaSignIn,
}

/** Send API: 2,000 characters; attachments of 25 MB; 13 quick replies. */
const directLimits: Limits = {
  kinds: ['reply', 'note'],
  maxTextLength: 2000,
  ...inCharacters,
  files: {
    max: 10,
    kinds: {
      image: { types: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'], maxBytes: 25 * megabyte },
      video: { types: ['video/*'], maxBytes: 25 * megabyte },
      audio: { types: ['audio/*'], maxBytes: 25 * megabyte },
      file: { types: ['application/*', 'text/*', 'image/*', 'audio/*', 'video/*'], maxBytes: 25 * megabyte },
    },
  },
  extras: { quickReplies: { max: 13, maxTitleLength: 20 } },
  acts: ['react', 'unreact', 'typing', 'seen'],
}
/** Comments: 8,000 characters and one photo, of 4 MB as the photos edge takes it. */
const publicLimits: Limits = {
  kinds: ['comment', 'private_reply', 'note'],
  maxTextLength: 8000,
  ...inCharacters,
  files: { max: 1, kinds: { image: { types: ['image/jpeg', 'image/png', 'image/gif'], maxBytes: 4 * megabyte } } },
  extras: {},
  acts: ['hide', 'unhide', 'like', 'unlike', 'delete'],
}
const pageSize = 50

const messenger: DirectRules = {
  name: 'Messenger',
  limits: directLimits,
  hasMetadata: true,
  attachment: ({ kind, uploadedId }) =>
    uploadedId === undefined ? undefined : { type: kind, payload: { attachment_id: uploadedId } },
}

/** The one request that says `message`, or why it cannot be said. */
function toCall(message: OutboundMessage): GraphCall | Outcome {
  if (message.kind === 'reply') return replyCall(message, messenger)
  return message.kind === 'private_reply' ? privateReplyCall(message, messenger) : commentCall(message)
}

/** A comment and its photo are one request. */
function commentCall(message: OutboundMessage): GraphCall | Outcome {
  const { inReplyTo, text, files: [photo, ...more] = [] } = message
  if (inReplyTo === undefined) return refuse('recipient', 'nobody', 'A comment answers a comment or a post.')
  const wrong = outOfBounds(message, publicLimits)
  if (wrong !== undefined) return wrong
  if (more.length > 0) return refuse('content', 'too_many_files', 'A comment on Facebook has one photo.')
  if (photo !== undefined && photo.uploadedId === undefined) return notUploaded
  return {
    method: 'POST',
    path: `${encodeURIComponent(inReplyTo)}/comments`,
    body: {
      ...(text.trim() === '' ? {} : { message: text }),
      ...(photo === undefined ? {} : { attachment_id: photo.uploadedId }),
    },
  }
}

/** Facebook has two levels of comments: an answer to an answer stands below the first comment, so that is searched too. */
async function lookUpComment(
  channel: ChannelAccess,
  message: OutboundMessage,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  const target = message.inReplyTo
  if (target === undefined) return { type: 'undecided', reason: 'The message names nothing to look under.' }
  const below = await searchBelow(channel, target, message, since, signal)
  const isPost = target.startsWith(`${channel.externalId}_`)
  if (below.type !== 'absent' || isPost) return below
  const call: GraphCall = { method: 'GET', path: encodeURIComponent(target), query: { fields: 'parent{id}' } }
  const result = await callGraph(channel, call, signal)
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  const parent = idOf(fieldsOf(fieldsOf(result.json).parent).id)
  return parent === undefined ? below : searchBelow(channel, parent, message, since, signal)
}

async function searchBelow(
  channel: ChannelAccess,
  id: string,
  message: OutboundMessage,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  const query = {
    order: 'reverse_chronological',
    fields: 'id,message,created_time,from,attachment{type}',
    limit: String(pageSize),
  }
  const result = await callGraph(channel, { method: 'GET', path: `${encodeURIComponent(id)}/comments`, query }, signal)
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  return findOwn(
    listOf(fieldsOf(result.json).data).map(fieldsOf),
    { since, fullAt: pageSize },
    saidBy(channel, message),
  )
}
