/** Longer life for tokens (Facebook Login: long-lived tokens; Instagram Login: refresh access token). */
import type { Asked, ChannelAccess } from '../connector.ts'
import { fieldsOf, textOf } from '../reading.ts'
import type { callGraph } from './graph.ts'
import { callGraphAs, graphHost, instagramHost } from './graph.ts'

type Refreshed = Asked<{ readonly credentials: Readonly<Record<string, string>>; readonly expiresAt: Date | undefined }>

/**
 * New credentials for the old. With the user's token (`user_access_token`) that one is exchanged and the page's token asked
 * for anew; else the channel's own token is exchanged.
 */
export async function refreshMetaToken(channel: ChannelAccess, signal: AbortSignal): Promise<Refreshed> {
  const { credentials } = channel
  if (credentials.login === 'instagram') return refreshInstagram(channel, signal)
  const old = credentials.user_access_token ?? credentials.access_token
  if (old === undefined)
    return { type: 'refused', class: 'token', code: 'no_token', reason: 'The channel has no access token.' }
  const exchanged = await exchange(channel, old, signal)
  if (exchanged.type !== 'ok') return exchanged
  const { token, expiresAt } = exchanged.value
  if (credentials.user_access_token === undefined)
    return { type: 'ok', value: { credentials: { ...credentials, access_token: token }, expiresAt } }
  // Accounts of Instagram speak with the token of the page they are linked to.
  const pageId = credentials.page_id ?? channel.externalId
  const asked = await callGraphAs(
    channel,
    token,
    graphHost,
    { method: 'GET', path: encodeURIComponent(pageId), query: { fields: 'access_token' } },
    signal,
  )
  if (!asked.ok) return asked.outcome
  const pageToken = textOf(fieldsOf(asked.json).access_token)
  if (pageToken === undefined)
    return {
      type: 'refused',
      class: 'token',
      code: 'no_page_token',
      reason: 'Meta gives no token for the page: the role on it is gone.',
    }
  const renewed = { ...credentials, user_access_token: token, access_token: pageToken }
  // A page's token from a long-lived user token has no end of its own.
  return { type: 'ok', value: { credentials: renewed, expiresAt: undefined } }
}

/** `fb_exchange_token`: a token for about sixty days. */
export async function exchange(
  app: Parameters<typeof callGraphAs>[0],
  token: string,
  signal: AbortSignal,
): Promise<Asked<{ readonly token: string; readonly expiresAt: Date | undefined }>> {
  const { clientId = app.externalId, clientSecret, secret } = app.app
  const own = clientSecret ?? secret
  if (clientId === undefined || own === undefined)
    return { type: 'refused', class: 'token', code: 'no_app', reason: 'The id or the secret of the app is not known.' }
  const query = { grant_type: 'fb_exchange_token', client_id: clientId, client_secret: own, fb_exchange_token: token }
  const call = { method: 'GET', path: 'oauth/access_token', query, isOpen: true } as const
  return readToken(await callGraphAs(app, undefined, graphHost, call, signal))
}

/** Refreshable when it is at least a day old and not expired. */
async function refreshInstagram(channel: ChannelAccess, signal: AbortSignal): Promise<Refreshed> {
  const call = {
    method: 'GET',
    path: 'refresh_access_token',
    query: { grant_type: 'ig_refresh_token' },
    isUnversioned: true,
  } as const
  const result = readToken(
    await callGraphAs(channel, channel.credentials.access_token, instagramHost, call, signal, channel.externalId),
  )
  if (result.type !== 'ok') return result
  const { token, expiresAt } = result.value
  return { type: 'ok', value: { credentials: { ...channel.credentials, access_token: token }, expiresAt } }
}

/** The answer of every token endpoint. */
export function readToken(
  result: Awaited<ReturnType<typeof callGraph>>,
): Asked<{ readonly token: string; readonly expiresAt: Date | undefined }> {
  if (!result.ok) return result.outcome
  const answer = fieldsOf(result.json)
  const token = textOf(answer.access_token)
  if (token === undefined) return { type: 'unknown', code: 'no_token', reason: 'Meta answered without a token.' }
  const seconds = Number(answer.expires_in)
  return { type: 'ok', value: { token, expiresAt: seconds > 0 ? new Date(Date.now() + seconds * 1000) : undefined } }
}
