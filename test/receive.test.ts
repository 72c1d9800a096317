/** What networks send arrives once, in order, whole, whatever way it comes. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import { openParking } from '../messaging/broker/parking.ts'
import { Directory } from '../messaging/directory.ts'
import { Names } from '../messaging/names.ts'
import { receiveBodies, startReceive } from '../messaging/receive.ts'
import type { ReceiveContext } from '../messaging/receive.ts'
import { handOn } from '../messaging/sweep.ts'
import {
  comments,
  echoes,
  edits,
  feedBody,
  ines,
  juma,
  mei,
  midOf,
  pageBody,
  reacts,
  second,
  secondBakery,
  takesBack,
  writes,
} from './people.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Node, Platform } from './platform.ts'

let platform: Platform
let other: Node
const running: Running[] = []

const contextOf = (node: Node): ReceiveContext => ({
  storage: node.storage,
  directory: new Directory(node.storage),
  logger,
  names: new Names({ ...node, logger }),
})
const start = (node: Node): void => {
  running.push(startReceive(contextOf(node), node.broker, openParking(node.storage)))
}
/** Without the queue, at once. */
const receive = (...bodies: Buffer[]): Promise<Map<string, unknown>> =>
  receiveBodies(
    contextOf(platform),
    bodies.map((bytes) => ({ id: newId(), appId: platform.appId, bytes })),
  )
const textsOf = async (conversationId: string): Promise<(string | null)[]> =>
  (await platform.messages()).filter((each) => each.conversationId === conversationId).map(({ text }) => text)
const byMid = async (mid: string) => {
  const found = (await platform.messages()).find(({ externalId }) => externalId === mid)
  if (found === undefined) throw new Error(`${mid} has not come`)
  return found
}

beforeAll(async () => {
  platform = await openPlatform()
  other = await platform.openNode('node-2')
})
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop()
})
afterAll(() => platform.close())

describe('receive', () => {
  it('keeps each message once, though all come three times at once to two receivers', async () => {
    start(platform)
    start(other)
    const people = [ines, juma, mei]
    const bodies = Array.from({ length: 300 }, (_, n) =>
      pageBody([writes(people[n % 3] ?? ines, midOf(`thrice ${String(n)}`), `message ${String(n)}`, second(n))]),
    )
    const thrice = [...bodies, ...bodies, ...bodies].sort(() => Math.random() - 0.5)
    const ids = await Promise.all(thrice.map((body) => platform.arrive(body)))
    const settled = await until(async () => {
      const done = await platform.storage.received.findSettled(platform.storage.primary, ids)
      return done.size === ids.length && done
    }, 20_000)
    const messages = await platform.messages()
    const conversations = await platform.storage.conversations.list(platform.storage.primary, platform.accountId, {
      limit: 100,
    })
    const received = await platform.storage.relay.oldest(platform.storage.primary, 10_000)
    console.log(
      `bodies ${String(settled.size)}, messages ${String(messages.length)}, conversations ${String(conversations.length)}, facts ${String(received.length)}`,
    )
    expect(messages.map(({ text }) => text)).toEqual(bodies.map((_, n) => `message ${String(n)}`))
    expect(conversations.length).toBe(3)
    expect(received.filter(({ type }) => type === 'message.received').length).toBe(300)
    expect(received.filter(({ type }) => type === 'conversation.created').length).toBe(3)
    expect(conversations[0]?.preview).toBe('message 299')
    const [contacts] = await platform.storage.primary.query<{ n: number }>('select count(*) n from contacts')
    expect(contacts?.n).toBe(3)
  })

  it('shows the order of the payload, whatever came first', async () => {
    const zoe = { id: '7100' }
    await receive(pageBody([writes(zoe, 'order-3', 'third', second(903))]))
    await receive(
      pageBody([writes(zoe, 'order-1', 'first', second(901)), writes(zoe, 'order-2', 'second', second(902))]),
    )
    const { conversationId } = await byMid('order-1')
    expect(await textsOf(conversationId)).toEqual(['first', 'second', 'third'])
    const conversation = await platform.storage.conversations.get(
      platform.storage.primary,
      platform.accountId,
      conversationId,
    )
    expect([conversation?.preview, conversation?.lastInboundAt]).toEqual(['third', second(903)])
  })

  it('applies edits, reactions and deletions, also those that come before their message', async () => {
    await receive(pageBody([edits(ines, 'early', 'better', second(11)), reacts(juma, 'early', '🙂', second(12))]))
    await receive(pageBody([writes(ines, 'early', 'good', second(10)), writes(ines, 'gone', 'oops', second(10))]))
    await receive(pageBody([takesBack(ines, 'gone', second(14)), edits(ines, 'early', 'too late', second(9))]))
    const early = await byMid('early')
    expect([early.text, early.editedAt, early.reactions]).toEqual([
      'better',
      second(11),
      [{ by: juma.id, emoji: '🙂', at: second(12).toISOString() }],
    ])
    const gone = await byMid('gone')
    expect([gone.text, gone.deletedAt]).toEqual([null, second(14)])
    const [left] = await platform.storage.primary.query<{ n: number }>('select count(*) n from early_changes')
    expect(left?.n).toBe(0)
  })

  it('loses no change that meets its message on another node', async () => {
    const one = contextOf(platform)
    const two = contextOf(other)
    const put = (context: ReceiveContext, body: Buffer) =>
      receiveBodies(context, [{ id: newId(), appId: platform.appId, bytes: body }])
    for (let n = 0; n < 40; n++) {
      const mid = `race-${String(n)}`
      await Promise.all([
        put(one, pageBody([writes(mei, mid, 'plain', second(20))])),
        put(two, pageBody([edits(mei, mid, 'edited', second(21))])),
      ])
    }
    const texts = (await platform.messages())
      .filter(({ externalId }) => externalId?.startsWith('race-'))
      .map(({ text }) => text)
    expect(texts).toEqual(Array.from({ length: 40 }, () => 'edited'))
  })

  it('loses no change whose message is committed between its two looks', async () => {
    const put = (context: ReceiveContext, body: Buffer) =>
      receiveBodies(context, [{ id: newId(), appId: platform.appId, bytes: body }])
    const { storage } = other
    const keep: typeof storage.earlyChanges.keep = async (tx, news) => {
      await put(contextOf(platform), pageBody([writes(mei, 'between', 'plain', second(22))]))
      await storage.earlyChanges.keep(tx, news)
    }
    await put(
      { ...contextOf(other), storage: { ...storage, earlyChanges: { ...storage.earlyChanges, keep } } },
      pageBody([edits(mei, 'between', 'edited', second(23))]),
    )
    expect((await byMid('between')).text).toBe('edited')
  })

  it('takes in a body of a thousand items, and a person with a name of any length', async () => {
    const many = Array.from({ length: 1000 }, (_, n) =>
      writes({ id: String(60_000 + (n % 50)) }, `many-${String(n)}`, `item ${String(n)}`, second(n)),
    )
    expect((await receive(pageBody(many), pageBody(many))).size).toBe(0)
    expect((await platform.messages()).filter(({ externalId }) => externalId?.startsWith('many-')).length).toBe(1000)
    await receive(
      feedBody([comments({ id: '60100', name: '🙂'.repeat(400) }, 'long-name', 'hi', second(30), '100200300_56')]),
    )
    const { contactId } = await byMid('long-name')
    expect(
      (
        await platform.storage.contacts.get(platform.storage.primary, platform.accountId, contactId ?? '')
      )?.name.startsWith('🙂🙂'),
    ).toBe(true)
  })

  it('puts answers below a comment into its conversation and knows the post', async () => {
    const post = '100200300_55'
    await receive(
      feedBody([
        comments(juma, 'c2', 'and me?', second(31), post, 'c1'),
        comments(ines, 'c1', 'lovely', second(30), post),
      ]),
    )
    await receive(feedBody([comments(mei, 'c3', 'another thread', second(32), post)]))
    await receive(
      feedBody([
        {
          item: 'status',
          verb: 'add',
          post_id: post,
          message: 'Fresh bread',
          from: { id: '100200300' },
          created_time: Math.floor(second(1).getTime() / 1000),
        },
      ]),
    )
    const [c1, c2, c3] = [await byMid('c1'), await byMid('c2'), await byMid('c3')]
    expect(c2.conversationId).toBe(c1.conversationId)
    expect(c3.conversationId).not.toBe(c1.conversationId)
    const conversation = await platform.storage.conversations.get(
      platform.storage.primary,
      platform.accountId,
      c1.conversationId,
    )
    const [found] = await platform.storage.posts.getMany(platform.storage.primary, platform.accountId, [
      conversation?.postId ?? '',
    ])
    expect([found?.externalId, found?.text]).toEqual([post, 'Fresh bread'])
    const contact = await platform.storage.contacts.get(
      platform.storage.primary,
      platform.accountId,
      conversation?.contactId ?? '',
    )
    expect(contact?.name).toBe(ines.name)
  })

  it('takes what was said in the own app of the network as outbound, and reopens when the contact writes', async () => {
    const omar = { id: '7200' }
    await receive(pageBody([writes(omar, 'o1', 'open?', second(40)), echoes(omar, 'o2', 'yes, until six', second(41))]))
    const echo = await byMid('o2')
    expect([echo.direction, echo.kind, echo.authorId]).toEqual(['outbound', 'reply', null])
    const read = () =>
      platform.storage.conversations.get(platform.storage.primary, platform.accountId, echo.conversationId)
    expect((await read())?.waitingSince).toBeNull()
    await platform.storage.write((tx) =>
      platform.storage.conversations.setStatus(tx, platform.accountId, echo.conversationId, 'resolved'),
    )
    await receive(pageBody([writes(omar, 'o3', 'and Sunday?', second(42))]))
    expect([(await read())?.status, (await read())?.waitingSince]).toEqual(['open', second(42)])
  })

  it('keeps the same id of two channels apart', async () => {
    await platform.createChannel(platform.appId, 'facebook', secondBakery.externalId)
    await receive(
      pageBody([writes(ines, 'both', 'north or south?', second(50))]),
      pageBody([writes(ines, 'both', 'north or south?', second(50), secondBakery.externalId)], secondBakery.externalId),
    )
    expect((await platform.messages()).filter(({ externalId }) => externalId === 'both').length).toBe(2)
  })

  it('lets a poisonous item cost no other, and keeps it with its reason', async () => {
    const { storage } = platform
    const insertNew: typeof storage.messages.insertNew = (tx, news) => {
      if (news.some(({ text }) => text === 'bad')) throw new Error('no room for bad')
      return storage.messages.insertNew(tx, news)
    }
    const good = Array.from({ length: 20 }, (_, n) =>
      pageBody([writes(juma, `beside-${String(n)}`, 'fine', second(60 + n))]),
    )
    const failed = await receiveBodies(
      { ...contextOf(platform), storage: { ...storage, messages: { ...storage.messages, insertNew } } },
      [
        ...good,
        pageBody([
          writes(juma, 'with-1', 'fine', second(80)),
          writes(juma, 'poison', 'bad', second(81)),
          writes(juma, 'with-2', 'fine', second(82)),
        ]),
      ].map((bytes) => ({ id: newId(), appId: platform.appId, bytes })),
    )
    expect(failed.size).toBe(0)
    const messages = await platform.messages()
    expect(messages.filter(({ externalId }) => /^(beside|with)-/.test(externalId ?? '')).length).toBe(22)
    const dead = await platform.storage.received.list(platform.storage.primary, platform.accountId, {
      state: 'dead',
      limit: 10,
    })
    expect(dead.length).toBe(1)
    expect(dead[0]?.reason).toBe('entry.0.messaging.1: no room for bad')
    expect(dead[0]?.trace?.map(({ became }) => became.split(':')[0])).toEqual(['message', 'dead', 'message'])
    const whole = await platform.storage.received.get(platform.storage.primary, platform.accountId, dead[0]?.id ?? '')
    expect(whole?.body.toString()).toContain('poison')
  })

  it('keeps what is for no channel, and what is no JSON', async () => {
    await receive(pageBody([writes(ines, 'stranger', 'hello', second(90), '999')], '999'), Buffer.from('not json'))
    const kept = await platform.storage.received.list(platform.storage.primary, platform.accountId, {
      state: 'kept',
      limit: 10,
    })
    expect(kept.map(({ reason }) => reason).sort()).toEqual(['no channel for facebook 999', 'the body is not JSON'])
  })

  it('processes what the door kept while the broker was away, once, and what is replayed', async () => {
    start(platform)
    const id = newId()
    const { storage, accountId, appId } = platform
    await storage.write((tx) =>
      storage.received.keepPending(tx, {
        id,
        accountId,
        appId,
        body: pageBody([writes(ines, 'kept-at-door', 'anyone?', second(100))]),
        receivedAt: new Date(),
      }),
    )
    const handedOn = new Map<string, number>()
    await handOn(platform, handedOn)
    await handOn(platform, handedOn)
    const state = () => storage.received.get(storage.primary, accountId, id)
    await until(async () => (await state())?.state === 'processed')
    await storage.write((tx) => storage.received.replay(tx, accountId, id))
    await handOn(platform, new Map())
    await until(async () => (await state())?.state === 'processed')
    expect((await state())?.trace?.[0]?.became).toBe('repeat')
    expect((await platform.messages()).filter(({ externalId }) => externalId === 'kept-at-door').length).toBe(1)
  })

  it('gives each person one conversation below a post of X, and joins answers to our answers', async () => {
    const app = await platform.createApp('x')
    await platform.createChannel(app, 'x', '42')
    await platform.createChannel(app, 'x', '43')
    const put = (body: object) =>
      receiveBodies(contextOf(platform), [{ id: newId(), appId: app, bytes: Buffer.from(JSON.stringify(body)) }])
    const user = (id: string) => ({ id_str: id, name: `Name ${id}`, screen_name: `handle${id}` })
    const post = (id: string, from: string, answers?: { id: string; user: string }) => ({
      id_str: id, text: `post ${id}`, user: user(from), created_at: second(200 + Number(id.slice(-2))).toUTCString(), entities: {},
      ...(answers === undefined ? {} : { in_reply_to_status_id_str: answers.id, in_reply_to_user_id_str: answers.user }),
    }) // prettier-ignore
    const tell = (...posts: object[]) => put({ for_user_id: '42', tweet_create_events: posts })
    await tell(post('9001', '42'))
    await tell(post('9002', '501', { id: '9001', user: '42' }), post('9003', '502', { id: '9001', user: '42' }))
    await tell(post('9004', '42', { id: '9002', user: '501' }))
    await tell(post('9005', '501', { id: '9004', user: '42' }))
    const of = async (id: string) => (await byMid(id)).conversationId
    expect(await of('9003')).not.toBe(await of('9002'))
    expect([await of('9004'), await of('9005')]).toEqual([await of('9002'), await of('9002')])
    expect((await byMid('9004')).direction).toBe('outbound')

    // The same direct message comes once for each of our users that are in it.
    const message = {
      type: 'message_create',
      id: '7001',
      created_timestamp: String(second(300).getTime()),
      message_create: { sender_id: '501', target: { recipient_id: '42' }, message_data: { text: 'psst' } },
    }
    const dm = (forUser: string, target: string) => ({
      for_user_id: forUser,
      direct_message_events: [
        { ...message, message_create: { ...message.message_create, target: { recipient_id: target } } },
      ],
      users: { 501: { id: '501', name: 'Name 501', screen_name: 'handle501' } },
    })
    await Promise.all([put(dm('42', '42')), put(dm('43', '43')), put(dm('42', '42'))])
    await put(dm('43', '43'))
    const found = (id: string) =>
      platform.messages().then((all) => all.filter((each) => each.externalId === id && each.visibility === 'direct'))
    const direct = await found('7001')
    expect(direct.length).toBe(1)
    // What one of our users writes to another is said by the one and heard by the other.
    const between = (forUser: string) => ({
      for_user_id: forUser,
      direct_message_events: [
        {
          ...message,
          id: '7002',
          message_create: { sender_id: '42', target: { recipient_id: '43' }, message_data: { text: 'us' } },
        },
      ],
    })
    await Promise.all([put(between('42')), put(between('43'))])
    expect((await found('7002')).map(({ direction }) => direction).sort()).toEqual(['inbound', 'outbound'])
    expect(direct[0]?.contactId).toBe((await byMid('9002')).contactId)
  })
})
