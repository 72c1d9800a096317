/**
 * Takes Meta's envelope apart (Graph webhooks: object, entry, messaging, standby, changes). One POST may carry 1,000
 * updates of several pages; each is read on its own, so that a broken one costs no other.
 */
import type { ChannelType } from '../../../storage/model/words.ts'
import type { InboundEvent, ParsedItem } from '../connector.ts'
import { fieldsOf, idOf, instantOf, isFields, listOf, readJson, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'

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
/** The kinds of item of one sort of channel. */
export interface ItemReaders {
  readonly messaging: ReadItem
  readonly change: (field: string, value: Fields, entry: Entry) => InboundEvent
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
    const put = (where: string, read: () => InboundEvent): void => {
      items.push({ at: where, channelType, channelExternalId: id === '0' ? undefined : id, event: guard(read) })
    }
    if (id === undefined || own === undefined || id === '0') {
      const reason =
        id === '0'
          ? 'a test event from the dashboard'
          : id === undefined
            ? 'the entry names no channel'
            : `object "${object.slice(0, 60)}" is not yet shown`
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

function guard(read: () => InboundEvent): InboundEvent {
  try {
    return read()
  } catch (error) {
    return kept(`could not be read: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}
