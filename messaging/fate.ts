/** What people decide about deliveries: once more, taken back, arrived or not. A message has as many as it has parts. */
import { conflict, notFound } from '../infra/errors.ts'
import type { Delivery, DeliveryFilter, Scope, Storage, Writer } from '../storage/index.ts'
import type { DeliveryState } from '../storage/model/words.ts'
import { deliveryChanged } from './changes.ts'
import { sendAfterAll } from './send-later.ts'

/**
 * Sends again what failed or was taken back; where nothing did, what nobody could tell the fate of: a person has looked.
 * @throws Problem 404, 409 `not_retryable`
 */
export function retryDelivery(storage: Storage, accountId: string, messageId: string): Promise<void> {
  return storage.write(async (tx) => {
    const parts = await lockAll(storage, tx, accountId, messageId)
    const lost = parts.filter(({ state }) => state === 'failed' || state === 'cancelled')
    const again = lost.length > 0 ? lost : parts.filter(({ state }) => state === 'unknown')
    if (again.length === 0)
      throw conflict('not_retryable', `A message that is ${parts[0]?.state ?? ''} cannot be sent again.`)
    if (again.some(({ seq }) => seq === null)) await sendAfterAll(storage, tx, accountId, messageId, again)
    else await putAll(storage, tx, again, 'queued')
  })
}

/** Takes back what has not left. @throws Problem 404, 409 `not_cancellable` */
export function cancelDelivery(storage: Storage, accountId: string, messageId: string): Promise<void> {
  return storage.write(async (tx) => {
    await storage.occurrences.cancel(tx, accountId, 'reply', messageId, 'taken back')
    const parts = await lockAll(storage, tx, accountId, messageId)
    const waiting = parts.filter(({ state }) => state === 'queued' || state === 'retrying')
    if (waiting.length === 0)
      throw conflict('not_cancellable', `A message that is ${parts[0]?.state ?? ''} cannot be taken back.`)
    await putAll(storage, tx, waiting, 'cancelled')
  })
}

/** A person has looked on the network: what nobody could tell has arrived, or has not. @throws Problem 404, 409 `not_unknown` */
export function settleDelivery(
  storage: Storage,
  accountId: string,
  messageId: string,
  hasArrived: boolean,
): Promise<void> {
  return storage.write(async (tx) => {
    const parts = await lockAll(storage, tx, accountId, messageId)
    const open = parts.filter(({ state }) => state === 'unknown')
    if (open.length === 0)
      throw conflict(
        'not_unknown',
        `It is known that the message is ${parts[0]?.state ?? ''}; nothing is to be decided.`,
      )
    if (hasArrived) await putAll(storage, tx, open, 'sent')
    else await putAll(storage, tx, open, 'failed', 'not_arrived')
  })
}

export type RetryFilter = Omit<DeliveryFilter, 'limit' | 'before'>

const batch = 200

/**
 * Sends again all that failed, was taken back or is of unknown fate and matches, some hundreds in one transaction, at most
 * `most`. `left`: how many more there are.
 */
export async function retryMatching(
  storage: Storage,
  accountId: string,
  filter: RetryFilter,
  scope: Scope,
  most = 2_000,
): Promise<{ retried: number; left: number }> {
  let retried = 0
  while (retried < most) {
    const count = await storage.write(async (tx) => {
      const found = await storage.deliveries.lockMatching(tx, accountId, { ...filter, limit: batch }, scope)
      await putAll(storage, tx, found, 'queued')
      return found.length
    })
    retried += count
    if (count < batch) break
  }
  return { retried, left: await storage.deliveries.count(storage.primary, accountId, filter, scope) }
}

async function lockAll(storage: Storage, tx: Writer, accountId: string, messageId: string): Promise<Delivery[]> {
  const parts = await storage.deliveries.lockByMessage(tx, accountId, messageId)
  if (parts.length === 0) throw notFound('delivery')
  return parts
}

const notArrived = 'A person has looked: it did not arrive.'

async function putAll(
  storage: Storage,
  tx: Writer,
  parts: readonly Delivery[],
  state: DeliveryState,
  reasonCode?: 'not_arrived',
): Promise<void> {
  const reason = reasonCode === undefined ? undefined : notArrived
  for (const part of parts)
    await storage.deliveries.change(tx, part.accountId, part.id, {
      state,
      ...(reasonCode !== undefined && { reasonCode, reason: notArrived }),
    })
  await storage.outbox.appendMany(
    tx,
    parts.map((part) => deliveryChanged(part, state, reason ?? null)),
  )
}
