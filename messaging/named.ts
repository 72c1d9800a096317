/** Which message an id of a network names, and which part of it: an answer said by several requests goes by several ids. */
import type { ExternalKey, Message, Storage, Writer } from '../storage/index.ts'

export interface Named {
  readonly message: Message
  readonly part: number
}

/** By `messages.key`; locked, and with what has been committed since the transaction began. */
export async function findNamed(
  storage: Storage,
  tx: Writer,
  keys: readonly ExternalKey[],
): Promise<Map<string, Named>> {
  const found = await storage.messages.findByExternal(tx, keys, 'for update')
  const named = new Map([...found].map(([key, message]) => [key, { message, part: 0 }]))
  const known = new Set([...found.values()].map(({ channelId, externalId }) => `${channelId} ${externalId ?? ''}`))
  const missing = keys.filter(({ channelId, externalId }) => !known.has(`${channelId} ${externalId}`))
  for (const [key, each] of await findParts(storage, tx, missing, 'for update')) named.set(key, each)
  return named
}

/** The messages that have a later part under these ids. */
export async function findParts(
  storage: Storage,
  tx: Writer,
  keys: readonly ExternalKey[],
  lock: '' | 'for update' = '',
): Promise<Map<string, Named>> {
  const named = new Map<string, Named>()
  if (keys.length === 0) return named
  const wanted = new Map(keys.map((key) => [storage.messages.key(key), key]))
  for (const { messageId, part, ...place } of await storage.deliveries.findParts(tx, keys, lock)) {
    const key = wanted.get(storage.messages.key(place))
    const message = key && (await storage.messages.get(tx, key.accountId, messageId))
    if (message !== undefined) named.set(storage.messages.key(place), { message, part })
  }
  return named
}
