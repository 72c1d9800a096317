/** Meta's connectors against the networks played here, over real HTTP: speaking, reading back, files, tokens, signing in. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../infra/logger.ts'
import { callOutside } from '../infra/outside.ts'
import { quota } from '../messaging/connectors/meta/usage.ts'
import { connectorOf, networks } from '../messaging/connectors/registry.ts'
import type {
  Asked,
  ChannelAccess,
  Connector,
  InboundEvent,
  OutboundMessage,
  ParsedItem,
} from '../messaging/connectors/connector.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'

type Type = 'facebook' | 'instagram' | 'whatsapp'
const ids: Readonly<Record<Type, string>> = {
  facebook: '1122334455',
  instagram: '17841400000000001',
  whatsapp: '106540352242922',
}
const people: Readonly<Record<Type, { id: string; name: string; handle?: string }>> = {
  facebook: { id: '7100000000000001', name: 'Ana Duarte' },
  instagram: { id: '990000000000001', name: 'Mia Sato', handle: 'mia.sato' },
  whatsapp: { id: '16505551234', name: 'Joe Kim' },
}
const signal = AbortSignal.timeout(120_000)
const webhook = { url: 'http://127.0.0.1/meta', verifyToken: 'verify-me' }

let home: string
let sandbox: Sandbox
let receiver: Server
let items: ParsedItem[]

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'sandbox-'))
  items = []
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://receiver')
      const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
      const call = { method: request.method ?? '', query: url.searchParams, headers, body: Buffer.concat(chunks) }
      const app = { secrets: ['meta-secret'], verifyToken: 'verify-me' }
      const handshake = networks.meta.answerHandshake(call, app)
      if (handshake !== undefined) return response.writeHead(handshake.status).end(handshake.body)
      expect(networks.meta.verify(call, app)).toBe(true)
      items.push(...networks.meta.parse(call.body))
      response.writeHead(200).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  const to = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/meta`
  await control('PUT', 'apps', {
    network: 'meta',
    app_id: '99',
    secrets: ['meta-secret'],
    verify_token: 'verify-me',
    webhook_url: to,
  })
  for (const type of ['facebook', 'instagram', 'whatsapp'] as const)
    await control('PUT', 'channels', {
      type,
      external_id: ids[type],
      name: 'Harbour',
      handle: 'harbour',
      // The page and its Instagram account share a token, as they do at Meta.
      access_token: type === 'whatsapp' ? 'wa-token' : 'page-token',
      app_id: '99',
      ...(type === 'instagram' ? { page_id: ids.facebook } : {}),
    })
})

afterEach(async () => {
  await sandbox.stop()
  receiver.closeAllConnections()
  receiver.close()
  rmSync(home, { recursive: true })
})

const origin = (): string => `http://127.0.0.1:${String(sandbox.port)}`

async function control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${origin()}/control/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const json = (await answer.json()) as Record<string, unknown>
  expect(answer.ok, `${path}: ${JSON.stringify(json)}`).toBe(true)
  return json
}

const customer = (type: Type, more: object = {}) =>
  control('POST', 'meta/say', { channel: ids[type], person: people[type], ...more })
const change = (type: Type, more: object) => control('POST', 'meta/change', { channel: ids[type], ...more })

function connector(type: Type): Connector {
  const found = connectorOf(type)
  if (found === undefined) throw new Error(`no connector for ${type}`)
  return found
}

function access(type: Type, credentials: Readonly<Record<string, string>> = {}): ChannelAccess {
  return {
    externalId: ids[type],
    apiBaseUrl: origin(),
    allowHosts: [new URL(origin()).host],
    credentials: { access_token: type === 'whatsapp' ? 'wa-token' : 'page-token', ...credentials },
    app: { secret: 'meta-secret', consumerKey: undefined, clientId: '99', clientSecret: undefined },
  }
}

const outbound = (type: Type, more: Partial<OutboundMessage> = {}): OutboundMessage => ({
  kind: 'reply',
  reference: 'delivery-1',
  text: 'With pleasure',
  contactExternalId: people[type].id,
  inReplyTo: undefined,
  lastInboundAt: new Date(),
  ...more,
})
const send = (type: Type, more: Partial<OutboundMessage> = {}) =>
  connector(type).send(access(type), outbound(type, more), signal)

function good<T>(asked: Asked<T> | undefined): T {
  if (asked?.type !== 'ok') throw new Error(`refused: ${JSON.stringify(asked)}`)
  return asked.value
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`it did not come; there came ${JSON.stringify(items.map(({ event }) => event))}`)
}
const came = <Kind extends InboundEvent['type']>(
  type: Kind,
  fits: (event: Extract<InboundEvent, { type: Kind }>) => boolean = () => true,
) =>
  until(() =>
    items
      .map(({ event }) => event)
      .find(
        (event): event is Extract<InboundEvent, { type: Kind }> =>
          event.type === type && fits(event as Extract<InboundEvent, { type: Kind }>),
      ),
  )

describe('a word and its answer', () => {
  test.each(['facebook', 'instagram', 'whatsapp'] as const)('%s', async (type) => {
    const { external_id: externalId } = await customer(type, { text: 'Is the café open? ☕' })
    const message = await came('message', (event) => event.externalId === externalId)
    expect(message).toMatchObject({
      kind: 'message',
      text: 'Is the café open? ☕',
      from: { externalId: people[type].id },
      thread: { kind: 'direct', personId: people[type].id },
    })
    expect(items.find(({ event }) => event === message)).toMatchObject({
      channelType: type,
      channelExternalId: ids[type],
    })

    const sent = await send(type)
    if (sent.type !== 'sent') throw new Error(JSON.stringify(sent))
    if (type === 'whatsapp') {
      expect(await came('receipt', (event) => event.state === 'sent')).toMatchObject({
        ids: [sent.externalId],
        reference: 'delivery-1',
      })
      await came('receipt', (event) => event.state === 'delivered')
      expect(await connector(type).lookUp(access(type), outbound(type), new Date(), signal)).toMatchObject({
        type: 'undecided',
      })
    } else {
      expect(await came('echo')).toMatchObject({
        externalId: sent.externalId,
        text: 'With pleasure',
        to: { externalId: people[type].id },
      })
      const since = new Date(Date.now() - 60_000)
      expect(await connector(type).lookUp(access(type), outbound(type), since, signal)).toEqual({
        type: 'found',
        externalId: sent.externalId,
      })
      expect(await connector(type).lookUp(access(type), outbound(type, { text: 'never said' }), since, signal)).toEqual(
        { type: 'absent' },
      )
    }
    await control('POST', 'read', { channel: ids[type], person: people[type].id })
    await came('receipt', (event) => event.state === 'read')
    const person = await connector(type).fetchPerson?.(access(type), people[type].id, signal)
    if (type !== 'whatsapp') expect(person).toMatchObject({ externalId: people[type].id, name: people[type].name })
  })

  test('Instagram: comments, their answers, private replies', async () => {
    const { external_id: commentId, post_id: postId } = await customer('instagram', {
      kind: 'comment',
      text: 'Lovely!',
    })
    expect(await came('message')).toMatchObject({
      kind: 'comment',
      externalId: commentId,
      thread: { rootId: commentId, postId },
      from: { handle: 'mia.sato' },
    })
    const answer = await send('instagram', { kind: 'comment', inReplyTo: String(commentId) })
    expect(answer).toMatchObject({ type: 'sent' })
    expect(await came('echo')).toMatchObject({ kind: 'comment', inReplyTo: commentId })
    const since = new Date(Date.now() - 60_000)
    const message = outbound('instagram', { kind: 'comment', inReplyTo: String(commentId) })
    expect(await connector('instagram').lookUp(access('instagram'), message, since, signal)).toMatchObject({
      type: 'found',
    })
    expect(await send('instagram', { kind: 'private_reply', inReplyTo: String(commentId) })).toMatchObject({
      type: 'sent',
    })
    expect(await send('instagram', { kind: 'private_reply', inReplyTo: String(commentId) })).toMatchObject({
      type: 'refused',
      code: '10900',
    })
  })

  test.each([
    ['instagram', { text: 'é'.repeat(501) }, { class: 'content', code: 'too_long' }],
    ['instagram', { lastInboundAt: new Date(Date.now() - 8 * 86_400_000) }, { class: 'window' }],
    ['instagram', { contactExternalId: '990000000000099' }, { class: 'recipient' }],
    ['instagram', { kind: 'comment' }, { class: 'recipient' }],
    ['whatsapp', { text: 'x'.repeat(4097) }, { class: 'content', code: 'too_long' }],
    ['whatsapp', { text: ' ' }, { class: 'content', code: 'empty' }],
    ['whatsapp', { lastInboundAt: new Date(Date.now() - 2 * 86_400_000) }, { class: 'window' }],
    ['whatsapp', { contactExternalId: undefined }, { class: 'recipient' }],
    ['whatsapp', { kind: 'comment', inReplyTo: '1' }, { class: 'content' }],
  ] as const)('%s refuses %j', async (type, more, expected) => {
    expect(await send(type, more)).toMatchObject({ type: 'refused', ...expected })
  })

  test('WhatsApp: a failure that comes after the acceptance', async () => {
    await customer('whatsapp', { text: 'Hello' })
    await control('POST', 'meta/fail_late', { channel: ids.whatsapp, code: 131_026 })
    expect(await send('whatsapp')).toMatchObject({ type: 'sent' })
    expect(await came('receipt', (event) => event.state === 'failed')).toMatchObject({
      reference: 'delivery-1',
      refusal: { class: 'recipient', code: '131026' },
    })
    // Nobody wrote: accepted, and refused later for the closed window.
    expect(await send('whatsapp', { contactExternalId: '16505550000' })).toMatchObject({ type: 'sent' })
    expect(await came('receipt', (event) => event.refusal?.code === '131047')).toMatchObject({
      refusal: { class: 'window' },
    })
  })

  test('WhatsApp: somebody without a number is answered by the user id', async () => {
    await control('POST', 'meta/say', {
      channel: ids.whatsapp,
      person: { id: 'US.1349', name: 'Li Wei', handle: 'liwei' },
      text: 'No number',
    })
    expect(await came('message')).toMatchObject({ from: { externalId: 'US.1349', handle: 'liwei' } })
    expect(await send('whatsapp', { contactExternalId: 'US.1349' })).toMatchObject({ type: 'sent' })
    expect(await came('receipt', (event) => event.state === 'delivered')).toMatchObject({
      person: { externalId: 'US.1349' },
    })
    await control('POST', 'meta/number', { channel: ids.whatsapp, person: '16505551234', new_id: '16505559999' })
    expect(await came('person_changed')).toMatchObject({
      was: { externalId: '16505551234' },
      is: { externalId: '16505559999' },
    })
  })
})

test.each([
  ['facebook', ['edit', 'delete', 'react', 'unreact'], 'message'],
  ['facebook', ['edit', 'hide', 'unhide', 'react', 'delete'], 'comment'],
  ['instagram', ['edit', 'delete', 'react', 'unreact'], 'message'],
  ['whatsapp', ['edit', 'delete', 'react', 'unreact'], 'message'],
] as const)('%s: %j of a %s', async (type, changes, kind) => {
  const { external_id: externalId } = await customer(type, { kind, text: 'First' })
  for (const what of changes) {
    items = []
    await change(type, { external_id: externalId, what, text: 'Second', emoji: '🎉' })
    const wanted = {
      edit: 'edit',
      delete: 'delete',
      react: 'reaction',
      unreact: 'reaction',
      hide: 'hide',
      unhide: 'hide',
    } as const
    expect(items.map(({ event }) => event)).toMatchObject([{ type: wanted[what], externalId }])
  }
})

test('presses, places and story replies as they stand on the wire', async () => {
  await customer('facebook', { wire: { postback: { mid: 'm_pb', title: 'Start', payload: 'START' } } })
  expect(await came('message')).toMatchObject({ kind: 'interaction', text: 'Start' })
  await customer('instagram', {
    text: 'Wow',
    wire: { reply_to: { story: { id: '88', url: 'https://cdn.example/s.jpg' } } },
  })
  expect(await came('message', (event) => event.text === 'Wow')).toMatchObject({ extra: { story: { id: '88' } } })
  await customer('whatsapp', {
    wire: { type: 'location', location: { latitude: 38.7, longitude: -9.1, name: 'Harbour' } },
  })
  expect(await came('message', (event) => event.attachments.length > 0)).toMatchObject({
    attachments: [{ kind: 'location', title: 'Harbour' }],
  })
  await control('POST', 'meta/app_says', { channel: ids.whatsapp, person: people.whatsapp.id, text: 'From the app' })
  expect(await came('echo')).toMatchObject({ text: 'From the app', to: { externalId: people.whatsapp.id } })
})

describe('files', () => {
  const fetchAt = (place: { url: string; headers?: Readonly<Record<string, string>> }) =>
    callOutside({
      url: place.url,
      headers: place.headers ?? {},
      allowHosts: [new URL(origin()).host],
      maxBytes: 16 * 1024 * 1024,
    })

  test('Messenger and Instagram: at their address, until it expires', async () => {
    for (const type of ['facebook', 'instagram'] as const) {
      items = []
      await customer(type, {
        text: 'Look',
        files: [
          { kind: 'image' },
          { kind: 'audio' },
          { kind: 'file' },
          { kind: 'image', expires_ms: 60_000 },
          { kind: 'image', gone: true },
        ],
      })
      const { attachments } = await came('message')
      expect(attachments.map(({ kind }) => kind)).toEqual(['image', 'audio', 'file', 'image', 'image'])
      const fetched = await Promise.all(attachments.map(({ url }) => fetchAt({ url: url ?? '' })))
      expect(fetched.map(({ status, headers }) => [status, headers['content-type']])).toEqual([
        [200, 'image/png'], [200, 'audio/wav'], [200, 'application/pdf'], [200, 'image/png'], [404, 'application/json'],
      ]) // prettier-ignore
      await control('POST', 'clock', { ms: 61_000 })
      expect((await fetchAt({ url: attachments[3]?.url ?? '' })).status).toBe(403)
    }
  })

  test('WhatsApp: asked for by id, good for five minutes, only with the token', async () => {
    await customer('whatsapp', { text: 'Broken', files: [{ kind: 'image' }] })
    const [attachment] = (await came('message')).attachments
    expect(attachment).toMatchObject({ kind: 'image' })
    const place = good(
      await connector('whatsapp').locateMedia?.(access('whatsapp'), attachment ?? { kind: 'image' }, signal),
    )
    expect(place).toMatchObject({ contentType: 'image/png', headers: { authorization: 'Bearer wa-token' } })
    const file = await fetchAt(place)
    expect(file.status).toBe(200)
    const { createHash } = await import('node:crypto')
    expect(createHash('sha256').update(file.body).digest('hex')).toBe(place.sha256)
    expect((await fetchAt({ url: place.url })).status).toBe(401)
    await control('POST', 'clock', { ms: 6 * 60_000 })
    expect((await fetchAt(place)).status).toBe(403)
    const again = good(
      await connector('whatsapp').locateMedia?.(access('whatsapp'), attachment ?? { kind: 'image' }, signal),
    )
    expect((await fetchAt(again)).status).toBe(200)
  })

  test('WhatsApp: a file that is gone', async () => {
    await customer('whatsapp', { files: [{ kind: 'document', title: 'a.pdf', gone: true }] })
    const [attachment] = (await came('message')).attachments
    expect(
      await connector('whatsapp').locateMedia?.(access('whatsapp'), attachment ?? { kind: 'file' }, signal),
    ).toMatchObject({ type: 'refused', class: 'content', code: '100/33' })
    expect(await connector('whatsapp').locateMedia?.(access('whatsapp'), { kind: 'file' }, signal)).toMatchObject({
      type: 'refused',
      code: 'no_id',
    })
  })
})

describe('reading back', () => {
  async function readAll(type: Type, since: Date): Promise<{ items: ParsedItem[]; pages: number }> {
    const all: ParsedItem[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const page = good(await connector(type).readBack?.(access(type), since, cursor, signal))
      all.push(...page.items)
      cursor = page.cursor
      pages += 1
    } while (cursor !== undefined && pages < 50)
    return { items: all, pages }
  }
  const utterances = (list: readonly ParsedItem[]): unknown[] =>
    list
      .flatMap(({ event, channelType, channelExternalId }) =>
        event.type === 'message' || event.type === 'echo'
          ? [
              [
                event.type,
                event.kind,
                event.externalId,
                event.text,
                Math.floor(event.occurredAt.getTime() / 1000),
                event.thread,
                event.inReplyTo,
                event.attachments.length,
                channelType,
                channelExternalId,
              ],
            ]
          : [],
      )
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

  test.each(['facebook', 'instagram'] as const)('%s: all that webhooks told, and nothing else', async (type) => {
    for (let index = 0; index < 30; index += 1)
      await control('POST', 'meta/say', {
        channel: ids[type],
        person: { id: `${people[type].id}${String(index)}`, name: `P ${String(index)}` },
        text: `message ${String(index)}`,
      })
    await customer(type, { text: 'With a picture', files: [{ kind: 'image' }] })
    await send(type)
    const { external_id: first } = await customer(type, { kind: 'comment', text: 'top' })
    for (let index = 0; index < 45; index += 1) await customer(type, { kind: 'comment', text: `more ${String(index)}` })
    await customer(type, { kind: 'comment', text: 'below', in_reply_to: first })
    await send(type, { kind: 'comment', inReplyTo: String(first) })
    await came('echo', (event) => event.kind === 'comment')
    const told = utterances(items.filter(({ event }) => event.type !== 'receipt' && event.type !== 'post'))
    const { items: read, pages } = await readAll(type, new Date(Date.now() - 3_600_000))
    // An Instagram webhook tells comments with the entry's time, in whole seconds; the comment itself has the same second or the one before.
    const timeless = (list: unknown[]): unknown[] =>
      list.map((one) => (one as unknown[]).map((value, index) => (index === 4 ? 0 : value)))
    const same = (list: unknown[]): unknown[] => (type === 'instagram' ? timeless(list) : list)
    expect(same(utterances(read))).toEqual(same(told))
    expect(told).toHaveLength(31 + 1 + 46 + 1 + 1)
    expect(pages).toBeGreaterThan(2)
    expect(read.find(({ event }) => event.type === 'message' && event.text === 'message 3')?.event).toMatchObject({
      from: { externalId: `${people[type].id}3` },
    })
  })

  test('Facebook: a post with more comments than one page, to the last one', async () => {
    for (let index = 0; index < 120; index += 1)
      void customer('facebook', { kind: 'comment', text: `n ${String(index)}` })
    await until(() => (items.filter(({ event }) => event.type === 'message').length >= 120 ? true : undefined))
    const { items: read } = await readAll('facebook', new Date(Date.now() - 3_600_000))
    expect(new Set(read.flatMap(({ event }) => (event.type === 'message' ? [event.text] : []))).size).toBe(120)
  })

  test('nothing older than asked, nothing from a broken cursor', async () => {
    await customer('facebook', { text: 'old', occurred_at: new Date(Date.now() - 7_200_000).toISOString() })
    await customer('facebook', { text: 'new' })
    const { items: read } = await readAll('facebook', new Date(Date.now() - 3_600_000))
    expect(read.flatMap(({ event }) => (event.type === 'message' ? [event.text] : []))).toEqual(['new'])
    for (const cursor of [
      '',
      'nonsense',
      Buffer.from('[1,2,3]').toString('base64url'),
      Buffer.from('["posts-x",null,[["a"]]]').toString('base64url'),
    ])
      expect((await connector('facebook').readBack?.(access('facebook'), new Date(), cursor, signal))?.type).toBe('ok')
    expect('readBack' in connector('whatsapp')).toBe(false)
  })

  test('a refusal is told, not thrown', async () => {
    await control('PUT', 'meta/token', { channel: ids.facebook, is_valid: false, subcode: 460 })
    expect(await connector('facebook').readBack?.(access('facebook'), new Date(0), undefined, signal)).toMatchObject({
      type: 'refused',
      class: 'token',
      code: '190/460',
    })
  })
})

describe('how a channel stands', () => {
  const examine = async (type: Type, credentials = {}) => connector(type).examine?.(access(type, credentials), signal)

  test.each(['facebook', 'instagram', 'whatsapp'] as const)('%s is well', async (type) => {
    expect(await examine(type)).toEqual({
      state: 'connected',
      code: undefined,
      reason: undefined,
      tokenExpiresAt: undefined,
      missingPermissions: [],
    })
  })

  test.each([
    [460, /password/],
    [458, /app was removed/],
    [459, /facebook\.com/],
    [463, /expired/],
    [492, /role/],
    [undefined, /not valid/],
  ])('a dead token, subcode %s', async (subcode, words) => {
    await control('PUT', 'meta/token', {
      channel: ids.facebook,
      is_valid: false,
      ...(subcode === undefined ? {} : { subcode }),
    })
    const condition = await examine('facebook')
    expect(condition).toMatchObject({
      state: 'reconnect_needed',
      code: subcode === undefined ? '190' : `190/${String(subcode)}`,
    })
    expect(condition?.reason).toMatch(words)
  })

  test('the end of a token is told days before, and then it is dead', async () => {
    await control('PUT', 'meta/token', { channel: ids.facebook, expires_in_ms: 3 * 86_400_000 })
    const condition = await examine('facebook')
    expect(condition?.state).toBe('connected')
    const days = ((condition?.tokenExpiresAt?.getTime() ?? 0) - Date.now()) / 86_400_000
    expect(days > 2.9 && days < 3.1).toBe(true)
    await control('POST', 'clock', { ms: 4 * 86_400_000 })
    expect(await examine('facebook')).toMatchObject({ state: 'reconnect_needed', code: '190/463' })
  })

  test('missing permissions, a wrong token, none, a wrong secret, nobody there', async () => {
    await control('PUT', 'meta/token', { channel: ids.whatsapp, scopes: ['whatsapp_business_messaging'] })
    expect(await examine('whatsapp')).toMatchObject({
      state: 'degraded',
      code: 'permissions_missing',
      missingPermissions: ['whatsapp_business_management'],
    })
    expect(await examine('facebook', { access_token: 'other' })).toMatchObject({
      state: 'reconnect_needed',
      code: '190',
    })
    expect(await examine('facebook', { access_token: '' })).toMatchObject({
      state: 'reconnect_needed',
      code: 'no_token',
    })
    const wrong = { ...access('facebook'), app: { ...access('facebook').app, secret: 'other' } }
    expect(await connector('facebook').examine?.(wrong, signal)).toMatchObject({ state: 'degraded', code: '100' })
    const nobody = { ...access('facebook'), apiBaseUrl: 'http://127.0.0.1:1', allowHosts: ['127.0.0.1:1'] }
    expect(await connector('facebook').examine?.(nobody, signal)).toMatchObject({ state: 'degraded' })
  })

  test('the newest use of the allowance', async () => {
    await customer('facebook', { text: 'Hello' })
    await send('facebook')
    expect(quota(ids.facebook)).toEqual([{ name: 'app', used: 0.01, resetsAt: undefined }])
    await customer('whatsapp', { text: 'Hello' })
    await send('whatsapp')
    expect(quota(ids.whatsapp)).toMatchObject([{ name: 'whatsapp', used: 0.02 }])
    expect(quota('unknown')).toEqual([])
  })
})

describe('webhook subscriptions', () => {
  test.each(['facebook', 'instagram', 'whatsapp'] as const)('%s: seen when it ends, and renewed', async (type) => {
    const check = async () => good(await connector(type).checkSubscription?.(access(type), webhook, signal))
    expect(await check()).toEqual({ isActive: true, missing: [], reason: undefined })
    await control('PUT', 'subscriptions', { channel: type === 'instagram' ? ids.facebook : ids[type], is_on: false })
    expect(await check()).toMatchObject({ isActive: false })
    items = []
    await customer(type, { text: 'unheard' })
    expect(items).toEqual([])
    expect(good(await connector(type).subscribe?.(access(type), webhook, signal))).toEqual({
      isActive: true,
      missing: [],
      reason: undefined,
    })
    await customer(type, { text: 'heard' })
    expect(await came('message')).toMatchObject({ text: 'heard' })
  })
})

test('the webhook of the app: set up where it is missing, left alone where it leads elsewhere', async () => {
  const check = async (to = webhook) =>
    good(await connector('instagram').checkSubscription?.(access('instagram'), to, signal))
  const address = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/meta`
  const app = `${origin()}/v25.0/99/subscriptions?access_token=99|meta-secret`
  await fetch(`${app}&object=instagram`, { method: 'DELETE' })
  expect(await check()).toMatchObject({
    isActive: false,
    reason: expect.stringContaining('no active webhook') as unknown,
  })
  const there = { ...webhook, url: address }
  expect(good(await connector('instagram').subscribe?.(access('instagram'), there, signal)).isActive).toBe(true)
  const few = new URLSearchParams({
    object: 'instagram',
    callback_url: address,
    verify_token: 'verify-me',
    fields: 'messages',
  })
  await fetch(`${app}&${few.toString()}`, { method: 'POST' })
  expect((await check()).missing).toContain('comments')
  const other = { ...webhook, url: 'http://127.0.0.1/webhooks/other' }
  expect(good(await connector('instagram').subscribe?.(access('instagram'), other, signal))).toMatchObject({
    isActive: false,
    reason: expect.stringContaining('another address') as unknown,
  })
  // Who does not know the app's secret looks at the channel alone.
  const blind = { ...access('instagram'), app: { ...access('instagram').app, secret: undefined, clientId: undefined } }
  expect(good(await connector('instagram').checkSubscription?.(blind, other, signal)).isActive).toBe(true)
})

test('a page and its Instagram account share one list of fields: neither takes away what the other needs', async () => {
  await fetch(`${origin()}/v25.0/me/subscribed_apps?access_token=page-token&subscribed_fields=messages`, {
    method: 'POST',
  })
  const check = async (type: Type) => good(await connector(type).checkSubscription?.(access(type), webhook, signal))
  expect((await check('facebook')).missing).toContain('feed')
  await connector('facebook').subscribe?.(access('facebook'), webhook, signal)
  await connector('instagram').subscribe?.(access('instagram'), webhook, signal)
  expect([(await check('facebook')).missing, (await check('instagram')).missing]).toEqual([[], []])
})

describe('signing in', () => {
  const app = () => ({
    externalId: '99',
    apiBaseUrl: origin(),
    allowHosts: [new URL(origin()).host],
    app: access('facebook').app,
  })
  const redirectUri = 'http://127.0.0.1:9/connect/meta/callback'
  const ask = { redirectUri, state: 'state-1', challenge: 'unused' }
  const signIn = () => {
    const found = connector('facebook').signIn
    if (found === undefined) throw new Error('nobody can sign in')
    return found
  }
  async function press(answer: 'allow' | 'deny'): Promise<URL> {
    const dialog = await fetch(signIn().authorizeUrl(app(), ask))
    expect(dialog.status).toBe(200)
    const html = await dialog.text()
    expect(html).toContain('pages_messaging')
    const query = new URLSearchParams(
      [...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
        name ?? '',
        (value ?? '').replaceAll('&amp;', '&'),
      ]),
    )
    query.set('answer', answer)
    const back = await fetch(new URL(`oauth/allow?${query.toString()}`, dialog.url), { redirect: 'manual' })
    expect(back.status).toBe(302)
    return new URL(back.headers.get('location') ?? '')
  }
  const exchange = (code: string, uri = redirectUri) =>
    signIn().exchange(app(), { code, redirectUri: uri, verifier: '' }, signal)

  test('brings every page and its Instagram account, ready to be used', async () => {
    const back = await press('allow')
    expect(back.searchParams.get('state')).toBe('state-1')
    const found = good(await exchange(back.searchParams.get('code') ?? ''))
    expect(found.map(({ type }) => type).sort()).toEqual(['facebook', 'facebook', 'instagram', 'instagram'])
    expect(found.find((one) => one.externalId === ids.instagram)).toMatchObject({
      type: 'instagram',
      name: 'harbour',
      credentials: { access_token: 'page-token', page_id: ids.facebook },
    })
    const cafe = found.find((one) => one.type === 'facebook' && one.name === 'Lighthouse Café')
    const channel = { ...access('facebook'), externalId: cafe?.externalId ?? '', credentials: cafe?.credentials ?? {} }
    expect(await connector('facebook').examine?.(channel, signal)).toMatchObject({ state: 'connected' })
    // A page that was just connected tells nothing until it is subscribed.
    expect(good(await connector('facebook').checkSubscription?.(channel, webhook, signal)).isActive).toBe(false)
    expect(good(await connector('facebook').subscribe?.(channel, webhook, signal)).isActive).toBe(true)
    const refreshed = good(await connector('facebook').refreshToken?.(channel, signal))
    expect(refreshed.credentials.user_access_token).not.toBe(channel.credentials.user_access_token)
    expect(refreshed.credentials.access_token).toBe(channel.credentials.access_token)
  })

  test('a code is good once, and only with the same address; who does not want to has none', async () => {
    const code = (await press('allow')).searchParams.get('code') ?? ''
    expect(await exchange(code, `${redirectUri}/other`)).toMatchObject({ type: 'refused', code: '100/36008' })
    const second = (await press('allow')).searchParams.get('code') ?? ''
    expect((await exchange(second)).type).toBe('ok')
    expect(await exchange(second)).toMatchObject({ type: 'refused', code: '100/36009' })
    const denied = await press('deny')
    expect([denied.searchParams.get('error'), denied.searchParams.get('code')]).toEqual(['access_denied', null])
    const strangers = { ...app(), app: { ...app().app, secret: 'other' } }
    expect((await signIn().exchange(strangers, { code, redirectUri, verifier: '' }, signal)).type).not.toBe('ok')
  })

  test('a token is exchanged for a longer one', async () => {
    const refreshed = good(await connector('whatsapp').refreshToken?.(access('whatsapp'), signal))
    expect(refreshed.expiresAt?.getTime()).toBeGreaterThan(Date.now() + 59 * 86_400_000)
    await customer('whatsapp', { text: 'Hello' })
    const channel = { ...access('whatsapp'), credentials: refreshed.credentials }
    expect(await connector('whatsapp').send(channel, outbound('whatsapp'), signal)).toMatchObject({ type: 'sent' })
    const login = good(await connector('instagram').refreshToken?.(access('instagram', { login: 'instagram' }), signal))
    expect(login.credentials).toMatchObject({ login: 'instagram' })
    await control('PUT', 'meta/token', { channel: ids.facebook, is_valid: false, subcode: 467 })
    expect(await connector('facebook').refreshToken?.(access('facebook'), signal)).toMatchObject({
      type: 'refused',
      class: 'token',
      code: '190/467',
    })
  })
})
