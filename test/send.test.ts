/** What may be said, and what is queued when it is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import { Directory } from '../messaging/directory.ts'
import { Names } from '../messaging/names.ts'
import { receiveBodies } from '../messaging/receive.ts'
import { cancelDelivery, retryDelivery } from '../messaging/fate.ts'
import { addNote, sendReply } from '../messaging/send.ts'
import type { NewReply } from '../messaging/send.ts'
import { comments, feedBody, ines, juma, pageBody, second, writes } from './people.ts'
import { logger, openPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
let direct: string
let thread: string
let stale: string

const receive = (...bodies: Buffer[]) =>
  receiveBodies(
    { ...platform, directory: new Directory(platform.storage), logger, names: new Names({ ...platform, logger }) },
    bodies.map((bytes) => ({ id: newId(), appId: platform.appId, bytes })),
  )
const send = (conversationId: string, more: Partial<NewReply>) =>
  sendReply(platform.storage, {
    accountId: platform.accountId,
    conversationId,
    userId: platform.adminId,
    kind: 'reply',
    text: 'hello',
    ...more,
  })
const conversationOf = async (externalId: string): Promise<string> =>
  (await platform.messages()).find((each) => each.externalId === externalId)?.conversationId ?? ''
const read = (id: string) => platform.storage.conversations.get(platform.storage.primary, platform.accountId, id)

beforeAll(async () => {
  platform = await openPlatform()
  const longAgo = new Date(Date.now() - 8 * 24 * 3_600_000)
  await receive(
    pageBody([writes(ines, 'd1', 'hi', second(1)), writes(juma, 'd2', 'hi', longAgo)]),
    feedBody([comments(ines, 'c1', 'nice', second(2), 'p1'), comments(juma, 'c2', 'indeed', second(3), 'p1', 'c1')]),
  )
  direct = await conversationOf('d1')
  stale = await conversationOf('d2')
  thread = await conversationOf('c1')
})
afterAll(() => platform.close())

describe('send', () => {
  it('queues message, delivery and fact together, in the order of asking', async () => {
    expect((await read(direct))?.waitingSince).not.toBeNull()
    const messages = await Promise.all(
      Array.from({ length: 10 }, (_, n) => send(direct, { text: `number ${String(n)}` })),
    )
    const deliveries = await platform.storage.deliveries.ofMessages(
      platform.storage.primary,
      platform.accountId,
      messages.map(({ id }) => id),
    )
    expect(deliveries.map(({ seq }) => seq ?? 0).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(new Set(deliveries.map(({ state }) => state))).toEqual(new Set(['queued']))
    const facts = await platform.storage.relay.oldest(platform.storage.primary, 100)
    expect(facts.filter(({ type }) => type === 'message.queued').length).toBe(10)
    const conversation = await read(direct)
    expect([conversation?.waitingSince, conversation?.preview.startsWith('number ')]).toEqual([null, true])
  })

  it.each([
    ['no text', () => send(direct, { text: '  ' }), 'empty', 'text'],
    ['too much text', () => send(direct, { text: 'x'.repeat(2001) }), 'too_long', 'text'],
    ['a closed window', () => send(stale, {}), 'window_closed', 'text'],
    ['a kind of the other sort of conversation', () => send(thread, {}), 'kind_not_possible', 'kind'],
    [
      'a message of elsewhere',
      () => send(thread, { kind: 'comment', inReplyTo: newId() }),
      'nothing_to_answer',
      'in_reply_to',
    ],
  ])('refuses %s, and queues nothing', async (_, act, code, field) => {
    const before = (await platform.messages()).length
    await expect(act()).rejects.toMatchObject({ status: 422, code, faults: [{ field }] })
    expect((await platform.messages()).length).toBe(before)
  })

  it('answers the newest comment, or the one that is named', async () => {
    const named = (await platform.messages()).find(({ externalId }) => externalId === 'c1')
    expect((await send(thread, { kind: 'comment' })).inReplyTo).toBe('c2')
    expect((await send(thread, { kind: 'comment', inReplyTo: named?.id ?? '' })).inReplyTo).toBe('c1')
    const privately = await send(thread, { kind: 'private_reply', inReplyTo: named?.id ?? '' })
    expect([privately.inReplyTo, privately.visibility]).toEqual(['c1', 'direct'])
  })

  it('keeps notes among colleagues', async () => {
    await receive(pageBody([writes(ines, 'd3', 'still there?', second(9))]))
    const note = await addNote(platform.storage, {
      accountId: platform.accountId,
      conversationId: direct,
      userId: platform.adminId,
      text: 'she is a regular',
    })
    expect(
      await platform.storage.deliveries.ofMessages(platform.storage.primary, platform.accountId, [note.id]),
    ).toEqual([])
    expect((await read(direct))?.waitingSince ?? null).toBeNull()
  })

  it('takes back what has not left, and queues it again', async () => {
    const message = await send(direct, { text: 'not yet' })
    const state = async () =>
      (await platform.storage.deliveries.ofMessages(platform.storage.primary, platform.accountId, [message.id]))[0]
        ?.state
    await expect(retryDelivery(platform.storage, platform.accountId, message.id)).rejects.toMatchObject({
      status: 409,
      code: 'not_retryable',
    })
    await cancelDelivery(platform.storage, platform.accountId, message.id)
    expect(await state()).toBe('cancelled')
    await expect(cancelDelivery(platform.storage, platform.accountId, message.id)).rejects.toMatchObject({
      status: 409,
      code: 'not_cancellable',
    })
    await retryDelivery(platform.storage, platform.accountId, message.id)
    expect(await state()).toBe('queued')
  })

  it('is of its own account only', async () => {
    await expect(send(direct, { accountId: newId() })).rejects.toMatchObject({ status: 404 })
  })
})
