/** Direct messages (AAA: direct_message_events; XAA dm.received and dm.sent carry the same shape). */
import type { InboundEvent } from '../connector.ts'
import { fieldsOf, idOf, instantOf, isFields, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import type { Delivery } from './network.ts'
import { personOf, readMedia, readText, snowflakeInstant, xIdOf, xInstantOf } from './people.ts'

const kept = (reason: string): InboundEvent => ({ type: 'kept', reason })

/** One `message_create`, received or sent. */
export function readDirectMessage(event: Fields, { userId, users }: Delivery): InboundEvent {
  if (event.type !== undefined && event.type !== 'message_create')
    return kept(`direct message event "${String(textOf(event.type)?.slice(0, 60))}" is not yet shown`)
  const externalId = xIdOf(event)
  const create = fieldsOf(event.message_create)
  const sender = idOf(create.sender_id)
  const recipient = idOf(fieldsOf(create.target).recipient_id)
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
  const pressed = textOf(fieldsOf(data.quick_reply_response).metadata)
  return {
    type: 'message',
    kind: 'message',
    from: personOf(sender, users.get(sender)),
    thread: { kind: 'direct', personId: sender },
    ...shared,
    ...(pressed === undefined ? {} : { extra: { quick_reply: pressed } }),
  }
}

/** AAA: direct_message_mark_read_events. The id of the last message read carries its instant. */
export function readReadMark(event: Fields, { userId, users }: Delivery): InboundEvent {
  const sender = idOf(event.sender_id)
  const last = idOf(event.last_read_event_id)
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
