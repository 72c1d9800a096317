/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument -- answers are looked into at will */
/** Signing in with a second factor, links to join, sessions and tokens of one's own, and what is asked again. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newTotpSecret, stepAt, stepOf, totpCode } from '../backend/totp.ts'
import { hashSessionId } from '../storage/index.ts'
import { openSite, password } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let site: Site
let node: Node
let carla: Person

beforeAll(async () => {
  site = await openSite()
})
afterAll(() => site.close())
/** A node of its own for each test, as limits are kept by node. */
beforeEach(async () => {
  node = await site.addNode()
})

interface Browser {
  readonly cookie: string
  ask(method: string, path: string, body?: unknown): ReturnType<Node['ask']>
}

async function signIn(email: string, more: Readonly<Record<string, string>> = {}, secret = password): Promise<Browser> {
  const answer = await node.ask(undefined, 'POST', '/session', { email, password: secret, ...more })
  expect([answer.status, answer.json.code]).toEqual([200, undefined])
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const csrf = String(answer.json.csrf_token)
  return {
    cookie,
    ask: (method, path, body) => node.ask(undefined, method, path, body, { cookie, 'x-csrf-token': csrf }),
  }
}

const tokenOf = (url: string) => new URL(url).hash.slice(1)
let names = 0
async function joinAs(role: string): Promise<{ email: string }> {
  const email = `joined-${String(names++)}@harbour.example`
  const link = await node.ask(site.ana, 'POST', '/invitations', { email, role })
  expect(link.status).toBe(201)
  const token = tokenOf(link.json.url)
  expect((await node.ask(undefined, 'POST', '/join', { token, name: 'Joined', password })).status).toBe(204)
  return { email }
}

describe('codes', () => {
  it('are those of RFC 6238, appendix B', () => {
    const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
    for (const [at, code] of [
      [59, '287082'],
      [1_111_111_109, '081804'],
      [1_234_567_890, '005924'],
      [20_000_000_000, '353130'],
    ] as const)
      // prettier-ignore
      expect(totpCode(secret, stepAt(at * 1000))).toBe(code)
  })

  it('are good one step before and after, no further', () => {
    const secret = newTotpSecret()
    const now = Date.now()
    const step = stepAt(now)
    expect([-2, -1, 0, 1, 2].map((by) => stepOf(secret, totpCode(secret, step + by), now))).toEqual([
      ...[undefined, step - 1, step, step + 1, undefined],
    ])
    expect(stepOf(secret, '', now)).toBeUndefined()
  })
})

describe('a link to join', () => {
  it('is good once, and only with a password worth the name', async () => {
    const email = 'new@harbour.example'
    const link = await node.ask(site.ana, 'POST', '/invitations', { email, role: 'agent' })
    const token = tokenOf(link.json.url)
    const look = await node.ask(undefined, 'POST', '/join/look', { token })
    expect(look.json).toEqual({ kind: 'invitation', email, account: 'Harbour Lights' })
    const join = (secret: string) => node.ask(undefined, 'POST', '/join', { token, name: 'Noa Lind', password: secret })
    for (const weak of [
      'short',
      'aaaaaaaaaaaaaaaa',
      'password1234',
      'Administrator!',
      '123456789012',
      'noalind-harbour',
      'qwerty123456',
      'x'.repeat(500),
    ])
      expect([weak.slice(0, 20), (await join(weak)).status]).toEqual([weak.slice(0, 20), 422])
    expect((await join('correct horse battery')).status).toBe(204)
    const again = await join('correct horse battery')
    expect([again.status, again.json.code]).toEqual([404, 'unknown_link'])
    const browser = await signIn(email, {}, 'correct horse battery')
    expect((await browser.ask('GET', '/session')).json.user).toMatchObject({ name: 'Noa Lind', role: 'agent' })
  })

  it('is worth nothing once it is withdrawn, replaced or too old', async () => {
    const wish = { email: 'late@harbour.example', role: 'agent' }
    const first = (await node.ask(site.ana, 'POST', '/invitations', wish)).json
    const second = (await node.ask(site.ana, 'POST', '/invitations', wish)).json
    const look = (url: string) => node.ask(undefined, 'POST', '/join/look', { token: tokenOf(url) })
    expect([(await look(first.url)).status, (await look(second.url)).status]).toEqual([404, 200])
    await site.storage.write((tx) =>
      tx.run('update invitations set expires_at = utc_timestamp(3) where id = ?', [second.id]),
    )
    expect((await look(second.url)).status).toBe(404)
    const third = (await node.ask(site.ana, 'POST', '/invitations', wish)).json
    expect((await node.ask(site.ana, 'DELETE', `/invitations/${String(third.id)}`)).status).toBe(204)
    expect((await look(third.url)).status).toBe(404)
  })

  it('sets a forgotten password, and ends what was open', async () => {
    const { email } = await joinAs('agent')
    const browser = await signIn(email)
    const me = (await browser.ask('GET', '/session')).json.user.id
    const link = await node.ask(site.ana, 'POST', `/users/${String(me)}/password-link`, {})
    const token = tokenOf(link.json.url)
    expect((await node.ask(undefined, 'POST', '/join', { token, password: 'a wholly new phrase' })).status).toBe(204)
    expect((await browser.ask('GET', '/session')).status).toBe(401)
    await signIn(email, {}, 'a wholly new phrase')
  })
})

describe('a second factor', () => {
  it('is set up, asked for, and each code taken once', async () => {
    const { email } = await joinAs('agent')
    const browser = await signIn(email)
    const { secret, url } = (await browser.ask('POST', '/profile/totp', {})).json
    expect(url).toContain(`secret=${String(secret)}`)
    const step = stepAt(Date.now())
    expect((await browser.ask('POST', '/profile/totp/confirm', { code: '000000' })).status).toBe(422)
    const confirmed = await browser.ask('POST', '/profile/totp/confirm', { code: totpCode(secret, step) })
    expect(confirmed.json.recovery_codes).toHaveLength(10)

    const attempt = (code?: string) =>
      node.ask(undefined, 'POST', '/session', { email, password, ...(code !== undefined && { code }) })
    expect([(await attempt()).status, (await attempt()).json.code]).toEqual([401, 'totp_required'])
    expect((await node.ask(undefined, 'POST', '/session', { email, password: 'wrong' })).json.code).toBe(
      'wrong_credentials',
    )
    expect((await attempt(totpCode(secret, step))).json.code).toBe('wrong_code')
    const code = totpCode(secret, step + 1)
    const both = await Promise.all([attempt(code), attempt(code)])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401])
    expect((await attempt(code)).json.code).toBe('wrong_code')

    const spare = String(confirmed.json.recovery_codes[0])
    expect((await attempt(spare.toLowerCase().replaceAll('-', ' '))).status).toBe(200)
    expect((await attempt(spare)).status).toBe(401)
    const row = await site.storage.primary.first<{ sealed_totp: Buffer }>(
      'select sealed_totp from users where email = ?',
      [email],
    )
    expect(row?.sealed_totp.includes(Buffer.from(String(secret)))).toBe(false)
  })

  it('is no way to guess: wrong codes are counted', async () => {
    const { email } = await joinAs('agent')
    const browser = await signIn(email)
    const { secret } = (await browser.ask('POST', '/profile/totp', {})).json
    await browser.ask('POST', '/profile/totp/confirm', { code: totpCode(secret, stepAt(Date.now())) })
    const tries = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        node.ask(undefined, 'POST', '/session', { email, password, code: String(index).padStart(6, '1') }),
      ),
    )
    expect(tries.filter(({ status }) => status === 401).length).toBeLessThan(11)
    expect(tries.filter(({ status }) => status === 429).length).toBeGreaterThan(18)
  })

  it('must be set up first where the role needs it', async () => {
    const role = await node.ask(site.ana, 'POST', '/roles', {
      name: 'Careful',
      permissions: ['users.read'],
      requires_totp: true,
    })
    const { email } = await joinAs(String(role.json.id))
    const browser = await signIn(email)
    expect((await browser.ask('GET', '/session')).json.totp).toEqual({ is_set_up: false, is_needed: true })
    for (const [method, path] of [
      ['GET', '/users'],
      ['GET', '/tokens'],
      ['PATCH', '/profile'],
    ] as const) {
      const answer = await browser.ask(method, path, method === 'GET' ? undefined : {})
      expect([answer.status, answer.json.code]).toEqual([403, 'totp_needed'])
    }
    const { secret } = (await browser.ask('POST', '/profile/totp', {})).json
    expect(
      (await browser.ask('POST', '/profile/totp/confirm', { code: totpCode(secret, stepAt(Date.now())) })).status,
    ).toBe(200)
    expect((await browser.ask('GET', '/users')).status).toBe(200)
  })
})

describe('sessions', () => {
  it('are listed, and ended one by one or all but this one', async () => {
    const { email } = await joinAs('agent')
    const [here, there, third] = [await signIn(email), await signIn(email), await signIn(email)]
    const list = (await here.ask('GET', '/sessions')).json.items as { id: string; is_current: boolean; agent: string }[]
    expect(list).toHaveLength(3)
    expect(list.filter((session) => session.is_current)).toHaveLength(1)
    const idOf = (browser: Browser) =>
      hashSessionId(decodeURIComponent(browser.cookie).slice('parley=s:'.length).split('.')[0] ?? '').toString('hex')
    expect((await here.ask('DELETE', `/sessions/${idOf(there)}`)).status).toBe(204)
    expect((await there.ask('GET', '/session')).status).toBe(401)
    expect((await here.ask('DELETE', '/sessions')).status).toBe(204)
    expect([(await third.ask('GET', '/session')).status, (await here.ask('GET', '/session')).status]).toEqual([
      401, 200,
    ])
  })

  it('end when they are too old, however much they are used', async () => {
    const { email } = await joinAs('agent')
    const browser = await signIn(email)
    const life = await site.storage.primary.first<{ days: number }>(
      'select timestampdiff(hour, utc_timestamp(), max(expires_at)) / 24 days from sessions',
    )
    expect(Number(life?.days)).toBeLessThanOrEqual(3)
    expect((await browser.ask('GET', '/session')).status).toBe(200)
  })

  it('must give the password again for sensitive acts, after a while', async () => {
    const { email } = await joinAs('agent')
    const browser = await signIn(email)
    await site.storage.write((tx) =>
      tx.run("update sessions set data = json_set(data, '$.confirmedAt', ?) where id_hash = ?", [
        Date.now() - 700_000,
        hashSessionId(decodeURIComponent(browser.cookie).slice('parley=s:'.length).split('.')[0] ?? ''),
      ]),
    )
    await site.storage.cache.invalidate([
      `session.1:${hashSessionId(decodeURIComponent(browser.cookie).slice('parley=s:'.length).split('.')[0] ?? '').toString('base64url')}`,
    ])
    const set = () => browser.ask('PATCH', '/profile/password', { password: 'another good phrase' })
    expect((await set()).json.code).toBe('confirm_password')
    expect((await browser.ask('PATCH', '/session', { password: 'wrong' })).status).toBe(401)
    expect((await set()).json.code).toBe('confirm_password')
    expect((await browser.ask('PATCH', '/session', { password })).status).toBe(204)
    expect((await set()).status).toBe(204)
    await signIn(email, {}, 'another good phrase')
  })

  it('are not fooled by forged addresses: only a trusted proxy may tell one', async () => {
    const { email } = await joinAs('agent')
    const forged = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', forwarded: 'for=203.0.113.9' }
    for (const [trustedProxies, address] of [
      [[], '127.0.0.1'],
      [['127.0.0.1'], '203.0.113.9'],
    ] as const) {
      const next = await site.addNode({ trustedProxies: [...trustedProxies] })
      const answer = await next.ask(undefined, 'POST', '/session', { email, password }, forged)
      expect(answer.status).toBe(200)
      const [newest] = await site.storage.sessions.list(site.ana.accountId, String(answer.json.user.id))
      expect(newest?.address?.replace('::ffff:', '')).toBe(address)
    }
  })
})

describe('tokens', () => {
  it('are shown once, may do what they name, and end', async () => {
    carla = site.ana
    const made = await node.ask(
      carla,
      'POST',
      '/tokens',
      { name: 'Reports', scopes: ['users.read'] },
      { 'idempotency-key': 'token-1' },
    )
    expect(made.status).toBe(201)
    const again = await node.ask(
      carla,
      'POST',
      '/tokens',
      { name: 'Reports', scopes: ['users.read'] },
      { 'idempotency-key': 'token-1' },
    )
    expect(again.json).toEqual(made.json)
    const [kept] = await site.storage.primary.query<{ response: string }>(
      'select response from idempotency_keys where status = 201',
    )
    expect(kept?.response).not.toContain(String(made.json.token))
    const script = { ...carla, token: String(made.json.token) }
    expect((await node.ask(script, 'GET', '/users')).status).toBe(200)
    expect((await node.ask(script, 'GET', '/conversations')).json.detail).toBe(
      'This needs the permission conversations.read.',
    )
    expect(JSON.stringify((await node.ask(carla, 'GET', '/tokens')).json)).not.toContain(String(made.json.token))
    expect((await node.ask(carla, 'DELETE', `/tokens/${String(made.json.id)}`)).status).toBe(204)
    const next = await site.addNode()
    expect((await next.ask(script, 'GET', '/users')).status).toBe(401)
  })
})
