/** Calls, preferences and changed user ids (Cloud API webhooks: calls, user_preferences, user_id_update). */
import type { InboundEvent } from '../connector.ts'
import { kept } from '../meta/envelope.ts'
import { extraOf } from '../meta/extras.ts'
import { fieldsOf, idOf, instantOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { shown } from './content.ts'
import { personOf, senderIdOf } from './people.ts'
import type { PhoneNumber } from './receive.ts'

/** Someone calls: shown, so that they are called back. Its end and our own calls are kept. */
export function readCall(item: Fields, number: PhoneNumber): InboundEvent {
  const callId = idOf(item.id)
  const senderId = senderIdOf(item)
  if (callId === undefined || senderId === undefined) return kept('a call without an id or a person')
  if (item.event !== 'connect')
    return kept(`a call: ${textOf(item.event)?.slice(0, 40) ?? textOf(item.status)?.slice(0, 40) ?? 'changed'}`)
  if (item.direction === 'BUSINESS_INITIATED' || senderId.replace(/\D/g, '') === number.display)
    return kept('our own call')
  return {
    type: 'message',
    kind: 'interaction',
    externalId: callId,
    occurredAt: instantOf(item.timestamp) ?? number.at,
    from: personOf(senderId, idOf(item.from_user_id), number),
    thread: { kind: 'direct', personId: senderId },
    text: undefined,
    attachments: [shown('Called')],
    // The session description is of no use once the call is over.
    ...extraOf({ call: { id: callId, direction: textOf(item.direction) } }),
  }
}

/** Someone stopped or resumed marketing messages. */
export function readPreference(item: Fields): InboundEvent {
  return kept(
    `a person chose "${textOf(item.value)?.slice(0, 40) ?? 'something'}" for ${textOf(item.category)?.slice(0, 60) ?? 'messages'}`,
  )
}

/** A person's user id was changed: `user_id: {previous, current}`, or the ids beside each other. */
export function readUserIdUpdate(item: Fields, number: PhoneNumber): InboundEvent {
  const change = fieldsOf(item.user_id)
  const was = idOf(change.previous) ?? idOf(item.previous_user_id) ?? idOf(item.old_user_id)
  const is = idOf(change.current) ?? idOf(item.current_user_id) ?? idOf(item.new_user_id)
  if (was === undefined || is === undefined || was === is) return kept('a changed user id that names not both')
  const occurredAt = instantOf(item.timestamp) ?? number.at
  return { type: 'person_changed', occurredAt, was: { externalId: was }, is: personOf(is, is, number) }
}
