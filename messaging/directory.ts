/** Apps and channels as this process remembers them for a few seconds, and the way to speak for a channel. */
import type { Config } from '../infra/config.ts'
import type { App, Channel, Storage } from '../storage/index.ts'
import type { ChannelType } from '../storage/model/words.ts'
import type { AppAccess, ChannelAccess, ParsedItem } from './connectors/connector.ts'

const memoryMs = 5_000
/** An address that is not known is asked for again, but not for each item of a flood. */
const askAgainMs = 500

interface Remembered {
  readonly channels: ReadonlyMap<string, Channel>
  readonly at: number
}

export class Directory {
  readonly #storage: Storage
  readonly #apps = new Map<string, { readonly app: App; readonly at: number }>()
  readonly #channels = new Map<string, Remembered>()

  constructor(storage: Storage) {
    this.#storage = storage
  }

  async app(id: string): Promise<App | undefined> {
    const known = this.#apps.get(id)
    if (known !== undefined && performance.now() - known.at < memoryMs) return known.app
    const app = await this.#storage.apps.byId(this.#storage.primary, id)
    if (app !== undefined) this.#apps.set(id, { app, at: performance.now() })
    return app
  }

  /**
   * Whom an item of this app is for: the channel it names. The end of a replay names none and is for all channels of the app;
   * a WhatsApp notice names the business account and is for the app's numbers in it.
   */
  async addressees(app: App, item: ParsedItem): Promise<readonly Channel[]> {
    const { channelType: type, channelExternalId: externalId, event } = item
    if (type !== undefined && externalId !== undefined) {
      const channel = await this.channel(app.accountId, type, externalId)
      if (channel !== undefined) return [channel]
      return type === 'whatsapp' && event.type === 'notice' ? this.#numbersOf(app, externalId) : []
    }
    if (event.type !== 'replayed') return []
    return (await this.#ofApp(app)).filter((channel) => type === undefined || channel.type === type)
  }

  /** Rare: the account's id lies sealed with the credentials. */
  async #numbersOf(app: App, businessAccountId: string): Promise<Channel[]> {
    return (await this.#ofApp(app)).filter(
      (channel) =>
        channel.type === 'whatsapp' &&
        this.#storage.channels.openCredentials(this.#storage, channel)['business_account_id'] === businessAccountId,
    )
  }

  async #ofApp(app: App): Promise<Channel[]> {
    const list = await this.#storage.channels.listByApp(this.#storage.primary, app.accountId, app.id)
    return list.filter(({ disconnectedAt }) => disconnectedAt === null)
  }

  /** The channel of this account under the network's id. */
  async channel(accountId: string, type: ChannelType, externalId: string): Promise<Channel | undefined> {
    const key = `${type} ${externalId}`
    const known = this.#channels.get(accountId)
    const ageMs = known === undefined ? Infinity : performance.now() - known.at
    const channel = known?.channels.get(key)
    if (ageMs < (channel === undefined ? askAgainMs : memoryMs)) return channel
    const list = await this.#storage.channels.list(this.#storage.primary, accountId)
    const connected = list.filter(({ disconnectedAt }) => disconnectedAt === null)
    const channels = new Map(connected.map((each) => [`${each.type} ${each.externalId}`, each]))
    this.#channels.set(accountId, { channels, at: performance.now() })
    return channels.get(key)
  }
}

/** What a connector needs to speak for the channel; opened just before the call. @throws when the app is gone or the key is missing */
export async function openAccess(
  storage: Storage,
  config: Pick<Config, 'networkHosts'>,
  channel: Channel,
): Promise<ChannelAccess> {
  const app = await storage.apps.get(storage.primary, channel.accountId, channel.appId)
  if (app === undefined) throw new Error(`the app ${channel.appId} of channel ${channel.id} is gone`)
  return {
    ...openApp(storage, config, app),
    externalId: channel.externalId,
    apiBaseUrl: channel.apiBaseUrl ?? app.apiBaseUrl ?? undefined,
    credentials: storage.channels.openCredentials(storage, channel),
  }
}

/** What a connector needs to speak for the app alone. */
export function openApp(storage: Storage, config: Pick<Config, 'networkHosts'>, app: App): AppAccess {
  const sealed = storage.apps.openSecrets(storage, app)
  // Meta knows an app by one id for everything.
  const clientId = app.clientId ?? (app.network === 'meta' ? app.externalId : null)
  return {
    externalId: app.externalId ?? undefined,
    apiBaseUrl: app.apiBaseUrl ?? undefined,
    allowHosts: config.networkHosts,
    app: {
      secret: sealed.secrets[0],
      consumerKey: app.consumerKey ?? undefined,
      clientId: clientId ?? undefined,
      clientSecret: sealed.clientSecret ?? undefined,
    },
  }
}
