/** Errors that stand for themselves in a WhatsApp webhook: about the number, not about one message. */
import type { InboundEvent } from '../connector.ts'
import { fieldsOf, idOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import type { PhoneNumber } from './receive.ts'

export function readErrors(item: Fields, number: PhoneNumber): InboundEvent {
  const code = idOf(item.code) ?? 'unknown'
  const text =
    textOf(fieldsOf(item.error_data).details) ?? textOf(item.message) ?? textOf(item.title) ?? 'WhatsApp gave no reason'
  return { type: 'notice', occurredAt: number.at, code: `whatsapp_${code}`.slice(0, 60), text: text.slice(0, 500) }
}
