/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- answers are looked into at will */
/** Users, roles and teams; who is limited to what; and the audit log of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { beginConversation, connectChannels, openSite, password } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let site: Site
let node: Node
let keys: Awaited<ReturnType<typeof connectChannels>>

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  keys = await connectChannels(site, site.ana.accountId)
})
afterAll(() => site.close())

async function join(name: string, role = 'agent'): Promise<Person> {
  const { accountId } = site.ana
  const email = `${name}@harbour.example`
  const passwordHash =
    (await site.storage.users.get(site.storage.primary, accountId, site.ana.userId))?.passwordHash ?? null
  return site.storage.write(async (tx) => {
    const userId = await site.storage.users.create(tx, { accountId, email, name, role, passwordHash })
    const { text } = await site.storage.tokens.create(tx, { accountId, userId, name: 'test' })
    return { accountId, userId, email, token: text }
  })
}

describe('users', () => {
  it('keep at least one administrator', async () => {
    for (const change of [{ role: 'agent' }, { is_disabled: true }]) {
      const answer = await node.ask(site.ana, 'PATCH', `/users/${site.ana.userId}`, change)
      expect([answer.status, answer.json.code]).toEqual([409, 'last_administrator'])
    }
    const second = await join('second', 'administrator')
    const both = await Promise.all([
      node.ask(site.ana, 'PATCH', `/users/${second.userId}`, { role: 'agent' }),
      node.ask(second, 'PATCH', `/users/${site.ana.userId}`, { role: 'agent' }),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    if (both[1].status === 200)
      await site.storage.write((tx) =>
        site.storage.users.change(tx, site.ana.accountId, site.ana.userId, { role: 'administrator' }),
      )
  })

  it('who are disabled are out at once, and what they had is free', async () => {
    const mia = await join('mia')
    const open = await beginConversation(site, site.ana.accountId, keys.pageId)
    expect((await node.ask(site.ana, 'PATCH', `/conversations/${open.id}`, { assignee_id: mia.userId })).status).toBe(
      200,
    )
    const signedIn = await node.ask(undefined, 'POST', '/session', { email: mia.email, password })
    const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    expect((await node.ask(site.ana, 'PATCH', `/users/${mia.userId}`, { is_disabled: true })).status).toBe(200)
    const fresh = await site.addNode()
    expect((await fresh.ask(mia, 'GET', '/users')).status).toBe(401)
    expect((await fresh.ask(undefined, 'GET', '/session', undefined, { cookie })).status).toBe(401)
    expect((await node.ask(undefined, 'POST', '/session', { email: mia.email, password })).status).toBe(401)
    expect((await node.ask(site.ana, 'GET', `/conversations/${open.id}`)).json.assignee).toBeNull()
    expect((await node.ask(site.ana, 'GET', '/users')).json.items.map((user: { id: string }) => user.id)).not.toContain(
      mia.userId,
    )
    expect((await node.ask(site.ana, 'PATCH', `/users/${mia.userId}`, { is_disabled: false })).status).toBe(200)
    expect((await node.ask(undefined, 'POST', '/session', { email: mia.email, password })).status).toBe(200)
  })

  it('give nobody more than they have themselves', async () => {
    const { id } = (
      await node.ask(site.ana, 'POST', '/roles', {
        name: 'Desk',
        permissions: ['users.read', 'users.manage', 'roles.manage'],
      })
    ).json
    const desk = await join('desk', id)
    const helped = await join('helped', id)
    const ask = (method: string, path: string, body: unknown) => node.ask(desk, method, path, body)
    for (const answer of [
      await ask('PATCH', `/users/${desk.userId}`, { role: 'administrator' }),
      await ask('PATCH', `/users/${site.ben.userId}`, { name: 'Renamed' }),
      await ask('POST', `/users/${site.ana.userId}/password-link`, {}),
      await ask('POST', '/invitations', { email: 'friend@harbour.example', role: 'administrator' }),
      await ask('POST', '/roles', { name: 'More', permissions: ['audit.read'] }),
      await ask('PATCH', `/roles/${String(id)}`, { permissions: ['apps.manage'] }),
    ])
      expect([answer.status, answer.json.code]).toEqual([403, 'forbidden'])
    expect((await ask('PATCH', `/users/${helped.userId}`, { name: 'Helped' })).status).toBe(200)
  })

  it('who are limited to teams see theirs and nobody’s', async () => {
    const tom = await join('tom', 'supervisor')
    const [mine, other] = await Promise.all([
      node.ask(site.ana, 'POST', '/teams', { name: 'Tickets', member_ids: [tom.userId] }),
      node.ask(site.ana, 'POST', '/teams', { name: 'Press' }),
    ])
    const at = [mine.json.id, other.json.id, null] as const
    const begun = await Promise.all(at.map(() => beginConversation(site, site.ana.accountId, keys.pageId)))
    await site.storage.write(async (tx) => {
      for (const [index, { id }] of begun.entries())
        await tx.run('update conversations set team_id = ? where id = ?', [at[index] ?? null, id])
    })
    await node.ask(site.ana, 'PATCH', `/users/${tom.userId}`, { is_team_limited: true })
    const fresh = await site.addNode()
    const seen = await Promise.all(
      begun.map(async ({ id }) => (await fresh.ask(tom, 'GET', `/conversations/${id}`)).status),
    )
    expect(seen).toEqual([200, 404, 200])
    const listed = (await fresh.ask(tom, 'GET', '/messages')).json.items.map((message: { id: string }) => message.id)
    expect(begun.map(({ messageId }) => listed.includes(messageId))).toEqual([true, false, true])
    const give = (id: string) => node.ask(site.ana, 'PATCH', `/conversations/${id}`, { assignee_id: tom.userId })
    expect((await Promise.all(begun.map(({ id }) => give(id)))).map(({ status }) => status)).toEqual([200, 422, 200])
    expect((await fresh.ask(tom, 'GET', '/audit')).status).toBe(403)
  })
})

describe('facts', () => {
  it('are heard only of the channels that someone is limited to, in the list and live', async () => {
    const { accountId } = site.ana
    const { json: channel } = await node.ask(site.ana, 'POST', '/channels', {
      ...{ app_id: keys.xId, type: 'x', name: '@pier', external_id: '77' },
      credentials: { access_token: 'a', access_token_secret: 'b' },
    })
    const [own, foreign] = [
      await beginConversation(site, accountId, channel.id),
      await beginConversation(site, accountId, keys.pageId),
    ]
    const lea = await join('lea')
    await node.ask(site.ana, 'PATCH', `/users/${lea.userId}`, { channel_ids: [channel.id] })
    const fresh = await site.addNode()
    const before = await site.storage.events.lastNumber(site.storage.primary)
    const abort = new AbortController()
    const stream = await fetch(`${fresh.url}/api/v1/live?after=${String(before)}`, {
      headers: { authorization: `Bearer ${lea.token}` },
      signal: abort.signal,
    })
    let heard = ''
    const reading = (async () => {
      for await (const bytes of stream.body ?? []) heard += Buffer.from(bytes).toString()
    })().catch(() => undefined)
    const say = (facts: readonly (readonly [string, Record<string, string>])[]) =>
      site.storage.write(async (tx) => {
        const row = await tx.first<{ last_number: number }>('select last_number from relay where id = 1 for update')
        const last = row?.last_number ?? 0
        await tx.insertMany(
          'events',
          ['number', 'account_id', 'type', 'data', 'at'],
          facts.map(([type, data], index) => [last + 1 + index, accountId, type, JSON.stringify(data), new Date()]),
        )
        await tx.run('update relay set last_number = ? where id = 1', [last + facts.length])
      })
    await say([
      ['message.received', { conversation_id: own.id }],
      ['message.received', { conversation_id: foreign.id }],
      ['channel.changed', { channel_id: keys.pageId }],
      ['channel.changed', { channel_id: channel.id }],
      ['app.changed', { app_id: keys.metaId }],
      ['message.received', { conversation_id: own.id }],
    ])
    const expected = [1, 4, 6].map((at) => before + at)
    const { items } = (await fresh.ask(lea, 'GET', `/events?after=${String(before)}`)).json
    expect(items.map((item: { number: number }) => item.number)).toEqual(expected)
    await expect.poll(() => heard, { timeout: 10_000 }).toContain(`id: ${String(before + 6)}\n`)
    abort.abort()
    await reading
    expect([...heard.matchAll(/^id: (\d+)$/gm)].map(([, number]) => Number(number))).toEqual(expected)
  })
})

describe('roles and teams', () => {
  it('are refused twice under one name, and a role while somebody has it', async () => {
    const { id } = (await node.ask(site.ana, 'POST', '/roles', { name: 'Night', permissions: ['conversations.read'] }))
      .json
    expect((await node.ask(site.ana, 'POST', '/roles', { name: 'night', permissions: [] })).json.code).toBe(
      'role_exists',
    )
    expect((await node.ask(site.ana, 'POST', '/roles', { name: 'Agent', permissions: [] })).json.code).toBe(
      'role_exists',
    )
    await join('owl', id)
    expect((await node.ask(site.ana, 'DELETE', `/roles/${String(id)}`)).json.code).toBe('role_in_use')
    expect((await node.ask(site.ana, 'DELETE', '/roles/agent')).status).toBe(409)
    expect((await node.ask(site.ana, 'PATCH', '/roles/agent', { permissions: [] })).status).toBe(422)
    expect((await node.ask(site.ana, 'POST', '/teams', { name: 'Pier', member_ids: [site.zoe.userId] })).status).toBe(
      422,
    )
    const team = await node.ask(site.ana, 'POST', '/teams', {
      name: 'Pier',
      member_ids: [site.ben.userId, site.ben.userId],
    })
    expect(team.json.member_ids).toEqual([site.ben.userId])
    expect((await node.ask(site.ana, 'POST', '/teams', { name: 'Pier' })).json.code).toBe('team_exists')
  })
})

describe('the audit log', () => {
  it('tells who did what from where, and what changed, without secrets', async () => {
    await node.ask(
      site.ana,
      'PATCH',
      `/apps/${keys.metaId}`,
      { name: 'Renamed app', new_secret: 'top-s3cret' },
      { 'user-agent': 'a script' },
    )
    await node.ask(site.ana, 'PATCH', `/users/${site.ben.userId}`, { role: 'viewer' })
    const { items } = (await node.ask(site.ana, 'GET', '/audit?limit=200')).json
    expect(JSON.stringify(items)).not.toContain('top-s3cret')
    const [role, app] = items
    expect(role).toMatchObject({
      ...{
        action: 'user.changed',
        actor: { id: site.ana.userId, name: 'Ana' },
        subject: { type: 'user', id: site.ben.userId },
      },
      ...{ before: { role: 'agent' }, after: { role: 'viewer' } },
    })
    expect(role.via).toMatch(/^token [0-9a-f-]{36}$/)
    expect(app).toMatchObject({
      ...{
        action: 'app.changed',
        agent: 'a script',
        before: { name: 'Meta' },
        after: { name: 'Renamed app', secrets_replaced: true },
      },
    })
    const narrowed = (await node.ask(site.ana, 'GET', `/audit?action=user&actor=${site.ana.userId}&limit=1`)).json
    expect(narrowed.items[0].sequence).toBe(role.sequence)
    expect(narrowed.next_cursor).not.toBeNull()
    expect((await node.ask(site.ana, 'GET', '/audit?until=2020-01-01T00:00:00Z')).json.items).toEqual([])
    expect((await node.ask(site.zoe, 'GET', '/audit')).json.items).toEqual([])
  })

  it('numbers acts without a gap, also many at once', async () => {
    await Promise.all(
      Array.from({ length: 24 }, (_, index) => node.ask(site.zoe, 'POST', '/teams', { name: `Team ${String(index)}` })),
    )
    const { items } = (await node.ask(site.zoe, 'GET', '/audit?limit=200')).json
    expect(items.map((item: { sequence: number }) => item.sequence)).toEqual(
      Array.from({ length: 24 }, (_, index) => 24 - index),
    )
    expect((await node.ask(site.zoe, 'GET', '/audit/verify')).json).toMatchObject({
      is_whole: true,
      count: 24,
      broken_at: null,
    })
  })

  it('shows each row that was changed, removed or cut off', async () => {
    const { accountId } = site.ana
    const verify = async () => (await node.ask(site.ana, 'GET', '/audit/verify')).json
    const whole = await verify()
    expect(whole).toMatchObject({ is_whole: true, broken_at: null })
    expect(whole.head_hash).toMatch(/^[0-9a-f]{64}$/)
    const spoil = async (sql: string, mend: string) => {
      const rows = await site.storage.primary.query<{ sequence: number }>(
        'select sequence from audit_entries where account_id = ? order by sequence',
        [accountId],
      )
      expect(rows.length).toBeGreaterThan(5)
      await site.storage.write((tx) => tx.run(sql, [accountId]))
      const state = await verify()
      await site.storage.write((tx) => tx.run(mend, [accountId]))
      expect((await verify()).is_whole).toBe(true)
      return state
    }
    const keep = 'create table kept_row as select * from audit_entries'
    await site.storage.write((tx) => tx.run(keep))
    const back = 'insert ignore into audit_entries select * from kept_row where account_id = ?'
    expect(
      await spoil(
        "update audit_entries set actor_name = 'Zoe' where account_id = ? and sequence = 3",
        'update audit_entries e join kept_row k using (account_id, sequence) set e.actor_name = k.actor_name where e.account_id = ?',
      ),
    ).toMatchObject({ is_whole: false, broken_at: 3 })
    expect(await spoil('delete from audit_entries where account_id = ? and sequence = 2', back)).toMatchObject({
      is_whole: false,
      broken_at: 2,
    })
    const cut = await spoil(
      `delete from audit_entries where account_id = ? and sequence = ${String(whole.count)}`,
      back,
    )
    expect(cut).toMatchObject({ is_whole: false, broken_at: whole.count })
    await site.storage.write((tx) => tx.run('drop table kept_row'))
  })
})
