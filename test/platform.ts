/**
 * One test's own Parley on the shared servers: a database, a prefix for queues and cache keys, an account with its
 * administrator, an app and a channel. Servers come from the environment (`services.ts`), else from the development machine.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../infra/config.ts'
import type { Config } from '../infra/config.ts'
import { newId } from '../infra/ids.ts'
import { openLogger, silentLogger } from '../infra/logger.ts'
import { openBroker } from '../messaging/broker/broker.ts'
import type { Broker } from '../messaging/broker/contract.ts'
import { queues } from '../messaging/broker/queues.ts'
import { migrate, openStorage } from '../storage/index.ts'
import type { Message, Storage } from '../storage/index.ts'
import type { ChannelType, NetworkName } from '../storage/model/words.ts'
import { ada, bakery } from './people.ts'

const development = {
  PARLEY_PRIMARY_URL: 'mysql://parley:parley@127.0.0.1:23306/parley',
  PARLEY_REPLICA_URLS: 'mysql://parley:parley@127.0.0.1:23307/parley',
  PARLEY_MEMCACHED: '127.0.0.1:21211,127.0.0.1:21212',
  PARLEY_REDIS_URL: 'redis://127.0.0.1:26379',
  PARLEY_BROKER_URL: 'amqp://parley:parley@127.0.0.1:25672',
}

/** Set PARLEY_TEST_LOG=1 to see what the parts say. */
export const logger =
  process.env['PARLEY_TEST_LOG'] === undefined ? silentLogger : openLogger({ node: 'test', logLevel: 'debug' })

/** One process of the cluster: its own pools and its own connection to the broker. */
export interface Node {
  readonly config: Config
  readonly storage: Storage
  readonly broker: Broker
}

export interface Platform extends Node {
  readonly accountId: string
  readonly adminId: string
  /** The app at Meta, and the Page of the bakery under it. */
  readonly appId: string
  readonly channelId: string
  /** Another node on the same servers, closed with the platform. */
  openNode(name: string): Promise<Node>
  createApp(network: NetworkName, secret?: string): Promise<string>
  createChannel(appId: string, type: ChannelType, externalId: string): Promise<string>
  /** Puts a body into the queue as the webhook door does; the id of its received row. */
  arrive(body: Buffer, id?: string): Promise<string>
  /** All messages of the account, oldest first. */
  messages(): Promise<Message[]>
  close(): Promise<void>
}

/** @param options.apiBaseUrl where the channel's network is played; its host may be called */
export async function openPlatform(options: { readonly apiBaseUrl?: string } = {}): Promise<Platform> {
  const name = `t_${randomBytes(6).toString('hex')}`
  const home = await mkdtemp(join(tmpdir(), 'parley-'))
  const given = {
    ...development,
    ...(process.env['PARLEY_PRIMARY_URL'] === undefined ? {} : pick(process.env, Object.keys(development))),
  }
  const inDatabase = (urls: string, database: string): string =>
    urls
      .split(',')
      .filter((url) => url !== '')
      .map((url) => Object.assign(new URL(url), { pathname: `/${database}` }).href)
      .join(',')
  const configOf = (node: string, database: string): Config =>
    readConfig({
      ...given,
      PARLEY_HOME: home,
      PARLEY_NODE: node,
      PARLEY_PREFIX: name,

      PARLEY_PRIMARY_URL: inDatabase(given.PARLEY_PRIMARY_URL, database),
      PARLEY_REPLICA_URLS: inDatabase(given.PARLEY_REPLICA_URLS, database),
      PARLEY_NETWORK_HOSTS: options.apiBaseUrl === undefined ? '' : new URL(options.apiBaseUrl).host,
      PARLEY_ADMIN_EMAIL: ada.email,
    })
  const command = async (sql: string): Promise<void> => {
    const outside = await openStorage({ ...configOf('maker', 'information_schema'), replicaUrls: [] }, logger)
    await outside.write((tx) => tx.run(sql))
    await outside.close()
  }

  const nodes: Node[] = []
  const openNode = async (node: string): Promise<Node> => {
    const config = configOf(node, name)
    const opened = { config, storage: await openStorage(config, logger), broker: openBroker(config, logger) }
    nodes.push(opened)
    return opened
  }
  await command(`create database ${name} character set utf8mb4 collate utf8mb4_unicode_ci`)
  await migrate(configOf('maker', name), logger)
  const first = await openNode('node-1')
  const { storage, broker } = first
  const { accountId, adminId } = await storage.write(async (tx) => {
    const account = await storage.accounts.create(tx, bakery.name)
    return {
      accountId: account.id,
      adminId: await storage.users.create(tx, {
        accountId: account.id,
        email: ada.email,
        name: ada.name,
        role: 'administrator',
        passwordHash: null,
      }),
    }
  })
  const createApp: Platform['createApp'] = (network, secret = 'meta-secret') =>
    storage.write(
      (tx) =>
      storage.apps.create(tx, storage, {
        accountId, network, name: `${network} app`, externalId: '1', webhookKey: newId(), consumerKey: network === 'x' ? 'consumer-key' : null, clientId: null,
        secrets: { secrets: [secret], clientSecret: null, verifyToken: 'verify' }, apiBaseUrl: null,
      }), // prettier-ignore
    )
  const createChannel: Platform['createChannel'] = (appId, type, externalId) =>
    storage.write(
      (tx) =>
      storage.channels.create(tx, storage, {
        accountId, appId, type, name: bakery.name, externalId, credentials: { access_token: `token-${externalId}`, access_token_secret: 'token-secret' },
        apiBaseUrl: options.apiBaseUrl ?? null, tokenExpiresAt: null,
      }), // prettier-ignore
    )
  const appId = await createApp('meta')
  const channelId = await createChannel(appId, 'facebook', bakery.externalId)
  return {
    ...first,
    accountId,
    adminId,
    appId,
    channelId,
    openNode,
    createApp,
    createChannel,
    async arrive(body, id = newId()) {
      await broker.publish(queues.inbound, { id, body, properties: { app: appId, account: accountId } })
      return id
    },
    async messages() {
      return (await storage.messages.list(storage.primary, accountId, { limit: 10_000 })).reverse()
    },
    async close() {
      for (const node of nodes.reverse()) {
        await node.broker.close()
        await node.storage.close()
      }
      await command(`drop database ${name}`)
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** Asks again until the answer is not `undefined` or `false`. */
export async function until<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = 10_000,
): Promise<T> {
  const end = Date.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > end) throw new Error(`it did not become true within ${String(limitMs)} ms`)
    await sleep(15)
  }
}

const pick = <K extends string>(
  from: Readonly<Record<string, string | undefined>>,
  names: readonly K[],
): Record<K, string> => Object.fromEntries(names.map((each) => [each, from[each] ?? ''])) as Record<K, string>
