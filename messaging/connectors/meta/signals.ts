/** Messenger items that are no words: receipts, arrivals by a link, opt-ins, hand-over, Meta's policy (Messenger webhooks). */
import type { InboundEvent } from '../connector.ts'
import { fieldsOf, idOf, instantOf, isFields, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { digestOf } from './digest.ts'
import { kept } from './envelope.ts'
import type { Entry, ReadItem } from './envelope.ts'
import { extraOf } from './extras.ts'
import { personOf, timeOf } from './sides.ts'

/** By their key, in the order in which a key decides. */
export const signalKinds: readonly (readonly [string, ReadItem])[] = [
  ['delivery', readDelivery],
  ['read', readRead],
  ['referral', readReferral],
  ['optin', readOptIn],
  ['policy_enforcement', readPolicy],
  ['policy-enforcement', readPolicy],
  ['pass_thread_control', (item) => keptHandOver(item, 'pass_thread_control', 'the conversation was handed over')],
  ['take_thread_control', (item) => keptHandOver(item, 'take_thread_control', 'another app took the conversation')],
  [
    'request_thread_control',
    (item) => keptHandOver(item, 'request_thread_control', 'an app asks for the conversation'),
  ],
  ['app_roles', () => kept('hand-over: the roles of apps were set')],
  ['account_linking', () => kept('a person linked or unlinked an account')],
  ['message_request', () => kept('a message request was answered')],
  ['messaging_feedback', () => kept('the answers of a feedback form')],
  ['message_feedback', () => kept('a thumb up or down for a message')],
  ['game_play', () => kept('a game was played')],
  ['prior_message', () => kept('a person was found to have written before')],
]

/** Messenger webhooks: message_deliveries. It has no timestamp of its own; everything up to the watermark is delivered. */
function readDelivery(item: Fields, entry: Entry): InboundEvent {
  const delivery = fieldsOf(item.delivery)
  const ids = (Array.isArray(delivery.mids) ? delivery.mids : []).map(idOf).filter((id) => id !== undefined)
  return readReceipt('delivered', item, entry, instantOf(delivery.watermark), ids)
}

/** Messenger webhooks: message_reads (watermark); Instagram: messaging_seen (mid). */
function readRead(item: Fields, entry: Entry): InboundEvent {
  const read = fieldsOf(item.read)
  const mid = idOf(read.mid)
  return readReceipt('read', item, entry, instantOf(read.watermark), mid === undefined ? [] : [mid])
}

function readReceipt(
  state: 'delivered' | 'read',
  item: Fields,
  entry: Entry,
  upTo: Date | undefined,
  ids: readonly string[],
): InboundEvent {
  const person = personOf(item, entry)
  if (person === undefined || (upTo === undefined && ids.length === 0))
    return kept('a receipt that names no person or no message')
  return {
    type: 'receipt',
    state,
    person: { externalId: person },
    occurredAt: instantOf(item.timestamp) ?? upTo ?? entry.at,
    ...(upTo === undefined ? {} : { upTo }),
    ...(ids.length > 0 ? { ids } : {}),
  }
}

/** Messenger webhooks: messaging_referrals. The person came by a link or an advertisement: the window is open again. */
function readReferral(item: Fields, entry: Entry): InboundEvent {
  const referral = fieldsOf(item.referral)
  const personId = personOf(item, entry)
  if (personId === undefined) return kept('a referral without a person')
  const advertisement = textOf(fieldsOf(referral.ads_context_data).ad_title)
  return interaction(item, entry, personId, 'referral', 'Came by a link', advertisement ?? textOf(referral.ref), {
    referral,
  })
}

/** Messenger webhooks: messaging_optins. A checkbox names no person until they write (`user_ref`). */
function readOptIn(item: Fields, entry: Entry): InboundEvent {
  const optin = fieldsOf(item.optin)
  const personId = personOf(item, entry)
  if (personId === undefined)
    return kept(
      textOf(optin.user_ref) === undefined
        ? 'an opt-in without a person'
        : 'an opt-in by a checkbox: the person is not known until they write',
    )
  // The token of recurring notifications is a credential: it stays in the received log.
  const { notification_messages_token: _token, ...shown } = optin
  return interaction(item, entry, personId, 'optin', 'Opted in', textOf(optin.title) ?? textOf(optin.ref), {
    optin: shown,
  })
}

/** Something a person did without words, shown in the conversation. */
function interaction(
  item: Fields,
  entry: Entry,
  personId: string,
  key: string,
  title: string,
  text: string | undefined,
  extra: Fields,
): InboundEvent {
  return {
    type: 'message',
    kind: 'interaction',
    externalId: `${key}:${digestOf([entry.id, personId, item.timestamp ?? null, text ?? null])}`,
    occurredAt: timeOf(item, entry),
    from: { externalId: personId },
    thread: { kind: 'direct', personId },
    text: undefined,
    attachments: [{ kind: 'other', title, ...(text === undefined ? {} : { text: text.slice(0, 500) }) }],
    ...extraOf({ ...extra, standby: entry.isStandby ? true : undefined }),
  }
}

/** Messenger webhooks: messaging_policy_enforcement. */
function readPolicy(item: Fields, entry: Entry): InboundEvent {
  const policy = fieldsOf(item.policy_enforcement ?? item['policy-enforcement'])
  const action = textOf(policy.action)?.slice(0, 40) ?? 'unknown'
  const reason = textOf(policy.reason)?.slice(0, 400)
  const said =
    action === 'block'
      ? 'Meta has blocked messages of this channel'
      : action === 'unblock'
        ? 'Meta has lifted its block'
        : 'Meta warns this channel'
  return {
    type: 'notice',
    occurredAt: timeOf(item, entry),
    code: `policy_${action}`,
    text: reason === undefined ? `${said}.` : `${said}: ${reason}`,
    ...(action === 'block'
      ? { state: 'degraded' as const }
      : action === 'unblock'
        ? { state: 'connected' as const }
        : {}),
  }
}

/** Messenger webhooks: messaging_handovers. App ids come as text or number; null is nobody. */
function keptHandOver(item: Fields, key: string, what: string): InboundEvent {
  const control = isFields(item[key]) ? item[key] : {}
  const app =
    idOf(control.new_owner_app_id) ?? idOf(control.requested_owner_app_id) ?? idOf(control.previous_owner_app_id)
  return kept(`hand-over: ${what}${app === undefined ? '' : ` (app ${app.slice(0, 40)})`}`)
}
