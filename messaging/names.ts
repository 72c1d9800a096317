/** Names of people who came without one: asked of the network apart from their message, few at a time, best effort. */
import type { Config } from '../infra/config.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type { Channel, ContactAddress, Storage } from '../storage/index.ts'
import { connectorOf } from './connectors/registry.ts'
import { openAccess } from './directory.ts'

const longestQueue = 1_000
const atOnce = 2
const limitMs = 10_000
const remembered = 20_000

export class Names implements Running {
  readonly #context: { readonly storage: Storage; readonly config: Config; readonly logger: Logger }
  readonly #asked = new Set<string>()
  readonly #queue: { readonly channel: Channel; readonly address: ContactAddress }[] = []
  readonly #stopping = new AbortController()
  readonly #running = new Set<Promise<void>>()

  constructor(context: { readonly storage: Storage; readonly config: Config; readonly logger: Logger }) {
    this.#context = context
  }

  /** Asks for this person's name, once while the process lives; in a flood some stay without. */
  want(channel: Channel, address: ContactAddress): void {
    if (connectorOf(channel.type)?.fetchPerson === undefined || address.externalId.startsWith('withheld:')) return
    if (this.#asked.has(address.id) || this.#queue.length >= longestQueue) return
    if (this.#asked.size >= remembered) this.#asked.clear()
    this.#asked.add(address.id)
    this.#queue.push({ channel, address })
    if (this.#running.size >= atOnce) return
    const work = this.#work().finally(() => this.#running.delete(work))
    this.#running.add(work)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#running)
  }

  async #work(): Promise<void> {
    const { storage, config, logger } = this.#context
    for (
      let next = this.#queue.shift();
      next !== undefined && !this.#stopping.signal.aborted;
      next = this.#queue.shift()
    ) {
      const { channel, address } = next
      try {
        const access = await openAccess(storage, config, channel)
        const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(limitMs)])
        const person = await connectorOf(channel.type)?.fetchPerson?.(access, address.externalId, signal)
        if (person?.name !== undefined || person?.handle !== undefined)
          await storage.write((tx) => storage.contacts.rename(tx, address, person))
      } catch (error) {
        logger.debug({ channel: channel.id, err: error }, 'a name could not be fetched')
      }
    }
  }
}
