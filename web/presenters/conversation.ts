import type { Contact, ContactAddress, Conversation, Post, Reader, Storage } from '../../storage/index.ts'
import type { ContactJson, ConversationJson } from './shapes.ts'

/** Conversations with what stands around them: a fixed number of queries, whatever their count. */
export async function presentConversations(
  storage: Storage,
  reader: Reader,
  accountId: string,
  conversations: readonly Conversation[],
): Promise<ConversationJson[]> {
  if (conversations.length === 0) return []
  const contactIds = [...new Set(conversations.map((conversation) => conversation.contactId))]
  const postIds = [...new Set(conversations.flatMap(({ postId }) => (postId === null ? [] : [postId])))]
  const isAssigned = conversations.some(({ assigneeId }) => assigneeId !== null)
  const [channels, contacts, addresses, posts, users] = await Promise.all([
    storage.channels.list(reader, accountId).then(byId),
    storage.contacts.getMany(reader, accountId, contactIds).then(byId),
    storage.contacts.addressesOf(reader, accountId, contactIds).then(byId),
    storage.posts.getMany(reader, accountId, postIds).then(byId),
    isAssigned ? storage.users.list(reader, accountId).then(byId) : undefined,
  ])
  return conversations.map((conversation) => {
    const channel = channels.get(conversation.channelId)
    const address = addresses.get(conversation.contactAddressId)
    const post = conversation.postId === null ? undefined : posts.get(conversation.postId)
    const assignee = conversation.assigneeId === null ? undefined : users?.get(conversation.assigneeId)
    return {
      id: conversation.id,
      channel: { id: conversation.channelId, type: channel?.type ?? 'facebook', name: channel?.name ?? '' },
      contact: {
        id: conversation.contactId,
        name: contacts.get(conversation.contactId)?.name ?? '',
        handle: address?.handle ?? null,
      },
      visibility: conversation.visibility,
      status: conversation.status,
      assignee: assignee === undefined ? null : { id: assignee.id, name: assignee.name },
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
