/**
 * The position of each session or token: how far its next reader must see, on whichever node that is. In memcached for all
 * nodes and in this process; what is not known for certain is `'unknown'` and reads the primary.
 */
import { hash } from 'node:crypto'
import type { Cache, CacheKey } from './cache.ts'
import { later } from './freshness.ts'

export interface Positions {
  /** The furthest of what the pool and this process know; `'unknown'` when the pool does not say. */
  get(key: string): Promise<string>
  /**
   * After a write. When the pool cannot take it, waits (1 s at most) until all replicas have reached the position, so that a reader
   * on another node that does not learn of it reads no replica that lacks it.
   */
  set(key: string, gtid: string): Promise<void>
}

const ttlSeconds = 3_600
const mostKept = 10_000
const settleMs = 1_000

/** @param current the primary's position now @param settle see `Databases.settle` */
export function openPositions(
  cache: Cache,
  current: () => Promise<string | undefined>,
  settle: (gtid: string, limitMs: number) => Promise<boolean>,
): Positions {
  const kept = new Map<string, string>()
  const keep = (key: string, gtid: string): string => {
    const before = kept.get(key)
    const after = before === undefined ? gtid : later(before, gtid)
    // Taken out and put in again: the map is in the order of use, the first is the longest unused.
    kept.delete(key)
    kept.set(key, after)
    const [oldest] = kept.keys()
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
    return after
  }
  /** Whether the pool now holds at least `gtid`. */
  const store = async (key: string, gtid: string): Promise<boolean> => {
    const place = cache.locate(cacheKey(key))
    if (place === undefined) return false
    for (let attempt = 0; attempt < 10; attempt++) {
      const got = await place.server.get(place.name)
      if (got.state === 'away') break
      const held = got.state === 'hit' ? got.value.toString() : undefined
      // The furthest that this process knows by now, so that of many writers the first to succeed is enough.
      const mine = kept.get(key) ?? gtid
      const wanted = held === undefined ? mine : later(held, mine)
      if (wanted === held) return true
      const put = await place.server.put(
        place.name,
        Buffer.from(wanted),
        ttlSeconds,
        got.state === 'hit' ? got.lease : 'add',
      )
      if (put === 'stored') return true
      if (put === 'away') break
    }
    // An older position may lie there, which would let a reader see too little.
    return place.server.remove(place.name)
  }
  return {
    async get(key) {
      const place = cache.locate(cacheKey(key))
      const got = await place?.server.get(place.name)
      if (got?.state === 'hit') return keep(key, got.value.toString())
      if (got?.state === 'miss') {
        // Lost or never known: this reader reads the primary, the next ones from where the primary is now.
        const gtid = await current().catch(() => undefined)
        if (gtid !== undefined && gtid !== '') await store(key, keep(key, gtid))
      }
      return 'unknown'
    },
    async set(key, gtid) {
      if (!(await store(key, keep(key, gtid)))) await settle(gtid, settleMs)
    },
  }
}

/** Hashed: a session's id signs in and must not lie open in the pool. */
const cacheKey = (key: string): CacheKey => `position.1:${hash('sha256', key, 'base64url')}`
