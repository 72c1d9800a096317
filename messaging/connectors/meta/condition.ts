/** How a channel stands with Meta, by error code (Graph API: debug_token, error codes; PROTOCOLS A6, A8). */
import type { ChannelAccess, ChannelCondition, Outcome } from '../connector.ts'
import { fieldsOf, instantOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { callGraph, callGraphAs, graphHost } from './graph.ts'
import type { GraphResult } from './graph.ts'
import { readGraphError } from './outcomes.ts'

/** Asks Meta about the token: whether it is good, until when, and for what. Never throws. */
export async function examineToken(
  channel: ChannelAccess,
  needed: readonly string[],
  signal: AbortSignal,
): Promise<ChannelCondition> {
  const token = channel.credentials.access_token
  if (token === undefined || token === '')
    return troubled({ type: 'refused', class: 'token', code: 'no_token', reason: '' })
  // Tokens of Instagram Login cannot be looked into: the account itself is asked for.
  if (channel.credentials.login === 'instagram') return simply(await ask(channel, 'me', 'user_id,username', signal))
  const asked = await callGraphAs(
    channel,
    appToken(channel) ?? token,
    graphHost,
    { method: 'GET', path: 'debug_token', query: { input_token: token } },
    signal,
  )
  // Whoever asks may have no right to look into the token; whether it works can always be tried.
  if (!asked.ok) return simply(await ask(channel, encodeURIComponent(channel.externalId), 'id', signal))
  const data = fieldsOf(fieldsOf(asked.json).data)
  const tokenExpiresAt = earlierOf(instantOf(data.expires_at), instantOf(data.data_access_expires_at))
  if (data.is_valid === false) {
    const error = readGraphError({
      error: { code: 190, ...fieldsOf(data.error), error_subcode: fieldsOf(data.error).subcode },
    })
    const code = error?.subcode === undefined ? '190' : `190/${String(error.subcode)}`
    return { ...troubled({ type: 'refused', class: 'token', code, reason: '' }), tokenExpiresAt }
  }
  const missing = missingPermissions(data, needed)
  // The token is good; that the channel answers shows restrictions of the channel itself.
  const tried = simply(await ask(channel, encodeURIComponent(channel.externalId), 'id', signal))
  if (tried.state !== 'connected' || missing.length === 0)
    return { ...tried, tokenExpiresAt, missingPermissions: missing }
  return {
    state: 'degraded',
    code: 'permissions_missing',
    reason: `Meta does not grant ${missing.join(', ')}. Sign in again and allow everything that is asked.`,
    tokenExpiresAt,
    missingPermissions: missing,
  }
}

/** `<app id>|<app secret>`: the app's own token; `undefined` when either is not known. */
export function appToken(channel: Pick<ChannelAccess, 'app'>): string | undefined {
  const { clientId, clientSecret, secret } = channel.app
  const own = clientSecret ?? secret
  return clientId === undefined || own === undefined ? undefined : `${clientId}|${own}`
}

const ask = (channel: ChannelAccess, path: string, fields: string, signal: AbortSignal): Promise<GraphResult> =>
  callGraph(channel, { method: 'GET', path, query: { fields } }, signal)

function simply(result: GraphResult): ChannelCondition {
  if (!result.ok) return troubled(result.outcome)
  return { state: 'connected', code: undefined, reason: undefined, tokenExpiresAt: undefined, missingPermissions: [] }
}

/** `scopes` are those of the whole token. Older tokens name none: then nothing is known to be missing. */
function missingPermissions(data: Fields, needed: readonly string[]): string[] {
  const granted = (Array.isArray(data.scopes) ? data.scopes : []).map(textOf).filter((scope) => scope !== undefined)
  return granted.length === 0 ? [] : needed.filter((scope) => !granted.includes(scope))
}

const earlierOf = (a: Date | undefined, b: Date | undefined): Date | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a

const signIn = 'Sign in again to reconnect.'
/** Subcodes of 190 (access tokens: errors), each with the one step that cures it. */
const deaths: Readonly<Record<string, string>> = {
  '190/458': `The app was removed from the person who connected this channel. ${signIn}`,
  '190/459':
    'Facebook wants the person who connected this channel to log in at facebook.com and confirm something; then sign in again.',
  '190/460': `The password of the person who connected this channel was changed. ${signIn}`,
  '190/463': `The access token has expired. ${signIn}`,
  '190/464':
    'The Facebook account of the person who connected this channel is not confirmed; confirm it, then sign in again.',
  '190/467': `The access token is not valid any more. ${signIn}`,
  '190/492': 'The person who connected this channel has lost their role on it. Somebody with a role must sign in.',
  no_token: 'The channel has no access token. Sign in to connect it.',
}

/** What a refusal says of the channel. */
export function troubled(outcome: Exclude<Outcome, { type: 'sent' }>): ChannelCondition {
  const { code } = outcome
  const rest = { code, tokenExpiresAt: undefined, missingPermissions: [] }
  if (outcome.type !== 'refused')
    return { ...rest, state: 'degraded', reason: `Meta could not be asked (${code}). It is tried again by itself.` }
  if (outcome.class === 'token') {
    const isPermission = code.startsWith('200') || code.startsWith('10') || code === '3'
    const fallback = isPermission
      ? 'Meta refuses for a missing permission. Sign in again and allow everything that is asked.'
      : `The access token is not valid any more. ${signIn}`
    return { ...rest, state: 'reconnect_needed', reason: deaths[code] ?? fallback }
  }
  if (outcome.class === 'policy')
    return {
      ...rest,
      state: 'degraded',
      reason: `Meta restricts this channel (${code}). See the support inbox of the Page or account at Meta.`,
    }
  if (code === '100')
    return { ...rest, state: 'degraded', reason: `Meta refuses our calls (${code}). Check the secret of the app.` }
  // 100/33: the object is gone or out of reach.
  return {
    ...rest,
    state: 'reconnect_needed',
    reason: `Meta does not show this channel to us (${code}). It was removed, or the right to it: sign in again.`,
  }
}
