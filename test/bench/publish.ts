/**
 * Durable publish, each of 64 publishers awaiting its own confirm. Ours: `openBroker`. The limit: a bare rhea sender with a
 * map of promises, same queue, same body. Interleaved A, B, A, B ... in one process; medians.
 */
import rhea from 'rhea'
import type { EventContext, Sender } from 'rhea'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../../infra/config.ts'
import { newId } from '../../infra/ids.ts'
import { silentLogger } from '../../infra/logger.ts'
import { openBroker } from '../../messaging/broker/broker.ts'
import type { Broker } from '../../messaging/broker/contract.ts'
import type { BenchResult } from './run.ts'

type Publish = (id: string, body: Buffer) => Promise<void>

const publishers = 64
const bytes = 700
const properties = { app: 'bench', account: 'bench' }

/** @param options.rounds pairs of runs @param options.ms length of one run */
export async function run(options: { rounds?: number; ms?: number } = {}): Promise<BenchResult> {
  const { rounds = 9, ms = 1_000 } = options
  const config = readConfig({ ...process.env, PARLEY_PREFIX: `bench${randomBytes(4).toString('hex')}` })
  const broker = openBroker(config, silentLogger)
  await broker.publish('inbound', { id: newId(), body: randomBytes(bytes), properties })
  const bare = await openBare(
    config.brokerUrl?.reveal() ?? '',
    config.broker === 'rabbitmq' ? `/amq/queue/${config.prefix}_inbound` : `${config.prefix}_inbound`,
  )
  const ownPublish: Publish = (id, body) => broker.publish('inbound', { id, body, properties })
  try {
    await rate(ownPublish, ms, broker)
    await rate(bare.publish, ms, broker)
    const ours: number[] = []
    const limit: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await rate(ownPublish, ms, broker))
      limit.push(await rate(bare.publish, ms, broker))
    }
    const ratios = ours.map((value, at) => value / (limit[at] ?? Number.NaN))
    return {
      name: 'publish',
      ours: Math.round(median(ours)),
      limit: Math.round(median(limit)),
      ratio: Math.round(median(ratios) * 1000) / 1000,
      unit: 'messages/s',
      runs: rounds,
    }
  } finally {
    bare.close()
    await broker.close()
  }
}

/** Confirmed messages a second; afterwards the queue is empty again. */
async function rate(publish: Publish, ms: number, broker: Broker): Promise<number> {
  const body = randomBytes(bytes)
  const end = performance.now() + ms
  let count = 0
  const publisher = async (): Promise<void> => {
    while (performance.now() < end) {
      await publish(newId(), body)
      count += 1
    }
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: publishers }, publisher))
  const perSecond = (count / (performance.now() - started)) * 1_000
  let taken = 0
  const consumer = broker.consume('inbound', { credit: 500 }, (message) => {
    taken += 1
    message.accept()
  })
  while (taken < count) await sleep(20)
  await consumer.stop()
  return perSecond
}

/** What one writes first: rhea's own encoder, one promise for each delivery. */
async function openBare(url: string, address: string): Promise<{ publish: Publish; close: () => void }> {
  const { hostname, port, username, password } = new URL(url)
  const connection = rhea
    .create_container()
    .connect({ host: hostname, port: Number(port), username, password, reconnect: false })
  const sender: Sender = connection.open_sender({ target: { address, durable: 2, capabilities: ['queue'] } })
  const waiting = new Map<number, () => void>()
  sender.on('accepted', ({ delivery }: EventContext) => {
    if (delivery === undefined) return
    waiting.get(delivery.id)?.()
    waiting.delete(delivery.id)
  })
  await new Promise<void>((resolve) => sender.once('sendable', () => resolve()))
  return {
    publish: (id, body) =>
      new Promise((resolve) => {
        const delivery = sender.send({
          durable: true,
          message_id: id,
          application_properties: properties,
          body: rhea.message.data_section(body),
        })
        waiting.set(delivery.id, resolve)
      }),
    close: () => connection.close(),
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
