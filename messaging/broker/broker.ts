/**
 * AMQP 1.0 through rhea. At least once in both directions: `accepted` is the only good news of a publish, and a message that
 * was taken is gone only when it was settled. All senders share one connection, each consumer has its own.
 */
import type { Config } from '../../infra/config.ts'
import type { Logger } from '../../infra/logger.ts'
import { artemis } from './artemis.ts'
import { encodeMessage } from './codec.ts'
import { BrokerUnavailable } from './contract.ts'
import type { Broker, ConsumeOptions, Consumer, Incoming, Outgoing } from './contract.ts'
import type { Dialect } from './dialect.ts'
import { Intake } from './intake.ts'
import { Lane } from './lane.ts'
import type { QueueName } from './queues.ts'
import { rabbitmq } from './rabbitmq.ts'
import { Wire } from './wire.ts'
import type { BrokerAddress } from './wire.ts'

const dialects: Readonly<Record<Config['broker'], Dialect>> = { rabbitmq, artemis }
const defaultLimitMs = 5_000
const closeLimitMs = 5_000

/**
 * Starts to connect and returns at once; a broker that is away is waited for.
 * @throws Error when the configuration names no broker
 */
export function openBroker(config: Pick<Config, 'broker' | 'brokerUrl' | 'prefix' | 'node'>, logger: Logger): Broker {
  if (config.brokerUrl === undefined) throw new Error('PARLEY_BROKER_URL is not set')
  return new AmqpBroker(config, parseAddress(config.brokerUrl.reveal()), logger)
}

class AmqpBroker implements Broker {
  readonly #config: Pick<Config, 'broker' | 'prefix' | 'node'>
  readonly #address: BrokerAddress
  readonly #dialect: Dialect
  readonly #logger: Logger
  readonly #wire: Wire
  readonly #lanes = new Map<QueueName, Lane>()
  readonly #consumers = new Set<Consumer>()
  #closing: Promise<void> | undefined

  constructor(config: Pick<Config, 'broker' | 'prefix' | 'node'>, address: BrokerAddress, logger: Logger) {
    this.#config = config
    this.#address = address
    this.#dialect = dialects[config.broker]
    this.#logger = logger
    this.#wire = new Wire(
      address,
      `${config.node}-publish`,
      { onOpen: () => this.#tell('onOpen'), onDrop: () => this.#tell('onDrop') },
      logger,
    )
  }

  get isConnected(): boolean {
    return this.#wire.isOpen
  }

  publish(queue: QueueName, message: Outgoing, options?: { readonly limitMs?: number }): Promise<void> {
    if (this.#closing !== undefined)
      return Promise.reject(new BrokerUnavailable('the broker connection is being closed'))
    const payload = encodeMessage(message, this.#dialect.duplicateProperty)
    return this.#lane(queue).publish(payload, options?.limitMs ?? defaultLimitMs)
  }

  consume(queue: QueueName, options: ConsumeOptions, onMessage: (message: Incoming) => void): Consumer {
    if (this.#closing !== undefined) throw new BrokerUnavailable('the broker connection is being closed')
    const { node } = this.#config
    const intake = new Intake(
      this.#address,
      `${node}-${queue}`,
      this.#addressOf(queue),
      this.#dialect,
      options,
      onMessage,
      this.#logger,
    )
    const consumer: Consumer = {
      stop: async () => {
        await intake.stop()
        this.#consumers.delete(consumer)
      },
    }
    this.#consumers.add(consumer)
    return consumer
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const timer = setTimeout(() => {
      for (const lane of this.#lanes.values())
        lane.fail('the broker connection was closed before the message was accepted')
    }, closeLimitMs)
    await Promise.all([
      ...[...this.#lanes.values()].map((lane) => lane.whenEmpty()),
      ...[...this.#consumers].map((consumer) => consumer.stop()),
    ])
    clearTimeout(timer)
    await this.#wire.close()
  }

  #lane(queue: QueueName): Lane {
    let lane = this.#lanes.get(queue)
    if (lane === undefined) {
      lane = new Lane(this.#wire, this.#nameOf(queue), this.#addressOf(queue), this.#dialect, this.#logger)
      this.#lanes.set(queue, lane)
    }
    return lane
  }

  #tell(what: 'onOpen' | 'onDrop'): void {
    for (const lane of this.#lanes.values()) lane[what]()
  }

  #nameOf(queue: QueueName): string {
    return this.#config.prefix === '' ? queue : `${this.#config.prefix}_${queue}`
  }

  /** Under a prefix (tests) queues are made on demand; else the broker's definitions have them. */
  #addressOf(queue: QueueName): string {
    return this.#dialect.addressOf(this.#nameOf(queue), this.#config.prefix !== '')
  }
}

function parseAddress(text: string): BrokerAddress {
  const url = new URL(text)
  if (url.protocol !== 'amqp:') throw new Error('PARLEY_BROKER_URL must begin with amqp://')
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 5672 : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  }
}
