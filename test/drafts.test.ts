/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-argument -- answers are looked into at will */
/** Drafts: one's own, the same in every tab, gone when sent, and with their files kept. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mostDrafts } from '../backend/drafts.ts'
import { removeUnnamed } from '../backend/leftovers.ts'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { beginConversation, connectChannels, openSite } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let site: Site
let node: Node
let pageId: string

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  pageId = (await connectChannels(site, site.ana.accountId)).pageId
})
afterAll(() => site.close())

const begin = () => beginConversation(site, site.ana.accountId, pageId)
const pathOf = (id: string) => `/conversations/${id}/draft`
const put = (id: string, body: object, person: Person = site.ben) => node.ask(person, 'PUT', pathOf(id), body)
const get = async (id: string, person: Person = site.ben) => (await node.ask(person, 'GET', pathOf(id))).json.draft

async function file(name: string): Promise<string> {
  const response = await fetch(`${node.url}/api/v1/documents?name=${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${site.ben.token}`, 'content-type': 'text/plain' },
    body: `${name} ${newId()}`,
  })
  const { id } = (await response.json()) as { id: string }
  return id
}

describe('a draft', () => {
  it('is kept for its writer alone, until it is discarded', async () => {
    const { id } = await begin()
    expect(await get(id)).toBeNull()
    const kept = await put(id, { kind: 'reply', text: 'Dear Chloé, 👋 ', in_reply_to: 'm1' })
    expect(kept.json.draft).toMatchObject({ conversation_id: id, kind: 'reply', text: 'Dear Chloé, 👋 ', in_reply_to: 'm1', attachments: [] }) // prettier-ignore
    expect(await get(id)).toEqual(kept.json.draft)
    expect(await get(id, site.ana)).toBeNull()
    expect((await node.ask(site.ben, 'GET', '/drafts')).json.items).toEqual([
      { conversation_id: id, kind: 'reply', version: kept.json.draft.version, updated_at: kept.json.draft.updated_at },
    ])
    expect((await node.ask(site.ana, 'GET', '/drafts')).json.items).toEqual([])
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect(
        (await node.ask(site.zoe, method, pathOf(id), method === 'PUT' ? { kind: 'note' } : undefined)).status,
      ).toBe(404)
    expect((await node.ask(site.ben, 'DELETE', pathOf(id))).status).toBe(204)
    expect(await get(id)).toBeNull()
    expect((await node.ask(site.ben, 'DELETE', pathOf(id))).status).toBe(204)
    const events = await site.storage.primary.query("select 1 from outbox where data like '%Dear%'")
    expect(events).toEqual([])
  })

  it('is not lost to an older tab: it is told what is there', async () => {
    const { id } = await begin()
    const first = (await put(id, { kind: 'reply', text: 'one', version: 0 })).json.draft.version as number
    const late = await put(id, { kind: 'reply', text: 'another beginning', version: 0 })
    expect([late.status, late.json.code, late.json.now.text]).toEqual([409, 'draft_changed', 'one'])
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => put(id, { kind: 'note', text: `tab ${String(n)}`, version: first })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(409)])
    const winner = answers.find(({ status }) => status === 200)?.json.draft
    expect(await get(id)).toEqual(winner)
    expect(winner.version).toBeGreaterThan(first)
    // Without a version the last one wins.
    expect((await put(id, { kind: 'note', text: 'whatever was there' })).status).toBe(200)
    // A tab that saw one which is gone does not bring it back, nor does an empty one stay.
    expect((await put(id, { kind: 'reply', text: ' ' })).json).toEqual({ draft: null })
    const gone = await put(id, { kind: 'reply', text: 'again', version: winner.version })
    expect([gone.status, gone.json.now]).toEqual([409, null])
    expect((await put(id, { kind: 'reply', text: 'anew', version: 0 })).json.draft.version).toBeGreaterThan(
      winner.version,
    )
  })

  it('goes when it is sent, unless it was changed since', async () => {
    const { id } = await begin()
    const { version } = (await put(id, { kind: 'reply', text: 'It is.' })).json.draft
    const say = (body: object) => node.ask(site.ben, 'POST', `/conversations/${id}/messages`, body)
    expect((await say({ kind: 'reply', text: 'It is.', draft_version: version })).status).toBe(201)
    expect(await get(id)).toBeNull()
    const again = (await put(id, { kind: 'note', text: 'n' })).json.draft
    const newer = (await put(id, { kind: 'note', text: 'n and more' })).json.draft
    expect((await say({ kind: 'note', text: 'n', draft_version: again.version })).status).toBe(201)
    expect(await get(id)).toEqual(newer)
    expect((await say({ kind: 'note', text: 'n and more', draft_version: newer.version })).status).toBe(201)
    expect(await get(id)).toBeNull()
  })

  it('holds its files from the sweep', async () => {
    const { id } = await begin()
    const [kept, left] = [await file('map'), await file('plan')]
    const shown = (await put(id, { kind: 'reply', attachment_ids: [kept] })).json.draft
    expect(shown.attachments).toMatchObject([{ id: kept, content_type: 'text/plain' }])
    await site.storage.write((tx) => tx.run('update documents set created_at = utc_timestamp(3) - interval 30 day'))
    const there = (one: string) => site.storage.documents.get(site.storage.primary, site.ana.accountId, one)
    const until = Date.now() + 5_000
    while ((await there(left)) !== undefined && Date.now() < until)
      await removeUnnamed(site.storage, silentLogger, new AbortController().signal)
    expect([(await there(kept))?.id, await there(left)]).toEqual([kept, undefined])
    const refused = await put(id, { kind: 'reply', attachment_ids: [left] })
    expect([refused.status, refused.json.code]).toEqual([422, 'attachment_gone'])
    expect((await put(id, { kind: 'reply', attachment_ids: ['x'] })).status).toBe(422)
    expect((await get(id)).attachments).toHaveLength(1)
  })

  it('has limits, and is cleared away after a month', async () => {
    const { id } = await begin()
    expect((await put(id, { kind: 'reply', text: 'x'.repeat(100_001) })).status).toBe(422)
    expect((await put(id, { kind: 'reply', attachment_ids: Array(51).fill(newId()) })).status).toBe(422)
    await put(id, { kind: 'reply', text: 'fresh' })
    const { accountId, userId } = site.ana
    await site.storage.write((tx) =>
      tx.insertMany(
        'drafts',
        ['account_id', 'user_id', 'conversation_id', 'kind', 'text', 'version', 'updated_at'],
        Array.from({ length: mostDrafts }, () => [accountId, userId, newId(), 'reply', 'old', 1, new Date(Date.now() - 31 * 86_400_000)]),
      ),
    ) // prettier-ignore
    const more = await put(id, { kind: 'reply', text: 'one more' }, site.ana)
    expect([more.status, more.json.code]).toEqual([409, 'too_many_drafts'])
    expect(await get(id, site.ana)).toBeNull()
    const month = new Date(Date.now() - 30 * 86_400_000)
    const removed = await site.storage.write((tx) => site.storage.drafts.removeBefore(tx, month, 1_000))
    expect(removed).toBe(mostDrafts)
    expect((await put(id, { kind: 'reply', text: 'one more' }, site.ana)).status).toBe(200)
    expect((await get(id)).text).toBe('fresh')
  })
})
