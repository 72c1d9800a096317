/** Rate limits of this node: buckets that fill with time. */
import { Problem } from '../infra/errors.ts'

/** So many at once, so many per second after that. */
export interface Limit {
  readonly burst: number
  readonly perSecond: number
}

export interface Limiter {
  /** Takes `cost` from the key's bucket. @throws Problem 429 with `retryAfter` seconds when it is empty */
  take(key: string, cost?: number): void
  /** Gives back what was taken. */
  give(key: string, cost?: number): void
}

/** 429; `retryAfter` in whole seconds goes into the `Retry-After` header. */
export class TooMany extends Problem {
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super(429, 'too_many_requests', `Too many requests. Please wait ${String(retryAfter)} s.`)
    this.retryAfter = retryAfter
  }
}

const mostKeys = 50_000

/** A limiter with one bucket per key; full buckets are forgotten. */
export function openLimiter(limit: Limit): Limiter {
  const buckets = new Map<string, { left: number; at: number }>()

  const fill = (key: string): { left: number; at: number } => {
    const now = Date.now()
    const bucket = buckets.get(key) ?? { left: limit.burst, at: now }
    bucket.left = Math.min(limit.burst, bucket.left + ((now - bucket.at) / 1000) * limit.perSecond)
    bucket.at = now
    return bucket
  }
  const refuse = (bucket: { left: number }, cost: number): void => {
    if (bucket.left < cost) throw new TooMany(Math.max(1, Math.ceil((cost - bucket.left) / limit.perSecond)))
  }

  return {
    take(key, cost = 1) {
      const bucket = fill(key)
      refuse(bucket, cost)
      bucket.left -= cost
      if (buckets.size >= mostKeys) {
        for (const [old, { left }] of buckets) if (left >= limit.burst - 1) buckets.delete(old)
        if (buckets.size >= mostKeys) buckets.clear()
      }
      buckets.set(key, bucket)
    },
    give(key, cost = 1) {
      const bucket = buckets.get(key)
      if (bucket !== undefined) bucket.left = Math.min(limit.burst, bucket.left + cost)
    },
  }
}
