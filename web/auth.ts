/** Who is asking: a bearer token or the session cookie; what they may do; and how fresh that asker's reads must be. */
import type { Request } from 'express'
import { scopeOf } from '../backend/user-scope.ts'
import { Problem } from '../infra/errors.ts'
import { hashSessionId, hashToken, isLimited, isTokenValid } from '../storage/index.ts'
import type { Storage, User } from '../storage/index.ts'
import { effectivePermissions } from '../storage/model/permissions.ts'
import type { Permission } from '../storage/model/permissions.ts'
import type { Asker } from './route.ts'

/** A known asker. `key` names the session or token: positions and rate limits hang on it. */
export interface Identity {
  readonly asker: Asker
  readonly user: User
  readonly key: string
  readonly kind: 'token' | 'session'
  /** For the audit log: nothing that signs in. */
  readonly via: string
  /** Of a session. */
  readonly csrf: string | undefined
  /** Of a session: when the password was given last, in milliseconds. */
  readonly confirmedAt: number | undefined
  /** A session whose role needs a second factor that is not set up. */
  readonly mustEnrol: boolean
}

export interface Auth {
  /** `undefined`: nobody. @throws Problem 401 for a bearer token that does not hold */
  identify(request: Request): Promise<Identity | undefined>
  /** Asks the primary whether this identity still holds; as it is now, or undefined. */
  again(request: Request, identity: Identity): Promise<Identity | undefined>
  /** Reads this user anew when they ask next, on this node. */
  forget(user: Pick<User, 'accountId' | 'id'>): void
}

/** How long a user or token may be used after it was read. */
const keepMs = 2_000
const mostKept = 10_000
const touchMs = 60_000
const touchLaterMs = 250
const mostTouched = 10_000

type Known = Omit<Identity, 'csrf' | 'confirmedAt'> & { readonly tokenId?: string }

/** Permissions are read from the primary, and kept for two seconds. */
export function openAuth(storage: Storage): Auth {
  const kept = new Map<string, { readonly value: Promise<Known | undefined>; readonly until: number }>()
  const touched = new Map<string, number>()
  const due: { readonly accountId: string; readonly userId: string; readonly tokenId: string | undefined }[] = []

  const remember = (key: string, read: () => Promise<Known | undefined>): Promise<Known | undefined> => {
    const known = kept.get(key)
    if (known !== undefined && known.until > Date.now()) return known.value
    const value = read()
    value.catch(() => kept.delete(key))
    if (kept.size >= mostKept) kept.clear()
    kept.set(key, { value, until: Date.now() + keepMs })
    return value
  }

  /** Notes beside the request that someone, or a token, is in use; a failure matters to nobody. */
  const touch = ({ asker, tokenId }: Known): void => {
    const name = tokenId ?? asker.userId
    if (Date.now() - (touched.get(name) ?? 0) < touchMs) return
    if (touched.size >= mostTouched) touched.clear()
    touched.set(name, Date.now())
    if (due.length === 0) setTimeout(writeDue, touchLaterMs).unref()
    due.push({ accountId: asker.accountId, userId: asker.userId, tokenId })
  }

  /** All of the last moment together: after another node has gone, thousands come at once. */
  const writeDue = (): void => {
    for (const [accountId, some] of Map.groupBy(due.splice(0), (each) => each.accountId)) {
      const tokenIds = some.flatMap(({ tokenId }) => tokenId ?? [])
      const userIds = some.flatMap(({ userId, tokenId }) => (tokenId === undefined ? userId : []))
      storage
        .write(async (tx) => {
          if (userIds.length > 0) await storage.users.touch(tx, accountId, userIds)
          if (tokenIds.length > 0) await storage.tokens.touch(tx, accountId, tokenIds)
        })
        .catch(() => {
          touched.clear()
        })
    }
  }

  const readToken = async (text: string): Promise<Known | undefined> => {
    const token = await storage.tokens.byHash(storage.primary, hashToken(text))
    if (token === undefined || !isTokenValid(token)) return undefined
    const user = await storage.users.get(storage.primary, token.accountId, token.userId)
    if (user === undefined || user.disabledAt !== null) return undefined
    return {
      ...{ asker: await askerOf(storage, user, token.scopes), user, key: `token:${token.id}`, kind: 'token' },
      ...{ via: `token ${token.id}`, mustEnrol: false, tokenId: token.id },
    }
  }

  const readUser = async (accountId: string, userId: string): Promise<Known | undefined> => {
    const user = await storage.users.get(storage.primary, accountId, userId)
    if (user === undefined || user.disabledAt !== null) return undefined
    const mustEnrol = !user.hasTotp && (await storage.roles.needingTotp(storage.primary, accountId)).includes(user.role)
    return { asker: await askerOf(storage, user, null), user, key: '', kind: 'session', via: '', mustEnrol }
  }

  const withSession = (known: Known | undefined, request: Request): Identity | undefined =>
    known && {
      ...known,
      key: `session:${request.sessionID}`,
      via: `session ${hashSessionId(request.sessionID).toString('hex').slice(0, 8)}`,
      csrf: request.session.csrf,
      confirmedAt: request.session.confirmedAt,
    }

  return {
    async identify(request) {
      const bearer = bearerOf(request)
      if (bearer !== undefined) {
        const known = await remember(`token ${hashToken(bearer).toString('base64')}`, () => readToken(bearer))
        if (known === undefined)
          throw new Problem(401, 'bad_token', 'This token is unknown, has expired or was revoked.')
        touch(known)
        return { ...known, csrf: undefined, confirmedAt: undefined }
      }
      const { session } = request as Partial<Request>
      if (session?.userId === undefined || session.accountId === undefined) return undefined
      const { accountId, userId } = session
      const known = await remember(`user ${accountId} ${userId}`, () => readUser(accountId, userId))
      if (known !== undefined) touch(known)
      return withSession(known, request)
    },
    async again(request, identity) {
      if (identity.kind === 'token') {
        const known = await readToken(bearerOf(request) ?? '')
        return known && { ...known, csrf: undefined, confirmedAt: undefined }
      }
      const data = await storage.sessions.read(request.sessionID)
      if (data?.userId !== identity.asker.userId) return undefined
      return withSession(await readUser(identity.asker.accountId, identity.asker.userId), request)
    },
    forget({ accountId, id }) {
      kept.delete(`user ${accountId} ${id}`)
    },
  }
}

/** The text after `Authorization: Bearer`. */
export function bearerOf(request: Request): string | undefined {
  return /^Bearer +(\S{1,500})$/i.exec(request.get('authorization') ?? '')?.[1]
}

/** What this user may do, and where. @param ofToken what the token that they come with is limited to */
export async function askerOf(storage: Storage, user: User, ofToken: readonly Permission[] | null): Promise<Asker> {
  const [ofRole, scope] = await Promise.all([
    storage.roles.permissionsOf(storage.primary, user.accountId, user.role),
    scopeOf(storage, user),
  ])
  return {
    userId: user.id,
    accountId: user.accountId,
    role: user.role,
    permissions: effectivePermissions(ofRole, isLimited(scope), ofToken),
    scope,
  }
}
