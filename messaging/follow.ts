/**
 * Following the numbered events: what happens because of an event happens once, in the order of the numbers, whichever node
 * does it. One node follows at a time, by a lease; effects and place are written in one transaction under its fence, so a
 * follower that died or was paused leaves nothing half done.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../infra/errors.ts'
import type { Running } from '../infra/lifecycle.ts'
import { LeaseLost } from '../storage/index.ts'
import type { Lease, Storage, Writer } from '../storage/index.ts'
import type { Event } from '../storage/model/events.ts'
import { holdLease } from './lease-holder.ts'
import type { HolderContext } from './lease-holder.ts'
import { isOutage } from './outage.ts'

export interface Follower {
  /** Unique, and kept for ever: its place is known by it. */
  readonly name: string
  /** Types it wants to see; the others are passed over. */
  readonly types: readonly string[]
  /** Only writes of the transaction; it may be called again with the same events after a failure. */
  readonly handle: (tx: Writer, events: readonly Event[]) => Promise<void>
}

const ttlMs = 5_000
const mostAtOnce = 200
const idlePauseMs = 150
const triesForOne = 3

/** Follows whenever this process holds the lease. */
export function startFollower(context: HolderContext, follower: Follower): Running {
  const { storage, logger } = context
  return holdLease(context, { name: `follow-${follower.name}`, ttlMs }, async (lease, signal) => {
    await storage.write((tx) => storage.followers.begin(tx, follower.name))
    while (!signal.aborted) {
      const count = await followOnce(storage, lease, follower, (event, error) => {
        logger.error({ err: error, follower: follower.name, event: event.number }, 'an event could not be worked on')
      }).catch((error: unknown) => {
        if (error instanceof LeaseLost || !isOutage(error)) throw error
        logger.warn({ err: error, follower: follower.name }, 'a follower waits')
        return 0
      })
      if (count < mostAtOnce) await sleep(idlePauseMs, undefined, { signal }).catch(() => undefined)
    }
  })
}

/** Deals with what has happened since; how many events. @throws LeaseLost when another node follows by now */
export async function followOnce(
  storage: Storage,
  lease: Lease,
  follower: Follower,
  onFailure: (event: Event, error: unknown) => void,
): Promise<number> {
  const place = await storage.followers.position(storage.primary, follower.name)
  if (place === undefined) return 0
  const events = await storage.events.after(storage.primary, undefined, place, mostAtOnce)
  if (events.length === 0) return 0
  const work = (some: readonly Event[]): Promise<void> =>
    storage.write(async (tx) => {
      await storage.leases.assertHeld(tx, lease.name, lease.epoch)
      const wanted = some.filter(({ type }) => follower.types.includes(type))
      if (wanted.length > 0) await follower.handle(tx, wanted)
      await storage.followers.move(tx, follower.name, some.at(-1)?.number ?? place)
    })
  try {
    await work(events)
  } catch (error) {
    if (error instanceof LeaseLost || isOutage(error)) throw error
    // One of them cannot be worked on: each by itself, and that one is kept aside.
    for (const event of events) await workSingly(event)
  }
  return events.length

  async function workSingly(event: Event): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await work([event])
        return
      } catch (error) {
        if (error instanceof LeaseLost || isOutage(error)) throw error
        if (tries < triesForOne) continue
        onFailure(event, error)
        await storage.write(async (tx) => {
          await storage.leases.assertHeld(tx, lease.name, lease.epoch)
          await storage.followers.keepFailure(tx, follower.name, event, messageOf(error))
          await storage.followers.move(tx, follower.name, event.number)
        })
        return
      }
    }
  }
}
