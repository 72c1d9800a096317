/** May they? The one place where a route's need is held against who asks. */
import type { Request } from 'express'
import type { Config } from '../infra/config.ts'
import { forbidden, Problem } from '../infra/errors.ts'
import type { Actor } from '../storage/index.ts'
import type { Auth, Identity } from './auth.ts'
import { isSafe, refuseForeignPage, refuseForgery } from './csrf.ts'
import type { Asker, Route } from './route.ts'
import { requestIdOf } from './request-id.ts'
import type { Permission } from '../storage/model/permissions.ts'

/** How long after the password was given a sensitive act is open to a session. */
export const confirmedMs = 10 * 60_000

/** Who asks, once it is known that they may. @throws Problem 401, 403 */
export async function admit(
  route: Route,
  context: { readonly config: Config; readonly parts: { readonly auth: Auth } },
  request: Request,
): Promise<Identity | undefined> {
  const identity = await context.parts.auth.identify(request)
  if (!isSafe(request.method)) {
    if (identity?.kind === 'session' && route.permission !== 'public')
      refuseForgery(request, context.config, identity.csrf)
    else if (identity?.kind !== 'token') refuseForeignPage(request, context.config)
  }
  if (route.permission === 'public') return identity
  if (identity === undefined) throw new Problem(401, 'not_signed_in', 'Please sign in, or send a bearer token.')
  if (identity.mustEnrol && !route.isBeforeTotp)
    throw new Problem(403, 'totp_needed', 'Your role needs a second factor. Please set one up in your profile first.')
  if (route.permission !== 'none') need(identity.asker, route.permission)
  if (route.isSensitive) needConfirmed(identity)
  return identity
}

/** @throws Problem 403 that names the permission */
export function need(asker: Asker, permission: Permission): void {
  if (!asker.permissions.has(permission)) throw forbidden(`This needs the permission ${permission}.`)
}

/** @throws Problem 403 when a session's password was given too long ago */
function needConfirmed(identity: Identity): void {
  if (identity.kind === 'session' && Date.now() - (identity.confirmedAt ?? 0) > confirmedMs)
    throw new Problem(403, 'confirm_password', 'Please give your password again before you do this.')
}

/** Who asks, as the audit log names them. */
export function actorOf(identity: Identity | undefined, request: Request): Actor {
  const requestId = request.res === undefined ? undefined : requestIdOf(request.res)
  return {
    userId: identity?.asker.userId ?? null,
    name: identity?.user.name ?? '',
    via: identity?.via ?? 'nobody',
    address: request.ip,
    agent: request.get('user-agent'),
    requestId,
  }
}
