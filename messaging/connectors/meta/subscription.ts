/** Webhook subscriptions of one channel: `subscribed_apps` (Page, Instagram user, WhatsApp Business Account edges). */
import type { Asked, ChannelAccess, Subscription, Unsubscribed } from '../connector.ts'
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
  const asked = await askFields(channel, wanted, signal)
  if (asked.type !== 'ok') return asked
  const fields = asked.value
  if (fields === undefined) {
    const reason = 'Our app is not subscribed to this channel: Meta sends nothing.'
    return { type: 'ok', value: { isActive: false, missing: wanted.fields, reason } }
  }
  const missing = wanted.fields.filter((field) => !fields.includes(field))
  const reason = missing.length === 0 ? undefined : `Not subscribed: ${missing.join(', ')}.`
  return { type: 'ok', value: { isActive: true, missing, reason } }
}

/**
 * Subscribes to everything wanted, then looks. Safe to repeat. The list is replaced as a whole, and a page shares it with
 * its Instagram account: what is there stays.
 */
export async function subscribeTo(
  channel: ChannelAccess,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Asked<Subscription>> {
  const asked = await askFields(channel, wanted, signal)
  if (asked.type !== 'ok') return asked
  const fields = [...new Set([...(wanted.fields.length === 0 ? [] : (asked.value ?? [])), ...wanted.fields])]
  const query = fields.length === 0 ? {} : { query: { subscribed_fields: fields.join(',') } }
  const result = await callGraph(channel, { method: 'POST', path: `${wanted.path}/subscribed_apps`, ...query }, signal)
  if (!result.ok) return result.outcome
  return checkSubscribed(channel, wanted, signal)
}

/** Ends it, whole: Meta keeps one list of fields for each place. */
export async function unsubscribeFrom(
  channel: ChannelAccess,
  { path }: Wanted,
  signal: AbortSignal,
): Promise<Asked<Unsubscribed>> {
  const result = await callGraph(channel, { method: 'DELETE', path: `${path}/subscribed_apps` }, signal)
  return result.ok ? { type: 'ok', value: 'ended' } : result.outcome
}

/** The fields that our app is subscribed to; `undefined` when it is not subscribed at all. */
async function askFields(
  channel: ChannelAccess,
  { path }: Wanted,
  signal: AbortSignal,
): Promise<Asked<readonly string[] | undefined>> {
  const result = await callGraph(channel, { method: 'GET', path: `${path}/subscribed_apps` }, signal)
  if (!result.ok) return result.outcome
  const { clientId } = channel.app
  // WhatsApp wraps the app; and who does not know its own id can only take any.
  const own = listOf(fieldsOf(result.json).data)
    .map(fieldsOf)
    .find((app) => {
      const id = idOf(app.id) ?? idOf(fieldsOf(app.whatsapp_business_api_data).id)
      return clientId === undefined || id === clientId
    })
  if (own === undefined) return { type: 'ok', value: undefined }
  // Either names, or objects with a name.
  const listed = Array.isArray(own.subscribed_fields) ? own.subscribed_fields : []
  return { type: 'ok', value: listed.flatMap((one) => textOf(one) ?? textOf(fieldsOf(one).name) ?? []) }
}
