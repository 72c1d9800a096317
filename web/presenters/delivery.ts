import { adviseOn } from '../../messaging/advice.ts'
import { decidingPart } from '../../messaging/parts.ts'
import type { Attachment, Attempt, Delivery, Message, Reader, Storage } from '../../storage/index.ts'
import { networkOf } from '../../storage/model/words.ts'
import type { NetworkName } from '../../storage/model/words.ts'
import type { DeliveryRowJson, MessageJson } from './shapes.ts'

type DeliveryJson = NonNullable<MessageJson['delivery']>

/** The fate of one answer: that of its deciding part, and that of each. `undefined`: it was not sent from here. */
export function presentDelivery(
  message: Message,
  parts: readonly Delivery[],
  attempts: readonly Attempt[],
  attachments: readonly Attachment[],
  networks: Networks,
): DeliveryJson | undefined {
  const deciding = decidingPart(parts)
  const [first] = parts
  if (deciding === undefined || first === undefined) return undefined
  return {
    id: first.id,
    ...presentFate(deciding, networks),
    attempts: parts.flatMap(({ id, part }) =>
      attempts
        .filter(({ deliveryId }) => deliveryId === id)
        .map((attempt) => ({
          part,
          number: attempt.number,
          started_at: attempt.startedAt.toISOString(),
          finished_at: attempt.finishedAt?.toISOString() ?? null,
          outcome: attempt.outcome,
          code: attempt.code,
          reason: attempt.reason,
        })),
    ),
    parts: parts.map((part) => ({
      id: part.id,
      position: part.part,
      ...presentFate(part, networks),
      text: part.deletedAt === null ? (part.text ?? message.text) : null,
      attachment_ids: attachments.filter(({ position }) => part.files?.includes(position) ?? true).map(({ id }) => id),
      external_id: part.externalId ?? (part.part === 0 ? message.externalId : null),
      deleted_at: part.deletedAt?.toISOString() ?? null,
    })),
  }
}

/** Parts of answers with the beginning of what they say: a fixed number of queries. */
export async function presentDeliveryRows(
  storage: Storage,
  reader: Reader,
  accountId: string,
  rows: readonly Delivery[],
): Promise<DeliveryRowJson[]> {
  const ids = [...new Set(rows.map(({ messageId }) => messageId))]
  const networks = await networksFor(storage, reader, accountId, rows)
  const messages = new Map((await storage.messages.getMany(reader, accountId, ids)).map((each) => [each.id, each]))
  return rows.map((row) => {
    const message = messages.get(row.messageId)
    return {
      id: row.id,
      message_id: row.messageId,
      conversation_id: row.conversationId,
      channel_id: row.channelId,
      kind: message?.kind ?? 'reply',
      position: row.part,
      part_count: row.partCount,
      text: (row.text ?? message?.text ?? null)?.slice(0, 200).toWellFormed() ?? null,
      ...presentFate(row, networks),
      attempt_count: row.attemptCount,
      created_at: row.createdAt.toISOString(),
      updated_at: row.updatedAt.toISOString(),
    }
  })
}

/** The network of each channel, as far as anything is to be explained. */
export async function networksFor(
  storage: Storage,
  reader: Reader,
  accountId: string,
  deliveries: readonly Delivery[],
): Promise<Networks> {
  if (deliveries.every(({ reasonCode }) => reasonCode === null)) return new Map()
  const channels = await storage.channels.list(reader, accountId)
  return new Map(channels.map(({ id, type }) => [id, networkOf[type]]))
}
type Networks = ReadonlyMap<string, NetworkName>

function presentFate(delivery: Delivery, networks: Networks) {
  const { reason, hint, hintCode } = adviseOn(delivery, networks.get(delivery.channelId))
  return {
    state: delivery.state,
    reason,
    reason_code: delivery.reasonCode,
    reason_class: delivery.reasonClass,
    detail: delivery.reason,
    hint,
    hint_code: hintCode,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
  }
}
