/** The sandbox's own time: like ours, faster, or pushed forward. Retries, tokens, quotas and media run out by it. */

import type { Utterance } from './shapes.ts'

interface Entry {
  readonly due: number
  readonly act: () => void
}

/** Starts at the present; `speed` 60 lets a minute pass in a second. */
export class SandboxClock {
  #speed = 1
  /** Sandbox time when the real time was `#since`. */
  #then = Date.now()
  #since = Date.now()
  readonly #entries = new Set<Entry>()
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  /** Milliseconds since 1970. */
  now(): number {
    return this.#then + (Date.now() - this.#since) * this.#speed
  }

  get speed(): number {
    return this.#speed
  }

  setSpeed(speed: number): void {
    this.#then = this.now()
    this.#since = Date.now()
    this.#speed = speed
    this.#arm()
  }

  /** What was due meanwhile happens at once, in order. */
  advance(ms: number): void {
    this.#then += ms
    this.#fire()
  }

  /** Calls `act` after `ms` of sandbox time; the returned function takes it back. */
  later(ms: number, act: () => void): () => void {
    const entry = { due: this.now() + ms, act }
    this.#entries.add(entry)
    this.#arm()
    return () => this.#entries.delete(entry)
  }

  stop(): void {
    this.#isStopped = true
    this.#entries.clear()
    clearTimeout(this.#timer)
  }

  #fire(): void {
    const now = this.now()
    const due = [...this.#entries].filter((entry) => entry.due <= now).sort((a, b) => a.due - b.due)
    for (const entry of due) if (this.#entries.delete(entry)) entry.act()
    this.#arm()
  }

  #arm(): void {
    clearTimeout(this.#timer)
    if (this.#isStopped || this.#entries.size === 0) return
    let first = Number.POSITIVE_INFINITY
    for (const { due } of this.#entries) if (due < first) first = due
    // Timers reach 24 days at most; an hour is enough to look again.
    const wait = Math.min(Math.max(0, (first - this.now()) / this.#speed), 3_600_000)
    this.#timer = setTimeout(() => {
      this.#fire()
    }, wait)
  }
}

/** How many milliseconds ago something was said, by the sandbox's time. */
export const ageOf = ({ clock }: { readonly clock: SandboxClock }, said: Pick<Utterance, 'at' | 'clock_at'>): number =>
  clock.now() - (said.clock_at ?? Date.parse(said.at))
