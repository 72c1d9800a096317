/** What Meta keeps beside a channel: the state of its tokens, what is subscribed, the business account of a number. */
import { fieldsOf, textOf } from '../connectors/reading.ts'
import {
  instagramLoginFields,
  instagramPageFields,
  instagramPermissions,
  pageFields,
  pagePermissions,
  whatsappPermissions,
} from '../connectors/meta/permissions.ts'
import { isSubscribed, setSubscribed } from './subscriptions.ts'
import type { Stage } from './customers.ts'
import { graphError } from './graph-error.ts'
import type { Answer } from './http.ts'
import type { SandboxChannel, World } from './world.ts'

/** How a token stands; good for ever unless something was said of it. */
export interface TokenState {
  readonly is_valid: boolean
  /** Of error 190. */
  readonly subcode: number | undefined
  /** Milliseconds of the sandbox's time. */
  readonly expires_at: number | undefined
  readonly scopes: readonly string[] | undefined
}

export function tokenState(stage: Stage, token: string): TokenState {
  const note = fieldsOf(stage.world.notes.get(`meta.token.${token}`))
  const expiresAt = typeof note.expires_at === 'number' ? note.expires_at : undefined
  // `dead`: the owner took back what was allowed.
  const isDead = stage.world.notes.has(`dead.${token}`)
  const isOver = expiresAt !== undefined && stage.clock.now() >= expiresAt
  return {
    is_valid: note.is_valid !== false && !isOver && !isDead,
    subcode: isDead ? 458 : isOver ? 463 : typeof note.subcode === 'number' ? note.subcode : undefined,
    expires_at: expiresAt,
    scopes: Array.isArray(note.scopes) ? note.scopes.map(textOf).filter((scope) => scope !== undefined) : undefined,
  }
}

export const setTokenState = (world: World, token: string, state: Partial<TokenState>): void => {
  world.note(`meta.token.${token}`, { ...fieldsOf(world.notes.get(`meta.token.${token}`)), ...state })
}

/** Another token for the same channels, as a refresh gives it. */
export function grantToken(world: World, token: string, channels: readonly SandboxChannel[]): void {
  world.note(
    `meta.granted.${token}`,
    channels.map((channel) => channel.external_id),
  )
}

/** Every channel of Meta that a token speaks for: a page and the Instagram account linked to it share one. */
export function channelsOf(world: World, token: string): SandboxChannel[] {
  const granted = new Set(listed(world.notes.get(`meta.granted.${token}`)))
  return [...world.channels.values()].filter(
    (channel) => channel.type !== 'x' && (channel.access_token === token || granted.has(channel.external_id)),
  )
}

const listed = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(textOf).filter((one) => one !== undefined) : []

export const businessAccountOf = (channel: SandboxChannel): string =>
  channel.business_account_id ?? `9${channel.external_id}`
/** The number as it is shown: the channel's name where that is one, else made of the id. */
export const displayNumberOf = (channel: SandboxChannel): string =>
  /^\+[\d ]+$/.test(channel.name)
    ? channel.name.replace(/\D/g, '')
    : `1555${channel.external_id.replace(/\D/g, '').slice(-7).padStart(7, '0')}`

// prettier-ignore
export const permissionsOf = (channel: SandboxChannel): readonly string[] =>
  channel.type === 'whatsapp' ? whatsappPermissions : channel.type === 'instagram' ? instagramPermissions : pagePermissions

/** The channels that one subscription is for: a page and the Instagram account linked to it. */
const together = (world: World, channel: SandboxChannel): SandboxChannel[] => [
  channel,
  ...[...world.channels.values()].filter(
    (one) => one.type === 'instagram' && channel.type === 'facebook' && one.page_id === channel.external_id,
  ),
]

/** `subscribed_apps`: GET shows, POST subscribes to the given fields and no other, DELETE ends it. */
export function subscribedApps(
  stage: Stage,
  channel: SandboxChannel,
  method: string,
  fields: string | undefined,
): Answer {
  const { world } = stage
  const key = `meta.fields.${channel.external_id}`
  // Whether an account without a page signed in at Instagram or at Facebook cannot be seen here.
  const all: readonly string[] =
    channel.type === 'instagram' ? [...new Set([...instagramLoginFields, ...instagramPageFields])] : pageFields
  const whole = together(world, channel)
  if (method === 'POST') {
    const wanted = (fields ?? '').split(',').filter((field) => field !== '')
    const unknown = wanted.find((field) => !all.includes(field))
    if (unknown !== undefined)
      return graphError(100, undefined, `Param subscribed_fields must be one of ${all.join(', ')} - got "${unknown}".`)
    if (channel.type !== 'whatsapp') {
      if (wanted.length === 0) return graphError(100, undefined, 'The parameter subscribed_fields is required.')
      world.note(key, wanted)
    }
    for (const one of whole) setSubscribed(world, one.external_id, true)
    return { status: 200, json: { success: true } }
  }
  if (method === 'DELETE') {
    for (const one of whole) setSubscribed(world, one.external_id, false, 'Unsubscribed by a call.')
    return { status: 200, json: { success: true } }
  }
  if (!whole.every((one) => isSubscribed(world, one.external_id))) return { status: 200, json: { data: [] } }
  const { app_id: id } = channel
  const own =
    channel.type === 'whatsapp'
      ? { whatsapp_business_api_data: { id, name: 'Sandbox app', link: 'https://www.facebook.com/' } }
      : { id, name: 'Sandbox app', subscribed_fields: world.notes.get(key) ?? all }
  return { status: 200, json: { data: [own] } }
}
