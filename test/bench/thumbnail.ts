/**
 * Smaller copies of pictures as the worker makes them (header looked at, then thumbnail and preview), against sharp told
 * to make the same two copies and nothing else; the same pictures, by turns, two at once. Beside it the event loop's lag.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHistogram } from 'node:perf_hooks'
import type { RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import type { Sharp } from 'sharp'
import { openDocuments } from '../../storage/documents.ts'
import { takeFile } from '../../storage/files.ts'
import { makeVariants } from '../../storage/images.ts'
import { photo } from '../pictures.ts'
import { median } from './fresh.ts'
import type { BenchResult } from './run.ts'

const rounds = 24
const atOnce = 2

/** `limit`: bare sharp with the same settings of the process, decoding each picture once as we do. */
export async function run(): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  try {
    const files = await drawPictures(folder)
    const documents = openDocuments({ documents: join(folder, 'documents') })
    const ours: number[] = []
    const limit: number[] = []
    const whole: number[] = []
    const ratios: number[] = []
    const lag = createHistogram()
    const makeOurs = () => watch(lag, () => rate(files, ({ path }) => makeVariants(path)))
    const makeTheirs = () => rate(files, ({ path }) => makeBare(path))
    const takeIn = () =>
      rate(files, ({ bytes }) =>
        takeFile(documents, { bytes: chunksOf(bytes), limit: 1e9, declaredType: 'image/jpeg', mustBeMedia: true }),
      )
    await makeTheirs()
    await makeOurs()
    lag.reset()
    for (let round = 0; round < rounds; round++) {
      // By turns, and the first place by turns, so that what else the machine does falls on both.
      const early = round % 2 === 0 ? await makeOurs() : undefined
      const bare = await makeTheirs()
      const own = early ?? (await makeOurs())
      ours.push(own)
      limit.push(bare)
      ratios.push(own / bare)
      if (round % 3 === 0) whole.push(await watch(lag, takeIn))
    }
    const [mine, bare] = [median(ours), median(limit)]
    return {
      name: 'thumbnail',
      ours: Number(mine.toFixed(2)),
      limit: Number(bare.toFixed(2)),
      ratio: Number(median(ratios).toFixed(3)),
      unit: 'pictures/s',
      runs: rounds,
      pictures: files.length,
      /** With everything that a file goes through: received in pieces, hashed, written, synced. */
      taken_in: Number(median(whole).toFixed(2)),
      /** What a timer of one millisecond was late by, while ours were made and taken in. */
      lag_p99_ms: milliseconds(lag.percentile(99)),
      lag_max_ms: milliseconds(lag.max),
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

interface File {
  readonly path: string
  readonly bytes: Buffer
}

/** Photos of 12 megapixels, upright and turned; screenshots; one with transparency. */
async function drawPictures(folder: string): Promise<File[]> {
  const screen = await sharp(await photo(1920, 1080))
    .png()
    .toBuffer()
  const clear = await sharp(await photo(1500, 1500))
    .ensureAlpha(0.5)
    .png()
    .toBuffer()
  const pictures = [await photo(4000, 3000), await photo(4000, 3000, 6), await photo(3000, 4000), screen, clear]
  return Promise.all(
    pictures.map(async (bytes) => {
      const path = join(folder, createHash('sha256').update(bytes).digest('hex'))
      await writeFile(path, bytes)
      return { path, bytes }
    }),
  )
}

async function makeBare(path: string): Promise<void> {
  const { data, info } = await sharp(path)
    .autoOrient()
    .resize({ width: 1280, height: 1280, fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const raw = { width: info.width, height: info.height, channels: info.channels }
  const encode = (image: Sharp) =>
    info.channels === 4 ? image.webp({ quality: 80, effort: 2 }) : image.jpeg({ quality: 80 })
  await encode(sharp(data, { raw })).toBuffer()
  await encode(sharp(data, { raw }).resize({ width: 320, height: 320, fit: 'inside' })).toBuffer()
}

async function rate(files: readonly File[], work: (file: File) => Promise<unknown>): Promise<number> {
  const queue = [...files]
  const count = queue.length
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) await work(file)
    }),
  )
  const seconds = (performance.now() - startedAt) / 1_000
  await sleep(20)
  return count / seconds
}

/** Pieces as a socket gives them. */
function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

const milliseconds = (microseconds: number): number => Number((microseconds / 1_000).toFixed(1))

/** Notes by how many microseconds a timer of one millisecond is late during the work. */
async function watch<T>(lag: RecordableHistogram, work: () => Promise<T>): Promise<T> {
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    lag.record(Math.max(1, Math.round((now - last - 1) * 1_000)))
    last = now
  }, 1)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
