/** A broker of its own that is killed and frozen in mid-traffic: what it accepted arrives, what it did not is sent again. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServers } from '../infra/cluster/servers.ts'
import type { Servers } from '../infra/cluster/servers.ts'
import { readConfig } from '../infra/config.ts'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { openBroker } from '../messaging/broker/broker.ts'
import { BrokerUnavailable } from '../messaging/broker/contract.ts'
import type { Broker } from '../messaging/broker/contract.ts'

const kind = process.env['PARLEY_BROKER'] === 'artemis' ? 'artemis' : 'rabbitmq'
let home: string
let servers: Servers
let broker: Broker

async function until(isTrue: () => boolean, limitMs = 60_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!isTrue()) {
    if (Date.now() > end) throw new Error('it did not become true in time')
    await sleep(10)
  }
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-broker-'))
  // The queue `events` is left out on purpose.
  servers = await startServers(home, { queues: ['inbound', 'deliver'], broker: kind })
  // RabbitMQ 3.10 flushes the names of new quorum queues within a second: killed before, it never knows them again.
  await sleep(2_000)
  broker = openBroker(readConfig(servers.env), silentLogger)
}, 120_000)

afterAll(async () => {
  await broker.close()
  await servers.stop()
  await rm(home, { recursive: true, force: true })
}, 60_000)

describe(`a broker that dies (${kind})`, () => {
  it('loses nothing it accepted when it is killed twice, and all that was under way is sent again', async () => {
    const accepted = new Set<string>()
    const taken = new Map<string, number>()
    const body = Buffer.alloc(600, 7)
    const consumer = broker.consume('inbound', { credit: 100 }, (message) => {
      taken.set(message.id, (taken.get(message.id) ?? 0) + 1)
      message.accept()
    })
    let isOver = false
    const publishers = Array.from({ length: 100 }, async () => {
      while (!isOver) {
        const id = newId()
        await broker.publish('inbound', { id, body }, { limitMs: 60_000 })
        accepted.add(id)
      }
    })
    for (let round = 0; round < 2; round += 1) {
      const before = accepted.size
      await until(() => accepted.size > before + 3_000)
      servers.kill('broker')
      await until(() => !broker.isConnected)
      await servers.whenReady('broker')
    }
    const before = accepted.size
    await until(() => accepted.size > before + 1_000)
    isOver = true
    // Not one publish failed: those under way at the kills were sent again.
    await Promise.all(publishers)
    await until(() => [...accepted].every((id) => taken.has(id)))
    const lost = [...accepted].filter((id) => !taken.has(id)).length
    const twice = [...taken.values()].filter((times) => times > 1).length
    console.info(
      `killed twice: ${String(accepted.size)} accepted, ${String(lost)} lost, ${String(twice)} seen more than once`,
    )
    expect(lost).toBe(0)
    expect(taken.size).toBe(accepted.size)
    await consumer.stop()
  }, 180_000)

  it.runIf(kind === 'rabbitmq')('refuses a message for a queue that is missing, and says so', async () => {
    const refusal = await broker
      .publish('events', { id: newId(), body: Buffer.from('x') })
      .catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(BrokerUnavailable)
    expect(String(refusal)).toContain('no queue events')
    await expect(broker.publish('events', { id: newId(), body: Buffer.from('x') })).rejects.toBeInstanceOf(
      BrokerUnavailable,
    )
    // The other queues do not notice.
    await broker.publish('inbound', { id: newId(), body: Buffer.from('x') })
    expect(broker.isConnected).toBe(true)
  })

  it('keeps time limits while the broker is frozen, sees that it is gone, and goes on when it is back', async () => {
    await broker.publish('deliver', { id: newId(), body: Buffer.from('x') })
    servers.pause('broker')
    const started = performance.now()
    await expect(
      broker.publish('deliver', { id: newId(), body: Buffer.from('x') }, { limitMs: 300 }),
    ).rejects.toBeInstanceOf(BrokerUnavailable)
    expect(performance.now() - started).toBeLessThan(1_000)
    await until(() => !broker.isConnected, 15_000)
    servers.resume('broker')
    await broker.publish('deliver', { id: newId(), body: Buffer.from('x') }, { limitMs: 20_000 })
    expect(broker.isConnected).toBe(true)
  }, 60_000)
})
