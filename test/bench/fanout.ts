/**
 * From a signed webhook to the open streams of 1,000 browsers: the door, the broker, the inbox, the numbers, the streams. The
 * limit: a bare server that writes the same event to as many streams when it is asked to; and one commit. Each in a process of
 * its own, the browsers in another, by turns in one run; as one user and as 1,000 different ones.
 */
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
import type { FanoutAnswer, FanoutOrder } from './fanout-load.ts'
import type { BenchResult } from './run.ts'

const secret = 'bench-secret'

/** @param options.streams open browsers @param options.rounds of each kind @param options.events in each round */
export async function run(options: { streams?: number; rounds?: number; events?: number } = {}): Promise<BenchResult> {
  const { streams = 1_000, rounds = 3, events = 25 } = options
  const environment = { ...process.env, ...(await ownDatabase()), PARLEY_LOG_LEVEL: 'warn', PARLEY_DRAIN_MS: '0', NODE_ENV: 'production' } // prettier-ignore
  const config = readConfig(environment)
  await migrate(config, silentLogger)
  const storage = await openStorage(config, silentLogger)
  const children: ChildProcess[] = []
  const start = (file: string, args: string[], env: object = {}): ChildProcess => {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
      env: { ...environment, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    children.push(child)
    return child
  }
  try {
    const { accountId, path } = await prepare(storage, config)
    const tokens = await people(storage, accountId, streams)
    const [webPort, barePort] = [await freePort(), await freePort()]
    const listen = { PARLEY_LISTEN_HOST: '127.0.0.1', PARLEY_LISTEN_PORT: String(webPort) }
    const ids = { conversation_id: newId(), message_id: newId(), channel_id: newId(), kind: 'message' }
    const data = { number: 123_456, type: 'message.received', at: new Date().toISOString(), data: ids }
    start('../../infra/bin/parley.ts', ['run', 'web'], { ...listen, PARLEY_NODE: 'bench-web' })
    start('../../infra/bin/parley.ts', ['run', 'messaging'], { PARLEY_NODE: 'bench-messaging' })
    start('./fanout-bare.ts', [
      String(barePort),
      `id: 123456\nevent: message.received\ndata: ${JSON.stringify(data)}\n\n`,
    ])
    const load = start('./fanout-load.ts', [])
    await Promise.all([waitFor(`http://127.0.0.1:${String(webPort)}/health/ready`), sleep(3_000)])

    let said = 0
    const measure = async (port: number, as: readonly string[], count = events): Promise<number[]> => {
      const bodies = Array.from({ length: count }, () => {
        const n = (said += 1)
        return pageBody([
          writes({ id: String(70_000 + (n % 50)) }, `m_fan_${String(n)}`, `Is it open? ${String(n)}`, new Date()),
        ]).toString()
      })
      const order: FanoutOrder = { port, tokens: as, path, secret, bodies }
      load.send(order)
      const [answer] = (await once(load, 'message')) as [FanoutAnswer | { error: string }]
      if ('error' in answer) throw new Error(answer.error)
      return [...answer.all]
    }
    const one = Array<string>(streams).fill(tokens[0] ?? '')
    await measure(barePort, one, 10)
    await measure(webPort, one, 10)
    const found: { bare: number[]; ours: number[]; many: number[]; commit: number[] } = { bare: [], ours: [], many: [], commit: [] } // prettier-ignore
    const p99 = { bare: [] as number[], ours: [] as number[], many: [] as number[] }
    for (let round = 0; round < rounds; round++)
      for (const [kind, port, as] of [['bare', barePort, one], ['ours', webPort, one], ['many', webPort, tokens]] as const) {
        const all = await measure(port, as)
        found[kind].push(...all)
        p99[kind].push(share(all, 0.99))
        found.commit.push(...(await commits(storage, accountId)))
      } // prettier-ignore
    const commit = share(found.commit, 0.5)
    const [ours, many, limit] = [share(found.ours, 0.99), share(found.many, 0.99), share(found.bare, 0.99)]
    const allowed = 4 * limit + commit
    return {
      name: 'fanout',
      ...{ ours, limit, ratio: round(limit / ours, 3), unit: 'ms, p99 of all streams', runs: rounds },
      ...{ streams, events: events * rounds, commit_ms: commit, allowed_ms: round(allowed), is_within: ours <= allowed },
      ...{ ours_p50: share(found.ours, 0.5), limit_p50: share(found.bare, 0.5) },
      different_users: { ours: many, ratio: round(limit / many, 3), ours_p50: share(found.many, 0.5), is_within: many <= allowed },
      p99_by_round: p99,
    } // prettier-ignore
  } finally {
    await Promise.all(children.map(end))
    await storage.close()
  }
}

/** A database of its own, so that nothing else is numbered meanwhile. */
async function ownDatabase(): Promise<Record<string, string>> {
  const given = readConfig()
  const name = `bench_fan_${String(process.pid)}`
  const at = (url: string, database: string): string => Object.assign(new URL(url), { pathname: `/${database}` }).href
  const primary = given.primaryUrl?.reveal() ?? ''
  const outside = await openStorage(
    readConfig({ ...process.env, PARLEY_PRIMARY_URL: at(primary, 'information_schema'), PARLEY_REPLICA_URLS: '' }),
    silentLogger,
  )
  await outside.write((tx) => tx.run(`create database ${name} character set utf8mb4`))
  await outside.close()
  return {
    PARLEY_PREFIX: name,
    PARLEY_PRIMARY_URL: at(primary, name),
    PARLEY_REPLICA_URLS: given.replicaUrls.map((url) => at(url.reveal(), name)).join(','),
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

const people = (storage: Storage, accountId: string, count: number): Promise<string[]> =>
  storage.write(async (tx) => {
    const tokens: string[] = []
    for (let n = 0; n < count; n++) {
      const email = `${newId()}@bench.example`
      const userId = await storage.users.create(tx, { accountId, email, name: `Agent ${String(n)}`, role: 'agent', passwordHash: null }) // prettier-ignore
      tokens.push((await storage.tokens.create(tx, { accountId, userId, name: 'bench' })).text)
    }
    return tokens
  })

async function commits(storage: Storage, accountId: string): Promise<number[]> {
  const all: number[] = []
  for (let n = 0; n < 20; n++) {
    const at = performance.now()
    await storage.write((tx) =>
      tx.run('update accounts set name = ? where id = ?', [`Bench ${String(Math.random())}`, accountId]),
    )
    all.push(performance.now() - at)
  }
  return all
}

async function freePort(): Promise<number> {
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

const round = (value: number, digits = 1): number => Math.round(value * 10 ** digits) / 10 ** digits
const share = (values: readonly number[], part: number): number =>
  round([...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN)

if (import.meta.main) console.log(JSON.stringify(await run()))
