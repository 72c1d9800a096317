/** What stands beside words: reactions to posts, cards without a file, and content that cannot be shown here. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { InboundEvent } from '../messaging/connectors/connector.ts'
import { takeIn } from '../messaging/take-in.ts'
import { presentConversations } from '../web/presenters/conversation.ts'
import { presentMessages } from '../web/presenters/message.ts'
import type { MessageJson } from '../web/presenters/shapes.ts'
import { bakery, ines, juma, mei, second } from './people.ts'
import { openPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform

beforeAll(async () => {
  platform = await openPlatform()
})
afterAll(() => platform.close())

const take = async (...events: InboundEvent[]): Promise<void> => {
  const { storage, accountId, channelId } = platform
  const channel = await storage.channels.get(storage.primary, accountId, channelId)
  if (channel === undefined) throw new Error('no channel')
  const items = events.map((event, n) => ({ at: String(n), channel, event, receivedAt: new Date() }))
  await storage.write((tx) => takeIn(storage, tx, items))
}
const likes = (post: string, id: string, emoji: string | undefined, at: Date): InboundEvent => ({
  ...{ type: 'reaction', externalId: post, occurredAt: at, from: { externalId: id }, emoji },
})
const comments = (post: string, id: string, at: Date): InboundEvent => ({
  ...{ type: 'message', kind: 'comment', externalId: `c-${id}`, occurredAt: at, from: { externalId: mei.id } },
  ...{ thread: { kind: 'public', rootId: `c-${id}`, postId: post }, text: 'Lovely', attachments: [] },
})

/** The tally as the conversation below the post shows it. */
async function tally(post: string): Promise<unknown> {
  const { storage, accountId } = platform
  const all = await storage.conversations.list(storage.primary, accountId, { limit: 100 })
  const shown = await presentConversations(storage, storage.primary, accountId, all)
  return shown.find((one) => one.post?.external_id === post)?.post?.reactions
}

/** What was announced of reactions to the post, in order. */
async function reactedTo(post: string): Promise<unknown[]> {
  const { storage, accountId, channelId } = platform
  const row = await storage.primary.first<{ id: string }>(
    'select id from posts where account_id = ? and channel_id = ? and external_id = ?',
    [accountId, channelId, post],
  )
  const facts = await storage.primary.query<{
    data: { post_id: string; channel_id: string; by: string; emoji: unknown }
  }>("select data from outbox where type = 'post.reacted' order by id")
  return facts
    .filter(({ data }) => data.post_id === row?.id && data.channel_id === channelId)
    .map(({ data: { by, emoji } }) => ({ by, emoji }))
}

const waiting = async (): Promise<number> =>
  (await platform.storage.primary.first<{ n: number }>('select count(*) n from early_changes'))?.n ?? -1

test('each person counts once on a post, with the newest word, also before the post is known', async () => {
  const post = `${bakery.externalId}_90`
  await take(likes(post, ines.id, '❤️', second(2)), likes(post, juma.id, '👍', second(3)))
  expect(await waiting()).toBe(2)
  await take(comments(post, '90', second(4)))
  expect([await waiting(), await tally(post)]).toEqual([0, expect.arrayContaining([{ emoji: '❤️', count: 1 }, { emoji: '👍', count: 1 }])]) // prettier-ignore
  await take(likes(post, ines.id, '👍', second(6)))
  // Late, and told again.
  await take(likes(post, ines.id, '😢', second(5)), likes(post, ines.id, '👍', second(6)))
  expect(await tally(post)).toEqual([{ emoji: '👍', count: 2 }])
  await take(likes(post, juma.id, undefined, second(7)), likes(post, mei.id, '😮', second(8)))
  await take(likes(post, juma.id, '👍', second(3)), likes(post, mei.id, '❤️', second(9)))
  expect(await tally(post)).toEqual(expect.arrayContaining([{ emoji: '👍', count: 1 }, { emoji: '❤️', count: 1 }])) // prettier-ignore
  expect(await waiting()).toBe(0)
  // Each word that counts is told once; late ones, repetitions and those that change nothing are not.
  expect(await reactedTo(post)).toEqual([
    ...[ines, juma].map(({ id }) => ({ by: id, emoji: id === ines.id ? '❤️' : '👍' })),
    ...[
      { by: ines.id, emoji: '👍' },
      { by: juma.id, emoji: null },
      { by: mei.id, emoji: '😮' },
      { by: mei.id, emoji: '❤️' },
    ],
  ])
})

test('reactions of many at once are all counted', async () => {
  const post = `${bakery.externalId}_91`
  await take({ type: 'post', externalId: post, occurredAt: second(20), text: 'Rye bread' }, comments(post, '91', second(21))) // prettier-ignore
  await Promise.all(Array.from({ length: 12 }, (_, n) => take(likes(post, `fan-${String(n)}`, '❤️', second(22)))))
  expect(await tally(post)).toEqual([{ emoji: '❤️', count: 12 }])
})

async function shown(externalId: string): Promise<MessageJson | undefined> {
  const { storage, accountId } = platform
  const found = (await platform.messages()).filter((one) => one.externalId === externalId)
  return (await presentMessages(storage, storage.primary, accountId, found))[0]
}

const direct = { thread: { kind: 'direct', personId: ines.id } } as const

test('what cannot be shown here says so, also when we said it elsewhere', async () => {
  const said = { occurredAt: second(30), text: undefined, attachments: [], ...direct }
  const from = { externalId: ines.id }
  await take(
    { type: 'message', kind: 'message', externalId: 'h-1', from, ...said, extra: { encrypted: true } },
    { type: 'echo', kind: 'reply', externalId: 'h-2', to: from, ...said, extra: { encrypted: true } },
    { type: 'message', kind: 'message', externalId: 'h-3', from, ...said, extra: { is_unsupported: true } },
    { type: 'message', kind: 'message', externalId: 'h-4', from, ...said, extra: { standby: true } },
    { type: 'message', kind: 'message', externalId: 'h-5', from, ...said, extra: { story: { id: '1' } } },
    { type: 'message', kind: 'message', externalId: 'h-6', from, ...said, extra: { referral: {} } },
  )
  const hints = await Promise.all([1, 2, 3, 4, 5, 6].map(async (n) => (await shown(`h-${String(n)}`))?.hint))
  expect(hints).toEqual(['encrypted', 'encrypted', 'unsupported', 'standby', 'story', null])
})

test('a card keeps its title, its words and where it leads, and lacks no file', async () => {
  const attachments = [
    { kind: 'location', title: 'Pier 3', text: 'Cais do Sodré, Lisbon' },
    { kind: 'other', title: 'Rui Alves', text: '+351 21 000 0001' },
    { kind: 'share', title: 'A story', link: 'https://example.org/story' },
    { kind: 'image' },
  ] as const
  const from = { externalId: ines.id }
  await take({ type: 'message', kind: 'message', externalId: 'k-1', occurredAt: second(40), from, ...direct, text: undefined, attachments }) // prettier-ignore
  expect((await shown('k-1'))?.attachments).toMatchObject([
    { state: 'fetched', title: 'Pier 3', text: 'Cais do Sodré, Lisbon', link: null, url: null, reason: null },
    { state: 'fetched', title: 'Rui Alves', text: '+351 21 000 0001' },
    { state: 'fetched', title: 'A story', text: null, link: 'https://example.org/story', can_retry: false },
    { state: 'unavailable', reason_code: 'no_file' },
  ])
})
