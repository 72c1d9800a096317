/** What is said through the X API: direct messages, posts and answers. Said twice when asked twice, save what X itself refuses. */
import { fieldsOf, idOf, listOf, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import { measurePost } from '../connectors/x/length.ts'
import { tell } from './customers.ts'
import type { Stage } from './customers.ts'
import type { Answer, Refusal, Request } from './http.ts'
import type { SandboxChannel, SandboxFile, Utterance } from './world.ts'
import type { XMedia } from './x-media.ts'
import { forbidden, invalidRequest, numbered, otherPlan, refused } from './x-problems.ts'

const dayMs = 24 * 60 * 60 * 1000

/** A call that says something: who, what, with which files at hand, and the fault that may refuse it. */
export interface Saying {
  readonly stage: Stage
  readonly media: XMedia
  readonly channel: SandboxChannel
  readonly request: Request
  readonly body: Fields
  readonly refuse: () => Refusal | undefined
}

/** `POST /2/dm_conversations/with/:id/messages`: text, or one file, or both. */
export function sendDirect(saying: Saying, personId: string): Answer {
  const { stage, media, channel, request, body, refuse } = saying
  const { world } = stage
  const strange = unknownField(body, ['text', 'attachments'])
  if (strange !== undefined) return strange
  const text = textOf(body.text)
  const ids = listOf(body.attachments).map((one) => idOf(fieldsOf(one).media_id) ?? '')
  if (text === undefined && ids.length === 0)
    return invalidRequest('text', '', 'At least one of text, attachments is required.')
  if (ids.length > 1) return invalidRequest('attachments', ids.join(), 'A direct message takes one attachment.')
  if (text !== undefined && Array.from(text).length > 10_000)
    return numbered(403, 354, 'The text of your direct message is over the max character limit')
  if (!world.people.has(personId)) return forbidden('You do not have permission to DM one or more participants.')
  if (closedOf(stage, channel, personId).messages) return numbered(403, 349, 'You cannot send messages to this user.')
  const files = media.take(ids, 'dm', channel, request)
  if (files === undefined) return badMedia(ids)
  const fault = refuse()
  if (fault !== undefined) return refused(fault)
  const said = world.say({
    type: 'x',
    channel: channel.external_id,
    person: personId,
    direction: 'outbound',
    kind: 'reply',
    text: text ?? '',
    ...withFiles(files),
  })
  const pair = [channel.external_id, personId].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)).join('-')
  return accept(stage, said, { data: { dm_conversation_id: pair, dm_event_id: said.external_id } })
}

/** `POST /2/tweets`: posts and answers. */
export function sendPost(saying: Saying): Answer {
  const { stage, media, channel, request, body, refuse } = saying
  const { world } = stage
  const strange = unknownField(body, ['text', 'reply', 'media', 'quote_tweet_id', 'reply_settings', 'made_with_ai'])
  if (strange !== undefined) return strange
  const text = textOf(body.text)
  const ids = listOf(fieldsOf(body.media).media_ids).map((id) => idOf(id) ?? '')
  const inReplyTo = idOf(fieldsOf(body.reply).in_reply_to_tweet_id)
  const quoteOf = idOf(body.quote_tweet_id)
  if (text === undefined && ids.length === 0) return invalidRequest('text', '', 'Tweet text or media must be provided.')
  if (ids.length > 4) return invalidRequest('media.media_ids', ids.join(), 'A post takes 4 media ids at most.')
  if (ids.length > 0 && quoteOf !== undefined)
    return invalidRequest('quote_tweet_id', quoteOf, 'media is mutually exclusive from quote_tweet_id')
  if (measurePost(text ?? '') > 280) return numbered(403, 186, 'Tweet needs to be a bit shorter.')
  const isSelfServe = world.notes.get('x.plan') === 'self_serve'
  if (isSelfServe && quoteOf !== undefined) return otherPlan()
  if (isSelfServe && (text?.match(/\$[a-z]{1,6}\b/gi)?.length ?? 0) > 1)
    return forbidden('Your post may contain 1 cashtag at most.')
  const parent = visible(stage, inReplyTo)
  if (
    (inReplyTo !== undefined && parent === undefined) ||
    (quoteOf !== undefined && visible(stage, quoteOf) === undefined)
  )
    return forbidden('You attempted to reply to a Tweet that is deleted or not visible to you.')
  const closed = parent === undefined ? undefined : cannotAnswer(stage, channel, parent, isSelfServe)
  if (closed !== undefined) return closed
  const person = parent?.direction === 'inbound' ? parent.person : ''
  if (ids.length === 0 && isRepeated(stage, channel, person, text ?? '', quoteOf))
    return forbidden('You are not allowed to create a Tweet with duplicate content.')
  const files = media.take(ids, 'tweet', channel, request)
  if (files === undefined) return badMedia(ids)
  const fault = refuse()
  if (fault !== undefined) return refused(fault)
  const said = world.say({
    type: 'x',
    channel: channel.external_id,
    person,
    direction: 'outbound',
    kind: inReplyTo === undefined ? 'post' : 'comment',
    text: text ?? '',
    ...(inReplyTo === undefined ? {} : { in_reply_to: inReplyTo, post_id: parent?.post_id ?? inReplyTo }),
    ...(quoteOf === undefined ? {} : { quote_of: quoteOf }),
    ...withFiles(files),
  })
  return accept(stage, said, { data: { id: said.external_id, text: said.text } })
}

/** What is there and has not been deleted. */
export function visible({ world }: Stage, id: string | undefined): Utterance | undefined {
  return id === undefined || world.marks.get(id)?.is_deleted === true ? undefined : world.byId.get(id)
}

/** Whom the account cannot reach: set by `POST /control/x/act` with `close` and `open`. */
function closedOf({ world }: Stage, channel: SandboxChannel, person: string): { messages: boolean; answers: boolean } {
  const note = fieldsOf(world.notes.get(`x.closed.${channel.external_id}.${person}`))
  return { messages: note.messages === true, answers: note.answers === true }
}

/** Self-serve apps answer only those who mentioned the account, or quoted it (since February 2026). */
function cannotAnswer(
  stage: Stage,
  channel: SandboxChannel,
  parent: Utterance,
  isSelfServe: boolean,
): Answer | undefined {
  if (parent.direction === 'outbound') return undefined
  if (closedOf(stage, channel, parent.person).answers)
    return numbered(403, 433, 'The original Tweet author restricted who can reply to this Tweet.')
  const handle = `@${(channel.handle ?? channel.name).toLowerCase()}`
  const quoted = visible(stage, parent.quote_of)
  const isSummoned =
    parent.text.toLowerCase().includes(handle) ||
    (quoted?.direction === 'outbound' && quoted.channel === channel.external_id)
  return isSelfServe && !isSummoned
    ? forbidden(
        'Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author of the post you are replying to.',
      )
    : undefined
}

/** The same text to the same person twice in a day. */
function isRepeated(
  stage: Stage,
  channel: SandboxChannel,
  person: string,
  text: string,
  quoteOf: string | undefined,
): boolean {
  const dayAgo = Date.now() - dayMs
  return stage.world
    .between(channel.external_id, person)
    .some(
      (said) =>
        said.direction === 'outbound' &&
        (said.kind === 'comment' || said.kind === 'post') &&
        said.text === text &&
        said.files === undefined &&
        said.quote_of === quoteOf &&
        Date.parse(said.at) > dayAgo &&
        visible(stage, said.external_id) !== undefined,
    )
}

const withFiles = (files: readonly SandboxFile[]): { files?: readonly SandboxFile[] } =>
  files.length === 0 ? {} : { files }

const badMedia = (ids: readonly string[]): Answer =>
  invalidRequest('media.media_ids', ids.join(), 'Your media IDs are invalid.')

function unknownField(body: Fields, known: readonly string[]): Answer | undefined {
  const name = Object.keys(body).find((one) => !known.includes(one))
  return name === undefined ? undefined : invalidRequest(name, '', `$.${name}: is not defined in the schema`)
}

const accept = (stage: Stage, said: Utterance, json: unknown): Answer => ({
  status: 201,
  json,
  accepted: { echo: () => tell(stage, [said]), after: () => Promise.resolve() },
})
