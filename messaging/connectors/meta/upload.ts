/** Files given to Meta before they are said (Attachment Upload API; Page photos). Nobody outside sees anything yet. */
import type { ChannelAccess, OutboundFile, Upload } from '../connector.ts'
import { fieldsOf, idOf } from '../reading.ts'
import { callGraph, harmless } from './graph.ts'
import type { GraphCall } from './graph.ts'
import { refuse } from './refuse.ts'

const dayMs = 24 * 60 * 60 * 1000
/** Attachment ids are good for 90 days; a day less, so that none dies between the look and the sending. */
const attachmentMs = 89 * dayMs
/** Unpublished photos are cleared away after about a day. */
const photoMs = 20 * 60 * 60 * 1000

/** A reusable attachment for direct messages: images, videos, audio, files of at most 25 MB. */
export function uploadAttachment(
  channel: ChannelAccess,
  file: OutboundFile,
  platform: 'messenger' | 'instagram',
  signal: AbortSignal,
): Promise<Upload> {
  const message = JSON.stringify({ attachment: { type: file.kind, payload: { is_reusable: true } } })
  const fields = { message, ...(platform === 'instagram' ? { platform } : {}) }
  return uploadBy(
    channel,
    { method: 'POST', path: 'me/message_attachments', form: { fields, file, as: 'filedata' } },
    { name: 'attachment_id', goodForMs: attachmentMs },
    signal,
  )
}

/** A photo of the Page that stands nowhere yet: for posts (`attached_media`) and comments (`attachment_id`). */
export function uploadPhoto(channel: ChannelAccess, file: OutboundFile, signal: AbortSignal): Promise<Upload> {
  const fields = { published: 'false', ...(file.altText === undefined ? {} : { alt_text_custom: file.altText }) }
  const path = `${encodeURIComponent(channel.externalId)}/photos`
  return uploadBy(
    channel,
    { method: 'POST', path, form: { fields, file, as: 'source' } },
    { name: 'id', goodForMs: photoMs },
    signal,
  )
}

/** Uploads by `call` and reads the id from the answer. */
export async function uploadBy(
  channel: ChannelAccess,
  call: GraphCall,
  id: { readonly name: string; readonly goodForMs: number },
  signal: AbortSignal,
): Promise<Upload> {
  const result = await callGraph(channel, call, signal)
  if (!result.ok) return harmless(result.outcome)
  const found = idOf(fieldsOf(result.json)[id.name])
  return found === undefined
    ? { type: 'retry', code: 'no_id', reason: 'Meta took the file and gave no id.' }
    : { type: 'ok', id: found, expiresAt: new Date(Date.now() + id.goodForMs) }
}

/** A file that is to be uploaded first and has not been. */
export const notUploaded = refuse('content', 'not_uploaded', 'The file has not been given to the network yet.')
