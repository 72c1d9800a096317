/** Poison, outages and dead letters, with a real broker and a real database. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import type { Broker, Incoming } from '../messaging/broker/contract.ts'
import { consumeBatches, consumeSafely, replayParked, sweepParked } from '../messaging/broker/park.ts'
import type { Patience } from '../messaging/broker/park.ts'
import { openParking } from '../messaging/broker/parking.ts'
import type { Storage } from '../storage/index.ts'
import { openPlatform, until } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
let storage: Storage
let broker: Broker

class Outage extends Error {}
const isOutage = (error: unknown): boolean => error instanceof Outage
const hasty: Patience = { mostTries: 8, delayMs: () => 20 }

beforeAll(async () => {
  platform = await openPlatform()
  storage = platform.storage
  broker = platform.broker
})

afterAll(async () => {
  await platform.close()
})

describe('parking', () => {
  const parking = () => openParking(storage)

  it('tries a poison message 8 times, keeps it as a dead letter, and replays it', async () => {
    const id = newId()
    let calls = 0
    let isCured = false
    const good: string[] = []
    const consumer = consumeSafely(
      broker,
      parking(),
      'inbound',
      { credit: 4, isOutage, patience: hasty },
      async (message) => {
        await Promise.resolve()
        if (message.id === id) calls += 1
        if (message.id === id && !isCured) throw new Error('cannot be read')
        good.push(message.id)
      },
      silentLogger,
    )
    await broker.publish('inbound', { id, body: Buffer.from([0, 255, 1]), properties: { app: 'a1' } })
    const others = Array.from({ length: 20 }, () => newId())
    await Promise.all(others.map((other) => broker.publish('inbound', { id: other, body: Buffer.from('fine') })))
    await until(() => good.length === 20)

    await until(async () => {
      await sweepParked(broker, parking(), silentLogger)
      return (await storage.parked.count(storage.primary)).dead === 1
    })
    expect(calls).toBe(8)
    const [dead] = await storage.parked.list(storage.primary, 'dead', 10)
    expect(dead).toMatchObject({
      messageId: id,
      queue: 'inbound',
      tries: 8,
      lastError: 'cannot be read',
      properties: { app: 'a1' },
    })
    expect(dead?.body.equals(Buffer.from([0, 255, 1]))).toBe(true)
    // Dead is dead: no sweep touches it.
    expect(await sweepParked(broker, parking(), silentLogger)).toBe(0)
    await sleep(100)
    expect(calls).toBe(8)

    isCured = true
    expect(await replayParked(parking(), dead?.id ?? '')).toBe(true)
    expect(await replayParked(parking(), newId())).toBe(false)
    expect(await sweepParked(broker, parking(), silentLogger)).toBe(1)
    await until(() => good.includes(id))
    expect(calls).toBe(9)
    expect(await storage.parked.count(storage.primary)).toEqual({ waiting: 0, dead: 0 })
    await consumer.stop()
  })

  it('waits an outage out with the message in hand and does not spin', async () => {
    let calls = 0
    const done: string[] = []
    const consumer = consumeSafely(
      broker,
      parking(),
      'deliver',
      { credit: 4, isOutage },
      async (message) => {
        calls += 1
        await Promise.resolve()
        if (calls <= 3) throw new Outage('database away')
        done.push(message.id)
      },
      silentLogger,
    )
    const id = newId()
    const started = performance.now()
    await broker.publish('deliver', { id, body: Buffer.from('x') })
    await until(() => done.length === 1)
    // Pauses of 200, 400 and 800 ms.
    expect(performance.now() - started).toBeGreaterThan(1_390)
    expect(calls).toBe(4)
    expect(await storage.parked.count(storage.primary)).toEqual({ waiting: 0, dead: 0 })
    await consumer.stop()
  })

  it('keeps a failed message in hand while it cannot be written down', async () => {
    let isAway = true
    const shaky = {
      ...parking(),
      keep: (failed: Parameters<ReturnType<typeof parking>['keep']>[0]) =>
        isAway ? Promise.reject(new Error('away')) : parking().keep(failed),
    }
    const consumer = consumeSafely(
      broker,
      shaky,
      'deliver',
      { credit: 1, isOutage, patience: hasty },
      () => Promise.reject(new Error('poison')),
      silentLogger,
    )
    await broker.publish('deliver', { id: newId(), body: Buffer.from('x') })
    await sleep(500)
    expect((await storage.parked.count(storage.primary)).waiting).toBe(0)
    isAway = false
    await until(async () => (await storage.parked.count(storage.primary)).waiting === 1)
    await consumer.stop()
    await storage.write((tx) => tx.run('delete from parked_messages'))
  })

  it('does not forget what failed again while it was being put back', async () => {
    const port = parking()
    const failed = {
      queue: 'events',
      messageId: newId(),
      body: Buffer.from('x'),
      properties: {},
      isDead: false,
      delayMs: 0,
      lastError: 'no',
    } as const
    await port.keep({ ...failed, tries: 1 })
    const [taken] = await port.takeDue(10, 60_000)
    expect(await port.takeDue(10, 60_000)).toEqual([])
    await port.keep({ ...failed, tries: 2, delayMs: 60_000 })
    if (taken === undefined) throw new Error('nothing was due')
    await port.forget(taken)
    expect((await storage.parked.list(storage.primary, 'waiting', 10)).map((row) => row.tries)).toEqual([2])
    await storage.write((tx) => tx.run('delete from parked_messages'))
  })

  it('hands out batches in order and repeats what a failed batch left unsettled', async () => {
    const ids = Array.from({ length: 250 }, () => newId())
    await Promise.all(ids.map((id) => broker.publish('events', { id, body: Buffer.from('x') })))
    const sizes: number[] = []
    const accepted: string[] = []
    let failures = 0
    const consumer = consumeBatches(
      broker,
      'events',
      { credit: 200, max: () => 50, lingerMs: 20 },
      async (batch: Incoming[]) => {
        await Promise.resolve()
        sizes.push(batch.length)
        for (const [at, message] of batch.entries()) {
          if (at === 10 && failures < 2) {
            failures += 1
            throw new Outage('database away')
          }
          accepted.push(message.id)
          message.accept()
        }
      },
      silentLogger,
    )
    await until(() => accepted.length >= 250)
    await sleep(50)
    expect(accepted).toEqual(ids)
    expect(failures).toBe(2)
    expect(Math.max(...sizes)).toBe(50)
    await consumer.stop()
  })

  it('gives back at once what waits out an outage when it is stopped', async () => {
    const id = newId()
    const first = consumeSafely(
      broker,
      parking(),
      'deliver',
      { credit: 4, isOutage },
      () => Promise.reject(new Outage('away')),
      silentLogger,
    )
    await broker.publish('deliver', { id, body: Buffer.from('x') })
    await sleep(900)
    const started = performance.now()
    await first.stop()
    expect(performance.now() - started).toBeLessThan(1_000)
    const taken: string[] = []
    const second = broker.consume('deliver', { credit: 4 }, (message) => {
      taken.push(message.id)
      message.accept()
    })
    await until(() => taken.length === 1)
    expect(taken).toEqual([id])
    await second.stop()
  })
})
