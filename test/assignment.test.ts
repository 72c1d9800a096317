/* eslint-disable @typescript-eslint/no-unsafe-member-access -- answers are looked into at will */
/** Conversations are given out: the oldest first, each once, to nobody more than they can take, whichever nodes do it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { noteAbsences } from '../backend/absence.ts'
import { giveWaiting } from '../backend/assignment.ts'
import { startGiving } from '../backend/give.ts'
import { silentLogger } from '../infra/logger.ts'
import { newId } from '../infra/ids.ts'
import { numberFacts } from '../messaging/events.ts'
import { openStorage } from '../storage/index.ts'
import type { Storage } from '../storage/index.ts'
import { until } from './platform.ts'
import { connectChannels, openSite } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let site: Site
let node: Node
let account: string
let pageId: string
const nodes: Storage[] = []

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  account = site.ana.accountId
  pageId = (await connectChannels(site, account)).pageId
  nodes.push(site.storage, await openStorage(site.config, silentLogger), await openStorage(site.config, silentLogger))
})
afterAll(async () => {
  await Promise.all(nodes.slice(1).map((each) => each.close()))
  await site.close()
})
beforeEach(() =>
  site.storage.write(async (tx) => {
    for (const table of ['conversations', 'teams', 'team_members', 'assignment_turns', 'outbox'])
      await tx.run(`delete from ${table}`)
    await tx.run(
      "update users set availability = 'available', is_offline_by_itself = false, capacity = 10, skills = null",
    )
    await tx.run("update accounts set assignment = 'manual', goes_offline = false")
  }),
)

/** Agents with a token each. */
const join = (count: number, change: { capacity?: number; skills?: string[]; channelIds?: string[] } = {}) =>
  site.storage.write(async (tx) => {
    const people: Person[] = []
    for (let n = 0; n < count; n++) {
      const email = `${newId()}@harbour.example`
      const { channelIds = null, ...more } = change
      const userId = await site.storage.users.create(tx, {
        ...{ accountId: account, email, name: `Agent ${String(n)}`, role: 'agent', passwordHash: null, channelIds },
      })
      await site.storage.users.change(tx, account, userId, more)
      const { text } = await site.storage.tokens.create(tx, { accountId: account, userId, name: 'test' })
      people.push({ accountId: account, userId, email, token: text })
    }
    return people
  })

const form = (name: string, members: readonly Person[], wish: object) =>
  node
    .ask(site.ana, 'POST', '/teams', { name, member_ids: members.map(({ userId }) => userId), ...wish })
    .then(({ json }) => String(json.id))

/** Conversations whose contacts have waited since, one minute after another; their ids, the oldest first. */
async function wait(count: number, teamId: string | null, channelId = pageId): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId())
  const begin = Date.now() - count * 60_000
  // Not in the order of their ids: only how long they have waited counts.
  const order = ids.map((id, n) => ({ id, at: new Date(begin + n * 60_000) })).sort((a, b) => (a.id.at(-1) ?? '') < (b.id.at(-1) ?? '') ? -1 : 1) // prettier-ignore
  await site.storage.write((tx) =>
    tx.insertMany(
      'conversations',
      ['id', 'account_id', 'channel_id', 'contact_id', 'contact_address_id', 'visibility', 'thread_key', 'team_id', 'waiting_since', 'last_activity_at', 'created_at', 'updated_at'],
      order.map(({ id, at }) => [id, account, channelId, newId(), newId(), 'direct', id, teamId, at, at, at, at]),
    ),
  ) // prettier-ignore
  return ids
}

const give = (storage = site.storage) => storage.write((tx) => giveWaiting(storage, tx, account))
const owners = async (ids: readonly string[]) => {
  const rows = await site.storage.primary.query<{ id: string; assigneeId: string | null }>(
    'select id, assignee_id assigneeId from conversations where account_id = ?',
    [account],
  )
  const byId = new Map(rows.map((row) => [row.id, row.assigneeId]))
  return ids.map((id) => byId.get(id) ?? null)
}
const countOf = (all: readonly (string | null)[]) => Map.groupBy(all, (each) => each)

describe('the queue', () => {
  it('is given out by three nodes at once: each conversation once, the oldest first, nobody more than they can take', async () => {
    const people = await join(20, { capacity: 12 })
    const team = await form('Everybody', people, { assignment: 'round_robin' })
    const ids = await wait(500, team)
    const facts = () =>
      site.storage.primary.query<{ id: string }>(
        "select json_value(data, '$.conversation_id') id from outbox where type = 'conversation.changed'",
      )
    const work = async (storage: Storage) => {
      for (let idle = 0; idle < 2;) idle = (await give(storage)) === 0 ? idle + 1 : 0
    }
    await Promise.all([...nodes, ...nodes].map(work))
    const given = await owners(ids)
    expect(given.slice(0, 240).every((each) => each !== null)).toBe(true)
    expect(given.slice(240).every((each) => each === null)).toBe(true)
    expect([...countOf(given.slice(0, 240)).values()].map((of) => of.length)).toEqual(people.map(() => 12))
    expect((await facts()).map(({ id }) => id).sort()).toEqual(ids.slice(0, 240).sort())

    // Places come free while all three go on: the next oldest are given, and never more than there is room for.
    let solved = 240
    const solving = (async () => {
      for (let turn = 0; turn < 60; turn++) {
        const rows = await site.storage.primary.query<{ id: string }>(
          "select id from conversations where account_id = ? and assignee_id is not null and status = 'open' order by rand() limit 10",
          [account],
        )
        await site.storage.write(async (tx) => {
          for (const { id } of rows) await tx.run("update conversations set status = 'resolved' where id = ?", [id])
        })
        solved += rows.length
        const open = await site.storage.primary.query<{ n: number }>(
          "select count(*) n from conversations where account_id = ? and assignee_id is not null and status = 'open' group by assignee_id",
          [account],
        )
        expect(Math.max(...open.map(({ n }) => n))).toBeLessThanOrEqual(12)
      }
    })()
    await Promise.all([solving, ...nodes.map(async (storage) => { for (let n = 0; n < 60; n++) await give(storage) })]) // prettier-ignore
    while ((await give()) > 0);
    const after = await owners(ids)
    expect(after.indexOf(null)).toBe(solved >= 500 ? -1 : solved)
    expect(after.slice(Math.min(500, solved)).every((each) => each === null)).toBe(true)
    const told = (await facts()).map(({ id }) => id)
    expect(new Set(told).size).toBe(told.length)
    process.stdout.write(`given out by three nodes: ${String(told.length)}, to 20 people\n`)
  }, 60_000)

  it('goes round, beginning with whoever was given one longest ago', async () => {
    const [one, two, three] = await join(3, { capacity: 100 })
    if (one === undefined || two === undefined || three === undefined) throw new Error('nobody')
    const team = await form('Round', [one, two, three], { assignment: 'round_robin' })
    const ids = await wait(7, team)
    expect(await give()).toBe(7)
    const given = await owners(ids)
    expect(given.slice(0, 3).sort()).toEqual([one, two, three].map(({ userId }) => userId).sort())
    expect(given.slice(3, 6)).toEqual(given.slice(0, 3))
    const next = await wait(2, team)
    await give()
    expect(await owners(next)).toEqual([given[1], given[2]])
  })

  it('goes to whoever has the fewest', async () => {
    const [busy, free] = await join(2)
    if (busy === undefined || free === undefined) throw new Error('nobody')
    const held = await wait(4, null)
    await site.storage.write((tx) => site.storage.assignments.give(tx, account, held, busy.userId))
    const team = await form('Fewest', [busy, free], { assignment: 'least_busy' })
    const ids = await wait(6, team)
    await give()
    const given = await owners(ids)
    expect(given.slice(0, 4)).toEqual(Array(4).fill(free.userId))
    expect(given.slice(4).sort()).toEqual([busy.userId, free.userId].sort())
  })

  it('passes over who is away, cannot answer, does not see the channel, or lacks a skill', async () => {
    const [away, viewer, right] = await join(3, { skills: ['french', 'refunds'] })
    const [blind] = await join(1, { channelIds: [newId()], skills: ['french', 'refunds'] })
    const [unskilled] = await join(1, { skills: ['french'] })
    if (!away || !viewer || !right || !blind || !unskilled) throw new Error('nobody')
    await site.storage.write((tx) => site.storage.users.change(tx, account, viewer.userId, { role: 'viewer' }))
    expect((await node.ask(away, 'PATCH', '/profile', { availability: 'away', availability_reason: 'Lunch' })).json)
      .toMatchObject({ availability: 'away', availability_reason: 'Lunch' }) // prettier-ignore
    const everybody = [away, viewer, right, blind, unskilled]
    const team = await form('Refunds', everybody, { assignment: 'round_robin', skills: ['Refunds ', 'french'] })
    const ids = await wait(12, team)
    await give()
    expect(await owners(ids)).toEqual([...Array<string>(10).fill(right.userId), null, null])
    // One who sees other channels only is not waited for.
    await node.ask(site.ana, 'PATCH', `/users/${right.userId}`, { availability: 'offline' })
    const elsewhere = await wait(
      1,
      team,
      (await site.storage.users.get(site.storage.primary, account, blind.userId))?.channelIds?.[0] ?? '',
    )
    await give()
    expect(await owners(elsewhere)).toEqual([blind.userId])
    expect((await owners(ids)).slice(10)).toEqual([null, null])
  })

  it('leaves alone what is manual, answered, put off, or somebody has', async () => {
    const [one] = await join(1)
    if (one === undefined) throw new Error('nobody')
    const manual = await form('Manual', [one], {})
    const team = await form('Automatic', [one], { assignment: 'round_robin' })
    const left = [...(await wait(2, manual)), ...(await wait(2, null))]
    const [answered, pending] = await wait(2, team)
    await site.storage.write(async (tx) => {
      await tx.run('update conversations set waiting_since = null where id = ?', [answered ?? ''])
      await tx.run("update conversations set status = 'pending' where id = ?", [pending ?? ''])
    })
    expect(await give()).toBe(0)
    expect((await node.ask(site.ana, 'PATCH', '/assignment', { assignment: 'round_robin' })).json)
      .toEqual({ assignment: 'round_robin', goes_offline: false }) // prettier-ignore
    expect((await node.ask(one, 'PATCH', '/assignment', { assignment: 'manual' })).status).toBe(403)
    expect(await give()).toBe(2)
    expect((await owners(left)).slice(0, 2)).toEqual([null, null])
  })

  it('works by itself, on two nodes, when someone writes and when a place comes free', async () => {
    const [one] = await join(1, { capacity: 1 })
    if (one === undefined) throw new Error('nobody')
    const team = await form('Itself', [one], { assignment: 'round_robin' })
    const lease = await site.storage.write((tx) => site.storage.leases.acquire(tx, 'relay', 'test', 60_000))
    const giving = nodes
      .slice(0, 2)
      .map((storage, n) => startGiving({ storage, logger: silentLogger, holder: `n${String(n)}` }))
    try {
      const [first, second] = await wait(2, team)
      await until(async () => (await owners([first ?? '']))[0] === one.userId)
      await node.ask(site.ana, 'PATCH', `/conversations/${first ?? ''}`, { status: 'resolved' })
      if (lease !== undefined) await numberFacts(site.storage, lease)
      await until(async () => (await owners([second ?? '']))[0] === one.userId)
      expect(await owners([first ?? '', second ?? ''])).toEqual([one.userId, one.userId])
    } finally {
      await Promise.all(giving.map((each) => each.stop()))
    }
  })
})

describe('taking the oldest', () => {
  it('gives two who ask at once never the same, and the oldest first', async () => {
    const people = await join(6)
    const team = await form('Takers', people, {})
    const [later, oldest] = [await wait(10, null), await wait(20, team)]
    const answers = await Promise.all(
      Array.from({ length: 36 }, (_, n) => node.ask(people[n % 6], 'POST', '/conversations/take', {})),
    )
    const taken = answers.filter(({ status }) => status === 200).map(({ json }) => String(json.id))
    expect(taken.sort()).toEqual([...oldest, ...later].sort())
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(6)
    expect((await owners(taken)).every((each) => each !== null)).toBe(true)
    const [first] = await wait(3, team)
    expect((await node.ask(people[0], 'POST', '/conversations/take')).json).toMatchObject({ id: first, assignee: { id: people[0]?.userId } }) // prettier-ignore
  })

  it('keeps to teams, channels, and what the asker may see', async () => {
    const other = newId()
    const [all] = await join(1)
    const [limited] = await join(1, { channelIds: [other] })
    const team = await form('Some', [], {})
    const [inTeam] = await wait(1, team)
    const [inNone] = await wait(1, null)
    const [elsewhere] = await wait(1, null, other)
    const take = (person: Person | undefined, body: object) => node.ask(person, 'POST', '/conversations/take', body)
    expect((await take(limited, { channel_id: pageId })).status).toBe(422)
    expect((await take(limited, {})).json.id).toBe(elsewhere)
    expect((await take(limited, {})).status).toBe(204)
    expect((await take(all, { team: 'none' })).json.id).toBe(inNone)
    expect((await take(all, { team: newId() })).status).toBe(422)
    expect((await take(site.zoe, {})).status).toBe(204)
    expect((await take(all, { team, channel_id: pageId })).json.id).toBe(inTeam)
  })
})

describe('away', () => {
  it('gives back what is open, and nothing of what the asker does not see', async () => {
    const [one, two] = await join(2)
    const [limited] = await join(1, { channelIds: [newId()] })
    if (!one || !two || !limited) throw new Error('nobody')
    const team = await form('Back', [one, two], { assignment: 'round_robin' })
    await node.ask(two, 'PATCH', '/profile', { availability: 'offline' })
    const ids = await wait(3, team)
    await give()
    await node.ask(one, 'PATCH', '/profile', { availability: 'away' })
    await node.ask(two, 'PATCH', '/profile', { availability: 'available' })
    expect((await node.ask(limited, 'POST', `/users/${one.userId}/reassign`)).json).toEqual({ count: 0 })
    expect((await node.ask(site.zoe, 'POST', `/users/${one.userId}/reassign`)).status).toBe(404)
    expect((await node.ask(one, 'POST', `/users/${one.userId}/reassign`)).json).toEqual({ count: 3 })
    await give()
    expect(await owners(ids)).toEqual(ids.map(() => two.userId))
  })

  it('comes by itself after five minutes without a page, and ends when they come; what people say of themselves stays', async () => {
    const [absent, said] = await join(2)
    if (!absent || !said) throw new Error('nobody')
    const of = async ({ userId }: Person) =>
      (await site.storage.users.get(site.storage.primary, account, userId))?.availability
    const seen = (minutes: number) =>
      site.storage.write((tx) => tx.run('update users set seen_at = utc_timestamp(3) - interval ? minute', [minutes]))
    await node.ask(said, 'PATCH', '/profile', { availability: 'away' })
    await seen(6)
    expect(await noteAbsences(site.storage)).toBe(0)
    await node.ask(site.ana, 'PATCH', '/assignment', { goes_offline: true })
    await seen(6)
    expect(await noteAbsences(site.storage)).toBeGreaterThan(0)
    expect([await of(absent), await of(said)]).toEqual(['offline', 'away'])
    await seen(0)
    await noteAbsences(site.storage)
    expect([await of(absent), await of(said)]).toEqual(['available', 'away'])
  })
})
