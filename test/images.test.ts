/** Pictures: smaller copies that show what the original shows and tell nothing else; bombs that are never lit. */
import { createServer } from 'node:http'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { openDocuments } from '../storage/documents.ts'
import type { DocumentFiles } from '../storage/documents.ts'
import { takeFile } from '../storage/files.ts'
import type { Arrival } from '../storage/files.ts'
import { FileRefused, makeVariants } from '../storage/images.ts'
import { isInlineType, servedType, sniffType } from '../storage/model/content-types.ts'
import { gif, html, hugeJpeg, moving, photo, png, svg, zip } from './pictures.ts'

const codeOf = async (bytes: Buffer): Promise<string> => {
  try {
    const { variants } = await makeVariants(bytes)
    return `taken with ${String(variants.length)}`
  } catch (error) {
    if (error instanceof FileRefused) return error.code
    throw error
  }
}

describe('smaller copies', () => {
  it('stand as the camera was held, fit, and tell nothing of the place and the person', async () => {
    const original = await photo(2000, 1500, 6)
    expect((await sharp(original).metadata()).exif).toBeDefined()
    const picture = await makeVariants(original)
    expect(picture).toMatchObject({ width: 1500, height: 2000, isAnimated: false })
    expect(picture.variants.map(({ name, width, height }) => [name, width, height])).toEqual([
      ['thumbnail', 240, 320],
      ['preview', 960, 1280],
    ])
    for (const { bytes, width, contentType } of picture.variants) {
      const seen = await sharp(bytes).metadata()
      expect([seen.width, seen.format, contentType]).toEqual([width, 'jpeg', 'image/jpeg'])
      expect([seen.exif, seen.icc, seen.xmp, seen.iptc, seen.orientation]).toEqual(Array(5).fill(undefined))
    }
  })

  it('are not enlarged, keep what is transparent and come from every format that is read', async () => {
    const clear = sharp({
      create: { width: 90, height: 60, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0.2 } },
    })
    for (const bytes of [
      await clear.clone().png().toBuffer(),
      await clear.clone().webp().toBuffer(),
      await clear.clone().avif().toBuffer(),
    ]) {
      const { variants } = await makeVariants(bytes)
      for (const variant of variants) {
        expect([variant.width, variant.height, variant.contentType]).toEqual([90, 60, 'image/webp'])
        expect((await sharp(variant.bytes).stats()).isOpaque).toBe(false)
      }
    }
    const deep = sharp({ create: { width: 50, height: 50, channels: 3, background: '#123456' } })
    expect((await makeVariants(await deep.clone().toColourspace('rgb16').png().toBuffer())).variants).toHaveLength(2)
    expect((await makeVariants(await deep.clone().toColourspace('cmyk').jpeg().toBuffer())).variants).toHaveLength(2)
    expect((await makeVariants(await deep.clone().toColourspace('b-w').png().toBuffer())).variants).toHaveLength(2)
  })

  it.each(['gif', 'webp'] as const)('go on moving in the preview: %s', async (format) => {
    const picture = await makeVariants(await moving(1600, 400, 6, format))
    const [thumbnail, preview] = await Promise.all(picture.variants.map(({ bytes }) => sharp(bytes).metadata()))
    expect(picture).toMatchObject({ width: 1600, height: 400, isAnimated: true })
    expect([thumbnail?.pages, preview?.pages, preview?.width, preview?.format]).toEqual([undefined, 6, 1280, 'webp'])
    expect(picture.variants[1]).toMatchObject({ width: 1280, height: 320 })
  })

  it('of what moves for long stand still', async () => {
    const picture = await makeVariants(gif(100, 100, 400))
    expect([picture.isAnimated, (await sharp(picture.variants[1]!.bytes).metadata()).pages]).toEqual([true, undefined])
  })

  it('leave the event loop free', async () => {
    const big = await photo(2400, 1800)
    let longest = 0
    let last = performance.now()
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last - 5)
      last = performance.now()
    }, 5)
    await Promise.all(Array.from({ length: 8 }, () => makeVariants(big)))
    clearInterval(timer)
    expect(longest).toBeLessThan(200)
  })
})

describe('what is dangerous', () => {
  const cases: readonly (readonly [string, () => Buffer | Promise<Buffer>, string | RegExp])[] = [
    ['a PNG of 60,000 x 60,000 pixels', () => png(60_000, 60_000), 'too_many_pixels'],
    ['a PNG of 2^31-1 pixels a side', () => png(0x7fffffff, 0x7fffffff), /too_many_pixels|broken_picture/],
    ['a PNG without pixels', () => png(0, 0), 'broken_picture'],
    ['a JPEG of 65,500 x 65,500 pixels', () => hugeJpeg(65_500, 65_500), 'too_many_pixels'],
    ['a JPEG that promises more than it has', () => hugeJpeg(6_000, 6_000), /^taken with 2$|broken_picture/],
    ['a GIF of 65,535 x 65,535 pixels', () => gif(65_535, 65_535, 1), 'too_many_pixels'],
    ['a GIF of 100,000 frames', () => gif(1, 1, 100_000), 'too_many_frames'],
    ['a GIF of few, large frames', () => gif(6_000, 6_000, 30), 'too_many_frames'],
    ['a photo broken off', async () => (await photo(800, 600)).subarray(0, 9_000), 'broken_picture'],
    [
      'a PNG broken off',
      async () =>
        half(
          await sharp(await photo(300, 200))
            .png()
            .toBuffer(),
        ),
      'broken_picture',
    ],
    [
      'a WebP broken off',
      async () =>
        half(
          await sharp(await photo(300, 200))
            .webp()
            .toBuffer(),
        ),
      'broken_picture',
    ],
    ['a moving picture broken off', async () => (await moving(200, 200, 4, 'gif')).subarray(0, 60), 'broken_picture'],
    ['a header alone', () => Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 'broken_picture'],
    ['an SVG', () => svg('http://127.0.0.1:1/'), 'broken_picture'],
    ['a web page', () => html, 'broken_picture'],
    ['an archive', () => zip, 'broken_picture'],
    ['a PDF', () => Buffer.from('%PDF-1.7\n1 0 obj<<>>endobj'), 'broken_picture'],
    [
      'a TIFF',
      () =>
        sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
          .tiff()
          .toBuffer(),
      'broken_picture',
    ],
    ['nothing', () => Buffer.alloc(0), 'broken_picture'],
    // Noughts of 200 MB, packed into an ICC profile and a text.
    ['a packed colour profile', () => png(8, 8, ['iCCP', profileBomb()]), /^taken with 2$|broken_picture/],
    ['a packed text', () => png(8, 8, ['zTXt', profileBomb()]), /^taken with 2$|broken_picture/],
    [
      'EXIF that leads in circles',
      async () => withExif(await photo(200, 100), loop()),
      /^taken with 2$|broken_picture/,
    ],
  ]
  test.each(cases)('%s', async (_name, make, expected) => {
    const bytes = await make()
    const before = process.memoryUsage().rss
    const startedAt = performance.now()
    expect(await codeOf(bytes)).toMatch(expected)
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024)
  })

  it('never ends in anything but a picture or a refusal, whatever bytes are turned', async () => {
    const originals = await Promise.all([photo(120, 80, 3), moving(60, 40, 3, 'gif'), moving(60, 40, 3, 'webp')])
    originals.push(await sharp(originals[0]).png().toBuffer())
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...originals),
        changes,
        fc.double({ min: 0, max: 1 }),
        async (original, turned, kept) => {
          const bytes = Buffer.from(original.subarray(0, Math.ceil(original.length * (0.5 + kept / 2) || 1)))
          for (const [at, value] of turned) bytes[at % bytes.length] = value
          expect(await codeOf(bytes)).toMatch(/^taken with 2$|broken_picture|too_many/)
        },
      ),
      { numRuns: 150 },
    )
  })
})

const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length >> 1)
const profileBomb = (): Buffer =>
  Buffer.concat([Buffer.from('icc\0\0', 'latin1'), deflateSync(Buffer.alloc(200_000_000))])
const withExif = (jpeg: Buffer, exif: Buffer): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(exif.length + 8)
  return Buffer.concat([
    jpeg.subarray(0, 2),
    Buffer.from([0xff, 0xe1]),
    length,
    Buffer.from('Exif\0\0', 'latin1'),
    exif,
    jpeg.subarray(2),
  ])
}
/** A TIFF directory whose next directory is itself. */
const loop = (): Buffer =>
  Buffer.concat([
    Buffer.from('II*\0', 'latin1'),
    Buffer.from([8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 0xff, 0xff, 0, 0, 8, 0, 0, 0]),
  ])

describe('files on their way in', () => {
  let folder = ''
  let files: DocumentFiles
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley-files-'))
    files = openDocuments({ documents: folder })
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })
  const kept = () => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const take = (bytes: Buffer, declaredType: string, more: Partial<Arrival> = {}) =>
    takeFile(files, { bytes: [bytes], limit: 10_000_000, declaredType, ...more })

  it('are kept as what they are, not as what they are called', async () => {
    const jpeg = await photo(400, 300)
    expect(await take(jpeg, 'image/png', { mustBeMedia: true })).toMatchObject({
      contentType: 'image/jpeg',
      variants: [
        { name: 'thumbnail', width: 320 },
        { name: 'preview', width: 400 },
      ],
      note: undefined,
    })
    expect(await take(html, 'image/jpeg')).toMatchObject({ contentType: 'text/html', variants: [] })
    expect(await take(zip, 'text/plain')).toMatchObject({ contentType: 'application/zip' })
    expect(await take(Buffer.from('a;b'), 'text/csv')).toMatchObject({ contentType: 'text/csv' })
    expect(await take(Buffer.from([1, 2, 0, 3]), 'text/plain')).toMatchObject({
      contentType: 'application/octet-stream',
    })
    expect(await take(Buffer.from('nothing known'), 'image/png')).toMatchObject({
      contentType: 'application/octet-stream',
    })
  })

  it('are refused whole: nothing of them stays', async () => {
    const refusals: [Buffer, Partial<Arrival>, object][] = [
      [html, { mustBeMedia: true }, { status: 422, code: 'not_media' }],
      [zip, { mustBeMedia: true }, { status: 422, code: 'not_media' }],
      [png(60_000, 60_000), {}, { status: 422, code: 'too_many_pixels' }],
      [half(await photo(300, 300)), {}, { status: 422, code: 'broken_picture' }],
      [Buffer.alloc(0), {}, { status: 422, code: 'empty_file' }],
      [Buffer.alloc(100, 'a'), { limit: 99 }, { status: 413 }],
      [Buffer.from('x'), { sha256: 'a'.repeat(64) }, { code: 'wrong_digest' }],
    ]
    for (const [bytes, more, expected] of refusals)
      await expect(take(bytes, 'image/png', more)).rejects.toMatchObject(expected)
    expect(kept()).toEqual([])
  })

  it('of drawings that can run are kept for saving; nothing in them is followed', async () => {
    let calls = 0
    const server = createServer((_request, response) => {
      calls += 1
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`
    const taken = await take(svg(url), 'image/png', { mustBeMedia: true })
    expect(taken).toMatchObject({ contentType: 'image/svg+xml', variants: [], note: { code: 'download_only' } })
    expect([servedType(taken.contentType), isInlineType(taken.contentType)]).toEqual([
      'application/octet-stream',
      false,
    ])
    expect(calls).toBe(0)
    server.close()
  })

  it.each([
    ['utf-8 with a mark', Buffer.from('\uFEFF <!-- c --> <SVG xmlns="x">'), 'image/svg+xml'],
    ['UTF-16', Buffer.from('\uFEFF<svg xmlns="x">', 'utf16le'), 'image/svg+xml'],
    ['a page behind spaces', Buffer.from('\n\n  <script>alert(1)</script>'), 'text/html'],
    ['a prefixed drawing', Buffer.from('<?xml version="1.0"?><s:svg xmlns:s="x"/>'), 'image/svg+xml'],
    ['other XML', Buffer.from('<?xml version="1.0"?><rss/>'), 'application/xml'],
    ['words', Buffer.from('see <a> for a < b'), undefined],
    ['MP4', Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1'), 'video/mp4'],
    ['M4A', Buffer.from('\0\0\0\x18ftypM4A \0\0\0\0', 'latin1'), 'audio/mp4'],
    ['HEIC', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), 'image/heic'],
    ['Ogg', Buffer.from('OggS\0\x02OpusHead', 'latin1'), 'audio/ogg'],
    ['MP3', Buffer.from([0xff, 0xfb, 0x90, 0]), 'audio/mpeg'],
    ['AAC', Buffer.from([0xff, 0xf1, 0x50, 0x80]), 'audio/aac'],
    ['a program', Buffer.concat([Buffer.from('MZ'), Buffer.alloc(100)]), 'application/x-msdownload'],
  ])('are known by their bytes: %s', (_name, bytes, expected) => {
    expect(sniffType(bytes)).toBe(expected)
  })
})
