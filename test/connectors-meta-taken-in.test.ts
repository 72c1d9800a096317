/** All that Meta's networks may send reaches the database: every fixture, whole and spoilt, costs nothing and is there once. */
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../infra/ids.ts'
import { networks } from '../messaging/connectors/registry.ts'
import { Directory } from '../messaging/directory.ts'
import { Names } from '../messaging/names.ts'
import { receiveBodies } from '../messaging/receive.ts'
import { bad, places, replaced } from './connectors-meta-spoil.ts'
import { logger, openPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

const channels = [
  ['facebook', '1122334455'],
  ['facebook', '66'],
  ['instagram', '17841400000000001'],
  ['whatsapp', '106540352242922'],
  ['whatsapp', 'n1'],
  ['whatsapp', 'n2'],
  ['whatsapp', '102290129340398'],
] as const
const folder = (type: string): URL => new URL(`../messaging/connectors/${type}/fixtures/`, import.meta.url)
const bodies = (['facebook', 'instagram', 'whatsapp'] as const).flatMap((type) =>
  readdirSync(folder(type)).map((name) => readFileSync(new URL(name, folder(type)))),
)

let platform: Platform

beforeAll(async () => {
  platform = await openPlatform()
  for (const [type, externalId] of channels) await platform.createChannel(platform.appId, type, externalId)
})
afterAll(() => platform.close())

/** Takes them in, and gives what became of each body. */
async function takeIn(all: readonly Buffer[]): Promise<{ state: string; reason: string | null; body: Buffer }[]> {
  const { storage } = platform
  const context = { storage, directory: new Directory(storage), logger, names: new Names({ ...platform, logger }) }
  const given = all.map((bytes) => ({ id: newId(), appId: platform.appId, bytes }))
  const failed = await receiveBodies(context, given)
  expect([...failed.values()]).toEqual([])
  const rows = []
  for (const { id } of given) rows.push(await storage.received.get(storage.primary, platform.accountId, id))
  return rows.map((row, index) => ({
    state: row?.state ?? 'lost',
    reason: row?.reason ?? null,
    body: all[index] ?? Buffer.alloc(0),
  }))
}

test('every fixture, twice, in any order', async () => {
  const order = fc.sample(fc.shuffledSubarray([...bodies, ...bodies], { minLength: bodies.length * 2 }), 1)[0] ?? []
  for (const row of await takeIn(order))
    expect(['processed', 'kept'], `${String(row.reason)}: ${row.body.toString()}`).toContain(row.state)
  const wanted = new Set(
    bodies
      .flatMap((body) => networks.meta.parse(body))
      .flatMap(({ event, channelType, channelExternalId }) => {
        const isOurs = channels.some(([type, id]) => type === channelType && id === channelExternalId)
        return event.type === 'message' && isOurs
          ? [`${String(channelExternalId)} ${event.thread.kind} ${event.externalId}`]
          : []
      }),
  )
  const stored = (await platform.messages()).filter(({ direction }) => direction === 'inbound')
  expect(stored).toHaveLength(wanted.size)
  expect(wanted.size).toBeGreaterThan(75)
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
  const seed = Number(process.env['PARLEY_TEST_SEED'] ?? Math.floor(Math.random() * 1e9))
  const rows = await takeIn(fc.sample(spoilt, { numRuns: 400, seed }))
  for (const row of rows)
    expect(
      ['processed', 'kept'],
      `seed ${String(seed)}: ${String(row.reason)}: ${row.body.toString().slice(0, 3_000)}`,
    ).toContain(row.state)
})
