/** Free ports, below the range from which the kernel takes ports of outgoing connections. */
import { randomInt } from 'node:crypto'
import { createConnection, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterFault } from './fault.ts'

const lowest = 12_000
const highest = 32_000

/** Why `port` cannot be listened on (`EADDRINUSE`, `EACCES`), or undefined when it can. */
export function whyTaken(port: number, host = '127.0.0.1'): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => {
      resolve('code' in error && typeof error.code === 'string' ? error.code : error.message)
    })
    server.listen({ port, host, exclusive: true }, () => {
      server.close(() => {
        resolve(undefined)
      })
    })
  })
}

/** A port for each name: the one it had before if that is still free, else a new one. */
export async function choosePorts(
  names: readonly string[],
  before: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  const chosen: Record<string, number> = {}
  const used = new Set<number>()
  for (const name of names) {
    let port = before[name] ?? randomInt(lowest, highest)
    for (let tries = 0; used.has(port) || (await whyTaken(port)) !== undefined; tries++) {
      if (tries > 500)
        throw new ClusterFault(`No free port was found between ${String(lowest)} and ${String(highest)}.`)
      port = randomInt(lowest, highest)
    }
    used.add(port)
    chosen[name] = port
  }
  return chosen
}

/** Resolves once `port` accepts a connection; looks every 25 ms until `signal` ends it. */
export async function waitForPort(port: number, signal: AbortSignal): Promise<void> {
  while (!(await isListening(port))) await sleep(25, undefined, { signal })
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1', timeout: 1000 })
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => {
      done(true)
    })
    socket.once('timeout', () => {
      done(false)
    })
    socket.once('error', () => {
      done(false)
    })
  })
}
