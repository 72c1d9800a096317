/** Work that one process of the cluster does at a time. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Running } from '../infra/lifecycle.ts'
import { every } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type { Lease, Storage } from '../storage/index.ts'

export interface HolderContext {
  readonly storage: Storage
  readonly logger: Logger
  readonly holder: string
}

/**
 * Tries to get the lease, runs `work` while it is held, and begins again. `work` ends when its signal does: the lease was
 * lost, could not be renewed for two thirds of its life by this process's own monotonic clock, or all is being stopped.
 */
export function holdLease(
  context: HolderContext,
  options: { readonly name: string; readonly ttlMs: number },
  work: (lease: Lease, signal: AbortSignal) => Promise<void>,
): Running {
  const { storage, logger, holder } = context
  const { name, ttlMs } = options
  return every(
    () => ttlMs / 8 + Math.random() * (ttlMs / 8),
    async (stopping) => {
      const lease = await storage.write((tx) => storage.leases.acquire(tx, name, holder, ttlMs))
      if (lease === undefined) return
      logger.info({ lease: name, epoch: lease.epoch }, 'a lease was taken')
      const ended = new AbortController()
      const signal = AbortSignal.any([stopping, ended.signal])
      const renewing = renew(context, lease, ttlMs, signal).finally(() => {
        ended.abort()
      })
      try {
        await work(lease, signal)
      } finally {
        ended.abort()
        await renewing
        await storage.write((tx) => storage.leases.release(tx, lease)).catch(() => undefined)
      }
    },
    (error) => {
      logger.warn({ lease: name, err: error }, 'work under a lease ended')
    },
  )
}

/** By thirds; returns when the lease can no longer be trusted. */
async function renew(
  { storage, logger }: HolderContext,
  lease: Lease,
  ttlMs: number,
  signal: AbortSignal,
): Promise<void> {
  let renewedAt = performance.now()
  for (;;) {
    const isOver = await sleep(ttlMs / 3, false, { signal }).catch(() => true)
    if (isOver) return
    const askedAt = performance.now()
    try {
      if (!(await storage.write((tx) => storage.leases.renew(tx, lease, ttlMs)))) return
      renewedAt = askedAt
    } catch (error) {
      logger.warn({ lease: lease.name, err: error }, 'a lease could not be renewed')
    }
    if (performance.now() - renewedAt > (ttlMs * 2) / 3) return
  }
}
