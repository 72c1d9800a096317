/** Direct messages (AAA: direct_message_events; XAA dm.received and dm.sent carry the same shape), encrypted chats, read marks. */
import type { InboundEvent } from '../connector.ts'
import { fieldsOf, instantOf, isFields, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { mediaByKeys, readMedia } from './media.ts'
import { kept } from './delivery.ts'
import type { Delivery } from './delivery.ts'
import { cut, nameOf, personOf, readText, snowflakeInstant, xIdOf, xInstantOf } from './people.ts'

/** One `message_create`, received or sent. */
export function readDirectMessage(event: Fields, { userId, users }: Delivery): InboundEvent {
  if (event.type !== undefined && event.type !== 'message_create')
    return kept(`direct message event "${cut(textOf(event.type) ?? '', 60)}" is not yet shown`)
  const externalId = xIdOf(event)
  const create = fieldsOf(event.message_create)
  const sender = nameOf(create.sender_id)
  const recipient = nameOf(fieldsOf(create.target).recipient_id)
  if (externalId === undefined || sender === undefined) return kept('a direct message without an id or a sender')

  const data = fieldsOf(create.message_data)
  const attachment = fieldsOf(data.attachment)
  const media = isFields(attachment.media) ? [attachment.media] : []
  const shared = {
    externalId,
    occurredAt: xInstantOf(event.created_timestamp, externalId),
    text: readText(data.text, data.entities, media),
    attachments: readMedia(media),
  }
  if (sender === userId) {
    if (recipient === undefined) return kept('a direct message of ours without a recipient')
    return {
      type: 'echo',
      kind: 'reply',
      to: personOf(recipient, users.get(recipient)),
      thread: { kind: 'direct', personId: recipient },
      ...shared,
    }
  }
  const pressed = cut(textOf(fieldsOf(data.quick_reply_response).metadata), 1_000)
  return {
    type: 'message',
    kind: 'message',
    from: personOf(sender, users.get(sender)),
    thread: { kind: 'direct', personId: sender },
    ...shared,
    ...(pressed === undefined ? {} : { extra: { quick_reply: pressed } }),
  }
}

/** A message of `GET /2/dm_events`, in the form of the webhook. */
export function readStoredMessage(event: Fields, delivery: Delivery): InboundEvent {
  const sender = nameOf(event.sender_id)
  const sides = textOf(event.dm_conversation_id)?.split('-') ?? []
  const recipient = sides.length === 2 ? sides.find((id) => id !== sender) : undefined
  const [media] = mediaByKeys(event.attachments, delivery.media)
  const id = xIdOf(event) ?? ''
  return readDirectMessage(
    {
      type:
        event.event_type === undefined || event.event_type === 'MessageCreate' ? 'message_create' : event.event_type,
      id: event.id,
      created_timestamp:
        instantOf(event.created_at) === undefined ? undefined : xInstantOf(event.created_at, id).getTime(),
      message_create: {
        sender_id: event.sender_id,
        target: { recipient_id: recipient ?? (sender === delivery.userId ? undefined : delivery.userId) },
        message_data: {
          text: event.text,
          entities: event.entities,
          ...(media === undefined ? {} : { attachment: { type: 'media', media } }),
        },
      },
    },
    delivery,
  )
}

/** XAA chat.received and chat.sent: the words are encrypted for the apps of the two sides. That something was said is visible. */
export function readChat(raw: Fields, { userId, users }: Delivery): InboundEvent {
  const externalId = nameOf(raw.id)
  const sender = nameOf(raw.sender_id)
  if (externalId === undefined || sender === undefined) return kept('an encrypted message without an id or a sender')
  const occurredAt = instantOf(raw.created_at_msec) ?? new Date()
  const said = { externalId, occurredAt, text: undefined, attachments: [], extra: { encrypted: true } }
  if (sender !== userId) {
    const from = personOf(sender, users.get(sender))
    const thread = { kind: 'direct', personId: sender } as const
    return { type: 'message', kind: 'message', from, thread, ...said }
  }
  const sides = textOf(raw.conversation_id)?.split(/[:-]/) ?? []
  const recipient = sides.length === 2 ? sides.find((id) => id !== userId) : undefined
  return recipient === undefined
    ? kept('an encrypted message of ours to a group')
    : {
        type: 'echo',
        kind: 'reply',
        to: personOf(recipient, users.get(recipient)),
        thread: { kind: 'direct', personId: recipient },
        ...said,
      }
}

/** AAA: direct_message_mark_read_events. The id of the last message read carries its instant. */
export function readReadMark(event: Fields, { userId, users }: Delivery): InboundEvent {
  const sender = nameOf(event.sender_id)
  const last = nameOf(event.last_read_event_id)
  if (sender === undefined || last === undefined) return kept('a read mark without a person or a message')
  if (sender === userId) return kept('our own read mark')
  const upTo = snowflakeInstant(last)
  return {
    type: 'receipt',
    state: 'read',
    person: personOf(sender, users.get(sender)),
    occurredAt: instantOf(event.created_timestamp) ?? upTo ?? new Date(),
    ids: [last],
    ...(upTo === undefined ? {} : { upTo }),
  }
}
