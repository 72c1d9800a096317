/* eslint-disable @typescript-eslint/no-unsafe-member-access -- answers are looked into at will */
/**
 * Every route of the table, tried: with each role and with a token for nothing, by someone who is limited to other channels,
 * and with everything that is not what it should be.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { newId } from '../infra/ids.ts'
import { builtInRoles, permissions, permissionsOfRole } from '../storage/model/permissions.ts'
import type { BuiltInRole } from '../storage/model/permissions.ts'
import type { Route } from '../web/route.ts'
import { routes } from '../web/routes.ts'
import { beginConversation, connectChannels, openSite } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let site: Site
let node: Node
const people = new Map<BuiltInRole, Person>()
let nothing: Person

const nameOf = (route: Route) => `${route.method.toUpperCase()} ${route.path}`
const pathOf = (route: Route, id = newId()) => route.path.replace(/:\w+/g, () => encodeURIComponent(id))
const hasBody = (route: Route) => route.method !== 'get' && route.method !== 'delete'
const guarded = routes.filter((route) => route.permission !== 'public')
/** Those that stream for ever, take files or lead to a page are tried elsewhere. */
const isPlain = (route: Route) => route.path !== '/live' && route.reads === 'json' && route.contentType !== 'text/html'

async function join(name: string, role: string, limits: { channelIds?: string[] } = {}): Promise<Person> {
  const { accountId } = site.ana
  const email = `${name}@harbour.example`
  return site.storage.write(async (tx) => {
    const userId = await site.storage.users.create(tx, { accountId, email, name, role, passwordHash: null, ...limits })
    const { text } = await site.storage.tokens.create(tx, { accountId, userId, name: 'test' })
    return { accountId, userId, email, token: text }
  })
}

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  for (const role of builtInRoles) people.set(role, await join(role, role))
  nothing = await site.storage.write(async (tx) => {
    const { accountId, userId, email } = site.ana
    const { text } = await site.storage.tokens.create(tx, { accountId, userId, name: 'nothing', scopes: [] })
    return { accountId, userId, email, token: text }
  })
})
afterAll(() => site.close())

describe('the permission of each route', () => {
  it('is declared, known, and in the document', async () => {
    const document = (await node.ask(undefined, 'GET', '/openapi.json')).json
    for (const route of routes) {
      expect(['public', 'none', ...permissions], nameOf(route)).toContain(route.permission)
      const path = route.path.replace(/:(\w+)/g, '{$1}')
      expect(document.paths[path][route.method]['x-permission']).toBe(route.permission)
    }
    const open = routes.filter(({ permission }) => permission === 'public').map(nameOf)
    // Networks fetch what is to be sent by a link that holds its own proof.
    expect(open.sort()).toEqual(['GET /media/:token', 'POST /join', 'POST /join/look', 'POST /session'])
  })

  it('lets each role in where it has the permission, and names it elsewhere', async () => {
    const counts = { let_in: 0, refused: 0 }
    for (const [role, person] of people) {
      for (const route of guarded.filter(isPlain)) {
        if (nameOf(route) === 'DELETE /sessions') continue
        const answer = await node.ask(
          person,
          route.method.toUpperCase(),
          pathOf(route),
          hasBody(route) ? {} : undefined,
        )
        const may = route.permission === 'none' || permissionsOfRole[role].some((each) => each === route.permission)
        const wasRefusedByRoute =
          answer.status === 403 && answer.json.detail === `This needs the permission ${route.permission}.`
        expect([role, nameOf(route), wasRefusedByRoute]).toEqual([role, nameOf(route), !may])
        expect(answer.status).toBeLessThan(500)
        counts[may ? 'let_in' : 'refused'] += 1
      }
    }
    process.stdout.write(`every role at every route: ${JSON.stringify(counts)}\n`)
    expect(counts.refused).toBeGreaterThan(40)
  }, 60_000)

  it('is also needed by an administrator’s token that was made without it', async () => {
    for (const route of guarded.filter((each) => isPlain(each) && each.permission !== 'none')) {
      const answer = await node.ask(nothing, route.method.toUpperCase(), pathOf(route), hasBody(route) ? {} : undefined)
      expect([nameOf(route), answer.status, answer.json.code]).toEqual([nameOf(route), 403, 'forbidden'])
    }
    expect((await node.ask(nothing, 'POST', '/tokens', { name: 'more', scopes: ['users.manage'] })).status).toBe(403)
  }, 60_000)
})

describe('someone who is limited to one channel', () => {
  it('finds nothing of another one, at any route', async () => {
    const { pageId, xId } = await connectChannels(site, site.ana.accountId)
    const theirs = await beginConversation(site, site.ana.accountId, pageId)
    const answer = await node.ask(site.ana, 'POST', '/channels', {
      ...{
        app_id: xId,
        type: 'x',
        name: '@harbour',
        external_id: '42',
        credentials: { access_token: 'a', access_token_secret: 'b' },
      },
    })
    const own = await beginConversation(site, site.ana.accountId, String(answer.json.id), 'Own Contact')
    const limited = await join('limited', 'supervisor', { channelIds: [String(answer.json.id)] })
    const things: Readonly<Record<string, readonly [string, string]>> = {
      channels: [pageId, String(answer.json.id)],
      conversations: [theirs.id, own.id],
      messages: [theirs.messageId, own.messageId],
      contacts: [theirs.contactId, own.contactId],
    }
    const counts = { hidden: 0, shown: 0 }
    for (const route of guarded.filter(isPlain)) {
      const [foreign, mine] = things[route.path.split('/')[1] ?? ''] ?? []
      // Counts name no conversation; whose they are is tried with the lists.
      if (foreign === undefined || mine === undefined || route.path === '/conversations/counts') continue
      if (route.path.includes(':id')) {
        const body = nameOf(route) === 'POST /conversations/:id/messages' ? { kind: 'note', text: 'x' } : {}
        const ask = (id: string) =>
          node.ask(limited, route.method.toUpperCase(), pathOf(route, id), hasBody(route) ? body : undefined)
        // Without the permission it is refused before anything is looked for; a faulty body is told before as well.
        expect([nameOf(route), [403, 404, 422].includes((await ask(foreign)).status)]).toEqual([nameOf(route), true])
        if (route.method === 'get') expect([nameOf(route), (await ask(foreign)).status]).toEqual([nameOf(route), 404])
        if (route.method === 'get') expect([nameOf(route), (await ask(mine)).status]).toEqual([nameOf(route), 200])
        counts.hidden += 1
      } else if (route.method === 'get') {
        const text = JSON.stringify((await node.ask(limited, 'GET', route.path)).json)
        expect([nameOf(route), text.includes(foreign), text.includes(mine)]).toEqual([nameOf(route), false, true])
        counts.shown += 1
      }
    }
    process.stdout.write(`limited to a channel: ${JSON.stringify(counts)}\n`)
    expect(counts.hidden).toBeGreaterThan(6)
    expect(counts.shown).toBeGreaterThan(1)
    expect((await node.ask(limited, 'GET', '/audit')).status).toBe(403)
  }, 30_000)
})

describe('what is not what it should be', () => {
  const wrong: readonly unknown[] = [
    { $ne: null }, { toString: 'x' }, { __proto__: null, length: 1 }, [], [[]], ['a', { b: 1 }], 12, -1, 1e308, true, null,
    '', 'x'.repeat(900_000), '\u0000\u0001\u001b[31m', '\u202egnp.exe', '\ud800', "' or 1=1 -- ", '<script>alert(1)</script>',
    '%00', '../../etc/passwd', '${7*7}', '🏳️‍🌈'.repeat(200),
  ] // prettier-ignore

  it('is never a failure of ours', async () => {
    const counts: Record<string, number> = {}
    const note = (status: number, what: string) => {
      expect([what, status >= 500]).toEqual([what, false])
      counts[String(status)] = (counts[String(status)] ?? 0) + 1
    }
    for (const route of routes.filter(isPlain)) {
      if (nameOf(route) === 'DELETE /sessions') continue
      const method = route.method.toUpperCase()
      if (route.path.includes(':'))
        for (const id of [
          'x',
          '%00',
          "'",
          'a'.repeat(3_000),
          '__proto__',
          '\u202e',
          '-1',
          '{"$ne":1}',
          '00000000-0000-0000-0000-000000000000',
        ])
          note(
            (await node.ask(site.ana, method, pathOf(route, id), hasBody(route) ? {} : undefined)).status,
            `${nameOf(route)} ${id}`,
          )
      for (const field of route.query instanceof z.ZodObject ? Object.keys(route.query.shape) : [])
        for (const value of [
          '',
          'x',
          '-1',
          '9'.repeat(40),
          '%00',
          "' or 1=1 -- ",
          '{"$ne":1}',
          '\u202e',
          'x'.repeat(3_000),
        ])
          note(
            (
              await node.ask(
                site.ana,
                method,
                `${pathOf(route)}?${field}=${encodeURIComponent(value)}`,
                hasBody(route) ? {} : undefined,
              )
            ).status,
            `${nameOf(route)} ?${field}`,
          )
      const fields = route.body instanceof z.ZodObject ? Object.keys(route.body.shape) : []
      for (const value of wrong) {
        const whole = Object.fromEntries(fields.map((field) => [field, value]))
        if (fields.length > 0 && JSON.stringify(whole).length < 1_000_000)
          note(
            (await node.ask(site.ana, method, pathOf(route), whole)).status,
            `${nameOf(route)} ${JSON.stringify(value).slice(0, 40)}`,
          )
        for (const field of fields)
          if (typeof value !== 'string' || value.length < 10_000)
            note(
              (await node.ask(site.ana, method, pathOf(route), { [field]: value })).status,
              `${nameOf(route)} ${field}`,
            )
      }
      if (hasBody(route))
        for (const body of ['[]', '"text"', '12', 'null', '{', '{"__proto__": {"admin": true}}', '[[[[[[[[]]]]]]]]'])
          note((await node.ask(site.ana, method, pathOf(route), body)).status, `${nameOf(route)} ${body}`)
    }
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
    process.stdout.write(
      `wrong input at ${String(routes.length)} routes: ${String(total)} requests, by status ${JSON.stringify(counts)}\n`,
    )
    expect(total).toBeGreaterThan(1_000)
  }, 120_000)
})
