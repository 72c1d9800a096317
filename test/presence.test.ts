/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-argument -- answers are looked into at will */
/** Who is there: told at one node, seen at another, by those who may; and nobody is remembered for long. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import { until } from './platform.ts'
import { beginConversation, connectChannels, openSite } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let site: Site
let node: Node
let other: Node
let pageId: string
let limited: Person
let viewerOfNothing: Person

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  other = await site.addNode()
  pageId = (await connectChannels(site, site.ana.accountId)).pageId
  const { accountId } = site.ana
  limited = await site.storage.write(async (tx) => {
    const email = 'lim@harbour.example'
    const userId = await site.storage.users.create(tx, { accountId, email, name: 'Lim', role: 'agent', passwordHash: null, channelIds: [newId()] }) // prettier-ignore
    const { text } = await site.storage.tokens.create(tx, { accountId, userId, name: 'test' })
    return { accountId, userId, email, token: text }
  })
  viewerOfNothing = await site.storage.write(async (tx) => {
    const { text } = await site.storage.tokens.create(tx, { ...site.ana, name: 'nothing', scopes: ['users.read'] })
    return { ...site.ana, token: text }
  })
})
afterAll(() => site.close())

interface Heard {
  readonly type: string
  readonly hasId: boolean
  readonly data: any // eslint-disable-line @typescript-eslint/no-explicit-any -- looked into at will
}

async function listen(at: Node, person: Person) {
  const control = new AbortController()
  const response = await fetch(`${at.url}/api/v1/live`, {
    headers: { authorization: `Bearer ${person.token}` },
    signal: control.signal,
  })
  const heard: Heard[] = []
  let text = ''
  const read = async () => {
    const decoder = new TextDecoder()
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true })
      for (let mark = text.indexOf('\n\n'); mark !== -1; mark = text.indexOf('\n\n')) {
        const frame = text.slice(0, mark)
        text = text.slice(mark + 2)
        const data = /^data: (.*)$/m.exec(frame)?.[1]
        if (data !== undefined)
          heard.push({
            type: /^event: (.*)$/m.exec(frame)?.[1] ?? '',
            hasId: /^id:/m.test(frame),
            data: JSON.parse(data),
          })
      }
    }
  }
  void read().catch(() => undefined)
  return {
    heard,
    /** The newest that was said of this person. */
    of: ({ userId }: Person) =>
      heard
        .flatMap(({ type, data }) => (type === 'presence' ? data.users : []))
        .findLast((user) => user.user_id === userId),
    close: () => {
      control.abort()
    },
  }
}

const say = (at: Node, person: Person, body: object) => at.ask(person, 'POST', '/presence', body)

describe('presence', () => {
  it('goes from node to node, to those of the account who may see the conversation', async () => {
    const { id } = await beginConversation(site, site.ana.accountId, pageId)
    const streams = {
      near: await listen(node, site.ana),
      far: await listen(other, site.ana),
      limited: await listen(other, limited),
      foreign: await listen(other, site.zoe),
      nothing: await listen(other, viewerOfNothing),
    }
    expect((await say(node, site.ben, { conversation_id: id, typing: 'reply' })).status).toBe(204)
    const viewing = [{ conversation_id: id, typing: 'reply' }]
    for (const stream of [streams.near, streams.far])
      await until(() => JSON.stringify(stream.of(site.ben)?.viewing) === JSON.stringify(viewing))
    expect(streams.far.heard.every(({ hasId }) => !hasId)).toBe(true)
    await until(() => streams.limited.of(site.ben) !== undefined)
    expect(streams.limited.of(site.ben)).toEqual({
      user_id: site.ben.userId,
      is_here: true,
      is_away: false,
      viewing: [],
    })

    expect((await other.ask(site.ana, 'GET', `/presence?conversation_ids=${newId()},${id}`)).json.items).toEqual([
      { user_id: site.ben.userId, is_here: true, is_away: false, viewing },
    ])
    expect((await other.ask(limited, 'GET', `/presence?conversation_ids=${id}`)).json.items).toEqual([])
    expect((await other.ask(site.zoe, 'GET', '/presence')).json.items).toEqual([])

    // Another tab, at another node; then it is closed, and the first goes elsewhere.
    const { id: second } = await beginConversation(site, site.ana.accountId, pageId)
    await say(other, site.ben, { conversation_id: second, tab: 'b', is_away: true })
    await until(() => streams.near.of(site.ben)?.viewing.length === 2)
    await say(other, site.ben, { conversation_id: null, tab: 'b', is_away: true })
    await say(other, site.ben, { conversation_id: second, is_away: true })
    await until(() => streams.near.of(site.ben)?.is_away === true)
    expect(streams.near.of(site.ben)?.viewing).toEqual([{ conversation_id: second, typing: null }])
    expect(JSON.stringify([streams.foreign.heard, streams.nothing.heard])).not.toContain('presence')

    // Nothing is sent when nothing changes.
    const before = streams.near.heard.length
    await say(other, site.ben, { conversation_id: second, is_away: true })
    await sleep(1_600)
    expect(streams.near.heard.length).toBe(before)
    for (const stream of Object.values(streams)) stream.close()
  })

  it('ends after fifteen seconds without a word', async () => {
    const { id } = await beginConversation(site, site.ana.accountId, pageId)
    const stream = await listen(other, site.ana)
    await say(node, site.ben, { conversation_id: id, typing: 'note', tab: 'short' })
    await until(() => stream.of(site.ben)?.is_here === true)
    const begin = Date.now()
    await until(() => stream.of(site.ben)?.is_here === false, 20_000)
    expect(Date.now() - begin).toBeGreaterThan(10_000)
    expect((await node.ask(site.ana, 'GET', '/presence')).json.items).toEqual([])
    stream.close()
  }, 30_000)

  it('is refused for what one may not see, or too often', async () => {
    const { id } = await beginConversation(site, site.ana.accountId, pageId)
    expect((await say(node, site.zoe, { conversation_id: id })).status).toBe(404)
    expect((await say(node, limited, { conversation_id: id })).status).toBe(404)
    expect((await say(node, site.ana, { conversation_id: 'x' })).status).toBe(404)
    expect((await say(node, site.ana, { conversation_id: id, typing: 'poem' })).status).toBe(422)
    const all = await Promise.all(Array.from({ length: 40 }, () => say(node, site.ana, { conversation_id: null })))
    expect(all.some(({ status }) => status === 429)).toBe(true)
    expect(all.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('1')
  })

  it('tells the other tabs of a draft, and nobody else', async () => {
    const { id } = await beginConversation(site, site.ana.accountId, pageId)
    const own = await listen(other, site.ben)
    const colleague = await listen(other, site.ana)
    const drafts = () => own.heard.filter(({ type }) => type === 'draft').map(({ data }) => data)
    const { version } = (await node.ask(site.ben, 'PUT', `/conversations/${id}/draft`, { kind: 'reply', text: 'Hm' }))
      .json.draft
    await until(() => drafts().length === 1)
    await node.ask(site.ben, 'POST', `/conversations/${id}/messages`, {
      kind: 'note',
      text: 'Hm',
      draft_version: version,
    })
    await until(() => drafts().length === 2)
    expect(drafts()).toEqual([
      { conversation_id: id, version },
      { conversation_id: id, version: null },
    ])
    expect(colleague.heard.filter(({ type }) => type === 'draft')).toEqual([])
    own.close()
    colleague.close()
  })
})
