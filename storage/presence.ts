/**
 * Who is there, looks at what and types: told by each web process of those who told it, in one entry of the cache for each account. Nothing
 * of it is kept: an entry that is not told again ends within seconds, and without the pool each process knows its own only.
 */
import { z } from 'zod'
import type { Cache, CacheKey } from './cache.ts'
import { outboundKinds } from './model/words.ts'

/** What one tab of someone's browser shows. `channelId`, `teamId`: where the conversation stood when they were let in. */
const viewShape = z.object({
  userId: z.string(),
  tab: z.string(),
  conversationId: z.string().nullable(),
  typing: z.enum(outboundKinds).nullable(),
  isAway: z.boolean(),
  channelId: z.string().nullable(),
  teamId: z.string().nullable(),
  /** Milliseconds, by the clock of whoever wrote it down. */
  at: z.number(),
})

/** Somebody's draft has changed: for their own other tabs. `version` null: it is gone. */
const draftNoteShape = z.object({
  id: z.string(),
  userId: z.string(),
  conversationId: z.string(),
  version: z.number().nullable(),
  at: z.number(),
})

const boardShape = z.object({ views: z.array(viewShape), drafts: z.array(draftNoteShape) })
const writersShape = z.record(z.string(), z.number())

export type PresenceView = z.infer<typeof viewShape>
export type DraftNote = z.infer<typeof draftNoteShape>
export type PresenceBoard = z.infer<typeof boardShape>

export interface PresenceBoards {
  /** Says that this process tells of people; the ids of the others that do. */
  join(writer: string): Promise<readonly string[]>
  /** What this process knows of an account, in place of what it told before. */
  tell(accountId: string, writer: string, board: PresenceBoard): Promise<void>
  /** What these processes know of an account. */
  ask(accountId: string, writers: readonly string[]): Promise<PresenceBoard[]>
}

const writersKey: CacheKey = 'presence-writers.1:cluster'
const writersSeconds = 60
/** How often a process says that it is there, and when it is taken to be gone. */
const joinMs = 4_000
const goneMs = 20_000
const boardSeconds = 6
/** Below memcached's largest item (1 MB by default): about 3,000 people of one account on one node. */
const mostBytes = 900_000

export function openPresenceBoards(cache: Cache): PresenceBoards {
  const boardKey = (accountId: string, writer: string): CacheKey => `presence.1:${accountId}:${writer}`
  return {
    async join(writer) {
      const place = cache.locate(writersKey)
      if (place === undefined) return []
      const got = await place.server.get(place.name)
      const known = got.state === 'hit' ? parse(writersShape, got.value) : undefined
      const now = Date.now()
      const alive = Object.entries(known ?? {}).filter(([, at]) => now - at < goneMs)
      if (now - (known?.[writer] ?? 0) > joinMs && got.state !== 'away')
        // Whoever is faster wins; the other says it a second later.
        await place.server.put(
          place.name,
          Buffer.from(JSON.stringify({ ...Object.fromEntries(alive), [writer]: now })),
          writersSeconds,
          got.state === 'hit' ? got.lease : 'add',
        )
      return alive.map(([id]) => id).filter((id) => id !== writer)
    },
    async tell(accountId, writer, board) {
      const place = cache.locate(boardKey(accountId, writer))
      const bytes = Buffer.from(JSON.stringify(board))
      if (bytes.length <= mostBytes) await place?.server.put(place.name, bytes, boardSeconds, 'set')
    },
    async ask(accountId, writers) {
      const found = await Promise.all(
        writers.map(async (writer) => {
          const place = cache.locate(boardKey(accountId, writer))
          const got = await place?.server.get(place.name)
          return got?.state === 'hit' ? parse(boardShape, got.value) : undefined
        }),
      )
      return found.filter((board) => board !== undefined)
    },
  }
}

function parse<T>(shape: z.ZodType<T>, bytes: Buffer): T | undefined {
  try {
    return shape.safeParse(JSON.parse(bytes.toString())).data
  } catch {
    return undefined
  }
}
