/** Facts are numbered once, without a gap, in spite of late commits and relays that were paused. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { queues } from '../messaging/broker/queues.ts'
import { numberFacts, publishFacts, relayLease, startRelay } from '../messaging/events.ts'
import { LeaseLost } from '../storage/index.ts'
import type { Lease } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Node, Platform } from './platform.ts'

let platform: Platform
let other: Node

beforeAll(async () => {
  platform = await openPlatform()
  other = await platform.openNode('node-2')
})
afterAll(() => platform.close())

const fact = (name: string): NewEvent => ({
  type: 'app.changed',
  accountId: platform.accountId,
  data: { app_id: name },
})
const announce = (...names: string[]): Promise<void> =>
  platform.storage.write((tx) => platform.storage.outbox.appendMany(tx, names.map(fact)))
const numbered = async () =>
  (await platform.storage.events.after(platform.storage.primary, undefined, 0, 100_000)).map(({ number, data }) => ({
    number,
    name: data['app_id'],
  }))

/** As a process that takes over does, whether the holder before is alive or not. */
async function steal(holder: string): Promise<Lease> {
  const { storage } = platform
  return storage.write(async (tx) => {
    await tx.run('update leases set expires_at = utc_timestamp(3) - interval 1 second where name = ?', [relayLease])
    const lease = await storage.leases.acquire(tx, relayLease, holder, 60_000)
    if (lease === undefined) throw new Error('the lease could not be taken')
    return lease
  })
}

describe('relay', () => {
  it('does not skip what commits late under an early id, nor wait for it', async () => {
    const lease = await steal('one')
    const { storage } = platform
    let commit = (): void => undefined
    const mayCommit = new Promise<void>((resolve) => (commit = resolve))
    let begun = (): void => undefined
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    const late = storage.write(async (tx) => {
      await storage.outbox.append(tx, fact('late'))
      begun()
      await mayCommit
    })
    await hasBegun
    await announce('after it')
    const startedAt = performance.now()
    await numberFacts(storage, lease)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect(await numbered()).toEqual([{ number: 1, name: 'after it' }])
    commit()
    await late
    await numberFacts(storage, lease)
    expect(await numbered()).toEqual([
      { number: 1, name: 'after it' },
      { number: 2, name: 'late' },
    ])
  })

  it('gives a relay that was paused no way to number or publish under its old right', async () => {
    const paused = await steal('paused')
    await announce('disputed')
    const active = await steal('active')
    await expect(numberFacts(platform.storage, paused)).rejects.toThrow(LeaseLost)
    expect(await numberFacts(other.storage, active)).toBe(1)
    await expect(publishFacts(platform.storage, platform.broker, paused)).rejects.toThrow(LeaseLost)
    expect((await numbered()).filter(({ name }) => name === 'disputed').length).toBe(1)
  })

  it('repeats the deletion of cached values whose writer may have died', async () => {
    const { storage } = platform
    const read = (value: string) =>
      storage.cache.read('relaytest.1:x', { ttlSeconds: 60 }, () => Promise.resolve(value), z.string())
    expect([await read('old'), await read('not asked')]).toEqual(['old', 'old'])
    await storage.write((tx) => storage.outbox.append(tx, fact('stale'), ['relaytest.1:x']))
    await numberFacts(other.storage, await steal('three'))
    expect(await read('new')).toBe('new')
  })

  it('numbers without gap or double while two relays quarrel and writers go on', async () => {
    const before = (await numbered()).length
    let written = 0
    let isWriting = true
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; isWriting; n++) {
        await announce(`${String(writer)}-${String(n)}-a`, `${String(writer)}-${String(n)}-b`)
        written += 2
      }
    }
    let lost = 0
    let taken = 0
    const relay = async (node: Node, holder: string): Promise<void> => {
      let lease = await steal(holder)
      while (isWriting) {
        try {
          taken += await numberFacts(node.storage, lease)
        } catch (error) {
          if (!(error instanceof LeaseLost)) throw error
          lost += 1
          lease = await steal(holder)
        }
        if (Math.random() < 0.2) lease = await steal(holder)
      }
    }
    const work = Promise.all([write(1), write(2), write(3), relay(platform, 'one'), relay(other, 'two')])
    await sleep(3_000)
    isWriting = false
    await work
    const last = await steal('last')
    for (let count = 1; count > 0;) {
      count = await numberFacts(platform.storage, last)
      taken += count
    }
    const all = await numbered()
    console.log(`facts ${String(written)}, numbered ${String(all.length - before)}, leases lost ${String(lost)}`)
    expect(all.map(({ number }) => number)).toEqual(all.map((_, index) => index + 1))
    expect(new Set(all.slice(before).map(({ name }) => name)).size).toBe(written)
    expect(all.length - before).toBe(written)
    expect(lost).toBeGreaterThan(0)
    expect(taken).toBe(written)
  })

  it('takes over from a relay that has gone, and tells the conversations with something to deliver', async () => {
    await platform.storage.write((tx) =>
      tx.run('update leases set expires_at = utc_timestamp(3) + interval 1 second where name = ?', [relayLease]),
    )
    const nudged: string[] = []
    const consumer = platform.broker.consume(queues.deliver, { credit: 100 }, (message) => {
      nudged.push(`${message.id} ${message.body.toString()}`)
      message.accept()
    })
    const relays = [platform, other].map((node, index) =>
      startRelay({ ...node, logger, holder: `relay-${String(index)}` }),
    )
    const data = { conversation_id: 'c1', message_id: 'm1', channel_id: 'ch1', delivery_id: 'd1', by: null }
    await platform.storage.write((tx) =>
      platform.storage.outbox.appendMany(tx, [
        fact('plain'),
        { type: 'message.queued', accountId: platform.accountId, data },
        { type: 'message.queued', accountId: platform.accountId, data },
      ]),
    )
    await until(() => nudged.length > 0, 15_000)
    await announce('later')
    const last = await until(async () => (await numbered()).find(({ name }) => name === 'later'))
    expect(nudged).toEqual([
      `event-${String(last.number - 1)} ${JSON.stringify({ account_id: platform.accountId, conversation_id: 'c1', channel_id: 'ch1' })}`,
    ])
    const published = async () =>
      (await platform.storage.primary.first<{ n: number }>('select published_number n from relay'))?.n
    await until(async () => (await published()) === last.number)
    await Promise.all(relays.map((each) => each.stop()))
    await consumer.stop()
  })
})
