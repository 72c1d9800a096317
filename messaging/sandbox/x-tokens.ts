/** Tokens of X: those put by hand, those issued by signing in, and the apps' own. Sandbox time decides when they end. */
import { createHash, randomBytes } from 'node:crypto'
import { fieldsOf, textOf } from '../connectors/reading.ts'
import type { SandboxClock } from './clock.ts'
import type { SandboxApp, SandboxChannel, World } from './world.ts'

const twoHoursMs = 2 * 60 * 60 * 1000

/** An access token for two hours and, with offline.access, a refresh token for one use. */
export function issueTokens(
  world: World,
  clock: SandboxClock,
  grant: { readonly app_id: string; readonly channel: string; readonly scope: string },
): Record<string, unknown> {
  const access_token = randomBytes(30).toString('base64url')
  const refresh_token = randomBytes(30).toString('base64url')
  const isOffline = grant.scope.split(' ').includes('offline.access')
  world.note(`x.token.${access_token}`, { ...grant, expires_at: clock.now() + twoHoursMs })
  if (isOffline) world.note(`x.refresh.${refresh_token}`, grant)
  return {
    token_type: 'bearer',
    expires_in: twoHoursMs / 1000,
    access_token,
    scope: grant.scope,
    ...(isOffline ? { refresh_token } : {}),
  }
}

/** Uses a refresh token up; `undefined` when there is none, or it was used before. */
export function takeRefresh(
  world: World,
  token: string,
): { app_id: string; channel: string; scope: string } | undefined {
  const note = fieldsOf(world.notes.get(`x.refresh.${token}`))
  const [app_id, channel, scope] = [textOf(note.app_id), textOf(note.channel), textOf(note.scope)]
  if (app_id === undefined || channel === undefined || scope === undefined) return undefined
  world.note(`x.refresh.${token}`, undefined)
  return { app_id, channel, scope }
}

/** The account that an access token speaks for. */
export function channelOfToken(world: World, clock: SandboxClock, token: string): SandboxChannel | undefined {
  const note = fieldsOf(world.notes.get(`x.token.${token}`))
  const isAlive = typeof note.expires_at === 'number' && note.expires_at > clock.now()
  return isAlive ? world.channels.get(textOf(note.channel) ?? '') : world.channelByToken('x', token)
}

export const appByClientId = (world: World, clientId: string): SandboxApp | undefined =>
  [...world.apps.values()].find((app) => app.network === 'x' && (app.client_id ?? app.app_id) === clientId)

/** The bearer token of an app; the same at every time, as X gives it. */
export const bearerOf = (app: SandboxApp): string =>
  `AAAA${createHash('sha256')
    .update(`${app.app_id} ${app.secrets.join(' ')}`)
    .digest('base64url')}`

export const appByBearer = (world: World, token: string): SandboxApp | undefined =>
  [...world.apps.values()].find((app) => app.network === 'x' && bearerOf(app) === token)

/** All tokens of the account are dead; for X and Meta alike. */
export function killTokens(world: World, channel: SandboxChannel): void {
  world.note(`dead.${channel.access_token}`, true)
  for (const [key, value] of [...world.notes])
    if (/^x\.(token|refresh)\./.test(key) && fieldsOf(value).channel === channel.external_id) world.note(key, undefined)
}
