/** What may be said through the Graph API for a Page or an Instagram account: messages, comments, posts. */
import { fieldsOf, idOf, isFields, readJson, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import { confirmDelivery, tell } from './customers.ts'
import type { Stage } from './customers.ts'
import { graphError, missing } from './graph-error.ts'
import type { Answer } from './http.ts'
import type { SandboxChannel, Utterance } from './world.ts'

const dayMs = 24 * 60 * 60 * 1000

export type Refuse = () => { code: number; subcode: number | undefined } | undefined

/** Send API: one message for each request, sent twice when asked twice. */
export function sendMessage(stage: Stage, channel: SandboxChannel, parameters: Fields, refuse: Refuse): Answer {
  const { world } = stage
  const recipient = isFields(parameters.recipient)
    ? parameters.recipient
    : fieldsOf(readJson(textOf(parameters.recipient) ?? ''))
  const message = isFields(parameters.message)
    ? parameters.message
    : fieldsOf(readJson(textOf(parameters.message) ?? ''))
  if (textOf(parameters.sender_action) !== undefined) return { status: 200, json: { recipient_id: idOf(recipient.id) } }
  const text = textOf(message.text)
  if (text === undefined)
    return graphError(100, 2018034, 'Message cannot be empty, must provide valid attachment or text')
  const isInstagram = channel.type === 'instagram'
  // Instagram counts bytes.
  if (isInstagram ? Buffer.byteLength(text) > 1000 : text.length > 2000)
    return graphError(
      100,
      undefined,
      `Length of param message[text] must be less than or equal to ${isInstagram ? '1000' : '2000'}`,
    )
  const metadata = textOf(message.metadata)
  if (metadata !== undefined && metadata.length >= 1000)
    return graphError(100, undefined, 'Length of param message[metadata] must be less than 1000')

  const commentId = idOf(recipient.comment_id)
  const comment = commentId === undefined ? undefined : world.byId.get(commentId)
  const personId = comment?.person ?? idOf(recipient.id)
  if (commentId !== undefined) {
    if (comment?.channel !== channel.external_id || comment.direction !== 'inbound')
      return graphError(100, 33, `Unsupported post request. Object with ID '${commentId}' does not exist`)
    if (
      world
        .between(channel.external_id, comment.person)
        .some((said) => said.kind === 'private_reply' && said.in_reply_to === commentId)
    )
      return graphError(10900, undefined, 'Activity already replied to')
    if (Date.now() - Date.parse(comment.at) > 7 * dayMs)
      return graphError(10903, undefined, 'This activity cannot be replied to')
  } else {
    const closed = checkWindow(stage, channel, personId, parameters)
    if (closed !== undefined) return closed
  }
  const refused = refuse()
  if (refused !== undefined) return graphError(refused.code, refused.subcode, 'Refused by a fault of the sandbox')
  const said = world.say({
    type: channel.type,
    channel: channel.external_id,
    person: personId ?? '',
    direction: 'outbound',
    kind: commentId === undefined ? 'reply' : 'private_reply',
    text,
    metadata,
    tag: textOf(parameters.tag),
    ...(commentId === undefined ? {} : { in_reply_to: commentId }),
  })
  return accept(stage, said, { recipient_id: personId, message_id: said.external_id })
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
  return Date.now() - Date.parse(last.at) > limit
    ? graphError(
        10,
        channel.type === 'instagram' ? 2534022 : 2018278,
        'This message is sent outside of allowed window.',
        403,
      )
    : undefined
}

export function sendComment(
  stage: Stage,
  channel: SandboxChannel,
  id: string,
  parameters: Fields,
  refuse: Refuse,
): Answer {
  const target = stage.world.byId.get(id)
  if (
    target?.channel !== channel.external_id ||
    (target.kind !== 'comment' && target.kind !== 'post' && target.kind !== 'mention')
  )
    return missing(id)
  const text = textOf(parameters.message)
  if (text === undefined) return graphError(100, undefined, 'The parameter message is required')
  if (text.length > 8000) return graphError(100, undefined, 'The comment is too long')
  const refused = refuse()
  if (refused !== undefined) return graphError(refused.code, refused.subcode, 'Refused by a fault of the sandbox')
  const isTop = target.kind === 'post'
  const said = stage.world.say({
    type: channel.type,
    channel: channel.external_id,
    person: target.direction === 'inbound' ? target.person : '',
    direction: 'outbound',
    kind: 'comment',
    text,
    post_id: isTop ? id : target.post_id,
    // Facebook knows two levels: an answer to an answer stands below the first comment.
    ...(isTop ? {} : { in_reply_to: target.in_reply_to ?? id }),
  })
  return accept(stage, said, { id: said.external_id })
}

export function publish(stage: Stage, channel: SandboxChannel, parameters: Fields, refuse: Refuse): Answer {
  const text = textOf(parameters.message)
  if (text === undefined) return graphError(100, undefined, 'The parameter message is required')
  const refused = refuse()
  if (refused !== undefined) return graphError(refused.code, refused.subcode, 'Refused by a fault of the sandbox')
  const said = stage.world.say({
    type: channel.type,
    channel: channel.external_id,
    person: '',
    direction: 'outbound',
    kind: 'post',
    text,
  })
  return accept(stage, said, { id: said.external_id })
}

export const accept = (stage: Stage, said: Utterance, json: unknown): Answer => ({
  status: 200,
  json,
  headers: { 'x-app-usage': '{"call_count":1,"total_time":1,"total_cputime":1}' },
  accepted: { echo: () => tell(stage, [said]), after: () => confirmDelivery(stage, said) },
})
