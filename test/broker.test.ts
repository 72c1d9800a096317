/** The broker as it is: RabbitMQ by default, another by PARLEY_BROKER and PARLEY_BROKER_URL. */
import { randomBytes } from 'node:crypto'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { readConfig } from '../infra/config.ts'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { openBroker } from '../messaging/broker/broker.ts'
import { BrokerUnavailable } from '../messaging/broker/contract.ts'
import type { Broker, Incoming } from '../messaging/broker/contract.ts'

const kind = process.env['PARLEY_BROKER'] ?? 'rabbitmq'
const url = process.env['PARLEY_BROKER_URL'] ?? 'amqp://parley:parley@127.0.0.1:25672'
const opened: Broker[] = []
const lines: (() => Promise<void>)[] = []

function open(prefix: string, brokerUrl = url): Broker {
  const broker = openBroker(
    readConfig({ PARLEY_BROKER: kind, PARLEY_BROKER_URL: brokerUrl, PARLEY_PREFIX: prefix }),
    silentLogger,
  )
  opened.push(broker)
  return broker
}

const freshPrefix = (): string => `t${randomBytes(6).toString('hex')}`

async function until(isTrue: () => boolean, limitMs = 10_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!isTrue()) {
    if (Date.now() > end) throw new Error('it did not become true in time')
    await sleep(5)
  }
}

/** A line to the broker that can be cut. */
async function openLine(): Promise<{ url: string; cut: () => Promise<void>; mend: () => Promise<void> }> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const far = connect(Number(target.port), target.hostname)
    for (const [one, two] of [
      [socket, far],
      [far, socket],
    ] as const) {
      sockets.add(one)
      one.pipe(two)
      one.on('error', () => two.destroy())
      one.on('close', () => two.destroy())
    }
  })
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const cut = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    })
  lines.push(cut)
  return { url: Object.assign(new URL(url), { host: `127.0.0.1:${String(port)}` }).href, cut, mend: () => listen(port) }
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((broker) => broker.close()))
  await Promise.all(lines.splice(0).map((cut) => cut()))
})

describe(`the broker (${kind})`, () => {
  it('carries bodies of 1 byte to 1 MB and their properties unchanged', async () => {
    const broker = open(freshPrefix())
    const taken: Incoming[] = []
    broker.consume('inbound', { credit: 10 }, (message) => {
      taken.push(message)
      message.accept()
    })
    const bodies = [1, 255, 256, 1_000, 65_536, 1_048_576].map((size) => randomBytes(size))
    const ids = bodies.map(() => newId())
    await Promise.all(
      bodies.map((body, at) =>
        broker.publish('inbound', {
          id: ids[at] ?? '',
          body,
          properties: { app: 'äpp-1', trace: 'x'.repeat(300), empty: '' },
        }),
      ),
    )
    await until(() => taken.length === bodies.length)
    expect(taken.map((message) => message.id)).toEqual(ids)
    for (const [at, message] of taken.entries()) {
      expect(Buffer.compare(message.body, bodies[at] ?? Buffer.alloc(0))).toBe(0)
      expect(message.properties).toEqual({ app: 'äpp-1', trace: 'x'.repeat(300), empty: '' })
      expect(message.isLive).toBe(false)
    }
  })

  it('keeps 20,000 messages published at once, each once and in order', async () => {
    const broker = open(freshPrefix())
    const ids = Array.from({ length: 20_000 }, () => newId())
    const body = randomBytes(600)
    await Promise.all(ids.map((id) => broker.publish('inbound', { id, body }, { limitMs: 60_000 })))
    const taken: string[] = []
    broker.consume('inbound', { credit: 256 }, (message) => {
      taken.push(message.id)
      message.accept()
    })
    await until(() => taken.length >= ids.length, 60_000)
    expect(taken).toEqual(ids)
  }, 120_000)

  it('hands out no more than its credit and goes on as messages are settled', async () => {
    const broker = open(freshPrefix())
    await Promise.all(
      Array.from({ length: 30 }, () => broker.publish('deliver', { id: newId(), body: Buffer.from('x') })),
    )
    const inHand: Incoming[] = []
    let seen = 0
    broker.consume('deliver', { credit: 8 }, (message) => {
      seen += 1
      inHand.push(message)
    })
    await until(() => seen === 8)
    await sleep(200)
    expect(seen).toBe(8)
    while (seen < 30) {
      inHand.shift()?.accept()
      await sleep(2)
    }
    await sleep(100)
    expect(seen).toBe(30)
    for (const message of inHand) message.accept()
  })

  it('gives unsettled messages of a dead consumer to another, the same id', async () => {
    const prefix = freshPrefix()
    const line = await openLine()
    const other = open(prefix)
    const ids = Array.from({ length: 10 }, () => newId())
    await Promise.all(ids.map((id) => other.publish('inbound', { id, body: Buffer.from(id) })))
    const held: Incoming[] = []
    open(prefix, line.url).consume('inbound', { credit: 10 }, (message) => held.push(message))
    await until(() => held.length === 10)
    const taken: string[] = []
    other.consume('inbound', { credit: 10 }, (message) => {
      taken.push(message.id)
      message.accept()
    })
    // A released one comes at once, the others only when their consumer is cut off.
    held[3]?.release()
    await until(() => taken.length === 1)
    await sleep(100)
    expect(taken).toEqual([ids[3]])
    expect(held[9]?.isLive).toBe(true)
    for (const message of held.slice(0, 3)) message.accept()
    await sleep(100)
    await line.cut()
    await until(() => taken.length >= 7)
    expect(held[9]?.isLive).toBe(false)
    for (const message of held) message.accept()
    await sleep(100)
    expect([...taken].sort()).toEqual(ids.slice(3))
  })

  it('sends again under the same id what was under way when the line was cut', async () => {
    const prefix = freshPrefix()
    const line = await openLine()
    const sender = open(prefix, line.url)
    const taken: string[] = []
    open(prefix).consume('inbound', { credit: 200 }, (message) => {
      taken.push(message.id)
      message.accept()
    })
    const ids = Array.from({ length: 3_000 }, () => newId())
    let accepted = 0
    const sending = Promise.all(
      ids.map((id) =>
        sender.publish('inbound', { id, body: randomBytes(500) }, { limitMs: 20_000 }).then(() => (accepted += 1)),
      ),
    )
    await until(() => accepted > 200)
    await line.cut()
    const acceptedBefore = accepted
    expect(acceptedBefore).toBeLessThan(3_000)
    await sleep(300)
    await line.mend()
    await sending
    await until(() => new Set(taken).size === 3_000)
    console.info(`line cut after ${String(acceptedBefore)} of 3000: 0 lost, ${String(taken.length - 3_000)} seen twice`)
    expect(new Set(taken)).toEqual(new Set(ids))
  })

  it('stops with nothing in hand and loses nothing that was on its way', async () => {
    const prefix = freshPrefix()
    const broker = open(prefix)
    const settled: string[] = []
    const ids = Array.from({ length: 500 }, () => newId())
    const onMessage = (message: Incoming): void => {
      setTimeout(() => {
        settled.push(message.id)
        message.accept()
      }, 1)
    }
    const consumer = broker.consume('inbound', { credit: 50 }, onMessage)
    await Promise.all(ids.map((id) => broker.publish('inbound', { id, body: Buffer.from('x') })))
    await consumer.stop()
    broker.consume('inbound', { credit: 50 }, onMessage)
    await until(() => settled.length >= ids.length)
    await sleep(100)
    expect([...settled].sort()).toEqual([...ids].sort())
  })

  it('refuses after the time limit when no broker is there, and when too much waits at once', async () => {
    const broker = open(freshPrefix(), 'amqp://parley:parley@127.0.0.1:1')
    const started = performance.now()
    await expect(
      broker.publish('inbound', { id: newId(), body: Buffer.from('x') }, { limitMs: 300 }),
    ).rejects.toBeInstanceOf(BrokerUnavailable)
    const tookMs = performance.now() - started
    expect(tookMs).toBeGreaterThanOrEqual(300)
    expect(tookMs).toBeLessThan(1_000)
    const body = Buffer.alloc(1_048_576)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 70 }, () => broker.publish('inbound', { id: newId(), body }, { limitMs: 500 })),
    )
    const atOnce = outcomes.filter(
      (outcome) => outcome.status === 'rejected' && String(outcome.reason).includes('too much is waiting'),
    )
    expect(outcomes.every((outcome) => outcome.status === 'rejected')).toBe(true)
    expect(atOnce.length).toBe(7)
    expect(broker.isConnected).toBe(false)
  })

  it('survives a wrong password without ending the process', async () => {
    const broker = open(freshPrefix(), url.replace(/\/\/[^@]*@/, '//parley:wrong@'))
    await expect(
      broker.publish('inbound', { id: newId(), body: Buffer.from('x') }, { limitMs: 700 }),
    ).rejects.toBeInstanceOf(BrokerUnavailable)
  })
})
