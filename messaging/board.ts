/** Which conversations this process has been nudged about: bounded, each once, fair between channels. */
export interface Nudge {
  readonly accountId: string
  readonly conversationId: string
  readonly channelId: string
}

/** A channel that has this many waiting gets no more; the sweep brings them again. */
const longestQueue = 1_000
/** So many conversations of each channel may run however many others do. */
const own = 2

export class Board {
  readonly #limits: { readonly atOnce: number; readonly perChannel: number }
  readonly #work: (nudge: Nudge) => Promise<void>
  /** By channel, in turn. */
  readonly #waiting = new Map<string, Map<string, Nudge>>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #busy = new Map<string, number>()
  /** Nudged while being worked on: once more afterwards. */
  readonly #again = new Map<string, Nudge>()
  #isStopping = false

  /** `work` must not reject. */
  constructor(limits: { readonly atOnce: number; readonly perChannel: number }, work: (nudge: Nudge) => Promise<void>) {
    this.#limits = limits
    this.#work = work
  }

  add(nudge: Nudge): void {
    if (this.#isStopping) return
    if (this.#running.has(nudge.conversationId)) {
      this.#again.set(nudge.conversationId, nudge)
      return
    }
    const queue = this.#waiting.get(nudge.channelId) ?? new Map<string, Nudge>()
    if (queue.size >= longestQueue) return
    queue.set(nudge.conversationId, nudge)
    this.#waiting.set(nudge.channelId, queue)
    this.#start()
  }

  /** Forgets what waits and lets what runs end. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#waiting.clear()
    this.#again.clear()
    await Promise.all(this.#running.values())
  }

  #start(): void {
    // A conversation may be named under two channel keys (a nudge without one): it runs once at a time all the same.
    for (let isMoving = true; isMoving;) {
      isMoving = false
      for (const [channelId, queue] of [...this.#waiting]) {
        if (this.#running.size >= this.#limits.atOnce * 4) return
        // No more than are still free, so that slow channels leave places to others; a few are never taken from a channel.
        const free = this.#limits.atOnce - this.#running.size
        if ((this.#busy.get(channelId) ?? 0) >= Math.min(this.#limits.perChannel, Math.max(own, free))) continue
        const next = [...queue.values()].find(({ conversationId }) => !this.#running.has(conversationId))
        if (next === undefined) continue
        queue.delete(next.conversationId)
        if (queue.size === 0) this.#waiting.delete(channelId)
        this.#run(next)
        isMoving = true
      }
    }
  }

  #run(nudge: Nudge): void {
    const { conversationId, channelId } = nudge
    this.#busy.set(channelId, (this.#busy.get(channelId) ?? 0) + 1)
    const run = this.#work(nudge).finally(() => {
      this.#running.delete(conversationId)
      const busy = (this.#busy.get(channelId) ?? 1) - 1
      if (busy > 0) this.#busy.set(channelId, busy)
      else this.#busy.delete(channelId)
      const again = this.#again.get(conversationId)
      this.#again.delete(conversationId)
      if (again !== undefined) this.add(again)
      this.#start()
    })
    this.#running.set(conversationId, run)
  }
}
