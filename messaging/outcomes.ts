/** What an attempt or a look-up says about a delivery. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../infra/config.ts'
import { codeOf } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import type { Delivery, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { deliveryChanged } from './changes.ts'
import type { Lookup, Outcome } from './connectors/connector.ts'
import { confirmSent } from './echo.ts'
import { setTrouble, tokenTrouble } from './health.ts'
import { concludeRefusal } from './may-call.ts'
import { isOutage } from './outage.ts'
import { weighRefusal } from './said-before.ts'

interface Context {
  readonly storage: Storage
  readonly config: Config
  readonly logger: Logger
}

/** So often on its own, and as often again each time a person asks for it. */
const mostTries = 8
/** When an unknown outcome is looked up, counted from the moment it became unknown; with the last it is left to a person. */
const lookupsMs = [2_000, 10_000, 30_000, 60_000] as const
const settledByMs = 60_000
/** How long an outcome is kept in memory when it cannot be written down. */
const rememberedMs = 60_000
/** From then on "it is not there" is believed, and the message sent once more. */
const believedFromMs = 29_000

/**
 * Writes down what became of attempt `number`. Its fence is the number: whoever holds the lane by now may have called the
 * attempt unknown, and this is the better knowledge; but once a later attempt has begun it is history. `after`: what else
 * belongs into the transaction; its answer.
 */
export async function concludeAttempt<T>(
  context: Context,
  delivery: Delivery,
  number: number,
  outcome: Outcome,
  after: (tx: Writer) => Promise<T>,
): Promise<T> {
  const endsAt = performance.now() + rememberedMs
  for (;;) {
    try {
      return await concludeOnce(context, delivery, number, outcome, after)
    } catch (error) {
      // What the network said is known here only: an outage is waited out, longer than any lane lives.
      if (!isOutage(error) || performance.now() > endsAt) throw error
      await sleep(500)
    }
  }
}

function concludeOnce<T>(
  { storage, logger }: Context,
  { id, accountId, conversationId }: Delivery,
  number: number,
  told: Outcome,
  after: (tx: Writer) => Promise<T>,
): Promise<T> {
  const work = async (tx: Writer, facts: NewEvent[]): Promise<void> => {
    // In the order in which every step locks: first the lane, then its deliveries.
    await storage.lanes.lock(tx, conversationId)
    const delivery = await storage.deliveries.lock(tx, accountId, id)
    if (delivery === undefined) return
    const outcome = await weighRefusal(told, () => storage.deliveries.attemptsOf(tx, accountId, [id]))
    if (outcome.type === 'sent' && delivery.attemptCount === number) {
      await confirmSent(storage, tx, delivery, outcome.externalId, facts)
      return
    }
    await storage.deliveries.endAttempt(
      tx,
      delivery,
      number,
      outcome.type === 'sent' ? { type: 'sent', reason: `as ${outcome.externalId}` } : outcome,
    )
    if (outcome.type === 'sent') {
      logger.error(
        { delivery: id, number },
        'an attempt succeeded after a later one had begun: it may be twice on the network',
      )
      return
    }
    // An echo may have settled it before its answer came.
    if (delivery.attemptCount !== number || !['sending', 'unknown'].includes(delivery.state)) return
    await apply(storage, tx, delivery, outcome, facts)
  }
  return whole(storage, work, after)
}

async function apply(
  storage: Storage,
  tx: Writer,
  delivery: Delivery,
  outcome: Exclude<Outcome, { type: 'sent' }>,
  facts: NewEvent[],
): Promise<void> {
  const { accountId, id } = delivery
  const { code: reasonCode, reason } = outcome
  const change = async (state: 'retrying' | 'failed' | 'unknown', said: string, dueInMs?: number): Promise<void> => {
    await storage.deliveries.change(tx, accountId, id, {
      state,
      reasonCode,
      ...(outcome.type === 'refused' && { reasonClass: outcome.class }),
      reason: said,
      ...(dueInMs === undefined ? {} : { dueInMs }),
    })
    facts.push(deliveryChanged(delivery, state, said))
  }
  const spent = outcome.type === 'unknown' ? undefined : await concludeRefusal(storage, tx, delivery, outcome)
  if (outcome.type === 'unknown') await change('unknown', reason, lookupsMs[0])
  else if (spent?.isKnown === true) await change('retrying', spent.reason, spent.forMs)
  else if (outcome.type === 'retry' && delivery.attemptCount % mostTries === 0)
    await change('failed', `Tried ${String(delivery.attemptCount)} times. ${reason}`)
  else if (outcome.type === 'retry')
    await change('retrying', reason, Math.max(outcome.afterMs ?? 0, spent?.forMs ?? 0, pauseMs(delivery.attemptCount)))
  else if (outcome.class === 'token') {
    await setTrouble(storage, tx, delivery, 'token', tokenTrouble(reasonCode, reason), facts)
    // It waits for the reconnection, unless it has been refused through several of them.
    if (delivery.attemptCount % mostTries === 0) await change('failed', reason)
    else await change('retrying', `Waits until the channel is reconnected. ${reason}`, 0)
  } else await change('failed', reason)
}

/** 2 s doubling to 10 min, spread by a quarter so that what failed together does not come back together. */
const pauseMs = (tries: number): number =>
  Math.min(600_000, 2_000 * 2 ** ((tries - 1) % mostTries)) * (0.75 + Math.random() / 2)

/** Writes down what a look-up of an unknown outcome found, `elapsedMs` after it became unknown. */
export function concludeLookup(
  { storage }: Context,
  before: Delivery,
  lookup: Lookup,
  elapsedMs: number,
): Promise<void> {
  const work = async (tx: Writer, facts: NewEvent[]): Promise<void> => {
    const delivery = await storage.deliveries.lock(tx, before.accountId, before.id)
    // An echo or a person was faster.
    if (delivery?.state !== 'unknown' || delivery.attemptCount !== before.attemptCount) return
    // The same words, or another picture without any, may have been sent before: what is known as that is not this.
    const isAnother = lookup.type === 'found' && (await storage.deliveries.isTaken(tx, delivery, lookup.externalId))
    if (lookup.type === 'found' && !isAnother) {
      await confirmSent(storage, tx, delivery, lookup.externalId, facts)
      return
    }
    const { accountId, id } = delivery
    const reasonCode = delivery.reasonCode ?? 'unknown'
    const attempts = await storage.deliveries.attemptsOf(tx, accountId, [id])
    if (
      (lookup.type === 'absent' || isAnother) &&
      elapsedMs >= believedFromMs &&
      attempts.filter(({ outcome }) => outcome === 'unknown').length < 2
    ) {
      const reason = 'It did not reach the network; it is sent once more.'
      await storage.deliveries.change(tx, accountId, id, { state: 'retrying', reasonCode, reason, dueInMs: 0 })
      facts.push(deliveryChanged(delivery, 'retrying', reason))
      return
    }
    const next = elapsedMs >= settledByMs ? undefined : lookupsMs.find((at) => at > elapsedMs + 500)
    if (next !== undefined) {
      await storage.deliveries.change(tx, accountId, id, {
        state: 'unknown',
        reasonCode,
        ...(delivery.reason === null ? {} : { reason: delivery.reason }),
        dueInMs: next - elapsedMs,
      })
      return
    }
    const reason = 'Nobody can tell whether it arrived. Look on the network, then send it again or leave it.'
    await storage.deliveries.change(tx, accountId, id, { state: 'unknown', reasonCode, reason })
    facts.push(deliveryChanged(delivery, 'unknown', reason))
  }
  return whole(storage, work, () => Promise.resolve())
}

/** One transaction with its facts; once more when an echo inserted its copy at the same moment. */
async function whole<T>(
  storage: Storage,
  work: (tx: Writer, facts: NewEvent[]) => Promise<void>,
  after: (tx: Writer) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await storage.write(async (tx) => {
        const facts: NewEvent[] = []
        await work(tx, facts)
        await storage.outbox.appendMany(tx, facts)
        return after(tx)
      })
    } catch (error) {
      if (tries === 5 || codeOf(error) !== 'ER_DUP_ENTRY') throw error
    }
  }
}
