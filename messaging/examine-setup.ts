/** The set-up doctor: walks the way from the network to us and back, live, and says in one line each what to do. */
import { randomInt } from 'node:crypto'
import { messageOf, notFound } from '../infra/errors.ts'
import { callOutside } from '../infra/outside.ts'
import type { App, Channel } from '../storage/index.ts'
import type { ChannelCondition, Subscription } from './connectors/connector.ts'
import { networks } from './connectors/registry.ts'
import { openAccess, openApp } from './directory.ts'
import { connectorFor, withLimit } from './health.ts'
import type { CareContext } from './health.ts'
import { ill, well } from './setup-lines.ts'
import type { SetupCode, SetupCure, SetupLine, SetupParameters } from './setup-lines.ts'
import { webhookOf, webhookUrlOf } from './subscriptions.ts'
import { announceMs, readable } from './tokens.ts'

const callLimitMs = 15_000

/** Tests the set-up of a channel live; changes nothing. @throws Problem 404 */
export async function examineSetup(context: CareContext, accountId: string, channelId: string): Promise<SetupLine[]> {
  const { storage } = context
  const channel = await storage.channels.get(storage.primary, accountId, channelId)
  const app = channel && (await storage.apps.get(storage.primary, accountId, channel.appId))
  if (channel === undefined || app === undefined) throw notFound('channel')
  const [secrets, callback, condition, subscription] = await Promise.all([
    examineSecrets(context, channel, app),
    examineCallback(context, app),
    examineChannel(context, channel),
    examineSubscription(context, channel, app),
  ])
  return [
    secrets,
    examineAddress(context, channel, app),
    callback,
    ...linesOf(channel, condition),
    subscription,
    lineOfExpiry(condition?.tokenExpiresAt ?? channel.tokenExpiresAt, isRotating(context, channel)),
    lineOfLastEvent(channel),
  ]
}

/** Whether what we need of the app is there, and whether the network knows the app by it. */
async function examineSecrets(context: CareContext, channel: Channel, app: App): Promise<SetupLine> {
  const { storage, config } = context
  const { secrets, verifyToken } = storage.apps.openSecrets(storage, app)
  if (secrets.length === 0)
    return ill('secrets', 'no_secret', 'The app has no secret, so no signature can be checked.', 'enter_secret')
  if (app.network === 'meta' && verifyToken === null)
    return ill('secrets', 'no_verify_token', 'The app has no verify token.', 'enter_verify_token')
  if (app.network === 'x' && app.consumerKey === null)
    return ill('secrets', 'no_consumer_key', 'The app has no consumer key.', 'enter_consumer_key')
  const access = openApp(storage, config, app)
  const apiBaseUrl = channel.apiBaseUrl ?? access.apiBaseUrl
  const asked = await withLimit(callLimitMs, new AbortController().signal, async (signal) =>
    networks[app.network].examineApp?.({ ...access, apiBaseUrl }, signal),
  ).catch((error: unknown) => ({ type: 'unknown' as const, code: 'error', reason: messageOf(error) }))
  if (asked === undefined || (asked.type === 'ok' && asked.value === 'not_possible'))
    return well('secrets', 'app_untested', 'The app has a secret; without its id the network cannot be asked about it.')
  if (asked.type === 'ok') return well('secrets', 'app_known', 'The network knows the app by its newest secret.')
  const { code, reason } = asked
  return asked.type === 'refused'
    ? ill('secrets', 'app_refused', `The network does not take the app: ${reason} (${code})`, 'correct_app', { code })
    : ill('secrets', 'app_not_asked', `The network could not be asked about the app: ${reason}`, 'wait', { code })
}

/** Networks call https addresses only; played ones call what they are told. */
function examineAddress({ config }: CareContext, channel: Channel, app: App): SetupLine {
  const url = new URL(webhookUrlOf(app, config))
  const isPlayed = (channel.apiBaseUrl ?? app.apiBaseUrl) !== null
  if (isPlayed || (url.protocol === 'https:' && (app.network !== 'x' || url.port === '')))
    return well('address', 'address_good', `The network is to call ${url.origin}.`, { address: url.origin })
  return ill(
    'address',
    'address_bad',
    `The network cannot call ${url.origin}.`,
    app.network === 'x' ? 'set_public_url_x' : 'set_public_url',
    { address: url.origin },
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
  const address = url.origin
  const bad = (code: SetupCode, detail: string, more: SetupParameters = {}): SetupLine =>
    ill('callback', code, detail, 'open_address', { address, ...more })
  try {
    const answer = await callOutside({ url, allowHosts: [ownHost], limitMs: callLimitMs, maxBytes: 65_536 })
    const status = String(answer.status)
    if (answer.status === 200 && answer.body.toString('utf8') === expected?.body)
      return well('callback', 'callback_good', 'Our webhook address answers the handshake.')
    const saying = `Our webhook address answers with ${status}`
    if (answer.status === 404 || answer.status === 403)
      return bad('callback_strange_app', `${saying}: it does not know this app.`, { status })
    return bad('callback_strange_answer', `${saying}, not with the handshake.`, { status })
  } catch (error) {
    const reason = messageOf(error)
    return bad('callback_unreachable', `Our webhook address cannot be reached: ${reason}`, { reason })
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
  const { type } = channel
  if (condition === undefined)
    return [
      well('token', 'token_untested', `Tokens of ${type} cannot be tested.`),
      well('permissions', 'permissions_untested', 'Not tested.'),
    ]
  const { state, missingPermissions, reason, code } = condition
  const names = missingPermissions.join(', ')
  const isAboutRights = names !== ''
  const said = `${reason ?? 'The network refuses this channel.'}${code === undefined ? '' : ` (${code})`}`
  const parameters = { code: code ?? state, reason: reason ?? '' }
  return [
    state === 'connected' || isAboutRights
      ? well('token', 'token_good', 'The network takes the access token.')
      : channel.disconnectedAt !== null
        ? ill('token', 'token_refused', said, 'connect_again', parameters)
        : state === 'degraded'
          ? ill('token', 'network_not_asked', said, 'wait', parameters)
          : ill('token', 'token_refused', said, 'reconnect', parameters),
    isAboutRights
      ? ill('permissions', 'permissions_missing', `Not granted: ${names}.`, 'reconnect_with_rights', { names })
      : state === 'connected'
        ? well('permissions', 'permissions_good', 'Nothing is missing.')
        : well('permissions', 'permissions_unknown', 'Not known while the token is refused.'),
  ]
}

async function examineSubscription(context: CareContext, channel: Channel, app: App): Promise<SetupLine> {
  const { storage, config } = context
  const connector = connectorFor(context, channel.type)
  if (connector?.checkSubscription === undefined)
    return well(
      'subscription',
      'subscription_by_hand',
      `Subscriptions of ${channel.type} are made at the network by hand.`,
    )
  const notAsked = (reason: string, cure: SetupCure): SetupLine =>
    ill('subscription', 'subscription_not_asked', `It could not be asked for: ${reason}`, cure, { reason })
  try {
    const access = await openAccess(storage, config, channel)
    const asked = await withLimit(callLimitMs, new AbortController().signal, async (signal) =>
      connector.checkSubscription?.(access, webhookOf(storage, config, app), signal),
    )
    if (asked?.type !== 'ok') return notAsked(asked?.reason ?? 'no answer', 'subscribe_again')
    return lineOfSubscription(asked.value)
  } catch (error) {
    return notAsked(messageOf(error), 'wait')
  }
}

function lineOfSubscription({ isActive, missing, reason }: Subscription): SetupLine {
  if (isActive && missing.length === 0)
    return well('subscription', 'subscription_good', 'The network tells us everything that happens.')
  const names = missing.join(', ')
  if (isActive)
    return ill('subscription', 'subscription_missing', reason ?? `Not subscribed: ${names}.`, 'subscribe_again', {
      names,
    })
  const why = reason ?? `Not subscribed: ${names || 'anything'}.`
  return ill('subscription', 'subscription_bad', why, 'subscribe_again', { reason: why })
}

function isRotating({ storage }: CareContext, channel: Channel): boolean {
  try {
    return storage.channels.openCredentials(storage, channel).refresh_token !== undefined
  } catch {
    return false
  }
}

function lineOfExpiry(endsAt: Date | null, isRenewed: boolean): SetupLine {
  if (endsAt === null) return well('expiry', 'expiry_none', 'The access token has no end of its own.')
  const parameters = { at: endsAt.toISOString() }
  const day = readable(endsAt)
  const left = endsAt.getTime() - Date.now()
  if (left <= 0) return ill('expiry', 'expiry_over', `The access token ended on ${day}.`, 'reconnect', parameters)
  // Those that live for hours are renewed by themselves.
  if (left > announceMs || isRenewed)
    return well('expiry', 'expiry_good', `The access token is good until ${day}.`, parameters)
  return ill('expiry', 'expiry_soon', `The access token ends on ${day}.`, 'reconnect_before', parameters)
}

const lineOfLastEvent = ({ lastEventAt }: Channel): SetupLine =>
  lastEventAt === null
    ? ill('last_event', 'no_event', 'Nothing with a good signature has arrived yet.', 'write_to_channel')
    : well('last_event', 'event_came', `The last signed event arrived on ${readable(lastEventAt)}.`, {
        at: lastEventAt.toISOString(),
      })
