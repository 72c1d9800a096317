/** Pictures that the sandbox keeps itself: open for a time behind a signed link, or closed to all but the two sides of a conversation. */
import { randomInt } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'
import { fieldsOf, textOf } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import type { Answer, Request } from './http.ts'

/** A picture; a picture cut off in the middle; text that calls itself a picture. */
export const mediaKinds = ['photo', 'broken', 'mislabelled'] as const
export type MediaKind = (typeof mediaKinds)[number]

/** Keeps a new picture and gives its address: X closes those of direct messages, everyone else signs a link for a time. */
export function keepMedia(
  { world, clock }: Stage,
  base: URL,
  said: { readonly type: string; readonly kind: string; readonly kind_of_media: MediaKind },
  expiresMs = 60 * 60 * 1000,
): string {
  const id = world.newSnowflake()
  const prefix = base.pathname.startsWith('/sandbox/') ? '/sandbox' : ''
  const isClosed = said.type === 'x' && said.kind === 'message'
  world.note(`media.${id}`, { what: said.kind_of_media, expires_at: clock.now() + expiresMs, is_closed: isClosed })
  const path = isClosed ? `/1.1/ton/data/dm/${id}/${id}/picture.png` : `/media/${id}/picture.png`
  return `${base.origin}${prefix}${path}`
}

/** `/media/:id/...`: whoever has the link. */
export function servePublicMedia(stage: Stage, request: Request): Answer | undefined {
  const id = /^\/media\/(\d+)\//.exec(request.path)?.[1]
  return id === undefined || request.method !== 'GET' ? undefined : serve(stage, id, false)
}

/** X's closed pictures, at their own address (signed) and in the newer API; the caller has proven who he is. */
export function serveMedia(stage: Stage, request: Request): Answer | undefined {
  const id = /^\/(?:1\.1\/ton\/data\/dm|2\/dm_conversations\/media)\/\d+\/(\d+)\//.exec(request.path)?.[1]
  return id === undefined || request.method !== 'GET' ? undefined : serve(stage, id, true)
}

function serve({ world, clock, faults }: Stage, id: string, isClosed: boolean): Answer {
  const note = fieldsOf(world.notes.get(`media.${id}`))
  const what = textOf(note.what)
  const isGone = faults.take('media_gone', isClosed ? 'x' : 'meta') !== undefined
  const isOver = typeof note.expires_at !== 'number' || note.expires_at <= clock.now()
  if (what === undefined || note.is_closed !== isClosed)
    return { status: 404, json: { detail: 'There is no such picture.' } }
  if (isGone || isOver) return { status: 403, json: { detail: 'URL signature expired' } }
  const whole = drawPicture(320, 200)
  const data =
    what === 'broken'
      ? whole.subarray(0, whole.length >> 1)
      : what === 'mislabelled'
        ? Buffer.from('<html>no picture</html>')
        : whole
  return { status: 200, json: null, bytes: { contentType: 'image/png', data } }
}

/** A PNG of one colour with a lighter frame. */
function drawPicture(width: number, height: number): Buffer {
  const colour = [randomInt(160), randomInt(160), randomInt(160)] as const
  const rows = Buffer.alloc((width * 3 + 1) * height)
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const isFrame = x < 12 || y < 12 || x >= width - 12 || y >= height - 12
      const at = y * (width * 3 + 1) + 1 + x * 3
      colour.forEach((part, index) => (rows[at + index] = isFrame ? part + 90 : part))
    }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
