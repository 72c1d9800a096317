/** What reaches a Page: Messenger items, and changes by their field (Page webhooks reference). */
import type { InboundEvent } from '../connector.ts'
import { kept } from '../meta/envelope.ts'
import type { ItemReaders, ReadItem } from '../meta/envelope.ts'
import { readMessaging } from '../meta/messaging.ts'
import { readFeed, readMention } from './feed.ts'
import { readLead, readRating } from './ratings.ts'

export const pageReaders: ItemReaders = {
  messaging: readMessaging,
  change(field, value, entry): InboundEvent {
    const read = Object.hasOwn(pageChanges, field) ? pageChanges[field] : undefined
    if (read !== undefined) return read(value, entry)
    // Samples of the dashboard carry Messenger items as changes.
    if (/^(messag|standby)/.test(field)) return readMessaging(value, entry)
    return kept(`change of "${field.slice(0, 60)}" is not shown`)
  },
}

const pageChanges: Readonly<Record<string, ReadItem>> = {
  feed: readFeed,
  mention: readMention,
  ratings: readRating,
  leadgen: readLead,
}
