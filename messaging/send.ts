/** An answer is queued: message, files, places in the order of sending and fact, in one transaction; `deliver.ts` does the rest. */
import { notFound } from '../infra/errors.ts'
import { newId } from '../infra/ids.ts'
import type { Conversation, Document, Message, Storage, Writer } from '../storage/index.ts'
import type { OutboundKind } from '../storage/model/words.ts'
import { findDocuments, refusal } from './check-content.ts'
import type { GivenFile, Utterance } from './check-content.ts'
import { checkSayable, checkSeen } from './check-sayable.ts'
import type { Seen } from './check-sayable.ts'
import type { FileKind } from './connectors/connector.ts'
import { presentExtras } from './extras.ts'
import { naturalKind } from './files.ts'
import { noteMentions } from './mentions.ts'
import { newDeliveries } from './parts.ts'
import { checkLater, planReply, scheduledFact } from './send-later.ts'
import type { Later } from './send-later.ts'
import { previewOf } from './summary.ts'

export interface NewReply extends Utterance {
  /** Its id, where the caller may ask twice for the same: the second time gives the message that is there. */
  readonly id?: string
  /** Who writes; null: Parley itself. */
  readonly userId: string | null
  readonly seen?: Seen | undefined
  /** The writer's draft of which this was made: it is gone then, unless it has been changed since. */
  readonly draftVersion?: number | undefined
  /** When it is to be sent, if not at once. */
  readonly later?: Later | undefined
}

/**
 * Queues an answer, if all of it may be said; the message as it is stored.
 * @throws Problem as `checkSayable` and `checkSeen` do
 */
export function sendReply(storage: Storage, reply: NewReply): Promise<Message> {
  return storage.write(async (tx) => {
    const { accountId, userId, kind, text, later } = reply
    const locked = await storage.conversations.lock(tx, accountId, reply.conversationId)
    if (locked === undefined) throw notFound('conversation')
    const already = await findAlready(storage, tx, reply)
    if (already !== undefined) return already
    await checkSeen(storage, tx, locked, reply.seen)
    if (later !== undefined) checkLater(later)
    const { conversation, channel, inReplyTo, files, parts } = await checkSayable(storage, tx, reply, later?.at, locked)
    const message: Message = {
      ...blank(conversation, userId, kind, text, reply.id),
      visibility: kind === 'comment' ? 'public' : 'direct',
      inReplyTo,
      extra: presentExtras(reply.extras),
      ...(later !== undefined && { occurredAt: later.at }),
    }
    const shown = text.trim() === '' && reply.extras?.template !== undefined ? `[${reply.extras.template.name}]` : text
    const preview = previewOf(shown, files)
    const first =
      later === undefined
        ? await storage.conversations.takeTurns(tx, conversation, parts.length, preview, message.occurredAt)
        : null
    await storage.messages.insert(tx, [message])
    await keepFiles(storage, tx, message, files)
    await dropDraft(storage, tx, reply)
    const deliveries = newDeliveries(message, parts, first)
    await storage.deliveries.insert(tx, deliveries)
    if (later !== undefined) {
      await planReply(storage, tx, message, later)
      await storage.outbox.append(tx, scheduledFact(message, later.at, userId))
      return message
    }
    const data = {
      conversation_id: conversation.id,
      message_id: message.id,
      channel_id: channel.id,
      delivery_id: deliveries[0]?.id ?? '',
      by: userId,
    }
    await storage.outbox.append(tx, { type: 'message.queued', accountId, data })
    return message
  })
}

/** A note for colleagues; no network ever sees it. @throws Problem 404; 422 with code `empty` or `attachment_gone` */
export function addNote(
  storage: Storage,
  note: Pick<NewReply, 'id' | 'accountId' | 'conversationId' | 'userId' | 'text' | 'draftVersion'> & {
    files?: readonly GivenFile[]
  },
): Promise<Message> {
  return storage.write(async (tx) => {
    const { accountId, files = [] } = note
    const conversation = await storage.conversations.lock(tx, accountId, note.conversationId)
    if (conversation === undefined) throw notFound('conversation')
    const already = await findAlready(storage, tx, note)
    if (already !== undefined) return already
    if (note.text.trim() === '' && files.length === 0)
      throw refusal('empty', 'text', 'The note has neither text nor files.')
    const documents = await findDocuments(storage, tx, accountId, files)
    const message = blank(conversation, note.userId, 'note', note.text, note.id)
    await storage.messages.insert(tx, [message])
    await keepFiles(
      storage,
      tx,
      message,
      documents.map((file) => ({ ...file, kind: naturalKind(file.document.contentType) })),
    )
    await dropDraft(storage, tx, note)
    await noteMentions(storage, tx, message)
    await storage.outbox.append(tx, {
      type: 'note.added',
      accountId,
      data: { conversation_id: conversation.id, message_id: message.id, by: note.userId },
    })
    return message
  })
}

async function dropDraft(
  storage: Storage,
  tx: Writer,
  {
    accountId,
    userId,
    conversationId,
    draftVersion,
  }: Pick<NewReply, 'accountId' | 'userId' | 'conversationId' | 'draftVersion'>,
): Promise<void> {
  if (userId !== null && draftVersion !== undefined)
    await storage.drafts.remove(tx, { accountId, userId, conversationId }, draftVersion)
}

/** @throws Problem 422 `attachment_gone` for what has been cleared away since it was found */
async function keepFiles(
  storage: Storage,
  tx: Writer,
  { accountId, id }: Message,
  files: readonly { readonly document: Document; readonly kind: FileKind; readonly altText: string | null }[],
): Promise<void> {
  for (const [index, { document }] of files.entries())
    if (!(await storage.documents.hold(tx, accountId, document.id)))
      throw refusal('attachment_gone', `attachments.${String(index)}`, 'There is no such file any more.')
  await storage.attachments.insertOwn(
    tx,
    files.map(({ document, kind, altText }, position) => ({
      accountId,
      messageId: id,
      position,
      kind,
      altText,
      title: document.name,
      contentType: document.contentType,
      size: document.size,
      documentId: document.id,
    })),
  )
}

/** The message of an earlier try under the same id; the conversation is locked, so there is no other try at the same time. */
function findAlready(
  storage: Storage,
  tx: Writer,
  said: Pick<NewReply, 'id' | 'accountId'>,
): Promise<Message | undefined> {
  return said.id === undefined ? Promise.resolve(undefined) : storage.messages.get(tx, said.accountId, said.id)
}

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
