/** The set-up doctor: walks the way from the network to us and back, live, and says in one line each what to do. */
import { randomInt } from 'node:crypto'
import { messageOf, notFound } from '../infra/errors.ts'
import { callOutside } from '../infra/outside.ts'
import type { App, Channel } from '../storage/index.ts'
import type { ChannelCondition, Subscription } from './connectors/connector.ts'
import { networks } from './connectors/registry.ts'
import { openAccess } from './directory.ts'
import { connectorFor, reconnectCure, withLimit } from './health.ts'
import type { CareContext } from './health.ts'
import { webhookOf, webhookUrlOf } from './subscriptions.ts'
import { announceMs, readable } from './tokens.ts'

export const setupChecks = [
  'secrets',
  'address',
  'callback',
  'token',
  'permissions',
  'subscription',
  'expiry',
  'last_event',
] as const
export type SetupCheck = (typeof setupChecks)[number]

/** `cure`: the one step that mends it; null when it is well. */
export interface SetupLine {
  readonly check: SetupCheck
  readonly ok: boolean
  readonly detail: string
  readonly cure: string | null
}

const callLimitMs = 15_000

/** Tests the set-up of a channel live; changes nothing. @throws Problem 404 */
export async function examineSetup(context: CareContext, accountId: string, channelId: string): Promise<SetupLine[]> {
  const { storage } = context
  const channel = await storage.channels.get(storage.primary, accountId, channelId)
  const app = channel && (await storage.apps.get(storage.primary, accountId, channel.appId))
  if (channel === undefined || app === undefined) throw notFound('channel')
  const [callback, condition, subscription] = await Promise.all([
    examineCallback(context, app),
    examineChannel(context, channel),
    examineSubscription(context, channel, app),
  ])
  return [
    examineSecrets(context, app),
    examineAddress(context, channel, app),
    callback,
    ...linesOf(channel, condition),
    subscription,
    lineOfExpiry(condition?.tokenExpiresAt ?? channel.tokenExpiresAt, isRotating(context, channel)),
    lineOfLastEvent(channel),
  ]
}

const well = (check: SetupCheck, detail: string): SetupLine => ({ check, ok: true, detail, cure: null })
const ill = (check: SetupCheck, detail: string, cure: string): SetupLine => ({ check, ok: false, detail, cure })

function examineSecrets({ storage }: CareContext, app: App): SetupLine {
  const { secrets, verifyToken } = storage.apps.openSecrets(storage, app)
  if (secrets.length === 0)
    return ill('secrets', 'The app has no secret, so no signature can be checked.', 'Enter the app secret under Apps.')
  if (app.network === 'meta' && verifyToken === null)
    return ill('secrets', 'The app has no verify token.', 'Enter a verify token under Apps, and the same at Meta.')
  if (app.network === 'x' && app.consumerKey === null)
    return ill('secrets', 'The app has no consumer key.', 'Enter the consumer key of the X app under Apps.')
  return well('secrets', `The app has ${String(secrets.length)} secret${secrets.length === 1 ? '' : 's'}.`)
}

/** Networks call https addresses only; played ones call what they are told. */
function examineAddress({ config }: CareContext, channel: Channel, app: App): SetupLine {
  const url = new URL(webhookUrlOf(app, config))
  const isPlayed = (channel.apiBaseUrl ?? app.apiBaseUrl) !== null
  if (isPlayed || (url.protocol === 'https:' && (app.network !== 'x' || url.port === '')))
    return well('address', `The network is to call ${url.origin}.`)
  const wish = app.network === 'x' ? 'an https address without a port' : 'an https address'
  return ill(
    'address',
    `The network cannot call ${url.origin}.`,
    `Set PARLEY_PUBLIC_URL to ${wish} that reaches this site.`,
  )
}

/** Calls our own webhook address as the network does when it shakes hands. */
async function examineCallback({ storage, config }: CareContext, app: App): Promise<SetupLine> {
  const secrets = storage.apps.openSecrets(storage, app)
  const challenge = String(randomInt(1_000_000, 9_999_999))
  const query = new URLSearchParams(
    app.network === 'x'
      ? { crc_token: challenge }
      : { 'hub.mode': 'subscribe', 'hub.challenge': challenge, 'hub.verify_token': secrets.verifyToken ?? '' },
  )
  const expected = networks[app.network].answerHandshake(
    { method: 'GET', query, headers: {}, body: Buffer.alloc(0) },
    { secrets: secrets.secrets, verifyToken: secrets.verifyToken ?? undefined },
  )
  const url = new URL(webhookUrlOf(app, config))
  url.search = query.toString()
  const ownHost = `${url.hostname}:${url.port || (url.protocol === 'http:' ? '80' : '443')}`
  const cure = `Make ${url.origin}/webhooks/ reach the web nodes from outside: name, certificate, proxy.`
  try {
    const answer = await callOutside({ url, allowHosts: [ownHost], limitMs: callLimitMs, maxBytes: 65_536 })
    if (answer.status === 200 && answer.body.toString('utf8') === expected?.body)
      return well('callback', 'Our webhook address answers the handshake.')
    if (answer.status === 404 || answer.status === 403)
      return ill(
        'callback',
        `Our webhook address answers with ${String(answer.status)}: it does not know this app.`,
        cure,
      )
    return ill('callback', `Our webhook address answers with ${String(answer.status)}, not with the handshake.`, cure)
  } catch (error) {
    return ill('callback', `Our webhook address cannot be reached: ${messageOf(error)}`, cure)
  }
}

async function examineChannel(context: CareContext, channel: Channel): Promise<ChannelCondition | undefined> {
  const { storage, config } = context
  try {
    const access = await openAccess(storage, config, channel)
    return await withLimit(callLimitMs, new AbortController().signal, async (signal) =>
      connectorFor(context, channel.type)?.examine?.(access, signal),
    )
  } catch (error) {
    const rest = { tokenExpiresAt: undefined, missingPermissions: [] }
    return {
      ...rest,
      state: 'degraded',
      code: 'not_asked',
      reason: `The network could not be asked: ${messageOf(error)}`,
    }
  }
}

function linesOf(channel: Channel, condition: ChannelCondition | undefined): SetupLine[] {
  if (condition === undefined)
    return [well('token', `Tokens of ${channel.type} cannot be tested.`), well('permissions', 'Not tested.')]
  const { state, missingPermissions, reason, code } = condition
  const isAboutRights = missingPermissions.length > 0
  const said = `${reason ?? 'The network refuses this channel.'}${code === undefined ? '' : ` (${code})`}`
  const cure = state === 'degraded' ? 'Wait a minute and check again.' : reconnectCure
  return [
    state === 'connected' || isAboutRights
      ? well('token', 'The network takes the access token.')
      : ill('token', said, channel.disconnectedAt === null ? cure : 'Connect the channel again.'),
    isAboutRights
      ? ill(
          'permissions',
          `Not granted: ${missingPermissions.join(', ')}.`,
          'Reconnect the channel and allow everything that is asked.',
        )
      : well('permissions', state === 'connected' ? 'Nothing is missing.' : 'Not known while the token is refused.'),
  ]
}

async function examineSubscription(context: CareContext, channel: Channel, app: App): Promise<SetupLine> {
  const { storage, config } = context
  const connector = connectorFor(context, channel.type)
  const cure = 'Reconnect the channel; if it stays, subscribe the webhook at the network by hand.'
  if (connector?.checkSubscription === undefined)
    return well('subscription', `Subscriptions of ${channel.type} are made at the network by hand.`)
  try {
    const access = await openAccess(storage, config, channel)
    const asked = await withLimit(callLimitMs, new AbortController().signal, async (signal) =>
      connector.checkSubscription?.(access, webhookOf(storage, config, app), signal),
    )
    if (asked?.type !== 'ok')
      return ill('subscription', `It could not be asked for: ${asked?.reason ?? 'no answer'}`, cure)
    return lineOfSubscription(asked.value, cure)
  } catch (error) {
    return ill('subscription', `It could not be asked for: ${messageOf(error)}`, 'Wait a minute and check again.')
  }
}

function lineOfSubscription({ isActive, missing, reason }: Subscription, cure: string): SetupLine {
  if (isActive && missing.length === 0) return well('subscription', 'The network tells us everything that happens.')
  return ill('subscription', reason ?? `Not subscribed: ${missing.join(', ') || 'anything'}.`, cure)
}

function isRotating({ storage }: CareContext, channel: Channel): boolean {
  try {
    return storage.channels.openCredentials(storage, channel).refresh_token !== undefined
  } catch {
    return false
  }
}

function lineOfExpiry(endsAt: Date | null, isRenewed: boolean): SetupLine {
  if (endsAt === null) return well('expiry', 'The access token has no end of its own.')
  const left = endsAt.getTime() - Date.now()
  if (left <= 0) return ill('expiry', `The access token ended on ${readable(endsAt)}.`, reconnectCure)
  // Those that live for hours are renewed by themselves.
  if (left > announceMs || isRenewed) return well('expiry', `The access token is good until ${readable(endsAt)}.`)
  return ill('expiry', `The access token ends on ${readable(endsAt)}.`, 'Reconnect the channel before then.')
}

const lineOfLastEvent = ({ lastEventAt }: Channel): SetupLine =>
  lastEventAt === null
    ? ill(
        'last_event',
        'Nothing with a good signature has arrived yet.',
        'Write to the channel from another account and check again.',
      )
    : well('last_event', `The last signed event arrived on ${readable(lastEventAt)}.`)
