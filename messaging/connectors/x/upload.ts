/**
 * Files given to X before they are said: small pictures by one request (`POST /2/media/upload`), all else in segments
 * (`initialize`, `append`, `finalize`), with X's looking at films and moving pictures waited for by the caller. Nobody outside
 * sees anything yet, so whatever is not known may be tried again.
 */
import { messageOf } from '../../../infra/errors.ts'
import type { ChannelAccess, OutboundFile, Upload } from '../connector.ts'
import { fieldsOf, idOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { callX } from './api.ts'
import type { XCall, XFailure } from './api.ts'
import { isGif, misfitFile, refuse, typeOf } from './fit.ts'
import { cut } from './people.ts'

const megabyte = 1024 * 1024
const byOneRequest = megabyte
/** X takes segments of at most 5 MB and at most 1,000 of them. */
const segmentBytes = 2 * megabyte
const segmentLimitMs = 60_000
const mostAltText = 1_000
/** Media ids are good for a day; a little less, so that none dies between the look and the sending. */
const dayMs = 24 * 60 * 60 * 1000
const marginMs = 10 * 60 * 1000

/** `begun`: the id of a file that X was still looking at. Never throws. */
export async function uploadX(
  channel: ChannelAccess,
  file: OutboundFile,
  use: 'direct' | 'public',
  begun: string | undefined,
  signal: AbortSignal,
): Promise<Upload> {
  const wrong = misfitFile(file)
  if (wrong !== undefined) return wrong
  try {
    const known = begun === undefined ? undefined : await askStatus(channel, begun, signal)
    // One that X does not know any more is begun anew.
    const isGone = known === undefined || ('type' in known && known.code === 'upload_gone')
    const data = isGone ? await give(channel, file, use, signal) : known
    if ('type' in data) return data
    return await conclude(channel, file, use, data, signal)
  } catch (error) {
    return { type: 'retry', code: 'no_file', reason: `The file could not be read just now: ${messageOf(error)}` }
  }
}

interface Given {
  readonly id: string
  readonly fields: Fields
}

function give(
  channel: ChannelAccess,
  file: OutboundFile,
  use: 'direct' | 'public',
  signal: AbortSignal,
): Promise<Given | XFailure> {
  const category = `${use === 'direct' ? 'dm' : 'tweet'}_${isGif(file) ? 'gif' : file.kind}`
  const isSmall = file.kind === 'image' && !isGif(file) && file.size <= byOneRequest
  return isSmall ? giveWhole(channel, file, category, signal) : giveInSegments(channel, file, category, signal)
}

async function giveWhole(
  channel: ChannelAccess,
  file: OutboundFile,
  category: string,
  signal: AbortSignal,
): Promise<Given | XFailure> {
  const chunks: Buffer[] = []
  for await (const segment of segmentsOf(file)) chunks.push(segment)
  const form = new FormData()
  form.set('media_category', category)
  form.set('media', new Blob(chunks, { type: typeOf(file.contentType) }), 'media')
  return ask(channel, { method: 'POST', path: '/2/media/upload', multipart: form, limitMs: segmentLimitMs }, signal)
}

async function giveInSegments(
  channel: ChannelAccess,
  file: OutboundFile,
  category: string,
  signal: AbortSignal,
): Promise<Given | XFailure> {
  const body = { media_type: typeOf(file.contentType), total_bytes: file.size, media_category: category }
  const begun = await ask(channel, { method: 'POST', path: '/2/media/upload/initialize', body }, signal)
  if ('type' in begun) return begun
  const path = `/2/media/upload/${encodeURIComponent(begun.id)}`
  let index = 0
  for await (const segment of segmentsOf(file)) {
    const failure = await append(channel, `${path}/append`, segment, index, signal)
    if (failure !== undefined) return failure
    index += 1
  }
  return ask(channel, { method: 'POST', path: `${path}/finalize` }, signal)
}

/** A segment whose fate is not known is given once more: it takes its own place. */
async function append(
  channel: ChannelAccess,
  path: string,
  segment: Buffer,
  index: number,
  signal: AbortSignal,
): Promise<XFailure | undefined> {
  for (let tries = 1; ; tries += 1) {
    const form = new FormData()
    form.set('segment_index', String(index))
    form.set('media', new Blob([segment]), 'segment')
    const result = await callX(channel, { method: 'POST', path, multipart: form, limitMs: segmentLimitMs }, signal)
    // Older answers to a segment have no body.
    if (result.ok || /^http_2\d\d$/.test(result.outcome.code)) return undefined
    const isPassing = result.outcome.type === 'unknown' && !signal.aborted
    if (!isPassing || tries === 2) return harmless(result.outcome)
  }
}

/** The bytes in segments of one size. A file that has another size than it says is not given at all. */
async function* segmentsOf(file: OutboundFile): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = []
  let size = 0
  let total = 0
  const stream = await file.open()
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      total += chunk.length
      if (total > file.size) break
      waiting.push(Buffer.from(chunk))
      size += chunk.length
      while (size >= segmentBytes) {
        const all = Buffer.concat(waiting)
        yield all.subarray(0, segmentBytes)
        waiting = [all.subarray(segmentBytes)]
        size -= segmentBytes
      }
    }
  } finally {
    stream.destroy()
  }
  if (total !== file.size) throw new Error(`It has ${String(total)} bytes instead of ${String(file.size)}.`)
  if (size > 0) yield Buffer.concat(waiting)
}

function askStatus(channel: ChannelAccess, id: string, signal: AbortSignal): Promise<Given | XFailure> {
  return ask(channel, { method: 'GET', path: '/2/media/upload', query: { command: 'STATUS', media_id: id } }, signal)
}

async function ask(channel: ChannelAccess, call: XCall, signal: AbortSignal): Promise<Given | XFailure> {
  const result = await callX(channel, call, signal)
  if (!result.ok) return harmless(result.outcome)
  const fields = fieldsOf(fieldsOf(result.json).data)
  const id = idOf(fields.id)
  return id === undefined ? { type: 'retry', code: 'no_id', reason: 'X took the file and gave no id.' } : { id, fields }
}

/** X may still be looking at it; once it is done, what is said of the picture is put to it. */
async function conclude(
  channel: ChannelAccess,
  file: OutboundFile,
  use: 'direct' | 'public',
  { id, fields }: Given,
  signal: AbortSignal,
): Promise<Upload> {
  const processing = fieldsOf(fields.processing_info)
  const state = textOf(processing.state) ?? 'succeeded'
  if (state === 'failed') return refuse('content', 'file_refused', 'X could not make anything of the file.')
  if (state !== 'succeeded') {
    const seconds = Number(processing.check_after_secs)
    return { type: 'processing', id, afterMs: Math.min(60, Math.max(1, seconds || 1)) * 1000 }
  }
  const alt = file.kind === 'image' ? cut(file.altText?.trim() ?? '', mostAltText) : ''
  if (alt !== '') {
    const body = { id, metadata: { alt_text: { text: alt } } }
    const result = await callX(channel, { method: 'POST', path: '/2/media/metadata', body }, signal)
    // In public nobody is left without it; a private picture is worth more than its description.
    if (!result.ok && (use === 'public' || result.outcome.type !== 'refused')) return harmless(result.outcome)
  }
  const lifeMs = Math.min(dayMs, Number(fields.expires_after_secs) * 1000 || dayMs)
  return { type: 'ok', id, expiresAt: new Date(Date.now() + Math.max(0, lifeMs - marginMs)) }
}

/** Nobody outside saw anything, so what is not known may be tried again. */
const harmless = (outcome: XFailure): XFailure => (outcome.type === 'unknown' ? { ...outcome, type: 'retry' } : outcome)
