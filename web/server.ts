/** A web node: one HTTP server in which the webhook door stands before express. */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../infra/config.ts'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type { Broker } from '../messaging/broker/contract.ts'
import type { Storage } from '../storage/index.ts'
import { buildApp } from './app.ts'
import { countWebhook, watchStreams } from './figures.ts'
import { openLive } from './live.ts'
import { openPresence } from './presence.ts'
import { doorPath, openDoor } from './webhooks.ts'

export interface WebContext {
  readonly config: Config
  readonly logger: Logger
  readonly storage: Storage
  readonly broker: Broker
}

/** A web node that listens. */
export interface Web extends Running {
  readonly port: number
}

/** Whether this node wants more requests. */
export interface Readiness {
  /** `undefined`: yes; else why not. */
  reason(): string | undefined
}

/** How long requests in hand may take once the doors are closed. */
const lastRequestsMs = 7_000
/** Neither broker nor database reached for so long: no webhook could be kept, so the balancer should look elsewhere. */
const awayMs = 10_000

/** Starts to listen on `config.listen`; resolves once requests are taken. */
export async function startWeb(context: WebContext): Promise<Web> {
  const { config, storage, broker } = context
  const logger = context.logger.child({ part: 'web' })
  const live = await openLive(storage, logger)
  const presence = openPresence(storage, live, logger)
  const door = openDoor({ storage, broker, logger, onOutcome: countWebhook })
  live.onEvent((event) => {
    if (event.type === 'app.changed' && typeof event.data['app_id'] === 'string') door.forget(event.data['app_id'])
  })
  const unwatch = watchStreams(() => live.streamCount)

  let isDraining = false
  let primarySeenAt = Date.now()
  const probe = every(
    1_000,
    async () => {
      await storage.primary.first('select 1 as one')
      primarySeenAt = Date.now()
    },
    () => undefined,
  )
  const readiness: Readiness = {
    reason() {
      if (isDraining) return 'draining'
      return broker.isConnected || Date.now() - primarySeenAt < awayMs
        ? undefined
        : 'neither broker nor primary database can be reached'
    },
  }

  const app = buildApp({ config, logger, storage, live, presence, broker, readiness })
  const server = createServer(
    {
      keepAliveTimeout: 65_000,
      headersTimeout: 20_000,
      requestTimeout: 120_000,
      maxHeaderSize: 16_384,
      connectionsCheckingInterval: 5_000,
    },
    (request: IncomingMessage, response: ServerResponse) => {
      if (isDraining) response.setHeader('connection', 'close')
      if (request.url?.startsWith(doorPath) === true) door.handle(request, response)
      else app(request, response)
    },
  )
  server.maxRequestsPerSocket = 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.listen.port, config.listen.host, 1024, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : config.listen.port
  logger.info({ port }, 'web node listens')

  const stop = async (): Promise<void> => {
    isDraining = true
    // The balancer sees "not ready" and sends no more, while everything is still answered.
    await sleep(config.drainMs)
    live.drain()
    const closed = new Promise<void>((resolve) => {
      server.close(() => {
        resolve()
      })
    })
    const idle = setInterval(() => {
      server.closeIdleConnections()
    }, 50)
    const limit = new AbortController()
    await Promise.race([closed, sleep(lastRequestsMs, undefined, { signal: limit.signal }).catch(() => undefined)])
    limit.abort()
    clearInterval(idle)
    server.closeAllConnections()
    unwatch()
    await Promise.all([probe.stop(), presence.stop(), live.stop(), door.stop()])
  }
  let stopping: Promise<void> | undefined
  return { port, stop: () => (stopping ??= stop()) }
}
