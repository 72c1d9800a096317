/** What the set-up doctor can say: each finding and each cure has a stable code with parameters, and an English sentence. */
import { reconnectCure } from './health.ts'

export const setupChecks = [
  'secrets',
  'address',
  'callback',
  'token',
  'permissions',
  'subscription',
  'expiry',
  'last_event',
] as const
export type SetupCheck = (typeof setupChecks)[number]

/** Every finding, in the order of the checks. */
// prettier-ignore
export const setupCodes = [
  'no_secret', 'no_verify_token', 'no_consumer_key', 'app_refused', 'app_not_asked', 'app_untested', 'app_known',
  'address_good', 'address_bad',
  'callback_good', 'callback_strange_app', 'callback_strange_answer', 'callback_unreachable',
  'token_good', 'token_untested', 'token_refused', 'network_not_asked',
  'permissions_good', 'permissions_untested', 'permissions_unknown', 'permissions_missing',
  'subscription_good', 'subscription_by_hand', 'subscription_missing', 'subscription_bad', 'subscription_not_asked',
  'expiry_none', 'expiry_good', 'expiry_soon', 'expiry_over',
  'event_came', 'no_event',
] as const
export type SetupCode = (typeof setupCodes)[number]

/** Every cure with its sentence; `{name}` stands for a parameter. */
const cures = {
  enter_secret: 'Enter the app secret under Apps.',
  enter_verify_token: 'Enter a verify token under Apps, and the same at Meta.',
  enter_consumer_key: 'Enter the consumer key of the X app under Apps.',
  correct_app: 'Compare the id and the newest secret under Apps with those at the network, and correct them.',
  set_public_url: 'Set PARLEY_PUBLIC_URL to an https address that reaches this site.',
  set_public_url_x: 'Set PARLEY_PUBLIC_URL to an https address without a port that reaches this site.',
  open_address: 'Make {address}/webhooks/ reach the web nodes from outside: name, certificate, proxy.',
  wait: 'Wait a minute and check again.',
  reconnect: reconnectCure,
  connect_again: 'Connect the channel again.',
  reconnect_with_rights: 'Reconnect the channel and allow everything that is asked.',
  subscribe_again: 'Reconnect the channel; if it stays, subscribe the webhook at the network by hand.',
  reconnect_before: 'Reconnect the channel before then.',
  write_to_channel: 'Write to the channel from another account and check again.',
} as const
export type SetupCure = keyof typeof cures
export const setupCures = Object.keys(cures) as [SetupCure, ...SetupCure[]]

/** What a sentence names; `at`: an instant as ISO 8601. */
export type SetupParameters = Readonly<Record<string, string>>

/** `cure`: the one step that mends it; null when it is well. */
export interface SetupLine {
  readonly check: SetupCheck
  readonly ok: boolean
  readonly code: SetupCode
  readonly parameters: SetupParameters
  readonly detail: string
  readonly cureCode: SetupCure | null
  readonly cure: string | null
}

export const well = (
  check: SetupCheck,
  code: SetupCode,
  detail: string,
  parameters: SetupParameters = {},
): SetupLine => ({
  ...{ check, ok: true, code, parameters, detail, cureCode: null, cure: null },
})

export const ill = (
  check: SetupCheck,
  code: SetupCode,
  detail: string,
  cureCode: SetupCure,
  parameters: SetupParameters = {},
): SetupLine => {
  const cure = cures[cureCode].replace(/\{(\w+)\}/g, (whole, name: string) => parameters[name] ?? whole)
  return { check, ok: false, code, parameters, detail, cureCode, cure }
}
