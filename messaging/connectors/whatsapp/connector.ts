/** WhatsApp Cloud API: one channel for each phone number. */
import type { ChannelAccess, Connector, OutboundAct } from '../connector.ts'
import { doAct } from '../meta/acts.ts'
import { careFor } from '../meta/care.ts'
import { appToken } from '../meta/condition.ts'
import { callGraph, callGraphAs, graphHost } from '../meta/graph.ts'
import { whatsappPermissions } from '../meta/permissions.ts'
import { refuse } from '../meta/refuse.ts'
import type { Wanted } from '../meta/subscription.ts'
import { uploadBy } from '../meta/upload.ts'
import { fieldsOf, idOf, listOf, textOf, urlOf } from '../reading.ts'
import { hexOf } from './content.ts'
import { directLimits, publicLimits, recipientOf, splitParts, toCall } from './outgoing.ts'
import { listTemplates } from './templates.ts'

export const whatsapp: Connector = {
  type: 'whatsapp',
  network: 'meta',
  addressScope: 'channel',
  limits: (thread) => (thread === 'direct' ? directLimits : publicLimits),

  split: splitParts,
  upload: (channel, file, _use, _begun, signal) =>
    uploadBy(
      channel,
      {
        method: 'POST',
        path: `${encodeURIComponent(channel.externalId)}/media`,
        form: { fields: { messaging_product: 'whatsapp', type: file.contentType }, file, as: 'file' },
      },
      { name: 'id', goodForMs: mediaMs },
      signal,
    ),
  act: (channel, act, signal) => doAct(channel, actCall(channel, act), signal),
  async listTemplates(channel, signal) {
    const account = await findAccount(channel, signal)
    return account === undefined
      ? refuse('content', 'no_account', 'The id of the WhatsApp Business Account is not known: give it with the token.')
      : listTemplates(channel, account.path, signal)
  },

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

/** Media ids are good for 30 days; a day less, so that none dies between the look and the sending. */
const mediaMs = 29 * 24 * 60 * 60 * 1000

/** The one request that does it (Cloud API: reaction messages; mark as read; typing indicators, which mark as read too). */
function actCall(
  channel: ChannelAccess,
  { what, targetExternalId: target, contactExternalId: person, emoji }: OutboundAct,
) {
  if (target === undefined) return refuse('content', 'nothing', 'There is no message named that it could be done to.')
  const isReaction = what === 'react' || what === 'unreact'
  if (!isReaction && what !== 'seen' && what !== 'typing')
    return refuse('content', 'not_spoken', 'WhatsApp has nothing public.')
  if (isReaction && person === undefined) return refuse('recipient', 'nobody', 'There is nobody to show it to.')
  const content = isReaction
    ? {
        ...recipientOf(person ?? ''),
        type: 'reaction',
        reaction: { message_id: target, emoji: what === 'react' ? (emoji ?? '❤️') : '' },
      }
    : { status: 'read', message_id: target, ...(what === 'typing' ? { typing_indicator: { type: 'text' } } : {}) }
  const path = `${encodeURIComponent(channel.externalId)}/messages`
  return { method: 'POST', path, body: { messaging_product: 'whatsapp', ...content } } as const
}

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
