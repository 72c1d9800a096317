/** Notices that for a while no web node was there to be called: networks may have given up on some of what they had to say. */
import type { Storage } from '../storage/index.ts'

const seenWithinMs = 20_000

export class DoorWatch {
  readonly #awayMs: number
  #awaySince: number | undefined

  /** @param awayMs how long the door must have been away to matter */
  constructor(awayMs = 120_000) {
    this.#awayMs = awayMs
  }

  /** Whether it was away for so long and has just come back; to be asked every few seconds. */
  async cameBack(storage: Storage): Promise<boolean> {
    const nodes = await storage.nodes.list(storage.primary, seenWithinMs)
    const now = performance.now()
    if (!nodes.some(({ roles }) => roles.includes('web'))) {
      this.#awaySince ??= now
      return false
    }
    const wasAway = this.#awaySince !== undefined && now - this.#awaySince >= this.#awayMs
    this.#awaySince = undefined
    return wasAway
  }
}
