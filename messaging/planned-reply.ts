/** What an answer that waits for its time is made of, and how it takes its turn. */
import { notFound } from '../infra/errors.ts'
import type { Conversation, Delivery, Message, Occurrence, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { checkPlace } from './check-sayable.ts'
import type { Utterance } from './check-content.ts'
import { storedExtras } from './extras.ts'
import { previewOf } from './summary.ts'

/** The parts of an answer whose time has not come; locked. */
export const waitingParts = async (
  storage: Storage,
  tx: Writer,
  accountId: string,
  messageId: string,
): Promise<Delivery[]> =>
  (await storage.deliveries.lockByMessage(tx, accountId, messageId)).filter(
    ({ seq, state }) => seq === null && state === 'queued',
  )

/** Whether the contact has written since it was planned: what arrived meanwhile counts, whenever it was said. */
export const isAnswered = async (
  storage: Storage,
  tx: Writer,
  { endsIfAnswered }: Pick<Occurrence, 'endsIfAnswered'>,
  { accountId, conversationId, receivedAt }: Message,
): Promise<boolean> =>
  endsIfAnswered && (await storage.messages.hasInboundSince(tx, accountId, conversationId, receivedAt))

/** @throws Problem as `checkPlace` does */
export async function checkStill(
  storage: Storage,
  tx: Writer,
  conversation: Conversation,
  message: Message,
  at: Date,
): Promise<void> {
  const channel = await storage.channels.get(tx, message.accountId, message.channelId)
  if (channel === undefined) throw notFound('channel')
  await checkPlace(storage, tx, conversation, channel, await placeOf(storage, tx, conversation, message), at)
}

/** What a stored answer is and answers, as if it were said anew. */
async function placeOf(
  storage: Storage,
  tx: Writer,
  { visibility }: Conversation,
  { accountId, channelId, kind, inReplyTo, extra }: Message,
): Promise<Pick<Utterance, 'kind' | 'inReplyTo' | 'extras'>> {
  const key = { accountId, channelId, visibility, externalId: inReplyTo ?? '' }
  const targets = inReplyTo === null ? undefined : await storage.messages.findByExternal(tx, [key])
  return {
    kind: kind === 'comment' || kind === 'private_reply' ? kind : 'reply',
    inReplyTo: targets === undefined ? undefined : [...targets.values()][0]?.id,
    extras: storedExtras(extra),
  }
}

/** All that a stored answer says, as if it were said anew. */
export async function utteranceOf(
  storage: Storage,
  tx: Writer,
  conversation: Conversation,
  message: Message,
): Promise<Utterance> {
  const { accountId, conversationId, id, text } = message
  const files = await storage.attachments.ofMessages(tx, accountId, [id])
  return {
    ...(await placeOf(storage, tx, conversation, message)),
    accountId,
    conversationId,
    text: text ?? '',
    files: files.flatMap(({ documentId, altText }) =>
      documentId === null ? [] : [{ documentId, altText: altText ?? undefined }],
    ),
  }
}

/** The next places in the order of sending; the conversation is locked. The fact that it is queued, by which it is nudged. */
export async function takeTurn(
  storage: Storage,
  tx: Writer,
  conversation: Conversation,
  message: Message,
  parts: readonly Delivery[],
): Promise<NewEvent> {
  const { accountId, id } = message
  const now = new Date()
  const isWordless = (message.text ?? '').trim() === ''
  const preview = previewOf(message.text, isWordless ? await storage.attachments.ofMessages(tx, accountId, [id]) : [])
  const first = await storage.conversations.takeTurns(tx, conversation, parts.length, preview, now)
  for (const [index, part] of parts.entries()) await storage.deliveries.place(tx, accountId, part.id, first + index)
  await storage.messages.setTime(tx, accountId, id, now)
  return {
    type: 'message.queued',
    accountId,
    data: {
      conversation_id: conversation.id,
      message_id: id,
      channel_id: message.channelId,
      delivery_id: parts[0]?.id ?? '',
      by: message.authorId,
    },
  }
}
