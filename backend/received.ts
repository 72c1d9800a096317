/** The log of what the networks sent: many bodies at once are handed in again. */
import { platformActor } from '../storage/index.ts'
import type { Actor, ReceivedChoice, Storage } from '../storage/index.ts'

/** Small transactions, and an end to one request. */
const portion = 500
const most = 10_000

export interface Replayed {
  readonly count: number
  readonly isComplete: boolean
  /** Where to go on: chosen ones that are older than this have not been touched. */
  readonly nextTo: Date | undefined
}

/**
 * Marks the chosen bodies to be processed again, the newest first; the messaging nodes' sweep takes them up. What is
 * there already stays as it is, and bodies that wait already are left alone.
 */
export async function replayReceived(
  storage: Storage,
  accountId: string,
  choice: ReceivedChoice,
  by: Actor = platformActor,
): Promise<Replayed> {
  await storage.write((tx) =>
    storage.audit.append(tx, {
      ...{ accountId, by, action: 'received.replayed', subject: { type: 'received', id: null }, after: { ...choice } },
    }),
  )
  let count = 0
  let before: { readonly receivedAt: Date; readonly id: string } | undefined
  // By the place in the log: what is processed meanwhile is not handed in again and again.
  while (count < most) {
    const done = await storage.write((tx) =>
      storage.received.replayMany(tx, accountId, { ...choice, limit: portion, before }),
    )
    count += done.count
    before = done.last
    if (done.count < portion) return { count, isComplete: true, nextTo: undefined }
  }
  return { count, isComplete: false, nextTo: before && new Date(before.receivedAt.getTime() + 1) }
}
