/** What X's refusals mean for one attempt (X API: response codes and errors, rate limits). */
import type { Outcome, RefusalClass } from '../connector.ts'
import { fieldsOf, listOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { cut } from './people.ts'

type Failure = Exclude<Outcome, { type: 'sent' }>
type Verdict = 'retry' | 'unknown' | RefusalClass

interface Meaning {
  readonly verdict: Verdict
  /** Ours, where X's own number says nothing to those who read it elsewhere in the code. */
  readonly code?: string
  /** In plain words; X's own where there are none. */
  readonly reason?: string
  /** How long to wait where X does not say. */
  readonly afterMs?: number
}

const quarterMs = 15 * 60 * 1000
const notReachable = 'This person takes no messages from the account.'
/** Whether an earlier try of ours has said it is for the caller to find out. */
const saidAlready = { verdict: 'content', code: 'duplicate', reason: 'X takes the same text only once.' } as const

/** v1 codes that X still gives within `errors`. */
// prettier-ignore
const codes: Readonly<Record<number, Meaning>> = {
  32: { verdict: 'token' }, 89: { verdict: 'token' }, 99: { verdict: 'token' }, 215: { verdict: 'token' },
  64: { verdict: 'policy', reason: 'X has suspended the account. Appeal in X.' },
  326: { verdict: 'policy', reason: 'X has locked the account. Sign in to X and unlock it.' },
  226: { verdict: 'policy', reason: 'X takes this for automated and has stopped it. Say it in X itself, or in other words later.' },
  261: { verdict: 'policy', reason: 'X has taken the right to write from the app. Look in the developer portal.' },
  453: { verdict: 'policy', reason: 'The app’s plan at X does not include this.' },
  88: { verdict: 'retry' },
  355: { verdict: 'retry', reason: 'X takes no more direct messages from the account for now.', afterMs: quarterMs },
  130: { verdict: 'unknown' }, 131: { verdict: 'unknown' },
  186: { verdict: 'content', reason: 'The text is longer than X allows.' },
  187: saidAlready,
  354: { verdict: 'content', reason: 'The text is longer than X allows in a direct message.' },
  324: { verdict: 'retry', code: 'upload_gone', reason: 'X does not have the uploaded file any more.' },
  385: { verdict: 'content', reason: 'The post that this answers has been deleted, or is not shown to the account.' },
  144: { verdict: 'content', reason: 'The post has been deleted.' },
  349: { verdict: 'recipient', reason: notReachable },
  150: { verdict: 'recipient', reason: 'This person takes direct messages only from people they follow.' },
  151: { verdict: 'recipient', reason: notReachable },
  433: { verdict: 'recipient', reason: 'The author has limited who may answer this post.' },
  50: { verdict: 'recipient', reason: 'There is no such person on X any more.' },
  63: { verdict: 'recipient', reason: 'X has suspended this person.' },
  108: { verdict: 'recipient', reason: 'There is no such person on X any more.' },
  136: { verdict: 'recipient', reason: 'This person has blocked the account.' },
}

/** Problem types, by the end of their address. */
const problems: Readonly<Record<string, Meaning>> = {
  // For the whole period: trying again before its end costs and brings nothing.
  'usage-capped': {
    verdict: 'policy',
    reason:
      'The app has used up its monthly cap at X. Raise it in the developer portal, or send it again in the next period.',
  },
  credits: {
    verdict: 'policy',
    reason: 'The app has no credits left at X. Buy some in the developer portal, then send it again.',
  },
  'resource-not-found': { verdict: 'recipient' },
}

/** What v2 tells by its sentence alone. */
// prettier-ignore
const sentences: readonly (readonly [RegExp, Meaning])[] = [
  [/duplicate content/i, saidAlready],
  [/media ids? (?:are|is) invalid|validation of media ids failed/i, { verdict: 'retry', code: 'upload_gone', reason: 'X does not have the uploaded file any more.' }],
  [/have not been mentioned or otherwise engaged|summoned/i, {
    verdict: 'recipient', code: 'not_summoned',
    reason: 'X lets this app answer only people who have mentioned the account or quoted one of its posts.',
  }],
  [/deleted or not visible/i, { verdict: 'content', reason: 'The post that this answers has been deleted, or is not shown to the account.' }],
  [/permission to DM|cannot send messages/i, { verdict: 'recipient', reason: notReachable }],
  [/not following|reply to this conversation|not allowed to reply|mentioned|blocked/i, { verdict: 'recipient' }],
]

/** The outcome of an answer that is not good. `now` is needed because X tells when the limit ends, not how long to wait. */
export function classifyXError(
  status: number,
  json: unknown,
  headers: Readonly<Record<string, string>>,
  now: Date,
): Failure {
  const body = fieldsOf(json)
  const first = fieldsOf(listOf(body.errors)[0])
  const v1 = typeof first.code === 'number' || textOf(first.code) !== undefined ? Number(first.code) : Number.NaN
  const problem = (textOf(body.type) ?? textOf(first.type))?.split('/').pop() ?? ''
  const said = cut(wordsOf(body, first) ?? `X answered ${String(status)}.`, 500)
  const told = listOf(body.errors).flatMap((one) => textOf(fieldsOf(one).message) ?? [])
  const sentence = sentences.find(([pattern]) => pattern.test([said, ...told].join(' ')))?.[1]
  const isRefusal = status === 200 || (status >= 400 && status < 500 && status !== 429 && status !== 401)
  const meaning =
    problems[problem] ?? codes[v1] ?? (isRefusal ? sentence : undefined) ?? byStatus(status, problem, said)
  const code = meaning.code ?? codeOf(v1, problem, body, status)
  const reason = meaning.reason ?? said
  if (meaning.verdict === 'unknown') return { type: 'unknown', code, reason }
  if (meaning.verdict !== 'retry') return { type: 'refused', class: meaning.verdict, code, reason }
  const afterMs = readResetMs(headers, now) ?? meaning.afterMs
  return { type: 'retry', code, reason, ...(afterMs === undefined ? {} : { afterMs }) }
}

/** What X keeps for other plans: reconnecting would cure nothing. For what only some plans can do. */
export function byPlan(outcome: Failure): Failure {
  return outcome.type === 'refused' && (outcome.code === 'client-forbidden' || outcome.code === '453')
    ? { type: 'refused', class: 'policy', code: 'plan', reason: 'The app’s plan at X does not include this.' }
    : outcome
}

/** Where the sentence is the same for every mistake, that of the mistake itself says more. */
function wordsOf(body: Fields, first: Fields): string | undefined {
  const general = textOf(body.detail)
  const own = textOf(first.message) ?? textOf(first.detail)
  if (general !== undefined && own !== undefined && /parameters? to your request/i.test(general)) return own
  return general ?? own ?? textOf(body.error_description) ?? textOf(body.title) ?? textOf(first.title)
}

function codeOf(v1: number, problem: string, body: Fields, status: number): string {
  if (Number.isSafeInteger(v1)) return String(v1)
  if (problem !== '' && problem !== 'about:blank') return problem
  // The token endpoint speaks as RFC 6749 does.
  const name = textOf(body.error)
  return name !== undefined && /^[a-z_]{3,40}$/.test(name) ? name : `http_${String(status)}`
}

function byStatus(status: number, problem: string, said: string): Meaning {
  if (status === 429) return { verdict: 'retry' }
  if (status === 401) return { verdict: 'token' }
  if (status === 402) return { verdict: 'policy' }
  if (status >= 500) return { verdict: 'unknown' }
  if (status === 404) return { verdict: 'recipient' }
  if (status !== 403) return { verdict: 'content' }
  const isOurs =
    ['client-forbidden', 'unsupported-authentication', 'not-authorized-for-resource'].includes(problem) ||
    /not permitted|oauth|scope/i.test(said)
  return { verdict: isOurs ? 'token' : 'policy' }
}

/** How long until the latest of the exhausted limits ends. */
export function readResetMs(headers: Readonly<Record<string, string>>, now: Date): number | undefined {
  const resets = ['x-rate-limit', 'x-app-limit-24hour', 'x-user-limit-24hour']
    .filter((name) => headers[`${name}-remaining`] === undefined || Number(headers[`${name}-remaining`]) <= 0)
    .map((name) => Number(headers[`${name}-reset`]) * 1000)
    .filter((ms) => Number.isFinite(ms) && ms > 0)
  return resets.length === 0 ? undefined : Math.max(0, Math.max(...resets) - now.getTime())
}
