/**
 * Whether people read just now, known to all nodes: what can wait leaves them room. A hint that lies in the cache for a few
 * seconds; without the pool it is not known, and nobody is taken to be there.
 */
import type { Cache, CacheKey } from './cache.ts'

export interface Readers {
  /** Somebody was answered. Costs nothing as a rule: told at most once a second. */
  note(): void
  /** Whether somebody was answered within the last seconds, on any node; looked up at most once a second. */
  areThere(): Promise<boolean>
}

const key: CacheKey = 'readers.1:cluster'
const ttlSeconds = 4
const everyMs = 1_000
/** An entry that has ended is there again within a second if somebody still reads. */
const holdsMs = 3_000

export function openReaders(cache: Cache): Readers {
  let notedAt = -everyMs
  let askedAt = -everyMs
  let seenAt = -holdsMs
  return {
    note() {
      if (performance.now() - notedAt < everyMs) return
      notedAt = performance.now()
      const place = cache.locate(key)
      // What the pool does not take is told again a second later.
      void place?.server.put(place.name, Buffer.from('1'), ttlSeconds, 'add')
    },
    async areThere() {
      if (performance.now() - askedAt >= everyMs) {
        askedAt = performance.now()
        const place = cache.locate(key)
        const got = await place?.server.get(place.name)
        if (got?.state === 'hit') seenAt = performance.now()
      }
      return performance.now() - seenAt < holdsMs
    },
  }
}
