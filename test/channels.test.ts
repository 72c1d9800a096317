/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- answers are looked into at will */
/** Channels over HTTP, against the played networks: connecting by sign-in and by token, the check, catching up, leaving and coming back. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'
import { openSite, password } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let home: string
let sandbox: Sandbox
let sandboxUrl: string
let site: Site
let node: Node
let metaId: string
let xId: string

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'parley-channels-'))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  sandboxUrl = `http://127.0.0.1:${String(sandbox.port)}`
  const port = await freePort()
  site = await openSite({
    PARLEY_LISTEN_PORT: String(port),
    PARLEY_PUBLIC_URL: `http://127.0.0.1:${String(port)}`,
    PARLEY_NETWORK_HOSTS: `127.0.0.1:${String(sandbox.port)}`,
  })
  node = await site.addNode()
  metaId = await addApp('meta', '770009', { secrets: ['meta-secret'] })
  xId = await addApp('x', '880009', {
    secrets: ['x-secret'],
    consumer_key: 'x-key',
    client_id: 'x-client',
    client_secret: 'x-client-secret',
  })
  await control('channels', {
    ...{ type: 'facebook', external_id: '100009', name: 'Harbour', access_token: 'page-token', app_id: '770009' },
  })
  await control('channels', {
    ...{ type: 'x', external_id: '200009', name: 'Harbour', handle: 'harbour', app_id: '880009' },
    ...{ access_token: 'x-token', access_token_secret: 'x-token-secret' },
  })
})
afterAll(async () => {
  await site.close()
  await sandbox.stop()
  rmSync(home, { recursive: true, force: true })
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => {
        resolve(port)
      })
    })
  })
}

async function control(what: string, body: unknown): Promise<void> {
  const answer = await fetch(`${sandboxUrl}/control/${what}`, { method: 'PUT', body: JSON.stringify(body) })
  expect([what, answer.status, answer.ok ? '' : await answer.text()]).toEqual([what, answer.status, ''])
}

/** Registers an app with us, and us with the network. */
async function addApp(network: 'meta' | 'x', externalId: string, given: Record<string, unknown>): Promise<string> {
  const wish = { network, name: network, external_id: externalId, api_base_url: sandboxUrl, ...given }
  const { status, json } = await node.ask(site.ana, 'POST', '/apps', wish)
  expect(status).toBe(201)
  await control('apps', {
    ...{ network, app_id: externalId, webhook_url: json.webhook_url, ...given },
    ...(network === 'meta' && { verify_token: json.verify_token }),
  })
  return json.id
}

const ask = (method: string, path: string, body?: unknown, person: Person = site.ana) =>
  node.ask(person, method, path, body)

/** The person presses "Allow" at the network; gives the way back to us. */
async function allow(authorizeUrl: string, answer: 'allow' | 'deny' = 'allow'): Promise<URL> {
  const url = new URL(authorizeUrl)
  const form = new URLSearchParams(url.search)
  const response =
    url.pathname === '/i/oauth2/authorize'
      ? await fetch(`${url.origin}${url.pathname}`, {
          method: 'POST',
          body: new URLSearchParams([...form, ['user_id', '200009'], ['decision', answer]]),
          redirect: 'manual',
        })
      : await fetch(`${url.origin}${url.pathname}/allow?${form.toString()}&answer=${answer}`, { redirect: 'manual' })
  return new URL(response.headers.get('location') ?? '')
}

/** Where our return address sends the browser. */
async function comeBack(
  back: URL | string,
  headers: Record<string, string> = { authorization: `Bearer ${site.ana.token}` },
): Promise<URLSearchParams> {
  const response = await fetch(back, { headers, redirect: 'manual' })
  expect(response.status).toBe(302)
  const place = new URL(response.headers.get('location') ?? '', node.url)
  expect([place.origin, place.pathname]).toEqual([node.url, '/channels/connect'])
  return place.searchParams
}

const begin = async (appId: string, type: string) =>
  (await ask('POST', '/connect', { app_id: appId, type })).json.authorize_url as string

describe('signing in at the network', () => {
  it('connects the pages that were chosen, of those that may be', async () => {
    const back = await allow(await begin(metaId, 'facebook'))
    expect(back.href.startsWith(`${site.config.publicUrl}/api/v1/connect/return?`)).toBe(true)
    const attempt = (await comeBack(back)).get('attempt') ?? ''
    const offered = (await ask('GET', `/connect/${attempt}`)).json.items as { type: string; external_id: string }[]
    expect(offered.map(({ type }) => type)).toEqual(expect.arrayContaining(['facebook', 'instagram']))
    expect(JSON.stringify(offered)).not.toMatch(/token|EAA/)
    const refused = await ask('POST', `/connect/${attempt}`, { external_ids: ['100009', 'somebody-else'] })
    expect([refused.status, refused.json.code]).toEqual([422, 'not_offered'])
    const connected = await ask('POST', `/connect/${attempt}`, { external_ids: ['100009'] })
    expect(connected.status).toBe(200)
    expect(connected.json.items).toHaveLength(1)
    expect(connected.json.items[0]).toMatchObject({ type: 'facebook', external_id: '100009', app_id: metaId })
    const again = await ask('POST', `/connect/${attempt}`, { external_ids: ['100009'] })
    expect(again.json.items[0].id).toBe(connected.json.items[0].id)
    expect((await ask('GET', `/connect/${attempt}`)).json.items).toContainEqual(
      expect.objectContaining({ external_id: '100009', channel_id: connected.json.items[0].id }),
    )
  })

  it('connects an account of X by PKCE', async () => {
    const url = await begin(xId, 'x')
    expect(new URL(url).searchParams.get('code_challenge_method')).toBe('S256')
    const attempt = (await comeBack(await allow(url))).get('attempt') ?? ''
    const { items } = (await ask('POST', `/connect/${attempt}`, { external_ids: ['200009'] })).json
    expect(items[0]).toMatchObject({ type: 'x', external_id: '200009', health: { state: 'connected' } })
    expect(items[0].health.token_expires_at).not.toBeNull()
  })

  it('is good once, for one person in one session, and tells of a refusal', async () => {
    const back = await allow(await begin(metaId, 'facebook'))
    const { accountId } = site.ana
    const carla = await site.storage.write(async (tx) => {
      const userId = await site.storage.users.create(tx, {
        ...{ accountId, email: 'carla@harbour.example', name: 'Carla', role: 'administrator', passwordHash: null },
      })
      return (await site.storage.tokens.create(tx, { accountId, userId, name: 'test' })).text
    })
    for (const token of [carla, site.zoe.token])
      expect((await comeBack(back, { authorization: `Bearer ${token}` })).get('problem')).toBe('expired')
    const attempt = (await comeBack(back)).get('attempt') ?? ''
    expect(attempt).not.toBe('')
    expect((await comeBack(back)).get('problem')).toBe('expired')
    for (const person of [site.zoe])
      expect((await ask('GET', `/connect/${attempt}`, undefined, person)).status).toBe(404)
    const denied = await allow(await begin(metaId, 'facebook'), 'deny')
    expect((await comeBack(denied)).get('problem')).toBe('denied')
    expect((await comeBack(`${node.url}/api/v1/connect/return?state=x&code=y`)).get('problem')).toBe('expired')
    expect((await comeBack(`${node.url}/api/v1/connect/return?state=x&state=z&code=%00`)).get('problem')).toBe(
      'expired',
    )
    // The words of the network are in no address that somebody else could make up.
    const url = new URL(await begin(metaId, 'facebook'))
    const wrong = new URL(await allow(url.href))
    wrong.searchParams.set('code', 'never given')
    const response = await fetch(wrong, {
      headers: { authorization: `Bearer ${site.ana.token}` },
      redirect: 'manual',
    })
    expect(response.headers.get('location')).toBe('/channels/connect?problem=refused')
    expect(response.headers.getSetCookie().join()).toMatch(/^parley_said=[^;]+; Max-Age=120; Path=\/channels;/)
    const stranger = await fetch(back, { redirect: 'manual' })
    expect(stranger.status).toBe(401)
  })

  it('is refused where it cannot be, and without the token of the session', async () => {
    expect((await ask('POST', '/connect', { app_id: newId(), type: 'facebook' })).status).toBe(404)
    expect((await ask('POST', '/connect', { app_id: metaId, type: 'facebook' }, site.zoe)).status).toBe(404)
    expect((await ask('POST', '/connect', { app_id: metaId, type: 'x' })).json.code).toBe('sign_in_not_possible')
    expect((await ask('POST', '/connect', { app_id: metaId, type: 'whatsapp' })).json.code).toBe('sign_in_not_possible')
    const bare = await ask('POST', '/apps', { network: 'x', name: 'bare', secrets: ['s'], consumer_key: 'k' })
    expect((await ask('POST', '/connect', { app_id: bare.json.id, type: 'x' })).json.code).toBe('no_client_id')
    const session = await node.ask(undefined, 'POST', '/session', { email: site.ana.email, password })
    const cookie = session.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const wish = { app_id: metaId, type: 'facebook' }
    expect((await node.ask(undefined, 'POST', '/connect', wish, { cookie })).json.code).toBe('csrf')
    const csrf = String(session.json.csrf_token)
    const url = (await node.ask(undefined, 'POST', '/connect', wish, { cookie, 'x-csrf-token': csrf })).json
    const back = await allow(url.authorize_url)
    // Begun in the browser: a token of the same person does not take it further.
    expect((await comeBack(back)).get('problem')).toBe('expired')
    expect((await comeBack(back, { cookie })).get('attempt')).not.toBeNull()
  })
})

describe('a channel', () => {
  const channelOf = async (externalId: string) => {
    const { items } = (await ask('GET', '/channels')).json
    return items.find((item: { external_id: string }) => item.external_id === externalId)
  }
  const isTold = async (externalId: string): Promise<boolean> => {
    const answer = await fetch(`${sandboxUrl}/control/subscriptions?channel=${externalId}`)
    return ((await answer.json()) as { is_on: boolean }).is_on
  }
  const secretsNowhere = (json: unknown): void => {
    expect(JSON.stringify(json)).not.toMatch(/page-token|x-token|EAA|-secret/)
  }

  it('is examined live, one line for each thing; what mends itself is mended', async () => {
    const { id } = await channelOf('100009')
    const answer = await ask('POST', `/channels/${String(id)}/examine`)
    expect(answer.status).toBe(200)
    const { checks, channel } = answer.json as {
      checks: { name: string; is_good: boolean; text: string; cure: string | null }[]
      channel: { health: { checked_at: string | null; subscription: unknown } }
    }
    expect(checks.map(({ name }) => name)).toEqual([
      'secrets', 'address', 'callback', 'token', 'permissions', 'subscription', 'expiry', 'last_event',
    ]) // prettier-ignore
    expect(checks.filter(({ is_good }) => !is_good).map(({ name }) => name)).toEqual(['last_event'])
    for (const { is_good, cure, text } of checks) {
      expect(cure === null).toBe(is_good)
      expect(text).not.toBe('')
    }
    expect(channel.health.checked_at).not.toBeNull()
    expect(channel.health.subscription).toEqual({ state: 'active', missing: [] })
    secretsNowhere(answer.json)
  })

  it('says what is wrong by code and cure when its token is refused, and is well with a new one', async () => {
    const { id } = await channelOf('100009')
    const path = `/channels/${String(id)}`
    const spoilt = await ask('PATCH', path, { credentials: { access_token: 'no such token' } })
    expect(spoilt.status).toBe(200)
    const bad = (await ask('POST', `${path}/examine`)).json
    expect(bad.checks.find(({ name }: { name: string }) => name === 'token')).toMatchObject({ is_good: false })
    expect(bad.channel.health).toMatchObject({ state: 'reconnect_needed' })
    expect(bad.channel.health.code).toEqual(expect.any(String))
    expect(bad.channel.health.cure).toEqual(expect.any(String))
    const mended = await ask('PATCH', path, { credentials: { access_token: 'page-token' } })
    expect(mended.json.health).toMatchObject({ state: 'connected', code: null, cure: null })
    expect((await ask('POST', `${path}/examine`)).json.channel.health.state).toBe('connected')
    const strange = await ask('PATCH', path, { credentials: { access_token: 'x', access_token_secret: 'y' } })
    expect(strange.json.faults[0].field).toBe('credentials.access_token_secret')
    secretsNowhere(mended.json)
  })

  it('shows a wrong secret of its app directly, by code; the right one, added as the newest, mends it', async () => {
    const lineOf = async (externalId: string, name: string): Promise<Record<string, unknown>> => {
      const { id } = await channelOf(externalId)
      const { checks } = (await ask('POST', `/channels/${String(id)}/examine`)).json
      return checks.find((check: { name: string }) => check.name === name)
    }
    for (const [appId, channel, secret, code] of [
      [metaId, '100009', 'meta-secret', '190'],
      [xId, '200009', 'x-secret', '99'],
    ] as const) {
      expect(await lineOf(channel, 'secrets')).toMatchObject({ is_good: true, code: 'app_known', cure_code: null })
      await ask('PATCH', `/apps/${appId}`, { secrets: ['mistyped'] })
      expect(await lineOf(channel, 'secrets')).toMatchObject({
        ...{ is_good: false, code: 'app_refused', parameters: { code }, cure_code: 'correct_app' },
      })
      const mended = await ask('PATCH', `/apps/${appId}`, { new_secret: secret })
      expect([mended.status, mended.json.secret_count]).toEqual([200, 2])
      expect(await lineOf(channel, 'secrets')).toMatchObject({ is_good: true, code: 'app_known' })
      expect((await ask('PATCH', `/apps/${appId}`, { keep_secrets: 1 })).json.secret_count).toBe(1)
      expect(await lineOf(channel, 'secrets')).toMatchObject({ is_good: true })
    }
    await ask('PATCH', `/apps/${metaId}`, { external_id: '1' })
    expect(await lineOf('100009', 'secrets')).toMatchObject({ code: 'app_refused', parameters: { code: '101' } })
    await ask('PATCH', `/apps/${metaId}`, { external_id: '770009' })
  })

  it('belongs to an app of which everything but its network can be changed', async () => {
    const made = await ask('POST', '/apps', { network: 'x', name: 'spare', secrets: ['one'], consumer_key: 'k' })
    const path = `/apps/${String(made.json.id)}`
    const change = { name: 'Spare', external_id: '42', consumer_key: 'key', client_id: 'client' }
    const { status, json } = await ask('PATCH', path, { ...change, client_secret: 'hush', new_secret: 'two' })
    expect(status).toBe(200)
    expect(json).toMatchObject({ ...change, has_client_secret: true, secret_count: 2 })
    expect(JSON.stringify(json)).not.toMatch(/"hush"|"two"/)
    expect((await ask('GET', path)).json).toEqual(json)
    const bare = { external_id: null, client_id: null, client_secret: null }
    expect((await ask('PATCH', path, bare)).json).toMatchObject({ external_id: null, has_client_secret: false })
    expect((await ask('PATCH', path, { new_secret: 'two' })).json.secret_count).toBe(2)
    const many = Array.from({ length: 10 }, (_, n) => `secret ${String(n)}`)
    await ask('PATCH', path, { secrets: many })
    expect((await ask('PATCH', path, { new_secret: 'one too many' })).json.faults[0].field).toBe('new_secret')
    expect((await ask('PATCH', path, { new_secret: 'newer', keep_secrets: 3 })).json.secret_count).toBe(3)
    for (const bad of [{ name: '' }, { keep_secrets: 0 }, { secrets: [] }, { network: 'meta' }])
      expect((await ask('PATCH', path, bad)).status).toBe(422)
    expect((await ask('PATCH', path, { name: 'mine' }, site.ben)).status).toBe(403)
    expect((await ask('PATCH', path, { name: 'mine' }, site.zoe)).status).toBe(404)
  })

  it('is renamed, and tells of it', async () => {
    const { id } = await channelOf('100009')
    expect((await ask('PATCH', `/channels/${String(id)}`, { name: ' Harbour ferries ' })).json.name).toBe(
      'Harbour ferries',
    )
    for (const name of ['', ' ', 'x'.repeat(201)])
      expect((await ask('PATCH', `/channels/${String(id)}`, { name })).status).toBe(422)
    const facts = await site.storage.primary.query<{ type: string }>(
      'select type from outbox where account_id = ? order by id desc limit 1',
      [site.ana.accountId],
    )
    expect(facts).toEqual([{ type: 'channel.changed' }])
  })

  it('is read back on request, and shows how far that is', async () => {
    const { id } = await channelOf('100009')
    const answer = await ask('POST', `/channels/${String(id)}/catch-up`)
    expect(answer.status).toBe(202)
    expect(answer.json.health.catching_up).toMatchObject({ found: 0, fresh: 0, last_error: null })
    expect((await channelOf('100009')).health.catching_up).not.toBeNull()
  })

  it('is disconnected, keeps its place, and comes back with new access', async () => {
    const { id } = await channelOf('100009')
    const path = `/channels/${String(id)}`
    for (const method of ['DELETE', 'PATCH'])
      expect((await ask(method, path, method === 'PATCH' ? {} : undefined, site.ben)).status).toBe(403)
    expect((await ask('DELETE', path, undefined, site.zoe)).status).toBe(404)
    const left = await ask('DELETE', path)
    expect([left.status, left.json]).toEqual([200, { subscription: 'ended', reason: null }])
    expect(await isTold('100009')).toBe(false)
    const gone = (await ask('GET', path)).json
    expect(gone.disconnected_at).not.toBeNull()
    expect(gone.health).toMatchObject({ state: 'reconnect_needed', code: 'disconnected' })
    expect((await ask('DELETE', path)).json.code).toBe('disconnected')
    expect((await ask('POST', `${path}/catch-up`)).json.code).toBe('disconnected')
    const checks = (await ask('POST', `${path}/examine`)).json.checks
    expect(checks.some(({ is_good }: { is_good: boolean }) => !is_good)).toBe(true)
    const back = (await ask('PATCH', path, { credentials: { access_token: 'page-token' } })).json
    expect([back.id, back.disconnected_at, back.health.state]).toEqual([id, null, 'connected'])
  })

  it('leaves what another channel of ours shares with it, and is disconnected though the network refuses', async () => {
    await control('channels', {
      ...{ type: 'instagram', external_id: '300009', name: 'Harbour', handle: 'harbour', app_id: '770009' },
      ...{ access_token: 'page-token', page_id: '100009' },
    })
    const wish = { app_id: metaId, type: 'instagram', name: 'Harbour', external_id: '300009' }
    const linked = await ask('POST', '/channels', { ...wish, credentials: { access_token: 'page-token' } })
    expect(linked.status).toBe(201)
    const page = await channelOf('100009')
    await ask('POST', `/channels/${String(page.id)}/examine`)
    expect(await isTold('100009')).toBe(true)
    expect((await ask('DELETE', `/channels/${String(linked.json.id)}`)).json.subscription).toBe('shared')
    expect(await isTold('100009')).toBe(true)
    await ask('PATCH', `/channels/${String(page.id)}`, { credentials: { access_token: 'dead-token' } })
    const left = await ask('DELETE', `/channels/${String(page.id)}`)
    expect([left.status, left.json.subscription]).toEqual([200, 'failed'])
    expect(left.json.reason).toEqual(expect.any(String))
    expect((await ask('GET', `/channels/${String(page.id)}`)).json.disconnected_at).not.toBeNull()
    await ask('PATCH', `/channels/${String(page.id)}`, { credentials: { access_token: 'page-token' } })
  })

  it('of X ends its subscriptions of either kind, and no other', async () => {
    const { id } = await channelOf('200009')
    await ask('POST', `/channels/${String(id)}/examine`)
    expect(await isTold('200009')).toBe(true)
    expect((await ask('DELETE', `/channels/${String(id)}`)).json).toEqual({ subscription: 'ended', reason: null })
    expect(await isTold('200009')).toBe(false)
    const older = { access_token: 'x-token', access_token_secret: 'x-token-secret' }
    expect((await ask('PATCH', `/channels/${String(id)}`, { credentials: older })).status).toBe(200)
    await ask('POST', `/channels/${String(id)}/examine`)
    expect(await isTold('200009')).toBe(true)
    expect((await ask('DELETE', `/channels/${String(id)}`)).json.subscription).toBe('ended')
    expect(await isTold('200009')).toBe(false)
  })
})
