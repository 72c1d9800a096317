/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return -- answers are looked into at will */
/** The search over HTTP: what is found by whom, and that nothing that is asked breaks it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backfillOnce, renewContacts, searchFollower } from '../backend/search-index.ts'
import { newId } from '../infra/ids.ts'
import type { Message } from '../storage/index.ts'
import { beginConversation, connectChannels, openSite } from './web-site.ts'
import type { Node, Person, Site } from './web-site.ts'

let site: Site
let node: Node
let pageId: string

const said: Record<string, { id: string; contactId: string; messageIds: Record<string, string> }> = {}

const texts: Readonly<Record<string, readonly string[]>> = {
  'Chloé Marchand': ['Die Bestellung AB-1234 ist überfällig', 'Grüße aus Łódź', 'I want a refund for the blue coat'],
  'Tanaka Yuki': ['東京都庁への行き方を教えてください', '猫が好きです', 'iPhoneの修理'],
  'Somchai Dee': ['สวัสดีครับ ผมต้องการคืนเงิน', 'ok 7'],
  'Ivan Petrov': ['Где мой заказ? Ёлка', 'see https://shop.example/coat', 'the coat is blue, refund please, refund!'],
}

async function say(conversationId: string, contactId: string, text: string, extra: Partial<Message> = {}) {
  const now = new Date()
  const id = newId()
  await site.storage.write((tx) =>
    site.storage.messages.insert(tx, [
      {
        ...{ id, accountId: site.ana.accountId, channelId: pageId, conversationId, contactId, direction: 'inbound' },
        ...{ kind: 'message', visibility: 'direct', externalId: `m_${id}`, authorId: null, text, inReplyTo: null, extra: null },
        ...{ reactions: null, isHidden: false, occurredAt: now, receivedAt: now, editedAt: null, deletedAt: null },
        ...extra,
      },
    ]),
  ) // prettier-ignore
  return id
}

const tell = (ids: readonly string[], type = 'message.received') =>
  site.storage.write((tx) =>
    searchFollower(site.storage).handle(
      tx,
      ids.map((message_id, number) => ({ number, accountId: site.ana.accountId, type, data: { message_id }, at: new Date() })), // prettier-ignore
    ),
  )

const ask = async (q: string, who: Person = site.ana, more = '') =>
  (await node.ask(who, 'GET', `/search?q=${encodeURIComponent(q)}${more}`)).json
const names = (json: { items: { type: string; conversation?: { contact: { name: string } } }[] }) =>
  json.items.flatMap((item) => (item.type === 'conversation' ? [item.conversation?.contact.name] : []))

beforeAll(async () => {
  // Without a replica: what is written is there at once.
  site = await openSite({ PARLEY_REPLICA_URLS: '' })
  node = await site.addNode()
  ;({ pageId } = await connectChannels(site, site.ana.accountId))
  for (const [name, lines] of Object.entries(texts)) {
    const begun = await beginConversation(site, site.ana.accountId, pageId, name)
    const messageIds: Record<string, string> = {}
    for (const line of lines) messageIds[line] = await say(begun.id, begun.contactId, line)
    said[name] = { id: begun.id, contactId: begun.contactId, messageIds }
  }
  // All of it was there before anything followed.
  while (await backfillOnce(site.storage));
  await renewContacts(site.storage)
})
afterAll(() => site.close())

describe('words', () => {
  it.each([
    ['uberfallig', ['Chloé Marchand']],
    ['ÜBERFÄLLIG', ['Chloé Marchand']],
    ['bestell', ['Chloé Marchand']],
    ['ab-1234', ['Chloé Marchand']],
    ['1234', ['Chloé Marchand']],
    ['lodz grusse', ['Chloé Marchand']],
    ['東京都庁', ['Tanaka Yuki']],
    ['京都', ['Tanaka Yuki']],
    ['東庁', []],
    ['猫', ['Tanaka Yuki']],
    ['修理', ['Tanaka Yuki']],
    ['คืนเงิน', ['Somchai Dee']],
    ['สวัสดี', ['Somchai Dee']],
    ['ok', ['Somchai Dee']],
    ['7', ['Somchai Dee']],
    ['елка заказ', ['Ivan Petrov']],
    ['"blue coat"', ['Chloé Marchand']],
    ['coat -blue', ['Ivan Petrov']],
    ['refund coat -"blue coat"', ['Ivan Petrov']],
    ['the', ['Chloé Marchand', 'Ivan Petrov', 'Somchai Dee', 'Tanaka Yuki']],
    ['nowhere', []],
  ])('%s', async (q, expected) => {
    expect(names(await ask(q)).sort()).toEqual(expected)
  })

  it('are ranked by how much they say, then by time, and shown where they stand', async () => {
    const found = await ask('refund')
    expect(names(found)).toEqual(['Ivan Petrov', 'Chloé Marchand'])
    const [passage] = found.items[0].passages
    expect(passage.highlights.map(({ start, end }: { start: number; end: number }) => passage.text.slice(start, end))).toEqual(['refund', 'refund']) // prettier-ignore
  })

  it('come in pages that do not overlap', async () => {
    const seen: unknown[] = []
    for (let cursor = ''; ;) {
      const found = await ask('the', site.ana, `&limit=1${cursor && `&cursor=${cursor}`}`)
      seen.push(...names(found))
      if (found.next_cursor === null) break
      cursor = found.next_cursor
    }
    expect(seen.sort()).toEqual(['Chloé Marchand', 'Ivan Petrov', 'Somchai Dee', 'Tanaka Yuki'])
  })

  it('are followed when they are changed, taken back or moved', async () => {
    const { id, contactId } = said['Ivan Petrov'] ?? { id: '', contactId: '' }
    const messageId = await say(id, contactId, 'zebra')
    await tell([messageId, messageId])
    expect(names(await ask('zebra'))).toEqual(['Ivan Petrov'])
    const change = (text: string | null, deletedAt: Date | null) =>
      site.storage.write(
        (tx) =>
        site.storage.messages.setAppearance(tx, site.ana.accountId, messageId, { text, reactions: null, isHidden: false, editedAt: new Date(), deletedAt }), // prettier-ignore
      )
    await change('giraffe', null)
    await tell([messageId], 'message.changed')
    expect([names(await ask('zebra')), names(await ask('giraffe'))]).toEqual([[], ['Ivan Petrov']])
    await change('giraffe', new Date())
    expect(names(await ask('giraffe'))).toEqual([])
    await tell([messageId], 'message.changed')
    expect(names(await ask('giraffe'))).toEqual([])
  })
})

describe('operators', () => {
  it('narrow, alone and together', async () => {
    const { id } = said['Tanaka Yuki'] ?? { id: '' }
    await node.ask(site.ana, 'PATCH', `/conversations/${id}`, { status: 'resolved', assignee_id: site.ana.userId })
    await node.ask(site.ana, 'POST', `/conversations/${id}/messages`, { kind: 'note', text: 'prefers mornings' })
    const label = (await node.ask(site.ana, 'POST', '/labels', { name: 'VIP', color: '#aa0000' })).json
    if (label.id !== undefined) await node.ask(site.ana, 'PATCH', `/conversations/${id}`, { add_labels: ['VIP'] })
    const notes = await site.storage.primary.query<{ id: string }>("select id from messages where kind = 'note'")
    await tell(notes.map((note) => note.id), 'note.added') // prettier-ignore
    const everybody = ['Chloé Marchand', 'Ivan Petrov', 'Somchai Dee', 'Tanaka Yuki']
    const table: [string, string[]][] = [
      ['from:tanaka', ['Tanaka Yuki']],
      ['from:"Chloe March" refund', ['Chloé Marchand']],
      ['from:nobody', []],
      ['from:me', ['Tanaka Yuki']],
      ['channel:facebook is:open', ['Chloé Marchand', 'Ivan Petrov', 'Somchai Dee']],
      ['channel:harbour', everybody],
      ['channel:x', []],
      ['is:resolved', ['Tanaka Yuki']],
      ['is:mine', ['Tanaka Yuki']],
      ['is:unassigned', ['Chloé Marchand', 'Ivan Petrov', 'Somchai Dee']],
      ['assignee:ana', ['Tanaka Yuki']],
      ['assignee:none ok', ['Somchai Dee']],
      ['is:note', ['Tanaka Yuki']],
      ['is:note mornings', ['Tanaka Yuki']],
      ['has:link', ['Ivan Petrov']],
      ['has:image', []],
      ['before:2020', []],
      ['after:2020 猫', ['Tanaka Yuki']],
      ['before:2020 猫', []],
      ['猫 is:open', []],
      ['label:nothing', []],
      ...(label.id === undefined ? [] : [['label:vip', ['Tanaka Yuki']] as [string, string[]]]),
    ]
    for (const [q, expected] of table) {
      const found = await ask(q)
      expect([q, names(found).sort()]).toEqual([q, expected])
    }
    expect((await ask('from:nobody')).notes).toEqual([{ code: 'not_found', about: 'from:nobody' }])
    expect((await ask('猫 in:contacts')).items).toEqual([])
  })
})

describe('people', () => {
  it('come first, by name or address', async () => {
    for (const q of ['chloe', 'marchand chl', 'CHLOÉ']) {
      const [first] = (await ask(q)).items
      expect([q, first?.type, first?.contact?.name]).toEqual([q, 'contact', 'Chloé Marchand'])
    }
    const contact = (await ask('tanaka in:contact')).items
    expect(contact.map((item: { type: string }) => item.type)).toEqual(['contact'])
  })
})

describe('whoever asks', () => {
  it('finds nothing of another account, nor outside their channels', async () => {
    expect((await ask('refund', site.zoe)).items).toEqual([])
    expect((await ask('chloe', site.zoe)).items).toEqual([])
    const limited = await site.storage.write(async (tx) => {
      const { accountId } = site.ana
      const userId = await site.storage.users.create(tx, { accountId, email: 'l@harbour.example', name: 'Lim', role: 'agent', passwordHash: null, channelIds: [] }) // prettier-ignore
      const { text } = await site.storage.tokens.create(tx, { accountId, userId, name: 'test' })
      return { accountId, userId, email: '', token: text }
    })
    expect((await ask('refund', limited)).items).toEqual([])
    expect((await ask('chloe', limited)).items).toEqual([])
  })

  it('gets an answer to anything', async () => {
    const tries = ['', ' ', '"', '-', '-a', '""', 'a:b', '*', '+', '@', '%', '_', '\\', "' or 1=1 -- ", '") in boolean mode) union select', '🎉', '\u0000', '\u202e', 'a'.repeat(2_000), '東'.repeat(600), '"'.repeat(500), 'is:is:is:', 'before:99999-99', 'from:* -from:%', '((((', '<script>', 'from:'.repeat(90), 'x* y* z*', '"a b c d e f g h i j k l m n o p"'] // prettier-ignore
    for (const q of tries) {
      const at = performance.now()
      const answer = await node.ask(site.ana, 'GET', `/search?q=${encodeURIComponent(q)}`)
      expect([q, answer.status]).toEqual([q, 200])
      expect(performance.now() - at).toBeLessThan(10_000)
    }
    expect((await ask('')).notes).toEqual([{ code: 'nothing_to_look_for', about: '' }])
    expect((await ask('-a')).notes).toEqual([{ code: 'only_exclusions', about: '' }])
    expect((await node.ask(site.ana, 'GET', '/search?q=a&cursor=x')).status).toBe(422)
  })

  it('is told when time was over, and gets what was found until then', async () => {
    const { findMessages } = await import('../backend/search.ts')
    const slow = {
      ...site.storage,
      bulk: site.storage.bulk,
      search: { ...site.storage.search, match: () => Promise.resolve(undefined) },
    }
    const notes: { code: string }[] = []
    const hits = await findMessages(slow, { accountId: site.ana.accountId, scope: { channelIds: null, teamIds: null }, phrases: [{ terms: [], isPrefix: true, isExcluded: false }], filter: {}, most: 10, limitMs: 2_000 }, notes as never) // prettier-ignore
    expect(notes.map(({ code }) => code)).toEqual(['partial'])
    expect(hits.length).toBe(10)
    const ended = await site.storage.search.scan(
      { ...site.storage.bulk, query: (sql: string, values?: never) => site.storage.bulk.query(sql.replace('select s.message_id', 'select sleep(1), s.message_id'), values) }, // prettier-ignore
      { accountId: site.ana.accountId, scope: { channelIds: null, teamIds: null }, phrases: [], filter: {}, most: 10, limitMs: 200 }, // prettier-ignore
    )
    expect(ended).toBeUndefined()
  })
})
