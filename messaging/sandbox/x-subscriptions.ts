/** Which accounts X tells of, and in which form: Account Activity whole, X Activity by types. */
import { fieldsOf, listOf, textOf } from '../connectors/reading.ts'
import type { SandboxApp, World } from './world.ts'

/** One of X Activity. */
export interface ActivitySubscription {
  readonly subscription_id: string
  readonly event_type: string
  readonly tag: string | undefined
  readonly created_at: string
}

export const activityTypes: readonly string[] = [
  'post.create',
  'post.delete',
  'post.mention.create',
  'post.reply.create',
  'post.quote.create',
  'post.repost.create',
  'like.create',
  'dm.received',
  'dm.sent',
  'dm.read',
  'dm.indicate_typing',
  'chat.received',
  'chat.sent',
  'oauth.revoke',
]

export interface Subscribed {
  readonly aaa: boolean
  readonly activity: readonly ActivitySubscription[]
}

/** What the account is subscribed to; nobody having said otherwise, what the app's `x_form` says. */
export function subscribedOf(world: World, app: SandboxApp, channel: string): Subscribed {
  const note = world.notes.get(`x.subscribed.${channel}`)
  if (note === undefined) {
    const form = app.x_form ?? 'aaa'
    if (form === 'aaa') return { aaa: true, activity: [] }
    const all = activityTypes.map((event_type) => ({
      subscription_id: `${channel}${String(activityTypes.indexOf(event_type))}`,
      event_type,
      tag: undefined,
      created_at: '2026-01-01T00:00:00.000Z',
    }))
    return { aaa: form === 'both', activity: all }
  }
  const fields = fieldsOf(note)
  return {
    aaa: fields.aaa === true,
    activity: listOf(fields.activity).map((one) => {
      const each = fieldsOf(one)
      return {
        subscription_id: textOf(each.subscription_id) ?? '',
        event_type: textOf(each.event_type) ?? '',
        tag: textOf(each.tag),
        created_at: textOf(each.created_at) ?? '',
      }
    }),
  }
}

/** `undefined`: as at the beginning. */
export function setSubscribedOf(world: World, channel: string, subscribed: Subscribed | undefined): void {
  world.note(`x.subscribed.${channel}`, subscribed)
}

export function formsOf(world: World, app: SandboxApp, channel: string): { aaa: boolean; types: ReadonlySet<string> } {
  const { aaa, activity } = subscribedOf(world, app, channel)
  return { aaa, types: new Set(activity.map(({ event_type }) => event_type)) }
}
