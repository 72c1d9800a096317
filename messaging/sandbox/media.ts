/**
 * The sandbox's files on its network: at `/media/<name>`, where with `expires` (milliseconds of the sandbox's time) an address
 * dies, as those of the real networks do, and with `wa` it wants the token of that WhatsApp number; and those of X's direct
 * messages, closed to all but the two sides.
 */
import { randomBytes } from 'node:crypto'
import { fieldsOf, textOf } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import { bytesOf, files } from './files.ts'
import { channelsOf, tokenState } from './graph-channel.ts'
import type { Answer, Request } from './http.ts'
import type { Uploads } from './uploads.ts'

/** A picture; a picture cut off in the middle; a page that calls itself a picture. */
const pictures = { photo: 'photo.png', broken: 'broken.png', mislabelled: 'mislabelled.png' } as const
export const mediaKinds = ['photo', 'broken', 'mislabelled'] as const
export type MediaKind = (typeof mediaKinds)[number]

/** A new address of a picture: X closes those of direct messages, everyone else signs a link for a time. */
export function keepMedia(
  { world, clock }: Stage,
  base: string,
  said: { readonly type: string; readonly kind: string; readonly kind_of_media: MediaKind },
  expiresMs = 60 * 60 * 1000,
): string {
  const name = pictures[said.kind_of_media]
  const expires = Math.floor(clock.now() + expiresMs)
  if (said.type !== 'x' || said.kind !== 'message') return fileUrl(base, name, { expires: String(expires) })
  const id = world.newSnowflake()
  world.note(`media.${id}`, { name, expires_at: expires })
  return `${base}/1.1/ton/data/dm/${id}/${id}/picture.png`
}

/** X's closed pictures, at their own address (signed) and in the newer API; the caller has proven who he is. */
export function serveClosedMedia({ world, clock, faults }: Stage, request: Request): Answer | undefined {
  const id = /^\/(?:1\.1\/ton\/data\/dm|2\/dm_conversations\/media)\/\d+\/(\d+)\//.exec(request.path)?.[1]
  if (id === undefined || request.method !== 'GET') return undefined
  const note = fieldsOf(world.notes.get(`media.${id}`))
  const found = answerOf(textOf(note.name) ?? '')
  if (found === undefined) return { status: 404, json: { detail: 'There is no such picture.' } }
  const isOver = typeof note.expires_at !== 'number' || note.expires_at <= clock.now()
  return faults.take('media_gone', 'x') !== undefined || isOver
    ? { status: 403, json: { detail: 'URL signature expired' } }
    : found
}

function answerOf(name: string, uploads?: Uploads): Answer | undefined {
  const data = bytesOf(name)
  const bytes = data === undefined ? uploads?.open(name) : { contentType: files[name]?.contentType ?? '', data }
  return bytes && { status: 200, json: null, bytes }
}

/** An address of its own for each use. */
export function fileUrl(base: string, name: string, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams({ ...more, key: randomBytes(6).toString('hex') })
  return `${base}/media/${name}?${query.toString()}`
}

/** Where this sandbox is, as the caller reached it. */
export const baseOf = (request: Request): string =>
  request.url.origin + (request.url.pathname.startsWith('/sandbox/') ? '/sandbox' : '')

/** Answers `/media/<name>`; `undefined` for any other path. */
export function serveFile(stage: Stage, request: Request): Answer | undefined {
  const name = /^\/media\/([\w-]+\.\w+)$/.exec(request.path)?.[1]
  if (name === undefined || request.method !== 'GET') return undefined
  const query = request.url.searchParams
  const refused = (status: number, detail: string): Answer => ({
    status,
    json: { error: { message: detail, code: status } },
  })
  const expires = query.get('expires')
  if (expires !== null && stage.clock.now() >= Number(expires)) return refused(403, 'URL signature expired')
  if (stage.faults.take('media_gone', 'meta') !== undefined) return refused(404, 'There is no such file')
  const number = query.get('wa')
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const isAllowed = (): boolean =>
    tokenState(stage, token).is_valid && channelsOf(stage.world, token).some((one) => one.external_id === number)
  if (number !== null && !isAllowed()) return refused(401, 'The access token is missing or wrong')
  return answerOf(name, stage.uploads) ?? refused(404, 'There is no such file')
}
