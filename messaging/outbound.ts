/** What one delivery says: its share of text, files and extras, as the connector is given it. */
import type { Config } from '../infra/config.ts'
import type {
  Channel,
  ContactAddress,
  Conversation,
  Delivery,
  Message,
  Reader,
  Storage,
  Uploaded,
  UploadKey,
} from '../storage/index.ts'
import type { OutboundExtras, OutboundFile, OutboundMessage } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'
import { storedExtras } from './extras.ts'
import { fileKinds, mediaLink, naturalKind, outboundFile } from './files.ts'

/** A file on its way out, and what the network knows of it already. */
export interface FileOnItsWay {
  readonly file: OutboundFile
  readonly key: UploadKey
  readonly uploaded: Uploaded | undefined
}

export interface Outbound {
  readonly message: OutboundMessage
  readonly files: readonly FileOnItsWay[]
}

interface Told {
  readonly delivery: Delivery
  readonly message: Message
  readonly conversation: Conversation
  readonly channel: Channel
  readonly address: ContactAddress | undefined
}

/** `undefined`: a file of it is gone. */
export async function composeOutbound(
  context: { readonly storage: Storage; readonly config: Pick<Config, 'publicUrl'> },
  reader: Reader,
  told: Told,
): Promise<Outbound | undefined> {
  const { delivery, message, conversation, address } = told
  const kind = message.kind === 'comment' || message.kind === 'private_reply' ? message.kind : 'reply'
  const files = await filesOf(context, reader, told, kind === 'comment' ? 'public' : 'direct')
  if (files === undefined) return undefined
  const extras = extrasOf(delivery, message)
  return {
    message: {
      kind,
      reference: delivery.id,
      text: delivery.text ?? message.text ?? '',
      contactExternalId: address?.externalId,
      inReplyTo: message.inReplyTo ?? undefined,
      lastInboundAt: conversation.lastInboundAt ?? undefined,
      ...(files.length > 0 && { files: files.map(({ file }) => file) }),
      ...(extras !== undefined && { extras }),
    },
    files,
  }
}

/** Those that the network wants before they are said and has not, or is still looking at. */
export const filesToGive = ({ files }: Outbound, { type }: Channel): FileOnItsWay[] =>
  connectorOf(type)?.upload === undefined
    ? []
    : files.filter(({ uploaded }) => uploaded === undefined || uploaded.isBegun)

async function filesOf(
  { storage, config }: { readonly storage: Storage; readonly config: Pick<Config, 'publicUrl'> },
  reader: Reader,
  { delivery, message, channel }: Told,
  use: UploadKey['use'],
): Promise<FileOnItsWay[] | undefined> {
  const { accountId } = message
  if (delivery.files?.length === 0) return []
  const all = await storage.attachments.ofMessages(reader, accountId, [message.id])
  const own = all.filter(({ position }) => delivery.files?.includes(position) ?? true)
  if (own.length < (delivery.files?.length ?? 0)) return undefined
  const documents = await storage.documents.getMany(
    reader,
    accountId,
    own.flatMap(({ documentId }) => documentId ?? []),
  )
  const files: FileOnItsWay[] = []
  for (const { documentId, kind, altText } of own) {
    const document = documents.find(({ id }) => id === documentId)
    if (document === undefined) return undefined
    const key = { accountId, channelId: channel.id, documentId: document.id, use, altText }
    const uploaded = await storage.uploads.get(reader, key)
    const file = outboundFile(
      { document, kind: fileKinds.find((each) => each === kind) ?? naturalKind(document.contentType), altText },
      {
        publicUrl: mediaLink(storage, config, document),
        uploadedId: uploaded?.isBegun === false ? uploaded.externalId : undefined,
        open: async () => (await storage.documents.open(document.digest)).stream,
      },
    )
    files.push({ file, key, uploaded })
  }
  return files
}

/** Quick replies vanish with the next message, so they stand below the last part; the rest is said by the first. */
function extrasOf({ part, partCount }: Delivery, message: Message): OutboundExtras | undefined {
  const { quickReplies, ...rest } = storedExtras(message.extra) ?? {}
  const extras: OutboundExtras = {
    ...(part === 0 && rest),
    ...(part === partCount - 1 && quickReplies !== undefined && { quickReplies }),
  }
  return Object.keys(extras).length === 0 ? undefined : extras
}
