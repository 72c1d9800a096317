/** Webhook subscriptions of one channel: `subscribed_apps` (Page, Instagram user, WhatsApp Business Account edges). */
import type { Asked, ChannelAccess, Subscription } from '../connector.ts'
import { fieldsOf, idOf, listOf, textOf } from '../reading.ts'
import { callGraph } from './graph.ts'

/** What to subscribe, and where: `me`, or the id of a business account. Without fields there is all or nothing. */
export interface Wanted {
  readonly path: string
  readonly fields: readonly string[]
}

/** Whether our app is subscribed, and to all that is wanted. */
export async function checkSubscribed(
  channel: ChannelAccess,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Asked<Subscription>> {
  const result = await callGraph(channel, { method: 'GET', path: `${wanted.path}/subscribed_apps` }, signal)
  if (!result.ok) return result.outcome
  const apps = listOf(fieldsOf(result.json).data).map(fieldsOf)
  const { clientId } = channel.app
  // WhatsApp wraps the app; and who does not know its own id can only take any.
  const own = apps.find((app) => {
    const id = idOf(app.id) ?? idOf(fieldsOf(app.whatsapp_business_api_data).id)
    return clientId === undefined || id === clientId
  })
  if (own === undefined)
    return {
      type: 'ok',
      value: {
        isActive: false,
        missing: wanted.fields,
        reason: 'Our app is not subscribed to this channel: Meta sends nothing.',
      },
    }
  // Either names, or objects with a name.
  const has = new Set(
    (Array.isArray(own.subscribed_fields) ? own.subscribed_fields : []).map(
      (one) => textOf(one) ?? textOf(fieldsOf(one).name),
    ),
  )
  const missing = wanted.fields.filter((field) => !has.has(field))
  const reason = missing.length === 0 ? undefined : `Not subscribed: ${missing.join(', ')}.`
  return { type: 'ok', value: { isActive: true, missing, reason } }
}

/** Subscribes to everything wanted, then looks. Safe to repeat. */
export async function subscribeTo(
  channel: ChannelAccess,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Asked<Subscription>> {
  const query = wanted.fields.length === 0 ? {} : { query: { subscribed_fields: wanted.fields.join(',') } }
  const result = await callGraph(channel, { method: 'POST', path: `${wanted.path}/subscribed_apps`, ...query }, signal)
  if (!result.ok) return result.outcome
  return checkSubscribed(channel, wanted, signal)
}
