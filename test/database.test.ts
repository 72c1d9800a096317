import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { locateHome } from '../infra/cluster/home.ts'
import { startServers } from '../infra/cluster/servers.ts'
import type { Servers } from '../infra/cluster/servers.ts'
import { runSql } from '../infra/cluster/servers/mariadb.ts'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { CommitUnknown, openStorage } from '../storage/index.ts'
import type { Position, Reader, Storage } from '../storage/index.ts'
import { LeaseLost } from '../storage/stores/leases.ts'
import { makeDatabase } from './databases.ts'
import type { TestDatabase } from './databases.ts'

/** A pair of our own: replication is delayed and stopped, servers are frozen and killed. */
let servers: Servers
let folder = ''
let database: TestDatabase
/** Two processes of the cluster. */
let one: Storage
let two: Storage

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-db-'))
  servers = await startServers(folder, { queues: [] })
  database = await makeDatabase({ environment: servers.env })
  one = await openStorage(database.config, silentLogger)
  two = await openStorage(database.config, silentLogger)
}, 120_000)

afterAll(async () => {
  await Promise.all([one.close(), two.close()])
  await database.drop()
  await servers.stop()
  await rm(folder, { recursive: true, force: true })
}, 60_000)

const onReplica = (sql: string) => runSql(locateHome(folder), 'db-replica', sql)
const delay = (seconds: number) =>
  onReplica(`stop slave; change master to master_delay = ${String(seconds)}; start slave`)

const createAccount = async (name = 'x') => (await one.write((tx) => one.accounts.create(tx, name))).id
const rename = (storage: Storage, id: string, name: string) =>
  storage.write((tx) => tx.run('update accounts set name = ? where id = ?', [name, id]))
const nameOf = async (reader: Reader, id: string) =>
  (await reader.first<{ name: string }>('select name from accounts where id = ?', [id]))?.name
const serverOf = async (reader: Reader) => (await reader.first<{ id: number }>('select @@server_id as id'))?.id

/** Until the replica serves those who have written nothing. */
async function whenReplicaServes(storage: Storage): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if ((await serverOf(storage.as({ gtid: undefined }).fresh)) === 2) return
    await sleep(50)
  }
  throw new Error('the replica does not serve')
}

/** Each session writes on one process and reads on the other, as its position travels. */
async function writeAndRead(pairs: number, sessions: number): Promise<{ stale: number; fromReplica: number }> {
  const counts = { stale: 0, fromReplica: 0 }
  await Promise.all(
    Array.from({ length: sessions }, async () => {
      const id = await createAccount()
      const position: Position = { gtid: undefined }
      for (let turn = 0; turn < pairs / sessions; turn++) {
        const [writer, reader] = turn % 2 === 0 ? [one, two] : [two, one]
        const name = newId()
        await rename(writer.as(position), id, name)
        if (turn % 5 === 0) await sleep(3)
        const row = await reader
          .as({ ...position })
          .fresh.first<{ name: string; server: number }>(
            'select name, @@server_id as server from accounts where id = ?',
            [id],
          )
        if (row?.name !== name) counts.stale++
        if (row?.server === 2) counts.fromReplica++
      }
    }),
  )
  return counts
}

describe('fresh reads', () => {
  it('see their own write, and are mostly spared the primary once the replica has it', async () => {
    await whenReplicaServes(one)
    await whenReplicaServes(two)
    const counts = await writeAndRead(6_000, 8)
    console.log('fresh, replica at hand', JSON.stringify(counts))
    expect(counts.stale).toBe(0)
    expect(counts.fromReplica).toBeGreaterThan(0)
    const position: Position = { gtid: undefined }
    const id = await createAccount()
    await rename(one.as(position), id, 'now')
    await one.as(position).fresh.query('select 1')
    await sleep(200)
    expect([await serverOf(one.as(position).fresh), await nameOf(one.as(position).fresh, id)]).toEqual([2, 'now'])
  })

  it('see their own write while the replica is 5 s behind, and cost no waiting', async () => {
    await delay(5)
    const begin = performance.now()
    const counts = await writeAndRead(5_000, 8)
    console.log(
      'fresh, replica 5 s behind',
      JSON.stringify(counts),
      `${String(Math.round(performance.now() - begin))} ms`,
    )
    expect(counts.stale).toBe(0)
    const id = await createAccount('before')
    await rename(one, id, 'after')
    // The replica really is behind: who may lag does not see it yet.
    expect(await nameOf(one.bulk, id)).toBeUndefined()
    await delay(0)
    await whenReplicaServes(one)
  }, 60_000)

  it('see what an own transaction has read, although it wrote nothing', async () => {
    await delay(5)
    await whenReplicaServes(one)
    const id = await createAccount('of another')
    const position: Position = { gtid: undefined }
    const reader = one.as(position)
    expect(await nameOf(reader.fresh, id)).toBeUndefined()
    expect(await reader.write((tx) => nameOf(tx, id))).toBe('of another')
    expect(await nameOf(reader.fresh, id)).toBe('of another')
    await delay(0)
  })

  it('go to the primary when the position is unknown, replication has stopped, or the replica is frozen or away', async () => {
    await whenReplicaServes(one)
    expect(await serverOf(one.as({ gtid: 'unknown' }).fresh)).toBe(1)

    await onReplica('stop slave sql_thread')
    const id = await createAccount()
    await sleep(4_500)
    expect(await serverOf(one.as({ gtid: undefined }).fresh)).toBe(1)
    expect(one.replicas()[0]!.lagMs).toBeGreaterThan(2_000)
    await onReplica('start slave sql_thread')
    await whenReplicaServes(one)

    servers.pause('db-replica')
    const begin = performance.now()
    expect(await nameOf(one.as({ gtid: undefined }).fresh, id)).toBe('x')
    expect(performance.now() - begin).toBeLessThan(2_900)
    servers.resume('db-replica')
    await whenReplicaServes(one)

    await servers.hold('db-replica')
    for (let turn = 0; turn < 20; turn++) expect(await nameOf(one.as({ gtid: undefined }).fresh, id)).toBe('x')
    await sleep(300)
    expect(await nameOf(one.bulk, id)).toBe('x')
    await servers.release('db-replica')
    await whenReplicaServes(one)
  }, 90_000)
})

describe('write', () => {
  it('is all or nothing, and calls afterCommit only then', async () => {
    const called: string[] = []
    const id = newId()
    const work = one.write(async (tx) => {
      tx.afterCommit(() => void called.push('failed'))
      await tx.run('insert into accounts (id, name, created_at) values (?, ?, now())', [id, 'x'])
      throw new Error('no')
    })
    await expect(work).rejects.toThrow('no')
    expect(await nameOf(one.primary, id)).toBeUndefined()
    await one.write(async (tx) => {
      tx.afterCommit(async () => void called.push(String(await nameOf(two.primary, id))))
      tx.afterCommit(() => Promise.reject(new Error('only logged')))
      await tx.run('insert into accounts (id, name, created_at) values (?, ?, now())', [id, 'y'])
    })
    expect(called).toEqual(['y'])
  })

  it('repeats what met a deadlock', async () => {
    const [a, b] = [await createAccount('0'), await createAccount('0')]
    let begun = 0
    const add = (storage: Storage, first: string, second: string) =>
      storage.write(async (tx) => {
        begun++
        for (const id of [first, second]) {
          await tx.run('update accounts set name = name + 1 where id = ?', [id])
          await sleep(5)
        }
      })
    for (let turn = 0; turn < 10; turn++) await Promise.all([add(one, a, b), add(two, b, a)])
    expect([await nameOf(one.primary, a), await nameOf(one.primary, b)]).toEqual(['20', '20'])
    expect(begun).toBeGreaterThan(20)
  })

  it('refuses values that a driver could expand, and keeps every text as it is', async () => {
    const odd = `'"\\%_\0;-- 🐙 ü`
    const sneaky: unknown = { toSqlString: () => '1 or 1=1' }
    const isValue = (_value: unknown): _value is string => true
    if (isValue(sneaky)) {
      await expect(one.primary.query('select name from accounts where id = ?', [sneaky])).rejects.toThrow(TypeError)
      await expect(
        one.write((tx) => tx.insertMany('accounts', ['id', 'name', 'created_at'], [[newId(), sneaky, new Date()]])),
      ).rejects.toThrow(TypeError)
    }
    await expect(one.write((tx) => tx.insertMany('accounts; drop table users', ['id'], [['x']]))).rejects.toThrow(
      TypeError,
    )
    const ids = Array.from({ length: 2_500 }, () => newId())
    const at = new Date('2026-03-29T01:30:00.123Z')
    const { affectedRows } = await one.write((tx) =>
      tx.insertMany(
        'accounts',
        ['id', 'name', 'created_at'],
        ids.map((id) => [id, odd, at]),
      ),
    )
    expect(affectedRows).toBe(2_500)
    const row = await one.primary.first<{ name: string; created_at: Date }>(
      'select name, created_at from accounts where id = ?',
      [ids[7]!],
    )
    expect(row).toEqual({ name: odd, created_at: at })
  })

  it('says 503 while the primary is away, CommitUnknown when the answer to a commit was lost, and goes on afterwards', async () => {
    const ids = Array.from({ length: 400 }, () => newId())
    const outcomes = new Map<string, unknown>()
    const storm = Promise.all(
      ids.map(async (id, index) => {
        await sleep(index * 3)
        await one
          .write(async (tx) => {
            await tx.run('insert into accounts (id, name, created_at) values (?, ?, now())', [id, 'storm'])
          })
          .then(
            () => outcomes.set(id, 'done'),
            (error: unknown) => outcomes.set(id, error),
          )
      }),
    )
    await sleep(500)
    await servers.hold('db-primary')
    await storm
    await servers.release('db-primary')
    let lost = 0
    let wrong = 0
    const kinds = { done: 0, away: 0, unknown: 0, other: 0 }
    for (const [id, outcome] of outcomes) {
      const isThere = (await nameOf(one.primary, id)) !== undefined
      if (outcome === 'done') kinds.done++
      else if (outcome instanceof CommitUnknown) kinds.unknown++
      else if (typeof outcome === 'object' && outcome !== null && 'code' in outcome && outcome.code === 'database_away')
        kinds.away++
      else kinds.other++
      if (outcome === 'done' && !isThere) lost++
      if (outcome !== 'done' && !(outcome instanceof CommitUnknown) && isThere) wrong++
    }
    console.log('primary killed', JSON.stringify(kinds))
    expect([lost, wrong, kinds.other]).toEqual([0, 0, 0])
    expect(kinds.done).toBeGreaterThan(0)
    expect(kinds.away).toBeGreaterThan(0)
    expect(await createAccount()).toHaveLength(36)
  }, 60_000)
})

describe('leases', () => {
  it('are held by one, expire by the clock of the database, and fence whoever lost them', async () => {
    const name = `test-${newId()}`
    const first = await one.write((tx) => one.leases.acquire(tx, name, 'node-1', 300))
    expect(first).toMatchObject({ holder: 'node-1', epoch: 1 })
    expect(await two.write((tx) => two.leases.acquire(tx, name, 'node-2', 300))).toBeUndefined()
    await one.write((tx) => one.leases.assertHeld(tx, name, 1))
    await sleep(400)
    const second = await two.write((tx) => two.leases.acquire(tx, name, 'node-2', 5_000))
    expect(second).toMatchObject({ holder: 'node-2', epoch: 2 })
    await expect(one.write((tx) => one.leases.assertHeld(tx, name, 1))).rejects.toThrow(LeaseLost)
    expect(await one.write((tx) => one.leases.renew(tx, first!, 5_000))).toBe(false)
    await two.write((tx) => two.leases.release(tx, second!))
    expect(await one.write((tx) => one.leases.acquire(tx, name, 'node-1', 300))).toMatchObject({ epoch: 3 })
  })

  it('go to exactly one of many who ask at once', async () => {
    const name = `test-${newId()}`
    const got = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? one : two).write((tx) => one.leases.acquire(tx, name, `node-${String(index)}`, 5_000)),
      ),
    )
    expect(got.filter((lease) => lease !== undefined)).toHaveLength(1)
  })
})

describe('idempotency', () => {
  it('lets one of many repetitions through and gives the others its answer', async () => {
    const request = { accountId: newId(), userId: newId(), key: 'k', request: 'POST /x {}' }
    const begun = await Promise.all(
      Array.from({ length: 10 }, () => one.write((tx) => one.idempotency.begin(tx, request))),
    )
    expect(begun.filter(({ state }) => state === 'new')).toHaveLength(1)
    expect(begun.filter(({ state }) => state === 'running')).toHaveLength(9)
    await one.write((tx) => one.idempotency.finish(tx, request, 201, '{"id":1}'))
    expect(await two.write((tx) => two.idempotency.begin(tx, request))).toEqual({
      state: 'done',
      status: 201,
      response: '{"id":1}',
    })
    expect(await two.write((tx) => two.idempotency.begin(tx, { ...request, request: 'POST /y {}' }))).toEqual({
      state: 'different',
    })
    expect(await two.write((tx) => two.idempotency.begin(tx, { ...request, userId: newId() }))).toMatchObject({
      state: 'new',
    })
  })
})
