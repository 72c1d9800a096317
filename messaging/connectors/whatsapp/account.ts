/**
 * What WhatsApp tells about the business account: templates, restrictions, quality, names (Cloud API webhooks: business
 * management). It has no phone number id, so it is addressed by the account's id.
 */
import type { InboundEvent } from '../connector.ts'
import type { Entry } from '../meta/envelope.ts'
import { idOf, instantOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'

/** Field, and what is said of it before the details. */
export const accountFields: Readonly<Record<string, string>> = {
  account_update: 'The WhatsApp account was changed',
  account_alerts: 'WhatsApp warns the account',
  account_review_update: 'The WhatsApp account was reviewed',
  account_settings_update: 'Settings of the WhatsApp account were changed',
  business_capability_update: 'What the WhatsApp account may do was changed',
  business_username_update: 'The user name of the business was changed',
  business_status_update: 'The state of the business was changed',
  message_template_status_update: 'A template was changed',
  message_template_quality_update: 'The quality of a template was changed',
  message_template_components_update: 'The content of a template was changed',
  template_category_update: 'The category of a template was changed',
  template_correct_category_detection: 'A template may be in the wrong category',
  phone_number_name_update: 'The name of a phone number was reviewed',
  phone_number_quality_update: 'The quality of a phone number was changed',
  security: 'A security setting of a phone number was changed',
  flows: 'A form was changed',
  payment_configuration_update: 'The payment settings were changed',
}

/** Details worth reading, in this order. */
const details = [
  'event', 'decision', 'message_template_name', 'message_template_language', 'previous_category', 'new_category',
  'previous_quality_score', 'new_quality_score', 'display_phone_number', 'requested_verified_name', 'rejection_reason',
  'current_limit', 'max_daily_conversation_per_phone', 'alert_type', 'alert_description', 'username', 'status', 'reason',
] as const // prettier-ignore

/** What ends or troubles sending. */
const states: Readonly<Record<string, 'degraded' | 'reconnect_needed' | 'connected'>> = {
  DISABLED_UPDATE: 'degraded',
  ACCOUNT_RESTRICTION: 'degraded',
  ACCOUNT_VIOLATION: 'degraded',
  ACCOUNT_DELETED: 'reconnect_needed',
  ACCOUNT_OFFBOARDED: 'reconnect_needed',
  PARTNER_REMOVED: 'reconnect_needed',
  REINSTATE: 'connected',
  ACCOUNT_RECONNECTED: 'connected',
}

export function readAccountChange(field: string, value: Fields, entry: Entry): InboundEvent {
  const words = details.flatMap((name) => {
    const said = textOf(value[name]) ?? idOf(value[name])
    return said === undefined || said === 'NONE' ? [] : [said.slice(0, 200)]
  })
  const event = textOf(value.event) ?? textOf(value.decision) ?? ''
  const state = field.startsWith('account') && Object.hasOwn(states, event) ? states[event] : undefined
  return {
    type: 'notice',
    occurredAt: instantOf(value.disable_date) ?? entry.at,
    code: field,
    text: `${accountFields[field] ?? field}${words.length > 0 ? `: ${words.join(', ')}` : ''}.`.slice(0, 500),
    ...(state === undefined ? {} : { state }),
  }
}
