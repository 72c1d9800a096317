/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return -- answers are looked into at will */
/** Files as they leave: attachments and documents with their smaller copies, to their own account, harmless in a browser. */
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLogger } from '../infra/logger.ts'
import type { Running } from '../infra/lifecycle.ts'
import { startMedia } from '../messaging/media.ts'
import { openFileServer } from './file-server.ts'
import type { FileServer } from './file-server.ts'
import { html, moving, photo, png, svg } from './pictures.ts'
import { until } from './platform.ts'
import { beginConversation, connectChannels, openSite } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let server: FileServer
let site: Site
let node: Node
let media: Running
let conversation: Awaited<ReturnType<typeof beginConversation>>

beforeAll(async () => {
  server = await openFileServer()
  site = await openSite({ PARLEY_NETWORK_HOSTS: server.host })
  node = await site.addNode()
  const keys = await connectChannels(site, site.ana.accountId)
  conversation = await beginConversation(site, site.ana.accountId, keys.pageId)
  media = startMedia({ storage: site.storage, config: site.config, logger: silentLogger, delaysMs: [] })
})
afterAll(async () => {
  await media.stop()
  await site.close()
  await server.close()
})

const open = (url: string, person: Person = site.ana, headers: Record<string, string> = {}) =>
  fetch(`${node.url}${url}`, { headers: { authorization: `Bearer ${person.token}`, ...headers } })
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are looked into at will
const jsonOf = async (response: Response): Promise<any> => response.json()
const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer())
const put = (body: Buffer, contentType: string) =>
  fetch(`${node.url}/api/v1/documents`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { authorization: `Bearer ${site.ana.token}`, 'content-type': contentType },
  })

/** As the API shows the attachment once it is no longer pending. */
async function attach(
  position: number,
  attachment: { kind: string; url?: string; title?: string; text?: string; link?: string },
) {
  const { accountId } = site.ana
  const { messageId } = conversation
  await site.storage.write((tx) =>
    site.storage.attachments.insert(tx, [{ accountId, messageId, position, ...attachment }]),
  )
  return until(async () => {
    const { json } = await node.ask(site.ana, 'GET', `/messages/${messageId}`)
    const shown = json.attachments[position]
    return shown !== undefined && shown.state !== 'pending' && shown
  })
}

it('a picture is shown in the page, whole, in parts and smaller, and to its own account alone', async () => {
  const picture = await photo(1600, 1200, 6)
  const shown = await attach(0, { kind: 'image', url: server.serve('/a', picture), title: 'Küche "neu"' })
  const url = `/api/v1/attachments/${String(shown.id)}/content`
  expect(shown).toMatchObject({
    state: 'fetched',
    content_type: 'image/jpeg',
    size: picture.length,
    url,
    variants: [
      { name: 'thumbnail', url: `${url}?variant=thumbnail`, width: 240, height: 320, content_type: 'image/jpeg' },
      { name: 'preview', url: `${url}?variant=preview`, width: 960, height: 1280, content_type: 'image/jpeg' },
    ],
    reason: null,
    can_retry: false,
  })
  expect(JSON.stringify(shown)).not.toContain(server.host)
  const whole = await open(url)
  expect((await bytesOf(whole)).equals(picture)).toBe(true)
  const header = (name: string) => whole.headers.get(name)
  expect(header('content-type')).toBe('image/jpeg')
  expect(header('x-content-type-options')).toBe('nosniff')
  expect(header('content-security-policy')).toBe("default-src 'none'; sandbox")
  expect(header('content-disposition')).toBe(
    `inline; filename="K_che _neu_.jpg"; filename*=UTF-8''K%C3%BCche%20%22neu%22.jpg`,
  )
  const etag = header('etag') ?? ''
  expect((await open(url, site.ben, { 'if-none-match': etag })).status).toBe(304)
  const part = await open(url, site.ana, { range: 'bytes=2-5' })
  expect([part.status, (await bytesOf(part)).equals(picture.subarray(2, 6))]).toEqual([206, true])
  for (const variant of shown.variants) {
    const smaller = await open(variant.url)
    const seen = await sharp(await bytesOf(smaller)).metadata()
    expect([seen.width, seen.height, seen.exif]).toEqual([variant.width, variant.height, undefined])
    expect(smaller.headers.get('etag')).not.toBe(etag)
    expect((await open(variant.url, site.zoe)).status).toBe(404)
  }
  expect((await open(`${url}?variant=original`)).status).toBe(200)
  expect((await open(`${url}?variant=huge`)).status).toBe(404)
  expect((await open(url, site.zoe)).status).toBe(404)
  expect((await fetch(`${node.url}${url}`)).status).toBe(401)
  expect((await node.ask(site.zoe, 'POST', `/attachments/${String(shown.id)}/fetch`, {})).status).toBe(404)
})

it('what a browser could run is offered for saving, as bytes', async () => {
  const drawing = await attach(1, { kind: 'image', url: server.serve('/b', svg('http://127.0.0.1:1/')), title: 'logo' })
  const page = await attach(2, { kind: 'file', url: server.serve('/c', html), title: 'offer.html' })
  for (const shown of [drawing, page]) {
    expect(shown).toMatchObject({ state: 'fetched', content_type: 'application/octet-stream', variants: [] })
    const answer = await open(shown.url)
    expect(answer.headers.get('content-type')).toBe('application/octet-stream')
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="(logo\.svg|offer\.html)"/)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    await answer.arrayBuffer()
  }
  expect(drawing.reason_code).toBe('download_only')
})

it('what did not come says why, and comes when it is asked for again', async () => {
  const shown = await attach(3, { kind: 'image', url: `${server.url}/later` })
  expect(shown).toMatchObject({ state: 'unavailable', url: null, reason_code: 'gone', can_retry: true })
  expect(shown.reason).toMatch(/HTTP 404/)
  server.serve('/later', await photo(30, 30))
  const path = `/attachments/${String(shown.id)}`
  expect((await open(`/api/v1${path}/content`)).status).toBe(404)
  const asked = await node.ask(site.ben, 'POST', `${path}/fetch`)
  expect([asked.status, asked.json.state, asked.json.reason]).toEqual([202, 'pending', null])
  await until(async () => (await open(`/api/v1${path}/content`)).status === 200)
  const place = await attach(4, { kind: 'location', title: 'Harbour', text: 'Cais do Sodré, Lisbon' })
  expect(place).toMatchObject({
    ...{ state: 'fetched', title: 'Harbour', text: 'Cais do Sodré, Lisbon', url: null, reason: null, can_retry: false },
  })
  const share = await attach(5, { kind: 'share', link: 'https://example.org/story' })
  expect(share).toMatchObject({ state: 'fetched', title: null, link: 'https://example.org/story' })
  const lost = await attach(6, { kind: 'video' })
  expect(lost).toMatchObject({ state: 'unavailable', reason_code: 'no_file' })
  expect((await node.ask(site.ana, 'POST', `/attachments/${String(place.id)}/fetch`)).json.code).toBe(
    'nothing_to_fetch',
  )
})

it('uploads are looked at in the same way', async () => {
  const made = await jsonOf(await put(await moving(900, 300, 3, 'gif'), 'image/jpeg'))
  expect(made).toMatchObject({ content_type: 'image/gif', variants: [{ name: 'thumbnail' }, { name: 'preview' }] })
  const preview = await sharp(await bytesOf(await open(made.variants[1].url))).metadata()
  expect([preview.pages, preview.format]).toEqual([3, 'webp'])
  expect((await open(made.variants[1].url, site.zoe)).status).toBe(404)
  for (const [bytes, code] of [
    [png(60_000, 60_000), 'too_many_pixels'],
    [(await photo(300, 300)).subarray(0, 3_000), 'broken_picture'],
  ] as const) {
    const refused = await put(bytes, 'image/png')
    expect([refused.status, (await jsonOf(refused)).code]).toEqual([422, code])
  }
  const word = await jsonOf(await put(Buffer.from('plain words'), 'text/html'))
  expect(word.content_type).toBe('text/plain')
  const answer = await open(`/api/v1/documents/${String(word.id)}/content`)
  expect(answer.headers.get('content-disposition')).toMatch(/^attachment;/)
})

it('what was taken back is not given out any more', async () => {
  const shown = await attach(7, { kind: 'image', url: server.serve('/d', await photo(20, 20)) })
  expect((await open(shown.url)).status).toBe(200)
  const { messageId } = conversation
  await site.storage.write((tx) =>
    tx.run('update messages set deleted_at = utc_timestamp(3) where id = ?', [messageId]),
  )
  // Written past the API, so the replica may take a moment.
  await until(async () => (await open(shown.url)).status === 404)
  expect((await node.ask(site.ana, 'GET', `/messages/${messageId}`)).json.attachments).toEqual([])
})
