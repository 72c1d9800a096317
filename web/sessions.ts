/** Browser sessions: express-session on the storage's sessions. The cookie carries an id and nothing else. */
import type { RequestHandler } from 'express'
import session from 'express-session'
import type { Config } from '../infra/config.ts'
import { longestSessionMs } from '../storage/index.ts'
import type { Storage } from '../storage/index.ts'
import { bearerOf } from './auth.ts'

declare module 'express-session' {
  interface SessionData {
    userId: string
    accountId: string
    csrf: string
    /** When it was begun, and when the password was given last; milliseconds. */
    signedInAt: number
    confirmedAt: number
    /** Where from and with what it was begun, for the list of one's sessions. */
    address: string
    agent: string
  }
}

/** Name of the cookie. */
export const cookieName = 'parley'

/** The cookie lives as long as a session at most; an unused one ends sooner (`storage/sessions.ts`). */
const sessionMs = longestSessionMs

/** Puts the session on requests that carry the cookie or sign in; bearers of tokens need none. */
export function readSession(config: Config, storage: Storage): RequestHandler {
  const read = session({
    name: cookieName,
    secret: storage.secrets.derive('session cookie').map((key) => key.toString('base64')),
    store: storage.sessions,
    resave: false,
    saveUninitialized: false,
    cookie: {
      httpOnly: true,
      sameSite: 'lax',
      secure: config.publicUrl.startsWith('https:'),
      path: '/',
      maxAge: sessionMs,
    },
  })
  const marker = `${cookieName}=`
  return (request, response, next) => {
    const hasCookie = request.headers.cookie?.includes(marker) === true
    if (bearerOf(request) === undefined && (hasCookie || request.path === '/session')) read(request, response, next)
    else next()
  }
}
