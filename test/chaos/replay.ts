/**
 * Everything said on both networks comes several times, in random order, through the signed door, while nodes, broker and
 * primary are killed. In the end: received = stored = shown, nothing lost, nothing twice, nothing out of order.
 * As a command: `npm run bench -- replay`, or `node test/chaos/replay.ts --events=100000 --times=3 --kills=8 --seed=N`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { startCluster } from '../../infra/cluster/cluster.ts'
import type { Cluster } from '../../infra/cluster/cluster.ts'
import { readConfig } from '../../infra/config.ts'
import { silentLogger } from '../../infra/logger.ts'
import { queueNames } from '../../messaging/broker/queues.ts'
import { openStorage } from '../../storage/index.ts'
import type { Storage } from '../../storage/index.ts'
import type { BenchResult } from '../bench/run.ts'
import { runCommand } from './command.ts'
import { makeItems, packBodies, page, secrets, seeded, shuffle, signatureOf, xUser } from './replay-events.ts'
import type { Expected, NetworkName } from './replay-events.ts'
import { Agent } from './traffic.ts'

export interface ReplayOptions {
  readonly events: number
  readonly times: number
  readonly kills: number
  readonly seed: number
  /** Pause between two kills. */
  readonly killEveryMs: number
  /** The bodies are spread over this time at least, so that the kills meet them on their way. */
  readonly spreadMs: number
  readonly log?: (line: string) => void
}

/** What the counts must be: `lost`, `twice` and `outOfOrder` none, `stored` and `shown` as many as `said`. */
export interface ReplayTally {
  readonly said: number
  readonly changes: number
  readonly bodies: number
  /** Bodies that the network had to send again, as nobody said 200. */
  readonly again: number
  readonly killed: readonly string[]
  readonly stored: number
  readonly shown: number
  readonly lost: number
  readonly twice: number
  readonly wrongText: number
  readonly outOfOrder: number
  readonly seconds: number
}

const victims = ['messaging-1', 'db-primary', 'web-1', 'broker', 'messaging-2', 'web-2'] as const
/** Nothing answers there. */
export const nowhere = '127.0.0.1:9'
const mostItems = 20
const senders = 8

export async function replay(options: ReplayOptions): Promise<ReplayTally> {
  const home = await mkdtemp(join(tmpdir(), 'parley-replay-'))
  const cluster = await startCluster(home, {
    queues: queueNames,
    port: 0,
    demo: false,
    settings: { PARLEY_NETWORK_HOSTS: nowhere },
  })
  const storage = await openStorage(readConfig({ ...cluster.env, PARLEY_NODE: 'replay' }), silentLogger)
  try {
    return await replayOn(cluster, storage, options)
  } finally {
    await storage.close()
    await cluster.stop()
    await rm(home, { recursive: true, force: true })
  }
}

async function replayOn(cluster: Cluster, storage: Storage, options: ReplayOptions): Promise<ReplayTally> {
  const log = options.log ?? (() => undefined)
  const random = seeded(options.seed)
  const agent = await signIn(cluster)
  const doors = await connect(agent)
  const { items, expected } = makeItems(options.events, random)
  const said = shuffle(Array.from({ length: options.times }, () => items).flat(), random)
  const bodies = [...packBodies(said, mostItems, random)]
  log(
    `seed ${String(options.seed)}: ${String(items.length)} events, ${String(options.times)} times, ${String(bodies.length)} bodies`,
  )

  const startedAt = performance.now()
  const killing = new AbortController()
  const killed: string[] = []
  const kills = kill(cluster, options, killed, killing.signal, log)
  const again = await send(doors, bodies, options.spreadMs)
  log(`all bodies were acknowledged after ${seconds(startedAt)} s`)
  await settled(storage, bodies.length, expected.size, log)
  killing.abort()
  await kills
  log(`all is stored after ${seconds(startedAt)} s`)
  return {
    said: expected.size,
    changes: items.length - expected.size,
    bodies: bodies.length,
    again,
    killed,
    ...(await count(storage, agent, expected)),
    seconds: Number(seconds(startedAt)),
  }
}

const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1)

export async function signIn(cluster: Cluster): Promise<Agent> {
  const printed = await runCommand(['token', 'create', '--email', cluster.administrator.email, '--json'], cluster.env)
  const agent = new Agent(cluster.publicUrl, z.object({ token: z.string() }).parse(JSON.parse(printed)).token)
  const isThere = () =>
    agent.call('GET', '/channels').then(
      ({ status }) => status === 200,
      () => false,
    )
  while (!(await isThere())) await sleep(200)
  return agent
}

/** An app and a channel on each network, whose API is at `host`; where their webhooks go. */
export async function connect(agent: Agent, host = nowhere): Promise<Record<NetworkName, string>> {
  const base = { api_base_url: `http://${host}` }
  const make = async (path: string, body: object): Promise<unknown> => {
    const { status, json } = await agent.call('POST', path, body)
    if (status !== 201) throw new Error(`POST ${path} answered ${String(status)}: ${JSON.stringify(json)}`)
    return json
  }
  const open = async (network: NetworkName, type: string, externalId: string): Promise<string> => {
    const keys = network === 'x' ? { consumer_key: 'key' } : {}
    const app = z.object({ id: z.string(), webhook_url: z.string() }).parse(
      await make('/apps', { network, name: network, secrets: [secrets[network]], ...keys, ...base }), // prettier-ignore
    )
    const credentials = { access_token: 'token', ...(network === 'x' ? { access_token_secret: 'secret' } : {}) }
    await make('/channels', { app_id: app.id, type, name: type, external_id: externalId, credentials, ...base })
    return app.webhook_url
  }
  return { meta: await open('meta', 'facebook', page), x: await open('x', 'x', xUser) }
}

/** As the networks do: until somebody says 200. How often a body had to be sent again. */
export async function send(
  doors: Record<NetworkName, string>,
  bodies: readonly { network: NetworkName; body: Buffer }[],
  spreadMs: number,
): Promise<number> {
  const startedAt = performance.now()
  let next = 0
  let again = 0
  const work = async (): Promise<void> => {
    for (let one = bodies[next++]; one !== undefined; one = bodies[next++]) {
      const { network, body } = one
      const earlyMs = startedAt + (next / bodies.length) * spreadMs - performance.now()
      if (earlyMs > 5) await sleep(earlyMs)
      const headers = { 'content-type': 'application/json', ...signatureOf(network, body) }
      const attempt = () =>
        fetch(doors[network], { method: 'POST', headers, body: new Uint8Array(body), signal: AbortSignal.timeout(5_000) }) // prettier-ignore
          .then(async (response) => {
            await response.arrayBuffer()
            return response.status === 200
          })
          .catch(() => false)
      while (!(await attempt())) {
        again += 1
        await sleep(250)
      }
    }
  }
  await Promise.all(Array.from({ length: senders }, work))
  return again
}

async function kill(
  cluster: Cluster,
  { kills, killEveryMs }: ReplayOptions,
  killed: string[],
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  for (let n = 0; n < kills; n++) {
    await sleep(killEveryMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    const victim = victims[n % victims.length] ?? victims[0]
    cluster.kill(victim, 'SIGKILL')
    killed.push(victim)
    log(`killed ${victim}`)
  }
}

/** Until every body that was acknowledged has been dealt with, and nothing more comes; 30 s without progress end the wait. */
async function settled(storage: Storage, bodies: number, messages: number, log: (line: string) => void): Promise<void> {
  let last = ''
  let since = performance.now()
  for (;;) {
    const now = await progress(storage).catch(() => undefined)
    const seen = JSON.stringify(now ?? last)
    if (seen !== last) {
      log(`stored so far: ${seen}`)
      last = seen
      since = performance.now()
    }
    const idleMs = performance.now() - since
    const isDone = now !== undefined && now.done >= bodies && now.messages >= messages && now.waiting === 0
    if ((isDone && idleMs > 2_500) || idleMs > 30_000) return
    await sleep(1_000)
  }
}

export async function progress(storage: Storage): Promise<{ done: number; waiting: number; messages: number }> {
  const row = await storage.primary.first<{ done: number; waiting: number; messages: number }>(
    `select (select count(*) from received where state <> 'pending') done, (select count(*) from messages) messages,
       (select count(*) from received where state = 'pending') + (select count(*) from parked_messages) waiting`,
  )
  if (row === undefined) throw new Error('no counts')
  return row
}

type Shown = Awaited<ReturnType<Agent['listMessages']>>[number]

async function count(
  storage: Storage,
  agent: Agent,
  expected: ReadonlyMap<string, Expected>,
): Promise<Pick<ReplayTally, 'stored' | 'shown' | 'lost' | 'twice' | 'wrongText' | 'outOfOrder'>> {
  const { messages: stored } = await progress(storage)
  const shown = (await agent.listMessages('direction=inbound')).reverse()
  const times = new Map<string, number>()
  for (const { external_id } of shown) times.set(external_id ?? '', (times.get(external_id ?? '') ?? 0) + 1)
  return {
    stored,
    shown: shown.length,
    lost: [...expected.keys()].filter((id) => !times.has(id)).length,
    twice: [...times.values()].filter((each) => each > 1).length,
    wrongText: shown.filter(({ external_id, text }) => expected.get(external_id ?? '')?.text !== text).length,
    outOfOrder: countOutOfOrder(shown, expected),
  }
}

/** Within each conversation, as shown, the sender's numbers rise by one; and each thread is one conversation. */
function countOutOfOrder(shown: readonly Shown[], expected: ReadonlyMap<string, Expected>): number {
  let wrong = 0
  const threads = new Map<string, string>()
  for (const [conversation, messages] of Map.groupBy(shown, ({ conversation_id }) => conversation_id)) {
    messages.forEach(({ external_id }, index) => {
      const own = expected.get(external_id ?? '')
      if (own === undefined || own.number !== index + 1) wrong += 1
      else if ((threads.get(own.thread) ?? conversation) !== conversation) wrong += 1
      else threads.set(own.thread, conversation)
    })
  }
  return wrong
}

/** The long form with its defaults, for `npm run bench -- replay`: of what was said, how much is stored. */
export async function run(): Promise<BenchResult> {
  const { said, stored, ...rest } = await replay(longForm)
  return { name: 'replay', ours: stored, limit: said, ratio: stored / said, unit: 'messages', runs: 1, ...rest }
}

const longForm: ReplayOptions = {
  events: 100_000,
  times: 3,
  kills: 8,
  seed: Date.now() % 1_000_000,
  killEveryMs: 12_000,
  spreadMs: 0,
  log: (line) => {
    console.log(line)
  },
}

if (import.meta.main) {
  const asked = { events: { type: 'string' }, times: { type: 'string' }, kills: { type: 'string' }, seed: { type: 'string' } } as const // prettier-ignore
  const { values } = parseArgs({ options: asked })
  const numbers = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]))
  const tally = await replay({ ...longForm, ...numbers })
  console.log(JSON.stringify(tally))
  const isWhole = tally.lost + tally.twice + tally.wrongText + tally.outOfOrder === 0 && tally.shown === tally.said
  process.exitCode = isWhole && tally.stored === tally.said ? 0 : 1
}
