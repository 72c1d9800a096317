/**
 * Fires what is due, on every backend node, by asking the primary: nothing depends on Redis or on a node that was here before.
 * A batch is claimed with `skip locked` and fired in the transaction that claims it, whose effects are rows only; so each fires
 * exactly once, whoever dies, and a process that stands still loses its claim with its transaction.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../infra/errors.ts'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import { Histogram, metrics } from '../infra/metrics.ts'
import { isOutage } from '../messaging/outage.ts'
import type { Occurrence, OccurrenceKind, OccurrenceState, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'

/** What became of one; a list of facts alone: it has fired. Too late, and the policy says so: `skipped` or `asked`, with a reason. */
export type Fired =
  | readonly NewEvent[]
  | {
      readonly state: Exclude<OccurrenceState, 'waiting' | 'dead'>
      readonly reason?: string
      readonly facts: readonly NewEvent[]
    }

/** Does what one kind is for: rows and facts, in this transaction alone; no call outside. May be run again after a rollback. */
export type Fire = (storage: Storage, tx: Writer, occurrence: Occurrence) => Promise<Fired>
export type Kinds = Readonly<Record<OccurrenceKind, Fire>>

export interface DueContext {
  readonly storage: Storage
  readonly logger: Logger
  /** This node's name. */
  readonly node: string
}

const lateness = new Histogram({
  name: 'parley_occurrence_lateness_seconds',
  help: 'How late what was due at a time fired.',
  labelNames: ['kind'],
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600],
  registers: [metrics],
})

const pauseMs = 1_000
/** After a batch, and before one that is due sooner than the next look. */
const leastPauseMs = 20
const batch = 25
const batchesAtOnce = 3
/** A process that stands still holds its batch so long. */
const idleLimitS = 3
const mostTries = 8

/** Looks every second, and when the next is due, until stopped. */
export function startDue(context: DueContext, kinds: Kinds): Running {
  const { storage, logger } = context
  let isAway = false
  let waitMs = 0
  return every(
    () => waitMs,
    async (signal) => {
      waitMs = pauseMs
      let taken = await fireDue(context, kinds)
      while (!signal.aborted && taken > 0) {
        await sleep(leastPauseMs)
        // As long as batches are full, several at once.
        const fired = Array.from({ length: taken >= batch ? batchesAtOnce : 1 }, () => fireDue(context, kinds))
        taken = Math.max(...(await Promise.all(fired)))
      }
      const nextMs = await storage.occurrences.nextInMs(storage.primary)
      if (nextMs !== undefined) waitMs = Math.min(pauseMs, Math.max(leastPauseMs, nextMs))
      isAway = false
    },
    (error) => {
      waitMs = pauseMs
      if (!isAway || !isOutage(error))
        logger.warn({ reason: messageOf(error) }, 'what is due could not be fired; it is tried again')
      isAway = true
    },
  )
}

/** Fires one batch; how many were claimed. One that fails is left behind and costs the others nothing. */
export async function fireDue(context: DueContext, kinds: Kinds): Promise<number> {
  const { storage, logger } = context
  let claimed: readonly Occurrence[] = []
  try {
    await storage.write(
      async (tx) => {
        claimed = await storage.occurrences.claim(tx, batch)
        await fire(context, kinds, tx, claimed)
      },
      { idleLimitS },
    )
  } catch (error) {
    if (isOutage(error) || claimed.length === 0) throw error
    logger.warn({ reason: messageOf(error) }, 'one of a batch could not be fired: they are fired one by one')
    for (const occurrence of claimed) await fireOne(context, kinds, occurrence)
  }
  return claimed.length
}

async function fireOne(context: DueContext, kinds: Kinds, { id, accountId, kind }: Occurrence): Promise<void> {
  const { storage, logger, node } = context
  try {
    await storage.write(
      async (tx) => {
        const occurrence = await storage.occurrences.claimOne(tx, accountId, id)
        if (occurrence !== undefined) await fire(context, kinds, tx, [occurrence])
      },
      { idleLimitS },
    )
  } catch (error) {
    if (isOutage(error)) throw error
    logger.error({ err: error, kind, occurrence: id }, 'what was due could not be fired')
    await storage.write(async (tx) => {
      const occurrence = await storage.occurrences.claimOne(tx, accountId, id)
      if (occurrence === undefined) return
      const reason = messageOf(error)
      if (occurrence.tries + 1 < mostTries)
        await storage.occurrences.putOff(tx, occurrence, reason, pauseMs * 2 ** occurrence.tries)
      else await storage.occurrences.end(tx, [{ id, accountId, state: 'dead', reason }], node)
    })
  }
}

async function fire(
  { storage, node }: DueContext,
  kinds: Kinds,
  tx: Writer,
  claimed: readonly Occurrence[],
): Promise<void> {
  if (claimed.length === 0) return
  const facts: NewEvent[] = []
  const ended = []
  for (const occurrence of claimed) {
    const fired = await kinds[occurrence.kind](storage, tx, occurrence)
    const whole = 'state' in fired ? fired : { state: 'fired' as const, facts: fired }
    facts.push(...whole.facts)
    const { id, accountId } = occurrence
    ended.push({ id, accountId, state: whole.state, ...(whole.reason === undefined ? {} : { reason: whole.reason }) })
  }
  await storage.occurrences.end(tx, ended, node)
  await storage.outbox.appendMany(tx, facts)
  tx.afterCommit(() => {
    for (const { kind, dueAt } of claimed)
      lateness.observe({ kind }, Math.max(0, (Date.now() - dueAt.getTime()) / 1000))
  })
}
