/** One utterance by one request: a direct message, or an answer below a post. */
import type { ChannelAccess, OutboundMessage, Outcome } from '../connector.ts'
import { fieldsOf, idOf, listOf } from '../reading.ts'
import { callX } from './api.ts'
import type { XCall, XFailure } from './api.ts'
import { directLimits, misfit, notUploaded, publicLimits, refuse } from './fit.ts'
import { byPlan, classifyXError } from './outcomes.ts'

/** Never throws. */
export async function sendX(channel: ChannelAccess, message: OutboundMessage, signal: AbortSignal): Promise<Outcome> {
  const call = toCall(message)
  if ('type' in call) return call
  const outcome = await sayX(channel, call, signal)
  return outcome.type === 'sent' || message.extras?.quoteOf === undefined ? outcome : byPlan(outcome)
}

/** Makes the call and reads the id of what was said. An answer of errors only says that nothing was. */
export async function sayX(channel: ChannelAccess, call: XCall, signal: AbortSignal): Promise<Outcome> {
  const result = await callX(channel, call, signal)
  if (!result.ok) return result.outcome
  const answer = fieldsOf(result.json)
  const data = fieldsOf(answer.data)
  const externalId = idOf(data.dm_event_id) ?? idOf(data.id)
  if (externalId !== undefined) return { type: 'sent', externalId }
  return listOf(answer.errors).length > 0
    ? classifyXError(200, answer, result.headers, new Date())
    : { type: 'unknown', code: 'no_id', reason: 'X accepted the message and gave no id.' }
}

/** The one request that says `message`, or why it cannot be said. */
function toCall(message: OutboundMessage): XCall | XFailure {
  const { kind, text, files = [], extras, contactExternalId, inReplyTo } = message
  const isPublic = kind === 'comment'
  const limits = isPublic ? publicLimits : directLimits
  const wrong = misfit({ text, files, quoteOf: isPublic ? extras?.quoteOf : undefined }, limits, isPublic ? 4 : 1)
  if (wrong !== undefined) return wrong
  const mediaIds = files.flatMap(({ uploadedId }) => uploadedId ?? [])
  if (mediaIds.length < files.length) return notUploaded
  const words = text.trim() === '' ? {} : { text }
  if (isPublic) {
    if (inReplyTo === undefined) return refuse('recipient', 'nobody', 'A public answer needs a post to answer.')
    const body = {
      ...words,
      reply: { in_reply_to_tweet_id: inReplyTo },
      ...(mediaIds.length === 0 ? {} : { media: { media_ids: mediaIds } }),
      ...(extras?.quoteOf === undefined ? {} : { quote_tweet_id: extras.quoteOf }),
    }
    return { method: 'POST', path: '/2/tweets', body }
  }
  // A private answer to a public post is an ordinary direct message to its author.
  if (contactExternalId === undefined) return refuse('recipient', 'nobody', 'The message is addressed to nobody.')
  return {
    method: 'POST',
    path: `/2/dm_conversations/with/${encodeURIComponent(contactExternalId)}/messages`,
    body: { ...words, ...(mediaIds.length === 0 ? {} : { attachments: mediaIds.map((id) => ({ media_id: id })) }) },
  }
}
