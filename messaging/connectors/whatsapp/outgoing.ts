/** What is said to somebody by the Cloud API: text, files, buttons and lists, approved templates (Cloud API: messages). */
import type { ChannelAccess, Limits, OutboundMessage, OutboundTemplate, Outcome, Part } from '../connector.ts'
import type { GraphCall } from '../meta/graph.ts'
import { inCharacters, megabyte, outOfBounds, textOnly } from '../meta/limits.ts'
import { refuse } from '../meta/refuse.ts'
import { notUploaded } from '../meta/upload.ts'
import { groupPrefix } from './people.ts'

const dayMs = 24 * 60 * 60 * 1000
const maxCaption = 1024

/** Cloud API: supported media types; reply buttons and list messages. */
export const directLimits: Limits = {
  kinds: ['reply', 'note'],
  maxTextLength: 4096,
  ...inCharacters,
  files: {
    max: 10,
    kinds: {
      image: { types: ['image/jpeg', 'image/png'], maxBytes: 5 * megabyte },
      video: { types: ['video/mp4', 'video/3gpp'], maxBytes: 16 * megabyte },
      audio: { types: ['audio/aac', 'audio/amr', 'audio/mpeg', 'audio/mp4', 'audio/ogg'], maxBytes: 16 * megabyte },
      file: {
        types: [
          'text/plain',
          'application/pdf',
          'application/msword',
          'application/vnd.ms-excel',
          'application/vnd.ms-powerpoint',
          'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
          'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
          'application/vnd.openxmlformats-officedocument.presentationml.presentation',
        ],
        maxBytes: 100 * megabyte,
      },
    },
  },
  extras: { templates: true, interactive: { maxButtons: 3, maxRows: 10 } },
  acts: ['react', 'unreact', 'typing', 'seen'],
}
/** WhatsApp has nothing public. */
export const publicLimits: Limits = { kinds: ['note'], maxTextLength: 4096, ...inCharacters, ...textOnly }

/** One file a message. The first one carries the text where it can have a caption, else the text goes before. */
export function splitParts({ text, files = [] }: Pick<OutboundMessage, 'text' | 'files'>): readonly Part[] {
  const [first, ...rest] = files.map((file, index) => ({ file, index }))
  const alone = rest.map(({ index }): Part => ({ text: '', files: [index] }))
  if (first === undefined) return [{ text, files: [] }]
  const isCaption = first.file.kind !== 'audio' && text.length <= maxCaption
  return isCaption || text.trim() === ''
    ? [{ text: isCaption ? text : '', files: [0] }, ...alone]
    : [{ text, files: [] }, { text: '', files: [0] }, ...alone]
}

/** The one request that says `message`, or why it cannot be said. */
export function toCall(channel: ChannelAccess, message: OutboundMessage): GraphCall | Outcome {
  if (message.kind !== 'reply') return refuse('content', 'not_spoken', 'WhatsApp knows no comments.')
  const wrong = outOfBounds(message, directLimits)
  if (wrong !== undefined) return wrong
  const { contactExternalId: personId, lastInboundAt, extras } = message
  if (personId === undefined) return refuse('recipient', 'nobody', 'The message is addressed to nobody.')
  if (extras?.template === undefined && lastInboundAt !== undefined && Date.now() - lastInboundAt.getTime() > dayMs)
    return refuse(
      'window',
      'window_closed',
      'The person last wrote more than 24 hours ago; WhatsApp takes nothing but templates now.',
    )
  const content = contentOf(message)
  if ('reason' in content) return content
  return {
    method: 'POST',
    path: `${encodeURIComponent(channel.externalId)}/messages`,
    body: {
      messaging_product: 'whatsapp',
      ...recipientOf(personId),
      type: content.type,
      [content.type]: content.value,
      ...(message.inReplyTo === undefined ? {} : { context: { message_id: message.inReplyTo } }),
      biz_opaque_callback_data: message.reference,
    },
  }
}

/** A phone number, a group, or the user id of somebody who shows no number. */
export function recipientOf(personId: string): Readonly<Record<string, string>> {
  if (personId.startsWith(groupPrefix)) return { recipient_type: 'group', to: personId.slice(groupPrefix.length) }
  return /^\+?\d+$/.test(personId)
    ? { recipient_type: 'individual', to: personId }
    : { recipient_type: 'individual', recipient: personId }
}

interface Content {
  readonly type: string
  readonly value: Readonly<Record<string, unknown>>
}
type Refused = Extract<Outcome, { readonly type: 'refused' }>

function contentOf(message: OutboundMessage): Content | Refused {
  const { text, files: [file, ...more] = [], extras } = message
  if (extras?.quickReplies !== undefined || extras?.quoteOf !== undefined)
    return refuse(
      'content',
      'not_spoken',
      'WhatsApp knows buttons, lists and templates, and no quick replies or quotes.',
    )
  if (extras?.template !== undefined) {
    // A text beside it is what people here read: WhatsApp makes its own from the template.
    if (file !== undefined || extras.interactive !== undefined)
      return refuse('content', 'not_together', 'A template is said alone.')
    return { type: 'template', value: templateOf(extras.template) }
  }
  if (more.length > 0) return refuse('content', 'not_split', 'WhatsApp takes one file in a message.')
  if (file !== undefined && file.uploadedId === undefined) return notUploaded
  const media = file === undefined ? undefined : { ...mediaOf(file), id: file.uploadedId }
  if (extras?.interactive !== undefined) return interactiveOf(extras.interactive, text, media)
  if (media === undefined) return { type: 'text', value: { body: text, preview_url: true } }
  if (text !== '' && (media.type === 'audio' || text.length > maxCaption))
    return refuse(
      'content',
      'caption',
      `WhatsApp takes a caption of ${String(maxCaption)} characters, and none with audio.`,
    )
  return { type: media.type, value: { id: media.id, ...media.more, ...(text === '' ? {} : { caption: text }) } }
}

const mediaOf = ({ kind, name }: NonNullable<OutboundMessage['files']>[number]) =>
  kind === 'file' ? { type: 'document', more: { filename: name ?? 'document' } } : { type: kind, more: {} }

/** Reply buttons may have a picture, film or document above them, lists may not. */
function interactiveOf(
  choice: NonNullable<NonNullable<OutboundMessage['extras']>['interactive']>,
  text: string,
  media: { readonly type: string; readonly id: string | undefined; readonly more: object } | undefined,
): Content | Refused {
  const wrong = wrongChoice(choice, text)
  if (wrong !== undefined) return refuse('content', 'interactive', wrong)
  const body = { text }
  if (choice.type === 'list') {
    if (media !== undefined) return refuse('content', 'not_together', 'A list on WhatsApp has no file above it.')
    return {
      type: 'interactive',
      value: {
        type: 'list',
        body,
        action: { button: choice.button, sections: [{ title: choice.button, rows: choice.rows }] },
      },
    }
  }
  if (media?.type === 'audio') return refuse('content', 'not_together', 'Buttons on WhatsApp have no audio above them.')
  return {
    type: 'interactive',
    value: {
      type: 'button',
      ...(media === undefined ? {} : { header: { type: media.type, [media.type]: { id: media.id, ...media.more } } }),
      body,
      action: { buttons: choice.buttons.map((reply) => ({ type: 'reply', reply })) },
    },
  }
}

/** Titles of buttons have 20 characters, of rows 24, descriptions 72; ids are told apart. */
function wrongChoice(
  choice: NonNullable<NonNullable<OutboundMessage['extras']>['interactive']>,
  text: string,
): string | undefined {
  const isList = choice.type === 'list'
  const options: readonly { readonly id: string; readonly title: string; readonly description?: string }[] = isList
    ? choice.rows
    : choice.buttons
  const [most, longest] = isList ? [10, 24] : [3, 20]
  if (text.trim() === '') return 'Buttons and lists stand below a text.'
  if (!isList && text.length > maxCaption) return `The text above buttons has at most ${String(maxCaption)} characters.`
  if (options.length === 0 || options.length > most) return `There are 1 to ${String(most)} to choose from.`
  if (isList && (choice.button.trim() === '' || choice.button.length > 20))
    return 'The button that opens the list has 1 to 20 characters.'
  if (options.some(({ title }) => title.trim() === '' || title.length > longest))
    return `A title has 1 to ${String(longest)} characters.`
  if (options.some(({ description = '' }) => description.length > 72)) return 'A description has at most 72 characters.'
  if (
    options.some(({ id }) => id === '' || id.length > 200) ||
    new Set(options.map(({ id }) => id)).size < options.length
  )
    return 'Ids have 1 to 200 characters and differ from each other.'
  return undefined
}

/** Template messages: components. A button's value stands at the place of its button; empty for one that has none. */
function templateOf({ name, language, header, body, buttons = [] }: OutboundTemplate): Content['value'] {
  const texts = (values: readonly string[] | undefined) => (values ?? []).map((text) => ({ type: 'text', text }))
  const components = [
    ...(header === undefined || header.length === 0 ? [] : [{ type: 'header', parameters: texts(header) }]),
    ...(body === undefined || body.length === 0 ? [] : [{ type: 'body', parameters: texts(body) }]),
    ...buttons.flatMap((value, index) =>
      value === '' ? [] : [{ type: 'button', sub_type: 'url', index: String(index), parameters: texts([value]) }],
    ),
  ]
  return { name, language: { code: language }, ...(components.length === 0 ? {} : { components }) }
}
