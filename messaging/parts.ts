/** An answer that a network takes by several requests: how it is divided, and what the fates of its parts say together. */
import { newId } from '../infra/ids.ts'
import type { Delivery, Document, Message, NewDelivery } from '../storage/index.ts'
import type { DeliveryState } from '../storage/model/words.ts'
import type { Connector, OutboundMessage, Part } from './connectors/connector.ts'
import { outboundFile } from './files.ts'
import type { CheckedFile } from './files.ts'

/** One part for each request; all of it by one where the network takes that. */
export function partsOf(
  connector: Connector,
  kind: OutboundMessage['kind'],
  text: string,
  files: readonly CheckedFile[],
  open: (document: Document) => ReturnType<Parameters<typeof outboundFile>[1]['open']>,
): readonly Part[] {
  const whole: Part = { text, files: files.map((_, index) => index) }
  if (connector.split === undefined) return [whole]
  const given = files.map((file) =>
    outboundFile(file, { publicUrl: '', uploadedId: undefined, open: () => open(file.document) }),
  )
  return connector.split({ kind, text, files: given })
}

/** The deliveries of an answer, one for each part, from this place in the order of sending on; null: its time has not come. */
export const newDeliveries = (message: Message, parts: readonly Part[], first: number | null): NewDelivery[] =>
  parts.map((part, index) => ({
    id: newId(),
    accountId: message.accountId,
    channelId: message.channelId,
    conversationId: message.conversationId,
    messageId: message.id,
    seq: first === null ? null : first + index,
    part: index,
    partCount: parts.length,
    text: parts.length === 1 ? null : part.text,
    files: part.files,
  }))

/** The least advanced first. */
const order: readonly DeliveryState[] = ['queued', 'retrying', 'sending', 'unknown', 'sent', 'delivered', 'read']

/** The part that tells what is to be known of the whole: one that failed, else the least advanced one that was not taken back. */
export function decidingPart<Row extends Pick<Delivery, 'state'>>(parts: readonly Row[]): Row | undefined {
  return (
    parts.find(({ state }) => state === 'failed') ??
    order.map((state) => parts.find((part) => part.state === state)).find((part) => part !== undefined) ??
    parts[0]
  )
}
