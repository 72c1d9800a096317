/** WhatsApp messages by type (Cloud API webhooks: messages). */
import type { InboundEvent, Thread } from '../connector.ts'
import { kept } from '../meta/envelope.ts'
import { extraOf } from '../meta/extras.ts'
import { fieldsOf, flagOf, idOf, instantOf, isFields, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { readContent } from './content.ts'
import { groupPrefix, personOf, recipientIdOf, senderIdOf } from './people.ts'
import type { PhoneNumber } from './receive.ts'

/** One of `messages`. */
export function readMessage(item: Fields, number: PhoneNumber): InboundEvent {
  const externalId = idOf(item.id)
  const senderId = senderIdOf(item)
  const occurredAt = instantOf(item.timestamp) ?? number.at
  if (externalId === undefined) return kept('a message without an id')
  const change = readChange(item, occurredAt, number)
  if (change !== undefined) return change
  if (senderId === undefined) return kept('a message without a person')
  if (number.display !== undefined && senderId.replace(/\D/g, '') === number.display) return readEcho(item, number)

  const userId = idOf(item.from_user_id)
  const person = personOf(senderId, userId, number)
  const groupId = idOf(item.group_id)
  const context = fieldsOf(item.context)
  const inReplyTo = idOf(context.id)
  const { kind, text, attachments, extra } = readContent(item)
  // In a group the answer goes to the group: it is the one addressed, and who spoke is kept beside the words.
  const from = groupId === undefined ? person : { externalId: groupPrefix + groupId, name: 'WhatsApp group' }
  return {
    type: 'message',
    kind,
    externalId,
    occurredAt,
    from,
    thread: { kind: 'direct', personId: from.externalId },
    text,
    attachments,
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    ...extraOf({
      ...extra,
      user_id: userId === senderId ? undefined : userId,
      group_author: groupId === undefined ? undefined : person,
      forwarded: flagOf(context.forwarded) || flagOf(context.frequently_forwarded) ? true : undefined,
      referred_product: isFields(context.referred_product) ? context.referred_product : undefined,
      referral: isFields(item.referral) ? item.referral : undefined,
    }),
  }
}

/** `smb_message_echoes`, and what a number said to itself: sent in the WhatsApp Business app. */
export function readEcho(item: Fields, number: PhoneNumber): InboundEvent {
  const externalId = idOf(item.id)
  const personId = recipientIdOf(item)
  if (externalId === undefined) return kept('an echo without an id')
  const occurredAt = instantOf(item.timestamp) ?? number.at
  const change = readChange(item, occurredAt, number)
  if (change !== undefined) return change
  if (personId === undefined) return kept('an echo without a person')
  const { text, attachments, extra } = readContent(item)
  const inReplyTo = idOf(fieldsOf(item.context).id)
  const thread: Thread = { kind: 'direct', personId }
  return {
    type: 'echo',
    kind: 'reply',
    externalId,
    occurredAt,
    to: personOf(personId, idOf(item.to_user_id), number),
    thread,
    text,
    attachments,
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    ...extraOf(extra),
  }
}

/** What happens to an earlier message or to a person; `undefined` for what is said anew. */
function readChange(item: Fields, occurredAt: Date, number: PhoneNumber): InboundEvent | undefined {
  switch (item.type) {
    case 'reaction':
      return readReaction(item, occurredAt, number)
    case 'edit': {
      const edit = fieldsOf(item.edit)
      const externalId = idOf(edit.original_message_id)
      if (externalId === undefined) return kept('an edit without a message id')
      const { text } = readContent(fieldsOf(edit.message))
      return { type: 'edit', externalId, occurredAt, text }
    }
    case 'revoke': {
      const externalId = idOf(fieldsOf(item.revoke).original_message_id)
      return externalId === undefined
        ? kept('a withdrawal without a message id')
        : { type: 'delete', externalId, occurredAt }
    }
    case 'system':
      return readSystem(item, occurredAt)
    default:
      return undefined
  }
}

function readReaction(item: Fields, occurredAt: Date, number: PhoneNumber): InboundEvent {
  const reaction = fieldsOf(item.reaction)
  const externalId = idOf(reaction.message_id)
  const senderId = senderIdOf(item)
  if (externalId === undefined || senderId === undefined) return kept('a reaction without a message or a person')
  if (senderId.replace(/\D/g, '') === number.display) return kept('our own reaction')
  const from = personOf(senderId, idOf(item.from_user_id), number)
  // An empty or a missing emoji takes the reaction back.
  return { type: 'reaction', externalId, occurredAt, from, emoji: textOf(reaction.emoji)?.slice(0, 40) }
}

/** A number or a user id was changed. Older versions name the new number `new_wa_id` or `customer`. */
function readSystem(item: Fields, occurredAt: Date): InboundEvent {
  const system = fieldsOf(item.system)
  const what = textOf(system.type) ?? ''
  const was = (what.includes('user_id') ? idOf(item.from_user_id) : undefined) ?? senderIdOf(item)
  const is = what.includes('user_id')
    ? (idOf(system.user_id) ?? idOf(system.new_user_id))
    : (idOf(system.wa_id) ?? idOf(system.new_wa_id) ?? idOf(system.user_id))
  if (was === undefined || is === undefined || was === is)
    return kept(`WhatsApp says: ${textOf(system.body)?.slice(0, 200) ?? (what || 'nothing')}`)
  return { type: 'person_changed', occurredAt, was: { externalId: was }, is: { externalId: is } }
}
