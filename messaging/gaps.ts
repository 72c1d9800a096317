/** Times in which something may have been missed: each asks for a reading back. */
import type { Channel, Storage, Writer } from '../storage/index.ts'

/** Why a channel is read back. */
export type GapReason =
  | 'connected'
  | 'reconnected'
  | 'outage'
  | 'door_away'
  | 'subscription_renewed'
  | 'silence'
  | 'replay_incomplete'
  | 'asked'

/** The clocks of networks differ from ours, and what happened last may have been on its way. */
export const overlapMs = 10 * 60_000
/** How far back a channel is read that was never read before. */
export const firstReachMs = 7 * 86_400_000
/** Nothing is read back that lies further than networks keep it. */
const furthestMs = 30 * 86_400_000

/** Asks for a reading back from the instant up to which all is known, or from `since`; when one is under way, another follows. */
export async function requestCatchUp(
  storage: Storage,
  tx: Writer,
  channel: Pick<Channel, 'id' | 'accountId' | 'caughtUpTo'>,
  why: GapReason,
  since?: Date,
): Promise<void> {
  const from = since ?? channel.caughtUpTo ?? new Date(Date.now() - firstReachMs)
  const bounded = new Date(Math.max(from.getTime() - overlapMs, Date.now() - furthestMs))
  await storage.catchUps.request(tx, { channelId: channel.id, accountId: channel.accountId, why, since: bounded })
}
