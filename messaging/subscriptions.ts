/** Whether networks tell us what happens on a channel: looked at on a timer, renewed when it is missing. */
import type { Config } from '../infra/config.ts'
import { messageOf } from '../infra/errors.ts'
import type { App, Channel, Storage, SubscriptionState, Trouble } from '../storage/index.ts'
import { networkOf } from '../storage/model/words.ts'
import type { ChannelType } from '../storage/model/words.ts'
import type { Asked, ChannelAccess, Subscription, Unsubscribed, WebhookRegistration } from './connectors/connector.ts'
import { openAccess } from './directory.ts'
import { connectorFor, withLimit } from './health.ts'
import type { CareContext } from './health.ts'

const callLimitMs = 20_000
const leaveLimitMs = 10_000

/** The address that a network calls for this app. */
export const webhookUrlOf = (app: Pick<App, 'webhookKey'>, config: Pick<Config, 'publicUrl'>): string =>
  `${config.publicUrl}/webhooks/${app.webhookKey}`

/** Where and as what our webhook is known. */
export const webhookOf = (storage: Storage, config: Pick<Config, 'publicUrl'>, app: App): WebhookRegistration => ({
  url: webhookUrlOf(app, config),
  verifyToken: storage.apps.openSecrets(storage, app).verifyToken ?? undefined,
})

/** How the subscription is, after it was mended where that was possible. */
export interface Subscribed {
  readonly state: SubscriptionState
  readonly missing: readonly string[]
  /** It was not whole and has been mended: something may have been missed. */
  readonly wasRenewed: boolean
  readonly trouble: Trouble | undefined
}

/** Looks, and subscribes what is missing. `undefined`: nothing is known now, or this network has nothing to subscribe. */
export async function ensureSubscription(
  context: CareContext,
  channel: Channel,
  access: ChannelAccess,
  webhook: WebhookRegistration,
  signal: AbortSignal,
): Promise<Subscribed | undefined> {
  const connector = connectorFor(context, channel.type)
  if (connector?.checkSubscription === undefined && connector?.subscribe === undefined) return undefined
  const found = await withLimit(callLimitMs, signal, async (limited) =>
    connector.checkSubscription?.(access, webhook, limited),
  )
  if (found?.type === 'ok' && stateOf(found.value) === 'active') return subscribed(found.value, false)
  // Nobody could be asked: what was known stays.
  if (found !== undefined && found.type !== 'ok' && found.type !== 'refused') return undefined
  const renewed = await withLimit(callLimitMs, signal, async (limited) =>
    connector.subscribe?.(access, webhook, limited),
  )
  if (renewed === undefined || renewed.type === 'retry' || renewed.type === 'unknown')
    return found && conclude(found, false)
  context.logger.info({ channel: channel.id, outcome: renewed.type }, 'the subscription of a channel was renewed')
  return conclude(renewed, true)
}

/** What became of the subscription of a channel that was disconnected; `failed`: the network may go on telling us. */
export interface Ended {
  readonly result: Unsubscribed | 'failed' | 'not_possible'
  readonly reason: string | null
}

/** What it takes to end a subscription: to be read while the credentials are still there. */
export interface Leave {
  readonly access: ChannelAccess
  readonly webhook: WebhookRegistration
  readonly others: readonly (ChannelAccess & { readonly type: ChannelType })[]
}

/** @throws when the app is gone or a key is missing */
export async function prepareLeave(context: CareContext, channel: Channel): Promise<Leave | undefined> {
  const { storage, config } = context
  const { accountId, appId } = channel
  const app = await storage.apps.get(storage.primary, accountId, appId)
  if (app === undefined || connectorFor(context, channel.type)?.unsubscribe === undefined) return undefined
  const access = await openAccess(storage, config, channel)
  const others = (await storage.channels.list(storage.primary, accountId)).filter(
    ({ id, type, disconnectedAt }) =>
      id !== channel.id && disconnectedAt === null && networkOf[type] === networkOf[channel.type],
  )
  const opened = await Promise.all(
    others.map(async (one) => ({ ...(await openAccess(storage, config, one)), type: one.type })),
  )
  // Another registration at the network has subscriptions of its own.
  const rivals = opened.filter(({ app: { clientId } }) => clientId === access.app.clientId)
  return { access, webhook: webhookOf(storage, config, app), others: rivals }
}

/** Asks the network once, for ten seconds at most; never throws. */
export async function endSubscription(context: CareContext, channel: Channel, leave: Leave): Promise<Ended> {
  const { access, webhook, others } = leave
  const connector = connectorFor(context, channel.type)
  const signal = new AbortController().signal
  const asked = await withLimit(leaveLimitMs, signal, async (limited) =>
    connector?.unsubscribe?.(access, webhook, others, limited),
  ).catch((error: unknown) => ({ type: 'unknown' as const, code: 'error', reason: messageOf(error) }))
  if (asked === undefined) return { result: 'not_possible', reason: null }
  if (asked.type === 'ok') return { result: asked.value, reason: null }
  const { code, reason } = asked
  context.logger.warn({ channel: channel.id, code, reason }, 'the subscription of a disconnected channel was not ended')
  return { result: 'failed', reason }
}

const stateOf = ({ isActive, missing }: Subscription): SubscriptionState =>
  !isActive ? 'missing' : missing.length > 0 ? 'partial' : 'active'

function conclude(asked: Asked<Subscription>, wasRenewed: boolean): Subscribed {
  if (asked.type === 'ok') return subscribed(asked.value, wasRenewed && asked.value.isActive)
  return {
    state: 'missing',
    missing: [],
    wasRenewed: false,
    trouble: {
      state: 'degraded',
      code: `subscription_${asked.code}`,
      reason: `The network refuses to tell us what happens on this channel: ${asked.reason}`,
      cure: 'Run the check of the set-up: it names the step that is missing.',
    },
  }
}

function subscribed(value: Subscription, wasRenewed: boolean): Subscribed {
  const state = stateOf(value)
  const { missing } = value
  const known: Record<SubscriptionState, Trouble | undefined> = {
    active: undefined,
    partial: {
      state: 'degraded',
      code: 'subscription_partial',
      reason: value.reason ?? `The network does not tell us everything: ${missing.join(', ')} are not subscribed.`,
      cure: 'Reconnect the channel and allow everything that is asked.',
    },
    missing: {
      state: 'degraded',
      code: 'not_subscribed',
      reason: value.reason ?? 'The network does not tell us what happens on this channel.',
      cure: 'Run the check of the set-up: it names the step that is missing.',
    },
  }
  return { state, missing, wasRenewed, trouble: known[state] }
}
