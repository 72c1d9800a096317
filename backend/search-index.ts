/** Keeps the full-text index behind the messages: a follower of the facts, and what was there before it, the newest first. */
import { setTimeout as sleep } from 'node:timers/promises'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import { startFollower } from '../messaging/follow.ts'
import type { Follower } from '../messaging/follow.ts'
import { searchFlags } from '../storage/index.ts'
import type { Searchable, SearchRow, Storage } from '../storage/index.ts'
import { indexed, tagOf, termsOf } from '../storage/model/search-terms.ts'

export interface IndexContext {
  readonly storage: Storage
  readonly logger: Logger
  /** Unique to this process. */
  readonly holder: string
}

const portion = 500
const longestText = 20_000

/** The follower by itself, for tests. */
export function searchFollower(storage: Storage): Follower {
  return {
    name: 'search',
    types: [
      'message.received',
      'message.sent_elsewhere',
      'message.queued',
      'message.scheduled',
      'message.changed',
      'note.added',
    ],
    async handle(tx, events) {
      const ids = new Set(
        events.flatMap(({ data }) => (typeof data['message_id'] === 'string' ? [data['message_id']] : [])),
      )
      const messages = await storage.search.read(tx, [...ids])
      await storage.search.put(tx, [...ids], messages.flatMap(rowOf))
      await storage.contacts.touch(
        tx,
        messages.map(({ id }) => id),
      )
    },
  }
}

/** Follows and fills until stopped, on one node at a time. */
export function startSearchIndex(context: IndexContext): Running {
  const { storage, logger } = context
  const follower = startFollower(context, searchFollower(storage))
  const stopping = new AbortController()
  const filling = fill(storage, logger, stopping.signal)
  const renewing = every(
    () => 400 + Math.random() * 200,
    async (signal) => {
      while (!signal.aborted && (await renewContacts(storage)) === portion);
    },
    (error) => {
      logger.warn({ err: error }, 'keys of contacts could not be renewed')
    },
  )
  return {
    async stop() {
      stopping.abort()
      await Promise.all([follower.stop(), filling, renewing.stop()])
    },
  }
}

/** One portion of what was there before the follower began; false when there is no more. Several nodes do no harm to each other. */
export async function backfillOnce(storage: Storage): Promise<boolean> {
  const ids = await storage.search.backfillNext(storage.primary, portion)
  if (ids === undefined) return false
  await storage.write(async (tx) => {
    await storage.search.addMissing(tx, (await storage.search.read(tx, ids)).flatMap(rowOf))
    await storage.search.backfillMove(tx, ids.at(-1))
  })
  return ids.length > 0
}

/** What contacts that have changed are found by, one portion; how many. */
export const renewContacts = (storage: Storage): Promise<number> =>
  storage.write((tx) => storage.contactKeys.renew(tx, portion))

async function fill(storage: Storage, logger: Logger, signal: AbortSignal): Promise<void> {
  const isOver = (): boolean => signal.aborted
  while (!isOver()) {
    try {
      // What comes while this goes on is the follower's.
      const hasBegun = (await storage.followers.position(storage.primary, 'search')) !== undefined
      if (hasBegun && !(await backfillOnce(storage))) return
      await sleep(hasBegun ? 20 : 1_000, undefined, { signal })
    } catch (error) {
      if (isOver()) return
      logger.warn({ err: error }, 'the search could not be filled')
      await sleep(5_000, undefined, { signal }).catch(() => undefined)
    }
  }
}

/** Nothing of what was taken back; a message without words is there for what it carries. */
export function rowOf(message: Searchable): SearchRow[] {
  if (message.isDeleted !== 0) return []
  const tag = tagOf(message.accountId)
  const said = [message.text ?? '', ...message.cards.map(({ words }) => words)].join('\n').slice(0, longestText)
  const terms = termsOf(said).map(({ text }) => indexed(tag, text))
  const hasLink = /https?:\/\/|www\./i.test(said) || message.cards.some(({ link }) => link !== null)
  const isFile = message.cards.some(({ kind }) => kind !== 'share' && kind !== 'location')
  return [
    {
      messageId: message.id,
      accountId: message.accountId,
      conversationId: message.conversationId,
      channelId: message.channelId,
      occurredAt: message.occurredAt,
      flags:
        (isFile ? searchFlags.attachment : 0) |
        (message.cards.some(({ kind }) => kind === 'image') ? searchFlags.image : 0) |
        (hasLink ? searchFlags.link : 0) |
        (message.kind === 'note' ? searchFlags.note : 0),
      terms: ` ${terms.join(' ')} `,
    },
  ]
}
