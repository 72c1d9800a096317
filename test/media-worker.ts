/** A process that fetches attachments until it is killed: `node media-worker.ts HOLD_MS`, settings in the environment. */
import { readConfig } from '../infra/config.ts'
import { silentLogger } from '../infra/logger.ts'
import { startMedia } from '../messaging/media.ts'
import { openStorage } from '../storage/index.ts'

const config = readConfig()
const storage = await openStorage(config, silentLogger)
startMedia({ storage, config, logger: silentLogger, holdMs: Number(process.argv[2]) })
