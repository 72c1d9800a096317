/** When conversations are given out: at once after what may have made one wait or a place free, and every few seconds. */
import { messageOf } from '../infra/errors.ts'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import { startFollower } from '../messaging/follow.ts'
import type { Storage } from '../storage/index.ts'
import { noteAbsences } from './absence.ts'
import { giveWaiting } from './assignment.ts'

export interface GiveContext {
  readonly storage: Storage
  readonly logger: Logger
  /** Unique to this process. */
  readonly holder: string
}

const sweepMs = 3_000

/** Any number of nodes may do this at once. */
export function startGiving(context: GiveContext): Running {
  const { storage, logger } = context
  const follower = startFollower(context, {
    name: 'assign',
    types: ['message.received', 'conversation.created', 'conversation.changed', 'user.changed'],
    async handle(tx, events) {
      // In the order of the ids, so that no two nodes wait for each other.
      for (const accountId of [...new Set(events.map((event) => event.accountId))].sort())
        await giveWaiting(storage, tx, accountId)
    },
  })
  const sweep = every(
    () => sweepMs * (0.75 + Math.random() / 2),
    async (signal) => {
      await noteAbsences(storage)
      for (const accountId of await storage.assignments.accounts(storage.primary))
        while (!signal.aborted && (await storage.write((tx) => giveWaiting(storage, tx, accountId))) > 0);
    },
    (error) => {
      logger.warn({ reason: messageOf(error) }, 'conversations could not be given out; it is tried again')
    },
  )
  return {
    async stop() {
      await Promise.all([follower.stop(), sweep.stop()])
    },
  }
}
