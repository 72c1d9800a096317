/** RabbitMQ 3.10 with its AMQP 1.0 plugin. */
import type { Dialect } from './dialect.ts'

export const rabbitmq: Dialect = {
  /**
   * `/amq/queue/NAME` uses a queue that the broker's definitions declare; `/queue/NAME` declares a durable classic queue.
   * Names of ours need no escaping.
   */
  addressOf: (name, isDeclaring) => (isDeclaring ? `/queue/${name}` : `/amq/queue/${name}`),
  capabilities: [],
  // The plugin answers `accepted` for what no queue took.
  losesUnroutable: true,
  // The plugin takes the credit of a flow frame as counted from what it has sent, not from what the frame says was received.
  overgrantsCredit: true,
  duplicateProperty: undefined,
}
