/** Who is asking: a bearer token or the session cookie; and how fresh that asker's reads must be. */
import type { Request } from 'express'
import { Problem } from '../infra/errors.ts'
import { hashToken, isTokenValid } from '../storage/index.ts'
import type { Storage, User } from '../storage/index.ts'
import type { Asker } from './route.ts'

/** A known asker. `key` names the session or token: positions and rate limits hang on it. */
export interface Identity {
  readonly asker: Asker
  readonly user: User
  readonly key: string
  readonly kind: 'token' | 'session'
  /** Of a session. */
  readonly csrf: string | undefined
}

export interface Auth {
  /** `undefined`: nobody. @throws Problem 401 for a bearer token that does not hold */
  identify(request: Request): Promise<Identity | undefined>
  /** Asks the primary whether this identity still holds. */
  isStillValid(request: Request, identity: Identity): Promise<boolean>
}

/** How long a user or token may be used after it was read. */
const keepMs = 2_000
const mostKept = 10_000

/** Permissions are read from the primary, and kept for two seconds. */
export function openAuth(storage: Storage): Auth {
  const kept = new Map<string, { readonly value: Promise<Identity | undefined>; readonly until: number }>()

  const remember = (key: string, read: () => Promise<Identity | undefined>): Promise<Identity | undefined> => {
    const known = kept.get(key)
    if (known !== undefined && known.until > Date.now()) return known.value
    const value = read()
    value.catch(() => kept.delete(key))
    if (kept.size >= mostKept) kept.clear()
    kept.set(key, { value, until: Date.now() + keepMs })
    return value
  }

  const readToken = async (text: string): Promise<Identity | undefined> => {
    const token = await storage.tokens.byHash(storage.primary, hashToken(text))
    if (token === undefined || !isTokenValid(token)) return undefined
    const user = await storage.users.get(storage.primary, token.accountId, token.userId)
    return user === undefined || user.disabledAt !== null
      ? undefined
      : identityOf(user, `token:${token.id}`, 'token', undefined)
  }

  const readSession = async (accountId: string, userId: string): Promise<Identity | undefined> => {
    const user = await storage.users.get(storage.primary, accountId, userId)
    return user === undefined || user.disabledAt !== null ? undefined : identityOf(user, '', 'session', undefined)
  }

  return {
    async identify(request) {
      const bearer = bearerOf(request)
      if (bearer !== undefined) {
        const identity = await remember(`token ${hashToken(bearer).toString('base64')}`, () => readToken(bearer))
        if (identity === undefined)
          throw new Problem(401, 'bad_token', 'This token is unknown, has expired or was revoked.')
        return identity
      }
      const { session } = request as Partial<Request>
      if (session?.userId === undefined || session.accountId === undefined) return undefined
      const { accountId, userId } = session
      const identity = await remember(`user ${accountId} ${userId}`, () => readSession(accountId, userId))
      return identity && { ...identity, key: `session:${request.sessionID}`, csrf: session.csrf }
    },
    async isStillValid(request, identity) {
      if (identity.kind === 'token') return (await readToken(bearerOf(request) ?? '')) !== undefined
      const data = await storage.sessions.read(request.sessionID)
      return (
        data?.userId === identity.asker.userId &&
        (await readSession(identity.asker.accountId, identity.asker.userId)) !== undefined
      )
    },
  }
}

/** The text after `Authorization: Bearer`. */
export function bearerOf(request: Request): string | undefined {
  return /^Bearer +(\S{1,500})$/i.exec(request.get('authorization') ?? '')?.[1]
}

const identityOf = (user: User, key: string, kind: Identity['kind'], csrf: string | undefined): Identity => ({
  asker: { userId: user.id, accountId: user.accountId, role: user.role },
  user,
  key,
  kind,
  csrf,
})
