/** What may not be kept goes after its time; what nobody names goes after a safe age; what is in use or on its way in stays. */
import { readFileSync, readdirSync } from 'node:fs'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeNameless, removeOverdue, removeUnnamed, unnamedMs, youngMs } from '../backend/leftovers.ts'
import type { Running } from '../infra/lifecycle.ts'
import { refetchAttachment } from '../messaging/media.ts'
import { startMessaging } from '../messaging/server.ts'
import { takeFile } from '../storage/files.ts'
import type { Attachment, Document } from '../storage/index.ts'
import { dependents, keepers } from '../storage/stores/leftovers.ts'
import { openFileServer } from './file-server.ts'
import type { FileServer } from './file-server.ts'
import { photo } from './pictures.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Platform } from './platform.ts'

const account = '17841400000000001'
const signal = new AbortController().signal

let server: FileServer
let platform: Platform
let messaging: Running

beforeAll(async () => {
  server = await openFileServer()
  platform = await openPlatform({ apiBaseUrl: server.url })
  await platform.createChannel(platform.appId, 'instagram', account)
  messaging = await startMessaging({ ...platform, logger })
})
afterAll(async () => {
  await messaging.stop()
  await platform.close()
  await server.close()
})

const pathOf = (digest: string): string =>
  join(platform.config.documents, digest.slice(0, 2), digest.slice(2, 4), digest)
const age = (digest: string, ms: number): Promise<void> =>
  utimes(pathOf(digest), new Date(Date.now() - ms), new Date(Date.now() - ms))
const digestsThere = (): string[] =>
  readdirSync(platform.config.documents, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
const isThere = (digest: string): boolean => digestsThere().includes(digest)

/** A file with its document, as an upload makes it. */
async function put(bytes: Buffer): Promise<Document> {
  const { storage, accountId } = platform
  const file = await takeFile(storage.documents, { bytes: [bytes], limit: 1e7, declaredType: 'image/jpeg' })
  const { digest, size, contentType, variants } = file
  return storage.write((tx) =>
    storage.documents.create(tx, { accountId, name: null, contentType, digest, size, variants }),
  )
}
const variantsOf = ({ id }: Document) =>
  platform.storage.documents.variantsOf(platform.storage.primary, platform.accountId, [id])
const get = (id: string) => platform.storage.documents.get(platform.storage.primary, platform.accountId, id)
const run = (sql: string, values: readonly (string | Date)[]) =>
  platform.storage.write((tx) => tx.run(sql, [...values]))

/** Somebody mentions us in their story; the attachment once it is fetched. */
async function mention(mid: string, picture: Buffer): Promise<Attachment> {
  const { storage, accountId } = platform
  const url = server.serve(`/${mid}`, picture)
  const fixture = new URL('../messaging/connectors/instagram/fixtures/story-mention.json', import.meta.url)
  const said = readFileSync(fixture, 'utf8')
    .replace('https://cdn.example/mention.jpg', url)
    .replace('"i_sm"', `"${mid}"`)
    .replaceAll(/1763632\d{6}/g, String(Date.now()))
  await platform.arrive(Buffer.from(said))
  return until(async () => {
    const message = (await platform.messages()).find(({ externalId }) => externalId === mid)
    const [one] = message ? await storage.attachments.ofMessages(storage.primary, accountId, [message.id]) : []
    return one?.state === 'fetched' && one
  })
}

describe('a story', () => {
  it('is shown for a day, then its picture goes, and says why', async () => {
    const { storage, accountId } = platform
    const picture = await photo(900, 600, 1)
    const one = await mention('story-1', picture)
    const document = (await get(one.documentId ?? ''))!
    const files = [document, ...(await variantsOf(document))].map(({ digest }) => digest)
    expect(files.length).toBeGreaterThan(1)
    for (const digest of files) await age(digest, 24 * 3_600_000)

    expect(await removeOverdue(storage, logger, signal)).toBe(0)
    expect(files.every(isThere)).toBe(true)
    const [row] = await storage.primary.query<{ left: number }>(
      'select timestampdiff(minute, utc_timestamp(3), keep_until) `left` from attachments where id = ?',
      [one.id],
    )
    expect(row?.left).toBeGreaterThan(23 * 60)
    expect(row?.left).toBeLessThanOrEqual(24 * 60)

    await run('update attachments set keep_until = utc_timestamp(3) where id = ?', [one.id])
    expect(await removeOverdue(storage, logger, signal)).toBe(1)
    expect(await storage.attachments.get(storage.primary, accountId, one.id)).toMatchObject({
      ...{ state: 'unavailable', reasonCode: 'story_ended', reason: 'Stories may be kept for 24 hours.' },
      ...{ url: null, link: null, documentId: null, size: null },
    })
    expect(await get(document.id)).toBeUndefined()
    expect(files.some(isThere)).toBe(false)
    await expect(refetchAttachment(storage, accountId, one.id)).rejects.toMatchObject({ code: 'nothing_to_fetch' })
    const facts = await storage.primary.query<{ data: { attachment_id?: string; state?: string } }>(
      "select data from outbox where type = 'attachment.changed' union all select data from events where type = 'attachment.changed'",
    )
    expect(facts.map(({ data }) => [data.attachment_id, data.state])).toContainEqual([one.id, 'unavailable'])
    expect(await removeOverdue(storage, logger, signal)).toBe(0)
  })

  it('leaves the bytes to whoever else has them', async () => {
    const { storage, accountId } = platform
    const picture = await photo(300, 300, 1)
    const first = await mention('story-2', picture)
    const second = await mention('story-3', picture)
    expect(second.documentId).toBe(first.documentId)
    const document = (await get(first.documentId ?? ''))!
    await age(document.digest, 24 * 3_600_000)
    await run('update attachments set keep_until = utc_timestamp(3) where id = ?', [first.id])
    expect(await removeOverdue(storage, logger, signal)).toBe(1)
    expect(isThere(document.digest)).toBe(true)
    expect((await storage.attachments.get(storage.primary, accountId, second.id))?.state).toBe('fetched')
    await run('update attachments set keep_until = utc_timestamp(3) where id = ?', [second.id])
    expect(await removeOverdue(storage, logger, signal)).toBe(1)
    expect(isThere(document.digest)).toBe(false)
  })
})

describe('documents that nobody names', () => {
  const makeOld = async (document: Document): Promise<void> => {
    await run('update documents set created_at = ? where id = ?', [
      new Date(Date.now() - unnamedMs - 1_000),
      document.id,
    ])
    for (const { digest } of [document, ...(await variantsOf(document))]) await age(digest, unnamedMs)
  }

  it('go after a week with their copies; what is named, young, or about to be named stays', async () => {
    const { storage, accountId } = platform
    const named = (await get((await mention('story-4', await photo(500, 500, 1))).documentId ?? ''))!
    const lonely = await put(await photo(700, 500, 1))
    const young = await put(await photo(710, 500, 1))
    const wanted = await put(await photo(720, 500, 1))
    for (const document of [named, lonely, wanted]) await makeOld(document)
    const gone = [lonely, ...(await variantsOf(lonely))].map(({ digest }) => digest)

    // Somebody names it in a transaction that is open while the sweep comes by.
    let sweeping = Promise.resolve(0)
    await storage.write(async (tx) => {
      expect(await storage.documents.hold(tx, accountId, wanted.id)).toBe(true)
      sweeping = removeUnnamed({ ...storage, bulk: storage.primary }, logger, signal)
      await until(async () => (await get(lonely.id)) === undefined)
      await tx.run('update attachments set document_id = ? where message_id = ? order by id limit 1', [
        wanted.id,
        (await platform.messages()).find(({ externalId }) => externalId === 'story-1')?.id ?? '',
      ])
    })
    expect(await sweeping).toBe(1)
    expect(gone.some(isThere)).toBe(false)
    for (const { id, digest } of [named, young, wanted]) {
      expect(await get(id)).toBeDefined()
      expect(isThere(digest)).toBe(true)
    }
  })

  it('are held back by every column of the schema that names documents', async () => {
    const rows = await platform.storage.primary.query<{ tableName: string; columnName: string }>(
      `select table_name tableName, column_name columnName from information_schema.columns
       where table_schema = database() and column_name like '%document_id'`,
    )
    const known = [...keepers, ...dependents].map((pair) => pair.join('.'))
    expect(rows.map(({ tableName, columnName }) => `${tableName}.${columnName}`).sort()).toEqual(known.sort())
  })
})

describe('files that no document names', () => {
  it('go after a day; what is named or has just been put stays', async () => {
    const { storage } = platform
    const crashed = await storage.documents.put([Buffer.from('its row was never written')], 100)
    const fresh = await storage.documents.put([Buffer.from('its row is about to be written')], 100)
    const kept = await put(await photo(120, 80, 1))
    for (const digest of [crashed.digest, kept.digest]) await age(digest, youngMs + 1_000)
    const half = join(platform.config.documents, 'incoming', '00000000-0000-4000-8000-000000000000')
    await writeFile(half, 'broken off')
    await utimes(half, new Date(0), new Date(0))
    const found = await removeNameless(storage, logger, signal)
    expect(found).toBe(2)
    expect([crashed, fresh, kept].map(({ digest }) => isThere(digest))).toEqual([false, true, true])
    expect(isThere('00000000-0000-4000-8000-000000000000')).toBe(false)
    expect(await removeNameless(storage, logger, signal)).toBe(0)
  })

  it('stay when the same bytes are put again, or are named, while they are looked at', async () => {
    const { documents } = platform.storage
    const bytes = Buffer.from('told twice')
    const { digest } = await documents.put([bytes], 100)
    const readAll = async () => (await buffer((await documents.open(digest)).stream)).toString()
    await age(digest, youngMs)
    const putAgain = async (): Promise<boolean> => {
      await documents.put([bytes], 100)
      return false
    }
    expect(await documents.discard(digest, 60_000, putAgain)).toBe(false)
    expect(await readAll()).toBe('told twice')
    await age(digest, youngMs)
    let looks = 0
    expect(await documents.discard(digest, 60_000, () => Promise.resolve(++looks === 2))).toBe(false)
    expect(await readAll()).toBe('told twice')
    await age(digest, youngMs)
    expect(
      await documents.discard(digest, 60_000, () => Promise.reject(new Error('the database is away'))).catch(String),
    ).toMatch(/away/)
    expect(await readAll()).toBe('told twice')
    expect(await documents.discard(digest, 60_000, () => Promise.resolve(false))).toBe(true)
    expect(await documents.discard(digest, 60_000, () => Promise.resolve(false))).toBe(false)
    expect(digestsThere().filter((name) => name.startsWith('gone-'))).toEqual([])
  })
})
