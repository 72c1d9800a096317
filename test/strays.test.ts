/** Answers on X that come before what they answer, as Account Activity tells them (no thread, only the parent): one conversation in the end. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../infra/ids.ts'
import { Directory } from '../messaging/directory.ts'
import { Names } from '../messaging/names.ts'
import { receiveBodies } from '../messaging/receive.ts'
import { logger, openPlatform } from './platform.ts'
import type { Node, Platform } from './platform.ts'

const us = '1400000000000000001'
const ben = '1589012345678901201'
const carla = '1589012345678901202'

let platform: Platform
let other: Node
let appId: string

beforeAll(async () => {
  platform = await openPlatform()
  other = await platform.openNode('node-2')
  appId = await platform.createApp('x')
  await platform.createChannel(appId, 'x', us)
})
afterAll(() => platform.close())

interface Told {
  readonly id: string
  readonly by: string
  readonly to?: Told
}

let minute = 0
const post = (by: string, to?: Told): Told => ({
  id: `19910000000000${String(++minute).padStart(5, '0')}`,
  by,
  ...(to && { to }),
})
const bodyOf = ({ id, by, to }: Told): Buffer =>
  Buffer.from(
    JSON.stringify({
      for_user_id: us,
      tweet_create_events: [
        {
          ...{
            created_at: 'Thu Nov 20 09:59:59 +0000 2025',
            timestamp_ms: String(1_763_632_000_000 + Number(id.slice(-5)) * 60_000),
          },
          ...{ id_str: id, text: `@harbour ${id}`, user: { id_str: by, name: by, screen_name: `u${by.slice(-2)}` } },
          ...(to && { in_reply_to_status_id_str: to.id, in_reply_to_user_id_str: to.by }),
        },
      ],
    }),
  )

async function take(node: Node, ...told: readonly Told[]): Promise<void> {
  const { storage } = node
  const context = { storage, directory: new Directory(storage), logger, names: new Names({ ...node, logger }) }
  const given = told.map((one) => ({ id: newId(), appId, bytes: bodyOf(one) }))
  expect([...(await receiveBodies(context, given)).values()]).toEqual([])
}

/** Ben names us, we answer, he answers that, and himself, and we him: in the order in which it was said. */
function talk(): Told[] {
  const first = post(ben)
  const answer = post(us, first)
  const thanks = post(ben, answer)
  const more = post(ben, thanks)
  return [first, answer, thanks, more, post(us, more)]
}

async function conversationsOf(told: readonly Told[]): Promise<Map<string, string[]>> {
  const ids = told.map(({ id }) => id)
  const found = (await platform.messages()).filter(({ externalId }) => ids.includes(externalId ?? ''))
  const all = Map.groupBy(found, ({ conversationId }) => conversationId)
  return new Map([...all].map(([id, messages]) => [id, messages.map(({ externalId }) => externalId ?? '')]))
}

async function expectOne(told: readonly Told[], how: string): Promise<void> {
  const all = await conversationsOf(told)
  expect([...all.values()], how).toEqual([told.map(({ id }) => id)])
  const { storage, accountId } = platform
  const [id = ''] = all.keys()
  const conversation = await storage.conversations.get(storage.primary, accountId, id)
  expect(conversation?.lastActivityAt.getTime(), how).toBe(
    1_763_632_000_000 + Number(told.at(-1)?.id.slice(-5)) * 60_000,
  )
  const empty = await storage.primary.query(
    'select id from conversations c where not exists (select 1 from messages m where m.account_id = c.account_id and m.conversation_id = c.id)',
  )
  expect(empty, how).toEqual([])
}

const permutations = <T>(list: readonly T[]): T[][] =>
  list.length < 2
    ? [[...list]]
    : list.flatMap((one, n) => permutations(list.toSpliced(n, 1)).map((rest) => [one, ...rest]))

test('in every order, one after the other', async () => {
  for (const order of permutations([0, 1, 2, 3, 4])) {
    const told = talk()
    for (const n of order) await take(platform, told[n]!)
    await expectOne(told, order.join())
  }
})

test('in two batches, and told again', async () => {
  for (const [early, late] of [
    [
      [2, 4],
      [0, 1, 3],
    ],
    [
      [1, 3],
      [0, 2, 4],
    ],
    [
      [2, 3],
      [1, 4, 0],
    ],
  ] as const) {
    // prettier-ignore
    const told = talk()
    await take(platform, ...early.map((n) => told[n]!))
    await take(platform, ...late.map((n) => told[n]!))
    await take(platform, ...told)
    await expectOne(told, `${early.join()} then ${late.join()}`)
  }
})

test('on two nodes at the same moment', async () => {
  for (let round = 0; round < 25; round += 1) {
    const told = talk()
    await take(platform, told[0]!)
    await Promise.all([take(platform, told[1]!, told[3]!), take(other, told[2]!, told[4]!)])
    await expectOne(told, `round ${String(round)}`)
  }
})

test('what another person says below the same answer stays a conversation of their own', async () => {
  const told = talk()
  const stranger = post(carla, told[1])
  for (const one of [stranger, ...told.toReversed()]) await take(platform, one)
  await expectOne(told, 'with a stranger')
  expect([...(await conversationsOf([stranger])).values()]).toEqual([[stranger.id]])
})
