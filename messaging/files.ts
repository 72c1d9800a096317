/** Files that are said along: which kind each is for a network, links by which the network fetches it, and giving it beforehand. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { Config } from '../infra/config.ts'
import { isId } from '../infra/ids.ts'
import type { Document, Storage } from '../storage/index.ts'
import type { FileKind, FileLimits, OutboundFile } from './connectors/connector.ts'

export const fileKinds = ['image', 'video', 'audio', 'file'] as const satisfies readonly FileKind[]

/** A document as it will be said. */
export interface CheckedFile {
  readonly document: Document
  readonly kind: FileKind
  readonly altText: string | null
}

export type Fit = FileKind | 'wrong_type' | 'too_big'

/** As what a network takes a file: as what it is, else as a mere file where it takes such ones. */
export function fitFile({ kinds }: FileLimits, file: Pick<Document, 'contentType' | 'size'>): Fit {
  let fit: Fit = 'wrong_type'
  for (const kind of [naturalKind(file.contentType), 'file'] as const) {
    const limit = kinds[kind]
    if (limit === undefined || !limit.types.some((type) => isOfType(file.contentType, type))) continue
    if (file.size <= (limit.maxBytesOf?.[file.contentType] ?? limit.maxBytes)) return kind
    fit = 'too_big'
  }
  return fit
}

/** What a file is by its type. */
export function naturalKind(contentType: string): FileKind {
  const [family = ''] = contentType.split('/')
  return family === 'image' || family === 'video' || family === 'audio' ? family : 'file'
}

/** `pattern`: in full, a family such as `image/*`, or everything. */
const isOfType = (contentType: string, pattern: string): boolean =>
  pattern === contentType ||
  pattern === '*/*' ||
  (pattern.endsWith('/*') && contentType.startsWith(pattern.slice(0, -1)))

export const outboundFile = (
  { document, kind, altText }: CheckedFile,
  given: { readonly publicUrl: string; readonly uploadedId: string | undefined; open(): Promise<Readable> },
): OutboundFile => ({
  kind,
  contentType: document.contentType,
  size: document.size,
  name: document.name ?? undefined,
  altText: altText ?? undefined,
  ...given,
})

const linkMs = 3_600_000
const purpose = 'links to media'

/** An address by which anybody may read this document for an hour. */
export function mediaLink(
  storage: Pick<Storage, 'secrets'>,
  config: Pick<Config, 'publicUrl'>,
  document: Document,
): string {
  const said = [document.accountId, document.id, String(Date.now() + linkMs)].join('.')
  const [key] = storage.secrets.derive(purpose)
  return `${config.publicUrl}/api/v1/media/${said}.${sign(key, said)}`
}

/** Which document a link is for; `undefined`: it is not one of ours, or too old. */
export function readMediaLink(
  storage: Pick<Storage, 'secrets'>,
  token: string,
): { readonly accountId: string; readonly documentId: string } | undefined {
  const [accountId = '', documentId = '', until = '', signature = ''] = token.split('.')
  if (!isId(accountId) || !isId(documentId) || !/^\d{1,16}$/.test(until) || Number(until) < Date.now()) return undefined
  const given = Buffer.from(signature)
  const isOurs = storage.secrets.derive(purpose).some((key) => {
    const right = Buffer.from(sign(key, `${accountId}.${documentId}.${until}`))
    return right.length === given.length && timingSafeEqual(right, given)
  })
  return isOurs ? { accountId, documentId } : undefined
}

const sign = (key: Buffer, said: string): string => createHmac('sha256', key).update(said).digest('base64url')
