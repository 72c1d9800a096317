/** Looking after a channel of Meta: the same for every kind but for what it needs. */
import type { ChannelAccess, Connector } from '../connector.ts'
import { fieldsOf, idOf } from '../reading.ts'
import { leadsElsewhere, setUpAppWebhook, withAppWebhook } from './app-webhook.ts'
import { examineToken } from './condition.ts'
import type { WebhookObject } from './permissions.ts'
import { callGraph } from './graph.ts'
import { pageAllowances, whatsappAllowances } from './allowances.ts'
import { refreshMetaToken } from './refresh.ts'
import { checkSubscribed, subscribeTo, unsubscribeFrom } from './subscription.ts'
import type { Wanted } from './subscription.ts'
import { quota } from './usage.ts'

type Care = Required<
  Pick<
    Connector,
    'examine' | 'checkSubscription' | 'subscribe' | 'unsubscribe' | 'refreshToken' | 'quota' | 'allowances'
  >
>

/** `object`: what the app's webhook calls it; `wanted`: what to subscribe to, and where; `undefined` when the channel does not say where. */
export function careFor(object: WebhookObject, permissions: readonly string[], wanted: Where): Care {
  return {
    examine: (channel, signal) => examineToken(channel, permissions, signal),
    async checkSubscription(channel, webhook, signal) {
      const place = await wanted(channel, signal)
      if (place === undefined) return nowhere
      return withAppWebhook(channel, object, webhook, await checkSubscribed(channel, place, signal), signal)
    },
    async subscribe(channel, webhook, signal) {
      const place = await wanted(channel, signal)
      if (place === undefined) return nowhere
      await setUpAppWebhook(channel, object, webhook, signal)
      return withAppWebhook(channel, object, webhook, await subscribeTo(channel, place, signal), signal)
    },
    async unsubscribe(channel, webhook, others, signal) {
      const place = await wanted(channel, signal)
      if (place === undefined) return { type: 'ok', value: 'none' }
      if (await isShared(channel, place, others, wanted, signal)) return { type: 'ok', value: 'shared' }
      if (await leadsElsewhere(channel, object, webhook, signal)) return { type: 'ok', value: 'none' }
      return unsubscribeFrom(channel, place, signal)
    },
    refreshToken: refreshMetaToken,
    quota,
    allowances: object === 'whatsapp_business_account' ? whatsappAllowances : pageAllowances,
  }
}

type Where = (channel: ChannelAccess, signal: AbortSignal) => Promise<Wanted | undefined>

/** A Page shares its subscription with the Instagram account linked to it, a business account with all its numbers. */
async function isShared(
  channel: ChannelAccess,
  { path }: Wanted,
  others: Parameters<Care['unsubscribe']>[2],
  wanted: Where,
  signal: AbortSignal,
): Promise<boolean> {
  const isNumber = path !== 'me'
  const rivals = others.filter(({ type }) => (type === 'whatsapp') === isNumber)
  if (rivals.length === 0 || (channel.credentials.login === 'instagram' && !isNumber)) return false
  const own = isNumber ? path : await pageOf(channel, signal)
  for (const other of rivals) {
    if (!isNumber && other.credentials.access_token === channel.credentials.access_token) return true
    const place = isNumber
      ? (await wanted(other, signal))?.path
      : other.type === 'facebook'
        ? other.externalId
        : await pageOf(other, signal)
    // One that cannot be asked is subscribed anew once it is well again.
    if (place !== undefined && place === own) return true
  }
  return false
}

/** The Page whose token it is. */
async function pageOf(channel: ChannelAccess, signal: AbortSignal): Promise<string | undefined> {
  const { login, page_id: pageId } = channel.credentials
  if (login === 'instagram') return undefined
  if (pageId !== undefined) return pageId
  const result = await callGraph(channel, { method: 'GET', path: 'me', query: { fields: 'id' } }, signal)
  return result.ok ? idOf(fieldsOf(result.json).id) : undefined
}

const nowhere = {
  type: 'refused',
  class: 'content',
  code: 'no_account',
  reason: 'The id of the WhatsApp Business Account is not known: give it with the token.',
} as const
