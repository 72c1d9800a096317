/** Ids no longer than can be stored: no real one comes near, and a cut one would be another's. */
import type { InboundEvent } from '../connector.ts'

const longestId = 190

/** Texts of ours that were cut, without halves of characters: they end up in JSON columns. */
function mended(event: InboundEvent): InboundEvent {
  switch (event.type) {
    case 'kept':
      return { ...event, reason: event.reason.toWellFormed() }
    case 'notice':
      return { ...event, text: event.text.toWellFormed(), code: event.code.toWellFormed() }
    case 'reaction':
      return { ...event, emoji: event.emoji?.toWellFormed() }
    case 'receipt':
      return event.refusal === undefined
        ? event
        : { ...event, refusal: { ...event.refusal, reason: event.refusal.reason.toWellFormed() } }
    default:
      return event
  }
}

/** The event; `kept` instead when one of its ids is too long. Ids of attachments are left out alone. */
export function fitted(told: InboundEvent): InboundEvent {
  const event = mended(told)
  if (idsOf(event).some((id) => id !== undefined && id.length > longestId))
    return { type: 'kept', reason: `an id of more than ${String(longestId)} characters` }
  if (
    (event.type !== 'message' && event.type !== 'echo') ||
    event.attachments.every(({ externalId }) => !isLong(externalId))
  )
    return event
  return {
    ...event,
    attachments: event.attachments.map(({ externalId, ...rest }) =>
      externalId === undefined || isLong(externalId) ? rest : { ...rest, externalId },
    ),
  }
}

const isLong = (id: string | undefined): boolean => id !== undefined && id.length > longestId

function idsOf(event: InboundEvent): readonly (string | undefined)[] {
  switch (event.type) {
    case 'message':
    case 'echo': {
      const { thread } = event
      const person = event.type === 'message' ? event.from : event.to
      const places = thread.kind === 'direct' ? [thread.personId] : [thread.rootId, thread.parentId, thread.postId]
      return [event.externalId, person?.externalId, event.inReplyTo, ...places]
    }
    case 'reaction':
      return [event.externalId, event.from.externalId]
    case 'receipt':
      return [event.person.externalId, ...(event.ids ?? [])]
    case 'person_changed':
      return [event.was.externalId, event.is.externalId]
    case 'post':
    case 'edit':
    case 'delete':
    case 'hide':
      return [event.externalId]
    default:
      return []
  }
}
