/** X's quotas: windows of fifteen minutes and of a day for each token and endpoint, in sandbox time, told in every answer. */
import type { SandboxClock } from './clock.ts'

const quarterMs = 15 * 60 * 1000
const dayMs = 24 * 60 * 60 * 1000

/** Calls in fifteen minutes for one user; endpoints that are not named have 450. */
const realLimits: Readonly<Record<string, number>> = {
  'POST /2/dm_conversations/with/:id/messages': 15,
  'GET /2/dm_conversations/with/:id/dm_events': 15,
  'GET /2/dm_events': 15,
  'POST /2/tweets': 100,
  'GET /2/users/me': 75,
  'GET /2/users/:id': 900,
  'GET /2/users/:id/tweets': 900,
  'GET /2/users/:id/mentions': 300,
}
const dailyLimits: Readonly<Record<string, number>> = { 'POST /2/dm_conversations/with/:id/messages': 1_440 }

interface Window {
  used: number
  readonly endsAt: number
}

export interface Counted {
  readonly isOver: boolean
  readonly headers: Readonly<Record<string, string>>
}

export class XLimits {
  /** `off`: counted against a limit that nobody reaches. Numbers: limits of their own for these endpoints. */
  mode: 'off' | 'real' = 'off'
  own: Readonly<Record<string, number>> = {}
  readonly #clock: SandboxClock
  readonly #windows = new Map<string, Window>()

  constructor(clock: SandboxClock) {
    this.#clock = clock
  }

  /** Counts a call of `who`. */
  count(who: string, method: string, path: string): Counted {
    const endpoint = `${method} ${path.replace(/\/(?!2(?:\/|$))[\d-]+(?=\/|$)/g, '/:id')}`
    const limit = this.own[endpoint] ?? (this.mode === 'real' ? (realLimits[endpoint] ?? 450) : 1_000_000)
    const daily = this.mode === 'real' ? dailyLimits[endpoint] : undefined
    const short = this.#take(`${who} ${endpoint}`, quarterMs, limit)
    const long = daily === undefined ? undefined : this.#take(`${who} ${endpoint} day`, dayMs, daily)
    return {
      isOver: short.isOver || long?.isOver === true,
      headers: {
        ...named('x-rate-limit', limit, short),
        ...(long === undefined ? {} : named('x-user-limit-24hour', daily ?? 0, long)),
      },
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
