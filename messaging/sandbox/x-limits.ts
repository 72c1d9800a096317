/** X's quotas: windows of fifteen minutes and of a day for each token and endpoint, in sandbox time, told in every answer. */
import type { SandboxClock } from './clock.ts'

const quarterMs = 15 * 60 * 1000
const dayMs = 24 * 60 * 60 * 1000

/** Calls in fifteen minutes for one user; endpoints that are not named have 450. */
const realLimits: Readonly<Record<string, number>> = {
  'POST /2/dm_conversations/with/:id/messages': 15,
  'GET /2/dm_conversations/with/:id/dm_events': 15,
  'GET /2/dm_events': 15,
  'DELETE /2/dm_events/:id': 300,
  'POST /2/tweets': 100,
  'DELETE /2/tweets/:id': 50,
  'PUT /2/tweets/:id/hidden': 50,
  'GET /2/users/me': 75,
  'GET /2/users/:id': 900,
  'GET /2/users/:id/tweets': 900,
  'GET /2/users/:id/mentions': 300,
  'POST /2/media/upload': 500,
  'GET /2/media/upload': 1_000,
  'POST /2/media/upload/initialize': 1_875,
  'POST /2/media/upload/:id/append': 1_875,
  'POST /2/media/upload/:id/finalize': 1_875,
  'POST /2/media/metadata': 500,
}
/** Within a day: for one user, and for all users of an app together. */
const realUserDays: Readonly<Record<string, number>> = {
  'POST /2/dm_conversations/with/:id/messages': 1_440,
  'DELETE /2/dm_events/:id': 1_500,
}
const realAppDays: Readonly<Record<string, number>> = {
  'POST /2/dm_conversations/with/:id/messages': 1_440,
  'DELETE /2/dm_events/:id': 4_000,
  'POST /2/tweets': 10_000,
  'POST /2/media/upload': 50_000,
  'POST /2/media/upload/initialize': 180_000,
  'POST /2/media/upload/:id/append': 180_000,
  'POST /2/media/upload/:id/finalize': 180_000,
}

interface Window {
  used: number
  readonly endsAt: number
}

export interface Counted {
  readonly isOver: boolean
  readonly headers: Readonly<Record<string, string>>
}

export class XLimits {
  /**
   * `off`: counted against a limit that nobody reaches. Numbers: limits of their own for these endpoints, in fifteen minutes;
   * with `day ` or `app ` before the endpoint, in a day for the user or the app.
   */
  mode: 'off' | 'real' = 'off'
  own: Readonly<Record<string, number>> = {}
  readonly #clock: SandboxClock
  readonly #windows = new Map<string, Window>()

  constructor(clock: SandboxClock) {
    this.#clock = clock
  }

  /** Counts a call of a user, or of the app itself. */
  count(user: string | undefined, app: string, method: string, path: string): Counted {
    const endpoint = `${method} ${path.replace(/\/(?!2(?:\/|$))[\d-]+(?=\/|$)/g, '/:id')}`
    const of = (kind: string, real: Readonly<Record<string, number>>): number | undefined =>
      this.own[`${kind}${endpoint}`] ?? (this.mode === 'real' ? real[endpoint] : undefined)
    const who = user ?? app
    const limits = [
      ['x-rate-limit', who, quarterMs, of('', realLimits) ?? (this.mode === 'real' ? 450 : 1_000_000)],
      ['x-user-limit-24hour', `day ${who}`, dayMs, of('day ', realUserDays)],
      ['x-app-limit-24hour', `app ${app}`, dayMs, of('app ', realAppDays)],
    ] as const
    const taken = limits.flatMap(([name, whose, ms, limit]) =>
      limit === undefined ? [] : [{ name, limit, ...this.#take(`${whose} ${endpoint}`, ms, limit) }],
    )
    return {
      isOver: taken.some(({ isOver }) => isOver),
      headers: Object.fromEntries(taken.flatMap((one) => Object.entries(named(one.name, one.limit, one)))),
    }
  }

  #take(key: string, ms: number, limit: number): { isOver: boolean; left: number; endsAt: number } {
    const now = this.#clock.now()
    const known = this.#windows.get(key)
    const window = known !== undefined && known.endsAt > now ? known : { used: 0, endsAt: now + ms }
    if (window !== known) {
      if (this.#windows.size > 20_000) this.#windows.clear()
      this.#windows.set(key, window)
    }
    window.used += 1
    return { isOver: window.used > limit, left: Math.max(0, limit - window.used), endsAt: window.endsAt }
  }
}

const named = (
  prefix: string,
  limit: number,
  window: { readonly left: number; readonly endsAt: number },
): Record<string, string> => ({
  [`${prefix}-limit`]: String(limit),
  [`${prefix}-remaining`]: String(window.left),
  [`${prefix}-reset`]: String(Math.ceil(window.endsAt / 1000)),
})
