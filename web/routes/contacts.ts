/** People outside: found, looked at, changed, with what they have written on every channel. */
import { z } from 'zod'
import { addContactNote, changeContact, changeContactNote } from '../../backend/contacts.ts'
import { invalid, notFound } from '../../infra/errors.ts'
import type { Contact } from '../../storage/index.ts'
import { isId } from '../../infra/ids.ts'
import { attributeComparisons } from '../../storage/model/contact-filter.ts'
import type { AttributeCondition, ContactFilter } from '../../storage/model/contact-filter.ts'
import { channelTypes } from '../../storage/model/words.ts'
import { pageOf, readCursor } from '../cursor.ts'
import {
  attributeKey,
  contactCardShape,
  contactDetailShape,
  contactNoteShape,
  presentContactNote,
  presentContacts,
  presentMerge,
  segmentFilter,
  suggestionShape,
  timelineShape,
} from '../presenters/contact.ts'
import type { ContactDetailJson, ContactNoteJson, SegmentFilterJson, SuggestionJson } from '../presenters/contact.ts'
import { presentMessages } from '../presenters/message.ts'
import { page } from '../presenters/shapes.ts'
import { listFields, route } from '../route.ts'
import type { Call } from '../route.ts'

const params = z.strictObject({ id: z.string() })
const noteParams = z.strictObject({ id: z.string(), note_id: z.string() })
const noteText = z.string().trim().min(1).max(5_000)
const name = z.string().trim().min(1).max(200).regex(/^[^\p{Cc}]*$/u, 'Expected no control characters.') // prettier-ignore
const mostFound = 200
const dayMs = 86_400_000
const conditionText = z.string().max(600)

export const contactRoutes = [
  route({
    method: 'get',
    path: '/contacts',
    tag: 'contacts',
    summary: 'Contacts, the last active first; `q`: by name, handle, e-mail address or phone number in any writing',
    permission: 'contacts.read',
    query: z.strictObject({
      ...listFields,
      q: z.string().trim().max(200).optional(),
      segment: z.string().max(64).optional(),
      channel_id: z.string().max(64).optional(),
      channel_type: z.enum(channelTypes).optional(),
      label: z.string().max(64).optional(),
      active_since: z.iso.datetime().optional(),
      active_before: z.iso.datetime().optional(),
      is_blocked: z.enum(['true', 'false']).optional(),
      attribute: z
        .union([conditionText, z.array(conditionText).max(20)])
        .optional()
        .describe(`key:comparison:value, repeated; comparison: ${attributeComparisons.join(', ')}`),
    }),
    answer: page(contactCardShape),
    async handle({ query }, call) {
      const { storage, asker } = call
      const { limit, cursor, segment, attribute, is_blocked, ...rest } = query
      const asked: SegmentFilterJson = {
        ...rest,
        ...(is_blocked !== undefined && { is_blocked: is_blocked === 'true' }),
        ...(attribute !== undefined && { attributes: [attribute].flat().map(conditionOf) }),
      }
      const filters = [await filterOf(asked, call)]
      if (segment !== undefined) {
        const found = isId(segment) ? await storage.segments.get(storage.fresh, asker.accountId, segment) : undefined
        if (found === undefined) throw notFound('segment')
        filters.push(await filterOf(segmentFilter.parse(found.filter), call))
      }
      const rows = await storage.contactCare.list(
        storage.fresh,
        asker.accountId,
        filters,
        { before: readCursor(cursor), limit: limit + 1 },
        asker.scope,
      )
      const { items, next_cursor } = pageOf(rows, limit, (row) => row)
      return {
        items: await presentContacts(storage, storage.fresh, asker.accountId, items.map(({ id }) => id)), // prettier-ignore
        next_cursor,
      }
    },
  }),
  route({
    method: 'get',
    path: '/contacts/:id',
    tag: 'contacts',
    summary: 'One contact, with addresses, attributes and merges; under the id of one that was merged, the survivor',
    permission: 'contacts.read',
    params,
    answer: contactDetailShape,
    handle: ({ params }, call) => answerContact(params.id, call),
  }),
  route({
    method: 'patch',
    path: '/contacts/:id',
    tag: 'contacts',
    summary: 'Name, attributes (null takes one away), and whether what they write is to be answered',
    permission: 'contacts.edit',
    params,
    body: z.strictObject({
      name: name.optional(),
      attributes: z.record(attributeKey, z.unknown()).optional(),
      is_blocked: z.boolean().optional(),
    }),
    answer: contactDetailShape,
    async handle({ params, body }, call) {
      await changeContact(call, params.id, {
        name: body.name,
        attributes: body.attributes,
        isBlocked: body.is_blocked,
      })
      return answerContact(params.id, call)
    },
  }),
  route({
    method: 'get',
    path: '/contacts/:id/timeline',
    tag: 'contacts',
    summary: 'What was said with a contact, over all channels, the newest first',
    permission: 'conversations.read',
    params,
    query: z.strictObject(listFields),
    answer: page(timelineShape),
    async handle({ params, query }, call) {
      const { storage, asker } = call
      const contact = await needContact(params.id, call)
      const { accountId, scope } = asker
      const ids = await storage.contactCare.conversationIds(storage.fresh, accountId, contact.id, scope)
      const rows = await storage.contactCare.timeline(storage.fresh, accountId, ids, {
        before: readCursor(query.cursor),
        limit: query.limit + 1,
      })
      const { items, next_cursor } = pageOf(rows, query.limit, (row) => row)
      const [messages, channels] = await Promise.all([
        storage.messages.getMany(storage.fresh, accountId, items.map(({ id }) => id)), // prettier-ignore
        storage.channels.list(storage.fresh, accountId),
      ])
      const shown = new Map(
        (await presentMessages(storage, storage.fresh, accountId, messages)).map((message) => [message.id, message]),
      )
      return {
        items: items.flatMap(({ id }) => {
          const message = shown.get(id)
          const channel = channels.find((each) => each.id === message?.channel_id)
          return message === undefined || channel === undefined
            ? []
            : [{ message, channel: { id: channel.id, type: channel.type, name: channel.name } }]
        }),
        next_cursor,
      }
    },
  }),
  route({
    method: 'get',
    path: '/contacts/:id/suggestions',
    tag: 'contacts',
    summary: 'Others who may be the same person, and why',
    permission: 'contacts.read',
    params,
    answer: page(suggestionShape),
    async handle({ params }, call) {
      const { storage, asker } = call
      const contact = await needContact(params.id, call)
      const shared = await storage.contactKeys.sharing(storage.fresh, asker.accountId, contact.id, asker.scope, 60)
      const reasons = Map.groupBy(shared, ({ id }) => id)
      const others = await presentContacts(storage, storage.fresh, asker.accountId, [...reasons.keys()].slice(0, 10))
      const items = others.map((other): SuggestionJson => ({
        contact: other,
        reasons: (reasons.get(other.id) ?? []).map(({ kind, value }) => ({
          kind: kind === 'phone' ? 'phone' : kind === 'email' ? 'email' : kind === 'handle' ? 'handle' : 'name',
          value: kind === 'phone' ? Array.from(value).reverse().join('') : value,
        })),
      }))
      return { items, next_cursor: null }
    },
  }),
  route({
    method: 'get',
    path: '/contacts/:id/notes',
    tag: 'contacts',
    summary: 'What the team notes about a contact, the newest first',
    permission: 'contacts.read',
    params,
    answer: page(contactNoteShape),
    handle: async ({ params }, call) => ({
      items: await notesOf((await needContact(params.id, call)).id, call),
      next_cursor: null,
    }),
  }),
  route({
    method: 'post',
    path: '/contacts/:id/notes',
    tag: 'contacts',
    summary: 'Note something about a contact',
    permission: 'contacts.edit',
    params,
    body: z.strictObject({ text: noteText }),
    answer: contactNoteShape,
    status: 201,
    async handle({ params, body }, call) {
      await addContactNote(call, call.effectId, params.id, body.text)
      return answerNote(params.id, call.effectId, call)
    },
  }),
  route({
    method: 'patch',
    path: '/contacts/:id/notes/:note_id',
    tag: 'contacts',
    summary: 'Change one’s own note',
    permission: 'contacts.edit',
    params: noteParams,
    body: z.strictObject({ text: noteText }),
    answer: contactNoteShape,
    async handle({ params, body }, call) {
      await changeContactNote(call, params.id, params.note_id, body.text)
      return answerNote(params.id, params.note_id, call)
    },
  }),
  route({
    method: 'delete',
    path: '/contacts/:id/notes/:note_id',
    tag: 'contacts',
    summary: 'Take one’s own note away',
    permission: 'contacts.edit',
    params: noteParams,
    async handle({ params }, call) {
      await changeContactNote(call, params.id, params.note_id, null)
      return undefined
    },
  }),
]

/** Under the id of one that was merged, the survivor. @throws Problem 404 */
async function needContact(id: string, { storage, asker }: Call): Promise<Contact> {
  const read = (wanted: string) =>
    isId(wanted) ? storage.contacts.get(storage.fresh, asker.accountId, wanted) : Promise.resolve(undefined)
  const asked = await read(id)
  const contact =
    asked && (await storage.contacts.get(storage.fresh, asker.accountId, asked.mergedIntoId ?? asked.id, asker.scope))
  if (contact === undefined) throw notFound('contact')
  return contact
}

/** @throws Problem 404 */
export async function answerContact(id: string, call: Call): Promise<ContactDetailJson> {
  const { storage, asker } = call
  const contact = await needContact(id, call)
  const [[card], merges] = await Promise.all([
    presentContacts(storage, storage.fresh, asker.accountId, [contact.id]),
    storage.contactMerges.ofContact(storage.fresh, asker.accountId, contact.id),
  ])
  if (card === undefined) throw notFound('contact')
  return { ...card, merges: merges.map(presentMerge) }
}

async function notesOf(contactId: string, { storage, asker }: Call): Promise<ContactNoteJson[]> {
  const notes = await storage.contactCare.notes(storage.fresh, asker.accountId, contactId)
  const users = notes.length === 0 ? [] : await storage.users.list(storage.fresh, asker.accountId)
  return notes.map((note) => presentContactNote(note, users))
}

async function answerNote(contactId: string, id: string, call: Call): Promise<ContactNoteJson> {
  const note = (await notesOf(contactId, call)).find((each) => each.id === id)
  if (note === undefined) throw notFound('note')
  return note
}

/** `key:comparison:value`. @throws Problem 422 */
function conditionOf(text: string): AttributeCondition {
  const [key = '', comparison = '', ...rest] = text.split(':')
  const known = attributeComparisons.find((each) => each === comparison)
  if (!attributeKey.safeParse(key).success || known === undefined)
    throw invalid([{ field: 'attribute', message: 'Expected key:comparison:value.' }])
  const value = rest.join(':')
  const isNumber = (known === 'less' || known === 'more') && /^-?\d+(\.\d+)?$/.test(value)
  return { key, comparison: known, value: isNumber ? Number(value) : value }
}

/** As the store takes it; names of labels and words for people are looked up. */
async function filterOf(asked: SegmentFilterJson, { storage, asker }: Call): Promise<ContactFilter> {
  const since = latest(asked.active_since, asked.active_within_days)
  const before = asked.inactive_for_days === undefined ? undefined : new Date(Date.now() - asked.inactive_for_days * dayMs) // prettier-ignore
  const isAsked = asked.q !== undefined && asked.q !== ''
  const label = asked.label
  const labels = label === undefined ? [] : await storage.labels.list(storage.fresh, asker.accountId)
  return {
    ...(isAsked && {
      ids: await storage.contactKeys.find(storage.fresh, asker.accountId, asked.q ?? '', mostFound, asker.scope),
    }),
    channelId: asked.channel_id,
    channelType: asked.channel_type,
    labelId: label && (labels.find(({ id, name }) => id === label || name.toLowerCase() === label.toLowerCase())?.id ?? ''), // prettier-ignore
    activeSince: since,
    activeBefore: asked.active_before === undefined ? before : new Date(asked.active_before),
    isBlocked: asked.is_blocked,
    attributes: asked.attributes,
  }
}

const latest = (instant: string | undefined, days: number | undefined): Date | undefined =>
  days !== undefined ? new Date(Date.now() - days * dayMs) : instant === undefined ? undefined : new Date(instant)
