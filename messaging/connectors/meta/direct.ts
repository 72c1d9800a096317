/** Direct messages of Pages and Instagram accounts: one body for the Send API, or why it cannot be said. */
import type { Limits, OutboundFile, OutboundMessage, Outcome, Part } from '../connector.ts'
import type { GraphCall } from './graph.ts'
import { outOfBounds } from './limits.ts'
import { refuse } from './refuse.ts'
import { notUploaded } from './upload.ts'

const dayMs = 24 * 60 * 60 * 1000

/** What differs between the two. */
export interface DirectRules {
  readonly name: 'Messenger' | 'Instagram'
  readonly limits: Limits
  /** Whether the echo brings `metadata` back. */
  readonly hasMetadata: boolean
  /** The file as the Send API names it; `undefined` when it has to be uploaded before. */
  attachment(file: OutboundFile): Readonly<Record<string, unknown>> | undefined
}

/** Text and files are a request each: the text first, then one for each file. */
export function splitDirect({ text, files = [] }: Pick<OutboundMessage, 'text' | 'files'>): readonly Part[] {
  const own = files.map((_, index): Part => ({ text: '', files: [index] }))
  return text.trim() === '' && own.length > 0 ? own : [{ text, files: [] }, ...own]
}

/** An answer to a person: RESPONSE within 24 hours of their last message, HUMAN_AGENT within seven days, nothing after. */
export function replyCall(message: OutboundMessage, rules: DirectRules): GraphCall | Outcome {
  const { contactExternalId: personId, lastInboundAt, inReplyTo } = message
  if (personId === undefined) return refuse('recipient', 'nobody', 'The message is addressed to nobody.')
  const content = contentOf(message, rules)
  if ('type' in content) return content
  const ageMs = lastInboundAt === undefined ? 0 : Date.now() - lastInboundAt.getTime()
  if (ageMs > 7 * dayMs)
    return refuse(
      'window',
      'window_closed',
      `The person last wrote more than seven days ago; ${rules.name} takes no answer any more.`,
    )
  return toMessages({
    recipient: { id: personId },
    ...(ageMs > dayMs ? { messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT' } : { messaging_type: 'RESPONSE' }),
    message: content.message,
    // Beside the message, as the reference of the edge has it.
    ...(inReplyTo === undefined ? {} : { reply_to: { mid: inReplyTo } }),
  })
}

/** Private replies: one message for each comment, within seven days. */
export function privateReplyCall(message: OutboundMessage, rules: DirectRules): GraphCall | Outcome {
  if (message.inReplyTo === undefined) return refuse('recipient', 'nobody', 'A private reply answers a comment.')
  const content = contentOf(message, rules)
  return 'type' in content
    ? content
    : toMessages({ recipient: { comment_id: message.inReplyTo }, message: content.message })
}

const toMessages = (body: Readonly<Record<string, unknown>>): GraphCall => ({
  method: 'POST',
  path: 'me/messages',
  body,
})

/** `message` of the body: text or one attachment, quick replies below it. */
function contentOf(
  message: OutboundMessage,
  rules: DirectRules,
): { readonly message: Readonly<Record<string, unknown>> } | Outcome {
  const wrong = outOfBounds(message, rules.limits) ?? foreignExtras(message, rules)
  if (wrong !== undefined) return wrong
  const { text, files: [file, ...more] = [], extras } = message
  if (file !== undefined && (more.length > 0 || text.trim() !== ''))
    return refuse('content', 'not_split', `${rules.name} takes a text or one file in a message.`)
  const attachment = file === undefined ? undefined : rules.attachment(file)
  if (file !== undefined && attachment === undefined) return notUploaded
  return {
    message: {
      ...(attachment === undefined ? { text } : { attachment }),
      ...(extras?.quickReplies === undefined || extras.quickReplies.length === 0
        ? {}
        : { quick_replies: extras.quickReplies.map((one) => ({ content_type: 'text', ...one })) }),
      ...(rules.hasMetadata ? { metadata: message.reference } : {}),
    },
  }
}

function foreignExtras({ extras }: OutboundMessage, { name, limits }: DirectRules): Outcome | undefined {
  if (extras?.template !== undefined || extras?.interactive !== undefined || extras?.quoteOf !== undefined)
    return refuse('content', 'not_spoken', `${name} knows quick replies, and no templates, lists or quotes.`)
  const { quickReplies: allowed } = limits.extras
  const given = extras?.quickReplies ?? []
  if (given.length === 0) return undefined
  if (allowed === undefined || given.length > allowed.max)
    return refuse(
      'content',
      'too_many_quick_replies',
      `${name} takes at most ${String(allowed?.max ?? 0)} quick replies.`,
    )
  return given.some(({ title }) => title.trim() === '' || title.length > allowed.maxTitleLength)
    ? refuse('content', 'quick_reply_title', `A quick reply has 1 to ${String(allowed.maxTitleLength)} characters.`)
    : undefined
}
