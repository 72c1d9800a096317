/** `parley run ROLES`: one node, put together from the faces of the folders. */
import { parseArgs } from 'node:util'
import type { Config } from '../../config.ts'
import { messageOf } from '../../errors.ts'
import { startHealth } from '../../health.ts'
import { Lifecycle } from '../../lifecycle.ts'
import type { Running } from '../../lifecycle.ts'
import { openLogger } from '../../logger.ts'
import { labelMetrics } from '../../metrics.ts'
import { readSettings } from '../settings.ts'
import { UsageError } from '../usage.ts'

/** In the order of starting: what others call stands before those who call it. */
const roles = ['sandbox', 'backend', 'messaging', 'web'] as const
type Role = (typeof roles)[number]

const stopLimitMs = 25_000

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { queues: { type: 'string' } } })
  const wanted = readRoles(positionals)
  const queues = values.queues?.split(',').filter((name) => name !== '')
  const config = readSettings()
  const logger = openLogger(config)
  labelMetrics(config.node)
  const draining = new AbortController()
  // The web role drains by itself: its doors stay open that long while it answers "not ready".
  const parts = new Lifecycle(logger, config.drainMs + 10_000)
  const ended = new Promise<number>((resolve) => {
    onStopSignal(() => {
      logger.info({ drainMs: config.drainMs }, 'draining')
      draining.abort()
      const limit = setTimeout(() => {
        logger.error({ limitMs: stopLimitMs }, 'did not stop in time')
        process.exit(1)
      }, config.drainMs + stopLimitMs)
      limit.unref()
      void parts.stop().then(() => {
        logger.info('stopped')
        resolve(0)
      })
    })
  })
  try {
    await startRoles(wanted, config, logger, draining.signal, parts, queues)
  } catch (error) {
    logger.error({ err: error }, `the node did not start: ${messageOf(error)}`)
    await parts.stop()
    return 1
  }
  logger.info({ roles: wanted, version: config.version }, 'started')
  const code = await ended
  // Whatever a library still holds open must not keep a stopped node alive.
  process.exit(code)
}

async function startRoles(
  wanted: readonly Role[],
  config: Config,
  logger: ReturnType<typeof openLogger>,
  draining: AbortSignal,
  parts: Lifecycle,
  queues: readonly string[] | undefined,
): Promise<void> {
  if (wanted.length === 1 && wanted[0] === 'sandbox') {
    // The sandbox plays the outside: it has none of our servers.
    await startSandboxRole(config, logger, parts)
    return
  }
  const { openStorage } = await import('../../../storage/index.ts')
  const { openBroker } = await import('../../../messaging/broker/broker.ts')
  const storage = await openStorage(config, logger.child({ part: 'storage' }))
  parts.add('storage', { stop: () => storage.close() })
  const broker = openBroker(config, logger.child({ part: 'broker' }))
  parts.add('broker', { stop: () => broker.close() })
  const context = { config, logger, storage, broker, draining, ...(queues === undefined ? {} : { queues }) }
  for (const role of wanted) {
    switch (role) {
      case 'sandbox':
        await startSandboxRole(onSandboxPort(config, wanted), logger, parts)
        break
      case 'backend':
        parts.add('backend', await (await import('../../../backend/server.ts')).startBackend(context))
        break
      case 'messaging':
        parts.add('messaging', await (await import('../../../messaging/server.ts')).startMessaging(context))
        break
      case 'web':
        parts.add('web', await (await import('../../../web/server.ts')).startWeb(context))
        break
    }
  }
  if (wanted.includes('web')) return
  const ready = async () => {
    if (draining.aborted) throw new Error('draining')
    if (wanted.includes('messaging') && !broker.isConnected) throw new Error('the broker is not connected')
    await storage.primary.query('select 1')
  }
  parts.add('health', await startHealth(config, logger.child({ part: 'health' }), ready))
}

async function startSandboxRole(
  config: Config,
  logger: ReturnType<typeof openLogger>,
  parts: Lifecycle,
): Promise<void> {
  const { startSandbox } = await import('../../../messaging/sandbox/server.ts')
  const sandbox: Running = await startSandbox({ config, logger })
  parts.add('sandbox', sandbox)
}

/** Beside a role that has the node's own port, the sandbox listens where the others look for it. */
function onSandboxPort(config: Config, wanted: readonly Role[]): Config {
  const port = Number(new URL(config.sandboxUrl ?? 'http://127.0.0.1:0').port)
  return wanted.length === 1 ? config : { ...config, listen: { ...config.listen, port } }
}

function readRoles(positionals: readonly string[]): Role[] {
  const asked = positionals.flatMap((word) => word.split(',')).filter((word) => word !== '')
  const unknown = asked.filter((word) => !roles.some((role) => role === word))
  if (asked.length === 0 || unknown.length > 0) {
    throw new UsageError(
      `parley run wants roles out of ${roles.join(', ')}${unknown.length > 0 ? `, not ${unknown.join(', ')}` : ''}.`,
    )
  }
  return roles.filter((role) => asked.includes(role))
}

/** The first signal asks to stop, another one (a person who is in a hurry) ends the process at once. */
function onStopSignal(stop: () => void): void {
  let first: number | undefined
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (first === undefined) {
        first = Date.now()
        stop()
      } else if (Date.now() - first > 300) {
        // Later than the same Ctrl-C coming once more by way of a parent.
        process.exit(1)
      }
    })
  }
}
