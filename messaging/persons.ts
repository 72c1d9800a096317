/** Someone outside, from what a network says to what is remembered. */
import type { Channel, ContactAddress, Person, Storage } from '../storage/index.ts'
import type { Person as NamedPerson } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'
import type { Said } from './take-in.ts'

/** A person as stored: their id holds for one channel or for the whole network. */
export function personOf(channel: Channel, named: NamedPerson): Person {
  const connector = connectorOf(channel.type)
  return {
    accountId: channel.accountId,
    channelType: channel.type,
    scope: connector?.addressScope === 'network' ? connector.network : channel.id,
    externalId: named.externalId,
    name: named.name,
    handle: named.handle,
    pictureUrl: named.pictureUrl,
  }
}

/** The other side of an utterance. */
export function counterpartOf({ event }: Said): NamedPerson | undefined {
  if (event.type === 'message') return event.from
  return event.to ?? (event.thread.kind === 'direct' ? { externalId: event.thread.personId } : undefined)
}

/** Their address, among those that were resolved. */
export function addressOf(
  storage: Storage,
  item: Said,
  people: ReadonlyMap<string, ContactAddress>,
): ContactAddress | undefined {
  const named = counterpartOf(item)
  return named && people.get(storage.contacts.key(personOf(item.channel, named)))
}
