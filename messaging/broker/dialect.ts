/** What differs between brokers, and nothing else. */
export interface Dialect {
  /** The AMQP address of the queue `name`; `isDeclaring`: it may be made when it is missing. */
  addressOf(name: string, isDeclaring: boolean): string
  /** What a source or target says of itself, so that the broker makes a queue and not a topic. */
  readonly capabilities: readonly string[]
  /**
   * Whether a sender to a missing queue is let in and its messages lost, so that the queue must be watched by a receiver
   * beside each sender.
   */
  readonly losesUnroutable: boolean
  /**
   * Whether credit given while messages are on their way is counted too generously, so that it must be used up before more
   * is given.
   */
  readonly overgrantsCredit: boolean
  /** Name of the application property by which the broker itself knows what it was sent before. */
  readonly duplicateProperty: string | undefined
}
