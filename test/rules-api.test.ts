/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- answers are looked into at will */
/** Rules, business hours, canned replies and macros over HTTP: kept, changed, filled in, run; and nothing of another account. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import { beginConversation, connectChannels, openSite } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let site: Site
let node: Node
let conversation: string
const ana = () => site.ana
const rule = {
  ...{ name: 'Refunds', is_active: true, trigger: { type: 'message.received', kinds: ['message'] } },
  conditions: { all: [{ field: 'text', op: 'any', value: ['refund'] }] },
  acts: [{ do: 'priority', priority: 'high' }],
}
const ask = (person: Person, method: string, path: string, body?: unknown) => node.ask(person, method, path, body)
const make = async (path: string, body: unknown): Promise<string> => {
  const answer = await ask(ana(), 'POST', path, body)
  expect([path, answer.status, answer.status === 201 ? '' : answer.json]).toEqual([path, 201, ''])
  return String(answer.json.id)
}

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  const { pageId } = await connectChannels(site, site.ana.accountId)
  conversation = (await beginConversation(site, site.ana.accountId, pageId, 'Cleo Vance')).id
})
afterAll(() => site.close())

describe('rules', () => {
  it('are made, changed, arranged, read and removed, and each step is in the audit log', async () => {
    const first = await make('/rules', rule)
    const second = await make('/rules', { ...rule, name: 'Second', trigger: { type: 'unanswered', minutes: 30 } })
    expect((await ask(ana(), 'POST', '/rules/order', { ids: [second, first] })).status).toBe(204)
    expect((await ask(ana(), 'POST', '/rules/order', { ids: [second] })).status).toBe(422)
    expect((await ask(ana(), 'GET', '/rules')).json.items.map(({ id }: { id: string }) => id)).toEqual([second, first])
    const changed = await ask(ana(), 'PATCH', `/rules/${first}`, { is_active: false, pause_minutes: 10 })
    expect([changed.json.is_active, changed.json.pause_minutes, changed.json.name]).toEqual([false, 10, 'Refunds'])
    expect((await ask(ana(), 'GET', `/rules/${first}/runs`)).json).toEqual({ items: [], next_cursor: null })
    expect((await ask(ana(), 'DELETE', `/rules/${second}`)).status).toBe(204)
    const audit = await ask(ana(), 'GET', '/audit?action=rule')
    expect(audit.json.items.map(({ action }: { action: string }) => action)).toEqual([
      ...['rule.removed', 'rule.changed', 'rule.arranged', 'rule.created', 'rule.created'],
    ])
  })

  it('are tried on conversations without doing anything', async () => {
    const answer = await ask(ana(), 'POST', '/rules/check', {
      rule: { ...rule, conditions: { all: [] }, acts: [{ do: 'reply', text: 'Hi {{contact.first_name|there}}' }] },
      conversation_ids: [conversation],
    })
    expect([answer.status, answer.json.matched, answer.json.items[0].would]).toEqual([
      ...[200, 1, [{ do: 'reply', text: 'Hi Cleo' }]],
    ])
    expect((await ask(ana(), 'GET', `/conversations/${conversation}/rule-runs`)).json.items).toEqual([])
  })

  it('are refused where they name what there is not, or are built to be slow', async () => {
    const deep = (n: number): unknown => (n === 0 ? rule.conditions : { any: [deep(n - 1)] })
    for (const bad of [
      { conditions: { all: [{ field: 'team', op: 'any', value: [newId()] }] } },
      { conditions: deep(50) },
      { conditions: 'true' },
      { acts: [] },
      { acts: [{ do: 'assign', user_id: 'me' }] },
      { acts: [{ do: 'assign', user_id: site.zoe.userId }] },
      { acts: [{ do: 'reply', text: '{{agent.password}}' }] },
      { acts: Array.from({ length: 21 }, () => rule.acts[0]) },
      { trigger: { type: 'idle' } },
      { name: 'x'.repeat(101) },
    ])
      expect([bad, (await ask(ana(), 'POST', '/rules', { ...rule, ...bad })).status]).toEqual([bad, 422])
  })

  it('are an account’s own', async () => {
    const id = await make('/rules', rule)
    for (const [method, path, body] of [
      ['GET', `/rules/${id}`],
      ['GET', `/rules/${id}/runs`],
      ['PATCH', `/rules/${id}`, { is_active: false }],
      ['DELETE', `/rules/${id}`],
      ['GET', `/conversations/${conversation}/rule-runs`],
    ] as const)
      expect([method, path, (await ask(site.zoe, method, path, body)).status]).toEqual([method, path, 404])
    expect((await ask(site.zoe, 'GET', '/rules')).json.items).toEqual([])
    const trial = await ask(site.zoe, 'POST', '/rules/check', { rule, conversation_ids: [conversation] })
    expect(trial.json.items).toEqual([])
    expect((await ask(site.ben, 'GET', '/rules')).status).toBe(403)
  })
})

describe('business hours', () => {
  it('are kept for the account and for teams', async () => {
    const hours = {
      time_zone: 'Europe/Berlin',
      weekly: [[['09:00', '17:00']], [['09:00', '17:00']], [], [], [], [], []],
      holidays: [{ date: '2026-12-25', name: 'Christmas' }],
    }
    const team = await make('/teams', { name: 'Night', member_ids: [] })
    await ask(ana(), 'PATCH', '/business-hours', { hours })
    const both = await ask(ana(), 'PATCH', '/business-hours', { team_id: team, hours: { ...hours, time_zone: 'UTC' } })
    expect(both.json.items).toHaveLength(2)
    expect(both.json.items).toContainEqual({ team_id: null, ...hours })
    const left = await ask(ana(), 'PATCH', '/business-hours', { team_id: team, hours: null })
    expect(left.json.items).toEqual([{ team_id: null, ...hours }])
    expect((await ask(site.zoe, 'PATCH', '/business-hours', { team_id: team, hours })).status).toBe(404)
    expect((await ask(site.zoe, 'GET', '/business-hours')).json.items).toEqual([])
    for (const bad of [
      { time_zone: 'Mars/Olympus' },
      { weekly: [[['9', '17']]] },
      { holidays: [{ date: 'soon', name: '' }] },
    ])
      expect((await ask(ana(), 'PATCH', '/business-hours', { hours: { ...hours, ...bad } })).status).toBe(422)
  })
})

describe('canned replies', () => {
  it('come filled in for a conversation, the most used first', async () => {
    const first = await make('/canned-replies', {
      shortcut: 'hi',
      name: 'Greeting',
      text: 'Hello {{contact.name|you}}, {{agent.name}} here',
    })
    const second = await make('/canned-replies', {
      shortcut: 'Hours',
      name: 'When',
      text: 'From nine to five at {{account.name}}',
    })
    const list = async (query = '') =>
      (await ask(ana(), 'GET', `/canned-replies?conversation_id=${conversation}${query}`)).json.items
    expect((await list()).map(({ id }: { id: string }) => id).sort()).toEqual([first, second].sort())
    expect((await list('&q=hi'))[0].filled).toMatch(/^Hello Cleo Vance, .+ here$/)
    for (let n = 0; n < 3; n++) expect((await ask(ana(), 'POST', `/canned-replies/${second}/use`, {})).status).toBe(204)
    expect(
      (await list('&q=h')).map(({ shortcut, use_count }: { shortcut: string; use_count: number }) => [
        shortcut,
        use_count,
      ]),
    ).toEqual([
      ['hours', 3],
      ['hi', 0],
    ])
    expect((await ask(ana(), 'POST', '/canned-replies', { shortcut: 'HI', name: 'x', text: 'x' })).json.code).toBe(
      'shortcut_taken',
    )
    expect((await ask(ana(), 'PATCH', `/canned-replies/${second}`, { shortcut: 'hi' })).status).toBe(409)
    expect((await ask(ana(), 'PATCH', `/canned-replies/${second}`, { name: 'Opening' })).json.name).toBe('Opening')
  })

  it('of a team are for its members; of an account for its own', async () => {
    const team = await make('/teams', { name: 'Day', member_ids: [site.ben.userId] })
    const id = await make('/canned-replies', { shortcut: 'hi', name: 'Ours', text: 'Hi from us', team_id: team })
    const names = async (person: Person, query = '') =>
      (await ask(person, 'GET', `/canned-replies?q=Ours${query}`)).json.items.map(({ id }: { id: string }) => id)
    expect([await names(site.ben), await names(ana()), await names(ana(), '&all=true')]).toEqual([[id], [], [id]])
    expect((await ask(site.ben, 'GET', '/canned-replies?all=true')).status).toBe(403)
    for (const [method, path, body] of [
      ['PATCH', `/canned-replies/${id}`, { name: 'x' }],
      ['DELETE', `/canned-replies/${id}`],
      ['POST', `/canned-replies/${id}/use`, {}],
      ['GET', `/canned-replies?conversation_id=${conversation}`],
    ] as const)
      expect([path, (await ask(site.zoe, method, path, body)).status]).toEqual([path, 404])
    const foreign = { shortcut: 'f', name: 'f', text: 'f', team_id: team }
    expect((await ask(site.zoe, 'POST', '/canned-replies', foreign)).status).toBe(422)
    expect((await ask(ana(), 'DELETE', `/canned-replies/${id}`)).status).toBe(204)
  })
})

describe('macros', () => {
  it('do all of it, or nothing', async () => {
    const id = await make('/macros', {
      ...{ name: 'Escalate', scope: 'all' },
      acts: [
        { do: 'note', text: 'from {{agent.name}}' },
        { do: 'assign', user_id: 'me' },
        { do: 'priority', priority: 'urgent' },
      ],
    })
    const preview = await ask(ana(), 'GET', `/macros/${id}/preview?conversation_id=${conversation}`)
    expect(preview.json.acts[0].text).toMatch(/^from [^{]+$/)
    const run = await ask(ana(), 'POST', `/conversations/${conversation}/macros/${id}`, {})
    expect([run.status, run.json.changed, run.json.said.length]).toEqual([200, ['assignee', 'priority'], 1])
    const label = await make('/labels', { name: 'soon gone' })
    const half = await make('/macros', {
      ...{
        name: 'Half',
        scope: 'own',
        acts: [
          { do: 'note', text: 'half' },
          { do: 'label', label: 'soon gone' },
        ],
      },
    })
    await ask(ana(), 'DELETE', `/labels/${label}`)
    expect((await ask(ana(), 'POST', `/conversations/${conversation}/macros/${half}`, {})).status).toBe(422)
    const messages = (await ask(ana(), 'GET', `/conversations/${conversation}/messages`)).json.items
    expect(messages.filter(({ text }: { text: string }) => text === 'half')).toEqual([])
    expect((await ask(site.ben, 'GET', '/macros')).json.items.map(({ name }: { name: string }) => name)).toEqual([
      'Escalate',
    ])
    expect((await ask(site.ben, 'POST', `/conversations/${conversation}/macros/${half}`, {})).status).toBe(404)
    expect((await ask(site.zoe, 'POST', `/conversations/${conversation}/macros/${id}`, {})).status).toBe(404)
    expect((await ask(site.zoe, 'DELETE', `/macros/${id}`)).status).toBe(404)
    expect((await ask(site.ben, 'PATCH', `/macros/${id}`, { name: 'mine' })).status).toBe(403)
  })

  it('do no more than whoever runs them may', async () => {
    const id = await make('/macros', { name: 'Answer', scope: 'all', acts: [{ do: 'reply', text: 'Hello' }] })
    const { accountId, userId, email } = site.ana
    const { text } = await site.storage.write((tx) =>
      site.storage.tokens.create(tx, { accountId, userId, name: 'reader', scopes: ['conversations.read'] }),
    )
    const reader = { accountId, userId, email, token: text }
    const answer = await ask(reader, 'POST', `/conversations/${conversation}/macros/${id}`, {})
    expect([answer.status, answer.json.detail]).toEqual([403, 'This macro needs the permission conversations.reply.'])
  })
})
