/** Someone outside, from what a network says to what is remembered. */
import type { Channel, Person } from '../storage/index.ts'
import type { Person as NamedPerson } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'

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
