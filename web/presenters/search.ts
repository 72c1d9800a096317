/** What a search has found, as it is shown: people first, then conversations with their best passages. */
import { z } from 'zod'
import type { Found } from '../../backend/search.ts'
import { covers } from '../../storage/index.ts'
import type { Reader, Scope, Storage } from '../../storage/index.ts'
import { passageOf, spansOf } from '../../storage/model/search-passage.ts'
import { channelTypes, conversationStatuses, directions, visibilities } from '../../storage/model/words.ts'
import { contactCardShape, presentContacts } from './contact.ts'

const id = z.string()
const instant = z.string()
const highlights = z
  .array(z.object({ start: z.number().int(), end: z.number().int() }))
  .describe('offsets in UTF-16 code units, `end` exclusive')

const contactItem = z.object({ type: z.literal('contact'), contact: contactCardShape, highlights })
const conversationItem = z.object({
  type: z.literal('conversation'),
  conversation: z.object({
    id,
    channel: z.object({ id, type: z.enum(channelTypes), name: z.string() }),
    contact: z.object({ id, name: z.string() }),
    visibility: z.enum(visibilities),
    status: z.enum(conversationStatuses),
    last_activity_at: instant,
  }),
  count: z.number().int().describe('messages found in it, of the best 1,000'),
  passages: z.array(
    z.object({
      message_id: id,
      direction: z.enum(directions),
      kind: z.string(),
      author: z.string().nullable().describe('who said it'),
      text: z.string(),
      highlights,
      occurred_at: instant,
    }),
  ),
})

export const searchShape = z.object({
  items: z.array(z.discriminatedUnion('type', [contactItem, conversationItem])),
  notes: z.array(
    z.object({
      code: z.enum(['taken_as_words', 'quote_not_closed', 'too_long', 'nothing_to_look_for', 'only_exclusions', 'not_found', 'partial']), // prettier-ignore
      about: z.string(),
    }),
  ),
  next_cursor: z.string().nullable(),
})
export type SearchJson = z.infer<typeof searchShape>
export type SearchItemJson = SearchJson['items'][number]

/** Read anew: what has gone since, or into a place that the asker may not see, is left out. */
export async function presentFound(
  storage: Storage,
  reader: Reader,
  asker: { readonly accountId: string; readonly scope: Scope },
  found: Found,
): Promise<SearchItemJson[]> {
  const { accountId } = asker
  const { wanted } = found.query
  const [people, conversations, messages, channels] = await Promise.all([
    presentContacts(storage, reader, accountId, found.contactIds),
    storage.conversations.getMany(reader, accountId, found.conversations.map((each) => each.id)),
    storage.messages.getMany(reader, accountId, found.conversations.flatMap(({ messageIds }) => messageIds)),
    storage.channels.list(reader, accountId),
  ]) // prettier-ignore
  const contactIds = [...conversations.map((each) => each.contactId), ...messages.flatMap(({ contactId }) => contactId ?? [])] // prettier-ignore
  const contacts = await storage.contacts.getMany(reader, accountId, [...new Set(contactIds)])
  const users = messages.some(({ authorId }) => authorId !== null) ? await storage.users.list(reader, accountId) : []
  const nameOf = (rows: readonly { readonly id: string; readonly name: string }[], wantedId: string | null) =>
    rows.find((row) => row.id === wantedId)?.name
  const items: SearchItemJson[] = people.map((contact) => ({
    type: 'contact',
    contact,
    highlights: spansOf(contact.name, wanted.map((each) => ({ ...each, isPrefix: each.terms.length === 1 }))).map(spread), // prettier-ignore
  }))
  for (const { id: wantedId, messageIds, count } of found.conversations) {
    const conversation = conversations.find((each) => each.id === wantedId)
    if (conversation === undefined || !covers(asker.scope, conversation)) continue
    const channel = channels.find((each) => each.id === conversation.channelId)
    const passages = messageIds.flatMap((messageId) => {
      const message = messages.find((each) => each.id === messageId && each.deletedAt === null)
      if (message === undefined || message.conversationId !== wantedId) return []
      const { text, highlights } = passageOf(message.text ?? '', wanted)
      return [
        {
          ...{ message_id: message.id, direction: message.direction, kind: message.kind, text },
          author: nameOf(users, message.authorId) ?? nameOf(contacts, message.contactId) ?? null,
          highlights: highlights.map(spread),
          occurred_at: message.occurredAt.toISOString(),
        },
      ]
    })
    if (passages.length === 0) continue
    items.push({
      type: 'conversation',
      conversation: {
        id: wantedId,
        channel: { id: conversation.channelId, type: channel?.type ?? 'facebook', name: channel?.name ?? '' },
        contact: { id: conversation.contactId, name: nameOf(contacts, conversation.contactId) ?? '' },
        visibility: conversation.visibility,
        status: conversation.status,
        last_activity_at: conversation.lastActivityAt.toISOString(),
      },
      ...{ count, passages },
    })
  }
  return items
}

const spread = ({ start, end }: { readonly start: number; readonly end: number }) => ({ start, end })
