/**
 * The relay: facts leave the outbox after their commit, get a number without a gap, and those that others act on are
 * published. One node relays at a time, by a lease; any other takes over. Numbering and the right to number are checked in
 * one transaction, so a relay that was paused can do nothing under its old right.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import { LeaseLost } from '../storage/index.ts'
import type { Lease, Storage } from '../storage/index.ts'
import type { Event } from '../storage/model/events.ts'
import type { Broker, Outgoing } from './broker/contract.ts'
import { queues } from './broker/queues.ts'
import { nudgeBody } from './nudges.ts'
import { isOutage } from './outage.ts'
import { holdLease } from './lease-holder.ts'

export interface RelayContext {
  readonly storage: Storage
  readonly broker: Broker
  readonly logger: Logger
  /** Unique to this process. */
  readonly holder: string
}

export const relayLease = 'relay'
const ttlMs = 5_000
const mostAtOnce = 500
const busyPauseMs = 20
const idlePauseMs = 50
/** For so long after facts came, more are looked for soon. */
const busyMs = 5_000

/** Relays whenever this process holds the lease. */
export function startRelay(context: RelayContext): Running {
  return holdLease(context, { name: relayLease, ttlMs }, async (lease, signal) => {
    const publisher = publishAll(context, lease, signal)
    await Promise.all([numberAll(context, lease, signal, publisher.wake), publisher.done])
  })
}

/**
 * Numbers what has been committed; how many facts. @throws LeaseLost when another relay has had the lease since
 */
export async function numberFacts(storage: Storage, lease: Lease): Promise<number> {
  // Nobody but the holder takes facts out, so what is read before the fence is still there behind it.
  const facts = await storage.relay.oldest(storage.primary, mostAtOnce)
  if (facts.length === 0) return 0
  // Once more, for a writer that died between its commit and this; before the facts are gone, so that our own death repeats it.
  const stale = facts.flatMap(({ invalidates }) => invalidates)
  if (stale.length > 0) await storage.cache.invalidate([...new Set(stale)])
  await storage.write(async (tx) => {
    await storage.leases.assertHeld(tx, lease.name, lease.epoch)
    await storage.relay.number(tx, facts)
  })
  return facts.length
}

/** Publishes numbered facts that others act on; how many facts were looked at. @throws BrokerUnavailable, LeaseLost */
export async function publishFacts(storage: Storage, broker: Broker, lease: Lease): Promise<number> {
  const facts = await storage.relay.unpublished(storage.primary, mostAtOnce)
  const last = facts.at(-1)
  if (last === undefined) return 0
  await Promise.all([
    ...nudgesOf(facts, isToDeliver).map((nudge) => broker.publish(queues.deliver, nudge)),
    ...nudgesOf(facts, isToDo).map((nudge) => broker.publish(queues.acts, nudge)),
  ])
  await storage.write(async (tx) => {
    await storage.leases.assertHeld(tx, lease.name, lease.epoch)
    await storage.relay.markPublished(tx, last.number)
  })
  return facts.length
}

const isToDeliver = ({ type, data }: Event): boolean =>
  type === 'message.queued' || (type === 'delivery.changed' && data['state'] === 'queued')
const isToDo = ({ type }: Event): boolean => type === 'message.act_queued'

/** One nudge for each conversation that such a fact is of; the last of each gives the id. */
function nudgesOf(facts: readonly Event[], isNudge: (fact: Event) => boolean): Outgoing[] {
  const nudges = new Map<string, Outgoing>()
  for (const fact of facts) {
    const { number, accountId, data } = fact
    const conversationId = data['conversation_id']
    if (isNudge(fact) && typeof conversationId === 'string')
      nudges.set(conversationId, {
        id: `event-${String(number)}`,
        body: nudgeBody(accountId, conversationId, data['channel_id']),
        properties: { account: accountId },
      })
  }
  return [...nudges.values()]
}

async function numberAll(
  { storage, logger }: RelayContext,
  lease: Lease,
  signal: AbortSignal,
  wake: () => void,
): Promise<void> {
  let busyAt = -busyMs
  while (!signal.aborted) {
    const count = await numberFacts(storage, lease).catch(goOn(logger, 0))
    if (count > 0) wake()
    if (count > 0) busyAt = performance.now()
    const pauseMs = performance.now() - busyAt < busyMs ? busyPauseMs : idlePauseMs
    if (count < mostAtOnce) await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
  }
}

/** Sleeps until there is something; when the broker is away, numbering goes on and this catches up. */
function publishAll(
  { storage, broker, logger }: RelayContext,
  lease: Lease,
  signal: AbortSignal,
): { wake: () => void; done: Promise<void> } {
  let isDue = true
  let awaken = (): void => undefined
  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      awaken = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      isDue = false
      const count = await publishFacts(storage, broker, lease).catch(goOn(logger, -1))
      if (count < 0) await sleep(500, undefined, { signal }).catch(() => undefined)
      // `isDue` may have become true meanwhile.
      else if (count === 0 && !isPending()) await rest(1_000)
    }
  }
  const isPending = (): boolean => isDue
  const wake = (): void => {
    isDue = true
    awaken()
  }
  signal.addEventListener('abort', wake)
  return { wake, done: loop() }
}

/** An outage is waited out; a lost lease and anything unexpected ends the work under this lease. */
const goOn =
  (logger: Logger, count: number) =>
  (error: unknown): number => {
    if (error instanceof LeaseLost || !isOutage(error)) throw error
    logger.warn({ err: error }, 'the relay waits')
    return count
  }
