/** Connecting with networks: apps and channels are registered, their secrets changed. */
import { randomBytes } from 'node:crypto'
import type { Config } from '../infra/config.ts'
import { codeOf, conflict, invalid, notFound } from '../infra/errors.ts'
import { isAllowedHost } from '../infra/outside.ts'
import { networkHosts } from '../messaging/connectors/registry.ts'
import { platformActor } from '../storage/index.ts'
import type { Actor, App, Storage } from '../storage/index.ts'
import { networkOf } from '../storage/model/words.ts'
import type { ChannelType, NetworkName } from '../storage/model/words.ts'

export interface AppWish {
  /** Its id, where the caller may ask twice for the same: the second time finds what is there. */
  readonly id?: string | undefined
  readonly network: NetworkName
  readonly name: string
  readonly externalId?: string | undefined
  /** Newest first. */
  readonly secrets: readonly string[]
  readonly consumerKey?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  /** Meta; made when absent. */
  readonly verifyToken?: string | undefined
  readonly apiBaseUrl?: string | undefined
}

/** Registers an app and makes its unguessable webhook address. Returns its id. */
export async function createApp(
  storage: Storage,
  config: Config,
  accountId: string,
  wish: AppWish,
  by: Actor = platformActor,
): Promise<string> {
  const apiBaseUrl = admitBaseUrl(config, wish.apiBaseUrl)
  const verifyToken = wish.verifyToken ?? (wish.network === 'meta' ? randomBytes(18).toString('base64url') : undefined)
  return storage.write(async (tx) => {
    if (wish.id !== undefined && (await storage.apps.get(tx, accountId, wish.id)) !== undefined) return wish.id
    const id = await storage.apps.create(tx, storage, {
      id: wish.id,
      accountId,
      network: wish.network,
      name: wish.name,
      externalId: wish.externalId ?? null,
      webhookKey: randomBytes(24).toString('base64url'),
      secrets: { secrets: wish.secrets, clientSecret: wish.clientSecret ?? null, verifyToken: verifyToken ?? null },
      consumerKey: wish.consumerKey ?? null,
      clientId: wish.clientId ?? null,
      apiBaseUrl,
    })
    await storage.outbox.append(tx, { type: 'app.changed', accountId, data: { app_id: id } })
    await storage.audit.append(tx, {
      ...{ accountId, by, action: 'app.created', subject: { type: 'app', id, name: wish.name } },
      after: { network: wish.network, name: wish.name, external_id: wish.externalId, api_base_url: apiBaseUrl },
    })
    return id
  })
}

/** What is to be another way; `null` takes away what may be absent. */
export interface AppChange {
  readonly name?: string | undefined
  readonly externalId?: string | null | undefined
  readonly consumerKey?: string | null | undefined
  readonly clientId?: string | null | undefined
  readonly clientSecret?: string | null | undefined
  readonly verifyToken?: string | undefined
  /** All of them, newest first. */
  readonly secrets?: readonly string[] | undefined
  /** Becomes the newest; those before it stay good. */
  readonly newSecret?: string | undefined
  /** Only so many of the newest stay good. */
  readonly keepSecrets?: number | undefined
}

/** Signatures are tried under each of them. */
export const mostSecrets = 10

/**
 * Changes what is given of an app; every webhook door hears of it, and its channels are looked at anew.
 * @throws Problem 404, 422 for too many secrets
 */
export async function changeApp(
  storage: Storage,
  accountId: string,
  id: string,
  change: AppChange,
  by: Actor = platformActor,
): Promise<void> {
  await storage.write(async (tx) => {
    const app = await storage.apps.lock(tx, accountId, id)
    if (app === undefined) throw notFound('app')
    const known = storage.apps.openSecrets(storage, app)
    const { name, externalId, consumerKey, clientId, clientSecret, verifyToken } = change
    const secrets = rotate(known.secrets, change)
    const next = {
      name: name ?? app.name,
      externalId: externalId === undefined ? app.externalId : externalId,
      consumerKey: consumerKey === undefined ? app.consumerKey : consumerKey,
      clientId: clientId === undefined ? app.clientId : clientId,
    }
    await storage.apps.change(tx, storage, accountId, id, {
      ...next,
      secrets: {
        secrets,
        clientSecret: clientSecret === undefined ? known.clientSecret : clientSecret,
        verifyToken: verifyToken ?? known.verifyToken,
      },
    })
    await storage.outbox.append(tx, { type: 'app.changed', accountId, data: { app_id: id } })
    for (const channel of await storage.channels.listByApp(tx, accountId, id))
      if (channel.disconnectedAt === null) await storage.health.hurry(tx, accountId, channel.id)
    await storage.audit.append(tx, {
      ...{ accountId, by, action: 'app.changed', subject: { type: 'app', id, name: next.name } },
      before: fieldsOf(app, known.secrets.length),
      after: {
        ...fieldsOf(next, secrets.length),
        // That they are others now, never what they are.
        ...((change.secrets ?? change.newSecret) !== undefined && { secrets_replaced: true }),
        ...(clientSecret !== undefined && { client_secret_replaced: true }),
        ...(verifyToken !== undefined && { verify_token_replaced: true }),
      },
    })
  })
}

const fieldsOf = (app: Pick<App, 'name' | 'externalId' | 'consumerKey' | 'clientId'>, secretCount: number) => ({
  name: app.name,
  external_id: app.externalId,
  consumer_key: app.consumerKey,
  client_id: app.clientId,
  secret_count: secretCount,
})

function rotate(known: readonly string[], { secrets, newSecret, keepSecrets }: AppChange): readonly string[] {
  const older = secrets ?? known
  const all = newSecret === undefined ? older : [newSecret, ...older.filter((one) => one !== newSecret)]
  const kept = keepSecrets === undefined ? all : all.slice(0, keepSecrets)
  if (kept.length > mostSecrets)
    throw invalid([
      { field: 'new_secret', message: `An app has ${String(mostSecrets)} secrets at most: remove older ones.` },
    ])
  return kept
}

export interface ChannelWish {
  /** Its id, where the caller may ask twice for the same: the second time finds what is there. */
  readonly id?: string | undefined
  readonly appId: string
  readonly type: ChannelType
  readonly name: string
  readonly externalId: string
  readonly credentials: Readonly<Record<string, string>>
  readonly apiBaseUrl?: string | undefined
  readonly tokenExpiresAt?: Date | undefined
}

/** Connects a channel through an app of the same account. Returns its id. */
export async function createChannel(
  storage: Storage,
  config: Config,
  accountId: string,
  wish: ChannelWish,
  by: Actor = platformActor,
): Promise<string> {
  const apiBaseUrl = admitBaseUrl(config, wish.apiBaseUrl)
  try {
    return await storage.write(async (tx) => {
      if (wish.id !== undefined && (await storage.channels.get(tx, accountId, wish.id)) !== undefined) return wish.id
      const app = await storage.apps.get(tx, accountId, wish.appId)
      if (app === undefined) throw invalid([{ field: 'app_id', message: 'There is no such app.' }])
      if (app.network !== networkOf[wish.type]) {
        throw invalid([
          {
            field: 'type',
            message: `A channel of type ${wish.type} needs an app of the network ${networkOf[wish.type]}.`,
          },
        ])
      }
      const id = await storage.channels.create(tx, storage, {
        id: wish.id,
        accountId,
        appId: wish.appId,
        type: wish.type,
        name: wish.name,
        externalId: wish.externalId,
        credentials: { ...wish.credentials },
        apiBaseUrl,
        tokenExpiresAt: wish.tokenExpiresAt ?? null,
      })
      await storage.outbox.append(tx, { type: 'channel.created', accountId, data: { channel_id: id } })
      await storage.audit.append(tx, {
        ...{ accountId, by, action: 'channel.connected', subject: { type: 'channel', id, name: wish.name } },
        after: { type: wish.type, name: wish.name, external_id: wish.externalId, app_id: wish.appId },
      })
      return id
    })
  } catch (error) {
    if (codeOf(error) === 'ER_DUP_ENTRY') throw conflict('channel_exists', 'This channel is already connected.')
    throw error
  }
}

/** Gives a channel another name. @throws Problem 404 */
export async function renameChannel(
  storage: Storage,
  accountId: string,
  id: string,
  name: string,
  by: Actor = platformActor,
): Promise<void> {
  await storage.write(async (tx) => {
    const channel = await storage.channels.lock(tx, accountId, id)
    if (channel === undefined) throw notFound('channel')
    if (channel.name === name) return
    const { appId, apiBaseUrl, state, stateCode, stateReason, stateCure } = channel
    await storage.channels.move(tx, accountId, id, { appId, name, apiBaseUrl })
    const data = { channel_id: id, state, code: stateCode, reason: stateReason, cure: stateCure }
    await storage.outbox.append(tx, { type: 'channel.changed', accountId, data })
    await storage.audit.append(tx, {
      ...{ accountId, by, action: 'channel.changed', subject: { type: 'channel', id, name } },
      ...{ before: { name: channel.name }, after: { name } },
    })
  })
}

/** Only the networks' own hosts by https, or what the configuration names. */
function admitBaseUrl(config: Config, text: string | undefined): string | null {
  if (text === undefined) return null
  const refuse = (message: string): never => {
    throw invalid([{ field: 'api_base_url', message }])
  }
  const url = URL.parse(text)
  if (url === null) return refuse('This is not a URL.')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return refuse('It may carry no credentials, query or fragment.')
  const isNetwork = url.protocol === 'https:' && url.port === '' && networkHosts.includes(url.hostname)
  const isNamed = (url.protocol === 'https:' || url.protocol === 'http:') && isAllowedHost(url, config.networkHosts)
  if (!isNetwork && !isNamed)
    return refuse(
      `The host ${url.host} is not allowed; hosts besides the networks' own are named in PARLEY_NETWORK_HOSTS.`,
    )
  return text.replace(/\/+$/, '')
}
