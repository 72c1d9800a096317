/** The sweeps that keep tables from growing without end. Each is due again by what lies in the tables, not by what Redis remembers. */
import type { Config } from '../infra/config.ts'
import type { Logger } from '../infra/logger.ts'
import type { Storage } from '../storage/index.ts'
import { removeNameless, removeOverdue, removeUnnamed } from './leftovers.ts'
import type { Sweep } from './queue.ts'

const dayMs = 24 * 60 * 60 * 1000
/** Small transactions: a large one would hold up the replica. */
const portion = 500

/** Every sweep, written out. */
export function listSweeps(storage: Storage, logger: Logger, config: Pick<Config, 'receivedDays'>): Sweep[] {
  const clear = (what: string, remove: () => Promise<number>) => async (signal: AbortSignal) => {
    let total = 0
    let removed = portion
    while (removed === portion && !signal.aborted) {
      removed = await remove()
      total += removed
    }
    if (total > 0) logger.info({ what, total }, 'old rows were removed')
  }
  const sweep = (remove: typeof removeOverdue) => async (signal: AbortSignal) => {
    await remove(storage, logger, signal)
  }
  return [
    {
      name: 'expired-sessions',
      everyMs: 60_000,
      work: clear('sessions', () => storage.write((tx) => storage.sessions.removeExpired(tx, portion))),
    },
    {
      name: 'expired-invitations',
      everyMs: 3_600_000,
      work: clear('invitations', () => storage.write((tx) => storage.invitations.removeExpired(tx, portion))),
    },
    {
      name: 'old-idempotency-keys',
      everyMs: 60_000,
      work: clear('idempotency keys', () =>
        storage.write((tx) => storage.idempotency.removeBefore(tx, new Date(Date.now() - 2 * dayMs), portion)),
      ),
    },
    {
      name: 'old-uploads',
      everyMs: 3_600_000,
      work: clear('uploads', () => storage.write((tx) => storage.uploads.removeExpired(tx, portion))),
    },
    {
      name: 'old-drafts',
      everyMs: 3_600_000,
      work: clear('drafts', () =>
        storage.write((tx) => storage.drafts.removeBefore(tx, new Date(Date.now() - 30 * dayMs), portion)),
      ),
    },
    {
      name: 'old-rule-runs',
      everyMs: 3_600_000,
      work: clear('rule runs', () =>
        storage.write((tx) => storage.rules.removeBefore(tx, new Date(Date.now() - 90 * dayMs), portion)),
      ),
    },
    {
      name: 'old-occurrences',
      everyMs: 60_000,
      work: clear('occurrences', () =>
        storage.write((tx) => storage.occurrences.removeBefore(tx, new Date(Date.now() - 90 * dayMs), portion)),
      ),
    },
    {
      name: 'old-bulk-jobs',
      everyMs: 60_000,
      work: clear('rows of changes of many', () =>
        storage.write((tx) => storage.bulkJobs.removeBefore(tx, new Date(Date.now() - 30 * dayMs), portion)),
      ),
    },
    {
      // What is pending stays however old it is; the messages that came of the others stay with their unique keys.
      name: 'old-received-bodies',
      everyMs: 60_000,
      work: clear('received bodies', () =>
        storage.write((tx) =>
          storage.received.removeBefore(tx, new Date(Date.now() - config.receivedDays * dayMs), portion),
        ),
      ),
    },
    { name: 'overdue-files', everyMs: 60_000, work: sweep(removeOverdue) },
    { name: 'unnamed-documents', everyMs: dayMs / 4, work: sweep(removeUnnamed) },
    { name: 'nameless-files', everyMs: dayMs / 4, work: sweep(removeNameless) },
  ]
}
