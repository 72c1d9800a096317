/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument -- answers are looked into at will */
/** Answers that are to be sent later: planned, changed, sent at once, taken back, called off by the contact, and fired once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fireDue } from '../backend/due.ts'
import { occurrenceKinds } from '../backend/occurrence-kinds.ts'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { takeIn } from '../messaging/take-in.ts'
import { until } from './platform.ts'
import { beginConversation, connectChannels, openSite } from './web-site.ts'
import type { Answer, Node, Site } from './web-site.ts'

let site: Site
let node: Node
let pageId: string
beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  pageId = (await connectChannels(site, site.ana.accountId)).pageId
})
afterAll(() => site.close())

const hourMs = 3_600_000
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()
const begin = async (): Promise<string> => (await beginConversation(site, site.ana.accountId, pageId)).id
const say = (conversationId: string, body: object): Promise<Answer> =>
  node.ask(site.ana, 'POST', `/conversations/${conversationId}/messages`, { kind: 'reply', text: 'later', ...body })
const plan = async (conversationId: string, body: object = {}): Promise<string> => {
  const { status, json } = await say(conversationId, { send_at: inMs(hourMs), ...body })
  expect([status, json.state]).toEqual([201, 'queued'])
  return json.id
}
const read = async (id: string) => (await node.ask(site.ana, 'GET', `/messages/${id}`)).json
/** As `read`, once what others did has reached whom is asked: its time has come, and it is no more as it was. */
const readLater = (id: string, state: string) =>
  until(async () => {
    const json = await read(id)
    return json.send_at === null && json.state === state ? json : undefined
  })
const partsOf = (id: string) => site.storage.deliveries.ofMessages(site.storage.primary, site.ana.accountId, [id])
const planOf = async (id: string) =>
  (await site.storage.occurrences.ofSubject(site.storage.primary, site.ana.accountId, 'reply', id)).at(-1)
const fireAll = async (): Promise<void> => {
  while ((await fireDue({ storage: site.storage, logger: silentLogger, node: 'node-1' }, occurrenceKinds)) > 0);
}
/** As if its time had come. */
const fall = (id: string) =>
  site.storage.write((tx) =>
    tx.run(
      "update occurrences set due_at = utc_timestamp(3) - interval 1 second, next_try_at = utc_timestamp(3) where subject_id = ? and state = 'waiting'",
      [id],
    ),
  )
async function writes(conversationId: string): Promise<void> {
  const { storage } = site
  const { accountId } = site.ana
  const conversation = await storage.conversations.get(storage.primary, accountId, conversationId)
  const channel = await storage.channels.get(storage.primary, accountId, pageId)
  const address =
    conversation && (await storage.contacts.address(storage.primary, accountId, conversation.contactAddressId))
  if (channel === undefined || address === undefined) throw new Error('there is no contact')
  const from = { externalId: address.externalId, name: 'Chloé' }
  // The thread of a conversation that was begun by hand.
  await storage.write((tx) => tx.run('update conversations set thread_key = ? where id = ?', [`direct:${address.externalId}`, conversationId])) // prettier-ignore
  const event = {
    type: 'message', kind: 'message', externalId: newId(), occurredAt: new Date(), from, thread: { kind: 'direct', personId: address.externalId },
    text: 'one more thing', attachments: [],
  } as const // prettier-ignore
  await storage.write((tx) => takeIn(storage, tx, [{ at: '', channel, event, receivedAt: new Date() }]))
}
const factsOf = async (id: string): Promise<string[]> =>
  (
    await site.storage.primary.query<{ type: string; state: string | null }>(
      "select type, json_value(data, '$.state') state from outbox where json_value(data, '$.message_id') = ? order by id",
      [id],
    )
  ).map(({ type, state }) => (state === null ? type : `${type} ${state}`))

describe('an answer that is to be sent later', () => {
  it('waits outside the order of sending, is shown, and takes its turn when its time has come', async () => {
    const conversationId = await begin()
    const at = inMs(hourMs)
    const id = await plan(conversationId, { send_at: at, cancel_if_answered: true })
    expect(await read(id)).toMatchObject({ send_at: at, cancel_if_answered: true, occurred_at: at })
    expect((await partsOf(id)).map(({ seq }) => seq)).toEqual([null])
    const soon = (await say(conversationId, { text: 'now' })).json.id
    const head = await site.storage.write((tx) => site.storage.deliveries.lockHead(tx, conversationId))
    expect(head).toMatchObject({ messageId: soon, seq: 1 })
    const list = await node.ask(site.ana, 'GET', `/conversations/${conversationId}/messages`)
    expect(list.json.items.at(-1)).toMatchObject({ id, send_at: at, state: 'queued' })
    await fireAll()
    expect((await planOf(id))?.state).toBe('waiting')

    await fall(id)
    await fireAll()
    expect((await partsOf(id)).map(({ seq }) => seq)).toEqual([2])
    const sent = await readLater(id, 'queued')
    expect(sent).toMatchObject({ send_at: null, state: 'queued' })
    expect(Math.abs(Date.parse(sent.occurred_at) - Date.now())).toBeLessThan(60_000)
    expect(await planOf(id)).toMatchObject({ state: 'fired', firedBy: 'node-1' })
    expect(await factsOf(id)).toEqual(['message.scheduled', 'message.queued'])
  })

  it('is refused by name when its time has passed, is too far or none, the window will be closed, or it is a note', async () => {
    const conversationId = await begin()
    const table: readonly (readonly [object, string])[] = [
      [{ send_at: inMs(-1_000) }, 'send_at_past'],
      [{ send_at: inMs(400 * 24 * hourMs) }, 'send_at_too_far'],
      [{ send_at: 'tomorrow' }, 'invalid'],
      [{ send_at: inMs(8 * 24 * hourMs) }, 'window_closed'],
      [{ send_at: inMs(hourMs), text: 'x'.repeat(2_001) }, 'too_long'],
      [{ send_at: inMs(hourMs), kind: 'note' }, 'invalid'],
    ]
    for (const [body, code] of table) {
      const { status, json } = await say(conversationId, body)
      expect([status, json.code], JSON.stringify(body)).toEqual([422, code])
    }
    const left = await site.storage.primary.query('select id from deliveries where conversation_id = ?', [
      conversationId,
    ])
    expect(left).toEqual([])
  })

  it('can be changed, sent at once or taken back while it waits, by its own account alone', async () => {
    const conversationId = await begin()
    const [changed, hurried, dropped] = [
      await plan(conversationId),
      await plan(conversationId),
      await plan(conversationId),
    ]
    const at = inMs(2 * hourMs)
    const { json } = await node.ask(site.ana, 'PATCH', `/messages/${changed}`, { send_at: at, text: 'better' })
    expect(json).toMatchObject({ text: 'better', send_at: at, state: 'queued' })
    expect((await node.ask(site.ana, 'PATCH', `/messages/${changed}`, { send_at: inMs(-1) })).json.code).toBe(
      'send_at_past',
    )
    expect((await node.ask(site.ana, 'PATCH', `/messages/${changed}`, { text: ' ' })).json.code).toBe('empty')
    expect((await node.ask(site.ana, 'POST', `/messages/${hurried}/send`)).json).toMatchObject({ send_at: null })
    expect((await partsOf(hurried)).map(({ seq }) => seq)).toEqual([1])
    expect((await node.ask(site.ana, 'POST', `/messages/${dropped}/cancel`)).json).toMatchObject({
      state: 'cancelled',
      send_at: null,
    })
    for (const id of [hurried, dropped]) {
      expect((await node.ask(site.ana, 'PATCH', `/messages/${id}`, { text: 'x' })).json.code).toBe('not_scheduled')
      expect((await node.ask(site.ana, 'POST', `/messages/${id}/send`)).json.code).toBe('not_scheduled')
    }
    for (const [method, path] of [
      ['PATCH', ''],
      ['POST', '/send'],
    ] as const)
      expect((await node.ask(site.zoe, method, `/messages/${changed}${path}`, {})).status).toBe(404)
    // After all.
    expect((await node.ask(site.ana, 'POST', `/messages/${dropped}/retry`)).json.state).toBe('queued')
    expect((await partsOf(dropped)).map(({ seq }) => seq)).toEqual([2])
    for (const id of [changed, hurried, dropped]) await fall(id)
    await fireAll()
    expect((await partsOf(changed)).map(({ seq, text }) => [seq, text])).toEqual([[3, null]])
    expect((await readLater(changed, 'queued')).text).toBe('better')
  })

  it('fails with the reason when the window has closed meanwhile', async () => {
    const conversationId = await begin()
    const id = await plan(conversationId)
    await site.storage.write((tx) =>
      tx.run('update conversations set last_inbound_at = utc_timestamp(3) - interval 8 day where id = ?', [
        conversationId,
      ]),
    )
    await fall(id)
    await fireAll()
    const { state, delivery } = await readLater(id, 'failed')
    expect([state, delivery.reason_code, delivery.hint_code]).toEqual(['failed', 'window_closed', 'contact_must_write'])
    expect(await planOf(id)).toMatchObject({ state: 'skipped', reason: 'window_closed' })
    expect(await factsOf(id)).toEqual(['message.scheduled', 'delivery.changed failed'])
  })

  it('is called off when the contact writes before, if that was asked for', async () => {
    const conversationId = await begin()
    const [ends, stays] = [await plan(conversationId, { cancel_if_answered: true }), await plan(conversationId)]
    await writes(conversationId)
    const { state, delivery } = await readLater(ends, 'cancelled')
    expect([state, delivery.reason_code]).toEqual(['cancelled', 'answered'])
    expect(await planOf(ends)).toMatchObject({ state: 'cancelled', reason: 'answered' })
    expect(await factsOf(ends)).toEqual(['message.scheduled', 'delivery.changed cancelled'])
    for (const id of [ends, stays]) await fall(id)
    await fireAll()
    expect((await partsOf(stays)).map(({ seq }) => seq)).toEqual([1])
    expect((await partsOf(ends)).map(({ seq, state: now }) => [seq, now])).toEqual([[null, 'cancelled']])
    const conversation = await site.storage.conversations.get(site.storage.primary, site.ana.accountId, conversationId)
    expect(Boolean(conversation?.endsIfAnswered)).toBe(false)
  })

  it('is either sent or called off when both happen at once', async () => {
    const conversations = await Promise.all(Array.from({ length: 12 }, begin))
    const ids = []
    for (const id of conversations) ids.push(await plan(id, { cancel_if_answered: true }))
    for (const id of ids) await fall(id)
    await Promise.all([fireAll(), fireAll(), ...conversations.map((id) => writes(id))])
    await fireAll()
    let sent = 0
    for (const id of ids) {
      const [part] = await partsOf(id)
      const planned = await planOf(id)
      const facts = await factsOf(id)
      sent += part?.state === 'queued' ? 1 : 0
      expect([part?.state, part?.seq === null, planned?.state, facts.slice(1)]).toEqual(
        part?.state === 'queued'
          ? ['queued', false, 'fired', ['message.queued']]
          : ['cancelled', true, 'cancelled', ['delivery.changed cancelled']],
      )
    }
    console.log(`at once: ${String(sent)} sent, ${String(ids.length - sent)} called off`)
  })
})
