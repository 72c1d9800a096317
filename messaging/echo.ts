/** Our own words coming back: which delivery they prove, and how the answer to a sending and its echo become one message. */
import type { Delivery, Message, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { applyEarly, changeSchema, deliveryChanged, moveForward, watermarkKey } from './changes.ts'

/**
 * The network has this delivery under `externalId`: told by its answer, an echo or a look-up, in any order. A copy that an
 * echo made before, as "sent elsewhere", is merged. The caller has locked the delivery.
 */
export async function confirmSent(
  storage: Storage,
  tx: Writer,
  delivery: Delivery,
  externalId: string,
  facts: NewEvent[],
): Promise<void> {
  const message = await storage.messages.lock(tx, delivery.accountId, delivery.messageId)
  if (message === undefined) return
  if (message.externalId === null) {
    await mergeCopy(storage, tx, message, externalId, facts)
    await storage.messages.setExternalId(tx, message.accountId, message.id, externalId)
  }
  if (!['sent', 'delivered', 'read'].includes(delivery.state)) {
    await storage.deliveries.change(tx, delivery.accountId, delivery.id, { state: 'sent' })
    facts.push(deliveryChanged(delivery, 'sent'))
  }
  await storage.deliveries.endAttempt(tx, delivery, delivery.attemptCount, { type: 'sent' })
  if (message.externalId !== null) return
  await applyEarly(storage, tx, [{ ...message, externalId }], facts)
  await applyWatermarks(storage, tx, message, facts)
}

/** "Read until then" may come between a sending and its answer. */
async function applyWatermarks(storage: Storage, tx: Writer, message: Message, facts: NewEvent[]): Promise<void> {
  const { id, accountId, channelId, conversationId, occurredAt } = message
  const waited = await storage.earlyChanges.take(tx, [
    { accountId, channelId, externalId: watermarkKey(conversationId) },
  ])
  for (const { change } of waited) {
    const parsed = changeSchema.safeParse(change).data
    if (parsed?.type === 'receipt' && parsed.at >= occurredAt) await moveForward(storage, tx, [id], parsed, facts)
  }
}

/** An echo that came before the answer and could not be told from a message sent elsewhere. */
async function mergeCopy(
  storage: Storage,
  tx: Writer,
  message: Message,
  externalId: string,
  facts: NewEvent[],
): Promise<void> {
  const { accountId, channelId, visibility } = message
  const copies = await storage.messages.findByExternal(
    tx,
    [{ accountId, channelId, visibility, externalId }],
    'for update',
  )
  for (const copy of copies.values()) {
    if (copy.id === message.id) continue
    await storage.attachments.removeOf(tx, accountId, copy.id)
    await storage.messages.remove(tx, accountId, copy.id)
    await storage.messages.setAppearance(tx, accountId, message.id, {
      ...copy,
      text: (copy.editedAt ?? copy.deletedAt) ? copy.text : message.text,
    })
    facts.push({
      accountId,
      type: 'conversation.changed',
      data: { conversation_id: copy.conversationId, changed: ['messages'], by: null },
    })
  }
}

/** Text as it can be compared although networks wrap links and change white space. */
export function normaliseText(text: string | null | undefined): string {
  return (text ?? '')
    .normalize('NFC')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replace(/https?:\/\/\S+/g, '<link>')
    .replace(/\s+/g, ' ')
    .trim()
}
