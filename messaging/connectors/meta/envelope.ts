/**
 * Takes Meta's envelope apart (Graph webhooks: object, entry, messaging, standby, changes). One POST may carry 1,000
 * updates of several pages; each is read on its own, so that a broken one costs no other.
 */
import type { ChannelType } from '../../../storage/model/words.ts'
import type { InboundEvent, ParsedItem } from '../connector.ts'
import { fieldsOf, idOf, instantOf, isFields, listOf, readJson, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { fitted } from './fit.ts'

/** Where an item stood: what all items of an entry share. */
export interface Entry {
  /** Id of the page (account, business account) the entry is for. */
  readonly id: string
  /** The entry's own time; for items that have none. */
  readonly at: Date
  /** Another app has the conversation at present: to be seen, not to be answered automatically. */
  readonly isStandby: boolean
}

/** Reads one kind of item; whatever it throws becomes `kept`. */
export type ReadItem = (item: Fields, entry: Entry) => InboundEvent
/** One of the events that a single change carries; `channelExternalId` where it is not the entry's own id. */
export interface Told {
  /** Where in the change, such as `messages.0`. */
  readonly at: string
  readonly channelExternalId: string | undefined
  readonly event: InboundEvent
}
/** The kinds of item of one sort of channel. */
export interface ItemReaders {
  readonly messaging: ReadItem
  readonly change: (field: string, value: Fields, entry: Entry) => InboundEvent | readonly Told[]
}

export const kept = (reason: string): InboundEvent => ({ type: 'kept', reason })

/** All items of a signed body, in order. Never throws. */
export function openEnvelope(
  body: Uint8Array,
  readers: Readonly<Partial<Record<ChannelType, ItemReaders>>>,
): ParsedItem[] {
  const json = readJson(body)
  const items: ParsedItem[] = []
  if (!isFields(json) && !Array.isArray(json)) {
    return [
      {
        at: '',
        channelType: undefined,
        channelExternalId: undefined,
        event: kept(json === undefined ? 'the body is not JSON' : 'the body is neither an object nor a list'),
      },
    ]
  }
  // Some documented samples are a list at the top.
  const envelopes = Array.isArray(json)
    ? json.map((one: unknown, index) => [`${String(index)}.`, one] as const)
    : [['', json] as const]
  for (const [prefix, envelope] of envelopes) openOne(prefix, fieldsOf(envelope), readers, items)
  if (items.length === 0)
    items.push({ at: '', channelType: undefined, channelExternalId: undefined, event: kept('the body has no items') })
  return items
}

const channelTypeOf: Readonly<Record<string, ChannelType | undefined>> = {
  page: 'facebook',
  instagram: 'instagram',
  whatsapp_business_account: 'whatsapp',
}

function openOne(
  prefix: string,
  envelope: Fields,
  readers: Readonly<Partial<Record<ChannelType, ItemReaders>>>,
  items: ParsedItem[],
): void {
  const object = textOf(envelope.object) ?? ''
  const channelType = Object.hasOwn(channelTypeOf, object) ? channelTypeOf[object] : undefined
  const own = channelType === undefined ? undefined : readers[channelType]

  listOf(envelope.entry).forEach((raw, index) => {
    const entry = fieldsOf(raw)
    const at = `${prefix}entry.${String(index)}`
    const id = idOf(entry.id)
    const put = (where: string, read: () => InboundEvent | readonly Told[]): void => {
      const told = guard(read)
      if ('type' in told)
        items.push({ at: where, channelType, channelExternalId: id === '0' ? undefined : id, event: fitted(told) })
      else
        for (const one of told)
          items.push({
            at: `${where}.${one.at}`,
            channelType,
            channelExternalId: one.channelExternalId,
            event: fitted(one.event),
          })
    }
    if (object === 'permissions' || object === 'user') {
      items.push(...readPermissions(at, entry))
      return
    }
    if (id === undefined || own === undefined || id === '0') {
      const reason =
        id === '0'
          ? 'test received: a test event from the dashboard'
          : id === undefined
            ? 'the entry names no channel'
            : `object "${object.slice(0, 60)}" is not shown`
      put(at, () => kept(reason))
      return
    }
    const time = instantOf(entry.time) ?? new Date()
    let count = 0
    for (const list of ['messaging', 'standby'] as const) {
      listOf(entry[list]).forEach((item, position) => {
        count += 1
        put(`${at}.${list}.${String(position)}`, () =>
          isFields(item)
            ? own.messaging(item, { id, at: time, isStandby: list === 'standby' })
            : kept('the item is not an object'),
        )
      })
    }
    const changes = listOf(entry.changes)
    // Instagram Login puts field and value into the entry itself.
    const all = changes.length === 0 && textOf(entry.field) !== undefined ? [entry] : changes
    if (Array.isArray(entry.changed_fields) && all.length === 0) {
      count += 1
      put(`${at}.changed_fields`, () => readChangedFields(entry.changed_fields, time))
    }
    all.forEach((item, position) => {
      count += 1
      const change = fieldsOf(item)
      const field = textOf(change.field)
      put(`${at}.changes.${String(position)}`, () =>
        field === undefined
          ? kept('the change names no field')
          : isFields(change.value)
            ? own.change(field, change.value, { id, at: time, isStandby: false })
            : kept(`the change of "${field.slice(0, 60)}" has no value`),
      )
    })
    if (count === 0) put(at, () => kept('the entry has no items'))
  })
}

/** What cannot be read costs itself only. */
export function guard<T>(read: () => InboundEvent | T): InboundEvent | T {
  try {
    return read()
  } catch (error) {
    return kept(`could not be read: ${error instanceof Error ? error.message.slice(0, 200) : 'unknown'}`)
  }
}

/** Page subscriptions without "Include Values" name the fields only: what was said is lost to us, so an operator must know. */
function readChangedFields(names: unknown, at: Date): InboundEvent {
  const fields = listed(names)
  return {
    type: 'notice',
    occurredAt: at,
    code: 'values_not_included',
    text: `Meta tells only that something changed (${fields}). Switch "Include Values" on for the webhook in the app's dashboard.`,
    state: 'degraded',
  }
}

const listed = (names: unknown): string =>
  (Array.isArray(names) ? names : [])
    .map(textOf)
    .filter((name) => name !== undefined)
    .slice(0, 10)
    .join(', ')
    .slice(0, 200)

/** Objects `permissions` and `user`: about a person who connected channels. A permission that is gone touches the named pages. */
function readPermissions(at: string, entry: Fields): ParsedItem[] {
  const time = instantOf(entry.time) ?? new Date()
  const none = { channelType: undefined, channelExternalId: undefined }
  const items = listOf(entry.changes).flatMap((raw, position): ParsedItem[] => {
    const { field, value } = fieldsOf(raw)
    const { verb, target_ids: targets } = fieldsOf(value)
    const name = textOf(field)?.slice(0, 60) ?? 'a permission'
    const where = `${at}.changes.${String(position)}`
    const ids = (Array.isArray(targets) ? targets : []).map(idOf).filter((id) => id !== undefined)
    if (verb !== 'revoked' || ids.length === 0)
      return [
        {
          at: where,
          ...none,
          event: kept(`the permission ${name} was changed: ${textOf(verb)?.slice(0, 40) ?? 'unknown'}`),
        },
      ]
    const text = `The permission ${name} was withdrawn. Sign in again and grant it.`
    const event: InboundEvent = {
      type: 'notice',
      occurredAt: time,
      code: 'permission_revoked',
      text,
      state: 'degraded',
    }
    return ids.slice(0, 1000).map((id) => ({ at: where, channelType: 'facebook', channelExternalId: id, event }))
  })
  return items.length > 0
    ? items
    : [
        {
          at,
          ...none,
          event: kept(`about the person who signed in: ${listed(entry.changed_fields) || 'nothing named'}`),
        },
      ]
}
