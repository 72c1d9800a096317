/**
 * From the call of the API to the network having the reply whole, 100 a second, each in a conversation of its own turn, on a
 * whole cluster. The limit, in the same run and at the same pace: one durable insert, one confirmed publish and one HTTP call,
 * one after the other, on the same database, broker and network.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mysql from 'mysql2/promise'
import { z } from 'zod'
import { startCluster } from '../../infra/cluster/cluster.ts'
import { readConfig } from '../../infra/config.ts'
import { newId } from '../../infra/ids.ts'
import { silentLogger } from '../../infra/logger.ts'
import { openBroker } from '../../messaging/broker/broker.ts'
import { queueNames } from '../../messaging/broker/queues.ts'
import { page } from '../chaos/replay-events.ts'
import { connect, send, signIn } from '../chaos/replay.ts'
import type { Agent } from '../chaos/traffic.ts'
import { pageBody, writes } from '../people.ts'
import type { BenchResult } from './run.ts'

const perSecond = 100
const seconds = 8
const rounds = 3
const people = 300

/** `ratio` is limit/ours of the 99th percentile: 0.125 means eight times. */
export async function run(): Promise<BenchResult> {
  const home = await mkdtemp(join(tmpdir(), 'parley-reply-'))
  const network = await openNetwork()
  const settings = { PARLEY_NETWORK_HOSTS: network.host }
  const cluster = await startCluster(home, { queues: queueNames, port: 0, demo: false, settings })
  const raw = await openRaw(cluster.env, network)
  try {
    const agent = await signIn(cluster)
    const conversations = await openConversations(agent, network.host)
    const say = async (id: string): Promise<number> => {
      const conversation = conversations[Number(id.split('-').at(-1)) % conversations.length] ?? ''
      const at = performance.now()
      const arrived = network.expect(id)
      const { status } = await agent.call('POST', `/conversations/${conversation}/messages`, {
        kind: 'reply',
        text: id,
      })
      if (status !== 201) throw new Error(`a reply was answered ${String(status)}`)
      return (await arrived) - at
    }
    await pace(say, 'warm', 3)
    await pace(raw.say, 'warm-raw', 3)
    const ours: number[] = []
    const limit: number[] = []
    for (let round = 0; round < rounds; round++) {
      limit.push(...(await pace(raw.say, `raw-${String(round)}`, seconds)))
      ours.push(...(await pace(say, `ours-${String(round)}`, seconds)))
    }
    const [mine, bare] = [summary(ours), summary(limit)]
    return {
      name: 'reply',
      ours: mine.p99,
      limit: bare.p99,
      ratio: Number((bare.p99 / mine.p99).toFixed(3)),
      unit: 'ms, p99',
      runs: rounds,
      perSecond,
      times: { p50: Number((mine.p50 / bare.p50).toFixed(2)), p99: Number((mine.p99 / bare.p99).toFixed(2)) },
      reply: mine,
      raw: bare,
    }
  } finally {
    await raw.close()
    await cluster.stop()
    network.close()
    await rm(home, { recursive: true, force: true })
  }
}

/** Begins one every 10 ms, whether the ones before are through or not; how long each took, in ms. */
async function pace(say: (id: string) => Promise<number>, name: string, forSeconds: number): Promise<number[]> {
  const startedAt = performance.now()
  const running: Promise<number>[] = []
  for (let n = 0; n < forSeconds * perSecond; n++) {
    const earlyMs = startedAt + (n * 1000) / perSecond - performance.now()
    if (earlyMs > 0) await sleep(earlyMs)
    running.push(say(`${name}-${String(n)}`))
  }
  return Promise.all(running)
}

interface Summary {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly worst: number
}

function summary(times: readonly number[]): Summary {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number): number => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2))
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), worst: at(0.9999) }
}

interface Network {
  readonly host: string
  /** When the request that carries `id` has arrived whole. */
  expect(id: string): Promise<number>
  close(): void
}

/** A network that takes everything at once. */
async function openNetwork(): Promise<Network> {
  const waiting = new Map<string, (at: number) => void>()
  const textShape = z.object({ message: z.object({ text: z.string() }) })
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const at = performance.now()
      const body = Buffer.concat(chunks).toString()
      const said = !body.startsWith('{') ? undefined : textShape.safeParse(JSON.parse(body)).data?.message.text
      waiting.get(said ?? '')?.(at)
      waiting.delete(said ?? '')
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ recipient_id: '1', message_id: `m_${newId()}` }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${String(port)}`,
    expect: (id) =>
      new Promise((resolve) => {
        waiting.set(id, resolve)
      }),
    close: () => server.close(),
  }
}

/** Insert, publish, call. */
async function openRaw(env: Readonly<Record<string, string>>, network: Network) {
  const config = readConfig({ ...env, PARLEY_NODE: 'bench', PARLEY_PREFIX: 'bare' })
  const pool = mysql.createPool({ uri: config.primaryUrl?.reveal() ?? '', connectionLimit: 20 })
  await pool.query('create table bare_replies (id varchar(64) primary key, text text, at datetime(3))')
  const broker = openBroker(config, silentLogger)
  return {
    say: async (id: string): Promise<number> => {
      const at = performance.now()
      await pool.execute('insert into bare_replies values (?, ?, now(3))', [id, id])
      await broker.publish('deliver', { id: newId(), body: Buffer.from(id) })
      const arrived = network.expect(id)
      const response = await fetch(`http://${network.host}/me/messages`, {
        method: 'POST',
        body: JSON.stringify({ message: { text: id } }),
      })
      await response.arrayBuffer()
      return (await arrived) - at
    },
    close: async (): Promise<void> => {
      await broker.close()
      await pool.end()
    },
  }
}

/** People who have written once, by the signed door; the ids of their conversations. */
async function openConversations(agent: Agent, host: string): Promise<string[]> {
  const doors = await connect(agent, host)
  const bodies = Array.from({ length: people }, (_, n) => ({
    network: 'meta' as const,
    body: pageBody(
      [writes({ id: String(60_000 + n) }, `m_reply_${String(n)}`, 'Are you open on Sunday?', new Date(), page)],
      page,
    ),
  }))
  await send(doors, bodies, 0)
  for (;;) {
    const all: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const { json } = await agent.call('GET', `/conversations?limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`)
      const list = z.object({ items: z.array(z.object({ id: z.string() })), next_cursor: z.string().nullable() }).parse(json) // prettier-ignore
      all.push(...list.items.map(({ id }) => id))
      cursor = list.next_cursor
    }
    if (all.length >= people) return all
    await sleep(200)
  }
}

if (import.meta.main) console.log(JSON.stringify(await run()))
