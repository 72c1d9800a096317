/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return -- answers are looked into at will */
/** The stage of the tests of answers: an API, one messaging node and all four networks played beside it; webhooks come back by the door. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp, createChannel } from '../backend/networks.ts'
import { silentLogger } from '../infra/logger.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import { startMessaging } from '../messaging/server.ts'
import type { ChannelType } from '../storage/model/words.ts'
import { logger, until } from './platform.ts'
import { openSite } from './web-site.ts'
import type { Answer, Node, Site } from './web-site.ts'

export const externalIds: Readonly<Record<ChannelType, string>> = {
  facebook: '1122334455',
  instagram: '17841400000000001',
  whatsapp: '106540352242922',
  x: '1400000000000000001',
}

/** What a customer saw. */
export interface Shown {
  readonly text: string
  readonly direction: string
  readonly kind: string
  readonly person: string
  readonly external_id: string
  readonly in_reply_to?: string
  readonly files?: readonly { readonly kind: string }[]
  readonly choices?: readonly { readonly title: string }[]
  readonly quote_of?: string
}

export interface Stage {
  readonly site: Site
  readonly web: Node
  readonly channels: Readonly<Record<ChannelType, string>>
  control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
  /** Ana asks the API; the answer must have this status. */
  ask(status: number, method: string, path: string, body?: unknown): Promise<Answer['json']>
  /** Somebody new writes on this network; the conversation it became, and the message. */
  customer(type: ChannelType, more?: object): Promise<{ person: string; conversationId: string; messageId: string }>
  put(bytes: Uint8Array, contentType: string, name?: string): Promise<string>
  /** Ana says something; the message. */
  say(conversationId: string, more: object): Promise<Answer['json']>
  /** The message, once its delivery is in one of these states. */
  becomes(id: string, ...states: string[]): Promise<Answer['json']>
  /** Our words as this customer saw them. */
  seen(type: ChannelType, person: string): Promise<Shown[]>
  /** Waiting deliveries are due at once. */
  hurry(): Promise<void>
  close(): Promise<void>
}

export async function openStage(): Promise<Stage> {
  const home = mkdtempSync(join(tmpdir(), 'answers-'))
  const sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  const base = `http://127.0.0.1:${String(sandbox.port)}`
  const site = await openSite({ PARLEY_NETWORK_HOSTS: new URL(base).host })
  const web = await site.addNode()
  const { storage, ana } = site
  const control: Stage['control'] = async (method, path, body) => {
    const answer = await fetch(`${base}/control/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const json = (await answer.json()) as Record<string, unknown>
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(json)}`)
    return json
  }
  const channels = await connect(site, web.url, base, control)
  const messaging = await startMessaging({
    ...site,
    config: { ...site.config, publicUrl: web.url },
    logger,
  })
  let persons = 0
  const stage: Stage = {
    site,
    web,
    channels,
    control,
    async ask(status, method, path, body) {
      const answer = await web.ask(ana, method, path, body)
      if (answer.status !== status)
        throw new Error(`${method} ${path}: ${String(answer.status)} ${JSON.stringify(answer.json)}`)
      return answer.json
    },
    async customer(type, more = {}) {
      const person = `${prefixes[type]}${String(1_000_000 + ++persons)}`
      const told = await control('POST', 'say', {
        type,
        channel: externalIds[type],
        person: {
          id: person,
          name: 'Mia Sato',
          ...(type === 'facebook' || type === 'whatsapp' ? {} : { handle: `mia${String(persons)}` }),
        },
        text: 'Hello, are you open?',
        ...more,
      })
      const message = await until(async () => {
        const { items } = await stage.ask(
          200,
          'GET',
          `/messages?external_id=${encodeURIComponent(String(told['external_id']))}`,
        )
        return items[0]
      }, 15_000)
      return { person, conversationId: message.conversation_id, messageId: message.id }
    },
    async put(bytes, contentType, name = 'file') {
      const answer = await fetch(`${web.url}/api/v1/documents?name=${encodeURIComponent(name)}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ana.token}`, 'content-type': contentType },
        body: new Uint8Array(bytes),
      })
      return ((await answer.json()) as { id: string }).id
    },
    say: (conversationId, more) =>
      stage.ask(201, 'POST', `/conversations/${conversationId}/messages`, { kind: 'reply', ...more }),
    becomes: (id, ...states) =>
      until(async () => {
        const message = await stage.ask(200, 'GET', `/messages/${id}`)
        return states.includes(message.state) && message
      }, 20_000),
    async seen(type, person) {
      const { items } = await control('GET', `ledger?channel=${externalIds[type]}&person=${person}`)
      return (items as Shown[]).filter(({ direction }) => direction === 'outbound')
    },
    async hurry() {
      await storage.write((tx) =>
        tx.run('update deliveries set next_attempt_at = utc_timestamp(3) where next_attempt_at is not null'),
      )
    },
    async close() {
      await messaging.stop()
      await site.close()
      await sandbox.stop()
      rmSync(home, { recursive: true })
    },
  }
  return stage
}

const prefixes: Readonly<Record<ChannelType, string>> = {
  facebook: '7100',
  instagram: '9900',
  whatsapp: '1650',
  x: '158901',
}

/** One app at Meta and one at X, and a channel of each type. */
async function connect({ storage, config, ana }: Site, url: string, base: string, control: Stage['control']) {
  const webhooks = { meta: '', x: '' }
  const ids = { meta: '', x: '' }
  for (const network of ['meta', 'x'] as const) {
    const externalId = network === 'x' ? '98' : '99'
    ids[network] = await createApp(storage, config, ana.accountId, {
      network,
      name: network,
      externalId,
      secrets: [`${network}-secret`],
      ...(network === 'x' ? { consumerKey: 'x-key' } : { verifyToken: 'verify-me' }),
      apiBaseUrl: base,
    })
    const app = await storage.apps.get(storage.primary, ana.accountId, ids[network])
    webhooks[network] = `${url}/webhooks/${app?.webhookKey ?? ''}`
    await control('PUT', 'apps', {
      network,
      app_id: externalId,
      secrets: [`${network}-secret`],
      ...(network === 'x' ? { consumer_key: 'x-key' } : { verify_token: 'verify-me' }),
      webhook_url: webhooks[network],
    })
  }
  const made: Partial<Record<ChannelType, string>> = {}
  for (const type of ['facebook', 'instagram', 'whatsapp', 'x'] as const) {
    const isX = type === 'x'
    await control('PUT', 'channels', {
      type,
      external_id: externalIds[type],
      name: 'Harbour',
      handle: 'harbour',
      // A page and its Instagram account share a token, as they do at Meta.
      access_token: type === 'whatsapp' ? 'wa-token' : isX ? 'x-token' : 'page-token',
      app_id: isX ? '98' : '99',
      ...(isX && { access_token_secret: 'x-token-secret' }),
      ...(type === 'instagram' && { page_id: externalIds.facebook }),
    })
    made[type] = await createChannel(storage, config, ana.accountId, {
      appId: isX ? ids.x : ids.meta,
      type,
      name: 'Harbour',
      externalId: externalIds[type],
      credentials: isX
        ? { access_token: 'x-token', access_token_secret: 'x-token-secret' }
        : { access_token: type === 'whatsapp' ? 'wa-token' : 'page-token' },
    })
  }
  return {
    facebook: made.facebook ?? '',
    instagram: made.instagram ?? '',
    whatsapp: made.whatsapp ?? '',
    x: made.x ?? '',
  }
}
