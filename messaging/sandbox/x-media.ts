/**
 * X's media: uploads by one request or in segments, what X makes of them, their descriptions. An upload is good for a day of
 * the sandbox's time, to its owner alone.
 */
import { z } from 'zod'
import { fieldsOf, idOf, readJson, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import type { Answer, Request } from './http.ts'
import { baseOf } from './media.ts'
import { readForm } from './multipart.ts'
import type { SandboxChannel, SandboxFile } from './world.ts'
import { invalidRequest } from './x-problems.ts'

const megabyte = 1024 * 1024
const dayMs = 24 * 60 * 60 * 1000
/** How long X looks at films and moving pictures. */
const processingMs = 5_000
const categories: readonly string[] = ['tweet_image', 'tweet_gif', 'tweet_video', 'dm_image', 'dm_gif', 'dm_video']
type Use = Note['use']
type Form = Note['form']

const most: Readonly<Record<Form, number>> = { image: 5 * megabyte, gif: 15 * megabyte, video: 512 * megabyte }
/** By type: the form, and how the bytes begin. */
// prettier-ignore
const types: Readonly<Record<string, { readonly form: Form; readonly begins: RegExp }>> = {
  'image/png': { form: 'image', begins: /^\x89PNG/ },
  'image/jpeg': { form: 'image', begins: /^\xff\xd8\xff/ },
  'image/webp': { form: 'image', begins: /^RIFF.{4}WEBP/s },
  'image/gif': { form: 'gif', begins: /^GIF8/ },
  'video/mp4': { form: 'video', begins: /^.{4}ftyp/s },
  'video/quicktime': { form: 'video', begins: /^.{4}(?:ftyp|moov|mdat)/s },
}

const noteSchema = z.object({
  owner: z.string(),
  use: z.enum(['tweet', 'dm']),
  form: z.enum(['image', 'gif', 'video']),
  type: z.string(),
  total: z.number(),
  expiresAt: z.number(),
  /** When X has looked at it; missing while segments are still coming. */
  readyAt: z.number().optional(),
  isBad: z.boolean().optional(),
  /** Where the bytes lie. */
  name: z.string().optional(),
  alt: z.string().optional(),
})
type Note = z.infer<typeof noteSchema>

export interface XMedia {
  /** Answers below `/2/media/`; `undefined` for all else. */
  answer(request: Request, channel: SandboxChannel): Promise<Answer | undefined>
  /** The files for something that is said; `undefined` when X would not take them all. */
  take(ids: readonly string[], use: Use, channel: SandboxChannel, request: Request): readonly SandboxFile[] | undefined
}

export function openXMedia({ world, clock, uploads }: Stage): XMedia {
  const open = new Map<string, Map<number, Buffer>>()

  const keyOf = (id: string): string => `x.media.${id}`

  const noteOf = (id: string): Note | undefined => noteSchema.safeParse(world.notes.get(keyOf(id))).data

  function find(id: string, channel: SandboxChannel): Note | undefined {
    const note = noteOf(id)
    return note?.owner === channel.external_id && note.expiresAt > clock.now() ? note : undefined
  }

  function begin(channel: SandboxChannel, category: string | undefined, type: string, total: number): string | Answer {
    const known = types[type]
    const [use = '', form = ''] = category?.split('_') ?? []
    if (known === undefined) return invalidRequest('media_type', type, 'media type unrecognized.')
    if (category === undefined || !categories.includes(category))
      return invalidRequest('media_category', category ?? '', 'Invalid media category.')
    if (form !== known.form)
      return invalidRequest('media_category', category, `The media category does not fit ${type}.`)
    if (!Number.isSafeInteger(total) || total < 1 || total > most[known.form])
      return invalidRequest('total_bytes', String(total), `File size exceeds ${String(most[known.form])} bytes.`)
    const id = world.newSnowflake()
    const note: Note = {
      owner: channel.external_id,
      use: use === 'dm' ? 'dm' : 'tweet',
      form: known.form,
      type,
      total,
      expiresAt: clock.now() + dayMs,
    }
    world.note(keyOf(id), note)
    return id
  }

  /** Bytes that are not what they were said to be are refused at once, or fail while X looks at them. */
  function end(id: string, note: Note, bytes: Buffer): Answer {
    const isBad = types[note.type]?.begins.test(bytes.subarray(0, 16).toString('latin1')) !== true
    if (isBad && note.form === 'image') return invalidRequest('media', id, 'media type unrecognized.')
    const readyAt = clock.now() + (note.form === 'image' ? 0 : processingMs)
    const done: Note = { ...note, readyAt, isBad, name: uploads.keep(bytes, note.type) }
    world.note(keyOf(id), done)
    return shown(id, done)
  }

  const shown = (id: string, note: Note): Answer => ({
    status: 200,
    json: {
      data: {
        id,
        media_key: keyOfMedia(id, note.form),
        size: note.total,
        expires_after_secs: Math.floor((note.expiresAt - clock.now()) / 1000),
        ...(note.form === 'image' ? {} : { processing_info: stateOf(note) }),
      },
    },
    accepted: silently,
  })

  function stateOf({ readyAt = Number.POSITIVE_INFINITY, isBad = false }: Note): Fields {
    const leftMs = readyAt - clock.now()
    if (leftMs > 0)
      return {
        state: leftMs > processingMs / 2 ? 'pending' : 'in_progress',
        check_after_secs: Math.max(1, Math.ceil(leftMs / 1000)),
      }
    return { state: isBad ? 'failed' : 'succeeded', progress_percent: isBad ? 0 : 100 }
  }

  async function whole(request: Request, channel: SandboxChannel): Promise<Answer> {
    const { text, bytes } = await readBody(request)
    if (bytes === undefined) return invalidRequest('media', '', 'media is required')
    const type = Object.keys(types).find((one) => types[one]?.begins.test(bytes.subarray(0, 16).toString('latin1')))
    const id = begin(channel, text('media_category'), type ?? 'unknown', bytes.length)
    if (typeof id !== 'string') return id
    const note = find(id, channel)
    return note === undefined ? missing(id) : end(id, note, bytes)
  }

  function initialize(body: Fields, channel: SandboxChannel): Answer {
    const type = textOf(body.media_type) ?? ''
    const id = begin(channel, textOf(body.media_category), type, Number(body.total_bytes))
    if (typeof id !== 'string') return id
    open.set(id, new Map())
    return {
      status: 200,
      json: { data: { id, media_key: keyOfMedia(id, types[type]?.form ?? 'image'), expires_after_secs: dayMs / 1000 } },
      accepted: silently,
    }
  }

  async function append(id: string, request: Request, channel: SandboxChannel): Promise<Answer> {
    const note = find(id, channel)
    const segments = open.get(id)
    if (note === undefined || segments === undefined) return missing(id)
    const { text, bytes } = await readBody(request)
    const index = Number(text('segment_index') ?? Number.NaN)
    if (!Number.isSafeInteger(index) || index < 0 || index > 999)
      return invalidRequest('segment_index', text('segment_index') ?? '', 'segment_index must be between 0 and 999')
    if (bytes === undefined || bytes.length === 0) return invalidRequest('media', '', 'media is required')
    if (bytes.length > 5 * megabyte) return invalidRequest('media', id, 'A segment may have 5 MB at most.')
    const sum = [...segments].reduce((all, [place, one]) => all + (place === index ? 0 : one.length), bytes.length)
    if (sum > note.total) return invalidRequest('media', id, 'Segments exceed the total file size.')
    segments.set(index, bytes)
    return {
      status: 200,
      json: { data: { expires_at: Math.floor(note.expiresAt / 1000) } },
      accepted: silently,
    }
  }

  function finalize(id: string, channel: SandboxChannel): Answer {
    const note = find(id, channel)
    if (note === undefined) return missing(id)
    // Asked once more after a lost answer.
    if (note.readyAt !== undefined) return shown(id, note)
    const segments = open.get(id) ?? new Map<number, Buffer>()
    const inOrder = Array.from({ length: segments.size }, (_, index) => segments.get(index))
    const parts = inOrder.filter((one) => one !== undefined)
    const bytes = Buffer.concat(parts)
    if (parts.length < segments.size || bytes.length !== note.total)
      return invalidRequest('media_id', id, 'Segments do not add up to provided total file size.')
    open.delete(id)
    return end(id, note, bytes)
  }

  function describe(body: Fields, channel: SandboxChannel): Answer {
    const id = idOf(body.id) ?? ''
    const note = find(id, channel)
    const alt = textOf(fieldsOf(fieldsOf(body.metadata).alt_text).text)
    if (note?.readyAt === undefined || note.readyAt > clock.now()) return missing(id)
    if (alt === undefined || alt.length > 1000)
      return invalidRequest('alt_text', '', 'alt_text must have 1 to 1000 characters')
    if (note.form === 'video') return invalidRequest('alt_text', id, 'Alt text is not supported for this media.')
    world.note(keyOf(id), { ...note, alt })
    return { status: 200, json: { data: { id, associated_metadata: { alt_text: { text: alt } } } } }
  }

  return {
    async answer(request, channel) {
      const [, , family, second, third = '', fourth = ''] = request.path.split('/').map(decodeURIComponent)
      if (family !== 'media') return undefined
      const { method } = request
      const isUpload = second === 'upload'
      if (isUpload && third === '' && method === 'GET') {
        const query = request.url.searchParams
        const id = query.get('media_id') ?? ''
        const note = find(id, channel)
        return note?.readyAt === undefined ? missing(id) : { status: 200, json: shown(id, note).json }
      }
      if (method !== 'POST') return undefined
      if (second === 'metadata') return describe(fieldsOf(readJson(request.body)), channel)
      if (!isUpload) return undefined
      if (third === '') return whole(request, channel)
      if (third === 'initialize') return initialize(fieldsOf(readJson(request.body)), channel)
      if (fourth === 'append') return append(third, request, channel)
      return fourth === 'finalize' ? finalize(third, channel) : undefined
    },

    take(ids, use, channel, request) {
      const notes = ids.map((id) => find(id, channel))
      const areGood = notes.every(
        (note) => note?.use === use && note.isBad !== true && (note.readyAt ?? Number.POSITIVE_INFINITY) <= clock.now(),
      )
      const isAlone = ids.length === 1 || notes.every((note) => note?.form === 'image')
      if (!areGood || !isAlone || new Set(ids).size < ids.length) return undefined
      return ids.flatMap((id, place) => {
        const note = notes[place]
        if (note === undefined) return []
        const kind = { image: 'photo', gif: 'animated_gif', video: 'video' }[note.form]
        return [{ kind, id, url: `${baseOf(request)}/media/${note.name ?? ''}`, alt_text: note.alt }]
      })
    },
  }
}

export const keyOfMedia = (id: string, form: string): string =>
  `${form === 'video' ? '7' : form === 'gif' || form === 'animated_gif' ? '16' : '3'}_${id}`

/** Nobody outside is told, but the answer can get lost. */
export const silently = { echo: () => Promise.resolve(), after: () => Promise.resolve() }

const missing = (id: string): Answer => invalidRequest('media_id', id, 'Your media IDs are invalid.')

/** Multipart, or JSON with the bytes in base64. */
async function readBody(
  request: Request,
): Promise<{ readonly text: (name: string) => string | undefined; readonly bytes: Buffer | undefined }> {
  const type = request.headers['content-type'] ?? ''
  if (!type.startsWith('multipart/form-data')) {
    const body = fieldsOf(readJson(request.body))
    const media = textOf(body.media)
    const text = (name: string): string | undefined => idOf(body[name])
    return { text, bytes: media === undefined ? undefined : Buffer.from(media, 'base64') }
  }
  const form = await readForm(request)
  const media = form.get('media')
  const bytes = media === null || typeof media === 'string' ? undefined : Buffer.from(await media.bytes())
  const text = (name: string): string | undefined => {
    const value = form.get(name)
    return typeof value === 'string' ? value : undefined
  }
  return { text, bytes }
}
