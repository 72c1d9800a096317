/** The demo: two apps and four channels on the sandbox networks, and people who write to them. */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Config } from '../infra/config.ts'
import { messageOf } from '../infra/errors.ts'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import { callOutside } from '../infra/outside.ts'
import type { App, Storage } from '../storage/index.ts'
import type { NetworkName } from '../storage/model/words.ts'
import { lines, richLines } from './demo-lines.ts'
import { createApp, createChannel } from './networks.ts'
import type { ChannelWish } from './networks.ts'

export interface DemoContext {
  readonly config: Config
  readonly logger: Logger
  readonly storage: Storage
  readonly sandboxUrl: string
}

const consumerKey = 'demo-x-key'

interface DemoApp {
  readonly network: NetworkName
  readonly name: string
  readonly externalId: string
  /** `played`: what the sandbox alone is told. */
  readonly channels: readonly (Pick<ChannelWish, 'type' | 'externalId' | 'name' | 'credentials'> & {
    readonly played?: { readonly handle: string }
  })[]
}

/** The demo's apps and their channels. The secrets of the apps are made by chance; the tokens hold in the sandbox alone. */
const demoApps = [
  {
    network: 'meta',
    name: 'Demo Meta app',
    externalId: '770001',
    channels: [
      { type: 'facebook', externalId: '100001', name: 'Harbour', credentials: { access_token: 'demo-page-token' } },
      {
        type: 'instagram',
        externalId: '17841400000100001',
        name: '@harbour.lights',
        credentials: { access_token: 'demo-instagram-token' },
        played: { handle: 'harbour.lights' },
      },
      {
        type: 'whatsapp',
        externalId: '300001',
        name: '+351 21 000 0000',
        credentials: { access_token: 'demo-whatsapp-token', business_account_id: '900001' },
      },
    ],
  },
  {
    network: 'x',
    name: 'Demo X app',
    externalId: '880001',
    channels: [
      {
        type: 'x',
        externalId: '200001',
        name: '@harbour',
        credentials: { access_token: 'demo-x-token', access_token_secret: 'demo-x-token-secret' },
        played: { handle: 'harbour' },
      },
    ],
  },
] as const satisfies readonly DemoApp[]

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
    for (const { type, externalId, name, credentials } of wish.channels)
      if (!channels.some((one) => one.type === type && one.externalId === externalId))
        await createChannel(storage, config, accountId, {
          ...{ type, externalId, name, credentials, appId },
          apiBaseUrl: sandboxUrl,
        })
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
    const isDemo = demoApps.some((app) =>
      app.channels.some(({ type, externalId }) => channel.type === type && channel.externalId === externalId),
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
    const played: DemoApp['channels'] = wish.channels
    for (const channel of played)
      await control(config, 'PUT', `${sandboxUrl}/control/channels`, {
        type: channel.type,
        external_id: channel.externalId,
        name: channel.name,
        ...channel.credentials,
        ...channel.played,
        app_id: wish.externalId,
      })
  }
}

const talkMs = 60_000

async function beginTalking({ storage, sandboxUrl, config }: DemoContext, accountId: string): Promise<void> {
  const isMine = await storage.write((tx) => storage.leases.acquire(tx, 'demo-talk', config.node, talkMs))
  if (isMine === undefined || (await storage.conversations.list(storage.primary, accountId, { limit: 1 })).length > 0)
    return
  for (const line of lines) await control(config, 'POST', `${sandboxUrl}/control/say`, line)
  // Said at some distance: WhatsApp tells whole seconds.
  for (const [n, line] of richLines.entries())
    await control(config, 'POST', `${sandboxUrl}/control/meta/say`, {
      ...line,
      occurred_at: new Date(Date.now() - (richLines.length - n) * 40_000).toISOString(),
    })
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
