/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- answers are looked into at will */
/** The care for conversations through the API: labels, views, counts, snooze, mentions, changes of many and their undo. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { workBatch } from '../backend/bulk.ts'
import { foldActs, performActs } from '../backend/conversation-acts.ts'
import { fireDue } from '../backend/due.ts'
import { occurrenceKinds } from '../backend/occurrence-kinds.ts'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { openStorage } from '../storage/index.ts'
import { summarise } from '../messaging/summary.ts'
import { until } from './platform.ts'
import { beginConversation, connectChannels, openSite } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let site: Site
let node: Node
let pageId: string
beforeAll(async () => {
  site = await openSite({ PARLEY_REPLICA_URLS: '' })
  node = await site.addNode()
  pageId = (await connectChannels(site, site.ana.accountId)).pageId
})
afterAll(() => site.close())

const ask = (person: Person, method: string, path: string, body?: unknown) => node.ask(person, method, path, body)
const begin = (name?: string) => beginConversation(site, site.ana.accountId, pageId, name)
const patch = async (id: string, body: unknown) => (await ask(site.ana, 'PATCH', `/conversations/${id}`, body)).json
const idsOf = async (query: string, person = site.ana): Promise<string[]> =>
  (await ask(person, 'GET', `/conversations?limit=200&${query}`)).json.items.map((item: { id: string }) => item.id)
const facts = async (type: string) =>
  site.storage.primary.query<{ data: Record<string, unknown> }>(
    'select data from outbox where account_id = ? and type = ? union all select data from events where account_id = ? and type = ?',
    [site.ana.accountId, type, site.ana.accountId, type],
  )
const workAll = async (): Promise<void> => {
  while ((await workBatch(site.storage)) > 0);
}

describe('labels', () => {
  it('are made, put on, found by, renamed and removed; by whoever may; a name once', async () => {
    const one = await begin()
    const made = await ask(site.ana, 'POST', '/labels', { name: 'Lost property', color: '#AA0000' })
    expect([made.status, made.json.color]).toEqual([201, '#aa0000'])
    expect((await ask(site.ana, 'POST', '/labels', { name: 'LOST property' })).json.code).toBe('label_exists')
    expect((await ask(site.ben, 'POST', '/labels', { name: 'Mine' })).status).toBe(403)
    expect((await patch(one.id, { add_labels: ['lost PROPERTY'] })).labels).toEqual([
      { id: made.json.id, name: 'Lost property', color: '#aa0000' },
    ])
    expect(await idsOf('label=lost%20property')).toEqual([one.id])
    expect(await idsOf('label=lost%20property,other')).toEqual([])
    await ask(site.ana, 'PATCH', `/labels/${made.json.id}`, { name: 'Found' })
    expect(await idsOf('label=found')).toEqual([one.id])
    expect((await patch(one.id, { labels: [] })).labels).toEqual([])
    await patch(one.id, { labels: ['Found'] })
    expect((await ask(site.ana, 'DELETE', `/labels/${made.json.id}`)).status).toBe(204)
    expect((await ask(site.ana, 'GET', `/conversations/${one.id}`)).json.labels).toEqual([])
    expect((await ask(site.ana, 'PATCH', `/conversations/${one.id}`, { add_labels: ['Found'] })).status).toBe(422)
  })

  it('are refused where there are too many', async () => {
    const { accountId } = site.zoe
    await site.storage.write(async (tx) => {
      for (let n = 0; n < 499; n++)
        await site.storage.labels.create(tx, { id: newId(), accountId, name: `label ${String(n)}`, color: '#000000' })
    })
    expect((await ask(site.zoe, 'POST', '/labels', { name: 'The last' })).status).toBe(201)
    expect((await ask(site.zoe, 'POST', '/labels', { name: 'One more' })).json.code).toBe('too_many_labels')
    const many = Array.from({ length: 10_000 }, (_, n) => `label ${String(n)}`)
    const one = await begin()
    expect((await ask(site.ana, 'PATCH', `/conversations/${one.id}`, { add_labels: many })).status).toBe(422)
    expect((await ask(site.ana, 'POST', '/labels', { name: 'x'.repeat(1_000_000) })).status).toBeGreaterThanOrEqual(413)
    const query = await ask(site.ana, 'GET', `/conversations?label=${many.slice(0, 300).join(',')}`)
    expect(query.status).toBe(422)
  })
})

describe('snoozing', () => {
  it('ends at its time, and not before the last one that was asked for', async () => {
    const one = await begin()
    const context = { storage: site.storage, logger: silentLogger, node: 'node-1' }
    const soon = new Date(Date.now() + 300).toISOString()
    expect((await patch(one.id, { snoozed_until: soon })).status).toBe('snoozed')
    const later = new Date(Date.now() + 1_500).toISOString()
    expect((await patch(one.id, { snoozed_until: later })).snoozed_until).toBe(later)
    await new Promise((resolve) => setTimeout(resolve, 500))
    await fireDue(context, occurrenceKinds)
    expect(await idsOf('status=snoozed')).toContain(one.id)
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    await fireDue(context, occurrenceKinds)
    expect((await ask(site.ana, 'GET', `/conversations/${one.id}`)).json).toMatchObject({
      ...{ status: 'open', snoozed_until: null },
    })
    expect((await ask(site.ana, 'PATCH', `/conversations/${one.id}`, { snoozed_until: '2001-01-01T00:00:00Z' })).status).toBe(422) // prettier-ignore
  })

  it('without a time lasts until the contact writes, and labels follow', async () => {
    const one = await begin()
    await ask(site.ana, 'POST', '/labels', { name: 'Follows' })
    expect(await patch(one.id, { status: 'snoozed', add_labels: ['Follows'] })).toMatchObject({ snoozed_until: null })
    expect(await idsOf('status=snoozed&label=follows')).toEqual([one.id])
    await site.storage.write(async (tx) => {
      const [before] = [...(await site.storage.conversations.lockAll(tx, [one.id])).values()]
      const message = await site.storage.messages.get(tx, site.ana.accountId, one.messageId)
      if (before === undefined || message === undefined) throw new Error('it is not there')
      await site.storage.conversations.summarise(tx, [summarise(before, { ...message, occurredAt: new Date() }, [])])
    })
    // No fact was told of it here: lists may be a second old.
    await until(async () => (await idsOf('status=snoozed&label=follows')).length === 0)
    expect(await idsOf('status=open&label=follows')).toEqual([one.id])
  })
})

describe('views', () => {
  it('are kept by one, shared by those who may, and counted', async () => {
    const [one, two] = [await begin('Una'), await begin('Dua')]
    await patch(one.id, { priority: 'urgent', assignee_id: 'me' })
    await patch(two.id, { priority: 'urgent', status: 'pending' })
    const filter = { priority: 'urgent', status: ['open', 'pending'], assignee: 'me' }
    const view = (await ask(site.ana, 'POST', '/views', { name: 'Mine and urgent', filter })).json
    expect(await idsOf(`view=${view.id}`)).toEqual([one.id])
    expect(await idsOf(`view=${view.id}&assignee=none`)).toEqual([two.id])
    expect((await ask(site.ben, 'GET', `/conversations?view=${view.id}`)).status).toBe(404)
    expect((await ask(site.ben, 'POST', '/views', { name: 'All', filter: {}, is_for_all: true })).status).toBe(403)
    const team = (await ask(site.ana, 'POST', '/teams', { name: 'Evening', member_ids: [site.ben.userId] })).json.id
    await ask(site.ana, 'PATCH', `/views/${view.id}`, { team_ids: [team] })
    expect(await idsOf(`view=${view.id}`, site.ben)).toEqual([])
    const seen = (await ask(site.ben, 'GET', '/views')).json.items
    expect(seen.map((each: { id: string; is_own: boolean }) => [each.id, each.is_own])).toEqual([[view.id, false]])
    expect((await ask(site.ben, 'DELETE', `/views/${view.id}`)).status).toBe(403)
    const { counts } = (await ask(site.ana, 'GET', `/conversations/counts?views=mine,all,${view.id},nothing`)).json
    expect(counts[view.id]).toEqual({ count: 1, is_more: false })
    expect(counts.mine.count).toBe((await idsOf('view=mine&status=open')).length)
    expect(counts.all.count).toBe((await idsOf('status=open')).length)
    expect(Object.keys(counts)).toHaveLength(3)
    const audit = (await ask(site.ana, 'GET', '/audit?action=view')).json.items
    expect(audit.map((entry: { action: string }) => entry.action)).toEqual(['view.changed'])
    expect((await ask(site.ana, 'POST', '/views', { name: 'Odd', filter: { color: 'red' } })).status).toBe(422)
  })
})

describe('mentions', () => {
  it('are told, listed until seen, and make participants', async () => {
    const one = await begin()
    const text = `@[Ben](${site.ben.userId}) and @[nobody](${newId()}) and @[Zoe](${site.zoe.userId})`
    expect((await ask(site.ana, 'POST', `/conversations/${one.id}/messages`, { kind: 'note', text })).status).toBe(201)
    const list = async (query = '') => (await ask(site.ben, 'GET', `/mentions?unseen=true${query}`)).json.items
    expect((await list()).map((each: { conversation_id: string }) => each.conversation_id)).toEqual([one.id])
    expect((await ask(site.zoe, 'GET', '/mentions')).json.items).toEqual([])
    expect(await idsOf('view=mentions', site.ben)).toEqual([one.id])
    expect(await idsOf('participant=me', site.ben)).toEqual([one.id])
    expect((await facts('user.mentioned')).map(({ data }) => data['user_id'])).toEqual([site.ben.userId])
    const seen = await ask(site.ben, 'POST', '/mentions/seen', { conversation_id: one.id })
    expect([seen.json.count, (await list()).length]).toEqual([1, 0])
  })
})

describe('acts', () => {
  it('are folded: what is said later counts', () => {
    const { wish, said } = foldActs([
      { do: 'status', status: 'resolved' },
      { do: 'label', label: 'a' },
      { do: 'note', text: 'Done.' },
      { do: 'unlabel', label: 'A' },
      { do: 'snooze', minutes: null },
    ])
    expect(wish).toMatchObject({ status: 'snoozed', snoozed_until: null, add_labels: [], remove_labels: ['A'] })
    expect(said).toEqual([{ kind: 'note', text: 'Done.' }])
  })

  it('are done to one conversation with one fact', async () => {
    const one = await begin()
    const before = (await facts('conversation.changed')).length
    const changed = await performActs(
      ...[site.storage, site.ana.accountId, one.id],
      [
        { do: 'assign', user_id: 'me' },
        { do: 'priority', priority: 'high' },
        { do: 'note', text: 'By a macro.' },
        { do: 'status', status: 'pending' },
      ],
      { by: site.ana.userId, byRule: 'rule-1' },
    )
    expect(changed).toEqual(['status', 'assignee', 'priority'])
    const after = await facts('conversation.changed')
    expect([after.length - before, after.filter(({ data }) => data['by_rule'] === 'rule-1').length]).toEqual([1, 1])
  })
})

describe('a change of many', () => {
  it('goes on where a node died, and is undone where nobody has changed anything since', { timeout: 60_000 }, async () => {
    const count = 650
    const channelId = pageId
    const { accountId } = site.ana
    const before = await site.storage.write((tx) =>
      site.storage.conversations.begin(
        tx,
        Array.from({ length: count }, (_, n) => ({
          ...{ accountId, channelId, contactId: newId(), contactAddressId: newId(), visibility: 'direct' as const },
          ...{ threadKey: `many-${String(n)}`, postId: null, lastActivityAt: new Date(Date.now() - n * 1000) },
        })),
      ),
    )
    const ids = [...before.all.values()].map(({ id }) => id)
    await ask(site.ana, 'POST', '/labels', { name: 'Spring clean' })
    const label = { labels: ['Spring clean'] }
    for (const id of ids.slice(0, 3)) await patch(id, label)
    const filter = { status: 'open,pending,snoozed' }
    const body = { filter, change: { status: 'resolved', remove_labels: ['Spring clean'], priority: 'low' } }
    expect((await ask(site.ben, 'POST', '/conversations/bulk', body)).status).toBe(403)
    const job = (await ask(site.ana, 'POST', '/conversations/bulk', body)).json
    expect(job.total).toBeGreaterThanOrEqual(count)

    // A node dies in the middle of its second batch: what it had not committed is as if it had never been.
    await workBatch(site.storage)
    const dying = await openStorage(site.config, silentLogger)
    const died = dying.write(async (tx) => {
      const claimed = await dying.bulkJobs.claim(tx)
      expect(claimed?.id).toBe(job.id)
      // Meanwhile nobody else is at it.
      expect(await workBatch(site.storage)).toBe(0)
      throw new Error('the node is gone')
    })
    await expect(died).rejects.toThrow('the node is gone')
    await dying.close()
    await workAll()
    const done = (await ask(site.ana, 'GET', `/bulk-jobs/${job.id}`)).json
    expect(done).toMatchObject({ state: 'done', total: job.total, done: job.total, changed: job.total, can_undo: true })
    expect(await idsOf('status=open')).toEqual([])
    expect(await idsOf('label=spring%20clean')).toEqual([])
    const told = (await facts('conversation.changed')).filter(({ data }) => data['job_id'] === job.id)
    expect(new Set(told.map(({ data }) => data['conversation_id'])).size).toBe(job.total)
    expect(told).toHaveLength(job.total)

    // Three have been touched since: opened, given to somebody, opened and resolved again.
    const [opened = '', given = '', again = ''] = ids.slice(10, 13)
    await patch(opened, { status: 'open' })
    await patch(given, { assignee_id: 'me' })
    await patch(again, { status: 'open' })
    await patch(again, { status: 'resolved' })
    expect((await ask(site.ana, 'POST', `/bulk-jobs/${job.id}/undo`)).json.state).toBe('undoing')
    await workAll()
    const undone = (await ask(site.ana, 'GET', `/bulk-jobs/${job.id}`)).json
    expect(undone).toMatchObject({ state: 'undone', undone: job.total - 3, skipped: 3, can_undo: false })
    const now = await Promise.all([opened, given, again, ids[0] ?? ''].map((id) => ask(site.ana, 'GET', `/conversations/${id}`)))
    expect(now.map(({ json }) => [json.status, json.priority])).toEqual([['open', 'low'], ['resolved', 'low'], ['resolved', 'low'], ['open', 'none']]) // prettier-ignore
    expect((await idsOf('label=spring%20clean')).sort()).toEqual(ids.slice(0, 3).sort())
    expect((await ask(site.ana, 'POST', `/bulk-jobs/${job.id}/undo`)).json.code).toBe('wrong_state')
    const audit = (await ask(site.ana, 'GET', '/audit?action=bulk')).json.items
    expect(audit.map((entry: { action: string }) => entry.action)).toEqual(['bulk.undone', 'bulk.started'])
  }) // prettier-ignore

  it('can be called off, takes only what the asker sees, and refuses what is nothing', async () => {
    const one = await begin()
    const job = (await ask(site.ana, 'POST', '/conversations/bulk', { ids: [one.id, newId()], change: { status: 'resolved' } })).json // prettier-ignore
    expect(job.total).toBe(1)
    expect((await ask(site.ana, 'POST', `/bulk-jobs/${job.id}/cancel`)).json.state).toBe('cancelled')
    await workAll()
    expect((await ask(site.ana, 'GET', `/conversations/${one.id}`)).json.status).toBe('open')
    const foreign = await ask(site.zoe, 'POST', '/conversations/bulk', {
      ids: [one.id],
      change: { status: 'resolved' },
    })
    expect(foreign.status).toBe(422)
    expect((await ask(site.ana, 'POST', '/conversations/bulk', { ids: [one.id], change: {} })).status).toBe(422)
    expect((await ask(site.ana, 'POST', '/conversations/bulk', { change: { status: 'open' } })).status).toBe(422)
  })
})
