/** `parley doctor`: one line for each thing that a node needs; for what is wrong, the way out. */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { messageOf } from '../../errors.ts'
import { silentLogger } from '../../logger.ts'
import { readSettings } from '../settings.ts'

interface Check {
  readonly name: string
  /** Resolves with what it found; rejects with what is wrong. */
  readonly look: () => Promise<string>
  readonly wayOut: string
}

const oldestNode = 24

export async function doctor(): Promise<number> {
  const config = readSettings()
  const { openStorage, checkSchema } = await import('../../../storage/index.ts')
  const primary = config.primaryUrl?.reveal()
  const checks: Check[] = [
    {
      name: 'Node',
      look: () => {
        if (Number(process.versions.node.split('.')[0]) < oldestNode) throw new Error(process.version)
        return Promise.resolve(process.version)
      },
      wayOut: `use Node ${String(oldestNode)} or later (npm ci brings one)`,
    },
    {
      name: 'primary database',
      look: async () => {
        if (primary === undefined) throw new Error('PARLEY_PRIMARY_URL is not set')
        const storage = await openStorage(config, silentLogger)
        try {
          const [row] = await storage.primary.query<{ version: string; skew: number }>(
            'select version() as version, cast(abs(unix_timestamp(now(6)) - ?) as double) as skew',
            [Date.now() / 1000],
          )
          if (row === undefined) throw new Error('no answer')
          if (row.skew > 5) throw new Error(`its clock differs by ${String(row.skew)} s from this machine's`)
          return `${row.version}, clock within ${row.skew.toFixed(1)} s`
        } finally {
          await storage.close()
        }
      },
      wayOut: 'start it, or correct PARLEY_PRIMARY_URL; keep the clocks by NTP',
    },
    {
      name: 'schema',
      look: async () => {
        await checkSchema(config)
        return 'fits this version'
      },
      wayOut: 'run `parley setup`',
    },
    ...config.replicaUrls.map((url) =>
      portCheck('replica', url.reveal(), 3306, 'start it, or take it out of PARLEY_REPLICA_URLS'),
    ),
    ...config.memcached.map((address) =>
      portCheck('memcached', `tcp://${address}`, 11_211, 'start it, or take it out of PARLEY_MEMCACHED'),
    ),
    portCheck('Redis', config.redisUrl?.reveal(), 6379, 'start it, or correct PARLEY_REDIS_URL'),
    portCheck(`broker (${config.broker})`, config.brokerUrl?.reveal(), 5672, 'start it, or correct PARLEY_BROKER_URL'),
    {
      name: 'documents',
      look: () => Promise.resolve(lookAtFolder(config.documents)),
      wayOut: 'make the folder writable, or set PARLEY_DOCUMENTS',
    },
    {
      name: 'key file',
      look: () => Promise.resolve(lookAtKeys(config.keys)),
      wayOut: `make it private: chmod 600 ${config.keys}`,
    },
  ]
  const found = await Promise.all(checks.map(lookOnce))
  for (const { line } of found) process.stdout.write(`${line}\n`)
  return found.every(({ good }) => good) ? 0 : 1
}

async function lookOnce({ name, look, wayOut }: Check): Promise<{ good: boolean; line: string }> {
  try {
    return { good: true, line: `ok    ${name}: ${await look()}` }
  } catch (error) {
    return { good: false, line: `FAIL  ${name}: ${messageOf(error)}; ${wayOut}` }
  }
}

function portCheck(name: string, url: string | undefined, standardPort: number, wayOut: string): Check {
  return {
    name,
    wayOut,
    look: () =>
      new Promise((resolve, reject) => {
        if (url === undefined) {
          reject(new Error('not set'))
          return
        }
        const { hostname, port } = new URL(url)
        const began = performance.now()
        const address = `${hostname}:${port === '' ? String(standardPort) : port}`
        const socket = connect({ host: hostname, port: port === '' ? standardPort : Number(port), timeout: 3000 })
        socket.once('connect', () => {
          socket.destroy()
          resolve(`${address} answers in ${(performance.now() - began).toFixed(0)} ms`)
        })
        socket.once('timeout', () => {
          socket.destroy()
          reject(new Error(`${address} does not answer within 3 s`))
        })
        socket.once('error', (error) => {
          reject(new Error(`${address} ${messageOf(error)}`))
        })
      }),
  }
}

function lookAtFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  return `${path} is writable`
}

function lookAtKeys(path: string): string {
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`${path} can be read by others`)
  return path
}
