/**
 * OAuth 2 with PKCE: signing in to connect an account, and the exchange of refresh tokens. Each refresh ends the old refresh
 * token: one at a time, and the new ones are to be stored before they are used.
 */
import type { AppAccess, Asked, ChannelAccess, Connectable, SignIn } from '../connector.ts'
import { fieldsOf, textOf } from '../reading.ts'
import { basic, callWith, callX } from './api.ts'
import type { XFailure } from './api.ts'
import { nameOf, personOf } from './people.ts'

/** What Parley asks of an account; without offline.access there is no refresh token. */
export const scopes = [
  'tweet.read',
  'tweet.write',
  'tweet.moderate.write',
  'users.read',
  'dm.read',
  'dm.write',
  'media.write',
  'like.read',
  'like.write',
  'offline.access',
] as const

export const xSignIn: SignIn = {
  authorizeUrl(app, { redirectUri, state, challenge }) {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: app.app.clientId ?? '',
      redirect_uri: redirectUri,
      scope: scopes.join(' '),
      state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    })
    return `${app.apiBaseUrl ?? 'https://x.com'}/i/oauth2/authorize?${query.toString()}`
  },

  /** X takes the code for 30 seconds. One account signs in, so one channel can be connected. */
  async exchange(app, { code, redirectUri, verifier }, signal) {
    const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
    const tokens = await askForTokens(app, form, signal)
    if (tokens.type !== 'ok') return tokens
    const { credentials, expiresAt } = tokens.value
    const channel: ChannelAccess = { ...app, externalId: '', credentials }
    const query = { 'user.fields': 'name,username' }
    const result = await callX(channel, { method: 'GET', path: '/2/users/me', query }, signal)
    if (!result.ok) return result.outcome
    const user = fieldsOf(fieldsOf(result.json).data)
    const externalId = nameOf(user.id)
    if (externalId === undefined) return { type: 'unknown', code: 'no_id', reason: 'X did not say who signed in.' }
    const { name, handle } = personOf(externalId, user)
    const connectable: Connectable = {
      type: 'x',
      externalId,
      name: handle === undefined ? (name ?? externalId) : `@${handle}`,
      credentials,
      tokenExpiresAt: expiresAt,
    }
    return { type: 'ok', value: [connectable] }
  },
}

interface Tokens {
  readonly credentials: Readonly<Record<string, string>>
  readonly expiresAt: Date | undefined
}

/** New tokens for the old refresh token, which is dead from then on. An answer that got lost means a new sign-in. */
export async function refreshXToken(channel: ChannelAccess, signal: AbortSignal): Promise<Asked<Tokens>> {
  const { refresh_token } = channel.credentials
  if (refresh_token === undefined || refresh_token === '')
    return {
      type: 'refused',
      class: 'token',
      code: 'no_refresh_token',
      reason: 'The account has no refresh token: it has to sign in again.',
    }
  const tokens = await askForTokens(channel, { grant_type: 'refresh_token', refresh_token }, signal)
  if (tokens.type !== 'ok') return tokens
  // What is not tokens (such as which events are wanted) stays.
  return {
    type: 'ok',
    value: { ...tokens.value, credentials: { ...channel.credentials, ...tokens.value.credentials } },
  }
}

async function askForTokens(
  app: AppAccess,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Asked<Tokens>> {
  const { clientId, clientSecret } = app.app
  if (clientId === undefined)
    return { type: 'refused', class: 'token', code: 'no_client_id', reason: 'The app has no OAuth 2 client id.' }
  const isConfidential = clientSecret !== undefined && clientSecret !== ''
  const result = await callWith(
    { ...app, externalId: undefined },
    {
      method: 'POST',
      path: '/2/oauth2/token',
      // A public client names itself in the form, a confidential one in the header.
      form: isConfidential ? form : { ...form, client_id: clientId },
    },
    isConfidential ? basic(clientId, clientSecret) : undefined,
    signal,
  )
  if (!result.ok) return tokenFailure(result.outcome)
  const answer = fieldsOf(result.json)
  const access = textOf(answer.access_token)
  if (access === undefined)
    return { type: 'unknown', code: 'no_token', reason: 'X answered without a token: sign in again.' }
  const refresh = textOf(answer.refresh_token)
  const seconds = Number(answer.expires_in)
  const expiresAt = seconds > 0 && seconds < 1e9 ? new Date(Date.now() + seconds * 1000) : undefined
  const scope = textOf(answer.scope)
  return {
    type: 'ok',
    value: {
      credentials: {
        access_token: access,
        ...(refresh === undefined ? {} : { refresh_token: refresh }),
        ...(expiresAt === undefined ? {} : { expires_at: expiresAt.toISOString() }),
        ...(scope === undefined ? {} : { scope }),
      },
      expiresAt,
    },
  }
}

/** RFC 6749, 5.2: whatever the status, a refused grant is dead. */
function tokenFailure(outcome: XFailure): XFailure {
  return outcome.type === 'refused' && outcome.class !== 'policy'
    ? { ...outcome, class: 'token', code: outcome.code.startsWith('http_') ? 'invalid_grant' : outcome.code }
    : outcome
}
