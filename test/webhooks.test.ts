/** The webhook door: what is taken, what is refused, and where it goes when the broker or the database is away. */
import { createHmac } from 'node:crypto'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changeApp } from '../backend/networks.ts'
import { readConfig, Secret } from '../infra/config.ts'
import { silentLogger } from '../infra/logger.ts'
import { openBroker } from '../messaging/broker/broker.ts'
import type { Incoming } from '../messaging/broker/contract.ts'
import { openStorage } from '../storage/index.ts'
import { startWeb } from '../web/server.ts'
import { connectChannels, openSite } from './web-site.ts'
import type { Node, Site } from './web-site.ts'

let site: Site
let node: Node
let keys: Awaited<ReturnType<typeof connectChannels>>
const taken: Incoming[] = []

const metaSignature = (body: string | Buffer, secret = 'meta-secret') => ({
  'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
})
const post = (url: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers })
const address = () => `${node.url}/webhooks/${keys.metaKey}`

/** The body arrives in the queue, whole. */
async function expectTaken(body: string | Buffer): Promise<Incoming> {
  const wanted = Buffer.from(body)
  for (let turn = 0; turn < 100; turn++) {
    const found = taken.find((message) => message.body.equals(wanted))
    if (found !== undefined) return found
    await sleep(50)
  }
  throw new Error('the body did not arrive in the queue')
}

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  keys = await connectChannels(site, site.ana.accountId)
  site.broker.consume('inbound', { credit: 100 }, (message) => {
    taken.push(message)
    message.accept()
  })
})
afterAll(() => site.close())

/** A line to the broker that can go dead without being cut. */
async function openLine(target: string) {
  const { hostname, port, username, password } = new URL(target)
  const ends = new Set<ReturnType<typeof connect>>()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const end of [near, far]) ends.add(end.on('error', () => undefined))
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = server.address()
  return {
    url: `amqp://${username}:${password}@127.0.0.1:${String(typeof own === 'object' ? own?.port : 0)}`,
    freeze() {
      for (const end of ends) {
        end.unpipe()
        end.pause()
      }
    },
    close() {
      for (const end of ends) end.destroy()
      server.close()
    },
  }
}

describe('handshakes', () => {
  it("answers Meta's hub challenge exactly", async () => {
    const good = await fetch(`${address()}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=let%20me%20in`)
    expect([good.status, await good.text()]).toEqual([200, '1158201444'])
    const bad = await fetch(`${address()}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=other`)
    expect(bad.status).toBe(403)
    expect(await bad.text()).not.toContain('1158201444')
  })

  it("answers X's CRC", async () => {
    const response = await fetch(`${node.url}/webhooks/${keys.xKey}?crc_token=some-token`)
    const right = createHmac('sha256', 'x-secret').update('some-token').digest('base64')
    expect(await response.json()).toEqual({ response_token: `sha256=${right}` })
  })

  it('refuses what is no handshake, and other methods', async () => {
    expect((await fetch(address())).status).toBe(400)
    expect((await fetch(address(), { method: 'PUT', body: 'x' })).status).toBe(405)
  })
})

describe('signed events', () => {
  it('are taken into the queue byte by byte, with app and account beside them', async () => {
    const body = '{"object":"page","entry":[{"id":"100001","text":"\\u00e4 \u{1F6A2} /"}]}'
    const response = await post(address(), body, metaSignature(body))
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
    const message = await expectTaken(body)
    expect(message.properties).toMatchObject({ app: keys.metaId, account: site.ana.accountId })
  })

  it.each([
    ['not JSON', 'this is no JSON {{{'],
    ['unknown fields', '{"object":"page","entry":[],"next_year":{"a":[1,2,3]}}'],
    ['half broken', '{"object":"page","entry":[{"id":'],
    ['no UTF-8', Buffer.from([0xff, 0xfe, 0x00, 0x7b])],
    ['empty', ''],
    ['a megabyte', JSON.stringify({ entry: 'x'.repeat(1024 * 1024) })],
  ])('are kept whole though they are %s', async (_name, body) => {
    const response = await post(address(), body, metaSignature(body))
    expect(response.status).toBe(200)
    await expectTaken(body)
  })

  it('are taken in many small pieces', async () => {
    const body = JSON.stringify({ object: 'page', pieces: 'y'.repeat(5_000) })
    const socket = connect(node.port, '127.0.0.1')
    const answer = new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(String(bytes))))
    socket.write(
      `POST /webhooks/${keys.metaKey} HTTP/1.1\r\nhost: x\r\ncontent-length: ${String(body.length)}\r\nx-hub-signature-256: ${metaSignature(body)['x-hub-signature-256']}\r\n\r\n`,
    )
    for (let at = 0; at < body.length; at += 500) {
      socket.write(body.slice(at, at + 500))
      await sleep(2)
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 200/)
    socket.destroy()
    await expectTaken(body)
  })
})

describe('refusals', () => {
  it('401 without a signature, with a wrong one, with one over other bytes, with one of another app; nothing is kept', async () => {
    const body = '{"refused":true}'
    const before = taken.length
    expect((await post(address(), body)).status).toBe(401)
    expect((await post(address(), body, metaSignature(body, 'other'))).status).toBe(401)
    expect((await post(address(), body, metaSignature(`${body} `))).status).toBe(401)
    expect((await post(address(), body, { 'x-hub-signature-256': 'sha256=00' })).status).toBe(401)
    expect((await post(address(), body, { 'x-hub-signature-256': '' })).status).toBe(401)
    expect((await post(`${node.url}/webhooks/${keys.xKey}`, body, metaSignature(body))).status).toBe(401)
    await sleep(300)
    expect(taken.length).toBe(before)
    expect(await site.storage.received.list(site.storage.primary, site.ana.accountId, { limit: 10 })).toEqual([])
  })

  it('404 for an address that does not exist, even when signed', async () => {
    const body = '{}'
    for (const key of ['', 'x', 'A'.repeat(32), `${keys.metaKey}x`, `${keys.metaKey}/x`, '%00', "' or 1=1"]) {
      const response = await post(`${node.url}/webhooks/${key}`, body, metaSignature(body))
      expect([key, response.status]).toEqual([key, 404])
    }
  })

  it('413 above 10 MB, announced or not', async () => {
    const large = Buffer.alloc(10 * 1024 * 1024 + 1, 'x')
    expect((await post(address(), large, metaSignature(large))).status).toBe(413)
    const socket = connect(node.port, '127.0.0.1')
    socket.on('error', () => undefined)
    const answer = new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(String(bytes))))
    socket.write(`POST /webhooks/${keys.metaKey} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`)
    const chunk = `100000\r\n${'z'.repeat(0x100000)}\r\n`
    for (let sent = 0; sent < 12; sent++) socket.write(chunk)
    socket.write('0\r\n\r\n')
    expect(await answer).toMatch(/^HTTP\/1\.1 413/)
    socket.destroy()
  })

  it('a new secret counts at once, on a node that knew the old one; both count while both are there', async () => {
    const old = '{"rotation":1}'
    expect((await post(address(), old, metaSignature(old))).status).toBe(200)
    await sleep(1_100)
    await changeApp(site.storage, site.ana.accountId, keys.metaId, { secrets: ['newer-secret', 'meta-secret'] })
    const body = '{"rotation":2}'
    expect((await post(address(), body, metaSignature(body, 'newer-secret'))).status).toBe(200)
    expect((await post(address(), body, metaSignature(body, 'meta-secret'))).status).toBe(200)
    expect((await post(address(), body, metaSignature(body, 'newest-secret'))).status).toBe(401)
  })
})

describe('outages', () => {
  const away = (name: string) =>
    readConfig({
      ...process.env,
      PARLEY_HOME: site.config.home,
      PARLEY_NODE: name,
      PARLEY_BROKER_URL: 'amqp://a:b@127.0.0.1:9',
    })
  const body = '{"object":"page","outage":true}'

  it('the broker away: the database keeps it as pending, and quickly', async () => {
    const broker = openBroker(away('no-broker'), silentLogger)
    const web = await startWeb({ config: site.config, logger: silentLogger, storage: site.storage, broker })
    const begin = Date.now()
    const response = await post(
      `http://127.0.0.1:${String(web.port)}/webhooks/${keys.metaKey}`,
      body,
      metaSignature(body),
    )
    expect(response.status).toBe(200)
    expect(Date.now() - begin).toBeLessThan(1_500)
    const [row] = await site.storage.received.list(site.storage.primary, site.ana.accountId, {
      state: 'pending',
      limit: 10,
    })
    expect(row).toMatchObject({ appId: keys.metaId, state: 'pending' })
    expect(
      (await site.storage.received.get(site.storage.primary, site.ana.accountId, row?.id ?? ''))?.body.toString(),
    ).toBe(body)
    await web.stop()
    await broker.close()
  })

  it('the broker silent: noticed within a second or so, and only once', async () => {
    const line = await openLine(readConfig().brokerUrl?.reveal() ?? '')
    const broker = openBroker(
      { ...away('silent-broker'), prefix: site.config.prefix, brokerUrl: new Secret(line.url) },
      silentLogger,
    )
    for (let turn = 0; turn < 100 && !broker.isConnected; turn++) await sleep(50)
    const web = await startWeb({ config: site.config, logger: silentLogger, storage: site.storage, broker })
    const url = `http://127.0.0.1:${String(web.port)}/webhooks/${keys.metaKey}`
    const first = '{"through":"the line"}'
    expect((await post(url, first, metaSignature(first))).status).toBe(200)
    await expectTaken(first)
    line.freeze()
    expect((await post(url, body, metaSignature(body))).status).toBe(200)
    const begin = Date.now()
    for (let turn = 0; turn < 5; turn++) expect((await post(url, body, metaSignature(body))).status).toBe(200)
    expect(Date.now() - begin).toBeLessThan(700)
    expect(
      await site.storage.received.list(site.storage.primary, site.ana.accountId, { state: 'pending', limit: 20 }),
    ).toHaveLength(7)
    await web.stop()
    line.close()
    await broker.close()
  })

  it('both away: 503 with Retry-After, then taken again once they are back', async () => {
    const broker = openBroker(away('nothing'), silentLogger)
    const gone = await openStorage(
      {
        ...site.config,
        primaryUrl: readConfig({ ...process.env, PARLEY_PRIMARY_URL: 'mysql://a:b@127.0.0.1:9/none' }).primaryUrl,
        replicaUrls: [],
      },
      silentLogger,
    )
    let isGone = false
    // The node has begun while all was well; then the database goes.
    const storage = {
      ...site.storage,
      write: <T>(work: Parameters<typeof site.storage.write<T>>[0]) => (isGone ? gone : site.storage).write(work),
    }
    const web = await startWeb({ config: site.config, logger: silentLogger, storage, broker })
    const url = `http://127.0.0.1:${String(web.port)}/webhooks/${keys.metaKey}`
    expect((await post(url, body, metaSignature(body))).status).toBe(200)
    isGone = true
    const refused = await post(url, body, metaSignature(body))
    expect(refused.status).toBe(503)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    isGone = false
    expect((await post(url, body, metaSignature(body))).status).toBe(200)
    await web.stop()
    await broker.close()
    await gone.close()
  })
})
