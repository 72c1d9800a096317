/**
 * The queue: whoever has a place free is given the conversation that has waited longest. Decided for an account by one
 * transaction at a time, whichever node it runs on, so that nobody is given more than they can take and nothing is given twice.
 */
import type { Queue, Storage, Taker, Waiting, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import type { Permission } from '../storage/model/permissions.ts'

/** In one transaction: a large one would hold up those who answer meanwhile. */
const mostAtOnce = 200

/** Gives out what waits in an account, as far as there are places; how many. @param storage where `tx` writes */
export async function giveWaiting(storage: Storage, tx: Writer, accountId: string): Promise<number> {
  const queues = await storage.assignments.queues(tx, accountId)
  if (!(await isAnyWaiting(storage, tx, accountId, queues))) return 0
  await storage.assignments.lock(tx, accountId)
  const roles = new Map<string, readonly Permission[]>()
  let given = 0
  for (const queue of queues) given += await giveFrom(storage, tx, accountId, queue, roles, mostAtOnce - given)
  return given
}

/** A taker while the queue is given out. */
interface Place {
  readonly taker: Taker
  load: number
  turn: number
}

async function giveFrom(
  storage: Storage,
  tx: Writer,
  accountId: string,
  queue: Queue,
  roles: Map<string, readonly Permission[]>,
  most: number,
): Promise<number> {
  const places = await placesIn(storage, tx, accountId, queue, roles)
  const turns = new Map<string, number>()
  const facts: NewEvent[] = []
  let turn = Math.max(0, ...places.map((place) => place.turn))
  while (facts.length < most) {
    const free = places.filter(({ taker, load }) => load < taker.capacity)
    if (free.length === 0) break
    const room = free.reduce((sum, { taker, load }) => sum + taker.capacity - load, 0)
    const given = new Map<string, string[]>()
    for (const { id, channelId } of await holdOldest(
      storage,
      tx,
      accountId,
      queue,
      free,
      Math.min(room, most - facts.length),
    )) {
      const place = next(free, queue, channelId)
      if (place === undefined) continue
      place.load += 1
      place.turn = turn += 1
      turns.set(place.taker.id, turn)
      given.set(place.taker.id, [...(given.get(place.taker.id) ?? []), id])
      facts.push({
        type: 'conversation.changed',
        accountId,
        data: { conversation_id: id, changed: ['assignee'], by: null },
      })
    }
    // What waits is held by others just now; it is looked at again within seconds.
    if (given.size === 0) break
    for (const [userId, ids] of given) await storage.assignments.give(tx, accountId, ids, userId)
  }
  await storage.assignments.takeTurns(tx, accountId, queue.teamId ?? accountId, turns)
  await storage.outbox.appendMany(tx, facts)
  return facts.length
}

/** Whoever may answer, has the skills, and is there; with what they have in hand. */
async function placesIn(
  storage: Storage,
  tx: Writer,
  accountId: string,
  queue: Queue,
  roles: Map<string, readonly Permission[]>,
): Promise<Place[]> {
  const takers: Taker[] = []
  for (const taker of await storage.assignments.takers(tx, accountId, queue.teamId)) {
    const may = roles.get(taker.role) ?? (await storage.roles.permissionsOf(tx, accountId, taker.role))
    roles.set(taker.role, may)
    if (may.includes('conversations.reply') && queue.skills.every((skill) => taker.skills.includes(skill)))
      takers.push(taker)
  }
  const loads = await storage.assignments.loads(tx, accountId, takers)
  return takers.map((taker) => ({ taker, load: loads.get(taker.id) ?? 0, turn: taker.turn }))
}

/** The oldest that any of these may see; held, so that nobody takes them meanwhile. */
async function holdOldest(
  storage: Storage,
  tx: Writer,
  accountId: string,
  queue: Queue,
  free: readonly Place[],
  limit: number,
): Promise<Waiting[]> {
  const channelIds = free.some(({ taker }) => taker.channelIds === null)
    ? undefined
    : [...new Set(free.flatMap(({ taker }) => taker.channelIds ?? []))]
  const oldest = await storage.assignments.waiting(tx, accountId, { teamIds: [queue.teamId], channelIds, limit })
  return storage.assignments.hold(
    tx,
    accountId,
    oldest.map(({ id }) => id),
  )
}

function next(free: readonly Place[], { way }: Queue, channelId: string): Place | undefined {
  return free
    .filter(({ taker, load }) => load < taker.capacity && (taker.channelIds?.includes(channelId) ?? true))
    .reduce<Place | undefined>(
      (best, place) => (best === undefined || isBefore(place, best, way) ? place : best),
      undefined,
    )
}

const isBefore = (a: Place, b: Place, way: Queue['way']): boolean =>
  way === 'least_busy' && a.load !== b.load ? a.load < b.load : a.turn < b.turn

async function isAnyWaiting(
  storage: Storage,
  tx: Writer,
  accountId: string,
  queues: readonly Queue[],
): Promise<boolean> {
  if (queues.length === 0) return false
  const teamIds = queues.map(({ teamId }) => teamId)
  return (await storage.assignments.waiting(tx, accountId, { teamIds, limit: 1 })).length > 0
}
