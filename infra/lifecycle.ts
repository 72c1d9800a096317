/** Start in order, stop in reverse, never longer than the limit. */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from './errors.ts'
import type { Logger } from './logger.ts'

/** Something that was started and can be stopped. Stopping twice is safe. */
export interface Running {
  stop(): Promise<void>
}

/** The parts of a process, in the order in which they were started. */
export class Lifecycle {
  readonly #parts: { name: string; stop: () => Promise<void> }[] = []
  #stopping: Promise<void> | undefined
  readonly #logger: Logger
  readonly #partLimitMs: number

  /** `partLimitMs`: how long one part may take to stop. */
  constructor(logger: Logger, partLimitMs = 10_000) {
    this.#logger = logger
    this.#partLimitMs = partLimitMs
  }

  /** Remembers how to stop what has just been started; returns it. */
  add<T extends Running>(name: string, part: T): T {
    this.#parts.push({ name, stop: () => part.stop() })
    return part
  }

  /** Stops all parts in reverse order; a part that fails or hangs is logged and passed over. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    return this.#stopping
  }

  async #stopAll(): Promise<void> {
    for (const part of this.#parts.reverse()) {
      const limit = new AbortController()
      try {
        await Promise.race([
          part.stop(),
          sleep(this.#partLimitMs, undefined, { signal: limit.signal }).then(() => {
            throw new Error(`took longer than ${String(this.#partLimitMs)} ms`)
          }),
        ])
      } catch (error) {
        this.#logger.error({ part: part.name, err: error }, `stopping failed: ${messageOf(error)}`)
      } finally {
        limit.abort()
      }
    }
  }
}

/** Runs `work` again and again with a pause until stopped; a failure is handed to `onError` and the loop goes on. */
export function every(
  pauseMs: number | (() => number),
  work: (signal: AbortSignal) => Promise<void>,
  onError: (error: unknown) => void,
): Running {
  const control = new AbortController()
  const { signal } = control
  const isStopping = () => signal.aborted
  const loop = (async () => {
    while (!isStopping()) {
      try {
        await work(signal)
      } catch (error) {
        if (!isStopping()) onError(error)
      }
      await sleep(typeof pauseMs === 'number' ? pauseMs : pauseMs(), undefined, { signal }).catch(() => undefined)
    }
  })()
  return {
    async stop() {
      control.abort()
      await loop
    },
  }
}
