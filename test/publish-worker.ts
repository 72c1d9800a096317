/** A process that publishes until it is killed; settings in the environment. */
import { startPublishing } from '../backend/publish.ts'
import { readConfig } from '../infra/config.ts'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { openStorage } from '../storage/index.ts'

const config = readConfig()
startPublishing({ storage: await openStorage(config, silentLogger), config, logger: silentLogger, holder: newId() })
