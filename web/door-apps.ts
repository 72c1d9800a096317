/** The apps that the webhook door has seen, with their secrets opened; what is kept may be used while the database is away. */
import { messageOf } from '../infra/errors.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type { AppSecrets } from '../messaging/connectors/connector.ts'
import type { Storage } from '../storage/index.ts'
import type { NetworkName } from '../storage/model/words.ts'

/** All that the door needs of an app. */
export interface DoorApp extends AppSecrets {
  readonly id: string
  readonly accountId: string
  readonly network: NetworkName
  /** What travels beside the body in the broker. */
  readonly properties: Readonly<Record<string, string>>
}

export interface DoorApps extends Running {
  /** What is in memory; looks again in the background once it has become old. */
  peek(key: string): DoorApp | undefined
  /** Asks the primary; `undefined`: there is no such key. @throws when the database is away and nothing is known */
  find(key: string): Promise<DoorApp | undefined>
  /** Asks the primary again, at most once a second for each app; else what is known. */
  renew(key: string): Promise<DoorApp | undefined>
  forget(appId: string): void
}

interface Entry {
  app: DoorApp
  readAt: number
  isStale: boolean
}

const freshMs = 30_000
const renewPauseMs = 1_000
/** Unknown keys cost one look each; remembered for a moment, in bounded number. */
const missMs = 2_000
const mostMisses = 10_000

export function openDoorApps(storage: Storage, logger: Logger): DoorApps {
  const entries = new Map<string, Entry>()
  const misses = new Map<string, number>()
  const running = new Map<string, Promise<DoorApp | undefined>>()

  const look = (key: string): Promise<DoorApp | undefined> => {
    const known = running.get(key)
    if (known !== undefined) return known
    const reading = read(key).finally(() => running.delete(key))
    running.set(key, reading)
    return reading
  }

  const read = async (key: string): Promise<DoorApp | undefined> => {
    const readAt = Date.now()
    const app = await storage.apps.byWebhookKey(storage.primary, key)
    if (app === undefined) {
      entries.delete(key)
      if (misses.size >= mostMisses) misses.clear()
      misses.set(key, readAt + missMs)
      return undefined
    }
    const opened = storage.apps.openSecrets(storage, app)
    const entry: DoorApp = {
      id: app.id,
      accountId: app.accountId,
      network: app.network,
      secrets: opened.secrets,
      verifyToken: opened.verifyToken ?? undefined,
      properties: { app: app.id, account: app.accountId },
    }
    entries.set(key, { app: entry, readAt, isStale: false })
    return entry
  }

  return {
    peek(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      if (entry.isStale || Date.now() - entry.readAt > freshMs) {
        entry.isStale = false
        entry.readAt = Date.now()
        look(key).catch((error: unknown) => {
          logger.warn(
            { reason: messageOf(error), app: entry.app.id },
            'an app could not be read again; the known secrets go on',
          )
        })
      }
      return entry.app
    },
    async find(key) {
      if (!/^[A-Za-z0-9_-]{8,64}$/.test(key)) return undefined
      if ((misses.get(key) ?? 0) > Date.now()) return undefined
      return look(key)
    },
    async renew(key) {
      const entry = entries.get(key)
      if (entry !== undefined && Date.now() - entry.readAt < renewPauseMs) return running.get(key) ?? entry.app
      if (entry !== undefined) entry.readAt = Date.now()
      return look(key).catch(() => entry?.app)
    },
    forget(appId) {
      for (const entry of entries.values()) if (entry.app.id === appId) entry.isStale = true
    },
    async stop() {
      await Promise.allSettled(running.values())
    },
  }
}
