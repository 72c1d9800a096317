/**
 * From a full broker queue to committed messages with all their effects (contacts, conversations, facts, the body as it
 * came), by one receiver; against bare multi-row inserts of exactly the rows that came of it, batch by batch, into the same
 * tables of another database: nothing read, nothing deduplicated, nothing decided. The figure is that of bodies with one
 * message each, the dearest; `packed` are bodies as networks send them when much has waited.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from '../../messaging/broker/contract.ts'
import { openParking } from '../../messaging/broker/parking.ts'
import { Directory } from '../../messaging/directory.ts'
import { Names } from '../../messaging/names.ts'
import { startReceive } from '../../messaging/receive.ts'
import type { SqlValue } from '../../storage/database.ts'
import { pageBody, writes } from '../people.ts'
import { logger, openPlatform, until } from '../platform.ts'
import type { Platform } from '../platform.ts'
import type { BenchResult } from './run.ts'

const count = 12_000
const people = 500
const rounds = 3
/** Rounds until the code of a fresh process has been compiled; they do not count. */
const warmUps = 2
const packedItems = 10
/** Rows of the limit in one transaction: as large as our own batches become. */
const batch = 1_000

export async function run(): Promise<BenchResult> {
  const platform = await openPlatform()
  const bare = await openPlatform()
  try {
    const single: Round[] = []
    const packed: Round[] = []
    for (let round = 0; round < warmUps + rounds; round++) {
      const one = await compare(platform, bare, 2 * round, 1)
      const many = await compare(platform, bare, 2 * round + 1, packedItems)
      if (round < warmUps) continue
      single.push(one)
      packed.push(many)
    }
    return {
      name: 'receive',
      ...summary(single),
      unit: 'messages/s',
      runs: rounds,
      messages: count,
      people,
      packed: summary(packed),
    }
  } finally {
    await platform.close()
    await bare.close()
  }
}

/** Messages in a second, taken in and barely inserted. */
interface Round {
  readonly ours: number
  readonly limit: number
}

const summary = (all: readonly Round[]): Round & { readonly ratio: number } => ({
  ours: Math.round(median(all.map(({ ours }) => ours))),
  limit: Math.round(median(all.map(({ limit }) => limit))),
  ratio: Number(median(all.map(({ ours, limit }) => ours / limit)).toFixed(3)),
})

async function compare(platform: Platform, bare: Platform, round: number, itemsOfBody: number): Promise<Round> {
  const before = await countRows(platform)
  const ours = await drain(platform, round, itemsOfBody)
  const rows = await newRows(platform, before)
  const limit = await rateOf(async () => {
    for (let from = 0; from < count; from += batch) await insertBare(bare, rows, from)
  })
  return { ours, limit }
}

/** Fills the queue, then lets one receiver empty it; each round with people who have not written before. */
async function drain(platform: Platform, round: number, itemsOfBody: number): Promise<number> {
  const said = Array.from({ length: count }, (_, n) =>
    writes(
      { id: String(50_000 + round * people + (n % people)) },
      `m_bench_${String(round)}_${String(n)}`,
      `Is the rye bread back on Saturday? (${String(n)})`,
      new Date(),
    ),
  )
  const bodies = Array.from({ length: count / itemsOfBody }, (_, n) =>
    pageBody(said.slice(n * itemsOfBody, (n + 1) * itemsOfBody)),
  )
  await Promise.all(bodies.map((body) => platform.arrive(body)))
  // The broker ends its own work on them first.
  await sleep(500)
  const { storage, broker } = platform
  const names = new Names({ ...platform, logger })
  const context = { storage, directory: new Directory(storage), logger, names }
  let accepted = 0
  let beganAt = 0
  // Counted from the first body on: that the connection stands is taken for granted on both sides.
  const counted = counting(broker, {
    onBody: () => (beganAt ||= performance.now()),
    onAccept: () => accepted++,
  })
  const receiver = startReceive(context, counted, openParking(storage))
  await until(() => accepted === bodies.length, 120_000)
  const rate = (count * 1_000) / (performance.now() - beganAt)
  await receiver.stop()
  await names.stop()
  return rate
}

/** The broker, telling of each message that comes and of each that was accepted: it has been committed then. */
const counting = (broker: Broker, tell: { onBody: () => void; onAccept: () => void }): Broker => ({
  get isConnected() {
    return broker.isConnected
  },
  publish: (...args) => broker.publish(...args),
  close: () => broker.close(),
  consume: (queue, options, onMessage) =>
    broker.consume(queue, options, (message) => {
      const { id, body, properties } = message
      tell.onBody()
      onMessage({
        id,
        body,
        properties,
        get isLive() {
          return message.isLive
        },
        accept: () => {
          message.accept()
          tell.onAccept()
        },
        release: () => {
          message.release()
        },
      })
    }),
})

const tables = ['contacts', 'contact_addresses', 'conversations', 'messages', 'outbox', 'received'] as const
type Table = (typeof tables)[number]
type Counts = Readonly<Record<Table, number>>

async function countRows({ storage }: Platform): Promise<Counts> {
  const [row] = await storage.primary.query<Counts>(
    `select ${tables.map((table) => `(select count(*) from ${table}) ${table}`).join(', ')}`,
  )
  if (row === undefined) throw new Error('no counts')
  return row
}

interface Rows {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly SqlValue[])[]
}

/** What the round has made, as it must be inserted. Ids rise with time. */
async function newRows({ storage }: Platform, before: Counts): Promise<ReadonlyMap<Table, Rows>> {
  const all = new Map<Table, Rows>()
  for (const table of tables) {
    const found = await storage.primary.query<Record<string, unknown>>(
      `select * from ${table} order by id limit 1000000 offset ${String(before[table])}`,
    )
    const computed = ['size', 'snippet']
    const columns = Object.keys(found[0] ?? {}).filter((column) => !computed.includes(column))
    all.set(table, { columns, rows: found.map((row) => columns.map((column) => plain(row[column]))) })
  }
  return all
}

/** JSON columns come parsed. */
const plain = (value: unknown): SqlValue =>
  typeof value === 'object' && value !== null && !(value instanceof Date) && !Buffer.isBuffer(value)
    ? JSON.stringify(value)
    : (value as SqlValue)

async function insertBare({ storage }: Platform, all: ReadonlyMap<Table, Rows>, from: number): Promise<void> {
  await storage.write(async (tx) => {
    for (const [table, { columns, rows }] of all) {
      // The last part takes what is over: the facts of begun conversations.
      const end = from + batch >= count ? rows.length : from + batch
      await tx.insertMany(table, columns, rows.slice(from, end))
    }
  })
}

async function rateOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return (count * 1_000) / (performance.now() - startedAt)
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
