/** Items of every shape, through the whole receiver: never an exception, never at the cost of another item. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import { Directory } from '../messaging/directory.ts'
import { Names } from '../messaging/names.ts'
import { receiveBodies } from '../messaging/receive.ts'
import { bakery, ines, second, writes } from './people.ts'
import { logger, openPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
let xApp: string

beforeAll(async () => {
  platform = await openPlatform()
  xApp = await platform.createApp('x')
  await platform.createChannel(xApp, 'x', '42')
})
afterAll(() => platform.close())

/** Ids and texts that hurt: of any length, with anything in them, colliding with each other. */
const word = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    ines.id,
    bakery.externalId,
    '42',
    'm_1',
    'constructor',
    '__proto__',
    '\u0000',
    '\ud800',
    '🙂',
  ),
  fc.string({ maxLength: 20, unit: 'binary' }),
  fc.integer({ min: 100, max: 3_000 }).map((length) => '🙂x'.repeat(length)),
)
const time = fc.oneof(
  fc.constantFrom(0, -1, 1e15, 8.64e15, 9e15, Number.MAX_SAFE_INTEGER, '2026-01-01', null),
  fc.integer({ min: 1_500_000_000_000, max: 1_900_000_000_000 }),
)
const anything = fc.oneof(word, time, fc.boolean(), fc.constant(null), fc.jsonValue({ maxDepth: 2 }))
const some = (fields: Record<string, fc.Arbitrary<unknown>>) => fc.record(fields, { requiredKeys: [] })
const person = some({ id: word, name: anything })

const messaging = some({
  sender: person, recipient: person, timestamp: time,
  message: some({ mid: word, text: anything, is_echo: anything, is_deleted: anything, metadata: anything, attachments: fc.array(some({ type: word, payload: anything }), { maxLength: 3 }), reply_to: anything, quick_reply: anything }),
  message_edit: some({ mid: word, text: anything, num_edit: anything }),
  reaction: some({ mid: word, action: fc.constantFrom('react', 'unreact', 'x'), emoji: anything }),
  read: some({ watermark: time, mid: word }), delivery: some({ mids: fc.array(word, { maxLength: 4 }), watermark: time }),
  postback: some({ mid: word, title: anything, payload: anything }), optin: anything, referral: anything,
}) // prettier-ignore
const change = some({
  field: fc.constantFrom('feed', 'mention', 'ratings', 'x'),
  value: some({
    item: fc.constantFrom('comment', 'status', 'photo', 'reaction', 'x'), verb: fc.constantFrom('add', 'edited', 'remove', 'hide', 'x'),
    comment_id: word, post_id: word, parent_id: word, message: anything, from: person, created_time: fc.oneof(time, fc.integer({ min: 1e9, max: 2e9 })), photo: anything,
  }),
}) // prettier-ignore
const metaItems = fc.record({
  messaging: fc.array(messaging, { maxLength: 4 }),
  changes: fc.array(change, { maxLength: 4 }),
})
const xItems = fc.record({
  tweet_create_events: fc.array(some({ id_str: word, text: anything, user: some({ id_str: word, name: anything, screen_name: anything }), created_at: anything, timestamp_ms: anything, in_reply_to_status_id_str: word, in_reply_to_user_id_str: word, entities: anything, extended_entities: anything }), { maxLength: 3 }),
  direct_message_events: fc.array(some({ type: fc.constantFrom('message_create', 'x'), id: word, created_timestamp: time, message_create: some({ sender_id: word, target: some({ recipient_id: word }), message_data: some({ text: anything, entities: anything, attachment: anything }) }) }), { maxLength: 3 }),
  tweet_delete_events: fc.array(some({ status: some({ id: word }), timestamp_ms: anything }), { maxLength: 2 }),
}) // prettier-ignore

let number = 0

it('takes in or keeps whatever is in a body, and all that stands beside it', { timeout: 60_000 }, async () => {
  const { storage, accountId, appId } = platform
  const context = { storage, directory: new Directory(storage), logger, names: new Names({ ...platform, logger }) }
  let deadItems = 0
  await fc.assert(
    fc.asyncProperty(metaItems, xItems, async (meta, x) => {
      const mids = [`beside-${String(++number)}-a`, `beside-${String(number)}-b`] as const
      const good = mids.map((mid, n) => writes(ines, mid, 'fine', second(n)))
      const entry = {
        id: bakery.externalId,
        time: Date.now(),
        ...meta,
        messaging: [good[0], ...meta.messaging, good[1]],
      }
      const bodies = [
        { id: newId(), appId, bytes: Buffer.from(JSON.stringify({ object: 'page', entry: [entry] })) },
        { id: newId(), appId: xApp, bytes: Buffer.from(JSON.stringify({ for_user_id: '42', ...x })) },
      ]
      const failed = await receiveBodies(context, bodies)
      expect([...failed.values()]).toEqual([])
      for (const externalId of mids)
        expect((await storage.messages.list(storage.primary, accountId, { externalId, limit: 2 })).length).toBe(1)
      for (const { id } of bodies) {
        const row = await storage.received.get(storage.primary, accountId, id)
        expect(row?.trace?.some(({ became }) => became === 'nothing')).toBe(false)
        const dead = row?.trace?.filter(({ became }) => became.startsWith('dead')) ?? []
        if (dead.length > 0) console.log(JSON.stringify(dead), row?.body.toString().slice(0, 2_000))
        deadItems += dead.length
      }
    }),
    { numRuns: 150, interruptAfterTimeLimit: 25_000 },
  )
  const [orphans] = await storage.primary.query<{ n: number }>(
    'select count(*) n from messages m left join conversations c on c.id = m.conversation_id where c.id is null',
  )
  console.log(`bodies ${String(2 * number)}, dead items ${String(deadItems)}`)
  expect([deadItems, orphans?.n]).toEqual([0, 0])
})
