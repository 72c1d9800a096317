/**
 * 100,000 events wait in the broker while nobody takes them; then two messaging nodes drain them. Meanwhile somebody reads the
 * list of conversations through the public address again and again: as quick as on an idle cluster, or how much slower?
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startCluster } from '../../infra/cluster/cluster.ts'
import { readConfig } from '../../infra/config.ts'
import { silentLogger } from '../../infra/logger.ts'
import { queueNames } from '../../messaging/broker/queues.ts'
import { openStorage } from '../../storage/index.ts'
import { makeItems, packBodies, seeded } from '../chaos/replay-events.ts'
import { connect, nowhere, progress, send, signIn } from '../chaos/replay.ts'
import type { Agent } from '../chaos/traffic.ts'
import type { BenchResult } from './run.ts'

const nodes = ['messaging-1', 'messaging-2'] as const
const alreadyThere = 3_000
const mostItems = 20
const pauseMs = 20

/** `ratio` is idle/draining: 0.5 means that the list took twice as long. */
export async function run(events = 100_000): Promise<BenchResult> {
  const home = await mkdtemp(join(tmpdir(), 'parley-backlog-'))
  const settings = { PARLEY_NETWORK_HOSTS: nowhere }
  const cluster = await startCluster(home, { queues: queueNames, port: 0, demo: false, settings })
  const storage = await openStorage(readConfig({ ...cluster.env, PARLEY_NODE: 'backlog' }), silentLogger)
  try {
    const random = seeded(7)
    const agent = await signIn(cluster)
    const doors = await connect(agent)
    const { items, expected } = makeItems(alreadyThere + events, random)
    const [before, after] = [items.slice(0, alreadyThere), items.slice(alreadyThere)]
    await send(doors, [...packBodies(before, mostItems, random)], 0)
    await sleep(5_000)
    const idle = await watchList(agent, () => Promise.resolve(false), 15_000)
    for (const node of nodes) await cluster.hold(node)
    await send(doors, [...packBodies(after, mostItems, random)], 0)
    const stored = async () => (await progress(storage)).messages
    const first = await stored()
    await Promise.all(nodes.map((node) => cluster.release(node)))
    const beganAt = performance.now()
    let last = first
    const draining = await watchList(agent, async () => (last = await stored()) >= expected.size, 300_000)
    const seconds = (performance.now() - beganAt) / 1000
    return {
      name: 'backlog',
      ours: draining.p95,
      limit: idle.p95,
      ratio: Number((idle.p95 / draining.p95).toFixed(3)),
      unit: 'ms, p95 of the list',
      runs: 1,
      events,
      idle,
      draining,
      drained: last - first,
      perSecond: Math.round((last - first) / seconds),
      seconds: Number(seconds.toFixed(1)),
    }
  } finally {
    await storage.close()
    await cluster.stop()
    await rm(home, { recursive: true, force: true })
  }
}

interface Times {
  readonly requests: number
  readonly median: number
  readonly p95: number
  readonly worst: number
}

/** Reads the list until `isDone`, asked once a second, or for `limitMs`. */
async function watchList(agent: Agent, isDone: () => Promise<boolean>, limitMs: number): Promise<Times> {
  const times: number[] = []
  const startedAt = performance.now()
  let askedAt = startedAt
  while (performance.now() - startedAt < limitMs) {
    if (performance.now() - askedAt > 1_000) {
      if (await isDone()) break
      askedAt = performance.now()
    }
    const at = performance.now()
    const { status } = await agent.call('GET', '/conversations?limit=50&status=open')
    if (status !== 200) throw new Error(`the list answered ${String(status)}`)
    times.push(performance.now() - at)
    await sleep(pauseMs)
  }
  const sorted = times.sort((a, b) => a - b)
  const at = (share: number): number => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1))
  return { requests: sorted.length, median: at(0.5), p95: at(0.95), worst: at(0.9999) }
}

if (import.meta.main) console.log(JSON.stringify(await run(Number(process.argv[2] ?? 100_000))))
