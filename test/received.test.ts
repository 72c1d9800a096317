/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- answers are looked into at will */
/** The log of what networks sent: found by what is known of it, shown whole one at a time, replayed, and removed when old. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listSweeps } from '../backend/maintenance.ts'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import type { TraceEntry } from '../storage/index.ts'
import type { ReceivedState } from '../storage/model/words.ts'
import { beginConversation, connectChannels, openSite } from './web-site.ts'
import type { Node, Site } from './web-site.ts'

let site: Site
let node: Node
let keys: Awaited<ReturnType<typeof connectChannels>>
let conversation: Awaited<ReturnType<typeof beginConversation>>

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  keys = await connectChannels(site, site.ana.accountId)
  conversation = await beginConversation(site, site.ana.accountId, keys.pageId)
})
afterAll(() => site.close())

interface Wish {
  readonly state?: ReceivedState
  readonly body?: string | Buffer
  readonly at?: Date
  readonly appId?: string
  readonly channelId?: string | null
  readonly trace?: readonly TraceEntry[]
  readonly reason?: string
}

/** Rows as the messaging nodes leave them. */
async function keep(...wishes: readonly Wish[]): Promise<string[]> {
  const rows = wishes.map((wish) => ({
    id: newId(),
    accountId: site.ana.accountId,
    appId: wish.appId ?? keys.metaId,
    channelId: wish.channelId ?? null,
    body: Buffer.from(wish.body ?? '{"object":"page"}'),
    state: wish.state ?? 'processed',
    reason: wish.reason ?? null,
    trace: wish.trace ?? [],
    receivedAt: wish.at ?? new Date(),
    processedAt: new Date(),
  }))
  await site.storage.write((tx) => site.storage.received.settle(tx, rows))
  // Somebody else has written this: it is there for everybody once the replica has it.
  const last = rows.at(-1)?.id ?? ''
  while ((await site.storage.received.get(site.storage.bulk, site.ana.accountId, last)) === undefined) await sleep(2)
  return rows.map(({ id }) => id)
}

const list = async (query: string) => (await node.ask(site.ana, 'GET', `/received?${query}`)).json
const idsOf = (answer: { items: { id: string }[] }): string[] => answer.items.map(({ id }) => id)
const stateOf = async (id: string) =>
  (await site.storage.received.get(site.storage.primary, site.ana.accountId, id))?.state

describe('the list', () => {
  it('is narrowed by app, channel, state and time, each alone and together', async () => {
    const old = new Date('2026-01-02T03:04:05Z')
    const [a = '', b = '', c = ''] = await keep(
      { at: old, state: 'dead', reason: 'it fell', channelId: keys.pageId },
      { at: new Date(old.getTime() + 1), state: 'kept', reason: 'a test of the dashboard', appId: keys.xId },
      { at: new Date(old.getTime() + 2), channelId: keys.pageId },
    )
    const days = `from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z`
    expect(idsOf(await list(days))).toEqual([c, b, a])
    expect(idsOf(await list(`${days}&state=dead`))).toEqual([a])
    expect(idsOf(await list(`${days}&app_id=${keys.xId}`))).toEqual([b])
    expect(idsOf(await list(`${days}&channel_id=${keys.pageId}`))).toEqual([c, a])
    expect(idsOf(await list(`${days}&channel_id=${keys.pageId}&state=dead&app_id=${keys.metaId}`))).toEqual([a])
    expect(idsOf(await list(`from=${old.toISOString()}&to=${new Date(old.getTime() + 1).toISOString()}`))).toEqual([a])
    expect((await list(`${days}&state=dead`)).items[0]).toMatchObject({ reason: 'it fell', tries: 1 })
  })

  it('goes on by cursor without loss or repetition, also among rows of one instant', async () => {
    const at = new Date('2026-02-01T00:00:00Z')
    const made = await keep(...Array.from({ length: 7 }, () => ({ at })))
    const seen: string[] = []
    let cursor = ''
    do {
      const page = await list(`from=2026-02-01T00:00:00Z&to=2026-02-02T00:00:00Z&limit=3${cursor}`)
      seen.push(...idsOf(page))
      await keep({ at: new Date(at.getTime() + 1_000) })
      cursor = page.next_cursor === null ? '' : `&cursor=${String(page.next_cursor)}`
    } while (cursor !== '')
    expect(seen).toEqual([...made].sort().reverse())
  })

  it('finds by the beginning of its id, and by the message it became, ours or the network’s id', async () => {
    const message = await site.storage.messages.get(site.storage.primary, site.ana.accountId, conversation.messageId)
    const [id = ''] = await keep({
      at: message?.receivedAt ?? new Date(),
      trace: [{ at: 'entry.0.messaging.0', became: 'message', id: conversation.messageId }],
    })
    await keep({ at: message?.receivedAt ?? new Date() })
    for (const text of [id, id.slice(0, 26).toUpperCase(), conversation.messageId, message?.externalId ?? ''])
      expect([text, idsOf(await list(`q=${encodeURIComponent(text)}`))]).toEqual([text, [id]])
    for (const text of ['m_unknown', '%', '_', "' or 1=1", newId()])
      expect([text, idsOf(await list(`q=${encodeURIComponent(text)}`))]).toEqual([text, []])
    expect(
      (await node.ask(site.zoe, 'GET', `/received?q=${encodeURIComponent(message?.externalId ?? '')}`)).json.items,
    ).toEqual([])
    const one = (await node.ask(site.ana, 'GET', `/received/${id}`)).json
    expect(one.trace).toEqual([
      {
        at: 'entry.0.messaging.0',
        became: 'message',
        id: conversation.messageId,
        conversation_id: conversation.id,
      },
    ])
  })

  it('carries the beginning of bodies, small ones whole if wanted; the one shows all of it', async () => {
    const text = `{"text":"${'ü'.repeat(40_000)}"}`
    const at = new Date('2026-03-01T00:00:00Z')
    const [large = '', small = '', odd = ''] = await keep(
      { at, body: text },
      { at: new Date(at.getTime() + 1), body: '{"a":1}' },
      { at: new Date(at.getTime() + 2), body: Buffer.from([0xff, 0x7b, 0x00]) },
    )
    const days = 'from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z'
    const whole = new Map((await list(days)).items.map((item: { id: string }) => [item.id, item]))
    expect(whole.get(large)).toMatchObject({ size: 80_011, body: null })
    expect(whole.get(large)).toMatchObject({ snippet: expect.stringMatching(/^\{"text":"ü{90,}$/) as string })
    expect(whole.get(small)).toMatchObject({ size: 7, body: '{"a":1}', snippet: '{"a":1}' })
    expect(whole.get(odd)).toMatchObject({ size: 3 })
    expect((await list(`${days}&body=no`)).items.map(({ body }: { body: unknown }) => body)).toEqual([null, null, null])
    expect((await node.ask(site.ana, 'GET', `/received/${large}`)).json.body).toBe(text)
  })

  it('does not read bodies: a page of fifty large ones is small and quick', async () => {
    const at = new Date('2026-04-01T00:00:00Z')
    const body = Buffer.alloc(500_000, 'x')
    for (let index = 0; index < 50; index += 10) await keep(...Array.from({ length: 10 }, () => ({ at, body })))
    const begin = performance.now()
    const response = await fetch(`${node.url}/api/v1/received?from=2026-04-01T00:00:00Z&to=2026-04-02T00:00:00Z`, {
      headers: { authorization: `Bearer ${site.ana.token}` },
    })
    const text = await response.text()
    expect(JSON.parse(text).items).toHaveLength(50)
    expect(text.length).toBeLessThan(60_000)
    expect(performance.now() - begin).toBeLessThan(1_000)
  })
})

describe('replaying', () => {
  it('hands the chosen in again, all of them once, and no others', async () => {
    const at = new Date('2026-05-01T00:00:00Z')
    const dead = await keep(...Array.from({ length: 1_203 }, () => ({ at, state: 'dead' as const, reason: 'it fell' })))
    const [kept = '', later = ''] = await keep(
      { at, state: 'kept' },
      { at: new Date('2026-05-03T00:00:00Z'), state: 'dead' },
    )
    const filter = { state: 'dead', from: '2026-05-01T00:00:00Z', to: '2026-05-02T00:00:00Z' }
    const answer = await node.ask(site.ana, 'POST', '/received/replay', { filter })
    expect([answer.status, answer.json]).toEqual([202, { count: 1_203, is_complete: true, next_to: null }])
    expect(await stateOf(dead[0] ?? '')).toBe('pending')
    expect(await stateOf(dead[1_202] ?? '')).toBe('pending')
    expect([await stateOf(kept), await stateOf(later)]).toEqual(['kept', 'dead'])
    expect((await node.ask(site.ana, 'POST', '/received/replay', { filter })).json.count).toBe(0)
  })

  it('needs to be told which, and touches nothing of another account', async () => {
    const [id = ''] = await keep({ state: 'dead' })
    for (const body of [{ filter: {} }, {}, { filter: { state: 'lost' } }, { filter: { account_id: 'x' } }])
      expect((await node.ask(site.ana, 'POST', '/received/replay', body)).status).toBe(422)
    for (const filter of [{ state: 'dead' }, { q: id }, { app_id: keys.metaId }, { channel_id: keys.pageId }])
      expect((await node.ask(site.zoe, 'POST', '/received/replay', { filter })).json.count).toBe(0)
    expect((await node.ask(site.ben, 'POST', '/received/replay', { filter: { q: id } })).status).toBe(403)
    expect(await stateOf(id)).toBe('dead')
  })

  it('gives the same count to a repeated request, and does its work once', async () => {
    const [id = ''] = await keep({ state: 'dead' })
    const headers = { 'idempotency-key': newId() }
    const ask = () => node.ask(site.ana, 'POST', '/received/replay', { filter: { q: id } }, headers)
    const first = await ask()
    expect(first.json.count).toBe(1)
    expect((await ask()).json).toEqual(first.json)
  })
})

describe('what is old', () => {
  it('is removed after the set days, in portions; what waits stays, and so do the messages', async () => {
    const ago = (days: number): Date => new Date(Date.now() - days * 24 * 60 * 60_000)
    const old = await keep(
      ...Array.from({ length: 1_100 }, (_, index) => ({
        at: ago(31),
        state: (['processed', 'kept', 'dead'] as const)[index % 3] ?? 'kept',
      })),
    )
    const [young = ''] = await keep({ at: ago(29) })
    const waiting = newId()
    await site.storage.write((tx) =>
      site.storage.received.keepPending(tx, {
        id: waiting,
        accountId: site.ana.accountId,
        appId: keys.metaId,
        body: Buffer.from('{}'),
        receivedAt: ago(60),
      }),
    )
    expect(site.config.receivedDays).toBe(30)
    const sweep = listSweeps(site.storage, silentLogger, site.config).find(({ name }) => name === 'old-received-bodies')
    await sweep?.work(new AbortController().signal)
    for (const id of [old[0], old[1], old[2], old[1_099]]) expect(await stateOf(id ?? '')).toBeUndefined()
    expect([await stateOf(young), await stateOf(waiting)]).toEqual(['processed', 'pending'])
    expect(
      await site.storage.messages.get(site.storage.primary, site.ana.accountId, conversation.messageId),
    ).toBeDefined()
  })
})
