/** A backend node: bulk work and work that comes back. For now the sweeps of maintenance, and the demo's sandbox. */
import type { Config } from '../infra/config.ts'
import { newId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type { Storage } from '../storage/index.ts'
import { startBulk } from './bulk.ts'
import { runDemo } from './demo.ts'
import { startDue } from './due.ts'
import { startGiving } from './give.ts'
import { listSweeps } from './maintenance.ts'
import { occurrenceKinds } from './occurrence-kinds.ts'
import { startPublishing } from './publish.ts'
import { jobQueues, runSweeps } from './queue.ts'
import type { JobQueueName } from './queue.ts'
import { startRules } from './run-rules.ts'
import { startSearchIndex } from './search-index.ts'

export interface BackendContext {
  readonly config: Config
  readonly logger: Logger
  readonly storage: Storage
  /** Which queues this node works; default: all. */
  readonly queues?: readonly string[]
}

/** Names of every job queue: what `--queues` may say. */
export const jobQueueNames: readonly JobQueueName[] = Object.values(jobQueues)

/** Works the chosen queues until stopped. @throws Error that names a queue which does not exist */
export function startBackend(context: BackendContext): Promise<Running> {
  const { config, storage } = context
  const logger = context.logger.child({ part: 'backend' })
  const wanted = context.queues ?? jobQueueNames
  const strange = wanted.filter((name) => !jobQueueNames.some((known) => known === name))
  if (strange.length > 0)
    throw new Error(`There is no job queue ${strange.join(', ')}; there are: ${jobQueueNames.join(', ')}.`)
  const parts: Running[] = [
    startDue({ storage, logger, node: config.node }, occurrenceKinds),
    startBulk({ storage, logger }),
    startSearchIndex({ storage, logger, holder: `${config.node}:${newId()}` }),
    startGiving({ storage, logger, holder: `${config.node}:${newId()}` }),
    startRules({ storage, logger, holder: `${config.node}:${newId()}` }),
  ]
  if (wanted.includes(jobQueues.maintenance))
    parts.push(runSweeps(config, logger, jobQueues.maintenance, listSweeps(storage, logger, config)))
  // The primary is asked each second, so no reminder is needed in between.
  if (wanted.includes(jobQueues.publish))
    parts.push(startPublishing({ storage, config, logger, holder: `${config.node}:${newId()}` }))
  if (config.demo && config.sandboxUrl !== undefined)
    parts.push(runDemo({ config, logger, storage, sandboxUrl: config.sandboxUrl }))
  logger.info({ queues: wanted }, 'backend node works')
  return Promise.resolve({
    async stop() {
      await Promise.all(parts.map((part) => part.stop()))
    },
  })
}
