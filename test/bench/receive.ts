/**
 * Signed bodies taken in, from parsed webhook to commit, in batches of 200 as the queue gives them; against the same rows
 * written by bare multi-row inserts in one transaction for each batch, without reading, deduplicating or deciding anything.
 */
import { newId } from '../../infra/ids.ts'
import { Directory } from '../../messaging/directory.ts'
import { Names } from '../../messaging/names.ts'
import { receiveBodies } from '../../messaging/receive.ts'
import { pageBody, writes } from '../people.ts'
import { logger, openPlatform } from '../platform.ts'
import type { Platform } from '../platform.ts'
import type { BenchResult } from './run.ts'

const batch = 200
const batches = 20
const people = 500
const rounds = 5

export async function run(): Promise<BenchResult> {
  const platform = await openPlatform()
  try {
    const context = {
      storage: platform.storage,
      directory: new Directory(platform.storage),
      logger,
      names: new Names({ ...platform, logger }),
    }
    const ours: number[] = []
    const limit: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const bodies = Array.from({ length: batches }, (_, b) =>
        Array.from({ length: batch }, (_, n) => bodyOf(platform.appId, round, b * batch + n)),
      )
      const one = await rate(async () => {
        for (const part of bodies) await receiveBodies(context, part)
      })
      const other = await rate(async () => {
        for (const part of bodies)
          await insertBare(
            platform,
            part.map(({ bytes }) => bytes),
          )
      })
      // The first round warms up.
      if (round > 0) {
        ours.push(one)
        limit.push(other)
      }
    }
    const [mine, bare] = [median(ours), median(limit)]
    return {
      name: 'receive',
      ours: Math.round(mine),
      limit: Math.round(bare),
      ratio: Number((mine / bare).toFixed(3)),
      unit: 'messages/s',
      runs: rounds,
      batch,
      people,
    }
  } finally {
    await platform.close()
  }
}

const bodyOf = (appId: string, round: number, n: number) => ({
  id: newId(),
  appId,
  bytes: pageBody([
    writes(
      { id: String(50_000 + (n % people)) },
      `m_bench_${String(round)}_${String(n)}`,
      `Is the rye bread back on Saturday? (${String(n)})`,
      new Date(),
    ),
  ]),
})

async function rate(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return (batch * batches * 1_000) / (performance.now() - startedAt)
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

/** The three rows that each message leaves at least: itself, the body as it came, and the fact. */
async function insertBare(
  { storage, accountId, appId, channelId }: Platform,
  bodies: readonly Buffer[],
): Promise<void> {
  const now = new Date()
  const conversationId = newId()
  await storage.write(async (tx) => {
    await tx.insertMany(
      'messages',
      [
        'id',
        'account_id',
        'channel_id',
        'conversation_id',
        'direction',
        'kind',
        'visibility',
        'external_id',
        'text',
        'occurred_at',
        'received_at',
      ],
      bodies.map(() => [
        newId(),
        accountId,
        channelId,
        conversationId,
        'inbound',
        'message',
        'direct',
        `bare ${newId()}`,
        'Is the rye bread back on Saturday?',
        now,
        now,
      ]),
    )
    await tx.insertMany(
      'outbox',
      ['account_id', 'type', 'data', 'at'],
      bodies.map(() => [
        accountId,
        'bare',
        JSON.stringify({
          conversation_id: conversationId,
          message_id: newId(),
          channel_id: channelId,
          kind: 'message',
        }),
        now,
      ]),
    )
    await tx.insertMany(
      'received',
      ['id', 'account_id', 'app_id', 'body', 'state', 'received_at'],
      bodies.map((body) => [newId(), accountId, appId, body, 'processed', now]),
    )
  })
}
