/** Who is meant in a WhatsApp webhook: by phone number, or by user id where the person shows no number (PROTOCOLS A10). */
import type { Person } from '../connector.ts'
import { fieldsOf, idOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import type { PhoneNumber } from './receive.ts'

/** The person under `externalId`, with the name and user name that the change gives for them. */
export function personOf(externalId: string, userId: string | undefined, number: PhoneNumber): Person {
  const own =
    number.contacts.find((one) => idOf(one.wa_id) === externalId || idOf(one.user_id) === (userId ?? externalId)) ??
    // Numbers are written in two ways in some countries: a single contact can only be this one.
    (number.contacts.length === 1 ? number.contacts[0] : undefined)
  const profile = fieldsOf(own?.profile)
  const handle = textOf(profile.username)?.slice(0, 100)
  const name = textOf(profile.name)?.slice(0, 200) ?? handle
  return { externalId, ...(name === undefined ? {} : { name }), ...(handle === undefined ? {} : { handle }) }
}

/** The number if there is one, else the user id. */
export const senderIdOf = (item: Fields): string | undefined => idOf(item.from) ?? idOf(item.from_user_id)
export const recipientIdOf = (item: Fields): string | undefined =>
  idOf(item.to) ?? idOf(item.to_user_id) ?? idOf(item.recipient_id) ?? idOf(item.recipient_user_id)

/** A group is addressed as one: its id with this before it. */
export const groupPrefix = 'group:'
