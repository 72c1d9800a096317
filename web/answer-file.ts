/** A kept file as an HTTP answer: what a browser may run is offered for saving, nothing is guessed, one range is honoured. */
import { pipeline } from 'node:stream/promises'
import type { Request } from 'express'
import { notFound, Problem } from '../infra/errors.ts'
import type { Document, Reader, Storage } from '../storage/index.ts'
import { isInlineType, servedType } from '../storage/model/content-types.ts'
import { answered } from './route.ts'
import type { Call } from './route.ts'

/** Bytes under a digest, and what they are called. */
interface File {
  readonly digest: string
  readonly contentType: string
  readonly size: number
  readonly name: string
}

/**
 * Answers with a document or a smaller copy of it. @param name what it is called when it is saved
 * @throws Problem 404 when there is no such variant, 416
 */
export async function answerDocument(
  document: Document,
  variant: string | undefined,
  name: string | null,
  call: Pick<Call, 'storage' | 'request' | 'response'>,
): Promise<typeof answered> {
  const { storage } = call
  const chosen = await choose(storage, storage.fresh, document, variant)
  return answerFile({ ...chosen, name: withExtension(name ?? document.id, chosen.contentType) }, call)
}

async function choose(
  storage: Storage,
  reader: Reader,
  document: Document,
  name: string | undefined,
): Promise<Omit<File, 'name'>> {
  if (name === undefined || name === 'original') return document
  const variants = await storage.documents.variantsOf(reader, document.accountId, [document.id])
  const variant = variants.find((each) => each.name === name)
  if (variant === undefined) throw notFound('variant of this file')
  return variant
}

async function answerFile(
  file: File,
  { storage, request, response }: Pick<Call, 'storage' | 'request' | 'response'>,
): Promise<typeof answered> {
  const etag = `"${file.digest}"`
  response.set({
    'content-type': servedType(file.contentType),
    'content-disposition': dispositionOf(file),
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'private, max-age=31536000, immutable',
    'accept-ranges': 'bytes',
    etag,
  })
  if (isKnown(request, etag)) {
    response.status(304).end()
    return answered
  }
  const range = rangeOf(request, file.size, etag)
  if (range === 'none') {
    response.setHeader('content-range', `bytes */${String(file.size)}`)
    throw new Problem(416, 'range_not_satisfiable', `The file has ${String(file.size)} bytes.`)
  }
  const { stream } = await storage.documents.open(file.digest, range)
  if (range !== undefined)
    response
      .status(206)
      .setHeader('content-range', `bytes ${String(range.start)}-${String(range.end)}/${String(file.size)}`)
  response.setHeader('content-length', range === undefined ? file.size : range.end - range.start + 1)
  if (request.method === 'HEAD') {
    stream.destroy()
    response.end()
  } else {
    // A reader that leaves early is no failure.
    await pipeline(stream, response).catch(() => response.destroy())
  }
  return answered
}

/** The bytes of a digest never change, so a copy that has it is right whatever else the request says. */
function isKnown(request: Request, etag: string): boolean {
  const tags = (request.get('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}

/** `undefined`: the whole file; `none`: nothing of what was asked for exists. Several ranges are answered by the whole. */
function rangeOf(request: Request, size: number, etag: string): { start: number; end: number } | 'none' | undefined {
  const condition = request.get('if-range')
  if (request.get('range') === undefined || (condition !== undefined && condition !== etag)) return undefined
  const ranges = request.range(size)
  if (ranges === -1) return 'none'
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined
  const [range] = ranges
  return range === undefined ? undefined : { start: range.start, end: range.end }
}

/** RFC 6266, with the name in both forms; only pictures, films and sounds of known types are shown in the page. */
function dispositionOf({ contentType, name }: File): string {
  const kind = isInlineType(contentType) ? 'inline' : 'attachment'
  const whole = name.replace(/[/\\\p{Cc}]/gu, '_')
  const plain = whole.replace(/[^\x20-\x7e]|["%]/g, '_')
  const encoded = encodeURIComponent(whole.toWellFormed()).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`
}

const extensions: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg', 'image/png': 'png', 'image/gif': 'gif', 'image/webp': 'webp', 'image/avif': 'avif', 'image/svg+xml': 'svg',
  'image/heic': 'heic', 'video/mp4': 'mp4', 'video/webm': 'webm', 'video/quicktime': 'mov', 'audio/mpeg': 'mp3', 'audio/mp4': 'm4a',
  'audio/ogg': 'ogg', 'audio/wav': 'wav', 'audio/aac': 'aac', 'audio/amr': 'amr', 'application/pdf': 'pdf', 'application/zip': 'zip',
  'text/plain': 'txt', 'text/csv': 'csv',
} // prettier-ignore

/** A name that has none gets the extension of what the bytes are. */
function withExtension(name: string, contentType: string): string {
  const extension = extensions[contentType]
  return extension === undefined || /\.[A-Za-z0-9]{1,5}$/.test(name) ? name : `${name}.${extension}`
}
