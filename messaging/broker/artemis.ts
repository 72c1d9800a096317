/** Apache Artemis: addresses and queues make themselves on first use. */
import type { Dialect } from './dialect.ts'

export const artemis: Dialect = {
  addressOf: (name) => name,
  // Anycast: one consumer gets each message.
  capabilities: ['queue'],
  losesUnroutable: false,
  overgrantsCredit: false,
  // The broker remembers the last 20,000 of an address: a second line, behind the unique keys of the database.
  duplicateProperty: '_AMQ_DUPL_ID',
}
