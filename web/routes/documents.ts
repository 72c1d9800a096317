/** Files: put as the request body or as a form, read with ranges. */
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import busboy from 'busboy'
import type { Request } from 'express'
import { z } from 'zod'
import { notFound, Problem } from '../../infra/errors.ts'
import type { Document, Storage } from '../../storage/index.ts'
import { documentShape } from '../presenters/shapes.ts'
import type { DocumentJson } from '../presenters/shapes.ts'
import { answered, route } from '../route.ts'

/** Largest file, in bytes. */
export const largestDocument = 100 * 1024 * 1024

export const documentRoutes = [
  route({
    method: 'post',
    path: '/documents',
    tag: 'documents',
    summary: 'Put a file: as the body itself, or as the first file of a form',
    permission: 'user',
    query: z.strictObject({ name: z.string().max(255).optional() }),
    reads: 'stream',
    answer: documentShape,
    status: 201,
    async handle({ query }, { storage, asker, request }) {
      const sent = isForm(request) ? await putForm(storage, request) : await putBody(storage, request)
      const { name, contentType, stored } = sent
      const document = await storage.write((tx) =>
        storage.documents.create(tx, {
          accountId: asker.accountId,
          name: query.name ?? name,
          contentType,
          digest: stored.digest,
          size: stored.size,
        }),
      )
      return presentDocument(document)
    },
  }),
  route({
    method: 'get',
    path: '/documents/:id',
    tag: 'documents',
    summary: 'What is known of a file',
    permission: 'user',
    params: z.strictObject({ id: z.string() }),
    answer: documentShape,
    async handle({ params }, { storage, asker }) {
      const document = await storage.documents.get(storage.fresh, asker.accountId, params.id)
      if (document === undefined) throw notFound('document')
      return presentDocument(document)
    },
  }),
  route({
    method: 'get',
    path: '/documents/:id/content',
    tag: 'documents',
    summary: 'The file itself; one range is honoured',
    permission: 'user',
    params: z.strictObject({ id: z.string() }),
    query: z.strictObject({ variant: z.string().max(50).optional() }),
    contentType: 'application/octet-stream',
    status: 200,
    async handle({ params, query }, { storage, asker, request, response }) {
      const document = await storage.documents.get(storage.fresh, asker.accountId, params.id)
      if (document === undefined || (query.variant !== undefined && query.variant !== 'original'))
        throw notFound('document')
      const etag = `"${document.digest}"`
      response.set({
        'content-type': safeTypes.test(document.contentType) ? document.contentType : 'application/octet-stream',
        'content-disposition': dispositionOf(document),
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
      const range = rangeOf(request, document, etag)
      if (range === 'none') {
        response.setHeader('content-range', `bytes */${String(document.size)}`)
        throw new Problem(416, 'range_not_satisfiable', `The file has ${String(document.size)} bytes.`)
      }
      const { stream } = await storage.documents.open(document.digest, range)
      if (range !== undefined)
        response
          .status(206)
          .setHeader('content-range', `bytes ${String(range.start)}-${String(range.end)}/${String(document.size)}`)
      response.setHeader('content-length', range === undefined ? document.size : range.end - range.start + 1)
      if (request.method === 'HEAD') {
        stream.destroy()
        response.end()
      } else {
        // A reader that leaves early is no failure.
        await pipeline(stream, response).catch(() => response.destroy())
      }
      return answered
    },
  }),
]

interface Sent {
  readonly name: string | null
  readonly contentType: string
  readonly stored: { readonly digest: string; readonly size: number }
}

const isForm = (request: Request): boolean => /^multipart\/form-data *(;|$)/i.test(request.get('content-type') ?? '')

/** Types that a browser may show by itself; all others are offered for saving as bytes. */
const safeTypes =
  /^(image\/(png|jpeg|gif|webp|avif)|video\/(mp4|webm|quicktime)|audio\/(mpeg|mp4|ogg|wav|webm|aac)|application\/pdf|text\/plain)$/

const typePattern = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,60}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}$/

const plainType = (text: string | undefined): string => {
  const type = (text ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  return typePattern.test(type) ? type : 'application/octet-stream'
}

async function putBody(storage: Storage, request: Request): Promise<Sent> {
  if (Number(request.get('content-length') ?? 0) > largestDocument)
    throw new Problem(413, 'too_large', `At most ${String(largestDocument)} bytes are taken.`)
  const stored = await storage.documents.put(request, largestDocument)
  if (stored.size === 0) throw new Problem(422, 'empty_file', 'The file is empty.')
  return { name: null, contentType: plainType(request.get('content-type')), stored }
}

function putForm(storage: Storage, request: Request): Promise<Sent> {
  return new Promise((resolve, reject) => {
    let file: Promise<Sent> | undefined
    const fail = (error: unknown): void => {
      reject(error instanceof Error ? error : new Error('the form could not be read', { cause: error }))
    }
    const broken = (error: unknown): void => {
      fail(
        error instanceof Problem
          ? error
          : new Problem(400, 'bad_form', 'The form cannot be read.', [], { cause: error }),
      )
    }
    let form: busboy.Busboy
    try {
      form = busboy({
        headers: request.headers,
        defParamCharset: 'utf8',
        limits: { files: 1, fields: 20, fieldSize: 1_000, parts: 30, headerPairs: 50 },
      })
    } catch (error) {
      broken(error)
      return
    }
    form.on('file', (_field, bytes, info) => {
      const through = bytes.pipe(new PassThrough())
      bytes.on('error', (error) => through.destroy(error))
      file = storage.documents.put(through, largestDocument).then((stored) => ({
        name: info.filename ? info.filename.slice(0, 255) : null,
        contentType: plainType(info.mimeType),
        stored,
      }))
      file.catch((error: unknown) => {
        bytes.resume()
        fail(error)
      })
    })
    form.on('error', broken)
    form.on('close', () => {
      if (file === undefined)
        broken(new Problem(422, 'invalid', 'The form has no file.', [{ field: 'file', message: 'Expected a file.' }]))
      else file.then(resolve, fail)
    })
    request.on('aborted', () => {
      form.destroy(new Error('the request broke off'))
    })
    request.pipe(form)
  })
}

/** The bytes of a digest never change, so a copy that has it is right whatever else the request says. */
function isKnown(request: Request, etag: string): boolean {
  const tags = (request.get('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}

/** `undefined`: the whole file; `none`: nothing of what was asked for exists. Several ranges are answered by the whole. */
function rangeOf(
  request: Request,
  document: Document,
  etag: string,
): { start: number; end: number } | 'none' | undefined {
  const condition = request.get('if-range')
  if (request.get('range') === undefined || (condition !== undefined && condition !== etag)) return undefined
  const ranges = request.range(document.size)
  if (ranges === -1) return 'none'
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined
  const [range] = ranges
  return range === undefined ? undefined : { start: range.start, end: range.end }
}

/** RFC 6266, with the name in both forms; only harmless types are shown in the page. */
function dispositionOf(document: Document): string {
  const kind = safeTypes.test(document.contentType) ? 'inline' : 'attachment'
  const name = (document.name ?? document.id).replace(/[/\\\p{Cc}]/gu, '_')
  const plain = name.replace(/[^\x20-\x7e]|["%]/g, '_')
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`
}

const presentDocument = (document: Document): DocumentJson => ({
  id: document.id,
  digest: document.digest,
  content_type: document.contentType,
  size: document.size,
  name: document.name,
  variants: [],
})
