/** All that X may send reaches the database: every fixture, whole, doubled and spoilt, costs nothing and is there once. */
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../infra/ids.ts'
import { x } from '../messaging/connectors/x/network.ts'
import { Directory } from '../messaging/directory.ts'
import { Names } from '../messaging/names.ts'
import { receiveBodies } from '../messaging/receive.ts'
import { bad, places, replaced } from './connectors-meta-spoil.ts'
import { logger, openPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

const accounts = ['1400000000000000001', '1400000000000000002']
const folder = new URL('../messaging/connectors/x/fixtures/', import.meta.url)
const bodies = readdirSync(folder).map((name) => readFileSync(new URL(name, folder)))

let platform: Platform
let appId: string

beforeAll(async () => {
  platform = await openPlatform()
  appId = await platform.createApp('x')
  for (const externalId of accounts) await platform.createChannel(appId, 'x', externalId)
})
afterAll(() => platform.close())

/** Takes them in, and gives what became of each body. */
async function takeIn(all: readonly Buffer[]): Promise<{ state: string; reason: string | null; body: Buffer }[]> {
  const { storage } = platform
  const context = { storage, directory: new Directory(storage), logger, names: new Names({ ...platform, logger }) }
  const given = all.map((bytes) => ({ id: newId(), appId, bytes }))
  expect([...(await receiveBodies(context, given)).values()]).toEqual([])
  const rows = []
  for (const { id } of given) rows.push(await storage.received.get(storage.primary, platform.accountId, id))
  return rows.map((row, index) => ({
    state: row?.state ?? 'lost',
    reason: row?.reason ?? null,
    body: all[index] ?? Buffer.alloc(0),
  }))
}

const seed = Number(process.env['PARLEY_TEST_SEED'] ?? Math.floor(Math.random() * 1e9))

test('every fixture, twice, in any order: each message once in each channel', async () => {
  const order =
    fc.sample(fc.shuffledSubarray([...bodies, ...bodies], { minLength: bodies.length * 2 }), { numRuns: 1, seed })[0] ??
    []
  for (const row of await takeIn(order))
    expect(['processed', 'kept'], `seed ${String(seed)}: ${String(row.reason)}: ${row.body.toString()}`).toContain(
      row.state,
    )
  const wanted = new Set(
    bodies
      .flatMap((body) => x.parse(body))
      .flatMap(({ event, channelExternalId }) =>
        event.type === 'message' && accounts.includes(channelExternalId ?? '')
          ? [`${String(channelExternalId)} ${event.thread.kind} ${event.externalId}`]
          : [],
      ),
  )
  const stored = (await platform.messages()).filter(({ direction }) => direction === 'inbound')
  expect(stored).toHaveLength(wanted.size)
  expect(wanted.size).toBeGreaterThan(15)
  for (const { externalId } of stored)
    expect([...wanted].some((key) => key.endsWith(` ${String(externalId)}`))).toBe(true)
})

test('spoilt bodies never cost anything', async () => {
  const parsed = bodies.flatMap((body) => {
    try {
      return [JSON.parse(body.toString()) as unknown]
    } catch {
      return []
    }
  })
  const spoilt = fc
    .constantFrom(...parsed.map((body) => ({ body, list: places(body) })))
    .chain(({ body, list }) =>
      fc
        .tuple(fc.constantFrom(...list), fc.constantFrom(...bad))
        .map(([path, by]) => Buffer.from(JSON.stringify(replaced(body, path, by) ?? null))),
    )
  for (const row of await takeIn(fc.sample(spoilt, { numRuns: 500, seed })))
    expect(
      ['processed', 'kept'],
      `seed ${String(seed)}: ${String(row.reason)}: ${row.body.toString().slice(0, 3_000)}`,
    ).toContain(row.state)
})
