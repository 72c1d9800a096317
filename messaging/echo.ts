/** Our own words coming back: which delivery they prove, and how the answer to a sending and its echo become one message. */
import type { Delivery, Message, PartKey, Storage, Writer } from '../storage/index.ts'
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
  const isKnown = delivery.externalId !== null || (delivery.part === 0 && message.externalId !== null)
  if (!isKnown) {
    await mergeCopy(storage, tx, message, delivery, externalId, facts)
    if (delivery.part === 0) await storage.messages.setExternalId(tx, message.accountId, message.id, externalId)
    await storage.deliveries.setExternalId(tx, delivery.accountId, delivery.id, externalId)
  }
  if (!['sent', 'delivered', 'read'].includes(delivery.state)) {
    await storage.deliveries.change(tx, delivery.accountId, delivery.id, { state: 'sent' })
    facts.push(deliveryChanged(delivery, 'sent'))
  }
  await storage.deliveries.endAttempt(tx, delivery, delivery.attemptCount, { type: 'sent' })
  if (isKnown) return
  await applyEarly(storage, tx, [{ ...message, externalId }], facts, delivery.part)
  await applyWatermarks(storage, tx, message, delivery, facts)
}

/** "Read until then" may come between a sending and its answer. */
async function applyWatermarks(
  storage: Storage,
  tx: Writer,
  message: Message,
  part: PartKey,
  facts: NewEvent[],
): Promise<void> {
  const { accountId, channelId, conversationId, occurredAt } = message
  const waited = await storage.earlyChanges.take(tx, [
    { accountId, channelId, externalId: watermarkKey(conversationId) },
  ])
  for (const { change } of waited) {
    const parsed = changeSchema.safeParse(change).data
    if (parsed?.type === 'receipt' && parsed.at >= occurredAt) await moveForward(storage, tx, [part], parsed, facts)
  }
}

/** An echo that came before the answer and could not be told from a message sent elsewhere. */
async function mergeCopy(
  storage: Storage,
  tx: Writer,
  message: Message,
  { partCount }: Delivery,
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
    // What became of one part is not what became of all.
    const isWhole = partCount === 1
    await storage.messages.setAppearance(tx, accountId, message.id, {
      ...(isWhole ? copy : { ...message, reactions: copy.reactions ?? message.reactions }),
      text: isWhole && (copy.editedAt ?? copy.deletedAt) ? copy.text : message.text,
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
