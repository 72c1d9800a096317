/** How the played networks deliver: their schedules and what they do to the silent, order, batches, repetitions, load. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../infra/logger.ts'
import { networks } from '../messaging/connectors/registry.ts'
import type { ParsedItem } from '../messaging/connectors/connector.ts'
import { chanceFrom, shuffle } from '../messaging/sandbox/chance.ts'
import { SandboxClock } from '../messaging/sandbox/clock.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'
import type { NetworkName } from '../storage/model/words.ts'

const pages = ['1122334455', '1122334466'] as const
const account = '1400000000000000001'
const ana = { id: '7100000000000001', name: 'Ana Duarte' }
const ben = { id: '1589012345678901201', name: 'Ben Okafor', handle: 'benokafor' }

let home: string
let sandbox: Sandbox
let receiver: Server
let items: ParsedItem[]
/** Items of each body. */
let sizes: number[]
let wrong: number
let posts: number
let status: number
/** Handshakes fail, though not with a wrong answer. */
let isAway: boolean

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'delivery-'))
  isAway = false
  items = []
  sizes = []
  wrong = 0
  posts = 0
  status = 200
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://receiver')
      const name: NetworkName = url.pathname === '/x' ? 'x' : 'meta'
      const app = { secrets: [`${name}-secret`], verifyToken: 'verify-me' }
      const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
      const call = { method: request.method ?? '', query: url.searchParams, headers, body: Buffer.concat(chunks) }
      const handshake = networks[name].answerHandshake(call, app)
      if (handshake !== undefined) return response.writeHead(isAway ? 500 : handshake.status).end(handshake.body)
      posts += 1
      if (!networks[name].verify(call, app)) wrong += 1
      else if (status === 200) {
        const read = networks[name].parse(call.body)
        sizes.push(read.length)
        items.push(...read)
      }
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  const to = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}`
  await control('PUT', 'apps', {
    network: 'meta',
    app_id: '99',
    secrets: ['meta-secret'],
    verify_token: 'verify-me',
    webhook_url: `${to}/meta`,
  })
  await control('PUT', 'apps', {
    network: 'x',
    app_id: '98',
    secrets: ['x-secret'],
    consumer_key: 'key',
    webhook_url: `${to}/x`,
  })
  for (const page of pages)
    await control('PUT', 'channels', {
      type: 'facebook',
      external_id: page,
      name: 'Harbour',
      access_token: page,
      app_id: '99',
    })
  await control('PUT', 'channels', {
    type: 'x',
    external_id: account,
    name: 'Harbour',
    handle: 'harbour',
    access_token: 'x-token',
    app_id: '98',
  })
  await expect.poll(async () => (await control('GET', 'webhooks'))['pending']).toBe(0)
  items = []
  sizes = []
  wrong = 0
  posts = 0
  status = 200
})

afterEach(async () => {
  await sandbox.stop()
  receiver.closeAllConnections()
  receiver.close()
  rmSync(home, { recursive: true })
})

async function control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${String(sandbox.port)}/control/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await answer.json()) as Record<string, unknown>
}
const say = (text: string, more: object = {}): Promise<Record<string, unknown>> =>
  control('POST', 'say', { type: 'facebook', channel: pages[0], person: ana, kind: 'message', text, ...more })
const tweet = (text: string): Promise<Record<string, unknown>> =>
  say(text, { type: 'x', channel: account, person: ben })
const advance = (ms: number): Promise<Record<string, unknown>> => control('POST', 'clock', { ms })
const texts = (): (string | undefined)[] => items.flatMap(({ event }) => (event.type === 'message' ? [event.text] : []))
const idle = () =>
  expect.poll(async () => (await control('GET', 'webhooks'))['pending'], { timeout: 20_000, interval: 20 }).toBe(0)
/** Pushes the clock so long that nothing is left to try; each step lets what was due be answered. */
async function pass(totalMs: number, stepMs: number): Promise<void> {
  for (let passed = 0; passed < totalMs; passed += stepMs) {
    const before = posts
    await advance(stepMs)
    await new Promise((resolve) => setTimeout(resolve, posts === before ? 12 : 4))
  }
}
const attemptsOf = async (given_up?: boolean): Promise<number> => {
  const log = (await control('GET', 'webhooks?limit=1000')) as { items: { given_up: boolean }[] }
  return log.items.filter((one) => given_up === undefined || one.given_up === given_up).length
}

describe('the real schedules', () => {
  const minute = 60_000
  beforeEach(() => control('PUT', 'settings', { course: 'real' }))

  test('X: three times within some five minutes, then lost', async () => {
    status = 503
    await tweet('lost')
    expect(posts).toBe(1)
    await pass(6 * minute, 3_000)
    expect(posts).toBe(4)
    status = 200
    await pass(60 * minute, 10 * minute)
    expect(texts()).toEqual([])
    expect(await control('GET', 'webhooks')).toMatchObject({ pending: 0, counts: { given_up: 1 } })
  })

  test('Messenger: a warning after fifteen minutes, switched off after an hour, silent until subscribed again', async () => {
    status = 503
    await say('lost')
    await pass(20 * minute, 15_000)
    expect(await control('GET', 'webhooks')).toMatchObject({ consequences: [{ what: 'warned', channel: pages[0] }] })
    await pass(50 * minute, minute)
    expect(await control('GET', 'webhooks')).toMatchObject({
      consequences: [{ what: 'warned' }, { what: 'switched_off', channel: pages[0] }],
    })
    status = 200
    const before = posts
    await say('unheard')
    await pass(120 * minute, 5 * minute)
    expect(posts).toBe(before)
    // The other page was never silent.
    await say('other page', { channel: pages[1] })
    await control('PUT', 'subscriptions', { channel: pages[0], is_on: true })
    await say('heard')
    expect(texts()).toEqual(['other page', 'heard'])
  })

  test('Page feed: less and less often for 36 hours, and taken as soon as somebody answers', async () => {
    status = 503
    await say('a comment', { kind: 'comment' })
    await pass(3 * minute, 15_000)
    await pass(20 * 60 * minute, 10 * minute)
    const tries = posts
    expect(tries).toBeGreaterThan(7)
    expect(tries).toBeLessThan(12)
    status = 200
    await pass(8 * 60 * minute, 30 * minute)
    expect(texts()).toEqual(['a comment'])
    status = 503
    await say('another', { kind: 'comment' })
    await pass(3 * minute, 15_000)
    await pass(37 * 60 * minute, 30 * minute)
    expect(await attemptsOf(true)).toBe(1)
  })

  test('WhatsApp: for seven days', async () => {
    const number = '106540352242922'
    await control('PUT', 'channels', {
      type: 'whatsapp',
      external_id: number,
      name: 'Harbour',
      access_token: 'wa',
      app_id: '99',
    })
    const ask = (text: string): Promise<Record<string, unknown>> =>
      say(text, { type: 'whatsapp', channel: number, person: { id: '351910000001', name: 'Ana' } })
    status = 503
    await ask('found after six days')
    await pass(6 * 24 * 60 * minute, 60 * minute)
    status = 200
    await pass(13 * 60 * minute, 60 * minute)
    expect(texts()).toEqual(['found after six days'])
    status = 503
    await ask('lost')
    await pass(8 * 24 * 60 * minute, 120 * minute)
    expect(await attemptsOf(true)).toBe(1)
  })

  test('X: an address that cannot be reached is invalid after 28 hours', async () => {
    isAway = true
    await pass(27 * 60 * minute, 60 * minute)
    expect((await control('GET', 'webhooks'))['consequences']).toEqual([])
    await pass(4 * 60 * minute, 60 * minute)
    await expect.poll(() => control('GET', 'webhooks')).toMatchObject({ consequences: [{ what: 'invalid' }] })
    isAway = false
    await tweet('lost')
    expect(await control('GET', 'webhooks')).toMatchObject({ counts: { given_up: 1 } })
    expect(texts()).toEqual([])
  })
})

test('the clock: faster, and pushed', async () => {
  const clock = new SandboxClock()
  const done: string[] = []
  clock.later(60_000, () => done.push('second'))
  clock.later(30_000, () => done.push('first'))
  clock.later(90_000, () => done.push('third'))()
  clock.advance(29_000)
  expect(done).toEqual([])
  clock.advance(40_000)
  expect(done).toEqual(['first', 'second'])
  clock.later(10_000, () => done.push('fast'))
  clock.setSpeed(1_000)
  await expect.poll(() => done).toContain('fast')
  expect(clock.now()).toBeGreaterThan(Date.now() + 70_000)
  clock.stop()
  expect(done).not.toContain('third')
})

describe('faults of delivery', () => {
  test('held, and let go again, whole', async () => {
    await control('POST', 'faults', { fault: 'hold_webhooks', seed: 7 })
    for (let number = 0; number < 30; number += 1) await say(String(number))
    expect(texts()).toEqual([])
    await control('DELETE', 'faults')
    await idle()
    const said = Array.from({ length: 30 }, (_, number) => String(number))
    expect(texts()).not.toEqual(said)
    expect(texts().sort()).toEqual(said.sort())
  })

  test('late, lost, wrongly signed, twice', async () => {
    await control('POST', 'faults', { fault: 'delay_webhooks', ms: 60_000, count: 1 })
    await say('late')
    await say('soon')
    expect(texts()).toEqual(['soon'])
    await advance(60_000)
    await idle()
    expect(texts()).toEqual(['soon', 'late'])
    await control('POST', 'faults', { fault: 'lose_webhooks', count: 1 })
    await say('never')
    await control('POST', 'faults', { fault: 'bad_signature', count: 1 })
    await say('forged')
    expect(wrong).toBe(1)
    await control('POST', 'faults', { fault: 'repeat_webhooks', count: 1 })
    await say('twice')
    expect(texts()).toEqual(['soon', 'late', 'twice', 'twice'])
  })
})

describe('load', () => {
  test('the same seed gives the same order', () => {
    const run = (seed: number): number[] => {
      const list = Array.from({ length: 50 }, (_, index) => index)
      shuffle(list, chanceFrom(seed))
      return list
    }
    expect(run(3)).toEqual(run(3))
    expect(run(3)).not.toEqual(run(4))
    expect([...run(3)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index))
  })

  test('several networks and fields at once, each event three times, in any order, many in one body', async () => {
    const told = await control('POST', 'burst', {
      people: 40,
      messages: 1_000,
      kinds: ['message', 'comment'],
      times: 3,
      shuffle: true,
      seed: 11,
      batch: 100,
    })
    expect(told).toMatchObject({ total: 3_000, seed: 11 })
    await expect.poll(() => items.length, { timeout: 15_000 }).toBe(3_000)
    const times = new Map<string, number>()
    for (const { event } of items) {
      if (event.type !== 'message') throw new Error(event.type)
      times.set(event.externalId, (times.get(event.externalId) ?? 0) + 1)
    }
    expect(times.size).toBe(1_000)
    expect(new Set(times.values())).toEqual(new Set([3]))
    expect(Math.max(...sizes)).toBe(100)
    const channels = new Set(items.map(({ channelExternalId }) => channelExternalId))
    expect(channels).toEqual(new Set([...pages, account]))
    // Not in the order in which it was said, but with the times of it: a millisecond from one to the next.
    const first = items
      .flatMap(({ event }) => ('occurredAt' in event ? [event.occurredAt.getTime()] : []))
      .slice(0, 200)
    expect(first).not.toEqual([...first].sort((a, b) => a - b))
    const ledger = (await control('GET', `ledger?limit=2000`)) as {
      items: { external_id: string; direction: string }[]
    }
    expect(
      ledger.items
        .filter(({ direction }) => direction === 'inbound')
        .every(({ external_id }) => times.has(external_id)),
    ).toBe(true)
    expect(await control('GET', 'burst')).toMatchObject({ said: 1_000, told: 3_000, is_over: true, pending: 0 })
    expect(wrong).toBe(0)
  })

  test('all four kinds of channel', async () => {
    const meta = { name: 'Harbour', app_id: '99' }
    await control('PUT', 'channels', {
      ...meta,
      type: 'instagram',
      external_id: '17841400000000001',
      handle: 'harbour',
      access_token: 'ig',
    })
    await control('PUT', 'channels', { ...meta, type: 'whatsapp', external_id: '106540352242922', access_token: 'wa' })
    await idle()
    items = []
    await control('POST', 'burst', {
      people: 20,
      messages: 500,
      kinds: ['message', 'comment'],
      times: 2,
      shuffle: true,
      batch: 50,
    })
    await expect.poll(() => items.length, { timeout: 15_000 }).toBe(1_000)
    const types = new Map<string, Set<string>>()
    for (const { event, channelType } of items) {
      if (event.type !== 'message') throw new Error(`${String(channelType)}: ${event.type}`)
      types.set(String(channelType), (types.get(String(channelType)) ?? new Set()).add(event.externalId))
    }
    // Two Pages and one of each other kind take turns.
    expect([...types].map(([type, ids]) => [type, ids.size]).sort()).toEqual([
      ['facebook', 200],
      ['instagram', 100],
      ['whatsapp', 100],
      ['x', 100],
    ])
    expect(wrong).toBe(0)
  })

  test('whoever does not answer keeps the burst waiting, not filling the memory', async () => {
    await control('PUT', 'settings', { retry_ms: [20, 20, 50, 100, 200, 400, 800, 1_000, 1_000, 1_000] })
    status = 503
    await control('POST', 'burst', { channel: pages[0], people: 10, messages: 5_000, batch: 5 })
    await expect.poll(async () => (await control('GET', 'burst'))['said'], { timeout: 10_000 }).toBe(5_000)
    const halted = (await control('GET', 'burst')) as { pending: number; told: number }
    expect(halted.pending).toBeLessThanOrEqual(201)
    expect(halted.told).toBeLessThan(5_000)
    status = 200
    await expect
      .poll(() => new Set(items.map(({ event }) => ('externalId' in event ? event.externalId : ''))).size, {
        timeout: 20_000,
      })
      .toBe(5_000)
  })

  test('fast enough to be no bottleneck', async () => {
    const started = performance.now()
    await control('POST', 'burst', { people: 500, messages: 10_000, times: 2, shuffle: true, seed: 5, batch: 200 })
    await expect.poll(() => items.length, { timeout: 25_000, interval: 20 }).toBe(20_000)
    const perSecond = Math.round(20_000 / ((performance.now() - started) / 1000))
    console.log(`told and read: ${String(perSecond)} events/s`)
    expect(perSecond).toBeGreaterThan(1_000)
  })
})
