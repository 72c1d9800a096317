/** The door to BullMQ. Redis only reminds: what is due is known to the primary, so an emptied Redis loses nothing. */
import { Queue, Worker } from 'bullmq'
import type { ConnectionOptions } from 'bullmq'
import type { Config } from '../infra/config.ts'
import { messageOf } from '../infra/errors.ts'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'

/** Every queue of jobs, written out. */
export const jobQueues = { maintenance: 'maintenance', publish: 'publish' } as const
export type JobQueueName = (typeof jobQueues)[keyof typeof jobQueues]

/** A job that comes back: its name and the pause between two runs. */
export interface Sweep {
  readonly name: string
  readonly everyMs: number
  /** Safe to run twice and to be broken off. */
  readonly work: (signal: AbortSignal) => Promise<void>
}

/** How often the reminders are looked for in Redis, and put back where they are gone. */
const remindMs = 5_000

/**
 * Works the sweeps of one queue on this node, together with all nodes that do the same; each run happens on one of them.
 * Without Redis it goes on trying; a worker that dies is replaced by another node within seconds.
 */
export function runSweeps(config: Config, logger: Logger, queueName: JobQueueName, sweeps: readonly Sweep[]): Running {
  if (config.redisUrl === undefined) throw new Error('PARLEY_REDIS_URL is needed for the backend role.')
  const url = config.redisUrl.reveal()
  const prefix = `${config.prefix}parley`
  const control = new AbortController()
  const byName = new Map(sweeps.map((sweep) => [sweep.name, sweep]))

  // The queue must answer or fail at once; the worker must wait for Redis for ever (BullMQ's own rule for workers).
  const queue = new Queue(queueName, { connection: connectionTo(url, 1), prefix })
  const worker = new Worker(
    queueName,
    async (job) => {
      const sweep = byName.get(job.name)
      if (sweep === undefined) {
        logger.warn({ job: job.name }, 'a job of a name that is not known here was dropped')
        return
      }
      await sweep.work(control.signal)
    },
    {
      connection: connectionTo(url, null),
      prefix,
      concurrency: 2,
      lockDuration: 5_000,
      stalledInterval: 2_000,
      maxStalledCount: 5,
    },
  )

  let isAway = false
  const quiet = (error: unknown): void => {
    if (!isAway) logger.warn({ reason: messageOf(error) }, 'Redis is away; sweeps wait')
    isAway = true
  }
  queue.on('error', quiet)
  worker.on('error', quiet)
  worker.on('failed', (job, error) => {
    logger.error({ err: error, job: job?.name }, 'a sweep failed; it comes again')
  })

  const reminder = every(
    remindMs,
    async () => {
      for (const { name, everyMs } of sweeps) {
        const scheduler = await queue.getJobScheduler(name)
        const isMissing = scheduler?.every !== everyMs || (scheduler.next ?? 0) < Date.now() - 2 * everyMs - remindMs
        if (isMissing) {
          await queue.upsertJobScheduler(
            name,
            { every: everyMs },
            { name, opts: { removeOnComplete: true, removeOnFail: 50 } },
          )
        }
      }
      if (isAway) logger.info('Redis is back')
      isAway = false
    },
    quiet,
  )

  return {
    async stop() {
      await reminder.stop()
      control.abort()
      await worker.close()
      await queue.close()
    },
  }
}

function connectionTo(url: string, maxRetriesPerRequest: number | null): ConnectionOptions {
  const { hostname, port, username, password, pathname, protocol } = new URL(url)
  return {
    host: hostname,
    port: Number(port === '' ? 6379 : port),
    db: Number(pathname.slice(1) || 0),
    maxRetriesPerRequest,
    enableOfflineQueue: maxRetriesPerRequest === null,
    retryStrategy: (times: number) => Math.min(times * 100, 1_000),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  }
}
