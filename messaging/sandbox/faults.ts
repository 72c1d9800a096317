/** Faults of the networks, switched on by the control interface or the phone page. */
import type { NetworkName } from '../../storage/model/words.ts'

export const faultNames = [
  /** A send is accepted, the connection dies before the answer. */
  'drop_answer',
  /** A send is accepted, the answer comes `ms` later (default 35,000). */
  'delay_answer',
  /** Every answer takes `ms` longer (default 1,500). */
  'delay_ms',
  /** A send is refused: Graph `code` (and `subcode`), or for X the HTTP status `code`. */
  'refuse_code',
  /** Connections die before anything is read; webhooks are held back. */
  'network_off',
  /** Every webhook is delivered twice. */
  'repeat_webhooks',
  /** The echo of a send arrives before its answer. */
  'echo_first',
  /** Sends have no echo. */
  'echo_none',
  /** Calls are refused as if the token had expired. */
  'expired_token',
] as const
export type FaultName = (typeof faultNames)[number]

export interface Fault {
  readonly fault: FaultName
  readonly network?: NetworkName | undefined
  readonly channel?: string | undefined
  /** How often it still happens; without it, until it is taken back. */
  readonly count?: number | undefined
  readonly ms?: number | undefined
  readonly code?: number | undefined
  readonly subcode?: number | undefined
}

export class Faults {
  #list: Fault[] = []

  get list(): readonly Fault[] {
    return this.#list
  }

  /** Sets a fault; `count` 0 takes it back. A fault of the same name and reach is replaced. */
  set(fault: Fault): void {
    this.#list = this.#list.filter(
      (one) => !(one.fault === fault.fault && one.network === fault.network && one.channel === fault.channel),
    )
    if (fault.count !== 0) this.#list.push(fault)
  }

  clear(): void {
    this.#list = []
  }

  /** Whether the fault is on there, without using it up. */
  isOn(name: FaultName, network: NetworkName, channel?: string): boolean {
    return this.#list.some((one) => fits(one, name, network, channel))
  }

  /** Uses the fault once, if it is on there. */
  take(name: FaultName, network: NetworkName, channel?: string): Fault | undefined {
    const index = this.#list.findIndex((one) => fits(one, name, network, channel))
    const found = this.#list[index]
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
