/** The small HTTP door of nodes that have no other: alive, ready, figures. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from './config.ts'
import { messageOf } from './errors.ts'
import type { Running } from './lifecycle.ts'
import type { Logger } from './logger.ts'
import { metrics } from './metrics.ts'

export interface HealthDoor extends Running {
  readonly port: number
}

const readyLimitMs = 2000

/**
 * Listens on the node's address. Alive: the process answers. Ready: `ready` resolves, that is, work sent here would be
 * done; it rejects with the reason why not.
 */
export async function startHealth(
  config: Pick<Config, 'listen'>,
  logger: Logger,
  ready: () => Promise<void>,
): Promise<HealthDoor> {
  const server = createServer((request, response) => {
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
    }
    const path = new URL(request.url ?? '/', 'http://node').pathname
    if (request.method !== 'GET' && request.method !== 'HEAD') send(405, 'text/plain', 'GET only\n')
    else if (path === '/health/live') send(200, 'application/json', '{"status":"live"}\n')
    else if (path === '/health/ready') {
      withinLimit(ready).then(
        () => {
          send(200, 'application/json', '{"status":"ready"}\n')
        },
        (error: unknown) => {
          logger.debug({ err: error }, 'not ready')
          send(503, 'application/json', `${JSON.stringify({ status: 'not ready', reason: messageOf(error) })}\n`)
        },
      )
    } else if (path === '/metrics') {
      metrics.metrics().then(
        (text) => {
          send(200, metrics.contentType, text)
        },
        (error: unknown) => {
          logger.error({ err: error }, 'the figures could not be collected')
          send(500, 'text/plain', 'The figures could not be collected.\n')
        },
      )
    } else send(404, 'text/plain', 'There is nothing here.\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.listen.port, config.listen.host, resolve)
  })
  return {
    port: portOf(server.address()),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

async function withinLimit(ready: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${String(readyLimitMs)} ms`))
    }, readyLimitMs)
  })
  try {
    await Promise.race([ready(), limit])
  } finally {
    clearTimeout(timer)
  }
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0
}
