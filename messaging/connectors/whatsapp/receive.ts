/**
 * What reaches a WhatsApp number (Cloud API webhooks). An entry is for a business account with any number of phone numbers:
 * messages are routed by `metadata.phone_number_id`; what concerns the whole account carries the account's id.
 */
import type { InboundEvent } from '../connector.ts'
import { guard, kept } from '../meta/envelope.ts'
import type { Entry, ItemReaders, Told } from '../meta/envelope.ts'
import { fieldsOf, idOf, isFields, listOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { accountFields, readAccountChange } from './account.ts'
import { readCall, readPreference, readUserIdUpdate } from './calls.ts'
import { readErrors } from './errors.ts'
import { readEcho, readMessage } from './messages.ts'
import { readStatus } from './statuses.ts'

export const whatsappReaders: ItemReaders = {
  messaging: () => kept('WhatsApp sends no Messenger items'),
  change(field, value, entry): InboundEvent | readonly Told[] {
    if (Object.hasOwn(accountFields, field)) return readAccountChange(field, value, entry)
    const number = numberOf(value, entry)
    const all = lists.flatMap(({ name, read }) =>
      listOf(value[name]).map((raw, index) => told(`${name}.${String(index)}`, number, raw, read)),
    )
    all.push(...readHistory(value, entry))
    if (all.length > 0) return all
    return kept(`WhatsApp change of "${field.slice(0, 60)}" is not shown`)
  },
}

/** The phone number that a change is for. */
export interface PhoneNumber {
  readonly id: string | undefined
  readonly display: string | undefined
  /** People as the change names them. */
  readonly contacts: readonly Fields[]
  readonly at: Date
}
type Read = (item: Fields, number: PhoneNumber) => InboundEvent

const lists: readonly { readonly name: string; readonly read: Read }[] = [
  { name: 'messages', read: readMessage },
  { name: 'statuses', read: readStatus },
  { name: 'message_echoes', read: readEcho },
  { name: 'errors', read: readErrors },
  { name: 'calls', read: readCall },
  { name: 'user_preferences', read: readPreference },
  { name: 'user_id_update', read: readUserIdUpdate },
  { name: 'user_id_updates', read: readUserIdUpdate },
  { name: 'state_sync', read: () => kept("a contact of the WhatsApp Business app's address book") },
  { name: 'groups', read: () => kept('a group was changed') },
]

function numberOf(value: Fields, entry: Entry): PhoneNumber {
  const metadata = fieldsOf(value.metadata)
  return {
    id: idOf(metadata.phone_number_id),
    display: textOf(metadata.display_phone_number)?.replace(/\D/g, ''),
    contacts: listOf(value.contacts).map(fieldsOf),
    at: entry.at,
  }
}

const told = (at: string, number: PhoneNumber, raw: unknown, read: Read): Told => ({
  at,
  channelExternalId: number.id,
  event: isFields(raw) ? onlyEvent(() => read(raw, number)) : kept('the item is not an object'),
})
const onlyEvent = (read: () => InboundEvent): InboundEvent => guard<InboundEvent>(read)

/** `history`: what was said in the WhatsApp Business app before the number came to the Cloud API, in chunks of threads. */
function readHistory(value: Fields, entry: Entry): Told[] {
  const outer = numberOf(value, entry)
  return listOf(value.history).flatMap((raw, chunk) => {
    const part = fieldsOf(raw)
    const at = `history.${String(chunk)}`
    const errors = listOf(part.errors).map((one, index) =>
      told(`${at}.errors.${String(index)}`, outer, one, () => kept('the person shares no history')),
    )
    const threads = listOf(part.threads).flatMap((thread, index) =>
      listOf(fieldsOf(thread).messages).map((message, position) => {
        const personId = idOf(fieldsOf(thread).id)
        const where = `${at}.threads.${String(index)}.messages.${String(position)}`
        return told(where, outer, message, (item, number) =>
          isOwn(item, number)
            ? readEcho({ to: personId, ...item }, number)
            : readMessage({ from: personId, ...item }, number),
        )
      }),
    )
    return [...errors, ...threads]
  })
}

const isOwn = (item: Fields, number: PhoneNumber): boolean =>
  number.display !== undefined && idOf(item.from)?.replace(/\D/g, '') === number.display
