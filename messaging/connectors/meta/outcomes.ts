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

export type Verdict = 'retry' | 'unknown' | RefusalClass

/** Codes of each class (Graph API: error handling; Messenger, Pages, Instagram and Cloud API: error codes). */
const codes: Readonly<Record<Verdict, readonly number[]>> = {
  unknown: [1, 131000],
  // prettier-ignore
  retry: [
    2, 4, 17, 32, 341, 613, 1200, 80001, 80002, 80006, 80007, 9, 9007, 6000,
    130429, 131016, 131048, 131056, 131057, 133015, 133016,
  ],
  token: [0, 3, 10, 101, 102, 104, 190, 200, 2500, 131005],
  window: [131047],
  recipient: [551, 230, 130472, 130497, 131021, 131026, 131049, 131050],
  // prettier-ignore
  content: [
    24, 100, 324, 352, 389, 506, 9004, 10900, 10903, 36000, 36001, 36003, 36004, 1609005,
    131008, 131009, 131051, 131052, 131053, 132000, 132001, 132005, 132007, 132012, 132015, 132016, 132068, 132069, 135000,
  ],
  policy: [25, 33, 368, 2022, 10904, 131031, 131037, 131042, 131045, 133010, 134011],
}

/** Subcodes, which mean the same below every code and say more than it: 2018xxx Messenger, 2534xxx Instagram messages, 2207xxx Instagram posts. */
const subcodes: Readonly<Record<Verdict, readonly number[]>> = {
  // 1357046: the endpoint failed after the message had gone.
  unknown: [1357046, 2207001],
  retry: [2018022, 2207003, 2207020, 2207027, 2207032, 2207042, 2207053, 1363030],
  token: [2018027, 2018028, 2534041],
  window: [2018065, 2018278, 2534022],
  recipient: [1545041, 2018001, 2018108, 2534014, 2534029],
  // prettier-ignore
  content: [
    1346003, 1349125, 1363047, 1366046, 1366051, 1609008, 1609010, 2061006,
    2207004, 2207005, 2207006, 2207008, 2207009, 2207010, 2207023, 2207026, 2207028, 2207052, 2207057, 2207067,
  ],
  policy: [1390008, 1404006, 1404078, 1404102, 1893063, 2207050, 2207051, 4854002],
}

const verdictNames = ['unknown', 'retry', 'token', 'window', 'recipient', 'content', 'policy'] as const
const byNumber = (classes: Readonly<Record<Verdict, readonly number[]>>): ReadonlyMap<number, Verdict> =>
  new Map(verdictNames.flatMap((verdict) => classes[verdict].map((number) => [number, verdict] as const)))
const verdicts = byNumber(codes)
const subVerdicts = byNumber(subcodes)

/** Every code and every subcode of which something is known, with what it means. */
export const knownErrors = { codes: [...verdicts], subcodes: [...subVerdicts] }

/** The outcome of an attempt that Graph answered with an error. `afterMs` as the usage headers gave it. */
export function classifyGraphError(error: GraphError, status: number, afterMs?: number): Outcome {
  const code = error.subcode === undefined ? String(error.code) : `${String(error.code)}/${String(error.subcode)}`
  const reason = error.message
  const verdict =
    (error.subcode === undefined ? undefined : subVerdicts.get(error.subcode)) ??
    verdicts.get(error.code) ??
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
  // Permissions that were not granted, or taken back.
  if (error.code > 200 && error.code < 300) return 'token'
  if (status === 429) return 'retry'
  if (status === 401 || status === 403) return 'token'
  return status >= 500 ? 'unknown' : 'content'
}

/** A container of Instagram that came to nothing, by the status that it shows. Nothing was published. */
export function classifyContainer(status: string): Extract<Outcome, { readonly type: 'refused' }> {
  const subcode = /\b2207\d{3}\b/.exec(status)?.[0]
  const isPolicy = subVerdicts.get(Number(subcode)) === 'policy'
  return {
    type: 'refused',
    class: isPolicy ? 'policy' : 'content',
    code: `container/${subcode ?? 'error'}`,
    reason: status === '' ? 'Instagram could not work on the file.' : status.slice(0, 500),
  }
}
