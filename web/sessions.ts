/** Browser sessions: express-session on the storage's sessions. The cookie carries an id and nothing else. */
import type { RequestHandler } from 'express'
import session from 'express-session'
import type { Config } from '../infra/config.ts'
import { messageOf } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import type { Storage } from '../storage/index.ts'
import { bearerOf } from './auth.ts'

declare module 'express-session' {
  interface SessionData {
    userId: string
    accountId: string
    csrf: string
  }
}

/** Name of the cookie. */
export const cookieName = 'parley'

/** A session ends so long after it was used last. */
const sessionMs = 14 * 24 * 60 * 60 * 1000
/** Its end is moved on at most this often, so that reading does not write. */
const touchMs = 60 * 60 * 1000

/** Puts the session on requests that carry the cookie or sign in; bearers of tokens need none. */
export function readSession(config: Config, storage: Storage, logger: Logger): RequestHandler {
  const read = session({
    name: cookieName,
    secret: storage.secrets.derive('session cookie').map((key) => key.toString('base64')),
    store: new SessionStore(storage),
    resave: false,
    saveUninitialized: false,
    rolling: false,
    proxy: true,
    cookie: { httpOnly: true, sameSite: 'lax', secure: config.publicUrl.startsWith('https:') ? true : false, path: '/', maxAge: sessionMs },
  })
  const marker = `${cookieName}=`
  return (request, response, next) => {
    const hasCookie = request.headers.cookie?.includes(marker) === true
    if (bearerOf(request) !== undefined || (!hasCookie && request.path !== '/session')) {
      next()
      return
    }
    read(request, response, (error?: unknown) => {
      if (error !== undefined && error !== null) logger.warn({ reason: messageOf(error) }, 'a session could not be read')
      next(error)
    })
  }
}

class SessionStore extends session.Store {
  readonly #storage: Storage

  constructor(storage: Storage) {
    super()
    this.#storage = storage
  }

  override get(id: string, done: (error: unknown, data?: session.SessionData | null) => void): void {
    this.#storage.sessions.get(id).then(
      (found) => {
        done(null, found === undefined ? null : toData(found))
      },
      (error: unknown) => {
        done(error)
      },
    )
  }

  override set(id: string, data: session.SessionData, done?: (error?: unknown) => void): void {
    settle(this.#storage.sessions.set(id, toStored(data)), done)
  }

  override destroy(id: string, done?: (error?: unknown) => void): void {
    settle(this.#storage.sessions.end(id), done)
  }

  override touch(id: string, data: session.SessionData, done?: () => void): void {
    settle(this.#storage.sessions.touch(id, data), done)
  }
}
