/** Finds what should have happened and did not, every second on one messaging node: nothing depends on a nudge alone. */
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type { Storage } from '../storage/index.ts'
import type { Broker } from './broker/contract.ts'
import { sweepParked } from './broker/park.ts'
import type { Parking } from './broker/park.ts'
import { queues } from './broker/queues.ts'
import { holdLease } from './lease-holder.ts'
import { nudgeBody } from './nudges.ts'

export interface SweepContext {
  readonly storage: Storage
  readonly broker: Broker
  readonly parking: Parking
  readonly logger: Logger
  /** Unique to this process. */
  readonly holder: string
}

const pauseMs = 1_000
/** What is queued is nudged by the relay; later than this it was overlooked. */
const idleMs = 2_000
const perChannel = 50
const bodiesAtOnce = 500
/** A body that was handed on is given this long to be taken in. */
const graceMs = 30_000
const pruneEveryMs = 60_000

/** Sweeps whenever this process holds the lease. */
export function startSweep(context: SweepContext): Running {
  const { logger } = context
  return holdLease(context, { name: 'sweep', ttlMs: 10_000 }, async (_lease, signal) => {
    const handedOn = new Map<string, number>()
    let prunedAt = 0
    while (!signal.aborted) {
      for (const part of [nudgeDue, (each: SweepContext) => handOn(each, handedOn), putBackParked]) {
        await part(context).catch((error: unknown) => {
          logger.warn({ err: error }, 'a part of the sweep failed')
        })
      }
      if (performance.now() - prunedAt > pruneEveryMs) {
        prunedAt = performance.now()
        await context.storage
          .write((tx) => context.storage.earlyChanges.removeOlder(tx, 14, 1_000))
          .catch(() => undefined)
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    }
  })
}

/** Conversations with something to deliver or to do, and nobody at it. */
export async function nudgeDue({ storage, broker }: Pick<SweepContext, 'storage' | 'broker'>): Promise<void> {
  const due = {
    [queues.deliver]: await storage.deliveries.findDue(storage.primary, idleMs, perChannel),
    [queues.acts]: await storage.acts.findDue(storage.primary, idleMs, perChannel * 10),
  }
  await Promise.all(
    ([queues.deliver, queues.acts] as const).flatMap((queue) =>
      due[queue].map(({ accountId, conversationId, channelId }) =>
        broker.publish(queue, {
          id: `sweep-${newId()}`,
          body: nudgeBody(accountId, conversationId, channelId),
          properties: { account: accountId },
        }),
      ),
    ),
  )
}

/** Bodies that the webhook door kept while the broker was away, and those to be replayed. */
export async function handOn(
  { storage, broker }: Pick<SweepContext, 'storage' | 'broker'>,
  handedOn: Map<string, number>,
): Promise<void> {
  const now = performance.now()
  for (const [id, at] of handedOn) if (now - at > graceMs) handedOn.delete(id)
  const pending = await storage.received.pending(storage.primary, bodiesAtOnce)
  const due = pending.filter(({ id }) => !handedOn.has(id))
  await Promise.all(
    due.map(async ({ id, accountId, appId, body }) => {
      await broker.publish(queues.inbound, { id, body, properties: { app: appId, account: accountId } })
      handedOn.set(id, now)
    }),
  )
}

async function putBackParked({ broker, parking, logger }: SweepContext): Promise<void> {
  await sweepParked(broker, parking, logger)
}
