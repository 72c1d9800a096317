/** What became of our WhatsApp messages (Cloud API webhooks: statuses). They come late, out of order, and skip steps. */
import type { InboundEvent, RefusalClass } from '../connector.ts'
import { kept } from '../meta/envelope.ts'
import { classifyGraphError } from '../meta/outcomes.ts'
import { fieldsOf, idOf, instantOf, listOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { groupPrefix, personOf } from './people.ts'
import type { PhoneNumber } from './receive.ts'

const states: Readonly<Record<string, 'sent' | 'delivered' | 'read' | 'failed'>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  played: 'read',
  failed: 'failed',
}

/** One of `statuses`; our delivery's id comes back as `biz_opaque_callback_data`. */
export function readStatus(item: Fields, number: PhoneNumber): InboundEvent {
  const externalId = idOf(item.id)
  const status = textOf(item.status) ?? ''
  const occurredAt = instantOf(item.timestamp) ?? number.at
  if (externalId === undefined) return kept('a status without a message id')
  if (status === 'deleted') return { type: 'delete', externalId, occurredAt }
  const state = Object.hasOwn(states, status) ? states[status] : undefined
  if (state === undefined) return kept(`status "${status.slice(0, 40)}" is not shown`)
  const recipientId = idOf(item.recipient_id) ?? idOf(item.recipient_user_id)
  if (recipientId === undefined) return kept('a status without a person')
  const reference = textOf(item.biz_opaque_callback_data)
  return {
    type: 'receipt',
    state,
    person:
      item.recipient_type === 'group'
        ? { externalId: groupPrefix + recipientId }
        : personOf(recipientId, idOf(item.recipient_user_id), number),
    occurredAt,
    ids: [externalId],
    ...(reference === undefined ? {} : { reference }),
    ...(state === 'failed' ? { refusal: refusalOf(item.errors) } : {}),
  }
}

/** Why it failed, by the first error's code. What may be tried again counts as the network's policy: it has ended this try. */
function refusalOf(errors: unknown): { class: RefusalClass; code: string; reason: string } {
  const [error] = listOf(errors).map(fieldsOf)
  const number = Number(error?.code)
  const details = textOf(fieldsOf(error?.error_data).details)
  const reason = (details ?? textOf(error?.message) ?? textOf(error?.title) ?? 'WhatsApp gave no reason').slice(0, 500)
  if (!Number.isSafeInteger(number)) return { class: 'policy', code: 'unknown', reason }
  const outcome = classifyGraphError({ code: number, subcode: undefined, message: reason }, 400)
  return { class: outcome.type === 'refused' ? outcome.class : 'policy', code: String(number), reason }
}
