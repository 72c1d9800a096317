/** What Graph's error codes mean for one attempt (PROTOCOLS A6: error codes and limits). Decided by code, not by status. */
import type { Outcome, RefusalClass } from '../connector.ts'
import { fieldsOf, isFields, textOf } from '../reading.ts'

export interface GraphError {
  readonly code: number
  readonly subcode: number | undefined
  readonly message: string
}

/** The `error` of an answer; `undefined` when there is none of that shape. */
export function readGraphError(json: unknown): GraphError | undefined {
  const error = fieldsOf(json).error
  if (!isFields(error)) return undefined
  const code = Number(error.code)
  const subcode = Number(error.error_subcode)
  return {
    code: Number.isSafeInteger(code) ? code : -1,
    subcode: Number.isSafeInteger(subcode) && subcode !== 0 ? subcode : undefined,
    message: (textOf(error.error_user_msg) ?? textOf(error.message) ?? 'Meta gave no reason').slice(0, 500),
  }
}

type Verdict = 'retry' | 'unknown' | RefusalClass

/** `code/subcode` before `code`. */
// prettier-ignore
const verdicts: Readonly<Record<string, Verdict>> = {
  // The endpoint failed after the message had gone.
  '1/1357046': 'unknown', 1: 'unknown',
  2: 'retry', 4: 'retry', 17: 'retry', 32: 'retry', 341: 'retry', 613: 'retry', 1200: 'retry', 80001: 'retry', 80002: 'retry', 80006: 'retry',
  130429: 'retry', 131048: 'retry', 131056: 'retry', 80007: 'retry', 133016: 'retry', 131016: 'retry', 131057: 'retry', 131000: 'unknown',
  368: 'policy', '10/1893063': 'policy', 131031: 'policy',
  190: 'token', 102: 'token', 3: 'token', 200: 'token', 10: 'token',
  '10/2018278': 'window', '10/2534022': 'window', 131047: 'window',
  551: 'recipient', '200/1545041': 'recipient', '10/2018108': 'recipient', '100/2018001': 'recipient', '100/2534014': 'recipient', '100/2534029': 'recipient',
  131026: 'recipient', 131049: 'recipient', 131050: 'recipient', 130472: 'recipient',
  10900: 'content', 10903: 'content', 100: 'content', 506: 'content', 1609005: 'content',
}

/** Subcodes that mean the same below every code. */
const subcodes: Readonly<Record<number, Verdict>> = {
  2018028: 'token',
  2534041: 'token',
  2018278: 'window',
  2534022: 'window',
  2018001: 'recipient',
  1545041: 'recipient',
}

/** The outcome of an attempt that Graph answered with an error. `afterMs` as the usage headers gave it. */
export function classifyGraphError(error: GraphError, status: number, afterMs?: number): Outcome {
  const code = error.subcode === undefined ? String(error.code) : `${String(error.code)}/${String(error.subcode)}`
  const reason = error.message
  const verdict =
    verdicts[code] ??
    (error.subcode === undefined ? undefined : subcodes[error.subcode]) ??
    verdicts[String(error.code)] ??
    byStatus(error, status)
  switch (verdict) {
    case 'retry':
      return { type: 'retry', code, reason, ...(afterMs === undefined ? {} : { afterMs }) }
    case 'unknown':
      return { type: 'unknown', code, reason }
    default:
      return { type: 'refused', class: verdict, code, reason }
  }
}

function byStatus(error: GraphError, status: number): Verdict {
  if (error.code >= 2_018_000 && error.code < 2_019_000) return 'content'
  if (status === 429) return 'retry'
  if (status === 401 || status === 403) return 'token'
  return status >= 500 ? 'unknown' : 'content'
}
