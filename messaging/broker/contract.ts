/** What Parley asks of a broker, the same on RabbitMQ and Artemis. */
import type { QueueName } from './queues.ts'

/** A message for a queue. */
export interface Outgoing {
  /** Stable id: the same fact sent again carries the same id. */
  readonly id: string
  readonly body: Uint8Array
  /** Short strings that travel beside the body, such as `app` or `trace`. */
  readonly properties?: Readonly<Record<string, string>>
}

/** A message taken from a queue; exactly one of the settling calls must follow. Settling twice, or after the connection was lost, does nothing. */
export interface Incoming {
  readonly id: string
  readonly body: Buffer
  readonly properties: Readonly<Record<string, string>>
  /** Whether settling it still means something: false once it is settled, or the connection that brought it is gone. */
  readonly isLive: boolean
  /** It is done with, for ever. */
  accept(): void
  /**
   * Back to the queue at once, for another consumer. Only for shutting down: a message that fails is parked by the
   * application (see `park.ts`), since brokers differ in how they count and delay.
   */
  release(): void
}

/** A running consumer of one queue. */
export interface Consumer {
  /** Takes no more messages, waits until those in hand are settled (bounded), then closes. */
  stop(): Promise<void>
}

export interface ConsumeOptions {
  /** Most messages in hand at once. */
  readonly credit: number
}

export interface Broker {
  /**
   * Resolves when the broker has accepted the message durably. What is unsettled when the connection drops is sent again
   * under the same id after the reconnect (so a consumer may see it twice, never not at all).
   * @param options.limitMs how long to wait in all, default 5,000
   * @throws BrokerUnavailable when it was not accepted in time; the message may still arrive
   */
  publish(queue: QueueName, message: Outgoing, options?: { readonly limitMs?: number }): Promise<void>
  /** Calls `onMessage` for every message; survives reconnects. `onMessage` must not throw. */
  consume(queue: QueueName, options: ConsumeOptions, onMessage: (message: Incoming) => void): Consumer
  /** Whether a connection stands now. */
  readonly isConnected: boolean
  /** Waits for what is in flight (bounded), then disconnects. */
  close(): Promise<void>
}

/** The broker did not accept a message in time. */
export class BrokerUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BrokerUnavailable'
  }
}
