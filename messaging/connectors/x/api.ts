/** Calls of the X API v2, signed with OAuth 1.0a or carrying an OAuth 2 token. */
import { messageOf } from '../../../infra/errors.ts'
import { callOutside, OutsideError } from '../../../infra/outside.ts'
import type { ChannelAccess, Outcome } from '../connector.ts'
import { fieldsOf, readJson } from '../reading.ts'
import { signOAuth1 } from './oauth1.ts'
import { classifyXError } from './outcomes.ts'

export const xHost = 'https://api.x.com'

export interface XCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** From the root, such as `/2/tweets`; each part already encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
}

/** Either X's good answer, or what the failure means for an attempt. */
export type XResult =
  | { readonly ok: true; readonly json: unknown }
  | { readonly ok: false; readonly outcome: Exclude<Outcome, { type: 'sent' }> }

/** One call, once. Never throws. */
export async function callX(channel: ChannelAccess, call: XCall, signal: AbortSignal): Promise<XResult> {
  const query = new URLSearchParams(call.query)
  const url = `${channel.apiBaseUrl ?? xHost}${call.path}${query.size > 0 ? `?${query.toString()}` : ''}`
  const authorization = authorize(channel, call.method, url)
  if (authorization === undefined)
    return failed({
      type: 'refused',
      class: 'token',
      code: 'no_token',
      reason: 'The channel has no usable access token.',
    })
  try {
    const answer = await callOutside({
      url,
      method: call.method,
      headers: {
        authorization,
        accept: 'application/json',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      limitMs: 20_000,
      maxBytes: 4 * 1024 * 1024,
      allowHosts: channel.allowHosts,
      signal,
    })
    const json = readJson(answer.body)
    if (answer.status >= 200 && answer.status < 300) {
      return fieldsOf(json).data === undefined &&
        fieldsOf(json).errors === undefined &&
        fieldsOf(json).meta === undefined
        ? failed({
            type: 'unknown',
            code: `http_${String(answer.status)}`,
            reason: 'X answered without a readable body.',
          })
        : { ok: true, json }
    }
    return failed(classifyXError(answer.status, json, answer.headers, new Date()))
  } catch (error) {
    return failed(
      error instanceof OutsideError && !error.left
        ? { type: 'retry', code: error.code, reason: error.message }
        : { type: 'unknown', code: error instanceof OutsideError ? error.code : 'error', reason: messageOf(error) },
    )
  }
}

function authorize(channel: ChannelAccess, method: string, url: string): string | undefined {
  const { access_token: token, access_token_secret: tokenSecret } = channel.credentials
  const { consumerKey, secret: consumerSecret } = channel.app
  if (token === undefined || token === '') return undefined
  if (tokenSecret === undefined || tokenSecret === '') return `Bearer ${token}`
  if (consumerKey === undefined || consumerSecret === undefined) return undefined
  return signOAuth1({ method, url }, { consumerKey, consumerSecret, token, tokenSecret })
}

const failed = (outcome: Exclude<Outcome, { type: 'sent' }>): XResult => ({ ok: false, outcome })
