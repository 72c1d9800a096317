/** Looks after all channels: one node at a time, each channel every ten minutes or so, and at once after trouble. */
import { setTimeout as sleep } from 'node:timers/promises'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import { Gauge, metrics } from '../infra/metrics.ts'
import { catchUp } from './catch-up.ts'
import type { CatchUpContext } from './catch-up.ts'
import { checkChannel, mergeQuotas } from './check.ts'
import { DoorWatch } from './door-watch.ts'
import { requestCatchUp } from './gaps.ts'
import { connectorFor } from './health.ts'
import { holdLease } from './lease-holder.ts'

export interface KeeperContext extends CatchUpContext {
  /** Unique to this process. */
  readonly holder: string
}

const pauseMs = 1_000
const checksAtOnce = 6
const catchUpsAtOnce = 3
const countEveryMs = 15_000
const flushEveryMs = 60_000

const states = new Gauge({
  name: 'parley_channels',
  help: 'Channels by how they stand, as the node that looks after them counts them.',
  labelNames: ['state'] as const,
  registers: [metrics],
})

/** Looks after channels whenever this process holds the lease; and tells what it knows of their quotas in any case. */
export function startCare(context: KeeperContext): Running {
  const { logger } = context
  const keeping = holdLease(context, { name: 'care', ttlMs: 15_000 }, (_lease, signal) => keep(context, signal))
  const telling = every(
    () => flushEveryMs * (0.8 + Math.random() * 0.4),
    () => tellQuotas(context),
    (error) => {
      logger.debug({ err: error }, 'quotas could not be noted')
    },
  )
  return {
    async stop() {
      await Promise.all([keeping.stop(), telling.stop()])
    },
  }
}

async function keep(context: KeeperContext, signal: AbortSignal): Promise<void> {
  const { storage, logger } = context
  const checks = new Crew(checksAtOnce)
  const readings = new Crew(catchUpsAtOnce)
  const door = new DoorWatch()
  let countedAt = -Infinity
  const failed = (channel: string) => (error: unknown) => {
    if (!signal.aborted) logger.warn({ channel, err: error }, 'a channel could not be looked after')
  }
  while (!signal.aborted) {
    try {
      for (const channel of await storage.health.findDue(storage.primary, checksAtOnce * 2))
        checks.add(channel.id, () => checkChannel(context, channel, signal).catch(failed(channel.id)))
      for (const run of await storage.catchUps.findDue(storage.primary, catchUpsAtOnce * 2))
        readings.add(run.channelId, () => catchUp(context, run, signal).catch(failed(run.channelId)))
      if (performance.now() - countedAt > countEveryMs) {
        countedAt = performance.now()
        for (const [state, n] of await storage.health.countByState(storage.primary)) states.set({ state }, n)
        await storage.write((tx) => storage.connectAttempts.removeExpired(tx, 1_000))
        if (await door.cameBack(storage)) await readAllBack(context)
      }
    } catch (error) {
      logger.warn({ err: error }, 'looking after the channels failed; it is tried again')
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
  }
  states.reset()
  await Promise.all([checks.done(), readings.done()])
}

/** A few at a time, each name once. */
class Crew {
  readonly #most: number
  readonly #inHand = new Map<string, Promise<void>>()

  constructor(most: number) {
    this.#most = most
  }

  add(name: string, work: () => Promise<void>): void {
    if (this.#inHand.has(name) || this.#inHand.size >= this.#most) return
    this.#inHand.set(
      name,
      work().finally(() => this.#inHand.delete(name)),
    )
  }

  async done(): Promise<void> {
    await Promise.all(this.#inHand.values())
  }
}

/** For every channel, as when nobody could have told us anything. */
export async function readAllBack({ storage, logger }: Pick<KeeperContext, 'storage' | 'logger'>): Promise<void> {
  const channels = await storage.health.listConnected(storage.primary, 100_000)
  logger.warn({ channels: channels.length }, 'no web node could be called for a while: all channels are read back')
  for (const channel of channels) await storage.write((tx) => requestCatchUp(storage, tx, channel, 'door_away'))
}

const told = new Map<string, string>()

/** What answers of the networks said to this process, where it is news. */
async function tellQuotas(context: KeeperContext): Promise<void> {
  const { storage } = context
  for (const channel of await storage.health.listConnected(storage.primary, 10_000)) {
    const own = connectorFor(context, channel.type)?.quota?.(channel.externalId) ?? []
    if (own.length === 0) continue
    const quotas = own.map(({ name, used, resetsAt }) => ({
      name,
      used: Math.round(used * 1_000) / 1_000,
      resets_at: resetsAt?.toISOString() ?? null,
    }))
    const said = JSON.stringify(quotas)
    if (told.get(channel.id) === said) continue
    if (told.size > 10_000) told.clear()
    told.set(channel.id, said)
    const merged = mergeQuotas(channel.quotas, quotas)
    await storage.write((tx) => storage.health.noteQuotas(tx, channel.accountId, channel.id, merged))
  }
}
