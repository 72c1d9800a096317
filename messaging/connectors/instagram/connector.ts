/** Instagram accounts: direct messages and comments, by Facebook Login or by Instagram Login (`login: instagram`). */
import type { ChannelAccess, Connector, Limits, Lookup, OutboundMessage, Outcome } from '../connector.ts'
import { actCall, doAct } from '../meta/acts.ts'
import { careFor } from '../meta/care.ts'
import { privateReplyCall, replyCall, splitDirect } from '../meta/direct.ts'
import type { DirectRules } from '../meta/direct.ts'
import { findOwn, lookUpDirect, saidBy } from '../meta/find-own.ts'
import { callGraph } from '../meta/graph.ts'
import type { GraphCall } from '../meta/graph.ts'
import { inBytes, inCharacters, megabyte, outOfBounds, textOnly } from '../meta/limits.ts'
import { instagramLoginFields, instagramPageFields, instagramPermissions } from '../meta/permissions.ts'
import { refuse } from '../meta/refuse.ts'
import { sendCall } from '../meta/send.ts'
import { metaSignIn } from '../meta/sign-in.ts'
import { uploadAttachment } from '../meta/upload.ts'
import { fieldsOf, idOf, listOf, textOf, urlOf } from '../reading.ts'
import { lookUpPost, postLimits, publish } from './publish.ts'
import { readAccountBack } from './read-back.ts'

export const instagram: Connector = {
  type: 'instagram',
  network: 'meta',
  addressScope: 'channel',
  limits: (thread) => (thread === 'direct' ? directLimits : publicLimits),

  split: (message) =>
    message.kind === 'comment'
      ? [{ text: message.text, files: (message.files ?? []).map((_, index) => index) }]
      : splitDirect(message),
  /** Instagram Login has no upload: there the file is fetched from its address. */
  upload: (channel, file, _use, _begun, signal) =>
    channel.credentials.login === 'instagram'
      ? Promise.resolve({ type: 'ok', id: byAddress, expiresAt: undefined })
      : uploadAttachment(channel, file, 'instagram', signal),
  send: (channel, message, signal) => sendCall(channel, toCall(message), signal),

  act: (channel, act, signal) => doAct(channel, actCall(act, 'instagram'), signal),

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

  postLimits,
  publish,
  lookUpPost,

  readBack: readAccountBack,
  ...careFor('instagram', instagramPermissions, (channel) =>
    Promise.resolve({
      path: 'me',
      fields: channel.credentials.login === 'instagram' ? instagramLoginFields : instagramPageFields,
    }),
  ),
  signIn: metaSignIn,
}

/** Instagram counts bytes in direct messages (Send API); media as the Attachment Upload API lists them. */
const directLimits: Limits = {
  kinds: ['reply', 'note'],
  maxTextLength: 1000,
  ...inBytes,
  files: {
    max: 10,
    kinds: {
      image: { types: ['image/png', 'image/jpeg', 'image/gif'], maxBytes: 8 * megabyte },
      video: {
        types: ['video/mp4', 'video/ogg', 'video/x-msvideo', 'video/quicktime', 'video/webm'],
        maxBytes: 25 * megabyte,
      },
      audio: { types: ['audio/aac', 'audio/mp4', 'audio/x-m4a', 'audio/wav', 'audio/x-wav'], maxBytes: 25 * megabyte },
      file: { types: ['application/pdf'], maxBytes: 25 * megabyte },
    },
  },
  extras: { quickReplies: { max: 13, maxTitleLength: 20 } },
  acts: ['react', 'unreact', 'typing', 'seen'],
}
const publicLimits: Limits = {
  kinds: ['comment', 'private_reply', 'note'],
  maxTextLength: 2200,
  ...inCharacters,
  ...textOnly,
  acts: ['hide', 'unhide', 'delete'],
}
const pageSize = 50

/** What stands for an upload where the login has none: Instagram fetches the file itself. */
const byAddress = 'by-address'

const direct: DirectRules = {
  name: 'Instagram',
  limits: directLimits,
  hasMetadata: false,
  attachment: ({ kind, uploadedId, publicUrl }) =>
    uploadedId === undefined
      ? undefined
      : {
          type: kind,
          payload: uploadedId === byAddress ? { url: publicUrl } : { attachment_id: uploadedId },
        },
}

/** The one request that says `message`, or why it cannot be said. */
function toCall(message: OutboundMessage): GraphCall | Outcome {
  if (message.kind === 'reply') return replyCall(message, direct)
  if (message.kind === 'private_reply') return privateReplyCall(message, direct)
  const wrong = outOfBounds(message, publicLimits)
  if (wrong !== undefined) return wrong
  return message.inReplyTo === undefined
    ? refuse('recipient', 'nobody', 'A comment answers a comment.')
    : { method: 'POST', path: `${encodeURIComponent(message.inReplyTo)}/replies`, body: { message: message.text } }
}

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
  const below = await searchReplies(channel, target, message, since, signal)
  if (below.type !== 'absent') return below
  const result = await callGraph(
    channel,
    { method: 'GET', path: encodeURIComponent(target), query: { fields: 'parent_id' } },
    signal,
  )
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  const parent = idOf(fieldsOf(result.json).parent_id)
  return parent === undefined ? below : searchReplies(channel, parent, message, since, signal)
}

async function searchReplies(
  channel: ChannelAccess,
  id: string,
  message: OutboundMessage,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  const query = { fields: 'id,text,timestamp,from,username', limit: String(pageSize) }
  const result = await callGraph(channel, { method: 'GET', path: `${encodeURIComponent(id)}/replies`, query }, signal)
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  return findOwn(
    listOf(fieldsOf(result.json).data).map(fieldsOf),
    { since, fullAt: pageSize },
    saidBy(channel, message),
  )
}
