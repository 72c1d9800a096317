/**
 * Each part of the cluster dies by `kill -9` in mid-traffic, one after the other. Nothing acknowledged is lost, nothing
 * appears twice. The sandbox's ledger, what customers really saw, is the judge.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { startCluster } from '../../infra/cluster/cluster.ts'
import type { Cluster } from '../../infra/cluster/cluster.ts'
import { queueNames } from '../../messaging/broker/queues.ts'
import { runCommand } from './command.ts'
import { Agent, startTraffic } from './traffic.ts'

const victims = [
  'broker',
  'db-primary',
  'db-replica',
  'memcached-1',
  'memcached-2',
  'redis',
  'web-1',
  'messaging-1',
] as const

let home: string
let cluster: Cluster
let agent: Agent
let sandbox: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-kill-'))
  cluster = await startCluster(home, { queues: queueNames, port: 0, demo: true })
  sandbox = cluster.env['PARLEY_SANDBOX_URL'] ?? ''
  agent = new Agent(cluster.publicUrl, await makeToken())
  await fetch(`${sandbox}/control/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ retry_ms: [200, 400, 800, 1_500, 2_000, 3_000, 4_000, 5_000, 5_000, 5_000, 5_000, 5_000] }),
  })
})

afterAll(async () => {
  await cluster.stop()
  await rm(home, { recursive: true, force: true })
})

describe('kill -9 in mid-traffic', () => {
  for (const victim of victims) {
    it(`of ${victim} loses nothing and doubles nothing`, async () => {
      const traffic = await startTraffic(agent, sandbox, victim, 2)
      await sleep(1_500)
      cluster.kill(victim, 'SIGKILL')
      await sleep(3_500)
      const tally = await traffic.finish(75_000)
      console.log(`killed ${victim}: ${JSON.stringify(tally)}`)
      expect(tally).toMatchObject({ lostInbound: 0, storedTwice: 0, lostOutbound: 0, seenTwice: 0, outOfOrder: 0 })
      expect(tally.said).toBeGreaterThan(50)
      expect(tally.answered).toBeGreaterThan(5)
    })
  }
})

async function makeToken(): Promise<string> {
  const { email, password } = cluster.administrator
  const signIn = await fetch(`${cluster.publicUrl}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  expect(signIn.status).toBeLessThan(300)
  const printed = await runCommand(['token', 'create', '--email', email, '--json'], cluster.env)
  return z.object({ token: z.string() }).parse(JSON.parse(printed)).token
}
