/** WhatsApp Cloud API: one channel for each phone number. */
import { noFiles } from '../connector.ts'
import type { ChannelAccess, Connector, Limits, OutboundMessage, Outcome } from '../connector.ts'
import { careFor } from '../meta/care.ts'
import { appToken } from '../meta/condition.ts'
import { callGraph, callGraphAs, graphHost } from '../meta/graph.ts'
import type { GraphCall } from '../meta/graph.ts'
import { whatsappPermissions } from '../meta/permissions.ts'
import type { Wanted } from '../meta/subscription.ts'
import { fieldsOf, idOf, listOf, textOf, urlOf } from '../reading.ts'
import { hexOf } from './content.ts'
import { groupPrefix } from './people.ts'

const dayMs = 24 * 60 * 60 * 1000

export const whatsapp: Connector = {
  type: 'whatsapp',
  network: 'meta',
  addressScope: 'channel',
  limits: (thread) => (thread === 'direct' ? directLimits : publicLimits),

  /** Accepted is not delivered: failures come later, as a status with our reference. */
  async send(channel, message, signal) {
    const call = toCall(channel, message)
    if ('type' in call) return call
    const result = await callGraph(channel, call, signal)
    if (!result.ok) return result.outcome
    const externalId = listOf(fieldsOf(result.json).messages).flatMap((one) => idOf(fieldsOf(one).id) ?? [])[0]
    return externalId === undefined
      ? { type: 'unknown', code: 'no_id', reason: 'WhatsApp accepted the message and gave no id.' }
      : { type: 'sent', externalId }
  },

  /** Nothing can be read back; but the statuses of what arrived carry our reference. */
  lookUp: () =>
    Promise.resolve({
      type: 'undecided',
      reason: 'WhatsApp shows no sent messages; a status will tell if it arrived.',
    }),

  /** Files are named by id: the address is good for five minutes, and only with the token. */
  async locateMedia(channel, attachment, signal) {
    const { externalId } = attachment
    if (externalId === undefined)
      return { type: 'refused', class: 'content', code: 'no_id', reason: 'The file has no id at WhatsApp.' }
    const query = { phone_number_id: channel.externalId }
    const result = await callGraph(channel, { method: 'GET', path: encodeURIComponent(externalId), query }, signal)
    if (!result.ok) return result.outcome
    const answer = fieldsOf(result.json)
    const url = urlOf(answer.url)
    if (url === undefined)
      return { type: 'refused', class: 'content', code: 'no_url', reason: 'WhatsApp gave no address for the file.' }
    const contentType = textOf(answer.mime_type)
    const sha256 = hexOf(answer.sha256)
    return {
      type: 'ok',
      value: {
        url,
        headers: { authorization: `Bearer ${channel.credentials.access_token ?? ''}` },
        ...(contentType === undefined ? {} : { contentType }),
        ...(sha256 === undefined ? {} : { sha256 }),
      },
    }
  },

  ...careFor('whatsapp_business_account', whatsappPermissions, findAccount),
}

const directLimits: Limits = {
  kinds: ['reply', 'note'],
  maxTextLength: 4096,
  measureText: (text) => text.length,
  counting: 'characters',
  files: noFiles,
  extras: {},
  acts: [],
}
const publicLimits: Limits = {
  kinds: ['note'],
  maxTextLength: 4096,
  measureText: (text) => text.length,
  counting: 'characters',
  files: noFiles,
  extras: {},
  acts: [],
}

/** The one request that says `message`, or why it cannot be said (Cloud API: messages). */
function toCall(channel: ChannelAccess, message: OutboundMessage): GraphCall | Outcome {
  if (message.kind !== 'reply') return refuse('content', 'not_spoken', 'WhatsApp knows no comments.')
  if (message.text.trim() === '') return refuse('content', 'empty', 'The message is empty.')
  if (message.text.length > directLimits.maxTextLength)
    return refuse('content', 'too_long', `The text is longer than ${String(directLimits.maxTextLength)} characters.`)
  const personId = message.contactExternalId
  if (personId === undefined) return refuse('recipient', 'nobody', 'The message is addressed to nobody.')
  if (message.lastInboundAt !== undefined && Date.now() - message.lastInboundAt.getTime() > dayMs)
    return refuse(
      'window',
      'window_closed',
      'The person last wrote more than 24 hours ago; WhatsApp takes nothing but templates now.',
    )
  return {
    method: 'POST',
    path: `${encodeURIComponent(channel.externalId)}/messages`,
    body: {
      messaging_product: 'whatsapp',
      ...recipientOf(personId),
      type: 'text',
      text: { body: message.text, preview_url: true },
      ...(message.inReplyTo === undefined ? {} : { context: { message_id: message.inReplyTo } }),
      biz_opaque_callback_data: message.reference,
    },
  }
}

/** A phone number, a group, or the user id of somebody who shows no number. */
function recipientOf(personId: string): Readonly<Record<string, string>> {
  if (personId.startsWith(groupPrefix)) return { recipient_type: 'group', to: personId.slice(groupPrefix.length) }
  return /^\+?\d+$/.test(personId)
    ? { recipient_type: 'individual', to: personId }
    : { recipient_type: 'individual', recipient: personId }
}

const refuse = (reasonClass: 'content' | 'recipient' | 'window', code: string, reason: string): Outcome => ({
  type: 'refused',
  class: reasonClass,
  code,
  reason,
})

/**
 * Webhooks are subscribed for the business account: given with the token (`business_account_id`), or told by the token's
 * granular scopes (debug_token).
 */
async function findAccount(channel: ChannelAccess, signal: AbortSignal): Promise<Wanted | undefined> {
  const id = channel.credentials.business_account_id ?? (await askAccount(channel, signal))
  return id === undefined ? undefined : { path: encodeURIComponent(id), fields: [] }
}

async function askAccount(channel: ChannelAccess, signal: AbortSignal): Promise<string | undefined> {
  const token = channel.credentials.access_token
  if (token === undefined) return undefined
  const call = { method: 'GET', path: 'debug_token', query: { input_token: token } } as const
  const result = await callGraphAs(channel, appToken(channel) ?? token, graphHost, call, signal)
  if (!result.ok) return undefined
  const scopes = listOf(fieldsOf(fieldsOf(result.json).data).granular_scopes).map(fieldsOf)
  const own = scopes.find((one) => one.scope === 'whatsapp_business_management')
  const targets = Array.isArray(own?.target_ids) ? own.target_ids.map(idOf) : []
  return targets.length === 1 ? targets[0] : undefined
}
