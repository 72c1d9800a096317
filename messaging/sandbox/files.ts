/** The sandbox's own files: small ones made on the spot, and bad ones. */
import { createHash } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'

interface File {
  readonly contentType: string
  readonly make: () => Buffer
}

/** By name; every other name is missing. */
// prettier-ignore
export const files: Readonly<Record<string, File>> = {
  'photo.png': { contentType: 'image/png', make: () => png(640, 480) },
  'small.png': { contentType: 'image/png', make: () => png(48, 48) },
  'sticker.png': { contentType: 'image/png', make: () => png(120, 120) },
  'harbour.png': { contentType: 'image/png', make: () => png(480, 320, harbour(480, 320)) },
  // Cut off in the middle.
  'broken.png': { contentType: 'image/png', make: () => png(320, 200).subarray(0, png(320, 200).length >> 1) },
  // Would be 400 million pixels.
  'bomb.png': { contentType: 'image/png', make: () => png(20_000, 20_000, Buffer.alloc(2_000_000)) },
  // A picture by name, a page by content.
  'mislabelled.png': { contentType: 'image/png', make: () => Buffer.from('<!doctype html><title>no picture</title>') },
  'drawing.svg': { contentType: 'image/svg+xml', make: () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>') },
  'animation.gif': { contentType: 'image/gif', make: gif },
  'voice.wav': { contentType: 'audio/wav', make: () => wav(8_000) },
  'ticket.pdf': { contentType: 'application/pdf', make: pdf },
  'clip.mp4': { contentType: 'video/mp4', make: () => Buffer.from('\0\0\0\x1cftypisom\0\0\x02\0isomiso2mp41\0\0\0\x08free', 'latin1') },
  // More than anybody should take.
  'large.bin': { contentType: 'application/octet-stream', make: () => Buffer.alloc(64 * 1024 * 1024) },
}

/** Which file stands for a kind of attachment. */
// prettier-ignore
export const fileOf: Readonly<Record<string, string>> = {
  image: 'photo.png', sticker: 'sticker.png', animated_image: 'animation.gif', audio: 'voice.wav', voice: 'voice.wav', video: 'clip.mp4', file: 'ticket.pdf', document: 'ticket.pdf',
}

const made = new Map<string, Buffer>()

/** The bytes of a file; `undefined` when there is none of that name. */
export function bytesOf(name: string): Buffer | undefined {
  const file = Object.hasOwn(files, name) ? files[name] : undefined
  if (file === undefined) return undefined
  const known = made.get(name) ?? file.make()
  made.set(name, known)
  return known
}

/** SHA-256 as WhatsApp's webhooks write it. */
export const digestOf = (name: string): string =>
  createHash('sha256')
    .update(bytesOf(name) ?? '')
    .digest('base64')

/** A picture with a gradient, or with the given rows. */
function png(width: number, height: number, rows?: Buffer): Buffer {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const line = (y: number): number[] => [
    0,
    ...Array.from({ length: width }, (_, x) => [(x * 255) / width, (y * 255) / height, 160]).flat(),
  ]
  const pixels = rows ?? Buffer.concat(Array.from({ length: height }, (_, y) => Buffer.from(line(y))))
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

/** A sun above the sea, and a boat. */
function harbour(width: number, height: number): Buffer {
  const horizon = height * 0.58
  const colourAt = (x: number, y: number): readonly number[] => {
    const [dx, dy] = [x - width * 0.7, y - height * 0.36]
    const hull = Math.abs(x - width * 0.33) < width * 0.13 - (y - height * 0.66) * 0.7
    if (y > height * 0.66 && y < height * 0.74 && hull) return [122, 46, 42]
    const sail = x > width * 0.34 && x - width * 0.34 < (y - height * 0.22) * 0.34 && y < height * 0.63
    if (y > height * 0.22 && sail) return [250, 246, 236]
    if (Math.abs(x - width * 0.332) < 2 && y > height * 0.18 && y < height * 0.67) return [70, 50, 40]
    if (dx * dx + dy * dy < (height * 0.12) ** 2 && y < horizon) return [255, 226, 150]
    if (y < horizon) return [250 - (horizon - y) * 0.55, 168 + (horizon - y) * 0.1, 120 + (horizon - y) * 0.45]
    const glint = Math.sin(y * 0.9) > 0.4 && Math.abs(dx + Math.sin(y) * 9) < 30 + (y - horizon) * 0.2 ? 90 : 0
    return [28 + glint, 92 + glint * 0.8 + Math.sin(x / 21 + y / 3) * 6, 122 + glint * 0.4 - (y - horizon) * 0.2]
  }
  const line = (y: number): number[] => [0, ...Array.from({ length: width }, (_, x) => colourAt(x, y)).flat()]
  return Buffer.concat(
    Array.from({ length: height }, (_, y) => Buffer.from(line(y).map((part) => Math.max(0, Math.min(255, part))))),
  )
}

/** Two frames of one pixel, for ever. */
function gif(): Buffer {
  const frame = (pixel: number): number[] => [
    0x21,
    0xf9,
    4,
    0,
    20,
    0,
    0,
    0,
    0x2c,
    0,
    0,
    0,
    0,
    1,
    0,
    1,
    0,
    0,
    2,
    2,
    pixel,
    1,
    0,
  ]
  const loop = [0x21, 0xff, 11, ...Buffer.from('NETSCAPE2.0'), 3, 1, 0, 0, 0]
  return Buffer.from([
    ...Buffer.from('GIF89a'),
    1,
    0,
    1,
    0,
    0x80,
    0,
    0,
    255,
    80,
    0,
    0,
    80,
    255,
    ...loop,
    ...frame(0x44),
    ...frame(0x4c),
    0x3b,
  ])
}

/** A second of a tone. */
function wav(rate: number): Buffer {
  const samples = Buffer.from(
    Array.from({ length: rate }, (_, at) => 128 + Math.round(60 * Math.sin((at / rate) * 440 * 2 * Math.PI))),
  )
  const head = Buffer.alloc(44)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(36 + samples.length, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(rate, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(samples.length, 40)
  return Buffer.concat([head, samples])
}

/** One empty page. */
function pdf(): Buffer {
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>',
  ]
  let text = '%PDF-1.4\n'
  const places = objects.map((object, index) => {
    const at = text.length
    text += `${String(index + 1)} 0 obj${object}endobj\n`
    return at
  })
  const table = places.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')
  return Buffer.from(
    `${text}xref\n0 4\n0000000000 65535 f \n${table}trailer<</Size 4/Root 1 0 R>>\nstartxref\n${String(text.length)}\n%%EOF\n`,
  )
}
