import { createHash } from 'node:crypto'

/** An id for what the network gives none: the same for every repetition. */
export const digestOf = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
