/** What stands between a message and its network besides the network itself: allowances that are used up, a cap that is reached. */
import type { Delivery, Storage, Writer } from '../storage/index.ts'
import { askBudget, noteSpent, saysSpent, useOf } from './budgets.ts'
import type { Caller, Spent, Wait } from './budgets.ts'
import { deliveryChanged } from './changes.ts'
import type { CallUse, Outcome } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'
import { putDown } from './spend.ts'
import type { Put } from './spend.ts'

export type MayCall = { readonly wait: Wait } | { readonly wait?: never; readonly put: Put | undefined }

/**
 * Whether the channel may be called now to say this; the call is counted and its price put down then, in this transaction. `now`
 * by the database's clock; `hasPlace`: it was told to wait with the code `budget_spread`, and has.
 */
export async function mayCall(
  storage: Storage,
  tx: Writer,
  channel: Caller,
  said: { readonly use: CallUse; readonly text: string },
  now: Date,
  hasPlace = false,
): Promise<MayCall> {
  const budget = await askBudget(storage, tx, channel, said.use, now, hasPlace)
  if ('wait' in budget) return budget
  const paid = await putDown(storage, tx, channel, said, now)
  if (paid !== undefined && 'wait' in paid) return paid
  await budget.count()
  return { put: paid?.put }
}

/** Those that have waited longest are due first once there is room again, and not all at the same instant. */
const orderMs = ({ createdAt }: Delivery): number => 5_000 / (1 + (Date.now() - createdAt.getTime()) / 600_000)

/** A delivery waits, without an attempt; announced once, not each time that it must wait on. */
export async function holdDelivery(
  storage: Storage,
  tx: Writer,
  delivery: Delivery,
  { code, reason, forMs }: Wait,
): Promise<void> {
  const { accountId, id, state, reasonCode } = delivery
  const dueInMs = code === 'budget_spread' ? forMs : forMs + Math.max(0, orderMs(delivery))
  await storage.deliveries.change(tx, accountId, id, { state: 'retrying', reasonCode: code, reason, dueInMs })
  if (state !== 'retrying' || reasonCode !== code)
    await storage.outbox.append(tx, deliveryChanged(delivery, 'retrying', reason))
}

/**
 * The network surely did not take a message: its price is taken off again. If that was because an allowance is spent, nobody
 * calls until it is not; how long that takes.
 */
export async function concludeRefusal(
  storage: Storage,
  tx: Writer,
  delivery: Delivery,
  outcome: Exclude<Outcome, { type: 'sent' | 'unknown' }>,
): Promise<Spent | undefined> {
  const channel = await storage.channels.get(tx, delivery.accountId, delivery.channelId)
  const isPaid = channel !== undefined && connectorOf(channel.type)?.pricing !== undefined
  if (channel === undefined || !(isPaid || saysSpent(channel, outcome))) return undefined
  await storage.apps.lock(tx, channel.accountId, channel.appId)
  if (isPaid) await storage.spend.takeBack(tx, delivery, delivery.attemptCount)
  const message = await storage.messages.get(tx, delivery.accountId, delivery.messageId)
  return message && noteSpent(storage, tx, channel, useOf(message.kind), outcome)
}
