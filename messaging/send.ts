/** An answer is queued: message, place in the order of sending and fact, in one transaction; `deliver.ts` does the rest. */
import { conflict, notFound, Problem } from '../infra/errors.ts'
import { newId } from '../infra/ids.ts'
import type { Channel, Conversation, Message, Storage, Writer } from '../storage/index.ts'
import type { OutboundKind } from '../storage/model/words.ts'
import { deliveryChanged } from './changes.ts'
import type { Connector } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'
import { previewOf } from './summary.ts'
import { windowClosesAt } from './windows.ts'

export interface NewReply {
  /** Its id, where the caller may ask twice for the same: the second time gives the message that is there. */
  readonly id?: string
  readonly accountId: string
  readonly conversationId: string
  /** Who writes; null: Parley itself. */
  readonly userId: string | null
  readonly kind: Exclude<OutboundKind, 'note'>
  readonly text: string
  /** The message that is answered, by our id; public answers take the newest one of the contact when it is left out. */
  readonly inReplyTo?: string
}

/**
 * Queues an answer; the message as it is stored.
 * @throws Problem 404; 422 with code `kind_not_possible`, `empty`, `too_long`, `window_closed` or `nothing_to_answer`
 */
export function sendReply(storage: Storage, reply: NewReply): Promise<Message> {
  return storage.write(async (tx) => {
    const { accountId, userId } = reply
    const { conversation, channel, connector } = await lockForWriting(storage, tx, accountId, reply.conversationId)
    const already = await findAlready(storage, tx, reply)
    if (already !== undefined) return already
    checkLimits(conversation, connector, reply)
    const message: Message = {
      ...blank(conversation, userId, reply.kind, reply.text, reply.id),
      visibility: reply.kind === 'comment' ? 'public' : 'direct',
      inReplyTo: await answered(storage, tx, conversation, reply),
    }
    const seq = await storage.conversations.takeTurn(tx, conversation, previewOf(message.text), message.occurredAt)
    const delivery = {
      id: newId(),
      accountId,
      channelId: channel.id,
      conversationId: conversation.id,
      messageId: message.id,
      seq,
    }
    await storage.messages.insert(tx, [message])
    await storage.deliveries.insert(tx, delivery)
    const data = {
      conversation_id: conversation.id,
      message_id: message.id,
      channel_id: channel.id,
      delivery_id: delivery.id,
      by: userId,
    }
    await storage.outbox.append(tx, { type: 'message.queued', accountId, data })
    return message
  })
}

/** A note for colleagues; no network ever sees it. @throws Problem 404; 422 with code `empty` */
export function addNote(
  storage: Storage,
  note: Pick<NewReply, 'id' | 'accountId' | 'conversationId' | 'userId' | 'text'>,
): Promise<Message> {
  return storage.write(async (tx) => {
    const conversation = await storage.conversations.lock(tx, note.accountId, note.conversationId)
    if (conversation === undefined) throw notFound('conversation')
    const already = await findAlready(storage, tx, note)
    if (already !== undefined) return already
    if (note.text.trim() === '') throw refusal('empty', 'text', 'The note has no text.')
    const message = blank(conversation, note.userId, 'note', note.text, note.id)
    await storage.messages.insert(tx, [message])
    await storage.outbox.append(tx, {
      type: 'note.added',
      accountId: note.accountId,
      data: { conversation_id: conversation.id, message_id: message.id, by: note.userId },
    })
    return message
  })
}

/** Tries again what failed, was cancelled or whose fate nobody could tell; a person has looked. @throws Problem 404, 409 `not_retryable` */
export function retryDelivery(storage: Storage, accountId: string, messageId: string): Promise<void> {
  return storage.write(async (tx) => {
    const delivery = await storage.deliveries.lockByMessage(tx, accountId, messageId)
    if (delivery === undefined) throw notFound('delivery')
    if (!['failed', 'unknown', 'cancelled'].includes(delivery.state))
      throw conflict('not_retryable', `A message that is ${delivery.state} cannot be sent again.`)
    await storage.deliveries.change(tx, accountId, delivery.id, { state: 'queued' })
    await storage.outbox.append(tx, deliveryChanged(delivery, 'queued'))
  })
}

/** Takes back what has not left. @throws Problem 404, 409 `not_cancellable` */
export function cancelDelivery(storage: Storage, accountId: string, messageId: string): Promise<void> {
  return storage.write(async (tx) => {
    const delivery = await storage.deliveries.lockByMessage(tx, accountId, messageId)
    if (delivery === undefined) throw notFound('delivery')
    if (delivery.state !== 'queued' && delivery.state !== 'retrying')
      throw conflict('not_cancellable', `A message that is ${delivery.state} cannot be taken back.`)
    await storage.deliveries.change(tx, accountId, delivery.id, { state: 'cancelled' })
    await storage.outbox.append(tx, deliveryChanged(delivery, 'cancelled'))
  })
}

async function lockForWriting(
  storage: Storage,
  tx: Writer,
  accountId: string,
  id: string,
): Promise<{ conversation: Conversation; channel: Channel; connector: Connector }> {
  const conversation = await storage.conversations.lock(tx, accountId, id)
  const channel = conversation && (await storage.channels.get(tx, accountId, conversation.channelId))
  if (conversation === undefined || channel === undefined) throw notFound('conversation')
  const connector = connectorOf(channel.type)
  if (connector === undefined) throw refusal('kind_not_possible', 'kind', `Parley cannot write to ${channel.type} yet.`)
  return { conversation, channel, connector }
}

/** The message of an earlier try under the same id; the conversation is locked, so there is no other try at the same time. */
function findAlready(
  storage: Storage,
  tx: Writer,
  said: Pick<NewReply, 'id' | 'accountId'>,
): Promise<Message | undefined> {
  return said.id === undefined ? Promise.resolve(undefined) : storage.messages.get(tx, said.accountId, said.id)
}

function checkLimits(conversation: Conversation, connector: Connector, reply: NewReply): void {
  const limits = connector.limits(conversation.visibility)
  if (!limits.kinds.includes(reply.kind))
    throw refusal(
      'kind_not_possible',
      'kind',
      `A ${reply.kind.replace('_', ' ')} cannot be written in this conversation.`,
    )
  if (reply.text.trim() === '') throw refusal('empty', 'text', 'The answer has no text.')
  const length = limits.measureText(reply.text)
  if (length > limits.maxTextLength)
    throw refusal(
      'too_long',
      'text',
      `The text has ${String(length)} of at most ${String(limits.maxTextLength)} characters, as the network counts them.`,
    )
  const closesAt =
    reply.kind === 'reply'
      ? windowClosesAt(connector.type, conversation.visibility, conversation.lastInboundAt)
      : undefined
  if (closesAt !== undefined && closesAt.getTime() <= Date.now()) {
    throw refusal(
      'window_closed',
      'text',
      `The network took answers until ${closesAt.toISOString()}; the person must write again first.`,
    )
  }
}

/** What the answer answers, by the network's id. */
async function answered(
  storage: Storage,
  tx: Writer,
  conversation: Conversation,
  reply: NewReply,
): Promise<string | null> {
  if (reply.inReplyTo !== undefined) {
    const message = await storage.messages.get(tx, reply.accountId, reply.inReplyTo)
    if (message?.conversationId === conversation.id && message.externalId !== null) return message.externalId
    throw refusal('nothing_to_answer', 'in_reply_to', 'There is no such message in this conversation.')
  }
  if (reply.kind === 'reply') return null
  const latest = await storage.messages.latestInbound(tx, reply.accountId, conversation.id)
  if (latest?.externalId == null)
    throw refusal('nothing_to_answer', 'in_reply_to', 'There is nothing in this conversation that could be answered.')
  return latest.externalId
}

const refusal = (code: string, field: string, message: string): Problem =>
  new Problem(422, code, message, [{ field, message }])

function blank(
  conversation: Conversation,
  userId: string | null,
  kind: OutboundKind,
  text: string,
  id = newId(),
): Message {
  const now = new Date()
  return {
    id, accountId: conversation.accountId, channelId: conversation.channelId, conversationId: conversation.id, contactId: null,
    direction: 'outbound', kind, visibility: conversation.visibility, externalId: null, authorId: userId, text, inReplyTo: null, extra: null,
    reactions: null, isHidden: false, occurredAt: now, receivedAt: now, editedAt: null, deletedAt: null,
  } // prettier-ignore
}
