/** Files that apps give to Meta: by upload or by an address that Meta fetches; what is taken, and for how long it is good. */
import { callOutside } from '../../infra/outside.ts'
import { fieldsOf, idOf, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import { graphError } from './graph-error.ts'
import { jsonOf } from './graph-request.ts'
import type { GraphRequest } from './graph-request.ts'
import type { Answer } from './http.ts'
import { bytesOf, files } from './files.ts'
import { fileUrl } from './media.ts'
import type { SandboxChannel, SandboxFile } from './world.ts'

const megabyte = 1024 * 1024
const dayMs = 24 * 60 * 60 * 1000

/** What is kept of a file that was given, under `meta.file.<id>`. */
export interface KeptFile {
  readonly use: 'attachment' | 'photo' | 'media'
  readonly channel: string
  readonly kind: string
  /** Where it lies below `/media/`. */
  readonly name: string
  readonly content_type: string
  readonly title?: string | undefined
  readonly alt_text?: string | undefined
  readonly expires_at: number
}

interface Bytes {
  readonly contentType: string
  readonly data: Buffer
  readonly title?: string
}

/** `POST /{page}/message_attachments`: an id that is good for 90 days. */
export async function uploadAttachment(stage: Stage, channel: SandboxChannel, call: GraphRequest): Promise<Answer> {
  const attachment = fieldsOf(fieldsOf(jsonOf(call.parameters.message)).attachment)
  const payload = fieldsOf(attachment.payload)
  const isInstagram = call.parameters.platform === 'instagram'
  const kept = await keepAttachment(stage, channel, textOf(attachment.type) ?? '', payload, call, isInstagram)
  if ('status' in kept) return kept
  return { status: 200, json: { attachment_id: keep(stage, kept, 90 * dayMs, 'attachment') } }
}

/** The attachment of a message: an id, an address, or a file of the same call. */
export async function attachmentOf(
  stage: Stage,
  channel: SandboxChannel,
  attachment: Fields,
  call: Pick<GraphRequest, 'file' | 'base'>,
): Promise<SandboxFile | Answer> {
  const kind = textOf(attachment.type) ?? ''
  const payload = fieldsOf(attachment.payload)
  const id = idOf(payload.attachment_id)
  if (id === undefined) {
    const kept = await keepAttachment(stage, channel, kind, payload, call, channel.type === 'instagram')
    return 'status' in kept ? kept : shown(call.base, kept)
  }
  const kept = findKept(stage, channel, id, 'attachment')
  if (kept === undefined)
    return graphError(100, 2_018_074, 'Invalid attachment ID: it does not exist, is not yours or has expired.')
  return kept.kind === kind ? shown(call.base, kept) : graphError(100, 2_018_047, 'The attachment has another type.')
}

type Given = Omit<KeptFile, 'use' | 'expires_at'>

async function keepAttachment(
  stage: Stage,
  channel: SandboxChannel,
  kind: string,
  payload: Fields,
  { file }: Pick<GraphRequest, 'file'>,
  isInstagram: boolean,
): Promise<Given | Answer> {
  const address = textOf(payload.url)
  const bytes = file ?? (address === undefined ? undefined : await fetchGiven(stage, address))
  if (bytes === undefined)
    return address === undefined
      ? graphError(100, 2_018_034, 'Message cannot be empty, must provide valid attachment or text')
      : graphError(100, 2_018_008, 'Failed to fetch the file from the url')
  const allowed = isInstagram ? instagramTypes[kind] : messengerTypes[kind]
  if (allowed === undefined) return graphError(100, undefined, `Param message[attachment][type] must not be ${kind}`)
  // What comes by an address is smaller on Messenger too.
  const most = kind === 'image' && (isInstagram || file === undefined) ? 8 : 25
  if (bytes.data.length > most * megabyte) return graphError(100, 2_018_109, 'Attachment size exceeds allowable limit')
  if (!allowed.test(bytes.contentType) || bytes.data.length === 0)
    return graphError(100, 2_018_047, 'Upload attachment failure.')
  return given(stage, channel, kind, bytes, file?.name)
}

const messengerTypes: Readonly<Record<string, RegExp>> = {
  image: /^image\//,
  video: /^video\//,
  audio: /^audio\//,
  file: /^/,
}
const instagramTypes: Readonly<Record<string, RegExp>> = {
  image: /^image\/(png|jpeg|gif)/,
  video: /^video\/(mp4|ogg|x-msvideo|avi|quicktime|webm)/,
  audio: /^audio\/(aac|mp4|x-m4a|m4a|wav|x-wav)/,
  file: /^application\/pdf/,
}

/** `POST /{page}/photos` with `published=false`: a photo that stands nowhere yet, for a day. */
export async function keepPhoto(stage: Stage, channel: SandboxChannel, call: GraphRequest): Promise<Given | Answer> {
  const address = textOf(call.parameters.url)
  const bytes = call.file ?? (address === undefined ? undefined : await fetchGiven(stage, address))
  if (bytes === undefined) return graphError(324, undefined, 'Missing or invalid image file')
  if (!/^image\/(jpeg|png|gif|bmp|tiff)/.test(bytes.contentType) || bytes.data.length > 4 * megabyte)
    return graphError(100, 1_366_046, 'Photos should be smaller than 4 MB and saved as JPG or PNG.')
  const altText = textOf(call.parameters.alt_text_custom)
  return {
    ...given(stage, channel, 'image', bytes, undefined),
    ...(altText === undefined ? {} : { alt_text: altText }),
  }
}

export const keepUnpublished = (stage: Stage, photo: Given): string => keep(stage, photo, dayMs, 'photo')

const whatsappTypes: readonly (readonly [RegExp, string, number])[] = [
  [/^image\/(jpeg|png)$/, 'image', 5],
  [/^image\/webp$/, 'sticker', 0.5],
  [/^video\/(mp4|3gpp)$/, 'video', 16],
  [/^audio\/(aac|amr|mpeg|mp4|ogg)/, 'audio', 16],
  [
    /^(text\/plain|application\/(pdf|msword|vnd\.ms-(excel|powerpoint)|vnd\.openxmlformats-officedocument\..+))$/,
    'document',
    100,
  ],
]

/** `POST /{phone-number-id}/media`: an id that is good for 30 days. */
export function uploadMedia(stage: Stage, channel: SandboxChannel, { parameters, file }: GraphRequest): Answer {
  if (parameters.messaging_product !== 'whatsapp')
    return graphError(100, undefined, 'The parameter messaging_product is required.')
  if (file?.field !== 'file') return graphError(100, undefined, 'The parameter file is required.')
  const contentType = textOf(parameters.type) ?? file.contentType
  const allowed = whatsappTypes.find(([type]) => type.test(contentType))
  if (allowed === undefined)
    return graphError(
      100,
      undefined,
      `Param file must be a file with one of the supported types. Received file of type '${contentType}'.`,
    )
  if (file.data.length === 0 || file.data.length > allowed[2] * megabyte)
    return graphError(131_053, undefined, 'Media upload error')
  const kept = given(stage, channel, allowed[1], { contentType, data: file.data }, file.name)
  return { status: 200, json: { id: keep(stage, kept, 30 * dayMs, 'media') } }
}

/** A file that was given by this channel for this use, and has not expired. */
export function findKept(
  stage: Stage,
  channel: SandboxChannel,
  id: string,
  use: KeptFile['use'],
): KeptFile | undefined {
  const kept = stage.world.notes.get(`meta.file.${id}`) as KeptFile | undefined
  return kept?.use === use && kept.channel === channel.external_id && kept.expires_at > stage.clock.now()
    ? kept
    : undefined
}

/** As the customer sees it and as webhooks name it. */
export const shown = (base: string, { kind, name, title, alt_text: altText }: Given): SandboxFile => ({
  kind,
  file: name,
  url: fileUrl(base, name),
  ...(title === undefined || kind !== 'file' ? {} : { title }),
  ...(altText === undefined ? {} : { alt_text: altText }),
})

/** What lies at an address, as a network fetches it; `undefined` when there is nothing. */
export async function fetchGiven(stage: Stage, address: string): Promise<Bytes | undefined> {
  const own = /\/media\/([\w-]+\.\w+)/.exec(address)?.[1] ?? ''
  const made = bytesOf(own)
  if (made !== undefined) return { contentType: files[own]?.contentType ?? '', data: made }
  try {
    // Only addresses of this machine are for the sandbox to fetch, and those of the whole world.
    const answer = await callOutside({
      url: address,
      maxBytes: 101 * megabyte,
      limitMs: 10_000,
      allowHosts: [new URL(address).host],
    })
    const contentType = answer.headers['content-type'] ?? 'application/octet-stream'
    return answer.status === 200 ? { contentType, data: answer.body } : undefined
  } catch {
    return undefined
  }
}

function given(stage: Stage, channel: SandboxChannel, kind: string, bytes: Bytes, title: string | undefined): Given {
  const name = stage.uploads.keep(bytes.data, bytes.contentType)
  const own = title === undefined ? {} : { title }
  return { channel: channel.external_id, kind, name, content_type: bytes.contentType, ...own }
}

function keep(stage: Stage, file: Given, goodForMs: number, use: KeptFile['use']): string {
  const id = stage.world.newSnowflake()
  stage.world.note(`meta.file.${id}`, { ...file, use, expires_at: stage.clock.now() + goodForMs })
  return id
}
