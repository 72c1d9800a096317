/** The links by which messages leave for one queue: a sender, and beside it what says that the queue is there. */
import type { EventContext, Sender, Session } from 'rhea'
import type { Dialect } from './dialect.ts'
import { describe } from './wire.ts'
import type { Wire } from './wire.ts'

/** What the owner of an outlet hears; nothing more after `onLost` or `leave`. */
export interface OutletEvents {
  /** There is room for messages. */
  onRoom(): void
  onAccepted(id: number): void
  onRefused(id: number): void
  /** The links are gone, the connection stands. */
  onLost(reason: string): void
}

/** How long the broker may take to attach the links: a queue whose leader is missing does not answer at all. */
const attachLimitMs = 5_000

export class Outlet {
  readonly #wire: Wire
  readonly #address: string
  readonly #dialect: Dialect
  readonly #events: OutletEvents
  readonly #sessions: Session[] = []
  readonly #limit: NodeJS.Timeout
  #sender: Sender | undefined
  #isLeft = false
  #tag = 0

  /** Opens the links on a wire that is open. */
  constructor(wire: Wire, address: string, dialect: Dialect, events: OutletEvents) {
    this.#wire = wire
    this.#address = address
    this.#dialect = dialect
    this.#events = events
    this.#limit = setTimeout(() => {
      this.#lose('it did not answer in time')
    }, attachLimitMs)
    this.#limit.unref()
    if (dialect.losesUnroutable) this.#watchQueue()
    else this.#openSender()
  }

  get hasRoom(): boolean {
    return this.#sender?.sendable() ?? false
  }

  /** Sends an encoded message when `hasRoom`; the id by which its fate is told. */
  send(payload: Buffer): number | undefined {
    const tag = Buffer.allocUnsafe(4)
    this.#tag = (this.#tag + 1) >>> 0
    tag.writeUInt32BE(this.#tag)
    // Format 0: the payload is a message that is encoded already.
    return this.#sender?.send(payload, tag, 0).id
  }

  /** Says nothing more; the connection is gone, and the links with it. */
  leave(): void {
    this.#isLeft = true
    clearTimeout(this.#limit)
  }

  /**
   * A receiver without credit takes nothing, and says when the queue is missing, now or later: on RabbitMQ 3.10 a sender
   * to a missing queue has everything accepted and lost.
   */
  #watchQueue(): void {
    const watch = this.#openSession().open_receiver({
      source: { address: this.#address, durable: 2 },
      autoaccept: false,
      credit_window: 0,
    })
    watch.on('receiver_error', this.#onGone)
    watch.on('receiver_close', this.#onGone)
    watch.once('receiver_open', () => {
      if (!this.#isLeft) this.#openSender()
    })
  }

  #openSender(): void {
    const events = this.#events
    const sender = this.#openSession().open_sender({
      target: { address: this.#address, durable: 2, capabilities: [...this.#dialect.capabilities] },
      snd_settle_mode: 0,
    })
    sender.on('sender_error', this.#onGone)
    sender.on('sender_close', this.#onGone)
    sender.once('sender_open', () => {
      if (this.#isLeft) return
      clearTimeout(this.#limit)
      this.#sender = sender
      this.#wire.settle()
    })
    sender.on('sendable', () => {
      if (!this.#isLeft) events.onRoom()
    })
    sender.on('accepted', ({ delivery }: EventContext) => {
      if (delivery !== undefined && !this.#isLeft) events.onAccepted(delivery.id)
    })
    const onRefused = ({ delivery }: EventContext): void => {
      if (delivery !== undefined && !this.#isLeft) events.onRefused(delivery.id)
    }
    sender.on('released', onRefused)
    sender.on('rejected', onRefused)
  }

  /** One for each link, since on RabbitMQ the error of a link ends its whole session. */
  #openSession(): Session {
    const session = this.#wire.openSession()
    session.on('session_error', this.#onGone)
    session.on('session_close', this.#onGone)
    this.#sessions.push(session)
    return session
  }

  readonly #onGone = (context: EventContext): void => {
    this.#lose(describe(context.sender?.error ?? context.receiver?.error ?? context.session?.error))
  }

  #lose(reason: string): void {
    if (this.#isLeft) return
    this.leave()
    for (const session of this.#sessions) session.close()
    this.#events.onLost(reason)
  }
}
