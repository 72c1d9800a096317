/** Faults of the networks, switched on by the control interface or the phone page. */
import type { NetworkName } from '../../storage/model/words.ts'

export const faultNames = [
  /** A send is accepted, the connection dies before the answer. */
  'drop_answer',
  /** A send is accepted, the answer comes `ms` later (default 35,000). */
  'delay_answer',
  /** A send is accepted, and the answer says that it failed (Graph 1/1357046, else 500). */
  'sent_with_error',
  /** Every answer takes `ms` longer (default 1,500). */
  'delay_ms',
  /**
   * A send is refused: Graph `code` (and `subcode`), or for X the HTTP status `code`, with a number of v1.1 as `subcode` or
   * one of v2's types as `problem`, in the words of `detail`.
   */
  'refuse_code',
  /** Connections die before anything is read; webhooks are held back. */
  'network_off',
  /** Every webhook is delivered twice. */
  'repeat_webhooks',
  /** Webhooks are held until this is taken back; with `seed` they then leave in another order. */
  'hold_webhooks',
  /** Webhooks leave `ms` later (default 2,000). */
  'delay_webhooks',
  /** Webhooks are never sent: what only reading back or a replay can bring. */
  'lose_webhooks',
  /** Webhooks carry a signature made with another secret. */
  'bad_signature',
  /** The network takes the answer to its handshake (hub challenge, CRC) for wrong. */
  'crc_fails',
  /** The echo of a send arrives before its answer. */
  'echo_first',
  /** Sends have no echo. */
  'echo_none',
  /** Calls are refused as if the token had expired. */
  'expired_token',
  /** X: 429 until `ms` from now (default 3,000). */
  'rate_limited',
  /** X: the monthly cap is used up. */
  'usage_capped',
  /** X: an answer carries `errors` beside its `data`. */
  'partial_errors',
  /** Media addresses are answered as expired. */
  'media_gone',
] as const
export type FaultName = (typeof faultNames)[number]

export interface Fault {
  readonly fault: FaultName
  readonly network?: NetworkName | undefined
  readonly channel?: string | undefined
  /** How often it still happens; without it, until it is taken back. */
  readonly count?: number | undefined
  /** So many times it does not happen yet: for the second part of a message, say. */
  readonly skip?: number | undefined
  readonly ms?: number | undefined
  readonly code?: number | undefined
  readonly subcode?: number | undefined
  readonly problem?: string | undefined
  readonly detail?: string | undefined
  readonly seed?: number | undefined
}

export class Faults {
  #list: Fault[] = []
  readonly #listeners = new Set<() => void>()

  /** Calls `listener` after every change made from outside. */
  listen(listener: () => void): void {
    this.#listeners.add(listener)
  }

  get list(): readonly Fault[] {
    return this.#list
  }

  /** Sets a fault; `count` 0 takes it back. A fault of the same name and reach is replaced. */
  set(fault: Fault): void {
    this.#list = this.#list.filter(
      (one) => !(one.fault === fault.fault && one.network === fault.network && one.channel === fault.channel),
    )
    if (fault.count !== 0) this.#list.push(fault)
    for (const listener of this.#listeners) listener()
  }

  clear(): void {
    this.#list = []
    for (const listener of this.#listeners) listener()
  }

  /** Whether the fault is on there, without using it up. */
  isOn(name: FaultName, network: NetworkName, channel?: string): boolean {
    return this.find(name, network, channel) !== undefined
  }

  /** The fault that is on there, without using it up. */
  find(name: FaultName, network: NetworkName, channel?: string): Fault | undefined {
    return this.#list.find((one) => fits(one, name, network, channel))
  }

  /** Uses the fault once, if it is on there. */
  take(name: FaultName, network: NetworkName, channel?: string): Fault | undefined {
    const index = this.#list.findIndex((one) => fits(one, name, network, channel))
    const found = this.#list[index]
    if (found?.skip !== undefined && found.skip > 0) {
      this.#list[index] = { ...found, skip: found.skip - 1 }
      return undefined
    }
    if (found?.count === undefined) return found
    if (found.count <= 1) this.#list.splice(index, 1)
    else this.#list[index] = { ...found, count: found.count - 1 }
    return found
  }
}

/** A fault without a channel reaches all of them. */
const fits = (one: Fault, name: FaultName, network: NetworkName, channel?: string): boolean =>
  one.fault === name &&
  (one.network === undefined || one.network === network) &&
  (one.channel === undefined || one.channel === channel)
