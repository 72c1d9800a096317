/** Contacts as lists and their own pages show them. */
import { z } from 'zod'
import type { Contact, ContactNote, Merge, Reader, Storage } from '../../storage/index.ts'
import { attributeComparisons, attributeTypes } from '../../storage/model/contact-filter.ts'
import { channelTypes } from '../../storage/model/words.ts'
import { presentContact } from './conversation.ts'
import { contactShape, messageShape } from './shapes.ts'

const id = z.string()
const instant = z.string()
const attributeValue = z.union([z.string(), z.number(), z.boolean()])

/** One in a list. */
export const contactCardShape = contactShape.extend({
  attributes: z.record(z.string(), attributeValue).describe('by key, as defined under /contact-attributes'),
  blocked_at: instant.nullable().describe('since when what they write opens and wakes nothing'),
  last_activity_at: instant.nullable(),
  created_at: instant,
})
export type ContactCardJson = z.infer<typeof contactCardShape>

export const mergeShape = z.object({
  id,
  survivor_id: id,
  merged_id: id,
  merged_name: z.string(),
  conversation_count: z.number().int(),
  address_count: z.number().int(),
  merged_at: instant,
  undone_at: instant.nullable(),
})
export type MergeJson = z.infer<typeof mergeShape>

export const contactDetailShape = contactCardShape.extend({
  merges: z.array(mergeShape).describe('those that hold; each can be undone'),
})
export type ContactDetailJson = z.infer<typeof contactDetailShape>

export const contactNoteShape = z.object({
  id,
  author: z.object({ id, name: z.string() }),
  text: z.string(),
  created_at: instant,
  updated_at: instant,
})
export type ContactNoteJson = z.infer<typeof contactNoteShape>

export const suggestionShape = z.object({
  contact: contactCardShape,
  reasons: z.array(z.object({ kind: z.enum(['phone', 'email', 'handle', 'name']), value: z.string() })),
})
export type SuggestionJson = z.infer<typeof suggestionShape>

export const timelineShape = z.object({
  message: messageShape,
  channel: z.object({ id, type: z.enum(channelTypes), name: z.string() }),
})
export type TimelineJson = z.infer<typeof timelineShape>

export const attributeShape = z.object({
  key: z.string(),
  name: z.string(),
  type: z.enum(attributeTypes),
  choices: z.array(z.string()).nullable(),
})
export type AttributeJson = z.infer<typeof attributeShape>

export const attributeKey = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'Expected lower case letters, digits and _.')

/** What a segment is: all of it has to hold. */
export const segmentFilter = z.strictObject({
  q: z.string().trim().max(200).optional(),
  channel_id: z.string().max(64).optional(),
  channel_type: z.enum(channelTypes).optional(),
  label: z.string().max(64).optional().describe('name or id of a label of one of their conversations'),
  active_since: z.iso.datetime().optional(),
  active_before: z.iso.datetime().optional(),
  active_within_days: z.number().int().min(1).max(3_650).optional(),
  inactive_for_days: z.number().int().min(1).max(3_650).optional(),
  is_blocked: z.boolean().optional(),
  attributes: z
    .array(
      z.strictObject({
        key: attributeKey,
        comparison: z.enum(attributeComparisons),
        value: z.union([z.string().max(500), z.number(), z.boolean()]).optional(),
      }),
    )
    .max(20)
    .optional(),
})
export type SegmentFilterJson = z.infer<typeof segmentFilter>

export const segmentShape = z.object({ id, name: z.string(), filter: segmentFilter })
export type SegmentJson = z.infer<typeof segmentShape>

/** In the order of `ids`; who is gone is left out. */
export async function presentContacts(
  storage: Storage,
  reader: Reader,
  accountId: string,
  ids: readonly string[],
): Promise<ContactCardJson[]> {
  const [contacts, addresses] = await Promise.all([
    storage.contacts.getMany(reader, accountId, ids),
    storage.contacts.addressesOf(reader, accountId, ids),
  ])
  const byId = new Map(contacts.map((contact) => [contact.id, contact]))
  return ids.flatMap((each) => {
    const contact = byId.get(each)
    return contact === undefined ? [] : [{ ...presentContact(contact, addresses), ...careOf(contact) }]
  })
}

const careOf = (contact: Contact) => ({
  attributes: { ...contact.attributes },
  blocked_at: contact.blockedAt?.toISOString() ?? null,
  last_activity_at: contact.lastActivityAt?.toISOString() ?? null,
  created_at: contact.createdAt.toISOString(),
})

export const presentMerge = (merge: Merge): MergeJson => ({
  id: merge.id,
  survivor_id: merge.survivorId,
  merged_id: merge.mergedId,
  merged_name: merge.snapshot.merged.name,
  conversation_count: merge.snapshot.conversation_ids.length,
  address_count: merge.snapshot.address_ids.length,
  merged_at: merge.mergedAt.toISOString(),
  undone_at: merge.undoneAt?.toISOString() ?? null,
})

export const presentContactNote = (
  note: ContactNote,
  users: readonly { readonly id: string; readonly name: string }[],
): ContactNoteJson => ({
  id: note.id,
  author: { id: note.authorId, name: users.find((user) => user.id === note.authorId)?.name ?? '' },
  text: note.text,
  created_at: note.createdAt.toISOString(),
  updated_at: note.updatedAt.toISOString(),
})
