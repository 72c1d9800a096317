/** Pictures of tests: good ones drawn by sharp, dangerous ones written by hand. */
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'

/** A photo-like JPEG; `orientation` as a camera writes it (EXIF), beside a place (GPS). */
export const photo = (width: number, height: number, orientation?: number): Promise<Buffer> => {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const
  const image = sharp({ create: { width, height, channels: 3, background: '#a86', noise } }).blur(2)
  const exif = { IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '47/1 22/1 0/1' }, IFD0: { Artist: 'Mei Lin' } }
  return image
    .jpeg({ quality: 88 })
    .withExif(exif)
    .withMetadata(orientation === undefined ? {} : { orientation })
    .toBuffer()
}

/** A picture of one colour that moves: each frame a little redder. */
export async function moving(width: number, height: number, frames: number, format: 'gif' | 'webp'): Promise<Buffer> {
  const pictures = await Promise.all(
    Array.from({ length: frames }, (_, n) =>
      sharp({ create: { width, height, channels: 4, background: { r: (n * 40) % 256, g: 60, b: 60, alpha: 1 } } })
        .png()
        .toBuffer(),
    ),
  )
  const joined = sharp(pictures, { join: { animated: true } })
  return (format === 'gif' ? joined.gif() : joined.webp()).toBuffer()
}

/** A PNG of this size whose pixels are not there. */
export function png(width: number, height: number, ...extra: readonly (readonly [string, Buffer])[]): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...extra.map(([name, data]) => chunk(name, data)),
    chunk('IDAT', deflateSync(Buffer.alloc(Math.min(height * (width * 3 + 1), 1_000_000)))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}

/** A GIF with so many frames of this size, in which one pixel is drawn. */
export function gif(width: number, height: number, frames: number): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt16LE(width, 0)
  size.writeUInt16LE(height, 2)
  const head = Buffer.concat([
    Buffer.from('GIF89a', 'latin1'),
    size,
    Buffer.from([0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff]),
  ])
  const frame = Buffer.concat([
    Buffer.from([0x21, 0xf9, 4, 0, 1, 0, 0, 0, 0x2c, 0, 0, 0, 0]),
    size,
    Buffer.from([0, 2, 2, 0x44, 0x01, 0]),
  ])
  return Buffer.concat([head, ...Array.from({ length: frames }, () => frame), Buffer.from([0x3b])])
}

/** A JPEG whose header says this size. */
export async function hugeJpeg(width: number, height: number): Promise<Buffer> {
  const bytes = Buffer.from(await photo(64, 64))
  const frame = bytes.findIndex((byte, at) => byte === 0xff && [0xc0, 0xc2].includes(bytes[at + 1] ?? 0))
  bytes.writeUInt16BE(height, frame + 5)
  bytes.writeUInt16BE(width, frame + 7)
  return bytes
}

/** An SVG that reads a file and calls a server when it is rendered by a careless program. */
export const svg = (url: string): Buffer =>
  Buffer.from(`<?xml version="1.0"?>
<!DOCTYPE svg [<!ENTITY secret SYSTEM "file:///etc/passwd"><!ENTITY far SYSTEM "${url}">]>
<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><image href="${url}"/><text>&secret;&far;</text><script>alert(1)</script></svg>`)

export const html = Buffer.from('<!DOCTYPE html><html><script>alert(1)</script></html>')

/** A ZIP with one small file. */
export const zip = Buffer.concat([
  Buffer.from([0x50, 0x4b, 3, 4, 20, 0, 0, 0, 0, 0]),
  Buffer.alloc(20),
  Buffer.from('a.txt hello'),
])
