/** The webhook of the app itself, one for each object (Graph API: Application Subscriptions). It needs the app's own token. */
import type { Asked, ChannelAccess, Subscription, WebhookRegistration } from '../connector.ts'
import { fieldsOf, textOf } from '../reading.ts'
import { appToken } from './condition.ts'
import { callGraphAs, graphHost } from './graph.ts'
import { appFields } from './permissions.ts'
import type { WebhookObject } from './permissions.ts'

/** Where the app's webhook leads. Meta keeps one address for each object. */
type Found =
  /** It cannot be asked: the app's id or secret is not known, or Meta does not say. */
  | { readonly leads: 'unknown' }
  | { readonly leads: 'nowhere' }
  | { readonly leads: 'elsewhere'; readonly address: string }
  | { readonly leads: 'here'; readonly missing: readonly string[] }

async function look(
  channel: ChannelAccess,
  object: WebhookObject,
  webhook: WebhookRegistration,
  signal: AbortSignal,
): Promise<Found> {
  const { clientId } = channel.app
  const token = appToken(channel)
  if (clientId === undefined || token === undefined) return { leads: 'unknown' }
  const call = { method: 'GET', path: `${encodeURIComponent(clientId)}/subscriptions` } as const
  const result = await callGraphAs(channel, token, graphHost, call, signal)
  const data = result.ok ? fieldsOf(result.json).data : undefined
  if (!Array.isArray(data)) return { leads: 'unknown' }
  const own = data.map(fieldsOf).find((one) => one.object === object)
  if (own === undefined || own.active === false) return { leads: 'nowhere' }
  const address = textOf(own.callback_url) ?? ''
  // Hosts may be written in several ways; the path names our app.
  if (pathOf(address) !== pathOf(webhook.url)) return { leads: 'elsewhere', address }
  const names = (Array.isArray(own.fields) ? own.fields : []).map(
    (one: unknown) => textOf(one) ?? textOf(fieldsOf(one).name),
  )
  return { leads: 'here', missing: appFields[object].filter((field) => !names.includes(field)) }
}

/** Adds to what a channel's own subscription is what the app's webhook lacks: both must be whole. */
export async function withAppWebhook(
  channel: ChannelAccess,
  object: WebhookObject,
  webhook: WebhookRegistration,
  own: Asked<Subscription>,
  signal: AbortSignal,
): Promise<Asked<Subscription>> {
  if (own.type !== 'ok') return own
  const found = await look(channel, object, webhook, signal)
  const { value } = own
  switch (found.leads) {
    case 'unknown':
      return own
    case 'nowhere':
      return ill(value, `The app has no active webhook for "${object}": set it up in the app's dashboard at Meta.`)
    case 'elsewhere':
      return ill(
        value,
        `Meta sends "${object}" to another address, ${found.address.slice(0, 200)}: change it in the app's dashboard.`,
      )
    case 'here': {
      const { missing } = found
      if (missing.length === 0) return own
      const reason = `The app's webhook for "${object}" leaves out ${missing.join(', ')}.`
      return { type: 'ok', value: { ...value, missing: [...new Set([...value.missing, ...missing])], reason } }
    }
  }
}

const ill = (value: Subscription, reason: string): Asked<Subscription> => ({
  type: 'ok',
  value: { ...value, isActive: false, reason },
})

/** Whether Meta sends `object` to another address than ours: then what is subscribed is not for us. */
export async function leadsElsewhere(
  channel: ChannelAccess,
  object: WebhookObject,
  webhook: WebhookRegistration,
  signal: AbortSignal,
): Promise<boolean> {
  return (await look(channel, object, webhook, signal)).leads === 'elsewhere'
}

/** Sets the app's webhook up where it leads nowhere or leaves something out; one that leads elsewhere is left alone. */
export async function setUpAppWebhook(
  channel: ChannelAccess,
  object: WebhookObject,
  webhook: WebhookRegistration,
  signal: AbortSignal,
): Promise<void> {
  const found = await look(channel, object, webhook, signal)
  const isLacking = found.leads === 'nowhere' || (found.leads === 'here' && found.missing.length > 0)
  const { clientId } = channel.app
  if (!isLacking || clientId === undefined || webhook.verifyToken === undefined) return
  const query = {
    object,
    callback_url: webhook.url,
    verify_token: webhook.verifyToken,
    fields: appFields[object].join(','),
    include_values: 'true',
  }
  const call = { method: 'POST', path: `${encodeURIComponent(clientId)}/subscriptions`, query } as const
  // Whether it helped is seen when it is looked at next.
  await callGraphAs(channel, appToken(channel), graphHost, call, signal)
}

const pathOf = (url: string): string => URL.parse(url)?.pathname.replace(/\/$/, '') ?? url
