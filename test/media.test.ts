/** Attachments fetched apart from their messages, from a real server, by one worker and by many; and given out again. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openDownloads } from '../infra/download.ts'
import type { Running } from '../infra/lifecycle.ts'
import { startMedia, refetchAttachment } from '../messaging/media.ts'
import type { MediaContext } from '../messaging/media.ts'
import { startMessaging } from '../messaging/server.ts'
import { openStorage } from '../storage/index.ts'
import type { Attachment, NewAttachment } from '../storage/index.ts'
import { openFileServer } from './file-server.ts'
import type { FileServer } from './file-server.ts'
import { bakery, ines, pageBody, second } from './people.ts'
import { gif, html, photo, png, svg, zip } from './pictures.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Node, Platform } from './platform.ts'

let server: FileServer
let platform: Platform
let picture: Buffer
let messageId = ''
const workers: Running[] = []

beforeAll(async () => {
  server = await openFileServer()
  platform = await openPlatform({ apiBaseUrl: server.url })
  picture = await photo(800, 600, 6)
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()))
})
afterAll(async () => {
  await platform.close()
  await server.close()
})

/** Silence is noticed sooner, and failures are tried again sooner. */
const download = openDownloads()
function work(node: Node = platform, more: Partial<MediaContext> = {}): Running {
  const hurry = {
    delaysMs: [20, 20],
    download: (call: Parameters<typeof download>[0]) => download({ ...call, stallMs: 400 }),
  }
  const worker = startMedia({ storage: node.storage, config: node.config, logger, ...hurry, ...more })
  workers.push(worker)
  return worker
}

let positions = 100
async function attach(attachment: Partial<NewAttachment>, to = messageId): Promise<string> {
  const { storage, accountId } = platform
  return storage.write(async (tx) => {
    const position = ++positions
    await storage.attachments.insert(tx, [{ accountId, messageId: to, position, kind: 'image', ...attachment }])
    return (
      (await storage.attachments.ofMessages(tx, accountId, [to])).find((one) => one.position === position)?.id ?? ''
    )
  })
}
const get = async (id: string): Promise<Attachment> =>
  (await platform.storage.attachments.get(platform.storage.primary, platform.accountId, id))!
const settled = (id: string): Promise<Attachment> =>
  until(async () => {
    const one = await get(id)
    return one.state !== 'pending' && one
  })
const factsOf = async (id: string): Promise<unknown[]> => {
  const rows = await platform.storage.primary.query<{ data: { attachment_id?: string; state?: string } }>(
    "select data from outbox where type = 'attachment.changed' order by id",
  )
  return rows.filter(({ data }) => data.attachment_id === id).map(({ data }) => data.state)
}
const variantsOf = ({ documentId }: Attachment) =>
  platform.storage.documents.variantsOf(platform.storage.primary, platform.accountId, [documentId ?? ''])
const filesKept = (): number =>
  readdirSync(platform.config.documents, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .length

it('a message comes at once and whole; its picture follows with smaller copies, and everyone is told', async () => {
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  server.serve('/first.jpg', (response) => void gate.then(() => response.end(picture)))
  const image = { type: 'image', payload: { url: `${server.url}/first.jpg` } }
  const gone = { type: 'image', payload: { url: `${server.url}/nowhere.jpg` } }
  await platform.arrive(
    pageBody([
      {
        sender: { id: ines.id },
        recipient: { id: bakery.externalId },
        timestamp: second(1).getTime(),
        message: { mid: 'm_media_1', text: 'Like this one, please', attachments: [image, gone] },
      },
    ]),
  )
  const messaging = await startMessaging({ ...platform, logger })
  try {
    const message = await until(async () => (await platform.messages())[0])
    expect(message.text).toBe('Like this one, please')
    messageId = message.id
    const { storage, accountId } = platform
    const [first] = await storage.attachments.ofMessages(storage.primary, accountId, [messageId])
    await until(() => server.count('/first.jpg') === 1)
    expect(first?.state).toBe('pending')
    release()
    const fetched = await settled(first?.id ?? '')
    expect(fetched).toMatchObject({
      state: 'fetched',
      contentType: 'image/jpeg',
      size: picture.length,
      attempts: 1,
      reason: null,
    })
    const document = await storage.documents.get(storage.primary, accountId, fetched.documentId ?? '')
    expect(document?.digest).toBe(createHash('sha256').update(picture).digest('hex'))
    expect((await variantsOf(fetched)).map(({ name, width, height }) => [name, width, height])).toEqual([
      ['thumbnail', 240, 320],
      ['preview', 600, 800],
    ])
    const told = await until(async () => {
      const events = await storage.primary.query<{ data: object }>(
        "select data from events where type = 'attachment.changed'",
      )
      return events[0]
    })
    expect(told.data).toEqual({
      conversation_id: message.conversationId,
      message_id: messageId,
      attachment_id: fetched.id,
      state: 'fetched',
    })
  } finally {
    await messaging.stop()
  }
})

describe('refused with a reason, the message kept', () => {
  const table: readonly (readonly [string, string, () => string | Promise<string>, Partial<NewAttachment>?])[] = [
    ['a redirect to this machine', 'address_refused', () => away('https://127.0.0.1/')],
    [
      'a redirect to the cloud’s own address',
      'address_refused',
      () => away('https://169.254.169.254/latest/meta-data/'),
    ],
    ['a redirect to this machine, by IPv6', 'address_refused', () => away('https://[::1]/')],
    ['a redirect to a private name', 'address_refused', () => away('https://localhost:8443/')],
    ['a redirect without TLS', 'url', () => away('http://example.com/a.jpg')],
    [
      'a redirect in a circle',
      'redirects',
      () => server.serve('/circle', (response) => void response.writeHead(302, { location: '/circle' }).end()),
    ],
    ['an address of this machine', 'address_refused', () => 'https://127.0.0.1/a.jpg'],
    ['a file of this machine', 'url', () => 'file:///etc/passwd'],
    ['no address at all', 'url', () => 'nonsense'],
    ['an endless body', 'too_large', () => server.serve('/endless', endless)],
    [
      'a length beyond the limit',
      'too_large',
      () =>
        server.serve('/long', (response) =>
          response.writeHead(200, { 'content-length': String(30 * 1024 * 1024) }).flushHeaders(),
        ),
    ],
    ['a server that says nothing', 'time_limit', () => server.serve('/silent', () => undefined)],
    [
      'a server that hangs up',
      'connection_lost',
      () =>
        server.serve(
          '/hangs-up',
          (response) => void response.writeHead(200, { 'content-length': '9' }).write('x', () => response.destroy()),
        ),
    ],
    ['nobody there', 'gone', () => `${server.url}/nobody`],
    [
      'a server in trouble',
      'http_500',
      () => server.serve('/trouble', (response) => void response.writeHead(500).end()),
    ],
    [
      'a web page as a picture',
      'not_media',
      () =>
        server.serve(
          '/page.jpg',
          (response) => void response.writeHead(200, { 'content-type': 'image/jpeg' }).end(html),
        ),
    ],
    ['an archive as a picture', 'not_media', () => server.serve('/zip.jpg', zip)],
    ['a picture of 3,600 million pixels', 'too_many_pixels', () => server.serve('/bomb.png', png(60_000, 60_000))],
    ['a picture of 20,000 frames', 'too_many_frames', () => server.serve('/frames.gif', gif(10, 10, 20_000))],
    [
      'a picture broken off',
      'broken_picture',
      () => server.serve('/half.jpg', picture.subarray(0, picture.length >> 1)),
    ],
    ['nothing', 'empty_file', () => server.serve('/empty', Buffer.alloc(0))],
    ['other bytes than announced', 'wrong_digest', () => server.serve('/other', picture), { sha256: 'b'.repeat(64) }],
  ]
  const endless = (response: ServerResponse): void => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(1 << 20)));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  }
  let number = 0
  const away = (to: string): string =>
    server.serve(`/away/${String(++number)}`, (response) => void response.writeHead(302, { location: to }).end())

  it('all of them', async () => {
    const before = filesKept()
    const ids = await Promise.all(
      table.map(async ([name, code, make, more]) => ({
        name,
        code,
        id: await attach({ url: await make(), ...more }),
      })),
    )
    work()
    for (const { name, code, id } of ids) {
      const one = await settled(id)
      expect([name, one.state, one.reasonCode, one.documentId]).toEqual([name, 'unavailable', code, null])
      expect([name, one.reason]).toEqual([name, expect.stringMatching(/\w+.*\.$/)])
      expect([name, await factsOf(id)]).toEqual([name, ['unavailable']])
    }
    expect(filesKept()).toBe(before)
    expect((await platform.messages())[0]?.text).toBe('Like this one, please')
    // What cannot change is asked for once, what may change three times.
    expect([server.count('/bomb.png'), server.count('/nobody'), server.count('/circle')]).toEqual([1, 3, 4])
  }, 60_000)
})

it('files are kept as what they are; what can run is for saving only', async () => {
  const ids = await Promise.all([
    attach({ url: server.serve('/drawing', svg(`${server.url}/spied`)) }),
    attach({ url: server.serve('/wrong-name.png', picture), contentType: 'image/png' }),
    attach({ kind: 'file', title: 'offer.html', url: server.serve('/offer', html) }),
    attach({
      kind: 'file',
      title: 'list',
      url: server.serve('/list', zip),
      contentType: 'application/pdf',
    }),
  ])
  work()
  const [drawing, wrong, page, list] = await Promise.all(ids.map(settled))
  expect(drawing).toMatchObject({ state: 'fetched', contentType: 'image/svg+xml', reasonCode: 'download_only' })
  expect(await variantsOf(drawing!)).toEqual([])
  expect(wrong).toMatchObject({ state: 'fetched', contentType: 'image/jpeg' })
  expect(await variantsOf(wrong!)).toHaveLength(2)
  expect(page).toMatchObject({ state: 'fetched', contentType: 'text/html' })
  expect(list).toMatchObject({ state: 'fetched', contentType: 'application/zip' })
  expect(server.count('/spied')).toBe(0)
})

it('what failed is tried again, and again when somebody asks', async () => {
  let calls = 0
  const url = server.serve('/late', (response) => (++calls < 3 ? response.writeHead(404).end() : response.end(picture)))
  const id = await attach({ url })
  const never = await attach({ url: `${server.url}/never` })
  work()
  expect(await settled(id)).toMatchObject({ state: 'fetched', attempts: 3, reason: null, reasonCode: null })
  expect(await settled(never)).toMatchObject({ state: 'unavailable', attempts: 3, reasonCode: 'gone' })
  server.serve('/never', picture)
  expect(await refetchAttachment(platform.storage, platform.accountId, never)).toMatchObject({
    state: 'pending',
    attempts: 0,
  })
  expect(await settled(never)).toMatchObject({ state: 'fetched' })
  expect(await factsOf(never)).toEqual(['unavailable', 'pending', 'fetched'])
  const asked = server.count('/never')
  expect(await refetchAttachment(platform.storage, platform.accountId, never)).toMatchObject({ state: 'fetched' })
  expect([server.count('/never'), await factsOf(never)]).toEqual([asked, ['unavailable', 'pending', 'fetched']])
  const place = await attach({ kind: 'location' })
  await expect(refetchAttachment(platform.storage, platform.accountId, place)).rejects.toMatchObject({ status: 409 })
  await expect(refetchAttachment(platform.storage, platform.channelId, never)).rejects.toMatchObject({ status: 404 })
})

it('the same bytes have one document and are drawn once', async () => {
  const sticker = await sharp({ create: { width: 64, height: 64, channels: 4, background: '#f0f8' } })
    .png()
    .toBuffer()
  const url = server.serve('/sticker', sticker)
  work()
  const first = await settled(await attach({ kind: 'sticker', url }))
  const again = await settled(await attach({ kind: 'sticker', url }))
  expect([again.documentId, again.contentType, again.size]).toEqual([first.documentId, 'image/png', sticker.length])
})

it('a disk that cannot be written to costs the file no try', async () => {
  const config = { ...platform.config, documents: '/dev/null/documents' }
  const storage = await openStorage(config, logger)
  const id = await attach({ url: server.serve('/disk', picture) })
  const worker = startMedia({ storage, config, logger, delaysMs: [] })
  expect(await until(async () => ((await get(id)).reasonCode === 'storage' ? get(id) : false))).toMatchObject({
    state: 'pending',
    attempts: 0,
  })
  await worker.stop()
  await storage.close()
  await refetchAttachment(platform.storage, platform.accountId, id)
  work()
  expect((await settled(id)).state).toBe('fetched')
})

it('WhatsApp: asked for an address each time, fetched with the token, never shown elsewhere', async () => {
  const { storage, accountId } = platform
  const channelId = await platform.createChannel(platform.appId, 'whatsapp', '555001')
  const message = (await platform.messages())[0]!
  const own = { ...message, id: platform.adminId, channelId, externalId: 'wamid.1' }
  await storage.write((tx) => storage.messages.insertNew(tx, [own]))
  const elsewhere = await openFileServer()
  try {
    elsewhere.serve('/cdn', picture)
    let locations = 0
    let sha256 = createHash('sha256').update(picture).digest('hex')
    const locate = (path: string, target: () => string): void =>
      void server.serve(path, (response) => {
        locations += 1
        response.writeHead(200, { 'content-type': 'application/json' })
        response.end(
          JSON.stringify({ id: '1', url: target(), mime_type: 'image/jpeg', sha256, file_size: picture.length }),
        )
      })
    // The first address has expired; the next one is good and leads to another host.
    for (const version of graphPaths('88001'))
      locate(version, () => `${server.url}/media/${locations > 1 ? 'good' : 'expired'}`)
    server.serve('/media/good', (response, { headers }) =>
      headers.authorization === 'Bearer token-555001'
        ? void response.writeHead(302, { location: `${elsewhere.url}/cdn` }).end()
        : void response.writeHead(401).end(),
    )
    const id = await attach({ externalId: '88001', kind: 'image' }, own.id)
    const config = { ...platform.config, networkHosts: [server.host, elsewhere.host] }
    work({ ...platform, config })
    expect(await settled(id)).toMatchObject({ state: 'fetched', attempts: 2, contentType: 'image/jpeg' })
    expect(locations).toBe(2)
    expect(elsewhere.asked.map(({ headers }) => headers.authorization)).toEqual([undefined])
    sha256 = 'c'.repeat(64)
    const bad = await attach({ externalId: '88001', kind: 'image' }, own.id)
    expect(await settled(bad)).toMatchObject({ state: 'unavailable', reasonCode: 'wrong_digest' })
    await storage.write((tx) => tx.run('update messages set deleted_at = utc_timestamp(3) where id = ?', [own.id]))
    const late = await attach({ externalId: '88001', kind: 'image' }, own.id)
    expect(await settled(late)).toMatchObject({ state: 'unavailable', reasonCode: 'deleted' })
    expect(accountId).toBe(message.accountId)
  } finally {
    await elsewhere.close()
  }
})

/** Whichever version of the Graph API is spoken. */
const graphPaths = (id: string): string[] => [
  `/${id}`,
  ...Array.from({ length: 30 }, (_, n) => `/v${String(n + 10)}.0/${id}`),
]

describe('many workers', () => {
  it('fetch each attachment once', async () => {
    const other = await platform.openNode('node-2')
    const small = await photo(40, 30)
    const paths = Array.from({ length: 40 }, (_, n) => `/once/${String(n)}`)
    for (const path of paths) server.serve(path, (response) => void setTimeout(() => response.end(small), 20))
    const ids: string[] = []
    for (const path of paths) ids.push(await attach({ url: `${server.url}${path}` }))
    work()
    work(other)
    for (const id of ids) expect((await settled(id)).state).toBe('fetched')
    expect(paths.map((path) => server.count(path))).toEqual(paths.map(() => 1))
    for (const id of ids) expect(await factsOf(id)).toEqual(['fetched'])
  })

  it('take over from one that was killed in the middle', async () => {
    let isHanging = true
    const held: (() => void)[] = []
    const url = server.serve('/held', (response) => {
      if (!isHanging) return void response.end(picture)
      response.write(picture.subarray(0, 100))
      held.push(() => response.destroy())
    })
    const { config } = platform
    const child = spawn(process.execPath, [`${import.meta.dirname}/media-worker.ts`, '1500'], {
      stdio: 'ignore',
      env: {
        ...process.env,
        PARLEY_HOME: config.home,
        PARLEY_PRIMARY_URL: config.primaryUrl?.reveal(),
        PARLEY_REPLICA_URLS: config.replicaUrls.map((one) => one.reveal()).join(','),
        PARLEY_NETWORK_HOSTS: config.networkHosts.join(','),
      },
    })
    const id = await attach({ url })
    await until(() => server.count('/held') === 1, 15_000)
    isHanging = false
    work(platform, { holdMs: 1_500 })
    // Longer than a claim holds: the living one lengthens it, so nobody else begins.
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect(server.count('/held')).toBe(1)
    child.kill('SIGKILL')
    expect(await settled(id)).toMatchObject({ state: 'fetched', attempts: 2 })
    expect([server.count('/held'), await factsOf(id)]).toEqual([2, ['fetched']])
    held.forEach((close) => close())
  }, 40_000)

  it('give back what they have in hand when they are stopped', async () => {
    let isHanging = true
    const url = server.serve('/stopped', (response) =>
      isHanging ? void response.write('x') : void response.end(picture),
    )
    const id = await attach({ url })
    const first = work(platform, { download })
    await until(() => server.count('/stopped') === 1)
    isHanging = false
    await first.stop()
    expect(await get(id)).toMatchObject({ state: 'pending', attempts: 0 })
    work()
    expect(await settled(id)).toMatchObject({ state: 'fetched', attempts: 1 })
  })

  it('write nothing when their claim was lost meanwhile', async () => {
    const { storage } = platform
    const url = `${server.url}/nobody`
    const id = await attach({ url })
    const [claimed] = await storage.write((tx) => storage.attachments.claim(tx, 1, 1))
    expect(claimed?.id).toBe(id)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const [later] = await storage.write((tx) => storage.attachments.claim(tx, 1, 60_000))
    expect(later?.id).toBe(id)
    expect(await storage.write((tx) => storage.attachments.lockClaimed(tx, claimed!))).toBe(false)
    expect(await storage.write((tx) => storage.attachments.lockClaimed(tx, later!))).toBe(true)
    await storage.write((tx) => storage.attachments.unavailable(tx, later!, { code: 'test', reason: 'over.' }))
  })

  it('give up a file that ends every process that touches it', async () => {
    const url = server.serve('/poison', picture)
    const id = await attach({ url })
    await platform.storage.write((tx) => tx.run('update attachments set attempts = 10 where id = ?', [id]))
    work()
    expect(await settled(id)).toMatchObject({ state: 'unavailable', reasonCode: 'gave_up' })
    expect(server.count('/poison')).toBe(0)
  })

  it('a server that takes the connection and says nothing holds up no other file', async () => {
    const dead = createServer(() => undefined)
    await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${String((dead.address() as AddressInfo).port)}`
    const stuck: string[] = []
    for (let n = 0; n < 40; n++) stuck.push(await attach({ url: `http://${host}/${String(n)}` }))
    const quick = await attach({ url: server.serve('/quick', picture) })
    const config = { ...platform.config, networkHosts: [...platform.config.networkHosts, host] }
    // Without learning, eight at a time, it would be the turn of the quick one after 12 seconds.
    work({ ...platform, config }, { delaysMs: [], download: (call) => download({ ...call, stallMs: 2_500 }) })
    expect((await settled(quick)).state).toBe('fetched')
    const codes = (await Promise.all(stuck.map(settled))).map(({ reasonCode }) => reasonCode)
    expect(codes.filter((code) => code === 'time_limit').length).toBeLessThanOrEqual(16)
    expect(new Set(codes)).toEqual(new Set(['time_limit', 'host_away']))
    dead.close()
  })
})
