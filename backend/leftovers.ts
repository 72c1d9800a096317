/** Removes files that may be kept for a time only, documents that nobody names, and bytes that no document names. */
import type { Logger } from '../infra/logger.ts'
import type { Storage } from '../storage/index.ts'

const dayMs = 24 * 60 * 60 * 1000
/** A document is put first and named afterwards, by an answer or a post that somebody may be writing for days. */
export const unnamedMs = 7 * dayMs
/** Bytes are put first, their document is noted within minutes. */
export const youngMs = dayMs
const portion = 200
const digestsAtOnce = 500

export const storyEnded = { code: 'story_ended', reason: 'Stories may be kept for 24 hours.' } as const

/** Attachments whose time is over lose their bytes, and say why. How many. */
export async function removeOverdue(storage: Storage, logger: Logger, signal: AbortSignal): Promise<number> {
  let count = 0
  for (let found = portion; found === portion && !signal.aborted;) {
    const overdue = await storage.leftovers.overdue(storage.primary, portion)
    found = overdue.length
    for (const attachment of overdue) {
      const { accountId, id, messageId, conversationId } = attachment
      const digests = await storage.write(async (tx) => {
        const before = await storage.leftovers.expire(tx, attachment, storyEnded)
        if (before === undefined) return []
        const data = { conversation_id: conversationId, message_id: messageId, attachment_id: id, state: 'unavailable' }
        await storage.outbox.append(tx, { accountId, type: 'attachment.changed', data })
        return before.documentId === null ? [] : storage.leftovers.removeUnnamed(tx, accountId, before.documentId)
      })
      await discard(storage, digests, minuteMs)
      count += 1
    }
  }
  if (count > 0) logger.info({ count }, 'files were removed that may not be kept any longer')
  return count
}

const minuteMs = 60_000

/** Documents that nobody has named for a week go, with their bytes. How many. */
export async function removeUnnamed(storage: Storage, logger: Logger, signal: AbortSignal): Promise<number> {
  let count = 0
  let after: string | undefined = '00000000-0000-0000-0000-000000000000'
  while (after !== undefined && !signal.aborted) {
    const before = new Date(Date.now() - unnamedMs)
    // The replica may lag: each is looked at once more on the primary, under a lock.
    const page = await storage.leftovers.unnamed(storage.bulk, after, before, portion)
    for (const { id, accountId } of page.found) {
      const digests = await storage.write((tx) => storage.leftovers.removeUnnamed(tx, accountId, id))
      await discard(storage, digests, youngMs)
      count += digests.length > 0 ? 1 : 0
    }
    after = page.last
  }
  if (count > 0) logger.info({ count }, 'documents were removed that nobody named')
  return count
}

/** Bytes that no document names go: what a crash left between the file and its row. How many. */
export async function removeNameless(storage: Storage, logger: Logger, signal: AbortSignal): Promise<number> {
  let count = await storage.documents.removeUnfinished(youngMs)
  let digests: string[] = []
  const look = async (): Promise<void> => {
    const used = await storage.leftovers.usedDigests(storage.primary, digests)
    count += await discard(
      storage,
      digests.filter((digest) => !used.has(digest)),
      youngMs,
    )
    digests = []
  }
  for await (const digest of storage.documents.list()) {
    if (signal.aborted) break
    if (digests.push(digest) === digestsAtOnce) await look()
  }
  await look()
  if (count > 0) logger.info({ count }, 'files were removed that no document named')
  return count
}

async function discard(storage: Storage, digests: readonly string[], youngerMs: number): Promise<number> {
  let count = 0
  for (const digest of digests)
    if (
      await storage.documents.discard(digest, youngerMs, (one) => storage.documents.isDigestUsed(storage.primary, one))
    )
      count += 1
  return count
}
