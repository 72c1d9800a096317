/** Files: put as the request body or as a form, read with ranges. */
import { PassThrough } from 'node:stream'
import busboy from 'busboy'
import type { Request } from 'express'
import { z } from 'zod'
import { notFound, Problem } from '../../infra/errors.ts'
import { takeFile } from '../../storage/files.ts'
import type { TakenFile } from '../../storage/files.ts'
import type { Storage } from '../../storage/index.ts'
import { answerDocument } from '../answer-file.ts'
import { presentDocument } from '../presenters/file.ts'
import { documentShape } from '../presenters/shapes.ts'
import { route } from '../route.ts'

/** Largest file, in bytes. */
export const largestDocument = 100 * 1024 * 1024

/** Which copy: `thumbnail` (320 pixels), `preview` (1,280 pixels), `original`. */
export const variantQuery = z.strictObject({ variant: z.string().max(50).optional() })

export const documentRoutes = [
  route({
    method: 'post',
    path: '/documents',
    tag: 'documents',
    summary: 'Put a file: as the body itself, or as the first file of a form; its type is what its bytes say',
    permission: 'documents.put',
    query: z.strictObject({ name: z.string().max(255).optional() }),
    reads: 'stream',
    answer: documentShape,
    status: 201,
    async handle({ query }, { storage, asker, request }) {
      const sent = isForm(request) ? await putForm(storage, request) : await putBody(storage, request)
      const { digest, size, contentType, variants } = sent.file
      const document = await storage.write((tx) =>
        storage.documents.create(tx, {
          accountId: asker.accountId,
          name: query.name ?? sent.name,
          contentType,
          digest,
          size,
          variants,
        }),
      )
      return presentDocument(document, storage)
    },
  }),
  route({
    method: 'get',
    path: '/documents/:id',
    tag: 'documents',
    summary: 'What is known of a file',
    permission: 'conversations.read',
    params: z.strictObject({ id: z.string() }),
    answer: documentShape,
    async handle({ params }, { storage, asker }) {
      const document = await storage.documents.get(storage.fresh, asker.accountId, params.id)
      if (document === undefined) throw notFound('document')
      return presentDocument(document, storage)
    },
  }),
  route({
    method: 'get',
    path: '/documents/:id/content',
    tag: 'documents',
    summary: 'The file itself, or a smaller copy of a picture; one range is honoured',
    permission: 'conversations.read',
    params: z.strictObject({ id: z.string() }),
    query: variantQuery,
    contentType: 'application/octet-stream',
    status: 200,
    async handle({ params, query }, call) {
      const { storage, asker } = call
      const document = await storage.documents.get(storage.fresh, asker.accountId, params.id)
      if (document === undefined) throw notFound('document')
      return answerDocument(document, query.variant, document.name, call)
    },
  }),
]

interface Sent {
  readonly name: string | null
  readonly file: TakenFile
}

const isForm = (request: Request): boolean => /^multipart\/form-data *(;|$)/i.test(request.get('content-type') ?? '')

const typePattern = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,60}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}$/

const plainType = (text: string | undefined): string => {
  const type = (text ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  return typePattern.test(type) ? type : 'application/octet-stream'
}

const take = (storage: Storage, bytes: AsyncIterable<Uint8Array>, declared: string | undefined): Promise<TakenFile> =>
  takeFile(storage.documents, { bytes, limit: largestDocument, declaredType: plainType(declared) })

async function putBody(storage: Storage, request: Request): Promise<Sent> {
  if (Number(request.get('content-length') ?? 0) > largestDocument)
    throw new Problem(413, 'too_large', `At most ${String(largestDocument)} bytes are taken.`)
  return { name: null, file: await take(storage, request, request.get('content-type')) }
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
      file = take(storage, through, info.mimeType).then((taken) => ({
        name: info.filename ? info.filename.slice(0, 255) : null,
        file: taken,
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
