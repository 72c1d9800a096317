/** X's accounts looked after, against X played here over real HTTP: connect, subscribe, read back, replay, refresh, fetch media, be refused. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../infra/logger.ts'
import type { ChannelAccess, ParsedItem } from '../messaging/connectors/connector.ts'
import { xConnector as connector } from '../messaging/connectors/x/connector.ts'
import { x } from '../messaging/connectors/x/network.ts'
import { quotaOf } from '../messaging/connectors/x/usage.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'

const ben = { id: '1589012345678901201', name: 'Ben Okafor', handle: 'benokafor' }
const account = '1400000000000000001'
const never = new AbortController().signal

let home: string
let sandbox: Sandbox
let receiver: Server
let items: ParsedItem[]
let wrong: number
let status: number
let secret: string

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'sandbox-x-'))
  items = []
  wrong = 0
  status = 200
  secret = 'x-secret'
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://receiver')
      const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
      const call = { method: request.method ?? '', query: url.searchParams, headers, body: Buffer.concat(chunks) }
      const app = { secrets: [secret], verifyToken: undefined }
      const handshake = x.answerHandshake(call, app)
      if (handshake !== undefined) return response.writeHead(handshake.status).end(handshake.body)
      if (!x.verify(call, app)) wrong += 1
      if (status === 200) items.push(...x.parse(call.body))
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  await putApp()
  await control('PUT', 'channels', {
    type: 'x',
    external_id: account,
    name: 'Harbour',
    handle: 'harbour',
    access_token: 'x-token',
    access_token_secret: 'x-token-secret',
    app_id: '98',
  })
})

afterEach(async () => {
  expect(wrong).toBe(0)
  await sandbox.stop()
  receiver.closeAllConnections()
  receiver.close()
  rmSync(home, { recursive: true })
})

const webhookUrl = (): string => `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/x`
const putApp = (more: object = {}): Promise<Record<string, unknown>> =>
  control('PUT', 'apps', {
    network: 'x',
    app_id: '98',
    secrets: ['x-secret'],
    consumer_key: 'key',
    client_id: 'client',
    client_secret: 'client-secret',
    webhook_url: webhookUrl(),
    ...more,
  })

async function control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${String(sandbox.port)}/control/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await answer.json()) as Record<string, unknown>
}
const say = (body: object): Promise<Record<string, unknown>> =>
  control('POST', 'say', { type: 'x', channel: account, person: ben, kind: 'message', text: 'hello', ...body })

function access(
  credentials: Record<string, string> = { access_token: 'x-token', access_token_secret: 'x-token-secret' },
): ChannelAccess {
  const host = `127.0.0.1:${String(sandbox.port)}`
  return {
    externalId: account,
    apiBaseUrl: `http://${host}`,
    allowHosts: [host],
    credentials,
    app: { secret: 'x-secret', consumerKey: 'key', clientId: 'client', clientSecret: 'client-secret' },
  }
}

async function until(check: () => boolean): Promise<void> {
  for (let tries = 0; tries < 300 && !check(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(check()).toBe(true)
}
const ofType = <T extends ParsedItem['event']['type']>(type: T, from = items) =>
  from
    .map((item) => item.event)
    .filter((event): event is Extract<ParsedItem['event'], { type: T }> => event.type === type)
const ago = (minutes: number): Date => new Date(Date.now() - minutes * 60_000)

/** Goes through the sign-in as a person would; the code that comes back. */
async function signIn(
  decision: 'allow' | 'deny',
  state: string,
): Promise<{ location: URL; verifier: string; page: string }> {
  const verifier = randomBytes(40).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const redirectUri = 'https://parley.example/connect/x'
  const url = connector.signIn?.authorizeUrl(access(), { redirectUri, state, challenge }) ?? ''
  const page = await (await fetch(url)).text()
  const form = new URLSearchParams(new URL(url).searchParams)
  form.set('user_id', account)
  form.set('decision', decision)
  const answer = await fetch(url.split('?')[0] ?? '', { method: 'POST', body: form, redirect: 'manual' })
  return { location: new URL(answer.headers.get('location') ?? ''), verifier, page }
}
const exchange = (code: string, verifier: string) =>
  connector.signIn?.exchange(access({}), { code, redirectUri: 'https://parley.example/connect/x', verifier }, never)

describe('connecting', () => {
  test('the page asks, the code becomes a channel with both tokens, once and within 30 seconds', async () => {
    const { location, verifier, page } = await signIn('allow', 'st"ate')
    expect(page).toContain('Allow')
    expect(page).not.toContain('st"ate')
    expect(location.searchParams.get('state')).toBe('st"ate')
    const code = location.searchParams.get('code') ?? ''
    expect(await exchange(code, 'x'.repeat(50))).toMatchObject({ type: 'refused', class: 'token' })
    // A wrong verifier has used the code up.
    expect(await exchange(code, verifier)).toMatchObject({ type: 'refused', class: 'token' })

    const again = await signIn('allow', 's')
    const connected = await exchange(again.location.searchParams.get('code') ?? '', again.verifier)
    expect(connected).toMatchObject({ type: 'ok', value: [{ type: 'x', externalId: account, name: '@harbour' }] })
    const [channel] = connected?.type === 'ok' ? connected.value : []
    expect(channel?.credentials).toMatchObject({ access_token: expect.any(String), refresh_token: expect.any(String) })
    expect(channel?.tokenExpiresAt?.getTime()).toBeGreaterThan(Date.now() + 7_000_000)
    expect(await connector.examine?.(access(channel?.credentials), never)).toMatchObject({
      state: 'connected',
      missingPermissions: [],
    })

    const late = await signIn('allow', 's')
    await control('POST', 'clock', { ms: 31_000 })
    expect(await exchange(late.location.searchParams.get('code') ?? '', late.verifier)).toMatchObject({
      type: 'refused',
    })
  })

  test('whoever refuses gives no code', async () => {
    const { location } = await signIn('deny', 's')
    expect([location.searchParams.get('error'), location.searchParams.get('code')]).toEqual(['access_denied', null])
  })
})

describe('tokens', () => {
  async function connect(): Promise<Readonly<Record<string, string>>> {
    const { location, verifier } = await signIn('allow', 's')
    const connected = await exchange(location.searchParams.get('code') ?? '', verifier)
    return connected?.type === 'ok' ? (connected.value[0]?.credentials ?? {}) : {}
  }

  test('an access token ends after two hours; the refresh token brings new ones, once', async () => {
    const first = await connect()
    await control('POST', 'clock', { ms: 2 * 3_600_000 + 1 })
    const message = {
      kind: 'reply',
      reference: 'r',
      text: 'hi',
      contactExternalId: ben.id,
      inReplyTo: undefined,
      lastInboundAt: new Date(),
    } as const
    expect(await connector.send(access(first), message, never)).toMatchObject({
      type: 'refused',
      class: 'token',
      code: 'expired_token',
    })
    const fresh = await connector.refreshToken?.(access({ ...first, events: 'xaa' }), never)
    const second = fresh?.type === 'ok' ? fresh.value.credentials : {}
    expect(second).toMatchObject({ events: 'xaa', access_token: expect.any(String) })
    expect(second['refresh_token']).not.toBe(first['refresh_token'])
    expect(await connector.send(access(second), message, never)).toMatchObject({ type: 'sent' })
    expect(await connector.refreshToken?.(access(first), never)).toMatchObject({ type: 'refused', class: 'token' })
  })

  test('a lost answer is unknown, and the old refresh token is dead', async () => {
    const first = await connect()
    await control('POST', 'faults', { fault: 'drop_answer', network: 'x', count: 1 })
    expect(await connector.refreshToken?.(access(first), never)).toMatchObject({ type: 'unknown' })
    expect(await connector.refreshToken?.(access(first), never)).toMatchObject({ type: 'refused', class: 'token' })
  })

  test('OAuth 1.0a has nothing to refresh', async () => {
    expect(await connector.refreshToken?.(access(), never)).toMatchObject({ type: 'refused', code: 'no_refresh_token' })
  })

  test.each(['aaa', 'xaa'] as const)('access withdrawn (%s): the event comes, the token is dead', async (form) => {
    await putApp({ x_form: form })
    await control('POST', 'revoke', { channel: account })
    await until(() => ofType('revoked').length === 1)
    expect(items.find(({ event }) => event.type === 'revoked')?.channelExternalId).toBe(account)
    expect(await connector.examine?.(access(), never)).toMatchObject({ state: 'reconnect_needed', code: 'http_401' })
  })
})

describe('the webhook', () => {
  const check = (url = webhookUrl(), credentials?: Record<string, string>) =>
    connector.checkSubscription?.(access(credentials), { url, verifyToken: undefined }, never)
  const subscribe = (url = webhookUrl(), credentials?: Record<string, string>) =>
    connector.subscribe?.(access(credentials), { url, verifyToken: undefined }, never)
  const oauth1 = { access_token: 'x-token', access_token_secret: 'x-token-secret' }

  test('Account Activity: found missing, subscribed, then events come', async () => {
    expect(await check()).toMatchObject({ type: 'ok', value: { isActive: true, missing: [] } })
    await control('PUT', 'subscriptions', { channel: account, is_on: false })
    expect(await check()).toMatchObject({ type: 'ok', value: { isActive: false, missing: ['all'] } })
    await say({ text: 'unheard' })
    expect(await subscribe()).toMatchObject({ type: 'ok', value: { isActive: true } })
    expect(await subscribe()).toMatchObject({ type: 'ok', value: { isActive: true } })
    await say({ text: 'heard' })
    await until(() => ofType('message').length === 1)
    expect(ofType('message')[0]?.text).toBe('heard')
  })

  test('X Activity: every type that is missing', async () => {
    await control('PUT', 'subscriptions', { channel: account, is_on: false })
    const missing = await check(undefined, { ...oauth1, events: 'xaa' })
    expect(missing?.type === 'ok' ? missing.value.missing : []).toContain('dm.received')
    expect(await subscribe(undefined, { ...oauth1, events: 'xaa' })).toMatchObject({
      type: 'ok',
      value: { isActive: true },
    })
    await say({ text: 'heard' })
    await say({ kind: 'comment', text: '@harbour and you?' })
    await until(() => ofType('message').length === 3)
    // The answer names the account, so that it came under two types: the same comment.
    const comments = items.filter(({ event }) => event.type === 'message' && event.kind === 'comment')
    expect(comments[1]?.event).toEqual(comments[0]?.event)
  })

  test('one type that is closed to the app costs no other', async () => {
    await control('PUT', 'subscriptions', { channel: account, is_on: false })
    await control('POST', 'faults', { fault: 'refuse_code', network: 'x', count: 1 })
    expect(await subscribe(undefined, { ...oauth1, events: 'xaa' })).toMatchObject({
      type: 'ok',
      value: { isActive: true, missing: ['post.create'] },
    })
    await control('POST', 'faults', { fault: 'refuse_code', network: 'x' })
    await control('PUT', 'subscriptions', { channel: account, is_on: false })
    expect(await subscribe(undefined, { ...oauth1, events: 'xaa' })).toMatchObject({ type: 'refused', class: 'token' })
  })

  test('an address that X does not know is registered; a second one is refused', async () => {
    await putApp({ app_id: '97', consumer_key: 'other' })
    expect(await check('http://127.0.0.1:9/elsewhere')).toMatchObject({
      type: 'ok',
      value: { isActive: false, missing: ['webhook'] },
    })
    expect(await subscribe('http://127.0.0.1:9/elsewhere')).toMatchObject({
      type: 'refused',
      reason: 'WebhookLimitExceeded',
    })
  })

  test('a wrong answer to the CRC makes it invalid: no events until it is validated again', async () => {
    await control('PUT', 'settings', { course: 'real' })
    secret = 'wrong'
    await control('POST', 'clock', { ms: 3_600_000 })
    await expect
      .poll(async () => ((await check()) as { value?: { missing?: string[] } }).value?.missing)
      .toEqual(['webhook'])
    secret = 'x-secret'
    await say({ text: 'lost' })
    const log = await control('GET', 'webhooks')
    expect(log).toMatchObject({
      consequences: [{ what: 'invalid' }],
      items: expect.arrayContaining([expect.objectContaining({ given_up: true })]),
    })
    expect(await subscribe()).toMatchObject({ type: 'ok', value: { isActive: true } })
    await say({ text: 'heard' })
    await until(() => ofType('message').length === 1)
    expect(ofType('message')[0]?.text).toBe('heard')
  })
})

test.each(['aaa', 'xaa'] as const)('what happens beside words (%s)', async (form) => {
  await putApp({ x_form: form })
  const act = (what: string, external_id?: string) => control('POST', 'x/act', { channel: account, what, external_id })
  await act('like', '1991000000000000012')
  await act('delete', '1991000000000000012')
  await act('typing')
  expect(await act('chat')).toMatchObject({ told: form === 'xaa' ? 1 : 0 })
  await until(() => items.some(({ event }) => event.type === 'kept' && event.reason === 'someone is typing'))
  expect(ofType('reaction')).toMatchObject([{ externalId: '1991000000000000012', from: { externalId: ben.id } }])
  expect(ofType('delete')).toMatchObject([{ externalId: '1991000000000000012' }])
  expect(ofType('message')).toHaveLength(form === 'xaa' ? 1 : 0)
})

describe('catching up', () => {
  test('what was lost is read back in the same forms, in pages, both directions', async () => {
    const since = ago(60)
    await say({ text: 'too old', occurred_at: ago(90).toISOString() })
    const spoken = ['a', 'b & c', 'd'].map((text, index) => ({ text, occurred_at: ago(50 - index).toISOString() }))
    for (const one of spoken) await say(one)
    await say({ kind: 'mention', text: '@harbour look', media: 'photo', occurred_at: ago(40).toISOString() })
    await say({ kind: 'comment', text: 'and here?', occurred_at: ago(39).toISOString() })
    await say({ text: 'a picture', media: 'photo', occurred_at: ago(38).toISOString() })
    const message = {
      kind: 'reply',
      reference: 'r',
      text: 'our answer',
      contactExternalId: ben.id,
      inReplyTo: undefined,
      lastInboundAt: new Date(),
    } as const
    await connector.send(access(), message, never)
    await until(() => ofType('message').length === 7 && ofType('echo').length === 1)

    const found: ParsedItem[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const page = await connector.readBack?.(access(), since, cursor, never)
      expect(page?.type).toBe('ok')
      if (page?.type !== 'ok') break
      found.push(...page.value.items)
      cursor = page.value.cursor
      pages += 1
    } while (cursor !== undefined && pages < 20)
    expect(pages).toBe(2)
    const heard = items.filter(
      ({ event }) => ['message', 'echo'].includes(event.type) && !('text' in event && event.text === 'too old'),
    )
    const byId = (list: readonly ParsedItem[]) =>
      new Map(list.map(({ event }) => ['externalId' in event ? event.externalId : '', event]))
    expect(byId(found).size).toBe(7)
    for (const [id, event] of byId(heard)) {
      const again = byId(found).get(id)
      // Account Activity does not name the conversation's top; all else is the same.
      expect({ ...again, thread: undefined }).toEqual({ ...event, thread: undefined })
    }
  })

  test('many pages come to an end', async () => {
    await control('POST', 'burst', { channel: account, people: 5, messages: 250, batch: 50 })
    await until(() => items.length >= 250)
    let cursor: string | undefined
    const ids = new Set<string>()
    for (let pages = 0; pages < 10; pages += 1) {
      const page = await connector.readBack?.(access(), ago(60), cursor, never)
      if (page?.type !== 'ok') throw new Error('no page')
      for (const { event } of page.value.items) if ('externalId' in event) ids.add(event.externalId)
      cursor = page.value.cursor
      if (cursor === undefined) break
    }
    expect(ids.size).toBe(250)
    expect(cursor).toBeUndefined()
  })

  test('a replay sends again what was lost, as duplicates of the rest, and says when it is over', async () => {
    await control('POST', 'faults', { fault: 'lose_webhooks', count: 1 })
    await say({ text: 'lost', occurred_at: ago(40).toISOString() })
    await say({ text: 'heard', occurred_at: ago(39).toISOString() })
    await until(() => ofType('message').length === 1)
    const job = await connector.requestReplay?.(access(), ago(45), new Date(), never)
    expect(job?.type).toBe('ok')
    await until(() => ofType('replayed').length === 1)
    expect(ofType('replayed')[0]).toMatchObject({ isComplete: true, jobId: job?.type === 'ok' ? job.value : '' })
    expect(
      ofType('message')
        .map(({ text }) => text)
        .sort(),
    ).toEqual(['heard', 'heard', 'lost'])
    // Anything younger is asked for from 31 minutes ago, anything older is refused here.
    expect(await connector.requestReplay?.(access(), ago(5), new Date(), never)).toMatchObject({ type: 'ok' })
    expect(await connector.requestReplay?.(access(), ago(3_000), ago(2_000), never)).toMatchObject({
      type: 'refused',
      code: 'too_old',
    })
  })
})

describe('media of direct messages', () => {
  const fetchPlace = async (url: string | undefined, credentials?: Record<string, string>) => {
    const place = await connector.locateMedia?.(
      access(credentials),
      { kind: 'image', ...(url === undefined ? {} : { url }) },
      never,
    )
    if (place?.type !== 'ok') throw new Error('no place')
    return { ...place.value, answer: await fetch(place.value.url, { headers: place.value.headers }) }
  }

  test('closed to the world, open to a signed request, gone when its time is over', async () => {
    await say({ text: 'look', media: 'photo', media_expires_ms: 60_000 })
    await until(() => ofType('message').length === 1)
    const [event] = ofType('message')
    expect(event?.text).toBe('look')
    const url = event?.attachments[0]?.url
    expect((await fetch(url ?? '')).status).toBe(401)
    const { answer } = await fetchPlace(url)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png'])
    expect(
      Buffer.from(await answer.arrayBuffer())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG')
    await control('POST', 'clock', { ms: 61_000 })
    expect((await fetchPlace(url)).answer.status).toBe(403)
  })

  test('with an OAuth 2 token by the newer address; the token goes nowhere else', async () => {
    await control('PUT', 'channels', {
      type: 'x',
      external_id: account,
      name: 'Harbour',
      handle: 'harbour',
      access_token: 'bearer',
      app_id: '98',
    })
    await say({ text: 'look', media: 'photo' })
    await until(() => ofType('message').length === 1)
    const place = await fetchPlace(ofType('message')[0]?.attachments[0]?.url, { access_token: 'bearer' })
    expect(place.url).toContain('/2/dm_conversations/media/')
    expect(place.answer.status).toBe(200)
    for (const url of [
      'https://pbs.twimg.com/a.jpg',
      'https://ton.twitter.com.evil.example/1.1/ton/data/dm/1/2/a.jpg',
      'http://ton.twitter.com/1.1/ton/data/dm/1/2/a.jpg',
      'https://ton.twitter.com:444/a',
      `http://127.0.0.1:${String(sandbox.port)}@evil.example/1.1/ton/data/dm/1/2/a.jpg`,
    ])
      expect(await connector.locateMedia?.(access({ access_token: 'bearer' }), { kind: 'image', url }, never)).toEqual({
        type: 'ok',
        value: { url, headers: {} },
      })
    expect(await connector.locateMedia?.(access(), { kind: 'image' }, never)).toMatchObject({
      type: 'refused',
      code: 'no_address',
    })
  })
})

describe('health and quotas', () => {
  test.each([
    [{ fault: 'expired_token' }, { state: 'reconnect_needed', code: 'http_401' }],
    [{ fault: 'usage_capped' }, { state: 'degraded', code: 'usage-capped' }],
    [{ fault: 'rate_limited' }, { state: 'connected' }],
    [{ fault: 'network_off' }, { state: 'degraded' }],
  ])('%j: %j', async (fault, condition) => {
    await control('POST', 'faults', { ...fault, count: 1 })
    expect(await connector.examine?.(access(), never)).toMatchObject(condition)
  })

  test('the token of another account', async () => {
    const other = { ...access(), externalId: '7' }
    expect(await connector.examine?.(other, never)).toMatchObject({ state: 'reconnect_needed', code: 'other_account' })
  })

  test('rights that the token lacks', async () => {
    await control('PUT', 'channels', {
      type: 'x',
      external_id: account,
      name: 'Harbour',
      handle: 'harbour',
      access_token: 'bearer',
      app_id: '98',
    })
    const poor = access({ access_token: 'bearer', scope: 'tweet.read users.read' })
    expect(await connector.examine?.(poor, never)).toMatchObject({
      state: 'reconnect_needed',
      missingPermissions: ['tweet.write', 'dm.read', 'dm.write'],
    })
  })

  test('X’s windows: fifteen messages in fifteen minutes, told in the headers, open again after them', async () => {
    await control('PUT', 'settings', { x_limits: 'real' })
    const message = {
      kind: 'reply',
      reference: 'r',
      text: 'hi',
      contactExternalId: ben.id,
      inReplyTo: undefined,
      lastInboundAt: new Date(),
    } as const
    for (let sent = 0; sent < 15; sent += 1)
      expect(await connector.send(access(), { ...message, text: `hi ${String(sent)}` }, never)).toMatchObject({
        type: 'sent',
      })
    const quota = quotaOf(account).find(({ name }) => name === 'POST /2/dm_conversations/with/:id/messages')
    expect(quota).toMatchObject({ used: 1 })
    expect(quota?.resetsAt?.getTime()).toBeGreaterThan(Date.now())
    const outcome = await connector.send(access(), message, never)
    expect(outcome).toMatchObject({ type: 'retry' })
    expect(outcome.type === 'retry' ? outcome.afterMs : 0).toBeGreaterThan(800_000)
    await control('POST', 'clock', { ms: 15 * 60_000 })
    expect(await connector.send(access(), message, never)).toMatchObject({ type: 'sent' })
  })
})
