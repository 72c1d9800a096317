/** The closed vocabularies of Parley: ARCHITECTURE's words as types. Imports nothing. */

export const networkNames = ['meta', 'x'] as const
export type NetworkName = (typeof networkNames)[number]

export const channelTypes = ['facebook', 'instagram', 'whatsapp', 'x'] as const
export type ChannelType = (typeof channelTypes)[number]

/** Which network a channel type is spoken through. */
export const networkOf: Readonly<Record<ChannelType, NetworkName>> = {
  facebook: 'meta',
  instagram: 'meta',
  whatsapp: 'meta',
  x: 'x',
}

export const inboundKinds = ['message', 'comment', 'post', 'mention', 'interaction'] as const
export type InboundKind = (typeof inboundKinds)[number]

export const outboundKinds = ['reply', 'comment', 'private_reply', 'note'] as const
export type OutboundKind = (typeof outboundKinds)[number]

export type MessageKind = InboundKind | OutboundKind

export const directions = ['inbound', 'outbound'] as const
export type Direction = (typeof directions)[number]

export const visibilities = ['direct', 'public'] as const
/** Whether only the two sides see it, or everyone. */
export type Visibility = (typeof visibilities)[number]

export const conversationStatuses = ['open', 'pending', 'snoozed', 'resolved'] as const
export type ConversationStatus = (typeof conversationStatuses)[number]

export const availabilities = ['available', 'away', 'offline'] as const
/** Whether someone is given conversations. */
export type Availability = (typeof availabilities)[number]

export const assignmentWays = ['manual', 'round_robin', 'least_busy'] as const
/** How those that wait are given out: not at all, to each in turn, to whoever has the fewest. */
export type AssignmentWay = (typeof assignmentWays)[number]

export const priorities = ['none', 'low', 'high', 'urgent'] as const
/** Stored by its place in the list. */
export type Priority = (typeof priorities)[number]

export const deliveryStates = [
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'retrying',
  'unknown',
  'failed',
  'cancelled',
] as const
export type DeliveryState = (typeof deliveryStates)[number]

export const messageActs = ['hide', 'unhide', 'like', 'unlike', 'delete', 'react', 'unreact'] as const
/** What can be done to a message on its network, beside answering. */
export type MessageAct = (typeof messageActs)[number]

export const actStates = ['queued', 'doing', 'done', 'failed'] as const
export type ActState = (typeof actStates)[number]

export const attachmentStates = ['pending', 'fetched', 'unavailable'] as const
export type AttachmentState = (typeof attachmentStates)[number]

export const channelStates = ['connected', 'degraded', 'reconnect_needed'] as const
export type ChannelState = (typeof channelStates)[number]

export const receivedStates = ['pending', 'processed', 'kept', 'dead'] as const
export type ReceivedState = (typeof receivedStates)[number]

declare const brand: unique symbol
type Id<Name extends string> = string & { readonly [brand]: Name }
export type AccountId = Id<'account'>
export type UserId = Id<'user'>
export type AppId = Id<'app'>
export type ChannelId = Id<'channel'>
export type ContactId = Id<'contact'>
export type ConversationId = Id<'conversation'>
export type MessageId = Id<'message'>
export type DeliveryId = Id<'delivery'>
export type PostId = Id<'post'>
export type DocumentId = Id<'document'>
export type ReceivedId = Id<'received'>
export type TokenId = Id<'token'>
