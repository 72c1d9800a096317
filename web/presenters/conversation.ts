import type { Contact, ContactAddress, Post, Reader, ShownConversation, Storage } from '../../storage/index.ts'
import { channelTypes, priorities } from '../../storage/model/words.ts'
import type { ContactJson, ConversationJson } from './shapes.ts'

/** Conversations with what stands around them: one statement for all names, one more where there are posts. */
export async function presentConversations(
  storage: Storage,
  reader: Reader,
  accountId: string,
  conversations: readonly ShownConversation[],
): Promise<ConversationJson[]> {
  if (conversations.length === 0) return []
  const some = (idsOf: (conversation: ShownConversation) => readonly (string | null)[]): string[] => [
    ...new Set(conversations.flatMap(idsOf).filter((id) => id !== null)),
  ]
  const [names, posts] = await Promise.all([
    storage.names.find(reader, accountId, {
      channels: some(({ channelId }) => [channelId]),
      users: some(({ assigneeId, participantIds }) => [assigneeId, ...participantIds]),
      teams: some(({ teamId }) => [teamId]),
      labels: some(({ labelIds }) => labelIds),
    }),
    storage.posts
      .getMany(
        reader,
        accountId,
        some(({ postId }) => [postId]),
      )
      .then(byId),
  ])
  const named = (id: string | null): { id: string; name: string } | null => {
    const found = id === null ? undefined : names.get(id)
    return found === undefined ? null : { id: found.id, name: found.name }
  }
  return conversations.map((conversation) => {
    const channel = names.get(conversation.channelId)
    const post = conversation.postId === null ? undefined : posts.get(conversation.postId)
    return {
      id: conversation.id,
      channel: {
        id: conversation.channelId,
        type: channelTypes.find((type) => type === channel?.extra) ?? 'facebook',
        name: channel?.name ?? '',
      },
      contact: { id: conversation.contactId, name: conversation.contactName, handle: conversation.handle },
      visibility: conversation.visibility,
      status: conversation.status,
      snoozed_until: conversation.status === 'snoozed' ? (conversation.snoozedUntil?.toISOString() ?? null) : null,
      assignee: named(conversation.assigneeId),
      team: named(conversation.teamId),
      priority: priorities[conversation.priority] ?? 'none',
      labels: conversation.labelIds
        .flatMap((id) => {
          const label = names.get(id)
          return label === undefined ? [] : [{ id, name: label.name, color: label.extra }]
        })
        .sort((a, b) => a.name.localeCompare(b.name)),
      participants: conversation.participantIds.flatMap((id) => named(id) ?? []),
      post: post === undefined ? null : presentPost(post),
      preview: conversation.preview,
      last_activity_at: conversation.lastActivityAt.toISOString(),
      last_inbound_at: conversation.lastInboundAt?.toISOString() ?? null,
      waiting_since: conversation.waitingSince?.toISOString() ?? null,
      created_at: conversation.createdAt.toISOString(),
    }
  })
}

/** A person outside, with where they are. */
export function presentContact(contact: Contact, addresses: readonly ContactAddress[]): ContactJson {
  return {
    id: contact.id,
    name: contact.name,
    addresses: addresses
      .filter((address) => address.contactId === contact.id)
      .map((address) => ({
        id: address.id,
        channel_type: address.channelType,
        external_id: address.externalId,
        name: address.name,
        handle: address.handle,
      })),
  }
}

const presentPost = (post: Post): NonNullable<ConversationJson['post']> => ({
  id: post.id,
  external_id: post.externalId,
  text: post.text,
  permalink: post.permalink,
  occurred_at: post.occurredAt?.toISOString() ?? null,
  reactions: Object.entries(post.reactions ?? {})
    .map(([emoji, count]) => ({ emoji, count }))
    .sort((a, b) => b.count - a.count),
})

const byId = <Row extends { readonly id: string }>(rows: readonly Row[]): Map<string, Row> =>
  new Map(rows.map((row) => [row.id, row]))
