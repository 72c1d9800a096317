/** Bytes of documents: files named by their SHA-256 in a folder that all nodes share. Written whole or not at all. */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Config } from '../infra/config.ts'
import { Problem, codeOf, notFound } from '../infra/errors.ts'

/** What was put: the digest in hexadecimal, the size in bytes. */
export interface Stored {
  readonly digest: string
  readonly size: number
}

/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface DocumentFiles {
  /**
   * Stores bytes once, however often they come; durable when it resolves.
   * @param limit most bytes; more is refused with 413 `too_large` as soon as it is seen
   * @param inspect sees the whole file before it has its place; what it throws refuses the file
   */
  put(
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    limit: number,
    signal?: AbortSignal,
    inspect?: (file: Stored & { readonly path: string }) => Promise<void>,
  ): Promise<Stored>
  /** @throws Problem 404 when there is no such file, 416 when the range lies outside of it */
  open(digest: string, range?: ByteRange): Promise<{ size: number; stream: Readable }>
  /** Takes the file away; the caller knows that nothing names it. */
  remove(digest: string): Promise<void>
  /**
   * Takes the file away unless `isUsed`, or unless it was put within `youngMs`: then somebody is about to name it. Safe beside
   * any number of nodes that put the same bytes. Whether it is gone.
   */
  discard(digest: string, youngMs: number, isUsed: (digest: string) => Promise<boolean>): Promise<boolean>
  /** The digest of every file that lies there, by and by. */
  list(): AsyncIterable<string>
  /** Takes away what was begun before `youngMs` and never got its place. How many there were. */
  removeUnfinished(youngMs: number): Promise<number>
}

/** Files below `config.documents`, made when first needed. */
export function openDocuments(config: Pick<Config, 'documents'>): DocumentFiles {
  const pathOf = (digest: string) => {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw notFound('document')
    return join(config.documents, digest.slice(0, 2), digest.slice(2, 4), digest)
  }
  return {
    async put(bytes, limit, signal, inspect) {
      const folder = join(config.documents, 'incoming')
      await mkdir(folder, { recursive: true })
      const temporary = join(folder, randomUUID())
      try {
        const stored = await writeFile(temporary, bytes, limit, signal)
        await inspect?.({ ...stored, path: temporary })
        signal?.throwIfAborted()
        await place(
          temporary,
          pathOf(stored.digest),
          join(config.documents, stored.digest.slice(0, 2), stored.digest.slice(2, 4)),
        )
        return stored
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
    },
    async open(digest, range) {
      const path = pathOf(digest)
      const size = await sizeOf(path)
      if (size === undefined) throw notFound('document')
      if (range !== undefined && (range.start < 0 || range.end >= size || range.start > range.end)) {
        throw new Problem(416, 'range_not_satisfiable', `The document has ${String(size)} bytes.`)
      }
      return { size, stream: createReadStream(path, range) }
    },
    async remove(digest) {
      await rm(pathOf(digest), { force: true })
    },
    async discard(digest, youngMs, isUsed) {
      const path = pathOf(digest)
      const isYoung = async (file: string): Promise<boolean> => Date.now() - (await stat(file)).mtimeMs < youngMs
      const aside = join(config.documents, 'incoming', `gone-${randomUUID()}`)
      try {
        if ((await isYoung(path)) || (await isUsed(digest))) return false
        await mkdir(join(config.documents, 'incoming'), { recursive: true })
        await rename(path, aside)
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return false
        throw error
      }
      // Looked at once more now that nobody can come upon it: it may have been put again in between.
      const isWanted = await Promise.all([isYoung(aside), isUsed(digest)]).catch(() => [true])
      if (isWanted.includes(true))
        await link(aside, path).catch((error: unknown) => {
          if (codeOf(error) !== 'EEXIST') throw error
        })
      await rm(aside, { force: true })
      return !isWanted.includes(true)
    },
    async *list() {
      for (const first of await namesIn(config.documents, /^[0-9a-f]{2}$/))
        for (const second of await namesIn(join(config.documents, first), /^[0-9a-f]{2}$/))
          yield* await namesIn(join(config.documents, first, second), /^[0-9a-f]{64}$/)
    },
    async removeUnfinished(youngMs) {
      const folder = join(config.documents, 'incoming')
      let count = 0
      for (const name of await namesIn(folder, /^[0-9a-f-]{36}$/)) {
        const file = join(folder, name)
        const changed = await stat(file).catch(() => undefined)
        if (changed === undefined || Date.now() - changed.mtimeMs < youngMs) continue
        await rm(file, { force: true })
        count += 1
      }
      return count
    },
  }
}

async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => pattern.test(name))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

async function writeFile(
  path: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<Stored> {
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o640)
  let size = 0
  try {
    for await (const chunk of bytes) {
      signal?.throwIfAborted()
      size += chunk.length
      if (size > limit) throw new Problem(413, 'too_large', `The file is larger than ${String(limit)} bytes.`)
      hash.update(chunk)
      await file.writeFile(chunk)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { digest: hash.digest('hex'), size }
}

async function place(temporary: string, path: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  // The rename is atomic, and repeating it with the same bytes changes nothing; the folder is synced so that the name survives too.
  await rename(temporary, path)
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
