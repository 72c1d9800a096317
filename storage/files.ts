/** The one way in for files, whoever brings them: bounded, known by their bytes, pictures checked and with smaller copies. */
import { open } from 'node:fs/promises'
import type { DocumentFiles, Stored } from './documents.ts'
import { FileRefused, isPictureType, makeVariants } from './images.ts'
import { headLength, isInlineType, isMediaType, sniffType } from './model/content-types.ts'
import type { Document, DocumentVariant } from './stores/documents.ts'

export { FileRefused } from './images.ts'

export interface Arrival {
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  /** Most bytes. */
  readonly limit: number
  /** What it was called; believed only where the bytes say nothing and nothing depends on it. */
  readonly declaredType: string
  /** It was announced as a picture, a film or a sound: a page or a program is refused. */
  readonly mustBeMedia?: boolean
  /** SHA-256 that it must have, in hexadecimal or base64. */
  readonly sha256?: string | undefined
  readonly signal?: AbortSignal
  /** Asks whether these bytes are there already: then nothing is made anew. */
  readonly known?: (digest: string) => Promise<Document | undefined>
}

/** A file in its place, and what may be done with it. */
export interface TakenFile extends Stored {
  readonly contentType: string
  readonly variants: readonly Omit<DocumentVariant, 'documentId'>[]
  /** The document that these bytes have already. */
  readonly document: Document | undefined
  /** Why it may only be saved, where it was announced as something to be shown. */
  readonly note: { readonly code: string; readonly reason: string } | undefined
}

/**
 * Takes a file in. Nothing of what is refused stays.
 * @throws FileRefused `too_many_pixels`, `too_many_frames`, `broken_picture`, `not_media`, `wrong_digest`, `empty_file`
 * @throws Problem 413 `too_large`
 */
export async function takeFile(files: DocumentFiles, arrival: Arrival): Promise<TakenFile> {
  const { bytes, limit, declaredType, signal } = arrival
  let contentType = 'application/octet-stream'
  let document: Document | undefined
  let variants: TakenFile['variants'] = []
  const stored = await files.put(bytes, limit, signal, async ({ path, digest, size }) => {
    if (size === 0) throw new FileRefused('empty_file', 'The file is empty.')
    if (arrival.sha256 !== undefined && !isDigest(arrival.sha256, digest))
      throw new FileRefused('wrong_digest', 'The bytes are not those that the network announced.')
    const head = await readHead(path)
    const sniffed = sniffType(head, declaredType)
    contentType = sniffed ?? unknownType(declaredType, head)
    if (arrival.mustBeMedia === true && sniffed !== undefined && !isMediaType(sniffed))
      throw new FileRefused('not_media', `It was announced as a picture, film or sound, but it is ${nameOf(sniffed)}.`)
    document = await arrival.known?.(digest)
    if (document === undefined && isPictureType(contentType)) variants = await putVariants(files, path)
  })
  return { ...stored, contentType, document, variants, note: noteOn(contentType, arrival.mustBeMedia === true) }
}

async function putVariants(files: DocumentFiles, path: string): Promise<TakenFile['variants']> {
  const made = (await makeVariants(path)).variants
  return Promise.all(
    made.map(async ({ name, contentType, width, height, bytes }) => ({
      ...(await files.put([bytes], bytes.length)),
      name,
      contentType,
      width,
      height,
    })),
  )
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headLength), 0, headLength, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Bytes that say nothing of themselves are never something to be shown, and text only if they are. */
function unknownType(declared: string, head: Buffer): string {
  const isText = !head.includes(0)
  if (isInlineType(declared) || isMediaType(declared)) return 'application/octet-stream'
  if (/^text\//.test(declared))
    return isText ? (declared === 'text/csv' ? declared : 'text/plain') : 'application/octet-stream'
  return declared === '' ? 'application/octet-stream' : declared
}

const isDigest = (given: string, digest: string): boolean =>
  /^[0-9a-f]{64}$/i.test(given)
    ? given.toLowerCase() === digest
    : Buffer.from(given, 'base64').toString('hex') === digest

function noteOn(contentType: string, isAnnouncedAsMedia: boolean): TakenFile['note'] {
  if (contentType === 'image/svg+xml')
    return { code: 'download_only', reason: 'An SVG can carry scripts: it is kept for saving and not shown.' }
  if (isAnnouncedAsMedia && !isInlineType(contentType))
    return { code: 'download_only', reason: 'This format cannot be shown here; it can be saved.' }
  return undefined
}

const names: Readonly<Record<string, string>> = {
  'text/html': 'a web page',
  'application/zip': 'an archive',
  'application/gzip': 'an archive',
  'application/pdf': 'a PDF',
  'application/x-elf': 'a program',
  'application/x-msdownload': 'a program',
}
const nameOf = (contentType: string): string => names[contentType] ?? contentType
