/** Calls of the Graph API (Graph API: overview, rate limiting). */
import type { Readable } from 'node:stream'
import { callOutside, OutsideError } from '../../../infra/outside.ts'
import { messageOf } from '../../../infra/errors.ts'
import type { AppAccess, ChannelAccess, Outcome } from '../connector.ts'
import { fieldsOf, listOf, readJson } from '../reading.ts'
import { streamForm } from './form.ts'
import type { GraphForm } from './form.ts'
import { classifyGraphError, readGraphError } from './outcomes.ts'
import { proveAppSecret } from './signature.ts'
import { noteUsage } from './usage.ts'

export const graphHost = 'https://graph.facebook.com'
export const instagramHost = 'https://graph.instagram.com'
export const graphVersion = 'v25.0'

export interface GraphCall {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below the version, such as `me/messages`; each part already encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
  /** Instead of `body`: with a file. */
  readonly form?: GraphForm
  /** May be called without a token: the app's secret is in the query. */
  readonly isOpen?: boolean
  readonly isUnversioned?: boolean
}

/** Either Graph's good answer, or what the failure means for an attempt. */
export type GraphResult =
  | { readonly ok: true; readonly json: unknown }
  | { readonly ok: false; readonly outcome: Exclude<Outcome, { type: 'sent' }> }

/** One call for a channel, once. Never throws. */
export async function callGraph(channel: ChannelAccess, call: GraphCall, signal: AbortSignal): Promise<GraphResult> {
  return callGraphAs(channel, channel.credentials.access_token, hostOf(channel), call, signal, channel.externalId)
}

/** Instagram Login (`login: instagram` among the credentials) has a host of its own. */
export const hostOf = (channel: ChannelAccess): string =>
  channel.credentials.login === 'instagram' ? instagramHost : graphHost

/** One call with any token, once; `usedBy`: whose allowance it counts for. Never throws. */
export async function callGraphAs(
  app: AppAccess,
  token: string | undefined,
  host: string,
  call: GraphCall,
  signal: AbortSignal,
  usedBy?: string,
): Promise<GraphResult> {
  if (token === '' || (token === undefined && call.isOpen !== true))
    return failed({ type: 'refused', class: 'token', code: 'no_token', reason: 'The channel has no access token.' })
  const query = new URLSearchParams(call.query)
  if (token !== undefined) {
    // The Send API documents the token as a query parameter.
    query.set('access_token', token)
    // Instagram Login has a secret of its own. An app's own token contains the secret: it proves itself.
    const secret = host === instagramHost ? app.app.clientSecret : app.app.secret
    if (secret !== undefined && !token.includes('|')) query.set('appsecret_proof', proveAppSecret(token, secret))
  }
  let content: Content
  try {
    content = await contentOf(call)
  } catch (error) {
    return failed({ type: 'retry', code: 'no_file', reason: `The file cannot be read just now: ${messageOf(error)}` })
  }
  try {
    const answer = await callOutside({
      url: `${app.apiBaseUrl ?? host}/${call.isUnversioned === true ? '' : `${graphVersion}/`}${call.path}?${query.toString()}`,
      method: call.method,
      headers: { accept: 'application/json', ...content.headers },
      ...(content.body === undefined ? {} : { body: content.body }),
      limitMs: call.form === undefined ? 20_000 : 120_000,
      maxBytes: 4 * 1024 * 1024,
      allowHosts: app.allowHosts,
      signal,
    })
    if (usedBy !== undefined) noteUsage(usedBy, answer.headers)
    const json = readJson(answer.body)
    const error = readGraphError(json)
    if (error !== undefined) {
      const outcome = classifyGraphError(error, answer.status, readWaitMs(answer.headers))
      return outcome.type === 'sent' ? unreadable(answer.status) : failed(outcome)
    }
    if (answer.status >= 200 && answer.status < 300 && json !== undefined) return { ok: true, json }
    if (answer.status === 429) return failed({ type: 'retry', code: 'http_429', reason: 'Meta asks to wait.' })
    return unreadable(answer.status)
  } catch (error) {
    return failed(
      error instanceof OutsideError && !error.left
        ? { type: 'retry', code: error.code, reason: error.message }
        : { type: 'unknown', code: error instanceof OutsideError ? error.code : 'error', reason: messageOf(error) },
    )
  } finally {
    if (typeof content.body === 'object') content.body.destroy()
  }
}

/** Of a call that nobody outside can notice: what may have worked may be repeated. */
export function harmless(outcome: Exclude<Outcome, { type: 'sent' }>): Exclude<Outcome, { type: 'sent' }> {
  return outcome.type === 'unknown' ? { ...outcome, type: 'retry' } : outcome
}

interface Content {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Readable
}

async function contentOf({ body, form }: GraphCall): Promise<Content> {
  if (form !== undefined) return streamForm(form)
  return body === undefined
    ? { headers: {} }
    : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** How much of the allowance is used, in percent, and how long to wait once it is spent (`X-App-Usage`, `X-Business-Use-Case-Usage`). */
export function readUsage(headers: Readonly<Record<string, string>>): { percent: number; waitMs: number | undefined } {
  const app = fieldsOf(readJson(headers['x-app-usage'] ?? ''))
  const business = Object.values(fieldsOf(readJson(headers['x-business-use-case-usage'] ?? ''))).flatMap((list) =>
    listOf(list).map(fieldsOf),
  )
  const percents = [app, ...business].flatMap((usage) =>
    [usage.call_count, usage.total_time, usage.total_cputime].map(Number).filter(Number.isFinite),
  )
  const minutes = business.map((usage) => Number(usage.estimated_time_to_regain_access)).filter((value) => value > 0)
  return { percent: Math.max(0, ...percents), waitMs: minutes.length > 0 ? Math.max(...minutes) * 60_000 : undefined }
}

const readWaitMs = (headers: Readonly<Record<string, string>>): number | undefined => readUsage(headers).waitMs

const failed = (outcome: Exclude<Outcome, { type: 'sent' }>): GraphResult => ({ ok: false, outcome })
/** An answer that is not Graph's own (a proxy, an empty body) proves nothing. */
const unreadable = (status: number): GraphResult =>
  failed({
    type: 'unknown',
    code: `http_${String(status)}`,
    reason: `Meta answered ${String(status)} without a readable body.`,
  })
