/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument -- answers are looked into at will */
/** The API over HTTP: who may ask what, in which shape, and how refusals look. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { newId } from '../infra/ids.ts'
import { hashPassword, isPassword } from '../web/passwords.ts'
import type { Route } from '../web/route.ts'
import { routes } from '../web/routes.ts'
import { ownThing } from './own-things.ts'
import { until } from './platform.ts'
import { beginConversation, connectChannels, openSite, password } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let site: Site
let node: Node
let other: Node
let keys: Awaited<ReturnType<typeof connectChannels>>
let conversation: Awaited<ReturnType<typeof beginConversation>>

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  other = await site.addNode()
  keys = await connectChannels(site, site.ana.accountId)
  conversation = await beginConversation(site, site.ana.accountId, keys.pageId)
})
afterAll(() => site.close())

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are looked into at will
const jsonOf = async (response: Response): Promise<any> => response.json()

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.string(),
  request_id: z.string().min(8),
  faults: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
})
const nameOf = (route: Route) => `${route.method.toUpperCase()} ${route.path}`
const pathOf = (route: Route, ids: Readonly<Record<string, string>> = {}) =>
  route.path.replace(/:(\w+)/g, (_, name: string) => ids[name] ?? newId())
const bodyOf = (route: Route) => (route.method === 'get' || route.method === 'delete' ? undefined : {})

/** Cookies of a signed-in browser, and its CSRF token. */
async function signIn(person: Person, at: Node = node) {
  const answer = await at.ask(undefined, 'POST', '/session', { email: person.email, password })
  expect(answer.status).toBe(200)
  const cookie = answer.headers.getSetCookie()[0] ?? ''
  return { cookie: cookie.split(';')[0] ?? '', header: cookie, csrf: String(answer.json.csrf_token), json: answer.json }
}

describe('passwords', () => {
  it('are argon2id, salted, and compared whole', async () => {
    const [one, two] = await Promise.all([hashPassword('Ærøskøbing'), hashPassword('Ærøskøbing')])
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(one).not.toBe(two)
    expect(await isPassword('Ærøskøbing', one)).toBe(true)
    expect(await isPassword('Ærøskøbin', one)).toBe(false)
    expect(await isPassword('', null)).toBe(false)
    expect(await isPassword('x', 'not a hash')).toBe(false)
  })
})

describe('signing in', () => {
  it('gives a cookie that scripts cannot read, and says who one is', async () => {
    const { header, json } = await signIn(site.ana)
    expect(header).toMatch(/^parley=/)
    expect(header).toMatch(/HttpOnly/i)
    expect(header).toMatch(/SameSite=Lax/i)
    expect(json).toMatchObject({
      user: { id: site.ana.userId, email: site.ana.email, role: 'administrator' },
      account: { name: 'Harbour Lights' },
    })
  })

  it('holds on every node, and ends on every node', async () => {
    const { cookie, csrf } = await signIn(site.ben)
    for (const at of [node, other])
      expect((await at.ask(undefined, 'GET', '/session', undefined, { cookie })).json.user.id).toBe(site.ben.userId)
    expect((await other.ask(undefined, 'DELETE', '/session', undefined, { cookie, 'x-csrf-token': csrf })).status).toBe(
      204,
    )
    for (const at of [node, other])
      expect((await at.ask(undefined, 'GET', '/session', undefined, { cookie })).status).toBe(401)
  })

  it('never keeps the id that a browser came with', async () => {
    const first = await signIn(site.ana)
    const again = await node.ask(
      undefined,
      'POST',
      '/session',
      { email: site.ana.email, password },
      { cookie: first.cookie },
    )
    expect(again.status).toBe(200)
    expect(again.headers.getSetCookie()[0]?.split(';')[0]).not.toBe(first.cookie)
    expect((await node.ask(undefined, 'GET', '/session', undefined, { cookie: first.cookie })).status).toBe(401)
    expect(
      (await node.ask(undefined, 'GET', '/session', undefined, { cookie: 'parley=s%3Aplanted.signature' })).status,
    ).toBe(401)
  })

  it('refuses wrong passwords and unknown people alike, and after some tries for a while', async () => {
    const wrong = await node.ask(undefined, 'POST', '/session', { email: site.ana.email, password: 'no' })
    const unknown = await node.ask(undefined, 'POST', '/session', { email: 'nobody@nowhere.example', password: 'no' })
    expect([wrong.status, wrong.json.code, wrong.json.detail]).toEqual([
      unknown.status,
      unknown.json.code,
      unknown.json.detail,
    ])
    expect(wrong.status).toBe(401)
    const tries = await Promise.all(
      Array.from({ length: 14 }, () =>
        other.ask(undefined, 'POST', '/session', { email: 'victim@nowhere.example', password: 'no' }),
      ),
    )
    const last = await other.ask(undefined, 'POST', '/session', { email: 'victim@nowhere.example', password: 'no' })
    expect(tries.filter(({ status }) => status === 401).length).toBeGreaterThan(0)
    expect([last.status, last.json.code]).toEqual([429, 'too_many_requests'])
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await other.ask(undefined, 'POST', '/session', { email: site.ben.email, password })).status).toBe(200)
  })
})

describe('changes by cookie', () => {
  const change = { status: 'pending' }
  it('need the token of the very session', async () => {
    const mine = await signIn(site.ana)
    const theirs = await signIn(site.ben)
    const path = `/conversations/${conversation.id}`
    const ask = (headers: Record<string, string>) =>
      node.ask(undefined, 'PATCH', path, change, { cookie: mine.cookie, ...headers })
    for (const headers of [
      {},
      { 'x-csrf-token': '' },
      { 'x-csrf-token': theirs.csrf },
      { 'x-csrf-token': `${mine.csrf}x` },
    ]) {
      const answer = await ask(headers)
      expect([answer.status, answer.json.code]).toEqual([403, 'csrf'])
    }
    expect((await ask({ 'x-csrf-token': mine.csrf })).status).toBe(200)
  })

  it('need to come from our own pages', async () => {
    const { cookie, csrf } = await signIn(site.ana)
    const ask = (headers: Record<string, string>) =>
      node.ask(undefined, 'PATCH', `/conversations/${conversation.id}`, change, {
        cookie,
        'x-csrf-token': csrf,
        ...headers,
      })
    expect((await ask({ origin: 'https://evil.example' })).status).toBe(403)
    expect((await ask({ origin: 'null' })).status).toBe(403)
    expect((await ask({ origin: node.url })).status).toBe(200)
    expect((await ask({ origin: site.config.publicUrl })).status).toBe(200)
    const login = await node.ask(
      undefined,
      'POST',
      '/session',
      { email: site.ana.email, password },
      { origin: 'https://evil.example' },
    )
    expect([login.status, login.json.code]).toEqual([403, 'csrf'])
  })

  it('are taken as application/json only', async () => {
    const { cookie, csrf } = await signIn(site.ana)
    const answer = await node.ask(undefined, 'PATCH', `/conversations/${conversation.id}`, JSON.stringify(change), {
      cookie,
      'x-csrf-token': csrf,
      'content-type': 'text/plain',
    })
    expect([answer.status, answer.json.code]).toEqual([415, 'not_json'])
  })
})

let foreignTries = 0

describe('who may ask', () => {
  afterAll(() => {
    process.stdout.write(
      `foreign and malformed ids: ${String(foreignTries)} requests, each answered as if there were nothing\n`,
    )
  })

  it('has seen the routes', () => {
    expect(routes.length).toBeGreaterThan(25)
  })

  it.each(routes.filter(({ permission }) => permission !== 'public').map((route) => [nameOf(route), route] as const))(
    '%s refuses strangers',
    async (_name, route) => {
      const answer = await node.ask(undefined, route.method.toUpperCase(), pathOf(route), bodyOf(route))
      expect([answer.status, problem.parse(answer.json).code]).toEqual([401, 'not_signed_in'])
      const stale = await node.ask(
        { ...site.ana, token: 'prl_unknown' },
        route.method.toUpperCase(),
        pathOf(route),
        bodyOf(route),
      )
      expect([stale.status, stale.json.code]).toEqual([401, 'bad_token'])
    },
  )

  /** A body that would be good for a thing of one's own. */
  const goodBodies: Readonly<Record<string, unknown>> = {
    'PATCH /apps/:id': { secrets: ['stolen'] },
    'PATCH /channels/:id': { name: 'Stolen' },
    'POST /posts/:id/reject': { reason: 'Stolen' },
    'POST /publications/:id/settle': { arrived: true },
    'PATCH /users/:id': { name: 'Stolen' },
    'PATCH /roles/:id': { name: 'Stolen' },
    'PATCH /teams/:id': { name: 'Stolen' },
    'POST /connect/:id': { external_ids: ['100001'] },
    'PATCH /conversations/:id': { status: 'resolved' },
    'PATCH /labels/:id': { name: 'Stolen' },
    'PATCH /views/:id': { name: 'Stolen' },
    'POST /conversations/:id/messages': { kind: 'note', text: 'I was here' },
    'POST /messages/:id/settle': { arrived: true },
    'PUT /conversations/:id/draft': { kind: 'reply', text: 'I was here' },
    'PATCH /rules/:id': { name: 'Stolen' },
    'PATCH /canned-replies/:id': { name: 'Stolen' },
    'PATCH /macros/:id': { name: 'Stolen' },
    'PATCH /segments/:id': { name: 'Stolen' },
    'PATCH /contacts/:id': { name: 'Stolen' },
    'POST /contacts/:id/notes': { text: 'I was here' },
    'PATCH /contacts/:id/notes/:note_id': { text: 'I was here' },
    'POST /contacts/:id/merge': { other_id: newId() },
    'POST /messages/:id/acts': { what: 'react', emoji: '🎉' },
  }
  const goodQueries: Readonly<Record<string, string>> = { 'GET /macros/:id/preview': `?conversation_id=${newId()}` }
  it.each(routes.filter(({ path }) => path.includes(':id')).map((route) => [nameOf(route), route] as const))(
    "%s shows nothing of another account's, nor of malformed ids",
    async (name, route) => {
      const own = await ownThing(route.path.split('/')[1] ?? '', { site, node, keys, conversation })
      expect(own, `an existing thing for ${name}`).toBeDefined()
      for (const id of [
        own ?? '',
        newId(),
        'x',
        '%00',
        "'%20or%201=1",
        'a'.repeat(300),
        '__proto__',
        '00000000-0000-0000-0000-000000000000',
      ]) {
        const answer = await node.ask(
          site.zoe,
          route.method.toUpperCase(),
          `${pathOf(route, { id })}${goodQueries[name] ?? ''}`,
          bodyOf(route) && (goodBodies[name] ?? {}),
        )
        expect([id, answer.status, problem.parse(answer.json).code]).toEqual([id, 404, 'not_found'])
        foreignTries += 1
      }
    },
  )
})

describe('what is sent', () => {
  /** Every field of every body and query, with values that are not of its type. */
  const wrong: readonly unknown[] = [{ $ne: null }, ['a'], [[]], { toString: 'x' }, 12, true, null]
  const cases = routes.flatMap((route) =>
    route.body instanceof z.ZodObject
      ? Object.entries(route.body.shape).map(
          ([field, schema]) => [`${nameOf(route)} ${field}`, route, field, schema as z.ZodType] as const,
        )
      : [],
  )
  it('has seen the fields', () => {
    expect(cases.length).toBeGreaterThan(20)
  })

  it.each(cases)('%s refuses values of another type and names the field', async (_name, route, field, schema) => {
    const person = site.ana
    for (const value of wrong) {
      if (schema.safeParse(value).success) continue
      const answer = await node.ask(person, route.method.toUpperCase(), pathOf(route, { id: conversation.id }), {
        [field]: value,
      })
      expect([value, answer.status]).toEqual([value, 422])
      const { faults, code } = problem.parse(answer.json)
      expect(code).toBe('invalid')
      expect(
        faults?.some((fault) => fault.field.split('.')[0] === field),
        JSON.stringify(faults),
      ).toBe(true)
    }
  })

  const queries = routes.flatMap((route) =>
    route.query instanceof z.ZodObject
      ? Object.keys(route.query.shape).map((field) => [`${nameOf(route)} ${field}`, route, field] as const)
      : [],
  )
  it.each(queries)('%s refuses a query value that came twice', async (_name, route, field) => {
    if (route.reads === 'stream') return
    const answer = await node.ask(
      site.ana,
      route.method.toUpperCase(),
      `${pathOf(route, { id: conversation.id })}?${field}=1&${field}=2`,
    )
    expect(answer.status).toBe(422)
    expect(problem.parse(answer.json).faults?.map((fault) => fault.field)).toContain(field)
  })

  it.each(
    routes
      .filter(({ body, query }) => body !== undefined || query instanceof z.ZodObject)
      .map((route) => [nameOf(route), route] as const),
  )('%s refuses fields that do not exist', async (_name, route) => {
    const person = site.ana
    if (route.reads === 'json' && route.body !== undefined) {
      const answer = await node.ask(person, route.method.toUpperCase(), pathOf(route, { id: conversation.id }), {
        no_such_field: 1,
      })
      expect(answer.status).toBe(422)
      expect(answer.json.faults.map((fault: { field: string }) => fault.field)).toContain('no_such_field')
    }
    const answer = await node.ask(
      person,
      route.method.toUpperCase(),
      `${pathOf(route, { id: conversation.id })}?no_such_query=1`,
      bodyOf(route),
    )
    expect(answer.status === 422 || route.permission === 'public').toBe(true)
  })

  it('must be JSON, of at most 1 MB', async () => {
    const bad = await node.ask(site.ana, 'POST', '/apps', '{"network":')
    expect([bad.status, bad.json.code]).toEqual([400, 'bad_json'])
    const large = await node.ask(site.ana, 'POST', '/apps', JSON.stringify({ name: 'x'.repeat(1_100_000) }))
    expect([large.status, large.json.code]).toEqual([413, 'too_large'])
    for (const value of ['"text"', '[]', '12', 'null'])
      expect((await node.ask(site.ana, 'POST', '/apps', value)).status).toBe(422)
  })

  it('names all faults at once', async () => {
    const answer = await node.ask(site.ana, 'POST', '/apps', { network: 'myspace', name: '', secrets: [], extra: 1 })
    expect(answer.json.faults.map((fault: { field: string }) => fault.field).sort()).toEqual([
      'extra',
      'name',
      'network',
      'secrets',
    ])
  })
})

describe('answers', () => {
  it('carry the request id of the proxy, or their own', async () => {
    expect(
      (await node.ask(site.ana, 'GET', '/users', undefined, { 'x-request-id': 'from-the-proxy-1' })).headers.get(
        'x-request-id',
      ),
    ).toBe('from-the-proxy-1')
    const made = await node.ask(undefined, 'GET', '/nothing', undefined, { 'x-request-id': '<script>' })
    expect(made.status).toBe(404)
    expect(made.headers.get('content-type')).toContain('application/problem+json')
    expect(problem.parse(made.json).request_id).toBe(made.headers.get('x-request-id'))
    expect(made.headers.get('x-request-id')).not.toContain('<')
  })

  it('forbid scripts of others, and sniffing', async () => {
    const { headers } = await fetch(`${node.url}/health/live`)
    expect(headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-powered-by')).toBeNull()
  })

  it('show health and figures', async () => {
    expect(await (await fetch(`${node.url}/health/live`)).json()).toEqual({ status: 'live' })
    expect(await (await fetch(`${node.url}/health/ready`)).json()).toEqual({ status: 'ready' })
    expect(await (await fetch(`${node.url}/metrics`)).text()).toMatch(
      /parley_http_request_seconds_count\{[^}]*route="\/users"/,
    )
  })
})

describe('apps and channels', () => {
  it('are registered, listed, and never show their secrets', async () => {
    const app = await node.ask(site.ana, 'POST', '/apps', {
      network: 'x',
      name: 'Second',
      secrets: ['s3cret-newest', 's3cret-older'],
      consumer_key: 'ck',
      client_secret: 's3cret-client',
    })
    expect(app.status).toBe(201)
    expect(app.json.webhook_url).toMatch(new RegExp(`^${site.config.publicUrl}/webhooks/[A-Za-z0-9_-]{32}$`))
    const channel = await node.ask(site.ana, 'POST', '/channels', {
      app_id: app.json.id,
      type: 'x',
      name: '@harbour',
      external_id: '200001',
      credentials: { access_token: 's3cret-token', access_token_secret: 's3cret-too' },
    })
    expect(channel.status).toBe(201)
    expect(channel.json.health).toMatchObject({
      state: 'connected',
      reason: null,
      last_event_at: null,
      token_expires_at: null,
    })
    for (const path of ['/apps', `/apps/${String(app.json.id)}`, '/channels', `/channels/${String(channel.json.id)}`]) {
      const answer = await other.ask(site.ana, 'GET', path)
      expect(answer.status).toBe(200)
      expect(JSON.stringify(answer.json)).not.toContain('s3cret')
    }
    expect((await other.ask(site.ana, 'PATCH', `/apps/${String(app.json.id)}`, { secrets: ['s3cret-3'] })).status).toBe(
      200,
    )
    const again = await node.ask(site.ana, 'POST', '/channels', {
      app_id: app.json.id,
      type: 'x',
      name: '@harbour',
      external_id: '200001',
      credentials: { access_token: 'x' },
    })
    expect([again.status, again.json.code]).toEqual([409, 'channel_exists'])
  })

  it.each([
    ['http://169.254.169.254/latest', false],
    ['https://evil.example', false],
    ['https://graph.facebook.com.evil.example', false],
    ['https://graph.facebook.com:8443', false],
    ['http://graph.facebook.com', false],
    ['https://user@graph.facebook.com', false],
    ['file:///etc/passwd', false],
    ['not a url', false],
    ['http://127.0.0.1:22', false],
    ['https://graph.facebook.com', true],
    ['http://127.0.0.1:9', true],
  ])('an api_base_url of %s is allowed: %s', async (url, isAllowed) => {
    const answer = await node.ask(site.ana, 'POST', '/apps', {
      network: 'meta',
      name: 'Based',
      secrets: ['s'],
      api_base_url: url,
    })
    expect(answer.status).toBe(isAllowed ? 201 : 422)
    if (!isAllowed) expect(answer.json.faults[0].field).toBe('api_base_url')
  })

  it("need an app of the same account and network, and the type's own credentials", async () => {
    const wish = {
      app_id: keys.metaId,
      type: 'facebook',
      name: 'P',
      external_id: '555',
      credentials: { access_token: 't' },
    }
    expect((await node.ask(site.zoe, 'POST', '/channels', wish)).json.faults[0].field).toBe('app_id')
    expect((await node.ask(site.ana, 'POST', '/channels', { ...wish, type: 'x' })).json.faults[0].field).toBe('type')
    expect(
      (
        await node.ask(site.ana, 'POST', '/channels', {
          ...wish,
          credentials: { access_token: 't', access_token_secret: 'u' },
        })
      ).json.faults[0].field,
    ).toBe('credentials.access_token_secret')
  })
})

describe('conversations', () => {
  it('are listed by keyset without loss or repetition while new ones come', async () => {
    const made = new Set<string>()
    for (let index = 0; index < 7; index++)
      made.add((await beginConversation(site, site.ana.accountId, keys.pageId, `Person ${String(index)}`)).id)
    const seen: string[] = []
    let cursor = ''
    do {
      const answer = await node.ask(site.ana, 'GET', `/conversations?limit=3${cursor}`)
      seen.push(...answer.json.items.map((item: { id: string }) => item.id))
      cursor = answer.json.next_cursor === null ? '' : `&cursor=${String(answer.json.next_cursor)}`
      await beginConversation(site, site.ana.accountId, keys.pageId, 'Late')
    } while (cursor !== '')
    expect(new Set(seen).size).toBe(seen.length)
    for (const id of made) expect(seen).toContain(id)
    expect((await node.ask(site.ana, 'GET', '/conversations?cursor=nonsense')).json.faults[0].field).toBe('cursor')
  })

  it('are found by name, status and assignee, and changed', async () => {
    const one = await beginConversation(site, site.ana.accountId, keys.pageId, 'Zacharias Quill')
    const found = await node.ask(site.ana, 'GET', '/conversations?q=Quill')
    expect(found.json.items.map((item: { id: string }) => item.id)).toEqual([one.id])
    expect((await node.ask(site.ana, 'GET', '/conversations?q=%25')).json.items).toEqual([])
    const changed = await node.ask(site.ana, 'PATCH', `/conversations/${one.id}`, {
      status: 'resolved',
      assignee_id: site.ben.userId,
    })
    expect(changed.json).toMatchObject({
      status: 'resolved',
      assignee: { id: site.ben.userId, name: 'Ben' },
      contact: { name: 'Zacharias Quill' },
    })
    expect(changed.json.sayable.map((entry: { kind: string }) => entry.kind)).toEqual(['reply', 'note'])
    expect(
      (await other.ask(site.ben, 'GET', '/conversations?view=mine&status=resolved')).json.items.map(
        (item: { id: string }) => item.id,
      ),
    ).toEqual([one.id])
    expect(
      (await node.ask(site.ana, 'PATCH', `/conversations/${one.id}`, { assignee_id: site.zoe.userId })).json.faults[0]
        .field,
    ).toBe('assignee_id')
  })

  it('carry replies and notes; the newest page comes first, in the order of time', async () => {
    const one = await beginConversation(site, site.ana.accountId, keys.pageId, 'Talker')
    const reply = await node.ask(site.ana, 'POST', `/conversations/${one.id}/messages`, {
      kind: 'reply',
      text: 'Yes, platform 3.',
    })
    expect([reply.status, reply.json.state, reply.json.kind]).toEqual([201, 'queued', 'reply'])
    const note = await other.ask(site.ben, 'POST', `/conversations/${one.id}/messages`, {
      kind: 'note',
      text: 'She is a regular.',
    })
    expect([note.status, note.json.state, note.json.author.name]).toEqual([201, null, 'Ben'])
    // Ben's words reach Ana a moment later, where her replica has them.
    const page = await until(async () => {
      const asked = await node.ask(site.ana, 'GET', `/conversations/${one.id}/messages?limit=2`)
      const items: { kind: string }[] = asked.json.items
      return items.some(({ kind }) => kind === 'note') ? asked : undefined
    })
    expect(page.json.items.map((item: { kind: string }) => item.kind)).toEqual(['reply', 'note'])
    const older = await node.ask(
      site.ana,
      'GET',
      `/conversations/${one.id}/messages?limit=2&cursor=${String(page.json.next_cursor)}`,
    )
    expect(older.json.items.map((item: { text: string }) => item.text)).toEqual(['Is the 9:40 still running?'])
    expect(older.json.next_cursor).toBeNull()
    const refused = await node.ask(site.ana, 'POST', `/conversations/${one.id}/messages`, {
      kind: 'comment',
      text: 'public?',
    })
    expect([refused.status, refused.json.code]).toEqual([422, 'kind_not_possible'])
    const cancelled = await node.ask(site.ana, 'POST', `/messages/${String(reply.json.id)}/cancel`)
    expect([cancelled.status, cancelled.json.state]).toEqual([200, 'cancelled'])
    const retried = await node.ask(site.ana, 'POST', `/messages/${String(reply.json.id)}/retry`, {})
    expect([retried.status, retried.json.state]).toEqual([200, 'queued'])
    const listed = await node.ask(site.ana, 'GET', `/messages?conversation_id=${one.id}&direction=outbound&kind=reply`)
    expect(listed.json.items.map((item: { id: string }) => item.id)).toEqual([reply.json.id])
  })

  it("see the asker's own write at once, on whichever node", async () => {
    const one = await beginConversation(site, site.ana.accountId, keys.pageId, 'Fresh')
    for (let turn = 0; turn < 40; turn++) {
      const status = turn % 2 === 0 ? 'pending' : 'open'
      expect((await node.ask(site.ana, 'PATCH', `/conversations/${one.id}`, { status })).json.status).toBe(status)
      expect((await other.ask(site.ana, 'GET', `/conversations/${one.id}`)).json.status).toBe(status)
    }
  })
})

describe('Idempotency-Key', () => {
  it('gives the first answer again, on any node, and the work is done once', async () => {
    const one = await beginConversation(site, site.ana.accountId, keys.pageId, 'Once')
    const headers = { 'idempotency-key': newId() }
    const say = (at: Node, text: string) =>
      at.ask(site.ana, 'POST', `/conversations/${one.id}/messages`, { kind: 'note', text }, headers)
    const first = await say(node, 'once')
    const again = await say(other, 'once')
    expect([again.status, again.json]).toEqual([201, first.json])
    const others = await say(node, 'something else')
    expect([others.status, others.json.code]).toEqual([409, 'idempotency_key_reused'])
    expect((await node.ask(site.ana, 'GET', `/conversations/${one.id}/messages`)).json.items).toHaveLength(2)
    expect(
      (
        await node.ask(
          site.ben,
          'POST',
          `/conversations/${one.id}/messages`,
          { kind: 'note', text: 'of another person' },
          headers,
        )
      ).status,
    ).toBe(201)
  })

  it('finds what was made by a node that died before it could keep the answer', async () => {
    const one = await beginConversation(site, site.ana.accountId, keys.pageId, 'Died')
    const headers = { 'idempotency-key': newId() }
    const say = (at: Node) =>
      at.ask(site.ana, 'POST', `/conversations/${one.id}/messages`, { kind: 'reply', text: 'Once only' }, headers)
    const first = await say(node)
    await site.storage.write((tx) =>
      tx.run(
        'update idempotency_keys set status = null, response = null, created_at = utc_timestamp(3) - interval 6 second where effect_id = ?',
        [String(first.json.id)],
      ),
    )
    const again = await say(other)
    expect([again.status, again.json.id]).toEqual([201, first.json.id])
    const listed = await node.ask(site.ana, 'GET', `/messages?conversation_id=${one.id}&direction=outbound&kind=reply`)
    expect(listed.json.items).toHaveLength(1)
  })

  it('lets one of many at once through', async () => {
    const one = await beginConversation(site, site.ana.accountId, keys.pageId, 'Race')
    const headers = { 'idempotency-key': newId() }
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        (index % 2 === 0 ? node : other).ask(
          site.ana,
          'POST',
          `/conversations/${one.id}/messages`,
          { kind: 'note', text: 'race' },
          headers,
        ),
      ),
    )
    for (const answer of answers) expect([201, 409]).toContain(answer.status)
    expect(answers.some(({ status }) => status === 201)).toBe(true)
    expect((await node.ask(site.ana, 'GET', `/conversations/${one.id}/messages`)).json.items).toHaveLength(2)
  })

  it('is free again after a refusal', async () => {
    const headers = { 'idempotency-key': newId() }
    const path = `/conversations/${conversation.id}/messages`
    expect((await node.ask(site.ana, 'POST', path, { kind: 'note', text: ' ' }, headers)).status).toBe(422)
    expect((await node.ask(site.ana, 'POST', path, { kind: 'note', text: 'corrected' }, headers)).status).toBe(201)
  })
})

describe('received bodies and dead letters', () => {
  it('are shown to administrators and replayed', async () => {
    const id = newId()
    await site.storage.write((tx) =>
      site.storage.received.keepPending(tx, {
        id,
        accountId: site.ana.accountId,
        appId: keys.metaId,
        body: Buffer.from('{"odd":1}'),
        receivedAt: new Date(),
      }),
    )
    // Somebody else has written this: it is there for everybody once the replica has it.
    while ((await site.storage.received.get(site.storage.bulk, site.ana.accountId, id)) === undefined) await sleep(2)
    const listed = await node.ask(site.ana, 'GET', `/received?state=pending&app_id=${keys.metaId}`)
    expect(listed.json.items.find((item: { id: string }) => item.id === id)).toMatchObject({
      body: '{"odd":1}',
      state: 'pending',
    })
    expect((await node.ask(site.ana, 'POST', `/received/${id}/replay`)).status).toBe(202)
    await site.storage.write((tx) =>
      site.storage.parked.keep(tx, {
        queue: 'deliver',
        messageId: 'dead-1',
        body: Buffer.from('{}'),
        properties: { account: site.ana.accountId },
        tries: 8,
        state: 'dead',
        delayMs: 0,
        lastError: 'it fell',
      }),
    )
    const letters = await node.ask(site.ana, 'GET', '/dead-letters')
    const letter = letters.json.items.find((item: { message_id: string }) => item.message_id === 'dead-1')
    expect(letter).toMatchObject({ queue: 'deliver', last_error: 'it fell', tries: 8 })
    expect((await node.ask(site.ana, 'POST', `/dead-letters/${String(letter.id)}/replay`)).json.state).toBe('waiting')
    expect((await node.ask(site.zoe, 'GET', '/dead-letters')).json.items).toEqual([])
  })
})

describe('documents', () => {
  const bytes = Buffer.from('%PDF-1.7 0123456789')
  const put = (body: NonNullable<RequestInit['body']>, headers: Record<string, string>) =>
    fetch(`${node.url}/api/v1/documents`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${site.ana.token}`, ...headers },
    })
  const open = (id: string, headers: Record<string, string> = {}) =>
    fetch(`${other.url}/api/v1/documents/${id}/content`, {
      headers: { authorization: `Bearer ${site.ana.token}`, ...headers },
    })

  it('come as a body or a form and go out whole, in ranges, or not at all', async () => {
    const made = await jsonOf(await put(bytes, { 'content-type': 'application/pdf' }))
    expect(made).toMatchObject({ content_type: 'application/pdf', size: bytes.length })
    const form = new FormData()
    form.append('note', 'ignored')
    form.append('file', new Blob(['<!doctype html><p>hello'], { type: 'image/png' }), 'Übersicht neu.html')
    const sent = await jsonOf(await put(form, {}))
    // The bytes say what it is, whatever it was called.
    expect(sent).toMatchObject({ name: 'Übersicht neu.html', content_type: 'text/html', variants: [] })

    const whole = await open(made.id)
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true)
    const etag = whole.headers.get('etag') ?? ''
    expect((await open(made.id, { 'if-none-match': etag })).status).toBe(304)
    const part = await open(made.id, { range: 'bytes=1-3' })
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      `bytes 1-3/${String(bytes.length)}`,
      'PDF',
    ])
    expect(await (await open(made.id, { range: 'bytes=-4' })).text()).toBe('6789')
    const none = await open(made.id, { range: 'bytes=900-' })
    expect([none.status, none.headers.get('content-range')]).toEqual([416, `bytes */${String(bytes.length)}`])

    const html = await open(sent.id)
    expect(html.headers.get('content-type')).toBe('application/octet-stream')
    expect(html.headers.get('content-disposition')).toMatch(
      /^attachment; filename="_bersicht neu\.html"; filename\*=UTF-8''%C3%9Cbersicht/,
    )
    expect(html.headers.get('x-content-type-options')).toBe('nosniff')
    await html.arrayBuffer()
  })

  it('refuse the empty and the broken', async () => {
    expect((await put('', { 'content-type': 'text/plain' })).status).toBe(422)
    expect(
      (await put('--x\r\nnonsense', { 'content-type': 'multipart/form-data; boundary=x' })).status,
    ).toBeGreaterThanOrEqual(400)
    expect((await put('x', { 'content-type': 'multipart/form-data' })).status).toBeGreaterThanOrEqual(400)
    expect((await put(new FormData(), {})).status).toBeGreaterThanOrEqual(400)
    const key = { 'idempotency-key': newId(), 'content-type': 'text/plain' }
    const first = await jsonOf(await put('same', key))
    expect(await jsonOf(await put('same', key))).toEqual(first)
    expect((await put('other', key)).status).toBe(409)
  })
})
