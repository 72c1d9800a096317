/** What happens to what was said: changes in any order, receipts, our own words, what had no channel yet. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import type { InboundEvent } from '../messaging/connectors/connector.ts'
import { Directory } from '../messaging/directory.ts'
import { Names } from '../messaging/names.ts'
import { receiveBodies } from '../messaging/receive.ts'
import { sendReply } from '../messaging/send.ts'
import { handOn } from '../messaging/sweep.ts'
import { takeIn } from '../messaging/take-in.ts'
import { bakery, comments, edits, feedBody, hasRead, ines, juma, mei, pageBody, reacts, second, takesBack, writes } from './people.ts' // prettier-ignore
import { logger, openPlatform, until } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform

const receive = (...bodies: Buffer[]): Promise<Map<string, unknown>> =>
  receiveBodies(
    {
      storage: platform.storage,
      directory: new Directory(platform.storage),
      logger,
      names: new Names({ ...platform, logger }),
    },
    bodies.map((bytes) => ({ id: newId(), appId: platform.appId, bytes })),
  )
const find = async (mid: string) => (await platform.messages()).filter(({ externalId }) => externalId === mid)
const one = async (mid: string) => {
  const [message] = await find(mid)
  if (message === undefined) throw new Error(`${mid} has not come`)
  return message
}
const conversationOf = async (mid: string) => {
  const { conversationId } = await one(mid)
  const found = await platform.storage.conversations.get(platform.storage.primary, platform.accountId, conversationId)
  if (found === undefined) throw new Error('no conversation')
  return found
}
const waiting = async (): Promise<number> =>
  (await platform.storage.primary.first<{ n: number }>('select count(*) n from early_changes'))?.n ?? -1
/** The networks' feeds tell whole seconds. */
const whole = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000)
/** Straight in, without a body. */
const take = async (event: InboundEvent): Promise<void> => {
  const { storage, accountId, channelId } = platform
  const channel = await storage.channels.get(storage.primary, accountId, channelId)
  if (channel === undefined) throw new Error('no channel')
  await storage.write((tx) => takeIn(storage, tx, [{ at: '', channel, event, receivedAt: new Date() }]))
}
/** All orders of a few bodies. */
const orders = <T>(list: readonly T[]): T[][] =>
  list.length <= 1
    ? [[...list]]
    : list.flatMap((each, n) => orders(list.toSpliced(n, 1)).map((rest) => [each, ...rest]))

beforeAll(async () => {
  platform = await openPlatform()
})
afterAll(() => platform.close())

describe('what happens to a message', () => {
  it('looks the same in the end in whatever order it was told', async () => {
    const untold = { by: juma.id, emoji: null, at: second(5).toISOString() }
    const kept = { by: mei.id, emoji: '👍', at: second(6).toISOString() }
    let n = 0
    const takenBack = (mid: string) => ({
      ...reacts(juma, mid, '', second(5)),
      reaction: { mid, action: 'unreact' },
    })
    for (const order of orders([0, 1, 2, 3, 4])) {
      const mid = `orders-${String(n++)}`
      const bodies = [
        [writes(ines, mid, 'first', second(1))],
        [edits(ines, mid, 'second', second(2)), edits(ines, mid, 'third', second(3))],
        [reacts(juma, mid, '🙂', second(4))],
        [takenBack(mid)],
        [reacts(mei, mid, '👍', second(6))],
      ].map((items) => pageBody(items))
      for (const each of order) await receive(bodies[each] ?? Buffer.alloc(0))
      const message = await one(mid)
      expect([order, message.text, [...(message.reactions ?? [])].sort((a, b) => (a.by < b.by ? -1 : 1))]).toEqual([
        order,
        'third',
        [untold, kept],
      ])
    }
    expect(await waiting()).toBe(0)
  })

  it('is gone for ever once it was deleted, with its files and in the preview', async () => {
    const picture = { type: 'image', payload: { url: 'https://cdn.example/a.jpg' } }
    const zoe = { id: '7301' }
    const said = {
      ...writes(zoe, 'del-1', 'my number is 555', second(20)),
      message: { mid: 'del-1', text: 'my number is 555', attachments: [picture] },
    }
    await receive(pageBody([said]))
    expect((await conversationOf('del-1')).preview).toBe('my number is 555')
    await receive(pageBody([takesBack(zoe, 'del-1', second(22))]))
    await receive(pageBody([edits(zoe, 'del-1', 'again', second(23)), said]))
    const message = await one('del-1')
    expect([message.text, message.deletedAt]).toEqual([null, second(22)])
    expect((await conversationOf('del-1')).preview).toBe('[deleted]')
    const { storage, accountId } = platform
    expect(await storage.attachments.ofMessages(storage.primary, accountId, [message.id])).toEqual([])
  })

  it('shows the newest edit in the preview', async () => {
    const kim = { id: '7302' }
    await receive(pageBody([writes(kim, 'ed-1', 'old', second(24)), writes(kim, 'ed-2', 'newest', second(25))]))
    await receive(pageBody([edits(kim, 'ed-1', 'old, edited', second(26))]))
    expect((await conversationOf('ed-2')).preview).toBe('newest')
    await receive(pageBody([edits(kim, 'ed-2', 'newest, edited', second(27))]))
    expect((await conversationOf('ed-2')).preview).toBe('newest, edited')
  })
})

describe('receipts', () => {
  it('keeps a read mark that comes between a sending and its answer', async () => {
    const { storage, accountId, adminId } = platform
    await receive(pageBody([writes(ines, 'wm-1', 'are you open?', new Date())]))
    const { id } = await conversationOf('wm-1')
    const { id: messageId } = await sendReply(storage, {
      accountId, conversationId: id, userId: adminId, kind: 'reply', text: 'until six',
    }) // prettier-ignore
    const [delivery] = await storage.write((tx) => storage.deliveries.lockByMessage(tx, accountId, messageId))
    if (delivery === undefined) throw new Error('no delivery')
    await storage.write((tx) => storage.deliveries.change(tx, accountId, delivery.id, { state: 'sending' }))
    await receive(pageBody([hasRead(ines, new Date(Date.now() + 60_000))]))
    expect(await waiting()).toBe(1)
    await take({
      type: 'receipt', state: 'sent', person: { externalId: ines.id }, occurredAt: new Date(), ids: ['wm-2'], reference: delivery.id,
    }) // prettier-ignore
    const [after] = await storage.write((tx) => storage.deliveries.lockByMessage(tx, accountId, messageId))
    expect([after?.state, await waiting()]).toEqual(['read', 0])
  })
})

describe('below posts', () => {
  const post = `${bakery.externalId}_77`
  const ourselves = { id: bakery.externalId, name: bakery.name }

  it('shows our own words said in the app of the network, and who answers has the conversation', async () => {
    await receive(feedBody([comments(ourselves, 'own-1', 'Fresh today!', second(40), post)]))
    expect([(await one('own-1')).direction, (await one('own-1')).contactId]).toEqual(['outbound', null])
    const before = await conversationOf('own-1')
    expect([before.visibility, before.postId === null, before.waitingSince]).toEqual(['public', false, null])
    await receive(feedBody([comments(mei, 'own-2', 'Until when?', second(41), post, 'own-1')]))
    const after = await conversationOf('own-2')
    expect([after.id, after.waitingSince]).toEqual([before.id, whole(second(41))])
    expect(after.contactId).toBe((await one('own-2')).contactId)
    const address = await platform.storage.contacts.address(
      platform.storage.primary,
      platform.accountId,
      after.contactAddressId,
    )
    expect(address?.externalId).toBe(mei.id)
  })

  it('takes changes of a post in any order, also before it', async () => {
    const post = `${bakery.externalId}_78`
    const edited = (text: string, at: Date) => take({ type: 'edit', externalId: post, occurredAt: at, text })
    const text = async () =>
      (await platform.storage.primary.first<{ text: string | null }>(`select text from posts where external_id = '${post}'`))?.text // prettier-ignore
    await edited('Second', second(52))
    await take({ type: 'post', externalId: post, occurredAt: second(50), text: 'First' })
    expect(await text()).toBe('Second')
    await edited('Between', second(51))
    expect(await text()).toBe('Second')
    await take({ type: 'delete', externalId: post, occurredAt: second(53) })
    await take({ type: 'post', externalId: post, occurredAt: second(50), text: 'First' })
    expect(await text()).toBeNull()
  })
})

describe('what has no channel', () => {
  it('is kept with its reason, and taken in by a replay once the channel is connected', async () => {
    const { storage, accountId, appId, broker } = platform
    const page = '100200777'
    await receive(pageBody([writes(ines, 'early-bird', 'anyone?', second(60), page)], page))
    const [kept] = await storage.received.list(storage.primary, accountId, { state: 'kept', limit: 1 })
    expect(kept?.reason).toBe(`no channel for facebook ${page}`)
    await platform.createChannel(appId, 'facebook', page)
    await storage.write((tx) => storage.received.replay(tx, accountId, kept?.id ?? ''))
    const handed: Buffer[] = []
    const consumer = broker.consume('inbound', { credit: 1 }, (message) => {
      handed.push(message.body)
      message.accept()
    })
    await handOn(platform, new Map())
    await until(() => handed.length === 1)
    await consumer.stop()
    const context = { storage, directory: new Directory(storage), logger, names: new Names({ ...platform, logger }) }
    await receiveBodies(context, [{ id: kept?.id ?? '', appId, bytes: handed[0] ?? Buffer.alloc(0) }])
    expect((await find('early-bird')).length).toBe(1)
    const after = await storage.received.get(storage.primary, accountId, kept?.id ?? '')
    expect([after?.state, after?.reason]).toEqual(['processed', null])
  })
})
