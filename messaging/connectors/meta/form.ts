/** Files on their way to the Graph API: multipart forms, streamed, so that no file stands in memory whole. */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { OutboundFile } from '../connector.ts'

/** Text fields, then one file under the name that the edge wants it under. */
export interface GraphForm {
  readonly fields: Readonly<Record<string, string>>
  readonly file: OutboundFile
  readonly as: string
}

/**
 * The form as bytes, with the headers that belong to it.
 * @throws what opening the file throws; nothing has left then.
 */
export async function streamForm(form: GraphForm): Promise<{ headers: Record<string, string>; body: Readable }> {
  const { file } = form
  const boundary = `parley-${randomBytes(18).toString('hex')}`
  const fields = Object.entries(form.fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="${form.as}"; filename="${nameOf(file)}"\r\ncontent-type: ${file.contentType.replace(/[^\x20-\x7e]/g, '')}\r\n\r\n`
  const start = Buffer.from(fields.join('') + head)
  const end = Buffer.from(`\r\n--${boundary}--\r\n`)
  const bytes = await file.open()
  async function* parts(): AsyncGenerator<Buffer> {
    yield start
    for await (const chunk of bytes) yield Buffer.from(chunk as Uint8Array)
    yield end
  }
  const body = Readable.from(parts(), { objectMode: false })
  // Also when nobody ever reads it.
  body.once('close', () => bytes.destroy())
  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(start.length + file.size + end.length),
    },
    body,
  }
}

/** A name that cannot break out of its header. Graph tells some types by the ending. */
const nameOf = ({ name, kind }: OutboundFile): string =>
  (name ?? kind)
    .replace(/[\p{Cc}"\\/]/gu, '_')
    .slice(0, 200)
    .toWellFormed()
