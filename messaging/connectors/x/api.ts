/** Calls of the X API v2: for a user (OAuth 1.0a signed, or an OAuth 2 token), or for the app itself (a bearer token of its own). */
import { messageOf } from '../../../infra/errors.ts'
import { callOutside, OutsideError } from '../../../infra/outside.ts'
import type { AppAccess, Asked, ChannelAccess, Outcome } from '../connector.ts'
import { fieldsOf, isFields, readJson, textOf } from '../reading.ts'
import { signOAuth1 } from './oauth1.ts'
import { classifyXError } from './outcomes.ts'
import { noteQuota } from './usage.ts'

export const xHost = 'https://api.x.com'

export interface XCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** From the root, such as `/2/tweets`; each part already encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
  /** Instead of `body`, as a form. */
  readonly form?: Readonly<Record<string, string>>
  /** Instead of both: fields and files, which OAuth does not sign. */
  readonly multipart?: FormData
  /** Default 20,000. */
  readonly limitMs?: number
}

export type XFailure = Exclude<Outcome, { type: 'sent' }>
/** Either X's good answer, or what the failure means for an attempt. */
export type XResult =
  | { readonly ok: true; readonly json: unknown; readonly headers: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly outcome: XFailure }

/** One call for the channel's user, once. Never throws. */
export async function callX(channel: ChannelAccess, call: XCall, signal: AbortSignal): Promise<XResult> {
  const authorization = authorizeCall(channel, call.method, urlOfCall(channel, call))
  if (authorization === undefined)
    return failed({
      type: 'refused',
      class: 'token',
      code: 'no_token',
      reason: 'The channel has no usable access token.',
    })
  const result = await callWith(channel, call, authorization, signal)
  if (result.ok || result.outcome.code !== 'http_401' || isOAuth1(channel)) return result
  // An OAuth 2 token lives two hours: a refresh may cure it, where there is something to refresh it with.
  return failed({ ...result.outcome, code: 'expired_token' })
}

/** One call for the app: webhooks and subscriptions are administered with its own bearer token. Never throws. */
export async function callXAsApp(app: AppAccess, call: XCall, signal: AbortSignal): Promise<XResult> {
  const known = bearers.get(keyOf(app))
  if (known !== undefined) {
    const result = await callWith(app, call, `Bearer ${known}`, signal)
    if (result.ok || result.outcome.type !== 'refused' || result.outcome.class !== 'token') return result
    bearers.delete(keyOf(app))
  }
  const fresh = await fetchBearer(app, signal)
  return fresh.ok ? callWith(app, call, `Bearer ${fresh.token}`, signal) : fresh
}

/** The `Authorization` header of a call for the channel's user; `undefined` without a usable token. */
export function authorizeCall(channel: ChannelAccess, method: string, url: string): string | undefined {
  const { access_token: token, access_token_secret: tokenSecret } = channel.credentials
  const { consumerKey, secret: consumerSecret } = channel.app
  if (token === undefined || token === '') return undefined
  if (tokenSecret === undefined || tokenSecret === '') return `Bearer ${token}`
  if (consumerKey === undefined || consumerSecret === undefined) return undefined
  return signOAuth1({ method, url }, { consumerKey, consumerSecret, token, tokenSecret })
}

export const isOAuth1 = ({ credentials }: Pick<ChannelAccess, 'credentials'>): boolean =>
  (credentials.access_token_secret ?? '') !== ''

type Place = Pick<ChannelAccess, 'apiBaseUrl' | 'allowHosts'> & { readonly externalId: string | undefined }

/** One call with this `Authorization` header, or none. Never throws. */
export async function callWith(
  place: Place,
  call: XCall,
  authorization: string | undefined,
  signal: AbortSignal,
): Promise<XResult> {
  try {
    const body = await bodyOf(call)
    const answer = await callOutside({
      url: urlOfCall(place, call),
      method: call.method,
      headers: {
        accept: 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined ? {} : { 'content-type': body.type }),
      },
      ...(body === undefined ? {} : { body: body.bytes }),
      limitMs: call.limitMs ?? 20_000,
      maxBytes: 4 * 1024 * 1024,
      allowHosts: place.allowHosts,
      signal,
    })
    const { status, headers } = answer
    noteQuota(place.externalId, call, headers)
    const json = readJson(answer.body)
    if (status < 200 || status >= 300) return failed(classifyXError(status, json, headers, new Date()))
    if (isFields(json) || status === 204) return { ok: true, json, headers }
    return failed({ type: 'unknown', code: `http_${String(status)}`, reason: 'X answered without a readable body.' })
  } catch (error) {
    return failed(
      error instanceof OutsideError && !error.left
        ? { type: 'retry', code: error.code, reason: error.message }
        : { type: 'unknown', code: error instanceof OutsideError ? error.code : 'error', reason: messageOf(error) },
    )
  }
}

async function bodyOf({
  body,
  form,
  multipart,
}: XCall): Promise<{ readonly type: string; readonly bytes: string | Uint8Array } | undefined> {
  if (multipart !== undefined) {
    const encoded = new Response(multipart)
    return { type: encoded.headers.get('content-type') ?? '', bytes: await encoded.bytes() }
  }
  if (form !== undefined)
    return { type: 'application/x-www-form-urlencoded', bytes: new URLSearchParams(form).toString() }
  return body === undefined ? undefined : { type: 'application/json', bytes: JSON.stringify(body) }
}

/** Bearer tokens of apps last until somebody takes them back. */
const bearers = new Map<string, string>()
const keyOf = ({ apiBaseUrl, app }: AppAccess): string =>
  `${apiBaseUrl ?? xHost} ${app.consumerKey ?? ''} ${app.secret ?? ''}`

/** Whether X gives the app a token for its consumer key and secret. Never throws. */
export async function examineXApp(app: AppAccess, signal: AbortSignal): Promise<Asked<'known' | 'not_possible'>> {
  const result = await fetchBearer(app, signal)
  return result.ok ? { type: 'ok', value: 'known' } : result.outcome
}

/** Client credentials (OAuth 2 app-only): consumer key and secret for a bearer token. */
async function fetchBearer(
  app: AppAccess,
  signal: AbortSignal,
): Promise<{ readonly ok: true; readonly token: string } | Extract<XResult, { ok: false }>> {
  const { consumerKey, secret } = app.app
  if (consumerKey === undefined || secret === undefined)
    return failed({
      type: 'refused',
      class: 'token',
      code: 'no_consumer_key',
      reason: 'The app has no consumer key and secret: X lets only the app itself look after its webhook.',
    })
  const call: XCall = { method: 'POST', path: '/oauth2/token', form: { grant_type: 'client_credentials' } }
  const result = await callWith({ ...app, externalId: undefined }, call, basic(consumerKey, secret), signal)
  if (!result.ok) return result
  const token = textOf(fieldsOf(result.json).access_token)
  if (token === undefined) return failed({ type: 'unknown', code: 'no_token', reason: 'X gave the app no token.' })
  if (bearers.size >= 1_000) bearers.clear()
  bearers.set(keyOf(app), token)
  return { ok: true, token }
}

/** `Basic` with both parts encoded as RFC 6749, 2.3.1 wants. */
export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`

function urlOfCall(place: Pick<ChannelAccess, 'apiBaseUrl'>, call: XCall): string {
  const query = new URLSearchParams(call.query)
  return `${place.apiBaseUrl ?? xHost}${call.path}${query.size > 0 ? `?${query.toString()}` : ''}`
}

const failed = (outcome: XFailure): Extract<XResult, { ok: false }> => ({ ok: false, outcome })
