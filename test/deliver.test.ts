/** Answers reach the customer once, in order, whatever the network and the nodes do. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import { openParking } from '../messaging/broker/parking.ts'
import type { InboundEvent } from '../messaging/connectors/connector.ts'
import { deliverConversation, startDeliver } from '../messaging/deliver.ts'
import { Directory } from '../messaging/directory.ts'
import { startRelay } from '../messaging/events.ts'
import { Names } from '../messaging/names.ts'
import { receiveBodies } from '../messaging/receive.ts'
import { reconnectChannel } from '../messaging/reconnect.ts'
import { retryDelivery } from '../messaging/fate.ts'
import { sendReply } from '../messaging/send.ts'
import { startMessaging } from '../messaging/server.ts'
import { startSweep } from '../messaging/sweep.ts'
import { takeIn } from '../messaging/take-in.ts'
import { openGraph } from './graph.ts'
import type { Graph } from './graph.ts'
import { bakery, echoes, hasRead, hasReceived, pageBody, writes } from './people.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Node, Platform } from './platform.ts'

let graph: Graph
let platform: Platform
let other: Node
const running: Running[] = []
let persons = 0

const never = new AbortController().signal
const receive = (node: Node, ...bodies: Buffer[]): Promise<unknown> =>
  receiveBodies(
    { storage: node.storage, directory: new Directory(node.storage), logger, names: new Names({ ...node, logger }) },
    bodies.map((bytes) => ({ id: newId(), appId: platform.appId, bytes })),
  )
/** A customer who has just written, and their conversation. */
async function customer(): Promise<{ id: string; conversationId: string }> {
  const id = String(880_000 + ++persons)
  await receive(platform, pageBody([writes({ id }, `hello-${id}`, 'hello', new Date(Date.now() - 5_000))]))
  const hello = (await platform.messages()).find(({ externalId }) => externalId === `hello-${id}`)
  if (hello === undefined) throw new Error('the customer was not received')
  return { id, conversationId: hello.conversationId }
}
const reply = (conversationId: string, text: string) =>
  sendReply(platform.storage, {
    accountId: platform.accountId,
    conversationId,
    userId: platform.adminId,
    kind: 'reply',
    text,
  })
const deliver = (node: Node, conversationId: string) =>
  deliverConversation({ ...node, logger, holder: node.config.node }, platform.accountId, conversationId, never)
const channelNow = () => platform.storage.channels.get(platform.storage.primary, platform.accountId, platform.channelId)
async function deliveryOf(messageId: string) {
  const [delivery] = await platform.storage.deliveries.ofMessages(platform.storage.primary, platform.accountId, [
    messageId,
  ])
  if (delivery === undefined) throw new Error('there is no delivery')
  return delivery
}
const attemptsOf = async (messageId: string) =>
  platform.storage.deliveries.attemptsOf(platform.storage.primary, platform.accountId, [
    (await deliveryOf(messageId)).id,
  ])
const outbound = async (conversationId: string) =>
  (await platform.messages()).filter((each) => each.conversationId === conversationId && each.direction === 'outbound')
/** As if so much time had passed since the outcome became unknown. */
const age = async (messageId: string, seconds: number): Promise<void> => {
  const { id } = await deliveryOf(messageId)
  await platform.storage.write(async (tx) => {
    await tx.run(
      'update attempts set finished_at = finished_at - interval ? second, started_at = started_at - interval ? second where delivery_id = ?',
      [seconds, seconds, id],
    )
    await tx.run('update deliveries set next_attempt_at = utc_timestamp(3) where id = ?', [id])
  })
}
const expireLane = (conversationId: string) =>
  platform.storage.write((tx) =>
    tx.run('update delivery_lanes set expires_at = utc_timestamp(3) - interval 1 second where conversation_id = ?', [
      conversationId,
    ]),
  )

beforeAll(async () => {
  graph = await openGraph(bakery.externalId)
  platform = await openPlatform({ apiBaseUrl: graph.url })
  other = await platform.openNode('node-2')
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((part) => part.stop()))
  graph.behave = () => 'sent'
  graph.isTokenDead = false
  graph.lookUp = graph.remember
})
afterAll(async () => {
  await platform.close()
  await graph.close()
})

describe('deliver', () => {
  it('sends in order within a conversation, once, with failures and two nodes', async () => {
    const customers = await Promise.all(Array.from({ length: 10 }, customer))
    const failed = new Set<string>()
    // Each third message is refused for being too fast, once; the later ones of its conversation wait for it.
    graph.behave = (text) => {
      if (!text.endsWith('3') || failed.has(text)) return 'sent'
      failed.add(text)
      return 'busy'
    }
    for (const [index, node] of [platform, other].entries()) {
      const holder = `deliver-${String(index)}`
      running.push(
        startRelay({ ...node, logger, holder }),
        startDeliver({ ...node, logger, holder }, node.broker, openParking(node.storage)),
      )
      running.push(startSweep({ ...node, parking: openParking(node.storage), logger, holder }))
    }
    const texts = Array.from({ length: 6 }, (_, n) => `answer ${String(n)}`)
    await Promise.all(
      customers.map(async ({ id, conversationId }) => {
        for (const text of texts) await reply(conversationId, `${id} ${text}`)
      }),
    )
    const ours = () => graph.seen.filter(({ to }) => customers.some(({ id }) => id === to))
    await until(() => ours().length >= 60, 25_000)
    const busiest = ours()
    console.log(
      `answers ${String(busiest.length)}, refused first ${String(failed.size)}, requests ${String(graph.requests)}`,
    )
    for (const { id } of customers)
      expect(busiest.filter(({ to }) => to === id).map(({ text }) => text)).toEqual(
        texts.map((text) => `${id} ${text}`),
      )
    expect(failed.size).toBe(10)
    for (const { conversationId } of customers) {
      await until(async () => (await outbound(conversationId)).every(({ externalId }) => externalId !== null))
      for (const message of await outbound(conversationId)) expect((await deliveryOf(message.id)).state).toBe('sent')
    }
  })

  it('asks for the name of who came without one', async () => {
    const { conversationId } = await customer()
    const { storage, accountId } = platform
    const conversation = await storage.conversations.get(storage.primary, accountId, conversationId)
    const name = async () =>
      (await storage.contacts.get(storage.primary, accountId, conversation?.contactId ?? ''))?.name
    await until(async () => (await name()) === 'Asked Name')
  })

  it('leaves the same words said anew in the own app of the network to themselves', async () => {
    const { id, conversationId } = await customer()
    const message = await reply(conversationId, 'thank you')
    graph.behave = () => 'lost'
    await deliver(platform, conversationId)
    await receive(platform, pageBody([echoes({ id }, `anew-${id}`, 'thank you', new Date(Date.now() + 3_600_000))]))
    expect([(await deliveryOf(message.id)).state, (await outbound(conversationId)).length]).toEqual(['unknown', 2])
  })

  it('keeps the reference and the external id, and answers an echo with nothing new', async () => {
    const { id, conversationId } = await customer()
    const message = await reply(conversationId, 'with pleasure')
    await deliver(platform, conversationId)
    const seen = graph.seen.at(-1)
    expect(seen?.reference).toBe((await deliveryOf(message.id)).id)
    await receive(platform, pageBody([echoes({ id }, seen?.mid ?? '', 'with pleasure', new Date(), seen?.reference)]))
    expect((await outbound(conversationId)).map(({ id: each, externalId }) => [each, externalId])).toEqual([
      [message.id, seen?.mid],
    ])
  })

  it('settles by the echo that comes before the answer', async () => {
    const { id, conversationId } = await customer()
    const message = await reply(conversationId, 'slowly')
    graph.behave = () => 'slow'
    const done = deliver(platform, conversationId)
    const seen = await until(() => graph.seen.find(({ text }) => text === 'slowly'))
    await receive(other, pageBody([echoes({ id }, seen.mid, 'slowly', new Date(), seen.reference)]))
    expect((await deliveryOf(message.id)).state).toBe('sent')
    await done
    expect((await outbound(conversationId)).map(({ externalId }) => externalId)).toEqual([seen.mid])
    expect((await attemptsOf(message.id)).map(({ outcome }) => outcome)).toEqual(['sent'])
  })

  it('merges a copy that an echo made because nothing told it from a message sent elsewhere', async () => {
    const { id, conversationId } = await customer()
    const message = await reply(conversationId, 'as I said')
    graph.behave = () => 'slow'
    const done = deliver(platform, conversationId)
    const seen = await until(() => graph.seen.find(({ text }) => text === 'as I said'))
    await receive(other, pageBody([echoes({ id }, seen.mid, 'text that the network changed', new Date())]))
    expect((await outbound(conversationId)).length).toBe(2)
    await done
    expect((await outbound(conversationId)).map(({ id: each, externalId, text }) => [each, externalId, text])).toEqual([
      [message.id, seen.mid, 'as I said'],
    ])
  })

  it('never repeats an unknown outcome blindly: the echo settles it, by reference or by text', async () => {
    for (const withReference of [true, false]) {
      const { id, conversationId } = await customer()
      const text = `see https://bakery.example/menu ${String(withReference)}`
      const message = await reply(conversationId, text)
      const later = await reply(conversationId, 'later one')
      graph.behave = (said) => (said === text ? 'lost' : 'sent')
      await deliver(platform, conversationId)
      expect((await deliveryOf(message.id)).state).toBe('unknown')
      await deliver(other, conversationId)
      expect(graph.seen.filter((each) => each.to === id).length).toBe(1)
      const seen = graph.seen.find((each) => each.to === id)
      const echoed = withReference ? text : `see https://l.example/x1  ${String(withReference)} `
      await receive(
        platform,
        pageBody([echoes({ id }, seen?.mid ?? '', echoed, new Date(), withReference ? seen?.reference : undefined)]),
      )
      expect([(await deliveryOf(message.id)).state, (await outbound(conversationId)).length]).toEqual(['sent', 2])
      await deliver(other, conversationId)
      expect(graph.seen.filter((each) => each.to === id).map((each) => each.text)).toEqual([text, 'later one'])
      expect((await deliveryOf(later.id)).state).toBe('sent')
    }
  })

  it('settles an unknown outcome by looking it up', async () => {
    const { id, conversationId } = await customer()
    const message = await reply(conversationId, 'did it arrive?')
    graph.behave = () => 'lost'
    await deliver(platform, conversationId)
    await age(message.id, 2)
    await deliver(platform, conversationId)
    expect((await deliveryOf(message.id)).state).toBe('sent')
    expect((await outbound(conversationId)).map(({ externalId }) => externalId)).toEqual([
      graph.seen.find(({ to }) => to === id)?.mid,
    ])
  })

  it('sends once more only when the last look says that it is not there, and then leaves it to a person', async () => {
    const { id, conversationId } = await customer()
    const message = await reply(conversationId, 'into the void')
    graph.behave = () => 'lost'
    graph.lookUp = () => []
    await deliver(platform, conversationId)
    await age(message.id, 3)
    await deliver(platform, conversationId)
    expect(graph.seen.filter(({ to }) => to === id).length).toBe(1)
    await age(message.id, 30)
    await deliver(platform, conversationId)
    expect(graph.seen.filter(({ to }) => to === id).length).toBe(2)
    await age(message.id, 31)
    await deliver(platform, conversationId)
    await age(message.id, 31)
    const later = await reply(conversationId, 'afterwards')
    graph.behave = () => 'sent'
    await deliver(platform, conversationId)
    const delivery = await deliveryOf(message.id)
    expect([delivery.state, delivery.nextAttemptAt, (await deliveryOf(later.id)).state]).toEqual([
      'unknown',
      null,
      'sent',
    ])
    expect(graph.seen.filter(({ to }) => to === id).length).toBe(3)
    await retryDelivery(platform.storage, platform.accountId, message.id)
    await deliver(platform, conversationId)
    expect((await deliveryOf(message.id)).state).toBe('sent')
  })

  it('treats what a dead node was sending as unknown', async () => {
    const { id, conversationId } = await customer()
    const message = await reply(conversationId, 'halfway')
    graph.behave = () => 'hang'
    graph.lookUp = () => []
    const gone = deliver(platform, conversationId)
    await until(async () => (await deliveryOf(message.id)).state === 'sending')
    await deliver(other, conversationId)
    expect((await deliveryOf(message.id)).state).toBe('sending')
    await expireLane(conversationId)
    graph.behave = () => 'sent'
    await deliver(other, conversationId)
    expect([(await deliveryOf(message.id)).state, graph.seen.filter(({ to }) => to === id).length]).toEqual([
      'unknown',
      0,
    ])
    expect((await attemptsOf(message.id)).map(({ outcome, code }) => [outcome, code])).toEqual([
      ['unknown', 'node_lost'],
    ])
    graph.hangUp()
    await gone
    expect((await deliveryOf(message.id)).state).toBe('unknown')
  })

  it('fails plainly, and a dead token asks for a reconnection', async () => {
    const { conversationId } = await customer()
    const message = await reply(conversationId, 'no')
    graph.behave = () => 'refused'
    await deliver(platform, conversationId)
    expect([(await deliveryOf(message.id)).state, (await deliveryOf(message.id)).reason]).toEqual([
      'failed',
      'Invalid parameter',
    ])
    // The channel itself is sound: only this message is refused.
    const second = await reply(conversationId, 'no right')
    graph.behave = () => 'token'
    const states: string[] = []
    for (let n = 0; n < 3; n++) {
      await deliver(platform, conversationId)
      states.push((await deliveryOf(second.id)).state)
      await platform.storage.write((tx) =>
        tx.run("update deliveries set next_attempt_at = utc_timestamp(3) where state = 'retrying'"),
      )
    }
    expect(states).toEqual(['retrying', 'retrying', 'failed'])
    expect((await channelNow())?.state).toBe('connected')
  })

  it('holds everything while the token is dead, and goes on by itself once the channel is reconnected', async () => {
    const { storage, accountId, channelId } = platform
    const customers = await Promise.all(Array.from({ length: 4 }, customer))
    graph.isTokenDead = true
    const before = graph.requests
    const first = await reply(customers[0]?.conversationId ?? '', 'held 0')
    await deliver(platform, customers[0]?.conversationId ?? '')
    expect([(await deliveryOf(first.id)).state, (await deliveryOf(first.id)).reason]).toEqual([
      'retrying',
      'Waits until the channel is reconnected. The session has been invalidated.',
    ])
    expect([(await channelNow())?.state, (await channelNow())?.stateCode]).toEqual(['reconnect_needed', '190'])
    const held = [first]
    for (const [index, { conversationId }] of customers.entries()) {
      held.push(await reply(conversationId, `held ${String(index + 1)}`))
      await deliver(other, conversationId)
    }
    running.push(
      startDeliver({ ...platform, logger, holder: 'holds' }, platform.broker, openParking(storage)),
      startSweep({ ...platform, parking: openParking(storage), logger, holder: 'holds' }),
    )
    await new Promise((resolve) => setTimeout(resolve, 3_500))
    const states = await Promise.all(held.map(async ({ id }) => (await deliveryOf(id)).state))
    expect(states).toEqual(['retrying', 'queued', 'queued', 'queued', 'queued'])
    expect((await attemptsOf(first.id)).length).toBe(1)
    expect(graph.requests - before).toBe(1)

    graph.isTokenDead = false
    await reconnectChannel(platform, accountId, channelId, {
      credentials: { access_token: 'new' },
      tokenExpiresAt: null,
    })
    expect((await channelNow())?.state).toBe('connected')
    await until(async () => {
      const now = await Promise.all(held.map(async ({ id }) => (await deliveryOf(id)).state))
      return now.every((state) => state === 'sent')
    })
    expect(graph.seen.filter(({ text }) => text.startsWith('held')).length).toBe(5)
    const own = graph.seen.filter(({ to }) => to === customers[0]?.id).map(({ text }) => text)
    expect(own).toEqual(['held 0', 'held 1'])
  })

  it('moves forward only by receipts, also by those that come before the answer', async () => {
    const { id, conversationId } = await customer()
    const one = await reply(conversationId, 'one')
    await deliver(platform, conversationId)
    const mid = graph.seen.at(-1)?.mid ?? ''
    await receive(platform, pageBody([hasRead({ id }, new Date(Date.now() + 1_000))]))
    expect((await deliveryOf(one.id)).state).toBe('read')
    await receive(platform, pageBody([hasReceived({ id }, [mid], new Date())]))
    expect((await deliveryOf(one.id)).state).toBe('read')
    const two = await reply(conversationId, 'two')
    graph.behave = () => 'slow'
    const done = deliver(platform, conversationId)
    const seen = await until(() => graph.seen.find(({ to, text }) => to === id && text === 'two'))
    await receive(other, pageBody([hasReceived({ id }, [seen.mid], new Date(Date.now() - 60_000))]))
    await done
    expect((await deliveryOf(two.id)).state).toBe('delivered')
  })

  it('believes what networks tell later: a receipt that names our id, a late failure, a person with a new id, a warning', async () => {
    const { storage, accountId, channelId } = platform
    const channel = await storage.channels.get(storage.primary, accountId, channelId)
    if (channel === undefined) throw new Error('the channel is gone')
    const take = (event: InboundEvent) =>
      storage.write((tx) => takeIn(storage, tx, [{ at: '', channel, event, receivedAt: new Date() }]))
    const { id, conversationId } = await customer()
    const person = { externalId: id }
    const message = await reply(conversationId, 'by reference')
    graph.behave = () => 'lost'
    await deliver(platform, conversationId)
    const reference = (await deliveryOf(message.id)).id
    await take({ type: 'receipt', state: 'sent', person, occurredAt: new Date(), ids: [`wamid-${id}`], reference })
    expect([(await deliveryOf(message.id)).state, (await outbound(conversationId))[0]?.externalId]).toEqual([
      'sent',
      `wamid-${id}`,
    ])
    const refusal = { class: 'recipient', code: '131026', reason: 'The person cannot be reached.' } as const
    await take({ type: 'receipt', state: 'failed', person, occurredAt: new Date(), ids: [`wamid-${id}`], refusal })
    expect([(await deliveryOf(message.id)).state, (await deliveryOf(message.id)).reason]).toEqual([
      'failed',
      refusal.reason,
    ])

    await take({ type: 'person_changed', occurredAt: new Date(), was: person, is: { externalId: `new-${id}` } })
    await receive(platform, pageBody([writes({ id: `new-${id}` }, `moved-${id}`, 'my new number', new Date())]))
    expect((await platform.messages()).find(({ externalId }) => externalId === `moved-${id}`)?.conversationId).toBe(
      conversationId,
    )

    // The other way about: the new id has written, and was answered, before the network tells that it is the same person.
    const newer = await customer()
    await reply(newer.conversationId, 'who is it?')
    await take({
      type: 'person_changed',
      occurredAt: new Date(),
      was: { externalId: `new-${id}` },
      is: { externalId: newer.id },
    })
    const told = (await platform.messages()).filter((one) => one.conversationId === conversationId)
    expect(told.map(({ text }) => text)).toEqual(expect.arrayContaining(['who is it?', 'my new number']))
    expect(new Set(told.flatMap(({ contactId }) => contactId ?? [])).size).toBe(1)
    expect(await storage.conversations.get(storage.primary, accountId, newer.conversationId)).toBeUndefined()
    const asked = told.find((one) => one.text === 'who is it?')
    graph.behave = () => 'sent'
    await deliver(platform, conversationId)
    expect((await deliveryOf(asked?.id ?? '')).state).toBe('sent')

    await take({
      type: 'notice',
      occurredAt: new Date(),
      code: 'quality',
      text: 'The quality rating fell.',
      state: 'degraded',
    })
    const after = await storage.channels.get(storage.primary, accountId, channelId)
    expect([after?.state, after?.stateReason]).toEqual(['degraded', 'The quality rating fell.'])
  })

  it('works as a whole server: an answer leaves soon after it was queued', async () => {
    running.push(await startMessaging({ ...platform, logger }))
    const { conversationId } = await customer()
    await until(async () => (await platform.storage.leases.holder(platform.storage.primary, 'relay')) !== undefined)
    const waits: number[] = []
    for (let n = 0; n < 20; n++) {
      const queuedAt = Date.now()
      const text = `soon ${String(n)}`
      await reply(conversationId, text)
      waits.push((await until(() => graph.seen.find((each) => each.text === text))).at - queuedAt)
    }
    waits.sort((a, b) => a - b)
    console.log(`queued to network: median ${String(waits[10])} ms, longest ${String(waits[19])} ms`)
    expect(waits[10]).toBeLessThan(500)
  })
})
