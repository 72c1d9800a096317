/** Every network and every connector, written out. */
import type { ChannelType, NetworkName } from '../../storage/model/words.ts'
import type { Arrival } from './arrivals.ts'
import type { Connector, Network } from './connector.ts'
import { facebookArrivals } from './facebook/arrivals.ts'
import { facebook } from './facebook/connector.ts'
import { instagramArrivals } from './instagram/arrivals.ts'
import { instagram } from './instagram/connector.ts'
import { meta } from './meta/network.ts'
import { whatsappArrivals } from './whatsapp/arrivals.ts'
import { whatsapp } from './whatsapp/connector.ts'
import { arrivals as xArrivals } from './x/arrivals.ts'
import { xConnector } from './x/connector.ts'
import { x } from './x/network.ts'

export const networks: Readonly<Record<NetworkName, Network>> = { meta, x }

export const connectors: readonly Connector[] = [facebook, instagram, whatsapp, xConnector]

/** The connector of a channel type; `undefined` for a type that is not spoken yet. */
export function connectorOf(type: ChannelType): Connector | undefined {
  return connectors.find((connector) => connector.type === type)
}

/** The networks' own API hosts, which an `api_base_url` may always name. */
export const networkHosts: readonly string[] = [
  'graph.facebook.com',
  'graph.instagram.com',
  'api.x.com',
  'upload.x.com',
  'api.twitter.com',
]

/** What can arrive on channels of this type and what becomes of it, as the reference prints it. */
export function arrivalsOf(type: ChannelType): readonly Arrival[] {
  return arrivals[type]
}

const arrivals: Readonly<Record<ChannelType, readonly Arrival[]>> = {
  facebook: facebookArrivals,
  instagram: instagramArrivals,
  whatsapp: whatsappArrivals,
  x: xArrivals,
}
