/** One test's own site: its database, web nodes in this process, two accounts with people, and ways to ask as one of them. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'
import { createApp, createChannel } from '../backend/networks.ts'
import { readConfig } from '../infra/config.ts'
import type { Config } from '../infra/config.ts'
import { silentLogger } from '../infra/logger.ts'
import { openBroker } from '../messaging/broker/broker.ts'
import type { Broker } from '../messaging/broker/contract.ts'
import { migrate, openStorage } from '../storage/index.ts'
import type { Storage } from '../storage/index.ts'
import { hashPassword } from '../web/passwords.ts'
import { startWeb } from '../web/server.ts'
import type { Web } from '../web/server.ts'

export interface Person {
  readonly accountId: string
  readonly userId: string
  readonly email: string
  readonly token: string
}

export interface Site {
  readonly config: Config
  readonly storage: Storage
  readonly broker: Broker
  /** Ana and Ben work at Harbour Lights, Zoe at another account. Ana and Zoe are administrators. */
  readonly ana: Person
  readonly ben: Person
  readonly zoe: Person
  /** One more web node; stopped with the site. */
  addNode(change?: Partial<Config>): Promise<Node>
  close(): Promise<void>
}

export interface Node extends Web {
  readonly url: string
  /** Asks the API. */
  ask(
    person: Person | undefined,
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are looked into at will; what is wrong fails the expectation
  readonly json: any
}

/** Password of everybody. */
export const password = 'a lantern in the fog'

/** Opens a site on the servers of the environment. */
export async function openSite(change: Readonly<Record<string, string>> = {}): Promise<Site> {
  const database = `t_web_${randomBytes(5).toString('hex')}`
  const home = await mkdtemp(join(tmpdir(), 'parley-web-'))
  const given = readConfig()
  const primary = new URL(given.primaryUrl?.reveal() ?? '')
  const root = await createConnection({
    host: primary.hostname,
    port: Number(primary.port),
    user: primary.username,
    password: primary.password,
  })
  await root.query(`create database ${database} character set utf8mb4`)
  const inDatabase = (url: string): string => Object.assign(new URL(url), { pathname: `/${database}` }).href
  const config = readConfig({
    ...process.env,
    PARLEY_HOME: home,
    PARLEY_PRIMARY_URL: inDatabase(primary.href),
    PARLEY_REPLICA_URLS: given.replicaUrls.map((url) => inDatabase(url.reveal())).join(','),
    PARLEY_PREFIX: `${database}_`.slice(0, 24),
    PARLEY_DRAIN_MS: '0',
    PARLEY_NETWORK_HOSTS: '127.0.0.1:9',
    PARLEY_LISTEN_PORT: '0',
    ...change,
  })
  await migrate(config, silentLogger)
  const storage = await openStorage(config, silentLogger)
  const broker = openBroker(config, silentLogger)
  const hash = await hashPassword(password)
  const person = async (accountId: string, name: string, role: 'administrator' | 'agent'): Promise<Person> => {
    const email = `${name.toLowerCase()}@${accountId.slice(-4)}.example`
    return storage.write(async (tx) => {
      const userId = await storage.users.create(tx, { accountId, email, name, role, passwordHash: hash })
      const { text } = await storage.tokens.create(tx, { accountId, userId, name: 'test' })
      return { accountId, userId, email, token: text }
    })
  }
  const [harbour, other] = await storage.write(
    async (tx) =>
      [await storage.accounts.create(tx, 'Harbour Lights'), await storage.accounts.create(tx, 'Elsewhere')] as const,
  )
  const nodes: Web[] = []
  return {
    config,
    storage,
    broker,
    ana: await person(harbour.id, 'Ana', 'administrator'),
    ben: await person(harbour.id, 'Ben', 'agent'),
    zoe: await person(other.id, 'Zoe', 'administrator'),
    async addNode(own = {}) {
      const web = await startWeb({ config: { ...config, ...own }, logger: silentLogger, storage, broker })
      nodes.push(web)
      return nodeOf(web)
    },
    async close() {
      await Promise.all(nodes.map((node) => node.stop()))
      await broker.close()
      await storage.close()
      await root.query(`drop database ${database}`)
      await root.end()
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** A Meta app with one Page and one X app with one account, of this person's account. */
export async function connectChannels({ storage, config }: Pick<Site, 'storage' | 'config'>, accountId: string) {
  const metaId = await createApp(storage, config, accountId, {
    network: 'meta',
    name: 'Meta',
    secrets: ['meta-secret'],
    verifyToken: 'let me in',
  })
  const xId = await createApp(storage, config, accountId, {
    network: 'x',
    name: 'X',
    secrets: ['x-secret'],
    consumerKey: 'x-key',
  })
  const pageId = await createChannel(storage, config, accountId, {
    appId: metaId,
    type: 'facebook',
    name: 'Harbour',
    externalId: '100001',
    credentials: { access_token: 'page' },
  })
  const key = async (id: string): Promise<string> =>
    (await storage.apps.get(storage.primary, accountId, id))?.webhookKey ?? ''
  return { metaId, xId, pageId, metaKey: await key(metaId), xKey: await key(xId) }
}

/** One conversation with a message by a contact, as receiving would leave it. */
export async function beginConversation(
  { storage }: Pick<Site, 'storage'>,
  accountId: string,
  channelId: string,
  name = 'Chloé Marchand',
) {
  const externalId = randomBytes(6).toString('hex')
  const made = await storage.write(async (tx) => {
    const people = await storage.contacts.resolve(tx, [
      {
        accountId,
        channelType: 'facebook',
        scope: channelId,
        externalId,
        name,
        handle: undefined,
        pictureUrl: undefined,
      },
    ])
    const [address] = people.values()
    if (address === undefined) throw new Error('no contact was made')
    const now = new Date()
    const begun = await storage.conversations.begin(tx, [
      {
        accountId,
        channelId,
        contactId: address.contactId,
        contactAddressId: address.id,
        visibility: 'direct',
        threadKey: externalId,
        postId: null,
        lastActivityAt: now,
      },
    ])
    const [conversation] = begun.all.values()
    if (conversation === undefined) throw new Error('no conversation was begun')
    const { newId } = await import('../infra/ids.ts')
    const messageId = newId()
    await storage.messages.insert(tx, [
      {
        id: messageId, accountId, channelId, conversationId: conversation.id, contactId: address.contactId, direction: 'inbound', kind: 'message',
        visibility: 'direct', externalId: `m_${externalId}`, authorId: null, text: 'Is the 9:40 still running?', inReplyTo: null, extra: null, reactions: null,
        isHidden: false, occurredAt: now, receivedAt: now, editedAt: null, deletedAt: null,
      },
    ]) // prettier-ignore
    await storage.conversations.summarise(tx, [
      { ...conversation, preview: 'Is the 9:40 still running?', lastInboundAt: now, waitingSince: now },
    ])
    return { id: conversation.id, contactId: address.contactId, messageId }
  })
  // Somebody else has written this: it is there for everybody once the replica has it.
  while ((await storage.messages.get(storage.bulk, accountId, made.messageId)) === undefined) await sleep(2)
  return made
}

/** Puts facts into the events table as the relay does: numbered in the order of their commits. */
export async function announce(
  storage: Storage,
  accountId: string,
  count: number,
  type = 'message.received',
): Promise<void> {
  await storage.write(async (tx) => {
    const [row] = await tx.query<{ last_number: number }>('select last_number from relay where id = 1 for update')
    const last = row?.last_number ?? 0
    await tx.insertMany(
      'events',
      ['number', 'account_id', 'type', 'data', 'at'],
      Array.from({ length: count }, (_, index) => [
        last + 1 + index,
        accountId,
        type,
        JSON.stringify({ index: last + 1 + index }),
        new Date(),
      ]),
    )
    await tx.run('update relay set last_number = ? where id = 1', [last + count])
  })
}

function nodeOf(web: Web): Node {
  const url = `http://127.0.0.1:${String(web.port)}`
  return {
    port: web.port,
    stop: () => web.stop(),
    url,
    async ask(person, method, path, body, headers = {}) {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: {
          ...(person !== undefined && { authorization: `Bearer ${person.token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) }
    },
  }
}
