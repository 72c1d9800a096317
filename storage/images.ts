/**
 * The only door to sharp. A picture is looked at by its header before a single pixel is decoded; only formats that people
 * send each other are read at all (never SVG, PDF or what needs a delegate); smaller copies carry no metadata.
 */
import { availableParallelism } from 'node:os'
import sharp from 'sharp'
import type { Metadata, OutputInfo, Sharp, SharpOptions } from 'sharp'
import { Problem, messageOf } from '../infra/errors.ts'

/** Longest side in pixels; smaller pictures are not enlarged. */
export const variantSizes = { thumbnail: 320, preview: 1_280 } as const
export type VariantName = keyof typeof variantSizes

/** A smaller copy. */
export interface Variant {
  readonly name: VariantName
  readonly contentType: 'image/jpeg' | 'image/webp'
  readonly bytes: Buffer
  readonly width: number
  readonly height: number
}

/** A picture as it is shown: turned as its camera was held. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly isAnimated: boolean
  readonly variants: readonly Variant[]
}

/** A file that is not taken, and why; safe to show. */
export class FileRefused extends Problem {
  constructor(code: string, message: string, cause?: unknown) {
    super(422, code, message, [], { cause })
    this.name = 'FileRefused'
  }
}

/** Pixels of one frame, and of all frames together. */
export const maxPixels = 40_000_000
export const maxMovingPixels = 400_000_000
export const maxFrames = 1_000
/** Past this much movement the preview stands still; the original moves on. */
const maxPreviewFrames = 300
const maxPreviewPixels = 60_000_000
const limitSeconds = 20

const readable: readonly string[] = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']

/** Whether smaller copies of this type can be made. */
export const isPictureType = (contentType: string): boolean => readable.includes(contentType)

// Each picture has one thread; several at once use the cores, and one core's worth stays with the event loop on larger machines.
sharp.concurrency(1)
sharp.cache(false)
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((format) => `VipsForeignLoad${format}`),
})

const atOnce = Math.min(2, availableParallelism())
let running = 0
const waiting: (() => void)[] = []

/**
 * Looks at a picture and makes its smaller copies, off the event loop, few at a time.
 * @param file path of a file, or its bytes
 * @throws FileRefused `too_many_pixels`, `too_many_frames`, `broken_picture`
 */
export async function makeVariants(file: string | Buffer): Promise<Picture> {
  if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
  else running++
  try {
    return await readPicture(file)
  } finally {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}

async function readPicture(file: string | Buffer): Promise<Picture> {
  const header = await orRefuse(() => sharp(file, options).metadata())
  const { frames, moving } = admit(header)
  const isAnimated = frames > 1
  const { width, height } = header.autoOrient
  const movesInPreview = isAnimated && frames <= maxPreviewFrames && moving <= maxPreviewPixels
  const isOpaque = !header.hasAlpha && !movesInPreview
  const size = { width, height: movesInPreview ? (header.pageHeight ?? height) : height }
  const preview = await orRefuse(() =>
    movesInPreview ? movingPreview(file, size) : stillPreview(file, size, isOpaque),
  )
  const thumbnail = await orRefuse(() => thumbnailOf(preview.pixels, isOpaque))
  return { ...size, isAnimated, variants: [thumbnail, preview.variant] }
}

const options: SharpOptions = {
  limitInputPixels: maxPixels,
  // Small faults that every viewer passes over are passed over here; what breaks off is refused.
  failOn: 'error',
  sequentialRead: true,
  unlimited: false,
}

/** Decides by the header alone. */
function admit(header: Metadata): { readonly frames: number; readonly moving: number } {
  const frames = header.pages ?? 1
  const pixels = header.width * (header.pageHeight ?? header.height)
  if (pixels > maxPixels)
    throw new FileRefused(
      'too_many_pixels',
      `The picture has ${String(header.width)} x ${String(header.height)} pixels; at most ${String(maxPixels / 1e6)} million are opened.`,
    )
  if (frames > maxFrames || frames * pixels > maxMovingPixels)
    throw new FileRefused('too_many_frames', `The picture has ${String(frames)} frames; that many are not opened.`)
  return { frames, moving: frames * pixels }
}

interface Made {
  readonly variant: Variant
  /** What the thumbnail is made from: decoding once is enough. */
  readonly pixels: Sharp
}

interface Size {
  readonly width: number
  readonly height: number
}

async function stillPreview(file: string | Buffer, size: Size, isOpaque: boolean): Promise<Made> {
  const { data, info } = await fit(sharp(file, options).autoOrient(), size, variantSizes.preview)
    .toColourspace('srgb')
    .timeout({ seconds: limitSeconds })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const raw = { width: info.width, height: info.height, channels: info.channels }
  const encoded = await encode(sharp(data, { raw }), isOpaque)
  return { variant: variantOf('preview', encoded, isOpaque), pixels: sharp(data, { raw }) }
}

async function movingPreview(file: string | Buffer, size: Size): Promise<Made> {
  const moving = sharp(file, { ...options, animated: true, limitInputPixels: maxPreviewPixels })
  const encoded = await fit(moving, size, variantSizes.preview)
    .webp({ quality: 70, effort: 0 })
    .timeout({ seconds: limitSeconds })
    .toBuffer({ resolveWithObject: true })
  const { info } = encoded
  const still = { ...encoded, info: { ...info, height: info.pageHeight ?? info.height } }
  return { variant: variantOf('preview', still, false), pixels: sharp(file, options) }
}

const fit = (image: Sharp, { width, height }: Size, side: number): Sharp =>
  Math.max(width, height) <= side
    ? image
    : image.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })

async function thumbnailOf(pixels: Sharp, isOpaque: boolean): Promise<Variant> {
  const side = variantSizes.thumbnail
  const image = pixels
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .timeout({ seconds: limitSeconds })
  return variantOf('thumbnail', await encode(image, isOpaque), isOpaque)
}

interface Encoded {
  readonly data: Buffer
  readonly info: OutputInfo
}

/** JPEG is several times cheaper to make; WebP keeps what is transparent. */
const encode = (image: Sharp, isOpaque: boolean): Promise<Encoded> =>
  (isOpaque ? image.jpeg({ quality: 80 }) : image.webp({ quality: 80, effort: 2 })).toBuffer({
    resolveWithObject: true,
  })

const variantOf = (name: VariantName, { data, info }: Encoded, isOpaque: boolean): Variant => ({
  name,
  contentType: isOpaque ? 'image/jpeg' : 'image/webp',
  bytes: data,
  width: info.width,
  height: info.height,
})

/** What libvips says of a broken file is no surprise. */
async function orRefuse<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = /pixel limit/i.test(messageOf(error)) ? 'too_many_pixels' : 'broken_picture'
    throw new FileRefused(
      code,
      code === 'broken_picture'
        ? 'The picture is broken and cannot be opened.'
        : `The picture has more than ${String(maxPixels / 1e6)} million pixels and is not opened.`,
      error,
    )
  }
}
