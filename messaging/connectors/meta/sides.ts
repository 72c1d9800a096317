/** Who a Messenger item is from, whom it is to, and when it was. */
import { fieldsOf, idOf, instantOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import type { Entry } from './envelope.ts'

export const senderOf = (item: Fields): string | undefined => idOf(fieldsOf(item.sender).id)
const recipientOf = (item: Fields): string | undefined => idOf(fieldsOf(item.recipient).id)
export const timeOf = (item: Fields, entry: Entry): Date => instantOf(item.timestamp) ?? entry.at
/** The one of the two who is not the channel. Some deliveries have the direction reversed. */
export const personOf = (item: Fields, entry: Entry): string | undefined =>
  [senderOf(item), recipientOf(item)].find((id) => id !== undefined && id !== entry.id)
