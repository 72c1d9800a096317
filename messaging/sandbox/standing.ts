/** How an app's address stands with its network: proven, wrong or away; and which channels were switched off for its silence. */
import type { SandboxClock } from './clock.ts'
import { crcEveryMs, crcPatienceMs, switchOffAfterMs, warnAfterMs } from './courses.ts'
import type { Faults } from './faults.ts'
import { register, registrationOf, shakeHands } from './handshake.ts'
import type { Handshake } from './handshake.ts'
import { isSubscribed, setSubscribed } from './subscriptions.ts'
import type { PendingWebhook, SandboxApp, World } from './world.ts'

/** What a network did to those who did not answer. */
export interface Consequence {
  readonly at: string
  readonly app_id: string
  readonly channel: string | undefined
  readonly what: 'warned' | 'switched_off' | 'invalid'
  readonly reason: string
}

export class Standing {
  readonly consequences: Consequence[] = []
  readonly #world: World
  readonly #faults: Faults
  readonly #clock: SandboxClock
  readonly #signal: AbortSignal
  readonly #good = new Set<string>()
  /** Since when nobody answered: channels for deliveries, apps for the CRC. */
  readonly #failingSince = new Map<string, number>()
  readonly #warned = new Set<string>()

  constructor(world: World, faults: Faults, clock: SandboxClock, signal: AbortSignal) {
    this.#world = world
    this.#faults = faults
    this.#clock = clock
    this.#signal = signal
    this.#checkHourly()
  }

  isGood(appId: string): boolean {
    return this.#good.has(appId)
  }

  /** Shakes hands now. X: what comes of it is what `GET /2/webhooks` shows. */
  async check(app: SandboxApp): Promise<Handshake> {
    const real = await shakeHands(app, this.#signal)
    const isSpoilt = this.#faults.take('crc_fails', app.network) !== undefined
    const made: Handshake = isSpoilt ? { verdict: 'wrong', detail: 'a fault of the sandbox' } : real
    if (made.verdict === 'good') {
      this.#good.add(app.app_id)
      this.#failingSince.delete(app.app_id)
    } else {
      this.#good.delete(app.app_id)
    }
    if (app.network === 'x') this.#settleX(app, made)
    return made
  }

  /** X: a wrong answer makes the address invalid at once, none does after 28 hours. */
  #settleX(app: SandboxApp, { verdict, detail }: Handshake): void {
    const since = this.#failingSince.get(app.app_id) ?? this.#clock.now()
    if (verdict === 'away') this.#failingSince.set(app.app_id, since)
    const isInvalid = verdict === 'wrong' || (verdict === 'away' && this.#clock.now() - since > crcPatienceMs)
    const known = registrationOf(this.#world, app.app_id)
    const wasValid = known?.url === app.webhook_url ? known.valid : true
    if (isInvalid && wasValid) this.#say(app.app_id, undefined, 'invalid', detail)
    register(this.#world, app.app_id, { url: app.webhook_url, valid: verdict === 'good' || (wasValid && !isInvalid) })
  }

  /** Under the real rules: why this webhook will not be sent any more. */
  whyLost(app: SandboxApp, owed: PendingWebhook): string | undefined {
    if (app.network === 'x' && registrationOf(this.#world, app.app_id)?.valid !== true) return 'the webhook is invalid'
    const entries = owed.entries ?? []
    return owed.course === 'messenger' && entries.length > 0 && entries.every((id) => !isSubscribed(this.#world, id))
      ? 'the subscription was switched off'
      : undefined
  }

  /** Messenger: fifteen minutes without an answer bring a warning, an hour switches the subscription off. */
  note(app: SandboxApp, channels: readonly string[], isTaken: boolean): void {
    for (const channel of channels) {
      if (isTaken) {
        this.#failingSince.delete(channel)
        this.#warned.delete(channel)
        continue
      }
      const since = this.#failingSince.get(channel) ?? this.#clock.now()
      this.#failingSince.set(channel, since)
      const ms = this.#clock.now() - since
      if (ms >= warnAfterMs && !this.#warned.has(channel)) {
        this.#warned.add(channel)
        this.#say(app.app_id, channel, 'warned', 'Webhooks failed for 15 minutes.')
      }
      if (ms >= switchOffAfterMs && isSubscribed(this.#world, channel)) {
        setSubscribed(this.#world, channel, false, 'Webhooks failed for an hour.')
        this.#failingSince.delete(channel)
        this.#say(app.app_id, channel, 'switched_off', 'Webhooks failed for an hour.')
      }
    }
  }

  #checkHourly(): void {
    this.#clock.later(crcEveryMs, () => {
      for (const app of this.#world.apps.values())
        if (app.network === 'x' && registrationOf(this.#world, app.app_id)?.valid === true) void this.check(app)
      this.#checkHourly()
    })
  }

  #say(app_id: string, channel: string | undefined, what: Consequence['what'], reason: string): void {
    this.consequences.push({ at: new Date(this.#clock.now()).toISOString(), app_id, channel, what, reason })
  }
}
