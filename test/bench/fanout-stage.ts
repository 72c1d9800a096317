/** What the benches of live streams stand on: a database of their own, an account with a channel and people, and our own processes. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createApp, createChannel } from '../../backend/networks.ts'
import { readConfig } from '../../infra/config.ts'
import { newId } from '../../infra/ids.ts'
import { silentLogger } from '../../infra/logger.ts'
import { migrate, openStorage } from '../../storage/index.ts'
import type { Storage } from '../../storage/index.ts'
import { bakery, pageBody, writes } from '../people.ts'

export const secret = 'bench-secret'

export interface Stage {
  readonly storage: Storage
  readonly accountId: string
  /** Of the webhook door. */
  readonly path: string
  /** A bearer token of each of as many people. */
  readonly tokens: readonly string[]
  /** Starts a script beside this one; it ends with the stage. */
  start(file: string, args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess
  /** A web node that is ready. */
  startWeb(name: string): Promise<{ readonly port: number; readonly pid: number }>
  close(): Promise<void>
}

export async function openStage(people: number): Promise<Stage> {
  const environment = {
    ...{ ...process.env, ...(await ownDatabase()) },
    ...{ PARLEY_LOG_LEVEL: 'warn', PARLEY_DRAIN_MS: '0', NODE_ENV: 'production' },
  }
  const config = readConfig(environment)
  await migrate(config, silentLogger)
  const storage = await openStorage(config, silentLogger)
  const children: ChildProcess[] = []
  const start: Stage['start'] = (file, args, env = {}) => {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
      env: { ...environment, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    children.push(child)
    return child
  }
  const { accountId, path } = await prepare(storage, config)
  return {
    ...{ storage, accountId, path, tokens: await join(storage, accountId, people), start },
    async startWeb(name) {
      const port = await freePort()
      const { pid = 0 } = start('../../infra/bin/parley.ts', ['run', 'web'], {
        ...{ PARLEY_LISTEN_HOST: '127.0.0.1', PARLEY_LISTEN_PORT: String(port), PARLEY_NODE: name },
      })
      await waitFor(`http://127.0.0.1:${String(port)}/health/ready`)
      return { port, pid }
    },
    async close() {
      await Promise.all(children.map(end))
      await storage.close()
      await inServer(`drop database ${new URL(environment.PARLEY_PRIMARY_URL).pathname.slice(1)}`)
    },
  }
}

/** One message to the page, as Meta sends it. */
export const bodyOf = (n: number): string =>
  pageBody([
    writes({ id: String(70_000 + (n % 50)) }, `m_fan_${String(n)}`, `Is it open? ${String(n)}`, new Date()),
  ]).toString()

/** A database of its own, so that nothing else is numbered meanwhile. */
async function ownDatabase() {
  const given = readConfig()
  const name = `bench_fan_${String(process.pid)}`
  const primary = given.primaryUrl?.reveal() ?? ''
  await inServer(`create database ${name} character set utf8mb4`)
  return {
    PARLEY_PREFIX: name,
    PARLEY_PRIMARY_URL: inDatabase(primary, name),
    PARLEY_REPLICA_URLS: given.replicaUrls.map((url) => inDatabase(url.reveal(), name)).join(','),
  }
}

async function prepare(storage: Storage, config: ReturnType<typeof readConfig>) {
  const account = await storage.write((tx) => storage.accounts.create(tx, 'Bench'))
  const appId = await createApp(storage, config, account.id, { network: 'meta', name: 'Bench', secrets: [secret] })
  await createChannel(storage, config, account.id, {
    ...{
      appId,
      type: 'facebook',
      name: bakery.name,
      externalId: bakery.externalId,
      credentials: { access_token: 'x' },
    },
  })
  const app = await storage.apps.get(storage.primary, account.id, appId)
  return { accountId: account.id, path: `/webhooks/${app?.webhookKey ?? ''}` }
}

const join = (storage: Storage, accountId: string, count: number): Promise<string[]> =>
  storage.write(async (tx) => {
    const tokens: string[] = []
    for (let n = 0; n < count; n++) {
      const email = `${newId()}@bench.example`
      const userId = await storage.users.create(tx, { accountId, email, name: `Agent ${String(n)}`, role: 'agent', passwordHash: null }) // prettier-ignore
      tokens.push((await storage.tokens.create(tx, { accountId, userId, name: 'bench' })).text)
    }
    return tokens
  })

const inDatabase = (url: string, database: string): string =>
  Object.assign(new URL(url), { pathname: `/${database}` }).href

async function inServer(sql: string): Promise<void> {
  const primary = readConfig().primaryUrl?.reveal() ?? ''
  const server = inDatabase(primary, 'information_schema')
  const outside = await openStorage(
    readConfig({ ...process.env, PARLEY_PRIMARY_URL: server, PARLEY_REPLICA_URLS: '' }),
    silentLogger,
  )
  await outside.write((tx) => tx.run(sql))
  await outside.close()
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function waitFor(url: string): Promise<void> {
  const until = Date.now() + 30_000
  while (Date.now() < until) {
    const response = await fetch(url).catch(() => undefined)
    if (response?.ok === true) return
    await sleep(100)
  }
  throw new Error(`${url} does not answer`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}
