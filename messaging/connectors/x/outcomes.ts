/** What X's refusals mean for one attempt (X API: response codes and errors, rate limits). */
import type { Outcome, RefusalClass } from '../connector.ts'
import { fieldsOf, listOf, textOf } from '../reading.ts'
import { cut } from './people.ts'

/** v1 codes that X still gives within `errors`. */
// prettier-ignore
const codes: Readonly<Record<number, 'retry' | 'unknown' | RefusalClass>> = {
  32: 'token', 89: 'token', 99: 'token', 64: 'policy', 326: 'policy', 226: 'policy', 88: 'retry', 355: 'retry', 130: 'unknown', 131: 'unknown',
  186: 'content', 187: 'content', 354: 'content', 385: 'content', 349: 'recipient', 150: 'recipient', 151: 'recipient', 433: 'recipient', 50: 'recipient', 108: 'recipient',
}

/** The outcome of an answer that is not 2xx. `now` is needed because X tells when the limit ends, not how long to wait. */
export function classifyXError(
  status: number,
  json: unknown,
  headers: Readonly<Record<string, string>>,
  now: Date,
): Exclude<Outcome, { type: 'sent' }> {
  const body = fieldsOf(json)
  const first = fieldsOf(listOf(body.errors)[0])
  const v1 = typeof first.code === 'number' || textOf(first.code) !== undefined ? Number(first.code) : Number.NaN
  const problem = textOf(body.type)?.split('/').pop() ?? ''
  const said =
    textOf(body.detail) ??
    textOf(first.message) ??
    textOf(body.error_description) ??
    textOf(body.title) ??
    `X answered ${String(status)}.`
  const reason = cut(said, 500)
  const code = Number.isSafeInteger(v1)
    ? String(v1)
    : problem !== '' && problem !== 'about:blank'
      ? problem
      : (oauthError(body.error) ?? `http_${String(status)}`)
  const afterMs = readResetMs(headers, now)

  const verdict =
    problem === 'usage-capped'
      ? 'policy'
      : (codes[v1] ??
        (status === 429
          ? 'retry'
          : status === 401
            ? 'token'
            : status >= 500
              ? 'unknown'
              : status === 403
                ? forbidden(problem, reason)
                : status === 404
                  ? 'recipient'
                  : 'content'))
  if (verdict === 'retry') return { type: 'retry', code, reason, ...(afterMs === undefined ? {} : { afterMs }) }
  if (verdict === 'unknown') return { type: 'unknown', code, reason }
  return { type: 'refused', class: verdict, code, reason }
}

/** The token endpoint speaks as RFC 6749 does. */
const oauthError = (value: unknown): string | undefined => {
  const name = textOf(value)
  return name !== undefined && /^[a-z_]{3,40}$/.test(name) ? name : undefined
}

function forbidden(problem: string, reason: string): RefusalClass {
  if (/duplicate content/i.test(reason)) return 'content'
  if (
    /permission to DM|cannot send messages|not following|reply to this conversation|not allowed to reply|mentioned|blocked/i.test(
      reason,
    )
  )
    return 'recipient'
  return problem === 'client-forbidden' ||
    problem === 'unsupported-authentication' ||
    problem === 'not-authorized-for-resource' ||
    /not permitted|oauth|scope/i.test(reason)
    ? 'token'
    : 'policy'
}

/** How long until the latest of the exhausted limits ends. */
export function readResetMs(headers: Readonly<Record<string, string>>, now: Date): number | undefined {
  const resets = ['x-rate-limit', 'x-app-limit-24hour', 'x-user-limit-24hour']
    .filter((name) => headers[`${name}-remaining`] === undefined || Number(headers[`${name}-remaining`]) <= 0)
    .map((name) => Number(headers[`${name}-reset`]) * 1000)
    .filter((ms) => Number.isFinite(ms) && ms > 0)
  return resets.length === 0 ? undefined : Math.max(0, Math.max(...resets) - now.getTime())
}
