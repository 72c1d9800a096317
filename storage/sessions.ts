/**
 * Browser sessions for express-session: the truth in the database, a copy in the cache. Losing every cache server signs nobody out;
 * ending a session ends it everywhere, also when a slow request saves it afterwards.
 */
import { createHash } from 'node:crypto'
import { Store } from 'express-session'
import type { SessionData } from 'express-session'
import { z } from 'zod'
import type { Cache, CacheKey } from './cache.ts'
import type { Database, Writer } from './database.ts'
import { sessionRows } from './stores/session-rows.ts'
import type { SessionInfo, SessionRow } from './stores/session-rows.ts'

export type { SessionInfo } from './stores/session-rows.ts'

/**
 * The store of express-session: `session({ store: storage.sessions })`. `accountId`, `userId`, `address` and `agent` of the session's data, where they are texts, are
 * kept beside it, so that a user's sessions can be listed and ended.
 */
export interface Sessions extends Store {
  /** The session's data; null when there is none, it has expired or was ended. */
  read(sessionId: string): Promise<SessionData | null>
  list(accountId: string, userId: string): Promise<SessionInfo[]>
  /** Ends one, by the id of `list`; whether there was one. */
  end(accountId: string, userId: string, id: string): Promise<boolean>
  /** As `end`, in a transaction. */
  endIn(tx: Writer, accountId: string, userId: string, id: string): Promise<boolean>
  /** Ends all but perhaps one, in a transaction; how many. @param except the session's own id, as in the cookie */
  endAllIn(tx: Writer, accountId: string, userId: string, except?: string): Promise<number>
  /** Ends all of them, as after a change of the password; how many. */
  endAll(accountId: string, userId: string): Promise<number>
  /** For the sweep: at most `limit`; how many. */
  removeExpired(tx: Writer, limit: number): Promise<number>
}

/** The name of a session in the cache and of its position: nothing that signs in. */
export const hashSessionId = (sessionId: string): Buffer => createHash('sha256').update(sessionId).digest()

const ttlSeconds = 600
const touchEveryMs = 60_000
/** A session ends so long after it was begun, however much it is used … */
export const longestSessionMs = 14 * 86_400_000
/** … and so long after it was used last: a weekend may lie between. */
const idleSessionMs = 3 * 86_400_000
const mostTouched = 20_000

const copyShape = z.object({ data: z.record(z.string(), z.unknown()), expires_at: z.number() })
type Copy = z.infer<typeof copyShape>

export function openSessions(database: Database, cache: Cache): Sessions {
  return new DatabaseSessions(database, cache)
}

class DatabaseSessions extends Store implements Sessions {
  readonly #database: Database
  readonly #cache: Cache
  /** When this process last noted that a session is in use. */
  readonly #touched = new Map<string, number>()

  constructor(database: Database, cache: Cache) {
    super()
    this.#database = database
    this.#cache = cache
  }

  override get(sessionId: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    answer(this.read(sessionId), callback)
  }

  override set(sessionId: string, session: SessionData, callback: (error?: unknown) => void = ignore): void {
    const hash = hashSessionId(sessionId)
    const row = rowOf(session)
    // One that was loaded and is gone by now has been ended: saving must not bring it back.
    const isNew = row.data['stored'] !== true
    const marked = { ...row, data: { ...row.data, stored: true } }
    answer(
      this.#change(hash, (tx) => (isNew ? sessionRows.insert(tx, hash, marked) : sessionRows.update(tx, hash, row))),
      callback,
    )
  }

  override touch(sessionId: string, session: SessionData, callback: (error?: unknown) => void = ignore): void {
    const hash = hashSessionId(sessionId)
    const name = hash.toString('base64url')
    const now = Date.now()
    if (now - (this.#touched.get(name) ?? 0) < touchEveryMs) {
      callback()
      return
    }
    if (this.#touched.size >= mostTouched) this.#touched.clear()
    this.#touched.set(name, now)
    answer(
      this.#change(hash, (tx) => sessionRows.touch(tx, hash, expiryOf(session)).then(() => undefined)),
      callback,
    )
  }

  override destroy(sessionId: string, callback: (error?: unknown) => void = ignore): void {
    const hash = hashSessionId(sessionId)
    answer(
      this.#change(hash, (tx) => sessionRows.remove(tx, hash)),
      callback,
    )
  }

  list(accountId: string, userId: string): Promise<SessionInfo[]> {
    return sessionRows.list(this.#database.primary, accountId, userId)
  }

  end(accountId: string, userId: string, id: string): Promise<boolean> {
    return this.#database.write((tx) => this.endIn(tx, accountId, userId, id))
  }

  async endIn(tx: Writer, accountId: string, userId: string, id: string): Promise<boolean> {
    if (!/^[0-9a-f]{64}$/.test(id)) return false
    return (await this.#remove(tx, accountId, userId, { only: Buffer.from(id, 'hex') })) > 0
  }

  endAll(accountId: string, userId: string): Promise<number> {
    return this.#database.write((tx) => this.endAllIn(tx, accountId, userId))
  }

  endAllIn(tx: Writer, accountId: string, userId: string, except?: string): Promise<number> {
    return this.#remove(tx, accountId, userId, except === undefined ? {} : { except: hashSessionId(except) })
  }

  removeExpired(tx: Writer, limit: number): Promise<number> {
    return sessionRows.removeExpired(tx, limit)
  }

  async read(sessionId: string): Promise<SessionData | null> {
    const hash = hashSessionId(sessionId)
    const load = async (): Promise<Copy | undefined> => {
      const row = await sessionRows.get(this.#database.primary, hash)
      return row && { data: row.data, expires_at: row.expiresAt.getTime() }
    }
    const copy = await this.#cache.read(keyOf(hash), { ttlSeconds }, load, copyShape.optional())
    if (copy === undefined || copy.expires_at <= Date.now()) return null
    // What express-session gave us to keep, given back.
    return copy.data as unknown as SessionData
  }

  #change(hash: Buffer, work: (tx: Writer) => Promise<void>): Promise<void> {
    return this.#database.write(async (tx) => {
      await work(tx)
      tx.afterCommit(() => this.#cache.invalidate([keyOf(hash)]).then(() => undefined))
    })
  }

  async #remove(
    tx: Writer,
    accountId: string,
    userId: string,
    which: { readonly only?: Buffer; readonly except?: Buffer },
  ): Promise<number> {
    const ended = await sessionRows.removeOf(tx, accountId, userId, which)
    tx.afterCommit(() => this.#cache.invalidate(ended.map(keyOf)).then(() => undefined))
    return ended.length
  }
}

const keyOf = (hash: Buffer): CacheKey => `session.1:${hash.toString('base64url')}`

const ignore = () => undefined

function answer<T>(work: Promise<T>, callback: (error: unknown, value?: T) => void): void {
  work.then(
    (value) => {
      callback(null, value)
    },
    (error: unknown) => {
      callback(error)
    },
  )
}

function rowOf(session: SessionData): SessionRow {
  const data: Record<string, unknown> = { ...session }
  const text = (name: string, most: number) => {
    const value = data[name]
    return typeof value === 'string' ? value.slice(0, most) : null
  }
  return {
    accountId: text('accountId', 36),
    userId: text('userId', 36),
    data,
    address: text('address', 45),
    agent: text('agent', 300),
    expiresAt: expiryOf(session),
  }
}

/** The soonest of: the cookie's end, too long unused, too long since it was begun (`signedInAt`, milliseconds). */
function expiryOf(session: SessionData): Date {
  const now = Date.now()
  const begunAt = 'signedInAt' in session && typeof session.signedInAt === 'number' ? session.signedInAt : now
  const cookieMs = session.cookie.maxAge ?? session.cookie.originalMaxAge ?? longestSessionMs
  return new Date(Math.min(now + cookieMs, now + idleSessionMs, begunAt + longestSessionMs))
}
