/** What several places for contacts share. */
import type { ContactCardJson } from '../../presenters/contact.ts'

type Address = ContactCardJson['addresses'][number]

/** How an address is written: a handle, a phone number, a name, else what the network calls it. */
export function addressOf(address: Address): string {
  if (address.handle !== null) return `@${address.handle}`
  if (address.channel_type === 'whatsapp' && /^\d{6,15}$/.test(address.external_id)) return `+${address.external_id}`
  return address.name ?? address.external_id
}
