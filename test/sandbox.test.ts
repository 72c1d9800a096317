/** The networks played on this machine, over real HTTP: what is accepted, what customers see, what the webhooks tell. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../infra/logger.ts'
import { connectorOf, networks } from '../messaging/connectors/registry.ts'
import type { ChannelAccess, Connector, OutboundMessage, ParsedItem } from '../messaging/connectors/connector.ts'
import type { ChannelType, NetworkName } from '../storage/model/words.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'

const ana = { id: '7100000000000001', name: 'Ana Duarte' }
const ben = { id: '1589012345678901201', name: 'Ben Okafor', handle: 'benokafor' }
const page = '1122334455'
const account = '1400000000000000001'

let home: string
let sandbox: Sandbox
let receiver: Server
/** What the webhooks brought, parsed by our own connectors; signatures that did not fit. */
let items: ParsedItem[]
let bodies: string[]
let wrong: number
let status: number

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'sandbox-'))
  items = []
  bodies = []
  wrong = 0
  status = 200
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://receiver')
      const name: NetworkName = url.pathname === '/x' ? 'x' : 'meta'
      const app = { secrets: [`${name}-secret`], verifyToken: 'verify-me' }
      const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
      const call = { method: request.method ?? '', query: url.searchParams, headers, body: Buffer.concat(chunks) }
      const handshake = networks[name].answerHandshake(call, app)
      if (handshake !== undefined) return response.writeHead(handshake.status).end(handshake.body)
      if (!networks[name].verify(call, app)) wrong += 1
      if (status === 200) {
        items.push(...networks[name].parse(call.body))
        bodies.push(call.body.toString())
      }
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  await setUp()
})

afterEach(async () => {
  await sandbox.stop()
  receiver.closeAllConnections()
  receiver.close()
  rmSync(home, { recursive: true })
})

async function setUp(): Promise<void> {
  const to = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}`
  expect(
    await control('PUT', 'apps', {
      network: 'meta',
      app_id: '99',
      secrets: ['meta-secret'],
      verify_token: 'verify-me',
      webhook_url: `${to}/meta`,
    }),
  ).toMatchObject({ verified: true })
  expect(
    await control('PUT', 'apps', {
      network: 'x',
      app_id: '98',
      secrets: ['x-secret'],
      consumer_key: 'key',
      webhook_url: `${to}/x`,
    }),
  ).toMatchObject({ verified: true })
  await control('PUT', 'channels', {
    type: 'facebook',
    external_id: page,
    name: 'Harbour',
    access_token: 'page-token',
    app_id: '99',
  })
  await control('PUT', 'channels', {
    type: 'x',
    external_id: account,
    name: 'Harbour',
    handle: 'harbour',
    access_token: 'x-token',
    access_token_secret: 'x-token-secret',
    app_id: '98',
  })
}

async function control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${String(sandbox.port)}/control/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await answer.json()) as Record<string, unknown>
}

interface Seen {
  direction: string
  kind: string
  text: string
  external_id: string
}
const ledger = async (channel: string, person: string): Promise<Seen[]> =>
  ((await control('GET', `ledger?channel=${channel}&person=${person}`)) as { items: Seen[] }).items

function connector(type: ChannelType): Connector {
  const found = connectorOf(type)
  if (found === undefined) throw new Error(`no connector for ${type}`)
  return found
}

function access(type: 'facebook' | 'x', overrides: Partial<ChannelAccess> = {}): ChannelAccess {
  const host = `127.0.0.1:${String(sandbox.port)}`
  return {
    externalId: type === 'x' ? account : page,
    apiBaseUrl: `http://${host}`,
    allowHosts: [host],
    credentials:
      type === 'x'
        ? { access_token: 'x-token', access_token_secret: 'x-token-secret' }
        : { access_token: 'page-token' },
    app: {
      secret: type === 'x' ? 'x-secret' : 'meta-secret',
      consumerKey: 'key',
      clientId: undefined,
      clientSecret: undefined,
    },
    ...overrides,
  }
}

const outbound = (overrides: Partial<OutboundMessage>): OutboundMessage => ({
  kind: 'reply',
  reference: 'delivery-1',
  text: 'Platform 3',
  contactExternalId: undefined,
  inReplyTo: undefined,
  lastInboundAt: new Date(),
  ...overrides,
})

async function until(check: () => boolean): Promise<void> {
  for (let tries = 0; tries < 300 && !check(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(check()).toBe(true)
}

const ofType = <T extends ParsedItem['event']['type']>(type: T) =>
  items
    .map((item) => item.event)
    .filter((event): event is Extract<ParsedItem['event'], { type: T }> => event.type === type)
const never = new AbortController().signal
const say = (body: unknown): Promise<Record<string, unknown>> => control('POST', 'say', body)

test('a Messenger message arrives signed, is answered, and the echo carries the reference', async () => {
  const { external_id: id } = await say({
    type: 'facebook',
    channel: page,
    person: ana,
    kind: 'message',
    text: 'Is the 9:40 still running? äöå 🚆',
  })
  await until(() => ofType('message').length === 1)
  expect(ofType('message')[0]).toMatchObject({
    externalId: id,
    kind: 'message',
    text: 'Is the 9:40 still running? äöå 🚆',
    from: { externalId: ana.id },
  })
  expect(bodies.at(-1)).toContain('\\u00e4\\u00f6\\u00e5')

  const outcome = await connector('facebook').send(access('facebook'), outbound({ contactExternalId: ana.id }), never)
  await until(() => ofType('echo').length === 1 && ofType('receipt').length === 1)
  const [echo] = ofType('echo')
  expect(outcome).toEqual({ type: 'sent', externalId: echo?.externalId })
  expect(echo).toMatchObject({ reference: 'delivery-1', text: 'Platform 3', to: { externalId: ana.id } })
  expect((await ledger(page, ana.id)).map((seen) => seen.text)).toEqual([
    'Is the 9:40 still running? äöå 🚆',
    'Platform 3',
  ])
  expect(wrong).toBe(0)
})

test('a comment, its public answer and the one private reply', async () => {
  const { external_id: id } = await say({
    type: 'facebook',
    channel: page,
    person: ana,
    kind: 'comment',
    text: 'How much is it?',
  })
  await until(() => ofType('message').length === 1)
  expect(ofType('message')[0]).toMatchObject({
    kind: 'comment',
    externalId: id,
    thread: { kind: 'public', rootId: id },
  })
  const comment = outbound({ kind: 'comment', inReplyTo: String(id), text: 'From 12 €' })
  expect(await connector('facebook').send(access('facebook'), comment, never)).toMatchObject({ type: 'sent' })
  const privately = outbound({ kind: 'private_reply', inReplyTo: String(id), text: 'Details by message' })
  expect(await connector('facebook').send(access('facebook'), privately, never)).toMatchObject({ type: 'sent' })
  expect(await connector('facebook').send(access('facebook'), privately, never)).toMatchObject({
    type: 'refused',
    class: 'content',
    code: '10900',
  })
  await until(() => ofType('echo').length === 2)
  expect(
    ofType('echo')
      .map((echo) => echo.kind)
      .sort(),
  ).toEqual(['comment', 'reply'])
  expect(
    await connector('facebook').lookUp(access('facebook'), comment, new Date(Date.now() - 5000), never),
  ).toMatchObject({ type: 'found' })
})

test('an answer to an answer is found, although it stands below the first comment', async () => {
  const first = await say({ type: 'facebook', channel: page, person: ana, kind: 'comment', text: 'How much?' })
  const second = await say({
    type: 'facebook',
    channel: page,
    person: ana,
    kind: 'comment',
    text: 'And the dog?',
    in_reply_to: first.external_id,
  })
  const since = new Date()
  const answer = outbound({ kind: 'comment', inReplyTo: String(second.external_id), text: 'The dog is free' })
  expect(await connector('facebook').lookUp(access('facebook'), answer, since, never)).toEqual({ type: 'absent' })
  const sent = await connector('facebook').send(access('facebook'), answer, never)
  expect(await connector('facebook').lookUp(access('facebook'), answer, since, never)).toEqual({
    type: 'found',
    externalId: sent.type === 'sent' ? sent.externalId : '',
  })
})

test.each(['aaa', 'xaa'] as const)('X in the form %s: a direct message and a mention, both answered', async (form) => {
  const to = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}`
  await control('PUT', 'apps', {
    network: 'x',
    app_id: '98',
    secrets: ['x-secret'],
    consumer_key: 'key',
    webhook_url: `${to}/x`,
    x_form: form,
  })
  const dm = await say({ type: 'x', channel: account, person: ben, kind: 'message', text: 'a < b & c' })
  const mention = await say({ type: 'x', channel: account, person: ben, kind: 'mention', text: '@harbour when?' })
  await until(() => ofType('message').length === 2)
  expect(ofType('message').find((event) => event.kind === 'message')).toMatchObject({
    externalId: dm.external_id,
    text: 'a < b & c',
    from: { ...{ externalId: ben.id }, name: ben.name, handle: ben.handle },
  })
  expect(ofType('message').find((event) => event.kind === 'mention')).toMatchObject({
    externalId: mention.external_id,
    thread: { rootId: mention.external_id },
  })

  const direct = outbound({ contactExternalId: ben.id, text: 'Friday & Saturday' })
  const sent = await connector('x').send(access('x'), direct, never)
  const answer = outbound({ kind: 'comment', inReplyTo: String(mention.external_id), text: 'On Friday' })
  const posted = await connector('x').send(access('x'), answer, never)
  await until(() => ofType('echo').length === 2)
  expect(
    ofType('echo')
      .map((echo) => echo.externalId)
      .sort(),
  ).toEqual([sent, posted].map((outcome) => (outcome.type === 'sent' ? outcome.externalId : outcome.type)).sort())
  expect(await connector('x').lookUp(access('x'), direct, new Date(Date.now() - 5000), never)).toEqual({
    type: 'found',
    externalId: sent.type === 'sent' ? sent.externalId : '',
  })
  expect(await connector('x').lookUp(access('x'), answer, new Date(Date.now() - 5000), never)).toEqual({
    type: 'found',
    externalId: posted.type === 'sent' ? posted.externalId : '',
  })
  expect(
    await connector('x').lookUp(access('x'), { ...direct, text: 'Friday' }, new Date(Date.now() - 5000), never),
  ).toEqual({ type: 'absent' })
  expect(await connector('x').send(access('x'), answer, never)).toMatchObject({ type: 'refused', class: 'content' })
})

test('a wrong OAuth signature and an unknown token are refused', async () => {
  await say({ type: 'x', channel: account, person: ben, kind: 'message', text: 'hi' })
  const forged = access('x', { credentials: { access_token: 'x-token', access_token_secret: 'other' } })
  expect(await connector('x').send(forged, outbound({ contactExternalId: ben.id }), never)).toMatchObject({
    type: 'refused',
    class: 'token',
  })
  expect(
    await connector('facebook').send(
      access('facebook', { credentials: { access_token: 'other' } }),
      outbound({ contactExternalId: ana.id }),
      never,
    ),
  ).toMatchObject({ type: 'refused', class: 'token', code: '190' })
  expect(await ledger(account, ben.id)).toHaveLength(1)
})

test('a dropped answer is unknown, the customer sees the message once, and the look-up finds it', async () => {
  await say({ type: 'facebook', channel: page, person: ana, kind: 'message', text: 'hello' })
  await control('POST', 'faults', { fault: 'drop_answer', count: 1 })
  const since = new Date()
  const outcome = await connector('facebook').send(access('facebook'), outbound({ contactExternalId: ana.id }), never)
  expect(outcome).toMatchObject({ type: 'unknown' })
  const seen = (await ledger(page, ana.id)).filter((one) => one.direction === 'outbound')
  expect(seen).toHaveLength(1)
  expect(
    await connector('facebook').lookUp(access('facebook'), outbound({ contactExternalId: ana.id }), since, never),
  ).toEqual({ type: 'found', externalId: seen[0]?.external_id })
  // Nobody offers idempotency: a second send shows a second time.
  await connector('facebook').send(access('facebook'), outbound({ contactExternalId: ana.id }), never)
  expect((await ledger(page, ana.id)).filter((one) => one.direction === 'outbound')).toHaveLength(2)
})

test('the network off: unknown and surely absent; refusals and slow answers as told', async () => {
  await say({ type: 'facebook', channel: page, person: ana, kind: 'message', text: 'hello' })
  const message = outbound({ contactExternalId: ana.id })
  await control('POST', 'faults', { fault: 'network_off', network: 'meta' })
  expect(await connector('facebook').send(access('facebook'), message, never)).toMatchObject({ type: 'unknown' })
  expect(await connector('facebook').lookUp(access('facebook'), message, new Date(), never)).toMatchObject({
    type: 'undecided',
  })
  await control('DELETE', 'faults')
  expect(await connector('facebook').lookUp(access('facebook'), message, new Date(), never)).toEqual({ type: 'absent' })
  await control('POST', 'faults', { fault: 'refuse_code', code: 613, count: 1 })
  expect(await connector('facebook').send(access('facebook'), message, never)).toMatchObject({
    type: 'retry',
    code: '613',
  })
  await control('POST', 'faults', { fault: 'expired_token', count: 1 })
  expect(await connector('facebook').send(access('facebook'), message, never)).toMatchObject({
    type: 'refused',
    class: 'token',
    code: '190/463',
  })
  await control('POST', 'faults', { fault: 'delay_answer', ms: 400, count: 1 })
  expect(await connector('facebook').send(access('facebook'), message, AbortSignal.timeout(150))).toMatchObject({
    type: 'unknown',
  })
  expect((await ledger(page, ana.id)).filter((one) => one.direction === 'outbound')).toHaveLength(1)
})

test('the reply window: 24 hours, seven days with the tag, then closed', async () => {
  const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString()
  await say({ type: 'facebook', channel: page, person: ana, kind: 'message', text: 'hello', occurred_at: ago(30) })
  expect(
    await connector('facebook').send(access('facebook'), outbound({ contactExternalId: ana.id }), never),
  ).toMatchObject({ type: 'refused', class: 'window', code: '10/2018278' })
  expect(
    await connector('facebook').send(
      access('facebook'),
      outbound({ contactExternalId: ana.id, lastInboundAt: new Date(ago(30)) }),
      never,
    ),
  ).toMatchObject({ type: 'sent' })
  expect(
    await connector('facebook').send(
      access('facebook'),
      outbound({ contactExternalId: ana.id, lastInboundAt: new Date(ago(200)) }),
      never,
    ),
  ).toMatchObject({ type: 'refused', class: 'window' })
})

test('webhooks are tried again until they are taken, and repeated when told', async () => {
  await control('PUT', 'settings', { retry_ms: [20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 50, 100, 200, 400, 800] })
  status = 503
  await say({ type: 'facebook', channel: page, person: ana, kind: 'message', text: 'hello' })
  await new Promise((resolve) => setTimeout(resolve, 100))
  status = 200
  await until(() => ofType('message').length === 1)
  await control('POST', 'faults', { fault: 'repeat_webhooks', count: 1 })
  await say({ type: 'facebook', channel: page, person: ana, kind: 'message', text: 'again' })
  await until(() => ofType('message').filter((event) => event.text === 'again').length === 2)
  const attempts = (await control('GET', 'webhooks')) as { items: { status: number; attempt: number }[] }
  expect(attempts.items.filter((one) => one.status === 503).length).toBeGreaterThan(1)
})

test('echo first, echo none', async () => {
  await say({ type: 'facebook', channel: page, person: ana, kind: 'message', text: 'hello' })
  await control('POST', 'faults', { fault: 'echo_first', count: 1 })
  await connector('facebook').send(access('facebook'), outbound({ contactExternalId: ana.id }), never)
  // No waiting: the echo is here before the answer.
  expect(ofType('echo')).toHaveLength(1)
  await control('POST', 'faults', { fault: 'echo_none', count: 1 })
  await connector('facebook').send(access('facebook'), outbound({ contactExternalId: ana.id }), never)
  await until(() => ofType('receipt').length === 2)
  expect(ofType('echo')).toHaveLength(1)
})

test('a restart keeps the world and what was not yet told', async () => {
  status = 503
  await say({ type: 'facebook', channel: page, person: ana, kind: 'message', text: 'hello' })
  await sandbox.stop()
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  expect((await ledger(page, ana.id)).map((seen) => seen.text)).toEqual(['hello'])
  expect(
    await connector('facebook').send(access('facebook'), outbound({ contactExternalId: ana.id }), never),
  ).toMatchObject({ type: 'sent' })
  status = 200
  await until(() => ofType('message').some((event) => event.text === 'hello'))
})

test('a burst reaches the webhook whole, and raw bodies are passed on signed', async () => {
  await control('POST', 'burst', { channel: page, people: 20, messages: 200, batch: 10 })
  await until(() => ofType('message').length === 200)
  expect(new Set(ofType('message').map((event) => event.externalId)).size).toBe(200)
  expect(await control('POST', 'deliver', { app_id: '99', body: '{"object":"page","entry":[null]}' })).toMatchObject({
    status: 200,
  })
  expect(wrong).toBe(0)
  expect(items.at(-1)?.event.type).toBe('kept')
})

test('the phone is served below /sandbox too, with a strict content policy', async () => {
  const base = `http://127.0.0.1:${String(sandbox.port)}`
  const shown = await fetch(`${base}/sandbox/phone`)
  expect(shown.status).toBe(200)
  expect(shown.url).toBe(`${base}/sandbox/phone/`)
  expect(shown.headers.get('content-security-policy')).toContain("script-src 'self'")
  expect(await (await fetch(`${base}/sandbox/control/world`)).json()).toMatchObject({
    channels: [{ name: 'Harbour' }, { name: 'Harbour' }],
  })
  expect((await fetch(`${base}/health/ready`)).status).toBe(200)
})
