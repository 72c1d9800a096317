import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDocuments } from '../storage/documents.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-documents-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const filesIn = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())

describe('documents', () => {
  it('gives back what was put, whole and in ranges, and keeps it once', async () => {
    const documents = openDocuments({ documents: folder })
    const bytes = randomBytes(1_000_003)
    const stored = await documents.put(Readable.from([bytes.subarray(0, 500), bytes.subarray(500)]), 2_000_000)
    expect(stored).toEqual({ digest: sha256(bytes), size: bytes.length })
    await Promise.all(Array.from({ length: 10 }, () => documents.put([bytes], 2_000_000)))
    expect(filesIn(folder)).toHaveLength(1)
    const whole = await documents.open(stored.digest)
    expect(whole.size).toBe(bytes.length)
    expect((await buffer(whole.stream)).equals(bytes)).toBe(true)
    for (const [start, end] of [
      [0, 0],
      [10, 99],
      [1_000_002, 1_000_002],
    ] as const) {
      const part = await documents.open(stored.digest, { start, end })
      expect((await buffer(part.stream)).equals(bytes.subarray(start, end + 1))).toBe(true)
    }
    await documents.remove(stored.digest)
    await expect(documents.open(stored.digest)).rejects.toMatchObject({ status: 404 })
  })

  it('refuses what is too large as soon as it is seen, and leaves nothing behind', async () => {
    const documents = openDocuments({ documents: folder })
    let pulled = 0
    const endless = (function* () {
      for (;;) {
        pulled++
        yield Buffer.alloc(1_000)
      }
    })()
    await expect(documents.put(endless, 10_000)).rejects.toMatchObject({ status: 413, code: 'too_large' })
    expect(pulled).toBeLessThan(15)
    await expect(documents.put(Readable.from(failing()), 10_000)).rejects.toThrow('the sender went away')
    await expect(documents.put([Buffer.alloc(10)], 10, AbortSignal.abort(new Error('stopped')))).rejects.toThrow(
      'stopped',
    )
    expect(filesIn(folder)).toEqual([])
  })

  it('opens nothing outside of its folder', async () => {
    const documents = openDocuments({ documents: folder })
    for (const digest of ['../../etc/passwd', 'a'.repeat(63), 'A'.repeat(64), '', `${'a'.repeat(64)}\n`]) {
      await expect(documents.open(digest)).rejects.toMatchObject({ status: 404 })
    }
    const { digest } = await documents.put([Buffer.from('abc')], 10)
    for (const range of [
      { start: 3, end: 3 },
      { start: 2, end: 1 },
      { start: -1, end: 1 },
    ]) {
      await expect(documents.open(digest, range)).rejects.toMatchObject({ status: 416 })
    }
  })
})

async function* failing() {
  yield Buffer.alloc(100)
  await Promise.resolve()
  throw new Error('the sender went away')
}
