/** The demo: two apps and two channels on the sandbox networks, and people who write to them. */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Config } from '../infra/config.ts'
import { messageOf } from '../infra/errors.ts'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import { callOutside } from '../infra/outside.ts'
import type { App, Storage } from '../storage/index.ts'
import { createApp, createChannel } from './networks.ts'

export interface DemoContext {
  readonly config: Config
  readonly logger: Logger
  readonly storage: Storage
  readonly sandboxUrl: string
}

const consumerKey = 'demo-x-key'

/** The demo's apps and their channel each. The secrets of the apps are made by chance; the tokens hold in the sandbox alone. */
const demoApps = [
  {
    network: 'meta',
    name: 'Demo Meta app',
    externalId: '770001',
    channel: {
      type: 'facebook',
      externalId: '100001',
      name: 'Harbour',
      credentials: { access_token: 'demo-page-token' },
    },
  },
  {
    network: 'x',
    name: 'Demo X app',
    externalId: '880001',
    channel: {
      type: 'x',
      externalId: '200001',
      name: '@harbour',
      credentials: { access_token: 'demo-x-token', access_token_secret: 'demo-x-token-secret' },
    },
  },
] as const

/** Makes the demo's apps and channels where they are missing. */
export async function prepareDemo(
  storage: Storage,
  config: Config,
  accountId: string,
  sandboxUrl: string,
): Promise<void> {
  const known = await storage.apps.list(storage.primary, accountId)
  const channels = await storage.channels.list(storage.primary, accountId)
  for (const wish of demoApps) {
    const appId =
      known.find((app) => isDemo(app, wish))?.id ??
      (await createApp(storage, config, accountId, {
        network: wish.network,
        name: wish.name,
        externalId: wish.externalId,
        secrets: [randomBytes(24).toString('hex')],
        // The sandbox takes the app's id for its OAuth 2 client id.
        ...(wish.network === 'x' && { consumerKey, clientId: wish.externalId }),
        apiBaseUrl: sandboxUrl,
      }))
    if (
      !channels.some(({ type, externalId }) => type === wish.channel.type && externalId === wish.channel.externalId)
    ) {
      await createChannel(storage, config, accountId, { ...wish.channel, appId, apiBaseUrl: sandboxUrl })
    }
  }
}

/** Tells the sandbox of the demo's apps at every start, as soon as it answers; the first time people there begin to write. */
export function runDemo(context: DemoContext): Running {
  const { config, storage, logger, sandboxUrl } = context
  let isDone = false
  let failures = 0
  let lookUntil = Infinity
  return every(
    () => (!isDone ? 500 : Date.now() < lookUntil ? 1_000 : 15_000),
    async () => {
      const account = await storage.accounts.first(storage.primary)
      if (account === undefined) return
      await register(storage, config, account.id, sandboxUrl)
      if (!isDone) {
        await beginTalking(context, account.id)
        logger.info('the demo is registered with the sandbox')
        lookUntil = Date.now() + lookMs
      }
      isDone = true
      if (Date.now() < lookUntil) await lookAgain(storage, account.id)
      failures = 0
    },
    (error) => {
      isDone = false
      if (failures++ % 60 === 5) logger.warn({ reason: messageOf(error) }, 'the sandbox does not know of the demo yet')
    },
  )
}

/** Channels that were looked at before the sandbox knew of them seem broken: they are looked at once more. */
async function lookAgain(storage: Storage, accountId: string): Promise<void> {
  for (const channel of await storage.channels.list(storage.primary, accountId)) {
    const isDemo = demoApps.some(
      ({ channel: { type, externalId } }) => channel.type === type && channel.externalId === externalId,
    )
    if (isDemo && channel.state !== 'connected' && channel.disconnectedAt === null)
      await storage.write((tx) => storage.health.hurry(tx, accountId, channel.id))
  }
}

const lookMs = 15_000

async function register(storage: Storage, config: Config, accountId: string, sandboxUrl: string): Promise<void> {
  const known = await storage.apps.list(storage.primary, accountId)
  for (const wish of demoApps) {
    const app = known.find((one) => isDemo(one, wish))
    if (app === undefined) continue
    const { secrets, verifyToken } = storage.apps.openSecrets(storage, app)
    const answer = await control(config, 'PUT', `${sandboxUrl}/control/apps`, {
      network: wish.network,
      app_id: wish.externalId,
      secrets,
      ...(verifyToken !== null && { verify_token: verifyToken }),
      ...(wish.network === 'x' && { consumer_key: consumerKey }),
      webhook_url: `${config.publicUrl}/webhooks/${app.webhookKey}`,
    })
    // It calls our webhook address at once; as long as no web node answers there, nobody would be heard.
    if (!registered.parse(answer).verified) throw new Error(`the webhook address of ${wish.name} does not answer yet`)
    await control(config, 'PUT', `${sandboxUrl}/control/channels`, {
      type: wish.channel.type,
      external_id: wish.channel.externalId,
      name: wish.channel.name,
      ...wish.channel.credentials,
      app_id: wish.externalId,
      ...(wish.network === 'x' && { handle: 'harbour' }),
    })
  }
}

const people = {
  ana: { id: '7100000000000001', name: 'Ana Duarte' },
  bruno: { id: '7100000000000002', name: 'Bruno Keller' },
  chloe: { id: '7100000000000003', name: 'Chloé Marchand' },
  dmitri: { id: '1800000000000001', name: 'Dmitri Novak', handle: 'dnovak' },
  esra: { id: '1800000000000002', name: 'Esra Yıldız', handle: 'esray' },
} as const

/** What people write when nobody has written yet. */
const lines = [
  {
    type: 'facebook',
    channel: '100001',
    kind: 'message',
    person: people.ana,
    text: 'Good morning! Is the 9:40 ferry to Almada still running today?',
  },
  {
    type: 'facebook',
    channel: '100001',
    kind: 'message',
    person: people.bruno,
    text: 'I left a green umbrella on the upper deck yesterday evening. Has anyone found it?',
  },
  {
    type: 'facebook',
    channel: '100001',
    kind: 'comment',
    person: people.chloe,
    text: 'Lovely picture! Do bicycles travel free at the weekend?',
  },
  {
    type: 'x',
    channel: '200001',
    kind: 'message',
    person: people.dmitri,
    text: 'Your ticket machine at pier 3 took my money twice. Who can help?',
  },
  {
    type: 'x',
    channel: '200001',
    kind: 'mention',
    person: people.esra,
    text: '@harbour when does the summer timetable begin?',
  },
  {
    type: 'facebook',
    channel: '100001',
    kind: 'message',
    person: people.ana,
    text: 'There are four of us with a pram, by the way.',
  },
] as const

const talkMs = 60_000

async function beginTalking({ storage, sandboxUrl, config }: DemoContext, accountId: string): Promise<void> {
  const isMine = await storage.write((tx) => storage.leases.acquire(tx, 'demo-talk', config.node, talkMs))
  if (isMine === undefined || (await storage.conversations.list(storage.primary, accountId, { limit: 1 })).length > 0)
    return
  for (const line of lines) await control(config, 'POST', `${sandboxUrl}/control/say`, line)
}

const registered = z.object({ verified: z.boolean() })

async function control(config: Config, method: 'PUT' | 'POST', url: string, body: unknown): Promise<unknown> {
  const answer = await callOutside({
    url,
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    limitMs: 5_000,
    allowHosts: config.networkHosts,
  })
  if (answer.status >= 300)
    throw new Error(
      `the sandbox answered ${String(answer.status)} to ${method} ${new URL(url).pathname}: ${answer.body.toString('utf8').slice(0, 300)}`,
    )
  return answer.body.length === 0 ? undefined : z.json().parse(JSON.parse(answer.body.toString('utf8')))
}

const isDemo = (app: App, wish: (typeof demoApps)[number]): boolean =>
  app.network === wish.network && app.externalId === wish.externalId && app.apiBaseUrl !== null
