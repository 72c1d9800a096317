/**
 * The networks' webhook sender: handshake, signature over the exact bytes, time limit, retries by the networks' schedules
 * with what they do to those who do not answer, and a log of every attempt.
 */
import { messageOf } from '../../infra/errors.ts'
import type { Running } from '../../infra/lifecycle.ts'
import type { Logger } from '../../infra/logger.ts'
import { callOutside } from '../../infra/outside.ts'
import { fieldsOf, idOf, listOf } from '../connectors/reading.ts'
import { signMeta } from '../connectors/meta/signature.ts'
import { signX } from '../connectors/x/signature.ts'
import { chanceFrom, shuffle } from './chance.ts'
import type { SandboxClock } from './clock.ts'
import { courseOf, quickRetryMs, realRetryMs } from './courses.ts'
import type { Faults } from './faults.ts'
import { hostOf, registrationOf } from './handshake.ts'
import { Standing } from './standing.ts'
import { isSubscribed } from './subscriptions.ts'
import { encodeMeta, encodeX } from './wire.ts'
import type { PendingWebhook, SandboxApp, World } from './world.ts'

export interface Attempt {
  readonly webhook: number
  readonly app_id: string
  readonly at: string
  readonly attempt: number
  /** HTTP status, or 0 when there was no answer. */
  readonly status: number
  readonly error: string | undefined
  readonly ms: number
  readonly bytes: number
  readonly given_up: boolean
}

const concurrency = 12
const keptAttempts = 20_000

export class WebhookSender implements Running {
  readonly attempts: Attempt[] = []
  /** What became of all bodies since the start. */
  readonly counts = { taken: 0, given_up: 0, not_sent: 0 }
  /** `real`: the networks' own schedules and consequences. */
  course: 'quick' | 'real' = 'quick'
  /** Instead of any schedule. */
  retryMs: readonly number[] | undefined
  readonly standing: Standing
  readonly #world: World
  readonly #faults: Faults
  readonly #clock: SandboxClock
  readonly #logger: Logger
  readonly #held: PendingWebhook[] = []
  readonly #waiting: (() => void)[] = []
  readonly #roomless: (() => void)[] = []
  readonly #stop = new AbortController()
  #releaseSeed: number | undefined
  #busy = 0

  constructor(world: World, faults: Faults, clock: SandboxClock, logger: Logger) {
    this.#world = world
    this.#faults = faults
    this.#clock = clock
    this.#logger = logger
    this.standing = new Standing(world, faults, clock, this.#stop.signal)
    faults.listen(() => {
      this.#release()
    })
  }

  /**
   * Sends a body to the app; resolves after the first try, whatever became of it. `isPassing`: not kept over a restart.
   */
  async post(app: SandboxApp, body: unknown, channel?: string, isPassing = false): Promise<void> {
    const entries = listOf(fieldsOf(body).entry).flatMap((entry) => idOf(fieldsOf(entry).id) ?? [])
    const isOff = channel !== undefined && !isSubscribed(this.#world, channel)
    const hasNoAddress = app.network === 'x' && registrationOf(this.#world, app.app_id) === undefined
    if (isOff || hasNoAddress || this.#faults.take('lose_webhooks', app.network, channel) !== undefined) {
      this.counts.not_sent += 1
      return
    }
    const bytes = app.network === 'meta' ? encodeMeta(body) : encodeX(body)
    const times = this.#faults.take('repeat_webhooks', app.network, channel) === undefined ? 1 : 2
    const owed = { app_id: app.app_id, channel, body: bytes.toString('latin1'), course: courseOf(body), entries }
    await Promise.all(Array.from({ length: times }, () => this.#first(app, this.#world.owe(owed, isPassing))))
  }

  /** Goes on with what was owed when the sandbox last stopped. */
  resume(): void {
    for (const owed of this.#world.webhooks.values()) void this.#try(owed, 1)
  }

  /** How many are neither taken nor given up. */
  get pending(): number {
    return this.#world.webhooks.size
  }

  /** Waits until fewer than `most` are pending, so that a burst does not fill the memory. */
  async room(most: number): Promise<void> {
    while (this.pending >= most && !this.#stop.signal.aborted)
      await new Promise<void>((resolve) => this.#roomless.push(resolve))
  }

  /** Signs the given bytes and posts them once; the receiver's status, or 0. */
  async deliverRaw(
    app: SandboxApp,
    bytes: Buffer,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; error: string | undefined }> {
    return this.#deliver(app, bytes, headers)
  }

  /** Meta's hub challenge or X's CRC against the app's address. */
  async verify(app: SandboxApp): Promise<{ verified: boolean; detail: string }> {
    const { verdict, detail } = await this.standing.check(app)
    return { verified: verdict === 'good', detail }
  }

  isVerified(appId: string): boolean {
    return this.standing.isGood(appId)
  }

  stop(): Promise<void> {
    this.#stop.abort()
    for (const go of this.#roomless.splice(0)) go()
    return Promise.resolve()
  }

  readonly #isOver = (): boolean => this.#stop.signal.aborted

  #first(app: SandboxApp, owed: PendingWebhook): Promise<void> {
    const delay = this.#faults.take('delay_webhooks', app.network, owed.channel)
    if (delay === undefined) return this.#try(owed, 1)
    this.#clock.later(delay.ms ?? 2_000, () => void this.#try(owed, 1))
    return Promise.resolve()
  }

  async #try(owed: PendingWebhook, attempt: number): Promise<void> {
    const app = this.#world.apps.get(owed.app_id)
    if (app === undefined || this.#stop.signal.aborted) return
    if (this.#isHeld(app, owed)) {
      this.#held.push(owed)
      return
    }
    const isStrict = this.course === 'real'
    const lost = isStrict ? this.standing.whyLost(app, owed) : undefined
    if (lost !== undefined) {
      this.#end(owed, { attempt, status: 0, error: lost, started: Date.now(), isTaken: false, isOver: true })
      return
    }
    await this.#turn()
    const started = Date.now()
    try {
      // Lenient: an address that was not right a moment ago is asked again.
      const asked = this.standing.isGood(app.app_id) ? undefined : await this.verify(app)
      const { status, error } =
        asked?.verified === false
          ? { status: 0, error: `not verified: ${asked.detail}` }
          : await this.#deliver(app, Buffer.from(owed.body, 'latin1'))
      // What the end of the sandbox broke off is owed again at the next start.
      if (this.#isOver()) return
      const isTaken = status >= 200 && status < 300
      if (isStrict && owed.course === 'messenger') this.standing.note(app, owed.entries ?? [], isTaken)
      const schedule = this.retryMs ?? (isStrict ? realRetryMs[owed.course ?? 'graph'] : quickRetryMs)
      const wait = isTaken ? undefined : schedule[attempt - 1]
      this.#end(owed, { attempt, status, error, started, isTaken, isOver: wait === undefined })
      if (wait !== undefined) this.#clock.later(wait, () => void this.#try(owed, attempt + 1))
    } finally {
      this.#busy -= 1
      this.#waiting.shift()?.()
    }
  }

  /** Writes an attempt down; the webhook may be over with it. */
  #end(
    owed: PendingWebhook,
    what: {
      attempt: number
      status: number
      error: string | undefined
      started: number
      isTaken: boolean
      isOver: boolean
    },
  ): void {
    const { attempt, status, error, started, isTaken, isOver } = what
    const { webhook, app_id } = owed
    const given_up = isOver && !isTaken
    const at = new Date(this.#clock.now()).toISOString()
    const ms = Date.now() - started
    this.attempts.push({ webhook, app_id, at, attempt, status, error, ms, bytes: owed.body.length, given_up })
    if (this.attempts.length > keptAttempts) this.attempts.splice(0, keptAttempts / 4)
    if (!isOver) return
    this.counts[isTaken ? 'taken' : 'given_up'] += 1
    this.#world.settle(webhook)
    this.#roomless.shift()?.()
    if (given_up) this.#logger.warn({ webhook, attempt, status, reason: error }, 'a webhook was given up')
  }

  /** Held, not tried: told to wait, or the network cannot be reached, and neither can it reach us. */
  #isHeld(app: SandboxApp, { channel }: PendingWebhook): boolean {
    const hold = this.#faults.find('hold_webhooks', app.network, channel)
    if (hold?.seed !== undefined) this.#releaseSeed = hold.seed
    return hold !== undefined || this.#faults.isOn('network_off', app.network, channel)
  }

  #release(): void {
    const free = this.#held.filter((owed) => {
      const app = this.#world.apps.get(owed.app_id)
      return app === undefined || !this.#isHeld(app, owed)
    })
    if (free.length === 0) return
    const isFree = new Set(free)
    this.#held.splice(0, this.#held.length, ...this.#held.filter((owed) => !isFree.has(owed)))
    if (this.#releaseSeed !== undefined) shuffle(free, chanceFrom(this.#releaseSeed))
    this.#releaseSeed = undefined
    for (const owed of free) void this.#try(owed, 1)
  }

  async #deliver(
    app: SandboxApp,
    bytes: Buffer,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; error: string | undefined }> {
    const url = new URL(app.webhook_url)
    const isForged = this.#faults.take('bad_signature', app.network) !== undefined
    const secret = `${app.secrets[0] ?? ''}${isForged ? ' forged' : ''}`
    const signed =
      app.network === 'meta' ? signMeta(bytes, secret) : { 'x-twitter-webhooks-signature': signX(bytes, secret) }
    try {
      const answer = await callOutside({
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...signed, ...headers },
        body: bytes,
        limitMs: app.network === 'meta' ? 5_000 : 10_000,
        allowHosts: [hostOf(url)],
        signal: this.#stop.signal,
      })
      return { status: answer.status, error: undefined }
    } catch (error) {
      return { status: 0, error: messageOf(error) }
    }
  }

  /** Waits for one of the few places. */
  async #turn(): Promise<void> {
    if (this.#busy >= concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#busy += 1
  }
}
