/** What may be said through the Graph API for a Page or an Instagram account: messages and comments. */
import { fieldsOf, idOf, listOf, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import { ageOf } from './clock.ts'
import { confirmDelivery, tell } from './customers.ts'
import type { Stage } from './customers.ts'
import { senderAction } from './graph-does.ts'
import { graphError, missing } from './graph-error.ts'
import { attachmentOf, fetchGiven, findKept, shown } from './graph-files.ts'
import { lacks } from './graph-permissions.ts'
import { isGone } from './graph-reads.ts'
import { jsonOf } from './graph-request.ts'
import type { GraphRequest } from './graph-request.ts'
import type { Answer } from './http.ts'
import type { Choice, SandboxChannel, SandboxFile, Utterance } from './world.ts'

const dayMs = 24 * 60 * 60 * 1000

export type Refuse = () => { code: number; subcode: number | undefined } | undefined

export const refusedBy = (refuse: Refuse): Answer | undefined => {
  const refused = refuse()
  return refused && graphError(refused.code, refused.subcode, 'Refused by a fault of the sandbox')
}

/** Send API: one message for each request, sent twice when asked twice. */
export async function sendMessage(
  stage: Stage,
  channel: SandboxChannel,
  call: GraphRequest,
  refuse: Refuse,
): Promise<Answer> {
  const { world } = stage
  const { parameters } = call
  const denied = lacks(stage, channel, channel.type === 'instagram' ? 'instagram_manage_messages' : 'pages_messaging')
  if (denied !== undefined) return denied
  const recipient = fieldsOf(jsonOf(parameters.recipient))
  const message = fieldsOf(jsonOf(parameters.message))
  if (textOf(parameters.sender_action) !== undefined)
    return parameters.message === undefined
      ? senderAction(stage, channel, idOf(recipient.id), { ...parameters, payload: jsonOf(parameters.payload) }, refuse)
      : graphError(100, undefined, 'Only one of the parameters message and sender_action may be given')
  const content = checkMessage(channel, message)
  if ('status' in content) return content

  const publicId = idOf(recipient.comment_id) ?? idOf(recipient.post_id)
  const target = publicId === undefined ? undefined : world.byId.get(publicId)
  const personId = target?.person ?? idOf(recipient.id)
  const wrong =
    publicId === undefined
      ? (checkPerson(stage, channel, personId) ?? checkWindow(stage, channel, personId, parameters))
      : checkPrivateReply(stage, channel, publicId, target)
  if (wrong !== undefined) return wrong
  const repliedTo = idOf(fieldsOf(jsonOf(parameters.reply_to)).mid)
  if (
    repliedTo !== undefined &&
    !world.between(channel.external_id, personId ?? '').some((said) => said.external_id === repliedTo)
  )
    return graphError(100, undefined, 'Param reply_to[mid] is not a message of this conversation')
  const attachment = fieldsOf(message.attachment)
  const file = message.attachment === undefined ? undefined : await attachmentOf(stage, channel, attachment, call)
  if (file !== undefined && 'status' in file) return file
  const refused = refusedBy(refuse)
  if (refused !== undefined) return refused
  const answered = publicId ?? repliedTo
  const said = world.say({
    type: channel.type,
    channel: channel.external_id,
    person: personId ?? '',
    direction: 'outbound',
    kind: publicId === undefined ? 'reply' : 'private_reply',
    text: content.text ?? '',
    metadata: textOf(message.metadata),
    tag: textOf(parameters.tag),
    clock_at: stage.clock.now(),
    ...(file === undefined ? {} : { files: [file] }),
    ...(content.choices.length === 0 ? {} : { choices: content.choices }),
    ...(answered === undefined ? {} : { in_reply_to: answered }),
  })
  return accept(stage, said, { recipient_id: personId, message_id: said.external_id })
}

/** Text or one attachment, each within its limits; quick replies below either. */
function checkMessage(
  { type }: SandboxChannel,
  message: Fields,
): { readonly text: string | undefined; readonly choices: readonly Choice[] } | Answer {
  const text = textOf(message.text)
  if (text === undefined && message.attachment === undefined)
    return graphError(100, 2018034, 'Message cannot be empty, must provide valid attachment or text')
  if (text !== undefined && message.attachment !== undefined)
    return graphError(100, undefined, 'Only one of the text, attachment, and dynamic_text fields can be specified')
  const isInstagram = type === 'instagram'
  // Instagram counts bytes.
  if (text !== undefined && (isInstagram ? Buffer.byteLength(text) > 1000 : text.length > 2000))
    return graphError(
      100,
      undefined,
      `Length of param message[text] must be less than or equal to ${isInstagram ? '1000' : '2000'}`,
    )
  const metadata = textOf(message.metadata)
  if (metadata !== undefined && metadata.length >= 1000)
    return graphError(100, undefined, 'Length of param message[metadata] must be less than 1000')
  const replies = listOf(message.quick_replies).map(fieldsOf)
  if (replies.length > 13)
    return graphError(100, undefined, 'Param message[quick_replies] must have at most 13 elements')
  const choices = replies.map((one): Choice => {
    const title = (textOf(one.title) ?? '').slice(0, 20)
    return { as: 'quick_reply', title, id: textOf(one.payload) ?? '' }
  })
  return choices.some(({ title, id }) => title === '' || id === '' || id.length > 1000)
    ? graphError(100, undefined, 'Param message[quick_replies] needs a title and a payload of at most 1000 characters')
    : { text, choices }
}

/** Whoever blocked the page cannot be reached (`PUT /control/meta/person`). */
function checkPerson(stage: Stage, channel: SandboxChannel, personId: string | undefined): Answer | undefined {
  return stage.world.notes.get(`meta.blocked.${channel.external_id}.${personId ?? ''}`) === true
    ? graphError(551, 1_545_041, "This person isn't available right now.", 403)
    : undefined
}

/** Once for each comment, within seven days; not to what is gone, and not to oneself. */
function checkPrivateReply(
  stage: Stage,
  channel: SandboxChannel,
  id: string,
  target: Utterance | undefined,
): Answer | undefined {
  if (target?.channel !== channel.external_id || isGone(stage, target))
    return graphError(100, 33, `Unsupported post request. Object with ID '${id}' does not exist`)
  if (target.direction !== 'inbound') return graphError(10903, undefined, 'This user cant reply to this activity')
  const isUsed = stage.world
    .between(channel.external_id, target.person)
    .some((said) => said.kind === 'private_reply' && said.in_reply_to === id)
  if (isUsed) return graphError(10900, undefined, 'Activity already replied to')
  return ageOf(stage, target) > 7 * dayMs
    ? graphError(10903, undefined, 'This activity cannot be replied to')
    : undefined
}

/** 24 hours after the person last wrote; seven days with the tag HUMAN_AGENT. */
function checkWindow(
  stage: Stage,
  channel: SandboxChannel,
  personId: string | undefined,
  parameters: Fields,
): Answer | undefined {
  const last =
    personId === undefined
      ? undefined
      : stage.world
          .between(channel.external_id, personId)
          .findLast((said) => said.direction === 'inbound' && said.kind === 'message')
  if (last === undefined)
    return channel.type === 'instagram'
      ? graphError(100, 2534014, 'The requested user cannot be found.')
      : graphError(100, 2018001, 'No matching user found')
  const type = textOf(parameters.messaging_type)
  const tag = textOf(parameters.tag)
  if (tag !== undefined && tag !== 'HUMAN_AGENT')
    return graphError(100, undefined, `The tag ${tag} is no longer supported`)
  const limit = type === 'MESSAGE_TAG' && tag === 'HUMAN_AGENT' ? 7 * dayMs : dayMs
  return ageOf(stage, last) > limit
    ? graphError(
        10,
        channel.type === 'instagram' ? 2534022 : 2018278,
        'This message is sent outside of allowed window.',
        403,
      )
    : undefined
}

/** `POST /{comment or post}/comments`: a text, a photo, or both. */
export async function sendComment(
  stage: Stage,
  channel: SandboxChannel,
  call: GraphRequest,
  refuse: Refuse,
): Promise<Answer> {
  const { id, parameters, base } = call
  const denied = lacks(stage, channel, 'pages_manage_engagement')
  if (denied !== undefined) return denied
  const target = stage.world.byId.get(id)
  const isPlace = target?.kind === 'comment' || target?.kind === 'post' || target?.kind === 'mention'
  if (target?.channel !== channel.external_id || !isPlace || isGone(stage, target)) return missing(id)
  const text = textOf(parameters.message)
  const photo = await photoOf(stage, channel, parameters, base)
  if (photo !== undefined && 'status' in photo) return photo
  if (text === undefined && photo === undefined) return graphError(100, undefined, 'The parameter message is required')
  if (text !== undefined && text.length > 8000) return graphError(100, undefined, 'The comment is too long')
  const refused = refusedBy(refuse)
  if (refused !== undefined) return refused
  const isTop = target.kind === 'post'
  const said = stage.world.say({
    type: channel.type,
    channel: channel.external_id,
    person: target.direction === 'inbound' ? target.person : '',
    direction: 'outbound',
    kind: 'comment',
    text: text ?? '',
    post_id: isTop ? id : target.post_id,
    clock_at: stage.clock.now(),
    ...(photo === undefined ? {} : { files: [photo] }),
    // Facebook knows two levels: an answer to an answer stands below the first comment.
    ...(isTop ? {} : { in_reply_to: target.in_reply_to ?? id }),
  })
  return accept(stage, said, { id: said.external_id })
}

async function photoOf(
  stage: Stage,
  channel: SandboxChannel,
  parameters: Fields,
  base: string,
): Promise<SandboxFile | Answer | undefined> {
  const id = idOf(parameters.attachment_id)
  if (id !== undefined) {
    const kept = findKept(stage, channel, id, 'photo')
    return kept === undefined ? missing(id) : shown(base, kept)
  }
  const address = textOf(parameters.attachment_url)
  if (address === undefined) return undefined
  const bytes = await fetchGiven(stage, address)
  return bytes === undefined || !bytes.contentType.startsWith('image/')
    ? graphError(1_609_005, undefined, 'There was a problem scraping data from the provided link.')
    : { kind: 'image', url: address }
}

export const accept = (stage: Stage, said: Utterance, json: unknown): Answer => ({
  status: 200,
  json,
  accepted: { echo: () => tell(stage, [said]), after: () => confirmDelivery(stage, said) },
})
