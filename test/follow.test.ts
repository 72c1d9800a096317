/** What follows the events: each once, in order, whoever does it; one that cannot be worked on holds up nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { numberFacts } from '../messaging/events.ts'
import { followOnce, startFollower } from '../messaging/follow.ts'
import type { Follower } from '../messaging/follow.ts'
import type { Lease } from '../storage/index.ts'
import { LeaseLost } from '../storage/index.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
let relay: Lease

beforeAll(async () => {
  platform = await openPlatform()
  relay = await takeLease('relay', 'test')
  await platform.storage.write((tx) => tx.run('create table seen (number bigint primary key, subject varchar(64))'))
})

afterAll(() => platform.close())

it('works on each event once and in order while two nodes follow and one after the other stops', async () => {
  const follower = writerOf('twice')
  const nodes = [platform, await platform.openNode('node-2')]
  const running = nodes.map(({ storage }, n) =>
    startFollower({ storage, logger, holder: `node-${String(n)}` }, follower),
  )
  await until(async () => (await platform.storage.followers.position(platform.storage.primary, 'twice')) !== undefined)
  const first = await announce(30)
  await until(async () => (await seen(first)).length === 30)
  await running[0]?.stop()
  const second = await announce(30)
  await until(async () => (await seen(second)).length === 30)
  await running[1]?.stop()
  const numbers = (await seen([...first, ...second])).map(({ number }) => number)
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
  expect(new Set(numbers).size).toBe(60)
})

it('keeps aside what cannot be worked on and goes on', async () => {
  const { storage } = platform
  const lease = await takeLease('follow-picky', 'test')
  await storage.write((tx) => storage.followers.begin(tx, 'picky'))
  const subjects = await announce(5)
  const bad = subjects[2]
  const inner = writerOf('picky')
  const picky: Follower = {
    ...inner,
    handle: (tx, events) =>
      events.some(({ data }) => data['app_id'] === bad)
        ? Promise.reject(new Error('not this one'))
        : inner.handle(tx, events),
  }
  const failed: unknown[] = []
  await followOnce(storage, lease, picky, (event) => failed.push(event.data['app_id']))
  expect(failed).toEqual([bad])
  expect((await seen(subjects)).map(({ subject }) => subject)).toEqual(subjects.filter((each) => each !== bad))
  const kept = await storage.primary.query<{ reason: string }>(
    "select reason from follower_failures where follower = 'picky'",
  )
  expect(kept.map(({ reason }) => reason)).toEqual(['not this one'])
})

it('does nothing under a lease that another node has by now', async () => {
  const { storage } = platform
  const old = await takeLease('follow-late', 'one')
  await storage.write((tx) => storage.followers.begin(tx, 'late'))
  const subjects = await announce(3)
  await storage.write((tx) => storage.leases.release(tx, old))
  await takeLease('follow-late', 'another')
  await expect(followOnce(storage, old, writerOf('late'), () => undefined)).rejects.toThrow(LeaseLost)
  expect(await seen(subjects)).toEqual([])
})

const takeLease = async (name: string, holder: string): Promise<Lease> => {
  const lease = await platform.storage.write((tx) => platform.storage.leases.acquire(tx, name, holder, 60_000))
  if (lease === undefined) throw new Error(`${name} is taken`)
  return lease
}

const writerOf = (name: string): Follower => ({
  name,
  types: ['app.changed'],
  async handle(tx, events) {
    for (const { number, data } of events)
      await tx.run('insert into seen (number, subject) values (?, ?)', [number, String(data['app_id'])])
  },
})

/** `count` numbered facts of subjects of their own. */
async function announce(count: number): Promise<string[]> {
  const { storage, accountId } = platform
  const subjects = Array.from({ length: count }, (_, n) => `${String(n)}-${String(Math.random())}`)
  for (const app_id of subjects)
    await storage.write((tx) => storage.outbox.append(tx, { type: 'app.changed', accountId, data: { app_id } }))
  while ((await numberFacts(storage, relay)) > 0);
  return subjects
}

const seen = (subjects: readonly string[]) =>
  platform.storage.primary.query<{ number: number; subject: string }>(
    `select number, subject from seen where subject in (${subjects.map(() => '?').join(', ')}) order by number`,
    subjects,
  )
