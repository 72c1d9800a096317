/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- answers are looked into at will */
/** Contacts over HTTP: found by any address, described, noted about, merged and taken apart, blocked, put into segments. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renewContacts } from '../backend/search-index.ts'
import { newId } from '../infra/ids.ts'
import type { Conversation, Message } from '../storage/index.ts'
import { summarise, summariseQuietly } from '../messaging/summary.ts'
import { connectChannels, openSite } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let site: Site
let node: Node
let channelId: string

/** A person on a channel with a direct line there. */
async function begin(
  name: string,
  address: { type?: 'facebook' | 'whatsapp'; id?: string; handle?: string } = {},
): Promise<{ contactId: string; conversationId: string; addressId: string }> {
  const { storage, ana } = site
  const externalId = address.id ?? newId()
  return storage.write(async (tx) => {
    const people = await storage.contacts.resolve(tx, [
      {
        ...{ accountId: ana.accountId, channelType: address.type ?? 'facebook', scope: channelId, externalId, name },
        ...{ handle: address.handle, pictureUrl: undefined },
      },
    ])
    const [found] = people.values()
    if (found === undefined) throw new Error('nobody was made')
    const begun = await storage.conversations.begin(tx, [
      {
        ...{ accountId: ana.accountId, channelId, contactId: found.contactId, contactAddressId: found.id },
        ...{ visibility: 'direct', threadKey: externalId, postId: null, lastActivityAt: new Date() },
      },
    ])
    const [conversation] = begun.all.values()
    const now = new Date()
    await storage.messages.insert(tx, [
      {
        ...{ id: newId(), accountId: ana.accountId, channelId, conversationId: conversation?.id ?? '' },
        ...{ contactId: found.contactId, direction: 'inbound', kind: 'message', visibility: 'direct' },
        ...{ externalId: `m_${externalId}`, authorId: null, text: `I am ${name}`, inReplyTo: null, extra: null },
        ...{ reactions: null, isHidden: false, occurredAt: now, receivedAt: now, editedAt: null, deletedAt: null },
      },
    ])
    return { contactId: found.contactId, conversationId: conversation?.id ?? '', addressId: found.id }
  })
}

const ask = (method: string, path: string, body?: unknown, who: Person = site.ana) => node.ask(who, method, path, body)
const found = async (filter: string, who: Person = site.ana): Promise<string[]> =>
  (await ask('GET', `/contacts?${filter}`, undefined, who)).json.items.map((item: { name: string }) => item.name)

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  ;({ pageId: channelId } = await connectChannels(site, site.ana.accountId))
})
afterAll(() => site.close())

describe('a contact', () => {
  it('is found by any address, in any writing, and by nobody else', async () => {
    await begin('Jürgen Weiß', { type: 'whatsapp', id: '4915112345678' })
    await begin('山田花子', { handle: 'hanako_y' })
    await renewContacts(site.storage)
    const table: [string, string[]][] = [
      ['0151 123 456 78', ['Jürgen Weiß']],
      ['+49 (0)151 12345678', ['Jürgen Weiß']],
      ['0049-151-12345678', ['Jürgen Weiß']],
      ['jurgen', ['Jürgen Weiß']],
      ['WEISS jür', ['Jürgen Weiß']],
      ['@hanako', ['山田花子']],
      ['hanako_y', ['山田花子']],
      ['花子', ['山田花子']],
      ['花', ['山田花子']],
      ['0151 999', []],
      ["%' or 1=1", []],
    ]
    for (const [q, expected] of table) expect([q, await found(`q=${encodeURIComponent(q)}`)]).toEqual([q, expected])
    expect(await found('q=jurgen', site.zoe)).toEqual([])
  })

  it('has attributes of the types that the account defines, and is found by them', async () => {
    for (const definition of [
      { key: 'city', name: 'City', type: 'text' },
      { key: 'orders', name: 'Orders', type: 'number' },
      { key: 'since', name: 'Customer since', type: 'date' },
      { key: 'tier', name: 'Tier', type: 'choice', choices: ['gold', 'silver'] },
      { key: 'mail', name: 'E-mail', type: 'text' },
    ])
      expect((await ask('POST', '/contact-attributes', definition)).status).toBe(201)
    expect((await ask('POST', '/contact-attributes', { key: 'city', name: 'C', type: 'text' })).status).toBe(409)
    expect((await ask('POST', '/contact-attributes', { key: 'x y', name: 'C', type: 'text' })).status).toBe(422)
    const { contactId } = await begin('Mira Novak')
    const set = (attributes: unknown) => ask('PATCH', `/contacts/${contactId}`, { attributes })
    for (const wrong of [
      { orders: '12' },
      { since: '2026-02-30' },
      { tier: 'iron' },
      { city: 7 },
      { nothing: 'x' },
      { city: 'x'.repeat(501) },
      { orders: { $gt: 1 } },
    ])
      // prettier-ignore
      expect([wrong, (await set(wrong)).status]).toEqual([wrong, 422])
    const good = await set({ city: 'Köln', orders: 12, since: '2024-03-09', tier: 'gold', mail: 'Mira@Novak.example' })
    expect(good.json.attributes).toEqual({ city: 'Köln', orders: 12, since: '2024-03-09', tier: 'gold', mail: 'Mira@Novak.example' }) // prettier-ignore
    for (const filter of [
      'attribute=city:is:koln',
      'attribute=orders:more:10',
      'attribute=since:less:2025-01-01',
      'attribute=tier:set:',
      'attribute=city:contains:ö&attribute=tier:is:gold',
      'q=mira%40novak.example',
    ])
      // prettier-ignore
      expect([filter, await found(filter)]).toEqual([filter, ['Mira Novak']])
    for (const filter of [
      'attribute=city:is:bonn',
      'attribute=orders:less:10',
      'attribute=tier:is_not:gold&attribute=tier:set:',
    ])
      // prettier-ignore
      expect([filter, await found(filter)]).toEqual([filter, []])
    expect((await ask('GET', '/contacts?attribute=city')).status).toBe(422)
    expect((await set({ city: null })).json.attributes.city).toBeUndefined()
  })

  it('is noted about, and only who wrote a note changes it', async () => {
    const { contactId } = await begin('Noted')
    const note = (await ask('POST', `/contacts/${contactId}/notes`, { text: 'calls back on Mondays' })).json
    const path = `/contacts/${contactId}/notes/${String(note.id)}`
    expect((await ask('PATCH', path, { text: 'Ben was here' }, site.ben)).status).toBe(404)
    expect((await ask('PATCH', path, { text: 'on Tuesdays' })).json.text).toBe('on Tuesdays')
    expect((await ask('GET', `/contacts/${contactId}/notes`, undefined, site.zoe)).status).toBe(404)
    expect((await ask('DELETE', path)).status).toBe(204)
    expect((await ask('GET', `/contacts/${contactId}/notes`)).json.items).toEqual([])
  })
})

describe('two that are one', () => {
  it('are suggested with reasons, merged with a survivor, and taken apart again', async () => {
    const one = await begin('Olga Brandt', { type: 'whatsapp', id: '380671234567' })
    const two = await begin('Olga Brandt', { handle: 'olga.b' })
    await ask('PATCH', `/contacts/${one.contactId}`, { attributes: { city: 'Kyiv' } })
    await ask('PATCH', `/contacts/${two.contactId}`, { attributes: { city: 'Lviv', orders: 3 } })
    await ask('POST', `/contacts/${two.contactId}/notes`, { text: 'prefers mail' })
    const { items } = (await ask('GET', `/contacts/${one.contactId}/suggestions`)).json
    expect(items.map((item: { contact: { id: string }; reasons: { kind: string }[] }) => [item.contact.id, item.reasons.map(({ kind }) => kind)])).toEqual([[two.contactId, ['name']]]) // prettier-ignore

    expect((await ask('POST', `/contacts/${one.contactId}/merge`, { other_id: two.contactId }, site.ben)).status).toBe(403) // prettier-ignore
    expect((await ask('POST', `/contacts/${one.contactId}/merge`, { other_id: one.contactId })).status).toBe(422)
    expect((await ask('POST', `/contacts/${one.contactId}/merge`, { other_id: two.contactId }, site.zoe)).status).toBe(404) // prettier-ignore
    const merge = (await ask('POST', `/contacts/${one.contactId}/merge`, { other_id: two.contactId })).json
    expect(merge).toMatchObject({ conversation_count: 1, address_count: 1, merged_name: 'Olga Brandt' })
    const whole = (await ask('GET', `/contacts/${two.contactId}`)).json
    expect(whole.id).toBe(one.contactId)
    expect(whole.attributes).toEqual({ city: 'Kyiv', orders: 3 })
    expect(whole.addresses.length).toBe(2)
    expect(await found('q=olga')).toEqual(['Olga Brandt'])
    const timeline = (await ask('GET', `/contacts/${one.contactId}/timeline`)).json.items
    expect(timeline.length).toBe(2)
    // Each line stays what it was.
    for (const each of [one, two])
      expect((await ask('GET', `/conversations/${each.conversationId}`)).json.contact.id).toBe(one.contactId)

    const third = await begin('Olga B.', { id: 'third' })
    const later = (await ask('POST', `/contacts/${third.contactId}/merge`, { other_id: one.contactId })).json
    expect((await ask('POST', `/merges/${String(merge.id)}/undo`)).json.code).toBe('merged_since')
    expect((await ask('POST', `/merges/${String(later.id)}/undo`)).status).toBe(200)
    expect((await ask('GET', `/contacts/${two.contactId}`)).json.id).toBe(one.contactId)

    await ask('PATCH', `/contacts/${one.contactId}`, { attributes: { tier: 'gold' } })
    expect((await ask('POST', `/merges/${String(merge.id)}/undo`, undefined, site.zoe)).status).toBe(404)
    expect((await ask('POST', `/merges/${String(merge.id)}/undo`)).status).toBe(200)
    expect((await ask('POST', `/merges/${String(merge.id)}/undo`)).json.code).toBe('undone')
    const apart = await Promise.all([one, two].map(async ({ contactId }) => (await ask('GET', `/contacts/${contactId}`)).json)) // prettier-ignore
    expect(apart.map(({ attributes }) => attributes)).toEqual([{ city: 'Kyiv', tier: 'gold' }, { city: 'Lviv', orders: 3 }]) // prettier-ignore
    expect(apart.map(({ addresses }) => addresses.map(({ id }: { id: string }) => id))).toEqual([[one.addressId], [two.addressId]]) // prettier-ignore
    expect((await ask('GET', `/contacts/${two.contactId}/notes`)).json.items.length).toBe(1)
    expect((await ask('GET', `/conversations/${two.conversationId}`)).json.contact.id).toBe(two.contactId)
    const audit = (await ask('GET', '/audit?action=contact')).json.items.map(({ action }: { action: string }) => action)
    expect(audit).toEqual(['contact.merge_undone', 'contact.merge_undone', 'contact.merged', 'contact.merged'])
    expect((await ask('GET', '/audit/verify')).json.is_whole ?? true).toBe(true)
  })

  it('are merged once by two who do it at the same time', async () => {
    const [one, two] = [await begin('Twin A'), await begin('Twin B')]
    const both = await Promise.all([
      ask('POST', `/contacts/${one.contactId}/merge`, { other_id: two.contactId }),
      ask('POST', `/contacts/${two.contactId}/merge`, { other_id: one.contactId }),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual([201, 404])
  })
})

describe('someone who is blocked', () => {
  const conversation = { preview: 'x', status: 'resolved', lastActivityAt: new Date(0), lastInboundAt: new Date(0), waitingSince: null } as unknown as Conversation // prettier-ignore
  const message = { direction: 'inbound', occurredAt: new Date(1_000), text: 'hello?', deletedAt: null } as unknown as Message // prettier-ignore

  it('is kept and shown, but opens nothing', async () => {
    expect(summarise(conversation, message, [])).toMatchObject({ status: 'open', waitingSince: message.occurredAt })
    expect(summariseQuietly(conversation, message, [])).toMatchObject({ status: 'resolved', waitingSince: null, preview: 'hello?' }) // prettier-ignore
    expect(summariseQuietly({ ...conversation, preview: '', lastInboundAt: null, status: 'open' }, message, []).status).toBe('resolved') // prettier-ignore
    const { contactId } = await begin('Spammer')
    expect((await ask('PATCH', `/contacts/${contactId}`, { is_blocked: true })).json.blocked_at).not.toBeNull()
    expect(await site.storage.contacts.blockedOf(site.storage.primary, [contactId])).toEqual(new Set([contactId]))
    expect(await found('is_blocked=true')).toEqual(['Spammer'])
    expect((await ask('PATCH', `/contacts/${contactId}`, { is_blocked: false })).json.blocked_at).toBeNull()
  })
})

describe('segments', () => {
  it('are filters by a name', async () => {
    await begin('Rare Person')
    await renewContacts(site.storage)
    const made = await ask('POST', '/segments', { name: 'Rare', filter: { q: 'rare', channel_id: channelId, active_within_days: 7 } }) // prettier-ignore
    expect(made.status).toBe(201)
    const path = `/segments/${String(made.json.id)}`
    expect(await found(`segment=${String(made.json.id)}`)).toEqual(['Rare Person'])
    expect(await found(`segment=${String(made.json.id)}&q=weiss`)).toEqual([])
    expect((await ask('POST', '/segments', { name: 'rare', filter: {} })).status).toBe(409)
    expect((await ask('POST', '/segments', { name: 'Bad', filter: { sql: '1' } })).status).toBe(422)
    expect((await ask('GET', `/contacts?segment=${String(made.json.id)}`, undefined, site.zoe)).status).toBe(404)
    expect((await ask('PATCH', path, { filter: { inactive_for_days: 7 } })).status).toBe(200)
    expect(await found(`segment=${String(made.json.id)}`)).toEqual([])
    expect((await ask('DELETE', path)).status).toBe(204)
    expect((await ask('GET', `/contacts?segment=${String(made.json.id)}`)).status).toBe(404)
  })

  it('and lists come in pages', async () => {
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const { json } = await ask('GET', `/contacts?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`)
      seen.push(...json.items.map(({ id }: { id: string }) => id))
      cursor = json.next_cursor
    }
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.length).toBeGreaterThan(6)
  })
})
