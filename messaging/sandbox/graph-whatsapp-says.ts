/** What may be said through the Cloud API of one phone number: text, files, buttons, lists, templates; reactions and reading. */
import { fieldsOf, idOf, listOf, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import { graphError } from './graph-error.ts'
import { findKept, shown } from './graph-files.ts'
import { lacks } from './graph-permissions.ts'
import type { GraphRequest } from './graph-request.ts'
import { refusedBy } from './graph-says.ts'
import type { Refuse } from './graph-says.ts'
import { fillTemplate } from './graph-templates.ts'
import { followSend, newWhatsAppId } from './graph-whatsapp.ts'
import type { Answer } from './http.ts'
import type { Choice, SandboxChannel, SandboxFile } from './world.ts'

interface Content {
  readonly text: string
  readonly files?: readonly SandboxFile[]
  readonly choices?: readonly Choice[]
  readonly isTemplate?: boolean
}

/** `POST /{phone-number-id}/messages`. Accepted is not delivered: a closed window, and what was set with `fail_late`, come as a status. */
export function sendWhatsApp(stage: Stage, channel: SandboxChannel, call: GraphRequest, refuse: Refuse): Answer {
  const { parameters, base } = call
  const denied = lacks(stage, channel, 'whatsapp_business_messaging')
  if (denied !== undefined) return denied
  if (parameters.messaging_product !== 'whatsapp')
    return graphError(100, undefined, 'The parameter messaging_product is required.')
  if (parameters.status !== undefined) return markRead(stage, channel, parameters)
  const personId = textOf(parameters.to) ?? textOf(parameters.recipient)
  if (personId === undefined) return graphError(100, undefined, 'The parameter to is required.')
  const reference = textOf(parameters.biz_opaque_callback_data)
  if (reference !== undefined && reference.length > 512)
    return graphError(100, undefined, 'Param biz_opaque_callback_data is too long.')
  if (parameters.type === 'reaction') return react(stage, channel, personId, fieldsOf(parameters.reaction), refuse)
  const content = contentOf(stage, channel, parameters, base)
  if ('status' in content) return content
  const refused = refusedBy(refuse)
  if (refused !== undefined) return refused
  const { isTemplate = false, ...shownContent } = content
  const inReplyTo = textOf(fieldsOf(parameters.context).message_id)
  const said = stage.world.say({
    type: 'whatsapp',
    channel: channel.external_id,
    person: personId,
    direction: 'outbound',
    kind: 'reply',
    ...shownContent,
    external_id: newWhatsAppId(),
    metadata: reference,
    clock_at: stage.clock.now(),
    ...(inReplyTo === undefined ? {} : { in_reply_to: inReplyTo }),
  })
  return {
    ...acceptedAs(personId, said.external_id),
    // Cloud API sends have no echo; statuses follow.
    accepted: { echo: nothing, after: () => followSend(stage, channel, said, isTemplate) },
  }
}

const nothing = (): Promise<void> => Promise.resolve()

function acceptedAs(personId: string, id: string): Answer {
  const isNumber = /^\d+$/.test(personId)
  return {
    status: 200,
    json: {
      messaging_product: 'whatsapp',
      contacts: [{ input: personId, ...(isNumber ? { wa_id: personId } : { user_id: personId }) }],
      messages: [{ id, message_status: 'accepted' }],
    },
  }
}

/** Reading takes in everything until then; with `typing_indicator` the customer sees somebody typing, for 25 seconds. */
function markRead(stage: Stage, channel: SandboxChannel, parameters: Fields): Answer {
  const id = textOf(parameters.message_id) ?? ''
  const said = stage.world.byId.get(id)
  if (parameters.status !== 'read') return graphError(100, undefined, 'Param status must be one of {read}')
  if (said?.channel !== channel.external_id || said.direction !== 'inbound')
    return graphError(131_009, undefined, 'Parameter value is not valid: message_id')
  const done = { channel: channel.external_id, person: said.person, by: 'channel' } as const
  stage.world.act({ ...done, what: 'seen', external_id: id })
  if (fieldsOf(parameters.typing_indicator).type === 'text') stage.world.act({ ...done, what: 'typing' })
  return { status: 200, json: { success: true } }
}

/** An empty emoji takes the reaction back. */
function react(stage: Stage, channel: SandboxChannel, personId: string, reaction: Fields, refuse: Refuse): Answer {
  const id = textOf(reaction.message_id) ?? ''
  const target = stage.world.between(channel.external_id, personId).find((said) => said.external_id === id)
  if (target === undefined) return graphError(131_009, undefined, 'Parameter value is not valid: message_id')
  const refused = refusedBy(refuse)
  if (refused !== undefined) return refused
  const emoji = textOf(reaction.emoji)
  stage.world.act({
    channel: channel.external_id,
    person: personId,
    by: 'channel',
    what: emoji === undefined ? 'unreact' : 'react',
    external_id: id,
    ...(emoji === undefined ? {} : { emoji }),
  })
  return acceptedAs(personId, newWhatsAppId())
}

function contentOf(stage: Stage, channel: SandboxChannel, parameters: Fields, base: string): Content | Answer {
  const type = textOf(parameters.type) ?? ''
  const value = fieldsOf(parameters[type])
  if (type === 'text') {
    const text = textOf(value.body)
    if (text === undefined) return graphError(100, undefined, 'The parameter text is required.')
    return text.length > 4096
      ? graphError(100, undefined, 'Param text[body] must be at most 4096 characters long.')
      : { text }
  }
  if (['image', 'video', 'audio', 'document', 'sticker'].includes(type)) {
    const file = fileOf(stage, channel, type, value, base)
    if ('status' in file) return file
    const caption = textOf(value.caption) ?? ''
    if (caption !== '' && (type === 'audio' || type === 'sticker'))
      return graphError(100, undefined, `Unexpected key "caption" on param "${type}".`)
    return caption.length > 1024
      ? graphError(131_009, undefined, 'Parameter value is not valid: caption')
      : { text: caption, files: [file] }
  }
  if (type === 'interactive') return interactiveOf(stage, channel, value, base)
  if (type !== 'template') return graphError(131_051, undefined, 'Unsupported message type')
  const filled = fillTemplate(stage, channel, value)
  return 'status' in filled ? filled : { ...filled, isTemplate: true }
}

function fileOf(
  stage: Stage,
  channel: SandboxChannel,
  type: string,
  value: Fields,
  base: string,
): SandboxFile | Answer {
  const id = idOf(value.id)
  const kept = id === undefined ? undefined : findKept(stage, channel, id, 'media')
  if (kept?.kind !== type)
    return graphError(131_009, undefined, 'Parameter value is not valid: not a media attachment of this number')
  const title = textOf(value.filename)
  return { ...shown(base, kept), ...(title === undefined ? {} : { title }) }
}

/** At most three buttons, or ten rows; titles and texts within their lengths. */
function interactiveOf(stage: Stage, channel: SandboxChannel, value: Fields, base: string): Content | Answer {
  const text = textOf(fieldsOf(value.body).text)
  const action = fieldsOf(value.action)
  const isList = value.type === 'list'
  if (!isList && value.type !== 'button')
    return graphError(131_009, undefined, 'Parameter value is not valid: interactive.type')
  const options = isList
    ? listOf(action.sections).flatMap((section) => listOf(fieldsOf(section).rows).map(fieldsOf))
    : listOf(action.buttons).map((button) => fieldsOf(fieldsOf(button).reply))
  const choices = options.map((one): Choice => {
    const description = textOf(one.description)
    return {
      as: isList ? 'row' : 'button',
      id: textOf(one.id) ?? '',
      title: textOf(one.title) ?? '',
      ...(description === undefined ? {} : { description }),
    }
  })
  const [most, longest, longestText] = isList ? [10, 24, 4096] : [3, 20, 1024]
  const isWrong =
    text === undefined ||
    text.length > longestText ||
    choices.length === 0 ||
    choices.length > most ||
    choices.some(
      ({ id, title, description = '' }) =>
        id === '' || title === '' || title.length > longest || description.length > 72,
    ) ||
    new Set(choices.map(({ id }) => id)).size < choices.length ||
    (isList && !/^.{1,20}$/su.test(textOf(action.button) ?? ''))
  if (isWrong) return graphError(131_009, undefined, 'Parameter value is not valid: interactive')
  const header = fieldsOf(value.header)
  const type = textOf(header.type)
  if (type === undefined) return { text, choices }
  if (isList) return graphError(131_009, undefined, 'Parameter value is not valid: header')
  const file = fileOf(stage, channel, type, fieldsOf(header[type]), base)
  return 'status' in file ? file : { text, choices, files: [file] }
}
