/** What the items of one delivery share, and how an item is made of what stood there. */
import type { InboundEvent, ParsedItem } from '../connector.ts'
import { fieldsOf, instantOf, isFields } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { nameOf } from './people.ts'

/** What items share: the subscribed user, and everyone and everything named in the delivery. */
export interface Delivery {
  readonly userId: string
  readonly users: ReadonlyMap<string, Fields>
  /** By media key. */
  readonly media: ReadonlyMap<string, Fields>
  /** X Activity: `inbound` or `outbound`, where the subscription asks for one. */
  readonly direction: string | undefined
  /** We have blocked the author of these posts. */
  readonly isAuthorBlocked: boolean
}

export type ReadItem = (item: Fields, delivery: Delivery) => InboundEvent
export const kept = (reason: string): InboundEvent => ({ type: 'kept', reason: reason.toWellFormed() })

/** AAA `user_event.revoke`, XAA `oauth.revoke`: without `for_user_id`, the source is the account that is gone. `isFlat`: without `revoke` around it. */
export function readRevoke(at: string, value: unknown, isFlat: boolean, filtered?: string): ParsedItem {
  const event = fieldsOf(value)
  const revoke = isFields(event.revoke) ? event.revoke : event
  const userId = filtered ?? nameOf(fieldsOf(revoke.source).user_id) ?? nameOf(revoke.user_id)
  const isRevoke = isFlat ? userId !== undefined : isFields(event.revoke)
  return itemOf(at, userId, () =>
    isRevoke
      ? {
          type: 'revoked',
          occurredAt: instantOf(revoke.date_time) ?? new Date(),
          reason: 'The user withdrew the app’s access in X.',
        }
      : kept('a user event that is not yet shown'),
  )
}

/** One item; whatever reading it throws becomes `kept`. */
export function itemOf(at: string, userId: string | undefined, read: () => InboundEvent): ParsedItem {
  let event: InboundEvent
  try {
    event = read()
  } catch (error) {
    event = kept(`could not be read: ${error instanceof Error ? error.message : 'unknown'}`)
  }
  return { at, channelType: 'x', channelExternalId: userId, event }
}

/** Users as a map by id or as a list; a value may be wrapped in `{data}`. */
export function gatherUsers(...sources: readonly unknown[]): Map<string, Fields> {
  return gather(sources, (user, key) => key ?? nameOf(user.id_str) ?? nameOf(user.id))
}

/** The media of `includes`, by their keys. */
export function gatherMedia(...sources: readonly unknown[]): Map<string, Fields> {
  return gather(sources, (one) => nameOf(one.media_key))
}

function gather(
  sources: readonly unknown[],
  idOfOne: (one: Fields, key: string | undefined) => string | undefined,
): Map<string, Fields> {
  const found = new Map<string, Fields>()
  for (const source of sources) {
    const entries: (readonly [string | undefined, unknown])[] = Array.isArray(source)
      ? source.map((one: unknown) => [undefined, one])
      : Object.entries(fieldsOf(source))
    for (const [key, value] of entries) {
      const one = isFields(fieldsOf(value).data) ? fieldsOf(fieldsOf(value).data) : fieldsOf(value)
      const id = idOfOne(one, key)
      if (id !== undefined) found.set(id, one)
    }
  }
  return found
}
