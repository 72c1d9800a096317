import { presentExtras, storedExtras } from '../../messaging/extras.ts'
import type { Message, Occurrence, Reader, Storage } from '../../storage/index.ts'
import { presentAct } from './act.ts'
import { networksFor, presentDelivery } from './delivery.ts'
import { presentAttachment } from './file.ts'
import type { MessageJson } from './shapes.ts'

/** Messages with attachments, authors and deliveries: a fixed number of queries, whatever their count. */
export async function presentMessages(
  storage: Storage,
  reader: Reader,
  accountId: string,
  messages: readonly Message[],
): Promise<MessageJson[]> {
  if (messages.length === 0) return []
  const ids = messages.map((message) => message.id)
  const outboundIds = messages
    .filter(({ direction, kind }) => direction === 'outbound' && kind !== 'note')
    .map(({ id }) => id)
  const contactIds = [...new Set(messages.flatMap(({ contactId }) => (contactId === null ? [] : [contactId])))]
  const authorIds = messages.flatMap(({ authorId }) => authorId ?? [])
  const hasReactions = messages.some(({ reactions }) => reactions !== null && reactions.length > 0)
  const [attachments, deliveries, names, acts, channels] = await Promise.all([
    storage.attachments.ofMessages(reader, accountId, ids),
    storage.deliveries.ofMessages(reader, accountId, outboundIds),
    storage.names.find(reader, accountId, {
      ...{ channels: [], teams: [], labels: [] },
      users: authorIds,
      contacts: contactIds,
    }),
    storage.acts.openOfMessages(reader, accountId, ids),
    hasReactions ? storage.channels.list(reader, accountId) : [],
  ])
  const waiting = deliveries.filter(({ seq, state }) => seq === null && state === 'queued')
  const planned =
    waiting.length === 0
      ? []
      : await storage.occurrences.waitingOf(
          reader,
          accountId,
          'reply',
          waiting.map(({ messageId }) => messageId),
        )
  const documentIds = [...new Set(attachments.flatMap(({ documentId }) => (documentId === null ? [] : [documentId])))]
  const [attempts, variants, networks] = await Promise.all([
    storage.deliveries.attemptsOf(
      reader,
      accountId,
      deliveries.filter(({ attemptCount }) => attemptCount > 0).map(({ id }) => id),
    ),
    storage.documents.variantsOf(reader, accountId, documentIds),
    networksFor(storage, reader, accountId, deliveries),
  ])
  return messages.map((message) => {
    const files = attachments.filter(({ messageId }) => messageId === message.id && message.deletedAt === null)
    const parts = deliveries.filter(({ messageId }) => messageId === message.id)
    const delivery = presentDelivery(message, parts, attempts, files, networks)
    const isOurs = message.direction === 'outbound' && message.kind !== 'note'
    const ownId = channels.find(({ id }) => id === message.channelId)?.externalId
    const author = message.authorId === null ? undefined : names.get(message.authorId)
    return {
      id: message.id,
      channel_id: message.channelId,
      conversation_id: message.conversationId,
      contact_id: message.contactId,
      direction: message.direction,
      kind: message.kind,
      visibility: message.visibility,
      external_id: message.externalId,
      author: author === undefined ? null : { id: author.id, name: author.name },
      contact_name: names.get(message.contactId ?? '')?.name ?? null,
      text: message.text,
      hint: hintOf(message),
      in_reply_to: message.inReplyTo,
      attachments: files.map((attachment) =>
        presentAttachment(
          attachment,
          variants.filter(({ documentId }) => documentId === attachment.documentId),
        ),
      ),
      extras: isOurs ? presentExtras(storedExtras(message.extra)) : null,
      sent_elsewhere: isOurs && delivery === undefined,
      reactions: (message.reactions ?? []).flatMap(({ by, emoji }) =>
        emoji === null ? [] : [{ by, emoji, is_ours: by === ownId }],
      ),
      is_hidden: message.isHidden,
      acts: acts.filter(({ messageId }) => messageId === message.id).map(presentAct),
      occurred_at: message.occurredAt.toISOString(),
      received_at: message.receivedAt.toISOString(),
      edited_at: message.editedAt?.toISOString() ?? null,
      deleted_at: message.deletedAt?.toISOString() ?? null,
      state: delivery?.state ?? null,
      delivery: delivery ?? null,
      ...presentPlan(planned.find(({ subjectId }) => subjectId === message.id)),
    }
  })
}

const presentPlan = (planned: Occurrence | undefined): Pick<MessageJson, 'send_at' | 'cancel_if_answered'> => ({
  send_at: planned?.dueAt.toISOString() ?? null,
  cancel_if_answered: planned?.endsIfAnswered ?? false,
})

/** `standby`: another app has the word in this conversation. */
function hintOf({ extra, deletedAt }: Message): MessageJson['hint'] {
  if (extra === null || deletedAt !== null) return null
  if (extra['encrypted'] === true) return 'encrypted'
  if (extra['is_unsupported'] === true) return 'unsupported'
  if (extra['standby'] === true) return 'standby'
  return extra['story'] === undefined ? null : 'story'
}
