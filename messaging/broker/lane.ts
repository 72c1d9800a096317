/** The way of messages to one queue: a bounded wait in memory, a window in flight, and every message settled or refused. */
import type { Logger } from '../../infra/logger.ts'
import { BrokerUnavailable } from './contract.ts'
import type { Dialect } from './dialect.ts'
import { Outlet } from './outlet.ts'
import type { OutletEvents } from './outlet.ts'
import type { Wire } from './wire.ts'

/** Most deliveries under way at once; well below the buffer of deliveries that rhea keeps (see wire.ts). */
const window = 1_000
/** Most bytes that wait or are under way; beyond this a publish is refused at once. */
const mostBytes = 64 * 1024 * 1024
/** How long a queue that was missing is taken to be missing still. */
const missingMs = 1_000
/** Pause before links that were closed for another reason are opened again. */
const reopenMs = 250
/** How late a time limit may be noticed: one timer for all, since one for each message costs more than the rest. */
const sweepMs = 25

/** One message on its way; `isDone`: its publisher has had an answer. */
interface Pending {
  readonly payload: Buffer
  readonly resolve: () => void
  readonly reject: (error: BrokerUnavailable) => void
  readonly deadline: number
  isDone: boolean
}

export class Lane implements OutletEvents {
  readonly #wire: Wire
  readonly #queue: string
  readonly #address: string
  readonly #dialect: Dialect
  readonly #logger: Logger
  #outlet: Outlet | undefined
  #waiting: Pending[] = []
  /** Where in `#waiting` the next one is. */
  #head = 0
  /** By delivery id, in the order of sending. One that came too late stays until the broker has answered, as rhea has it too. */
  #inFlight = new Map<number, Pending>()
  #bytes = 0
  /** Publishers without an answer. */
  #count = 0
  #nextDeadline = Infinity
  #sweeper: NodeJS.Timeout | undefined
  #isPumpDue = false
  #missingUntil = 0
  #missingReason = ''
  readonly #onEmpty: (() => void)[] = []
  readonly #pump = (): void => {
    this.#send()
  }

  /** `queue` is its name on the broker, `address` its AMQP address. */
  constructor(wire: Wire, queue: string, address: string, dialect: Dialect, logger: Logger) {
    this.#wire = wire
    this.#queue = queue
    this.#address = address
    this.#dialect = dialect
    this.#logger = logger
  }

  /** See `Broker.publish`. */
  publish(payload: Buffer, limitMs: number): Promise<void> {
    const now = performance.now()
    if (now < this.#missingUntil) return Promise.reject(new BrokerUnavailable(this.#missingReason))
    if (this.#bytes + payload.length > mostBytes) {
      const waiting = `${String(this.#count)} messages for ${this.#queue}`
      return Promise.reject(new BrokerUnavailable(`too much is waiting for the broker (${waiting})`))
    }
    return new Promise((resolve, reject) => {
      const deadline = now + limitMs
      this.#bytes += payload.length
      this.#count += 1
      this.#waiting.push({ payload, resolve, reject, deadline, isDone: false })
      if (deadline < this.#nextDeadline) this.#nextDeadline = deadline
      this.#sweeper ??= setInterval(() => {
        this.#sweep()
      }, sweepMs)
      this.onRoom()
    })
  }

  /** A connection stands: opens the links if there is something to say. */
  onOpen(): void {
    this.#send()
  }

  /** The connection is gone: what was under way goes to the front of what waits, in its old order. */
  onDrop(): void {
    this.#outlet?.leave()
    this.#outlet = undefined
    const again: Pending[] = []
    for (const pending of this.#inFlight.values()) {
      if (pending.isDone) this.#bytes -= pending.payload.length
      else again.push(pending)
    }
    this.#waiting = [...again, ...this.#waiting.slice(this.#head)]
    this.#head = 0
    this.#inFlight = new Map()
  }

  /** Resolves when nothing is under way; every message has a time limit, so this ends. */
  whenEmpty(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#onEmpty.push(resolve))
  }

  /** Refuses everything that is not accepted yet. */
  fail(reason: string): void {
    for (const pending of this.#inFlight.values()) this.#refuse(pending, reason)
    for (const pending of this.#waiting.slice(this.#head)) this.#refuseWaiting(pending, reason)
  }

  /** Sends in the next turn of the event loop, once for all that was published or confirmed in this one. */
  onRoom(): void {
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    setImmediate(this.#pump)
  }

  onAccepted(id: number): void {
    const pending = this.#take(id)
    if (pending?.isDone === false) {
      this.#finish(pending)
      pending.resolve()
    }
    if (this.#head < this.#waiting.length) this.onRoom()
  }

  onRefused(id: number): void {
    const pending = this.#take(id)
    if (pending !== undefined) this.#refuse(pending, `the broker refused a message for ${this.#queue}`)
  }

  /** A missing queue refuses what waits; anything else is tried again. */
  onLost(reason: string): void {
    this.onDrop()
    this.#logger.error({ queue: this.#queue, reason }, 'the broker closed the way to a queue')
    if (/not.found|resource.deleted/i.test(reason)) {
      this.#missingReason = `the broker has no queue ${this.#queue}: ${reason}`
      this.#missingUntil = performance.now() + missingMs
      this.fail(this.#missingReason)
    } else {
      setTimeout(this.#pump, reopenMs).unref()
    }
  }

  #send(): void {
    this.#isPumpDue = false
    if (this.#outlet === undefined) {
      // With links opened, `onRoom` follows.
      if (this.#wire.isOpen && this.#count > 0) {
        this.#outlet = new Outlet(this.#wire, this.#address, this.#dialect, this)
      }
      return
    }
    let sent = 0
    while (this.#head < this.#waiting.length && this.#inFlight.size < window && this.#outlet.hasRoom) {
      const pending = this.#waiting[this.#head++]
      if (pending === undefined || pending.isDone) continue
      const id = this.#outlet.send(pending.payload)
      if (id !== undefined) this.#inFlight.set(id, pending)
      sent += 1
    }
    if (this.#head === this.#waiting.length || this.#head > 4_096) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    if (sent > 0) this.#wire.cork()
  }

  #take(id: number): Pending | undefined {
    const pending = this.#inFlight.get(id)
    if (pending === undefined) return undefined
    this.#inFlight.delete(id)
    this.#bytes -= pending.payload.length
    return pending
  }

  #refuse(pending: Pending, reason: string): void {
    if (pending.isDone) return
    this.#finish(pending)
    pending.reject(new BrokerUnavailable(reason))
  }

  #refuseWaiting(pending: Pending, reason: string): void {
    if (!pending.isDone) this.#bytes -= pending.payload.length
    this.#refuse(pending, reason)
  }

  #finish(pending: Pending): void {
    pending.isDone = true
    this.#count -= 1
    if (this.#count > 0) return
    for (const resolve of this.#onEmpty.splice(0)) resolve()
  }

  #sweep(): void {
    if (this.#count === 0) {
      clearInterval(this.#sweeper)
      this.#sweeper = undefined
      this.#nextDeadline = Infinity
      return
    }
    const now = performance.now()
    if (now < this.#nextDeadline) return
    this.#nextDeadline = Infinity
    const reason = `the broker did not accept a message for ${this.#queue} in time`
    for (const pending of this.#inFlight.values()) if (this.#isLate(pending, now)) this.#refuse(pending, reason)
    for (let at = this.#head; at < this.#waiting.length; at += 1) {
      const pending = this.#waiting[at]
      if (pending !== undefined && this.#isLate(pending, now)) this.#refuseWaiting(pending, reason)
    }
  }

  #isLate(pending: Pending, now: number): boolean {
    if (pending.isDone) return false
    if (pending.deadline <= now) return true
    if (pending.deadline < this.#nextDeadline) this.#nextDeadline = pending.deadline
    return false
  }
}
