/**
 * Store and forward: what is answered while one side is away waits, and leaves whole and in order once it is back. What the
 * customers saw, by the sandbox's ledger, is the judge.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { startCluster } from '../../infra/cluster/cluster.ts'
import type { Cluster } from '../../infra/cluster/cluster.ts'
import { readConfig } from '../../infra/config.ts'
import { silentLogger } from '../../infra/logger.ts'
import { queueNames } from '../../messaging/broker/queues.ts'
import { openStorage } from '../../storage/index.ts'
import { until } from '../platform.ts'
import { controlOf, openConversations } from './answers.ts'
import type { Control } from './answers.ts'
import { signIn } from './replay.ts'
import type { Agent } from './traffic.ts'

const each = 5

let home: string
let cluster: Cluster
let agent: Agent
let control: Control
/** One on each network. */
let conversations: string[]

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-forward-'))
  cluster = await startCluster(home, { queues: queueNames, port: 0, demo: true })
  control = controlOf(cluster.env['PARLEY_SANDBOX_URL'] ?? '')
  agent = await signIn(cluster)
  const storage = await openStorage(readConfig({ ...cluster.env, PARLEY_NODE: 'forward' }), silentLogger)
  conversations = await openConversations(agent, control, storage, 4)
  await storage.close()
})

afterAll(async () => {
  await cluster.stop()
  await rm(home, { recursive: true, force: true })
})

it('keeps answers while every messaging node is down', async () => {
  await Promise.all(['messaging-1', 'messaging-2'].map((node) => cluster.hold(node)))
  const said = await sayAll('nodes')
  await sleep(1_000)
  expect(await seen('nodes')).toEqual([])
  await Promise.all(['messaging-1', 'messaging-2'].map((node) => cluster.release(node)))
  await expectAll('nodes', said)
})

it('keeps answers while the networks are down', async () => {
  // Nobody even takes the connection, so it is certain that nothing has left.
  await cluster.hold('sandbox-1')
  const said = await sayAll('networks')
  await sleep(3_000)
  await cluster.release('sandbox-1')
  await expectAll('networks', said)
})

it('takes answers while the broker is down, and the relay catches up', async () => {
  await cluster.hold('broker')
  const said = await sayAll('broker')
  await cluster.release('broker')
  await expectAll('broker', said)
})

it('lets nothing leave that could not be written down first', async () => {
  await cluster.hold('db-primary')
  const trying = sayAll('primary')
  await sleep(4_000)
  expect(await seen('primary')).toEqual([])
  await cluster.release('db-primary')
  await expectAll('primary', await trying)
})

/** Answers everywhere, one after the other in each conversation, each under one key until somebody takes it. */
async function sayAll(name: string): Promise<string[]> {
  const texts = Array.from({ length: each }, (_, n) => `${name} ${String(n)}`)
  await Promise.all(
    conversations.map(async (id, place) => {
      for (const text of texts) await say(id, text, `${text.replace(' ', '-')}-${String(place)}`)
    }),
  )
  return texts
}

async function say(conversationId: string, text: string, key: string): Promise<void> {
  await until(
    async () =>
      (
        await agent
          .call(
            'POST',
            `/conversations/${conversationId}/messages`,
            { kind: 'reply', text },
            { 'idempotency-key': key },
          )
          .catch(() => undefined)
      )?.status === 201,
    90_000,
  )
}

/** Each person has seen all of it, once and in order. */
async function expectAll(name: string, texts: readonly string[]): Promise<void> {
  const count = () =>
    seen(name).then(
      (items) => items.length,
      () => 0,
    )
  await until(async () => (await count()) >= texts.length * conversations.length, 90_000)
  const people = Map.groupBy(await seen(name), ({ channel, person }) => `${channel} ${person}`)
  expect(people.size).toBe(conversations.length)
  for (const items of people.values()) expect(items.map(({ text }) => text)).toEqual(texts)
}

async function seen(name: string) {
  const shape = z.object({ items: z.array(z.object({ text: z.string(), channel: z.string(), person: z.string() })) })
  return shape.parse(await control('GET', 'ledger')).items.filter(({ text }) => text.startsWith(`${name} `))
}
