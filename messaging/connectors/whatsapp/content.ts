/** The content of a WhatsApp message: words, files, places, cards, orders, presses (Cloud API webhooks: messages by type). */
import type { AttachmentKind, InboundAttachment } from '../connector.ts'
import { fieldsOf, flagOf, idOf, listOf, readJson, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'

export interface Content {
  readonly kind: 'message' | 'interaction'
  readonly text: string | undefined
  readonly attachments: readonly InboundAttachment[]
  readonly extra: Fields
}

const content = (
  text: string | undefined,
  attachments: readonly InboundAttachment[] = [],
  extra: Fields = {},
): Content => ({
  kind: 'message',
  text,
  attachments,
  extra,
})
const press = (text: string | undefined, extra: Fields, attachments: readonly InboundAttachment[] = []): Content => ({
  ...content(text, attachments, extra),
  kind: 'interaction',
})
/** Nothing to fetch, but something to show. */
export const shown = (title: string, text?: string): InboundAttachment => ({
  kind: 'other',
  title: title.slice(0, 500),
  ...(text === undefined || text === '' ? {} : { text: text.slice(0, 2_000) }),
})

/** What a message of any type says; of an unknown type it says that the app shows more. */
export function readContent(item: Fields): Content {
  const type = textOf(item.type) ?? ''
  const read = Object.hasOwn(types, type) ? types[type] : undefined
  if (read !== undefined) return read(fieldsOf(item[type]), item)
  const [error] = listOf(item.errors).map(fieldsOf)
  const reason = textOf(error?.title) ?? textOf(error?.message)
  return content(undefined, [shown('Something that can be seen in WhatsApp only', reason)], {
    is_unsupported: true,
    type: type.slice(0, 60) || undefined,
    unsupported_type: textOf(fieldsOf(item.unsupported).type),
    error_code: idOf(error?.code),
  })
}

type Read = (body: Fields, item: Fields) => Content

const types: Readonly<Record<string, Read>> = {
  text: (body) => content(textOf(body.body)),
  image: (body) => file('image', body),
  video: (body) => file('video', body),
  audio: (body) => ({ ...file('audio', body), extra: flagOf(body.voice) ? { is_voice: true } : {} }),
  voice: (body) => ({ ...file('audio', body), extra: { is_voice: true } }),
  document: (body) => file('file', body),
  sticker: (body) => file('sticker', body),
  location: readLocation,
  contacts: (_body, item) => readContacts(item.contacts),
  order: readOrder,
  button: (body) => press(textOf(body.text), { payload: textOf(body.payload) }),
  interactive: readInteractive,
  request_welcome: () => press(undefined, {}, [shown('Opened the chat')]),
}

/** Files are named by an id: where they lie is asked for when they are fetched. A caption is what the person says. */
function file(kind: AttachmentKind, body: Fields): Content {
  const externalId = idOf(body.id)
  const title = textOf(body.filename)?.slice(0, 500)
  const contentType = textOf(body.mime_type)?.slice(0, 100)
  const sha256 = hexOf(body.sha256)
  return content(textOf(body.caption), [
    {
      kind,
      ...(externalId === undefined ? {} : { externalId }),
      ...(title === undefined ? {} : { title }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(sha256 === undefined ? {} : { sha256 }),
    },
  ])
}

/** WhatsApp writes the digest in base64. */
export function hexOf(value: unknown): string | undefined {
  const text = textOf(value)
  if (text === undefined) return undefined
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase()
  const bytes = /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0)
  return bytes.length === 32 ? bytes.toString('hex') : undefined
}

function readLocation(body: Fields): Content {
  const lat = Number(body.latitude)
  const long = Number(body.longitude)
  const hasPlace = Number.isFinite(lat) && Number.isFinite(long) && body.latitude !== null && body.longitude !== null
  const title = textOf(body.name)?.slice(0, 500)
  const text = textOf(body.address) ?? (hasPlace ? `${String(lat)}, ${String(long)}` : undefined)
  const place: InboundAttachment = {
    kind: 'location',
    ...(title === undefined ? {} : { title }),
    ...(text === undefined ? {} : { text: text.slice(0, 2_000) }),
  }
  return content(undefined, [place], hasPlace ? { coordinates: { lat, long } } : {})
}

/** Cards of an address book. */
function readContacts(raw: unknown): Content {
  const cards = listOf(raw).map(fieldsOf).slice(0, 50)
  const attachments = cards.map((card) => {
    const phones = listOf(card.phones)
      .map(fieldsOf)
      .map((one) => textOf(one.phone) ?? textOf(one.wa_id))
    const mails = listOf(card.emails)
      .map(fieldsOf)
      .map((one) => textOf(one.email))
    const name = fieldsOf(card.name)
    return shown(
      textOf(name.formatted_name) ?? textOf(name.first_name) ?? 'A contact',
      [...phones, ...mails].filter((part) => part !== undefined).join('\n'),
    )
  })
  return content(undefined, attachments, { contacts: cards })
}

/** An order from the catalogue. */
function readOrder(body: Fields): Content {
  const lines = listOf(body.product_items)
    .map(fieldsOf)
    .slice(0, 50)
    .map((one) => {
      const price =
        typeof one.item_price === 'number'
          ? ` at ${String(one.item_price)} ${textOf(one.currency) ?? ''}`.trimEnd()
          : ''
      return `${idOf(one.quantity) ?? '1'} × ${idOf(one.product_retailer_id) ?? '?'}${price}`
    })
  return content(textOf(body.text), [shown('An order', lines.join('\n'))], { order: body })
}

/** Presses of buttons and lists, sent forms, and answers to a request to be called. */
function readInteractive(body: Fields): Content {
  const { type } = body
  const reply = fieldsOf(type === 'list_reply' ? body.list_reply : body.button_reply)
  if (type === 'button_reply' || type === 'list_reply')
    return press(textOf(reply.title) ?? textOf(reply.description), {
      payload: idOf(reply.id),
      description: textOf(reply.description),
    })
  if (type === 'nfm_reply') {
    const form = fieldsOf(body.nfm_reply)
    const response = readJson(textOf(form.response_json) ?? '') ?? textOf(form.response_json)
    return press(textOf(form.body), { form: textOf(form.name), response }, [shown('A filled-in form')])
  }
  if (type === 'call_permission_reply') {
    const permission = fieldsOf(body.call_permission_reply)
    const isAccepted = permission.response === 'accept'
    return press(undefined, { call_permission: permission }, [
      shown(isAccepted ? 'May be called' : 'Does not want to be called'),
    ])
  }
  return press(undefined, { interactive: body }, [shown('Something that can be seen in WhatsApp only')])
}
