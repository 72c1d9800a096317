/** The messaging server: receive, relay, deliver, sweep, in one process of any number. */
import type { Config } from '../infra/config.ts'
import { newId } from '../infra/ids.ts'
import { Lifecycle } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type { Storage } from '../storage/index.ts'
import type { Broker } from './broker/contract.ts'
import { startActs } from './act.ts'
import { openParking } from './broker/parking.ts'
import { startCare } from './care.ts'
import { startDeliver } from './deliver.ts'
import { Directory } from './directory.ts'
import { startRelay } from './events.ts'
import { startMedia } from './media.ts'
import { Names } from './names.ts'
import { startReceive } from './receive.ts'
import { startSweep } from './sweep.ts'

export interface MessagingContext {
  readonly config: Config
  readonly logger: Logger
  readonly storage: Storage
  readonly broker: Broker
}

/** Starts all parts; `stop` takes nothing new, ends what is in hand and gives the leases back. Storage and broker stay open. */
export function startMessaging({ config, logger, storage, broker }: MessagingContext): Promise<Running> {
  const holder = `${config.node}:${newId()}`
  const parking = openParking(storage)
  const log = (part: string): Logger => logger.child({ part })
  const lifecycle = new Lifecycle(logger, 20_000)
  lifecycle.add('relay', startRelay({ storage, broker, logger: log('relay'), holder }))
  lifecycle.add('deliver', startDeliver({ storage, config, logger: log('deliver'), holder }, broker, parking))
  lifecycle.add('act', startActs({ storage, config, logger: log('act') }, broker, parking))
  const names = lifecycle.add('names', new Names({ storage, config, logger: log('names') }))
  lifecycle.add(
    'receive',
    startReceive({ storage, directory: new Directory(storage), logger: log('receive'), names }, broker, parking),
  )
  lifecycle.add('media', startMedia({ storage, config, logger: log('media') }))
  lifecycle.add('care', startCare({ storage, config, logger: log('care'), holder, names }))
  lifecycle.add('sweep', startSweep({ storage, broker, parking, logger: log('sweep'), holder }))
  return Promise.resolve(lifecycle)
}
