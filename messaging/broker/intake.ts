/** The consumer of one queue, on a connection of its own: what happens to it touches nobody else. */
import type { Delivery, EventContext, Receiver } from 'rhea'
import type { Logger } from '../../infra/logger.ts'
import { bodyOf, propertiesOf } from './codec.ts'
import type { ConsumeOptions, Consumer, Incoming } from './contract.ts'
import type { Dialect } from './dialect.ts'
import { describe, Wire } from './wire.ts'
import type { BrokerAddress } from './wire.ts'

/** How long `stop` waits for messages in hand. */
const stopLimitMs = 8_000
/** How long the broker may take to attach the link. */
const attachLimitMs = 5_000

export class Intake implements Consumer {
  readonly #wire: Wire
  readonly #address: string
  readonly #dialect: Dialect
  readonly #credit: number
  readonly #onMessage: (message: Incoming) => void
  readonly #logger: Logger
  #link: Link | undefined
  #stopping: Promise<void> | undefined
  #onIdle: (() => void) | undefined

  constructor(
    broker: BrokerAddress,
    name: string,
    address: string,
    dialect: Dialect,
    options: ConsumeOptions,
    onMessage: (message: Incoming) => void,
    logger: Logger,
  ) {
    this.#address = address
    this.#dialect = dialect
    this.#credit = Math.max(1, options.credit)
    this.#onMessage = onMessage
    this.#logger = logger
    this.#wire = new Wire(broker, name, { onOpen: () => this.#open(), onDrop: () => this.#drop() }, logger)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    if (this.#link !== undefined) {
      this.#link.isStopping = true
      if (this.#link.inHand > 0) {
        const idle = new Promise<void>((resolve) => (this.#onIdle = resolve))
        const timer = setTimeout(() => this.#onIdle?.(), stopLimitMs)
        await idle
        clearTimeout(timer)
      }
    }
    await this.#wire.close()
  }

  #open(): void {
    const session = this.#wire.openSession()
    const receiver = session.open_receiver({
      source: { address: this.#address, durable: 2, capabilities: [...this.#dialect.capabilities] },
      autoaccept: false,
      credit_window: 0,
    })
    const link = new Link(receiver, this.#wire, this.#credit, this.#dialect.overgrantsCredit, () => this.#onIdle?.())
    this.#link = link
    const giveUp = (reason: string): void => {
      if (this.#link !== link || this.#stopping !== undefined) return
      this.#logger.error({ address: this.#address, reason }, 'the broker ended the intake from a queue')
      this.#wire.drop(reason)
    }
    const attaching = setTimeout(() => giveUp('it did not answer in time'), attachLimitMs).unref()
    const onGone = (context: EventContext): void => {
      clearTimeout(attaching)
      giveUp(describe(context.receiver?.error ?? context.session?.error))
    }
    session.on('session_error', onGone)
    session.on('session_close', onGone)
    receiver.on('receiver_error', onGone)
    receiver.on('receiver_close', onGone)
    receiver.once('receiver_open', () => {
      clearTimeout(attaching)
      this.#wire.settle()
      link.grant()
    })
    receiver.on('message', (context: EventContext) => {
      const { delivery, message } = context
      // What comes after stop was called is left unsettled: closing the connection gives it back to the queue.
      if (delivery === undefined || message === undefined || link.isStopping) return
      link.received()
      this.#onMessage(
        new Taken(
          link,
          delivery,
          String(message['message_id'] ?? ''),
          bodyOf(message.body),
          propertiesOf(message['application_properties']),
        ),
      )
    })
  }

  #drop(): void {
    if (this.#link !== undefined) this.#link.isLive = false
    this.#link = undefined
    this.#onIdle?.()
  }
}

/** The receiver of one connection and what it has handed out. */
class Link {
  readonly #receiver: Receiver
  readonly #wire: Wire
  readonly #credit: number
  readonly #isExact: boolean
  readonly #onIdle: () => void
  /** Credit that the broker has and has not used, as far as is known here. */
  #outstanding = 0
  inHand = 0
  isLive = true
  isStopping = false

  constructor(receiver: Receiver, wire: Wire, credit: number, overgrantsCredit: boolean, onIdle: () => void) {
    this.#receiver = receiver
    this.#wire = wire
    this.#credit = credit
    this.#isExact = !overgrantsCredit
    this.#onIdle = onIdle
  }

  /** Gives what credit is free, a quarter of the whole or more at a time. */
  grant(): void {
    if (this.isStopping || (this.#outstanding > 0 && !this.#isExact)) return
    const free = this.#credit - this.inHand - this.#outstanding
    if (free < Math.max(1, this.#credit >> 2)) return
    this.#outstanding += free
    this.#receiver.add_credit(free)
  }

  received(): void {
    this.inHand += 1
    if (this.#outstanding > 0) this.#outstanding -= 1
  }

  settled(): void {
    this.inHand -= 1
    if (this.inHand === 0 && this.isStopping) this.#onIdle()
    this.grant()
    this.#wire.cork()
  }
}

class Taken implements Incoming {
  readonly id: string
  readonly body: Buffer
  readonly properties: Readonly<Record<string, string>>
  readonly #link: Link
  readonly #delivery: Delivery
  #isSettled = false

  constructor(link: Link, delivery: Delivery, id: string, body: Buffer, properties: Readonly<Record<string, string>>) {
    this.#link = link
    this.#delivery = delivery
    this.id = id
    this.body = body
    this.properties = properties
  }

  get isLive(): boolean {
    return !this.#isSettled && this.#link.isLive
  }

  accept(): void {
    if (!this.isLive) return
    this.#isSettled = true
    this.#delivery.accept()
    this.#link.settled()
  }

  release(): void {
    if (!this.isLive) return
    this.#isSettled = true
    this.#delivery.release()
    this.#link.settled()
  }
}
