/**
 * How a backlog is taken in. While nobody reads: in large transactions, two at once, since one waits for the other's locks only
 * at its end. While somebody reads, on any node: in small ones, one after the other, with rests, so that an answer waits for
 * little; people go before what has waited already.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Storage } from '../storage/index.ts'

/** Items: a transaction ends with the body in which it reaches them. Bodies: most messages of the broker in one batch. */
const alone = { items: 1_000, bodies: 500 }
const inCompany = { items: 50, bodies: 50 }
/** The rest after a transaction, as a multiple of the time that it took: at 2 the primary is ours a third of the time. */
const restShare = 2
const longestRestMs = 250

export class Pace {
  readonly #readers: Storage['readers']
  #hasCompany = false
  #last: Promise<void> = Promise.resolve()

  constructor(readers: Storage['readers']) {
    this.#readers = readers
  }

  get items(): number {
    return this.#hasCompany ? inCompany.items : alone.items
  }

  get bodies(): number {
    return this.#hasCompany ? inCompany.bodies : alone.bodies
  }

  /** Whether somebody reads; to be asked before each batch. */
  async look(): Promise<void> {
    this.#hasCompany = await this.#readers.areThere()
  }

  /** One transaction when its turn has come. @param isBacklog whether more waits, so that a rest is due afterwards */
  take(work: () => Promise<void>, isBacklog: boolean): Promise<void> {
    if (!this.#hasCompany) return work()
    let startedAt = 0
    const done = this.#last.then(() => {
      startedAt = performance.now()
      return work()
    })
    const rest = (): Promise<void> =>
      isBacklog ? sleep(Math.min(longestRestMs, (performance.now() - startedAt) * restShare)) : Promise.resolve()
    this.#last = done.then(rest, rest)
    return done
  }
}
