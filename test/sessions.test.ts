import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cookie } from 'express-session'
import type { SessionData } from 'express-session'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { openStorage } from '../storage/index.ts'
import type { Storage } from '../storage/index.ts'
import { makeDatabase } from './databases.ts'
import type { TestDatabase } from './databases.ts'

let database: TestDatabase
/** Two nodes with the same pool of caches. */
let one: Storage
let two: Storage
/** A node after every cache server was lost. */
let bare: Storage

beforeAll(async () => {
  database = await makeDatabase()
  one = await openStorage(database.config, silentLogger)
  two = await openStorage(database.config, silentLogger)
  bare = await openStorage({ ...database.config, prefix: `${database.config.prefix}_lost` }, silentLogger)
})
afterAll(async () => {
  await Promise.all([one.close(), two.close(), bare.close()])
  await database.drop()
})

const accountId = newId()
const userId = newId()

function sessionOf(more: Record<string, unknown> = {}): SessionData {
  const cookie = new Cookie()
  cookie.maxAge = 3_600_000
  return { cookie, accountId, userId, agent: 'Firefox', ...more } as unknown as SessionData
}
const save = (storage: Storage, id: string, session: SessionData) =>
  new Promise<void>((resolve, reject) => {
    storage.sessions.set(id, session, (error?: unknown) => (error instanceof Error ? reject(error) : resolve()))
  })
const destroy = (storage: Storage, id: string) =>
  new Promise<void>((resolve, reject) => {
    storage.sessions.destroy(id, (error?: unknown) => (error instanceof Error ? reject(error) : resolve()))
  })

describe('sessions', () => {
  it('are known on each node, also after all caches are lost', async () => {
    const id = newId()
    await save(one, id, sessionOf({ csrf: 'ü' }))
    for (const storage of [one, two, bare, two])
      expect(await storage.sessions.read(id)).toMatchObject({ userId, csrf: 'ü' })
    expect(await two.sessions.read(`${id}x`)).toBeNull()
  })

  it('change and end everywhere at once', async () => {
    const id = newId()
    await save(one, id, sessionOf({ csrf: '1' }))
    const loaded = await two.sessions.read(id)
    await save(two, id, { ...loaded, csrf: '2' } as unknown as SessionData)
    expect(await one.sessions.read(id)).toMatchObject({ csrf: '2' })
    await destroy(two, id)
    expect([await one.sessions.read(id), await bare.sessions.read(id)]).toEqual([null, null])
  })

  it('stay ended when a slow request saves one afterwards', async () => {
    const id = newId()
    await save(one, id, sessionOf())
    const inHand = await one.sessions.read(id)
    expect(await two.sessions.endAll(accountId, userId)).toBeGreaterThan(0)
    await save(one, id, inHand!)
    expect([await one.sessions.read(id), await two.sessions.read(id)]).toEqual([null, null])
  })

  it('are listed without what signs in, and ended by their owner alone', async () => {
    const id = newId()
    const owner = newId()
    await save(one, id, sessionOf({ userId: owner }))
    const [info] = await one.sessions.list(accountId, owner)
    expect(info).toMatchObject({ agent: 'Firefox' })
    expect(JSON.stringify(info)).not.toContain(id)
    expect(await one.sessions.end(accountId, userId, info!.id)).toBe(false)
    expect(await one.sessions.end(accountId, owner, info!.id)).toBe(true)
    expect(await two.sessions.read(id)).toBeNull()
  })

  it('expire', async () => {
    const id = newId()
    const session = sessionOf()
    session.cookie.maxAge = -1_000
    await save(one, id, session)
    expect(await one.sessions.read(id)).toBeNull()
    expect(await one.write((tx) => one.sessions.removeExpired(tx, 10))).toBeGreaterThan(0)
  })
})

describe('positions', () => {
  it('travel between nodes and never go back', async () => {
    const key = newId()
    await one.positions.set(key, '0-1-20')
    expect([await two.positions.get(key), await one.positions.get(key)]).toEqual(['0-1-20', '0-1-20'])
    await two.positions.set(key, '0-2-15')
    expect(await one.positions.get(key)).toBe('0-1-20')
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (index % 2 === 0 ? one : two).positions.set(key, `0-1-${String(21 + index)}`),
      ),
    )
    expect([await one.positions.get(key), await two.positions.get(key)]).toEqual(['0-1-60', '0-1-60'])
  })

  it('are unknown when lost, once, and then known again', async () => {
    const key = newId()
    expect(await one.positions.get(key)).toBe('unknown')
    expect(await two.positions.get(key)).toMatch(/^\d+-\d+-\d+/)
    const without = await openStorage({ ...database.config, memcached: ['127.0.0.1:1'] }, silentLogger)
    await without.positions.set(key, '0-1-5')
    expect(await without.positions.get(key)).toBe('unknown')
    await without.close()
  })
})
