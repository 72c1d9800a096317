/** The way of messages to one queue: a bounded wait in memory, a window in flight, and every message settled or refused. */
import type { Delivery, EventContext, Sender, Session } from 'rhea'
import type { Logger } from '../../infra/logger.ts'
import { BrokerUnavailable } from './contract.ts'
import type { Dialect } from './dialect.ts'
import { describe } from './wire.ts'
import type { Wire } from './wire.ts'

/** Most deliveries under way at once; well below the buffer of deliveries that rhea keeps (see wire.ts). */
const window = 1_000
/** Most bytes that wait or are under way; beyond this a publish is refused at once. */
const mostBytes = 64 * 1024 * 1024
/** How long a queue that was missing is taken to be missing still. */
const missingMs = 1_000
/** How long the broker may take to attach a link: a queue whose leader is missing does not answer at all. */
const attachLimitMs = 5_000
/** Pause before links that were closed for another reason are opened again. */
const reopenMs = 250
/** How late a time limit may be noticed. */
const sweepMs = 25

/** One message on its way. */
interface Pending {
  readonly payload: Buffer
  readonly resolve: () => void
  readonly reject: (error: BrokerUnavailable) => void
  readonly deadline: number
  isDone: boolean
}

export class Lane {
  readonly #wire: Wire
  readonly #queue: string
  readonly #address: string
  readonly #dialect: Dialect
  readonly #logger: Logger
  #waiting: Pending[] = []
  #head = 0
  /** By delivery id, in the order of sending. */
  #inFlight = new Map<number, Pending>()
  #bytes = 0
  #count = 0
  #nextDeadline = Infinity
  #sweeper: NodeJS.Timeout | undefined
  #sender: Sender | undefined
  #sessions: Session[] = []
  #isOpening = false
  #isPumpDue = false
  #missingUntil = 0
  #missingReason = ''
  #onEmpty: (() => void)[] = []
  /** Rises with each connection; what belongs to an older one is ignored. */
  #generation = 0
  #tag = 0
  readonly #pump = (): void => this.#send()

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
      return Promise.reject(
        new BrokerUnavailable(
          `too much is waiting for the broker (${String(this.#count)} messages for ${this.#queue})`,
        ),
      )
    }
    return new Promise((resolve, reject) => {
      const deadline = now + limitMs
      this.#bytes += payload.length
      this.#count += 1
      this.#waiting.push({ payload, resolve, reject, deadline, isDone: false })
      if (deadline < this.#nextDeadline) this.#nextDeadline = deadline
      this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs)
      // Once for all that is published in this turn of the event loop.
      if (!this.#isPumpDue) {
        this.#isPumpDue = true
        setImmediate(this.#pump)
      }
    })
  }

  /** A connection stands: opens the sender if there is something to say. */
  onOpen(): void {
    if (this.#count > 0) this.#open()
  }

  /** The connection is gone: what was under way goes to the front of what waits, in its old order. */
  onDrop(): void {
    this.#generation += 1
    this.#sender = undefined
    this.#sessions = []
    this.#isOpening = false
    if (this.#inFlight.size === 0) return
    this.#waiting = [...this.#inFlight.values(), ...this.#waiting.slice(this.#head)]
    this.#head = 0
    this.#inFlight = new Map()
  }

  /** Resolves when nothing is under way; every message has a time limit, so this ends. */
  whenEmpty(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#onEmpty.push(resolve))
  }

  /** Refuses everything that is not accepted yet. */
  fail(reason: string): void {
    for (const pending of [...this.#inFlight.values(), ...this.#waiting.slice(this.#head)])
      this.#refuse(pending, reason)
  }

  #send(): void {
    this.#isPumpDue = false
    const sender = this.#sender
    if (sender === undefined) {
      if (this.#wire.isOpen && this.#count > 0) this.#open()
      return
    }
    let sent = 0
    while (this.#head < this.#waiting.length && this.#inFlight.size < window && sender.sendable()) {
      const pending = this.#waiting[this.#head++]
      if (pending === undefined || pending.isDone) continue
      // Format 0: the payload is a message that is encoded already.
      const delivery = sender.send(pending.payload, this.#nextTag(), 0)
      this.#inFlight.set(delivery.id, pending)
      sent += 1
    }
    if (this.#head === this.#waiting.length) {
      this.#waiting = []
      this.#head = 0
    } else if (this.#head > 4_096) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    if (sent > 0) this.#wire.cork()
  }

  #nextTag(): Buffer {
    const tag = Buffer.allocUnsafe(4)
    this.#tag = (this.#tag + 1) >>> 0
    tag.writeUInt32BE(this.#tag)
    return tag
  }

  #open(): void {
    if (this.#isOpening || this.#sender !== undefined) return
    this.#isOpening = true
    const generation = this.#generation
    setTimeout(() => {
      if (generation === this.#generation && this.#isOpening) this.#lost(undefined, 'it did not answer in time')
    }, attachLimitMs).unref()
    if (this.#dialect.losesUnroutable) this.#watchQueue(() => this.#openSender())
    else this.#openSender()
  }

  /**
   * A receiver without credit takes nothing, and says when the queue is missing, now or later: on RabbitMQ 3.10 a sender to a
   * missing queue has everything accepted and lost.
   */
  #watchQueue(onFound: () => void): void {
    const generation = this.#generation
    const session = this.#wire.openSession()
    const onGone = this.#onGone(session)
    const watch = session.open_receiver({
      source: { address: this.#address, durable: 2 },
      autoaccept: false,
      credit_window: 0,
    })
    watch.on('receiver_error', onGone)
    watch.on('receiver_close', onGone)
    watch.once('receiver_open', () => {
      if (generation === this.#generation) onFound()
    })
  }

  #openSender(): void {
    const generation = this.#generation
    const session = this.#wire.openSession()
    const sender = session.open_sender({
      target: { address: this.#address, durable: 2, capabilities: [...this.#dialect.capabilities] },
      snd_settle_mode: 0,
    })
    const onGone = this.#onGone(session)
    sender.on('sender_error', onGone)
    sender.on('sender_close', onGone)
    sender.once('sender_open', () => {
      if (generation !== this.#generation) return
      this.#isOpening = false
      this.#sender = sender
      this.#wire.settle()
      this.#send()
    })
    sender.on('sendable', this.#pump)
    sender.on('accepted', (context: EventContext) => {
      const pending = generation === this.#generation ? this.#take(context.delivery) : undefined
      if (pending !== undefined && !pending.isDone) {
        this.#finish(pending)
        pending.resolve()
      }
      // After the whole frame of confirmations, once.
      if (this.#head < this.#waiting.length && !this.#isPumpDue) {
        this.#isPumpDue = true
        setImmediate(this.#pump)
      }
    })
    const onRefused = (context: EventContext): void => {
      const pending = generation === this.#generation ? this.#take(context.delivery) : undefined
      if (pending !== undefined) this.#refuse(pending, `the broker refused a message for ${this.#queue}`)
    }
    sender.on('released', onRefused)
    sender.on('rejected', onRefused)
  }

  #take(delivery: Delivery | undefined): Pending | undefined {
    if (delivery === undefined) return undefined
    const pending = this.#inFlight.get(delivery.id)
    this.#inFlight.delete(delivery.id)
    return pending
  }

  /** Listens for the end of a session; returns what the link on it calls when it ends. */
  #onGone(session: Session): (context: EventContext) => void {
    const generation = this.#generation
    this.#sessions.push(session)
    const onGone = (context: EventContext): void => {
      if (generation === this.#generation)
        this.#lost(context.sender?.error ?? context.receiver?.error ?? context.session?.error)
    }
    session.on('session_error', onGone)
    session.on('session_close', onGone)
    return onGone
  }

  /** The links are gone, the connection stands. A missing queue refuses what waits; anything else is tried again. */
  #lost(error: unknown, reason = describe(error)): void {
    const sessions = this.#sessions
    this.onDrop()
    for (const session of sessions) session.close()
    this.#logger.error({ queue: this.#queue, reason }, 'the broker closed the way to a queue')
    if (/not.found|resource.deleted/i.test(reason)) {
      this.#missingReason = `the broker has no queue ${this.#queue}: ${reason}`
      this.#missingUntil = performance.now() + missingMs
      this.fail(this.#missingReason)
    } else {
      setTimeout(this.#pump, reopenMs).unref()
    }
  }

  #refuse(pending: Pending, reason: string): void {
    if (pending.isDone) return
    this.#finish(pending)
    pending.reject(new BrokerUnavailable(reason))
  }

  #finish(pending: Pending): void {
    pending.isDone = true
    this.#bytes -= pending.payload.length
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
    for (const [id, pending] of this.#inFlight) if (this.#isLate(pending, now)) this.#inFlight.delete(id)
    for (let at = this.#head; at < this.#waiting.length; at += 1) {
      const pending = this.#waiting[at]
      if (pending !== undefined) this.#isLate(pending, now)
    }
  }

  #isLate(pending: Pending, now: number): boolean {
    if (pending.isDone) return true
    if (pending.deadline <= now) {
      this.#refuse(pending, `the broker did not accept a message for ${this.#queue} in time`)
      return true
    }
    if (pending.deadline < this.#nextDeadline) this.#nextDeadline = pending.deadline
    return false
  }
}
