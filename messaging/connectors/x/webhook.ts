/**
 * X's webhook and its subscriptions (V2 webhooks; Account Activity; X Activity), and the replay of what was missed. The app
 * administers the webhook with its bearer token, the channel's user subscribes.
 */
import type { Asked, ChannelAccess, Subscription, Unsubscribed, WebhookRegistration } from '../connector.ts'
import { fieldsOf, listOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { callX, callXAsApp, isOAuth1 } from './api.ts'
import type { XCall, XFailure, XResult } from './api.ts'
import { nameOf } from './people.ts'

/** What Parley needs of X Activity. Likes, follows and the like would be billed and shown to nobody. */
export const activityTypes = [
  'post.create',
  'post.delete',
  'post.mention.create',
  'post.reply.create',
  'post.quote.create',
  'dm.received',
  'dm.sent',
] as const
/** What is asked for too, where X gives it to the app. */
const welcomeTypes = ['dm.read', 'chat.received', 'chat.sent'] as const

/** Whether X knows our address, holds it for valid, and tells it what happens on the channel. */
export async function checkXSubscription(
  channel: ChannelAccess,
  { url }: WebhookRegistration,
  signal: AbortSignal,
): Promise<Asked<Subscription>> {
  const found = await findWebhook(channel, url, signal)
  if (found.type !== 'ok') return found
  const webhook = found.value
  if (webhook === undefined) return absent('X does not know the webhook address.')
  const missing = await findMissing(channel, webhook.id, signal)
  if (missing.type !== 'ok') return missing
  const list = [...(webhook.isValid ? [] : ['webhook']), ...missing.value.needed]
  const reason = webhook.isValid ? undefined : 'X holds the webhook address for invalid and sends nothing there.'
  const isActive = webhook.isValid && missing.value.isAnything
  return { type: 'ok', value: { isActive, missing: list, reason: reason ?? reasonFor(list) } }
}

/** Registers the address or has it validated again, and subscribes what is missing. */
export async function subscribeX(
  channel: ChannelAccess,
  registration: WebhookRegistration,
  signal: AbortSignal,
): Promise<Asked<Subscription>> {
  const found = await findWebhook(channel, registration.url, signal)
  if (found.type !== 'ok') return found
  let webhook = found.value
  if (webhook === undefined) {
    const made = await callXAsApp(
      channel,
      { method: 'POST', path: '/2/webhooks', body: { url: registration.url } },
      signal,
    )
    if (!made.ok) return made.outcome
    webhook = webhookOf(fieldsOf(made.json).data ?? made.json)
    if (webhook === undefined)
      return { type: 'unknown', code: 'no_id', reason: 'X registered the webhook and gave no id.' }
  } else if (!webhook.isValid) {
    const renewed = await callXAsApp(channel, { method: 'PUT', path: `/2/webhooks/${webhook.id}` }, signal)
    if (!renewed.ok) return renewed.outcome
  }
  const missing = await findMissing(channel, webhook.id, signal)
  if (missing.type !== 'ok') return missing
  let refusal: XFailure | undefined
  for (const what of [...missing.value.needed, ...missing.value.welcome]) {
    const made = await callX(channel, subscribeCall(what, channel.externalId, webhook.id), signal)
    if (made.ok || isDuplicate(made)) continue
    if (made.outcome.type !== 'refused') return made.outcome
    // One type may be closed to the app; the others are worth having.
    refusal ??= made.outcome
  }
  const now = await checkXSubscription(channel, registration, signal)
  return refusal !== undefined && now.type === 'ok' && !now.value.isActive ? refusal : now
}

/** Ends what is subscribed for the account in either form; the webhook stays, other accounts may be told there. */
export async function unsubscribeX(
  channel: ChannelAccess,
  { url }: WebhookRegistration,
  _others: unknown,
  signal: AbortSignal,
): Promise<Asked<Unsubscribed>> {
  const found = await findWebhook(channel, url, signal)
  if (found.type !== 'ok') return found
  if (found.value === undefined) return { type: 'ok', value: 'none' }
  const all = await listEnds(channel, found.value.id, signal)
  if (all.type !== 'ok') return all
  for (const path of all.value) {
    const result = await callXAsApp(channel, { method: 'DELETE', path }, signal)
    if (!result.ok) return result.outcome
  }
  return { type: 'ok', value: all.value.length === 0 ? 'none' : 'ended' }
}

/** What is to be deleted. An app that has only one of both forms is refused the other. */
async function listEnds(channel: ChannelAccess, webhookId: string, signal: AbortSignal): Promise<Asked<string[]>> {
  const whole = `/2/account_activity/webhooks/${encodeURIComponent(webhookId)}/subscriptions`
  const older = await callXAsApp(channel, { method: 'GET', path: `${whole}/all/list` }, signal)
  const newer = await listActivity(channel, webhookId, signal)
  if (!older.ok && older.outcome.type !== 'refused') return older.outcome
  if (newer.type !== 'ok') return older.ok && newer.type === 'refused' ? { type: 'ok', value: olderEnds() } : newer
  return { type: 'ok', value: [...olderEnds(), ...newer.value.map(endOf)] }

  function olderEnds(): string[] {
    const users = older.ok ? listOf(fieldsOf(fieldsOf(older.json).data).subscriptions).map(fieldsOf) : []
    const isTold = users.some((one) => nameOf(one.user_id) === channel.externalId)
    return isTold ? [`${whole}/${encodeURIComponent(channel.externalId)}/all`] : []
  }
}

const endOf = (one: Fields): string =>
  `/2/activity/subscriptions/${encodeURIComponent(nameOf(one.subscription_id) ?? nameOf(one.id) ?? '')}`

/**
 * Has the events between these times sent again (`POST /2/webhooks/replay`): within the last 24 hours, from at least 31
 * minutes ago, to at least 10 minutes ago, by whole minutes. Duplicates are certain.
 */
export async function requestXReplay(
  channel: ChannelAccess,
  since: Date,
  until: Date,
  signal: AbortSignal,
): Promise<Asked<string>> {
  const now = Date.now()
  const to = Math.min(Math.ceil(until.getTime() / minuteMs) * minuteMs, floorMinute(now - 10 * minuteMs))
  const from = Math.max(
    Math.min(floorMinute(since.getTime()), floorMinute(now - 31 * minuteMs)),
    floorMinute(now - 24 * 60 * minuteMs) + 2 * minuteMs,
  )
  if (from >= to)
    return {
      type: 'refused',
      class: 'content',
      code: 'too_old',
      reason: 'X sends again only what is less than 24 hours old.',
    }
  const webhooks = await listWebhooks(channel, signal)
  if (webhooks.type !== 'ok') return webhooks
  const webhook = webhooks.value.find(({ isValid }) => isValid)
  if (webhook === undefined)
    return { type: 'refused', class: 'policy', code: 'no_webhook', reason: 'X knows no valid webhook of this app.' }
  const body = { webhook_id: webhook.id, from_date: stampOf(from), to_date: stampOf(to) }
  const result = await callXAsApp(channel, { method: 'POST', path: '/2/webhooks/replay', body }, signal)
  if (!result.ok) return result.outcome
  const data = fieldsOf(fieldsOf(result.json).data ?? result.json)
  const jobId = nameOf(data.job_id)
  return jobId === undefined
    ? { type: 'unknown', code: 'no_id', reason: 'X began the replay and gave no id.' }
    : { type: 'ok', value: jobId }
}

interface Webhook {
  readonly id: string
  readonly url: string
  readonly isValid: boolean
}

async function listWebhooks(channel: ChannelAccess, signal: AbortSignal): Promise<Asked<readonly Webhook[]>> {
  const result = await callXAsApp(channel, { method: 'GET', path: '/2/webhooks' }, signal)
  if (!result.ok) return result.outcome
  return { type: 'ok', value: listOf(fieldsOf(result.json).data).flatMap((one) => webhookOf(one) ?? []) }
}

async function findWebhook(
  channel: ChannelAccess,
  url: string,
  signal: AbortSignal,
): Promise<Asked<Webhook | undefined>> {
  const all = await listWebhooks(channel, signal)
  return all.type === 'ok' ? { type: 'ok', value: all.value.find((one) => one.url === url) } : all
}

function webhookOf(value: unknown): Webhook | undefined {
  const fields = fieldsOf(value)
  const id = nameOf(fields.id)
  return id === undefined ? undefined : { id, url: textOf(fields.url) ?? '', isValid: fields.valid === true }
}

interface Missing {
  readonly needed: readonly string[]
  readonly welcome: readonly string[]
  readonly isAnything: boolean
}

/**
 * What X Activity calls a type of event, or for Account Activity `all`. X Activity takes either kind of token; the older
 * one takes OAuth 1.0a alone, so that the token decides unless the credentials say `events`.
 */
async function findMissing(channel: ChannelAccess, webhookId: string, signal: AbortSignal): Promise<Asked<Missing>> {
  if (usesAccountActivity(channel)) {
    const path = `/2/account_activity/webhooks/${encodeURIComponent(webhookId)}/subscriptions/all`
    const result = await callX(channel, { method: 'GET', path }, signal)
    if (!result.ok) return result.outcome
    const isAnything = fieldsOf(fieldsOf(result.json).data).subscribed === true
    return { type: 'ok', value: { needed: isAnything ? [] : ['all'], welcome: [], isAnything } }
  }
  const listed = await listActivity(channel, webhookId, signal)
  if (listed.type !== 'ok') return listed
  const active = new Set(listed.value.map((one) => String(one.event_type)))
  const lacking = (types: readonly string[]): string[] => types.filter((type) => !active.has(type))
  return {
    type: 'ok',
    value: { needed: lacking(activityTypes), welcome: lacking(welcomeTypes), isAnything: active.size > 0 },
  }
}

/** The channel's subscriptions of X Activity to this webhook. */
async function listActivity(channel: ChannelAccess, webhookId: string, signal: AbortSignal): Promise<Asked<Fields[]>> {
  const own: Fields[] = []
  let token: string | undefined
  // An app may have 1,500 subscriptions; a page that never ends is no reason to ask for ever.
  for (let page = 0; page < 20; page += 1) {
    const query = { max_results: '1000', ...(token === undefined ? {} : { pagination_token: token }) }
    const result = await callXAsApp(channel, { method: 'GET', path: '/2/activity/subscriptions', query }, signal)
    if (!result.ok) return result.outcome
    own.push(
      ...listOf(fieldsOf(result.json).data)
        .map(fieldsOf)
        .filter((one) => isOurs(one, channel, webhookId)),
    )
    token = textOf(fieldsOf(fieldsOf(result.json).meta).next_token)
    if (token === undefined) break
  }
  return { type: 'ok', value: own }
}

const isOurs = (one: Fields, channel: ChannelAccess, webhookId: string): boolean =>
  nameOf(fieldsOf(one.filter).user_id) === channel.externalId && nameOf(one.webhook_id) === webhookId

const usesAccountActivity = (channel: ChannelAccess): boolean =>
  channel.credentials.events === undefined ? isOAuth1(channel) : channel.credentials.events === 'aaa'

const subscribeCall = (what: string, userId: string, webhookId: string): XCall =>
  what === 'all'
    ? { method: 'POST', path: `/2/account_activity/webhooks/${encodeURIComponent(webhookId)}/subscriptions/all` }
    : {
        method: 'POST',
        path: '/2/activity/subscriptions',
        body: { event_type: what, filter: { user_id: userId }, tag: 'parley', webhook_id: webhookId },
      }

/** Somebody was faster; what is wanted is there. */
const isDuplicate = (result: Extract<XResult, { ok: false }>): boolean =>
  /DuplicateSubscription/i.test(`${result.outcome.code} ${result.outcome.reason}`)

const absent = (reason: string): Asked<Subscription> => ({
  type: 'ok',
  value: { isActive: false, missing: ['webhook'], reason },
})

const reasonFor = (missing: readonly string[]): string | undefined =>
  missing.length === 0 ? undefined : `X does not tell us of: ${missing.join(', ')}.`

const minuteMs = 60_000
const floorMinute = (ms: number): number => Math.floor(ms / minuteMs) * minuteMs
/** yyyymmddhhmm, UTC. */
const stampOf = (ms: number): string => new Date(ms).toISOString().replace(/\D/g, '').slice(0, 12)
