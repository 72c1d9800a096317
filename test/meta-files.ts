/** Files to be said by Meta's connectors, and what the sandbox's customers saw of them. */
import { Readable } from 'node:stream'
import type { FileKind, OutboundFile } from '../messaging/connectors/connector.ts'
import { bytesOf } from '../messaging/sandbox/files.ts'
import { access, connector, control, ids, origin, signal } from './meta-stage.ts'
import type { Type } from './meta-stage.ts'

const kinds: Readonly<Record<string, readonly [FileKind, string]>> = {
  'photo.png': ['image', 'image/png'],
  'animation.gif': ['image', 'image/gif'],
  'voice.wav': ['audio', 'audio/wav'],
  'voice.ogg': ['audio', 'audio/ogg'],
  'clip.mp4': ['video', 'video/mp4'],
  'ticket.pdf': ['file', 'application/pdf'],
  'photo.jpg': ['image', 'image/jpeg'],
}

/** One of the sandbox's own files, or these bytes under that name. */
export function file(name: string, more: Partial<OutboundFile> & { readonly bytes?: Buffer } = {}): OutboundFile {
  const { bytes = bytesOf(name) ?? Buffer.from(name), ...own } = more
  const [kind, contentType] = kinds[name] ?? ['file', 'application/octet-stream']
  return {
    kind,
    contentType,
    size: bytes.length,
    name,
    altText: undefined,
    uploadedId: undefined,
    publicUrl: `${origin()}/media/${name}`,
    open: () => Promise.resolve(Readable.from([bytes])),
    ...own,
  }
}

/** The file after its upload. */
export async function uploaded(type: Type, one: OutboundFile, use: 'direct' | 'public' = 'direct') {
  const upload = await connector(type).upload?.(access(type), one, use, undefined, signal)
  if (upload?.type !== 'ok') throw new Error(`not uploaded: ${JSON.stringify(upload)}`)
  return { ...one, uploadedId: upload.id }
}

export interface Seen {
  readonly kind: string
  readonly external_id: string
  readonly text: string
  readonly files?: readonly { kind: string; url?: string; title?: string; alt_text?: string }[]
  readonly choices?: readonly { as: string; id: string; title: string }[]
  readonly in_reply_to?: string
  readonly metadata?: string
  readonly tag?: string
  readonly marks?: Readonly<Record<string, unknown>>
}

/** What the channel has said, as its customers saw it. */
export async function seen(type: Type): Promise<Seen[]> {
  const { items } = (await control('GET', `ledger?channel=${ids[type]}`)) as { items: (Seen & { direction: string })[] }
  return items.filter(({ direction }) => direction === 'outbound').slice(type === 'whatsapp' ? 0 : 1)
}

/** What was done beside words. */
export async function acts(
  type: Type,
): Promise<{ what: string; person: string; emoji?: string; external_id?: string }[]> {
  const { items } = (await control('GET', `acts?channel=${ids[type]}`)) as { items: { what: string; person: string }[] }
  return items
}
