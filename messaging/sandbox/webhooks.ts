/** The networks' webhook sender: handshake, signature over the exact bytes, time limit, retries, and a log of every attempt. */
import { randomBytes, randomInt } from 'node:crypto'
import { messageOf } from '../../infra/errors.ts'
import type { Running } from '../../infra/lifecycle.ts'
import type { Logger } from '../../infra/logger.ts'
import { callOutside } from '../../infra/outside.ts'
import { fieldsOf, readJson } from '../connectors/reading.ts'
import { signMeta } from '../connectors/meta/signature.ts'
import { signX } from '../connectors/x/signature.ts'
import type { Faults } from './faults.ts'
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

/** Seconds between tries; the real ones reach from 36 hours (Graph) to five minutes (X). */
export const defaultRetryMs: readonly number[] = [1, 1, 2, 2, 4, 8, 15, 30, 60, 60, 120, 120, 300, 300].map(
  (seconds) => seconds * 1000,
)

const concurrency = 12
const keptAttempts = 20_000

export class WebhookSender implements Running {
  readonly attempts: Attempt[] = []
  retryMs: readonly number[] = defaultRetryMs
  readonly #world: World
  readonly #faults: Faults
  readonly #logger: Logger
  readonly #verified = new Set<string>()
  readonly #waiting: (() => void)[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #stop = new AbortController()
  #busy = 0

  constructor(world: World, faults: Faults, logger: Logger) {
    this.#world = world
    this.#faults = faults
    this.#logger = logger
  }

  /** Sends a body to the app; resolves after the first try, whatever became of it. */
  async post(app: SandboxApp, body: unknown, channel?: string): Promise<void> {
    const bytes = app.network === 'meta' ? encodeMeta(body) : encodeX(body)
    const times = this.#faults.take('repeat_webhooks', app.network, channel) === undefined ? 1 : 2
    const text = bytes.toString('latin1')
    await Promise.all(
      Array.from({ length: times }, () => this.#try(this.#world.owe({ app_id: app.app_id, channel, body: text }), 1)),
    )
  }

  /** Goes on with what was owed when the sandbox last stopped. */
  resume(): void {
    for (const owed of this.#world.webhooks.values()) void this.#try(owed, 1)
  }

  /** How many are neither taken nor given up. */
  get pending(): number {
    return this.#world.webhooks.size
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
    const url = new URL(app.webhook_url)
    const challenge = String(randomInt(1e9))
    const token = randomBytes(18).toString('base64url')
    if (app.network === 'meta') {
      url.searchParams.set('hub.mode', 'subscribe')
      url.searchParams.set('hub.challenge', challenge)
      url.searchParams.set('hub.verify_token', app.verify_token ?? '')
    } else {
      url.searchParams.set('crc_token', token)
    }
    try {
      const answer = await callOutside({ url, limitMs: 5_000, allowHosts: [hostOf(url)], signal: this.#stop.signal })
      const text = answer.body.toString('utf8')
      const isRight =
        app.network === 'meta'
          ? text === challenge
          : app.secrets.some((secret) => fieldsOf(readJson(text)).response_token === signX(Buffer.from(token), secret))
      const verified = answer.status === 200 && isRight
      if (verified) this.#verified.add(app.app_id)
      else this.#verified.delete(app.app_id)
      return { verified, detail: verified ? 'ok' : `${String(answer.status)}: ${text.slice(0, 200)}` }
    } catch (error) {
      return { verified: false, detail: messageOf(error) }
    }
  }

  isVerified(appId: string): boolean {
    return this.#verified.has(appId)
  }

  stop(): Promise<void> {
    this.#stop.abort()
    for (const timer of this.#timers) clearTimeout(timer)
    return Promise.resolve()
  }

  async #try(owed: PendingWebhook, attempt: number): Promise<void> {
    const { webhook, channel } = owed
    const app = this.#world.apps.get(owed.app_id)
    if (app === undefined || this.#stop.signal.aborted) return
    if (this.#faults.isOn('network_off', app.network, channel)) {
      // Held, not tried: the network cannot be reached, and neither can it reach us.
      this.#later(500, () => this.#try(owed, attempt))
      return
    }
    // The bodies are pure ASCII on the wire.
    const bytes = Buffer.from(owed.body, 'latin1')
    await this.#turn()
    const started = Date.now()
    try {
      const unverified = this.#verified.has(app.app_id) ? undefined : await this.verify(app)
      const { status, error } =
        unverified?.verified === false
          ? { status: 0, error: `not verified: ${unverified.detail}` }
          : await this.#deliver(app, bytes)
      const isTaken = status >= 200 && status < 300
      const wait = this.retryMs[attempt - 1]
      this.attempts.push({
        webhook,
        app_id: app.app_id,
        at: new Date(started).toISOString(),
        attempt,
        status,
        error,
        ms: Date.now() - started,
        bytes: bytes.length,
        given_up: !isTaken && wait === undefined,
      })
      if (this.attempts.length > keptAttempts) this.attempts.splice(0, keptAttempts / 4)
      if (isTaken || wait === undefined) {
        this.#world.settle(webhook)
        if (!isTaken) this.#logger.warn({ webhook, attempt, status }, 'a webhook was given up')
      } else {
        this.#later(wait, () => this.#try(owed, attempt + 1))
      }
    } finally {
      this.#busy -= 1
      this.#waiting.shift()?.()
    }
  }

  async #deliver(
    app: SandboxApp,
    bytes: Buffer,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; error: string | undefined }> {
    const url = new URL(app.webhook_url)
    const secret = app.secrets[0] ?? ''
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

  #later(ms: number, act: () => Promise<void>): void {
    if (this.#stop.signal.aborted) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void act()
    }, ms)
    this.#timers.add(timer)
  }

  /** Waits for one of the few places. */
  async #turn(): Promise<void> {
    if (this.#busy >= concurrency) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#busy += 1
  }
}

const hostOf = (url: URL): string =>
  `${url.hostname}:${url.port !== '' ? url.port : url.protocol === 'http:' ? '80' : '443'}`
