/** X: what arrives and what becomes of it. Every fixture names its rows of the written list, every row has a fixture. */
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ParsedItem } from '../messaging/connectors/connector.ts'
import { arrivals } from '../messaging/connectors/x/arrivals.ts'
import { x } from '../messaging/connectors/x/network.ts'

const us = '1400000000000000001'
const ben = { externalId: '1589012345678901201', name: 'Ben Okafor', handle: 'benokafor' }
const at = (iso: string): Date => new Date(iso)
const direct = { kind: 'direct', personId: ben.externalId }
const message = { type: 'message', kind: 'message' }
const mention = { type: 'message', kind: 'mention' }
const kept = { type: 'kept' }
const read = at('2025-11-20T10:00:07.000Z')

/** Beginnings of the rows in arrivals.ts. */
const dm = 'Direct message received'
const typing = 'Someone is typing'
const named = 'Post that names the account'
const answer = 'Answer to a post of the account'
const likes = 'Like of something the account said'
const notOurLike = 'Like by the account'
const seen = 'Direct message read'
const broken = 'Broken item'
const others = 'Profile change'
const links = 'Follow, block, mute'

/** Fixture, and of each item its row and the event (only what is told must fit). */
// prettier-ignore
const table: readonly (readonly [string, readonly (readonly [string, object])[]])[] = [
  ['dm-aaa', [[dm, { ...message, externalId: '1991000000000000001', from: { ...ben, pictureUrl: 'https://pbs.example/b.jpg' }, thread: direct, text: 'Charged twice & angry <3', occurredAt: at('2025-11-20T09:59:59.000Z') }]]],
  ['dm-xaa', [[dm, { ...message, externalId: '1991000000000000001' }]]],
  ['escaped', [[dm, { ...message, text: '<b> ä😀 https://example.org/' }]]],
  ['dm-two-of-ours', [
    [dm, { ...message, externalId: '1991000000000000050', from: { externalId: '1400000000000000002' } }],
    ['Direct message sent by the account', { type: 'echo', externalId: '1991000000000000050', to: { externalId: us } }] ]],
  ['dm-sent-aaa', [['Direct message sent by the account', { type: 'echo', kind: 'reply', externalId: '1991000000000000002', to: ben, thread: direct, text: 'Sorry, Ben' }]]],
  ['dm-sent-xaa', [['Direct message sent by the account', { type: 'echo', externalId: '1991000000000000002' }]]],
  ['dm-media', [['Quick reply chosen', { ...message, text: 'See https://example.org/long', attachments: [{ kind: 'image', url: 'https://ton.example/31.jpg', externalId: '31' }], extra: { quick_reply: 'opt-1' } }]]],
  ['dm-media-xaa', [['Quick reply chosen', { ...message, extra: { quick_reply: 'opt-1' } }]]],
  ['dm-media-kinds', [
    ['Picture, film or moving picture in a direct message', { ...message, text: undefined, attachments: [{ kind: 'video', url: 'https://video.example/32.mp4', externalId: '32' }] }],
    ['Picture, film or moving picture in a direct message', { ...message, text: undefined, attachments: [{ kind: 'image', url: 'https://ton.twitter.com/1.1/ton/data/dm/1991000000000000031/33/abc.jpg' }] }] ]],
  ['no-filter-xaa', [[dm, { ...message, from: { externalId: ben.externalId } }], [answer, { type: 'message', kind: 'comment' }], [broken, kept]]],
  ['mention-aaa', [[named, { ...mention, externalId: '1991000000000000010', from: ben, thread: { kind: 'public', rootId: '1991000000000000010', isPerPerson: true }, occurredAt: at('2025-11-20T09:59:59.000Z') }]]],
  ['mention-xaa', [[named, { ...mention, externalId: '1991000000000000010' }]]],
  ['mention-in-thread-aaa', [[named, { ...mention, inReplyTo: '1991000000000000008', thread: { rootId: '1991000000000000008', parentId: '1991000000000000008' } }]]],
  ['reply-to-us-aaa', [[answer, { type: 'message', kind: 'comment', externalId: '1991000000000000011', inReplyTo: '1990000000000000001', thread: { kind: 'public', rootId: '1990000000000000001', parentId: '1990000000000000001', isPerPerson: true } }]]],
  ['reply-to-us-xaa', [[answer, { type: 'message', kind: 'comment', externalId: '1991000000000000011' }]]],
  ['quote-aaa', [['Quote of a post', { ...mention, externalId: '1991000000000000020', from: ben, thread: { rootId: '1991000000000000020' }, text: 'Look at this https://twitter.com/harbour/status/1990000000000000001', extra: { quoted: '1990000000000000001' } }]]],
  ['quote-xaa', [['Quote of a post', { ...mention, externalId: '1991000000000000020' }]]],
  ['reposts-aaa', [['Repost', kept]]],
  ['reposts-xaa', [['Repost', kept], ['Repost', kept]]],
  ['blocked-author', [['Post by someone the account has blocked', { ...mention, extra: { author_blocked: true } }], [named, mention]]],
  ['own-posts-aaa', [
    ['Post of the account', { type: 'post', externalId: '1990000000000000001', permalink: 'https://x.com/harbour/status/1990000000000000001' }],
    ['Answer of the account', { type: 'echo', kind: 'comment', externalId: '1991000000000000012', inReplyTo: '1991000000000000010', to: { externalId: ben.externalId } }],
    ['Repost', kept] ]],
  ['own-posts-xaa', [['Post of the account', { type: 'post', externalId: '1990000000000000001' }], ['Answer of the account', { type: 'echo', externalId: '1991000000000000012' }]]],
  ['long-post', [['Long post', { ...mention, text: '@harbour the whole text https://example.org/a', attachments: [{ kind: 'video', url: 'https://video.example/high.mp4', externalId: '77' }] }]]],
  ['long-post-xaa', [['Long post', mention]]],
  ['post-photos', [
    ['Picture or film in a post', { ...mention, text: '@harbour two pictures', attachments: [{ kind: 'image', url: 'https://pbs.example/41.jpg', externalId: '41', title: 'A ferry' }, { kind: 'image', externalId: '42' }] }],
    ['Picture or film in a post', mention],
    ['Picture or film in a post', { ...mention, attachments: [{ kind: 'other', externalId: '43' }] }] ]],
  ['deletion-aaa', [['Post deleted', { type: 'delete', externalId: '1991000000000000010', occurredAt: at('2025-11-20T10:00:05.000Z') }]]],
  ['deletion-xaa', [['Post deleted', { type: 'delete', externalId: '1991000000000000010' }]]],
  ['likes-aaa', [
    [likes, { type: 'reaction', externalId: '1991000000000000012', emoji: '❤️', from: ben, occurredAt: at('2025-11-20T10:00:06.000Z') }],
    [likes, { type: 'reaction', externalId: '1990000000000000001', from: ben }], [notOurLike, kept], [notOurLike, kept] ]],
  ['likes-xaa', [[likes, { type: 'reaction', externalId: '1991000000000000012', emoji: '❤️', from: ben, occurredAt: at('2025-11-20T10:00:06.000Z') }], [notOurLike, kept], [likes, kept]]],
  ['marks-aaa', [[seen, { type: 'receipt', state: 'read', ids: ['1991000000000000002'], person: { externalId: ben.externalId }, occurredAt: read }], [seen, kept], [typing, kept]]],
  ['marks-xaa', [[seen, { type: 'receipt', state: 'read', ids: ['1991000000000000002'], person: { externalId: ben.externalId }, occurredAt: read }], [seen, { type: 'receipt', occurredAt: read }], [typing, kept]]],
  ['chat', [
    ['Encrypted message received', { ...message, externalId: 'e4f4d3fc-8bbf-4928-92eb-e5058d6bb6f6', from: { externalId: ben.externalId }, thread: direct, text: undefined, extra: { encrypted: true }, occurredAt: at('2025-11-20T09:59:59.000Z') }],
    ['Encrypted message sent by the account', { type: 'echo', kind: 'reply', thread: direct, text: undefined, extra: { encrypted: true } }], ['Encrypted message sent by the account', kept],
    ['Encrypted message received', kept], ['Someone joined an encrypted conversation', kept] ]],
  ['kept-aaa', [[links, kept], [links, kept], [links, kept], [links, kept], [links, kept]]],
  ['kept-xaa', [[links, kept], [links, kept], [links, kept], [links, kept], [links, kept], [links, kept]]],
  ['other-xaa', [[others, kept], [others, kept], [others, kept], [others, kept]]],
  ['revoke-aaa', [['Access withdrawn', { type: 'revoked', occurredAt: at('2025-11-20T10:00:00.000Z') }]]],
  ['revoke-xaa', [['Access withdrawn', { type: 'revoked', occurredAt: at('2025-11-20T10:00:00.000Z') }]]],
  ['user-event-other', [['List or event type that is not known', kept]]],
  ['replay-status', [['End of a replay', { type: 'replayed', jobId: '1991000000000000040', isComplete: true }], ['End of a replay', { type: 'replayed', isComplete: false }], ['End of a replay', kept]]],
  ['unknown', [['List or event type that is not known', kept], ['List or event type that is not known', kept], ['Other event of direct messages', kept]]],
  ['not-json', [[broken, kept]]],
  ['broken-among-good', [[broken, kept], [broken, kept], [broken, kept], [named, { ...mention, externalId: '1991000000000000015', from: { externalId: ben.externalId } }], [broken, kept]]],
]

const folder = new URL('../messaging/connectors/x/fixtures/', import.meta.url)
const parse = (fixture: string): ParsedItem[] => x.parse(readFileSync(new URL(`${fixture}.json`, folder)))

test.each(table)('%s', (fixture, rows) => {
  expect(parse(fixture).map(({ event }) => event)).toMatchObject(rows.map(([, event]) => event))
  for (const [, event] of rows) expect(event).toHaveProperty('type')
})

describe('the written list', () => {
  const rowsOf = (what: string) => arrivals.filter((arrival) => arrival.what.startsWith(what))
  test('every fixture names its rows, every row has a fixture', () => {
    const names = table.flatMap(([, rows]) => rows.map(([what]) => what))
    expect(names.filter((what) => rowsOf(what).length !== 1)).toEqual([])
    expect(arrivals.filter(({ what }) => !names.some((name) => what.startsWith(name))).map(({ what }) => what)).toEqual(
      [],
    )
    const files = readdirSync(folder).map((file) => file.replace('.json', ''))
    expect(files.sort()).toEqual(table.map(([fixture]) => fixture).sort())
  })

  test('what it says is what happens', () => {
    const words: Readonly<Record<string, RegExp>> = {
      message: /message|mention|comment|attachment/,
      echo: /echo/,
      post: /^post/,
      delete: /^delete/,
      reaction: /^reaction/,
      receipt: /^receipt: read/,
      revoked: /^revoked/,
      replayed: /^replayed/,
    }
    for (const [fixture, rows] of table)
      parse(fixture).forEach(({ event }, index) => {
        const [row] = rowsOf(rows[index]?.[0] ?? '')
        if (event.type !== 'kept')
          expect(`${fixture}: ${row?.becomes ?? ''}`.split(': ').slice(1).join(': ')).toMatch(
            words[event.type] ?? /never/,
          )
      })
  })
})

/** X tells the same thing in two forms; both must give the same item, or it would be shown twice. */
test.each([
  ['dm-aaa', 'dm-xaa'],
  ['dm-sent-aaa', 'dm-sent-xaa'],
  ['dm-media', 'dm-media-xaa'],
  ['mention-aaa', 'mention-xaa'],
  ['reply-to-us-aaa', 'reply-to-us-xaa'],
  ['quote-aaa', 'quote-xaa'],
  ['long-post', 'long-post-xaa'],
])('%s and %s are the same', (older, newer) => {
  const [a, b] = [older, newer].map((fixture) =>
    parse(fixture).map(({ event, channelExternalId }) => ({ event, channelExternalId })),
  )
  expect(a).toHaveLength(1)
  expect(b).toEqual(a)
})

test('two forms in one fixture are the same too', () => {
  const [older, newer] = parse('post-photos').map(({ event }) => event)
  expect(newer).toEqual(older)
})

test('a like is the same reaction in both forms', () => {
  expect(parse('likes-xaa')[0]?.event).toEqual(parse('likes-aaa')[0]?.event)
})

test('one message between two subscribed users belongs to each of them, under one id', () => {
  expect(parse('dm-two-of-ours').map(({ channelExternalId, event }) => [channelExternalId, event.type])).toEqual([
    [us, 'message'],
    ['1400000000000000002', 'echo'],
  ])
})

test('the same post under two event types is one comment', () => {
  const given = JSON.parse(readFileSync(new URL('reply-to-us-xaa.json', folder), 'utf8')) as { data: object }
  const told = ['post.mention.create', 'post.reply.create', 'post.create'].map((event_type, index) =>
    x.parse(Buffer.from(JSON.stringify({ data: { ...given.data, event_type, event_uuid: String(-index) } }))),
  )
  expect(told[1]).toEqual(told[0])
  expect(told[2]).toEqual(told[0])
})

test('every item names its place and its channel', () => {
  expect(
    parse('marks-aaa').map(({ at: place, channelType, channelExternalId }) => [place, channelType, channelExternalId]),
  ).toEqual([
    ['direct_message_mark_read_events.0', 'x', us],
    ['direct_message_mark_read_events.1', 'x', us],
    ['direct_message_indicate_typing_events.0', 'x', us],
  ])
  expect(parse('revoke-xaa')[0]).toMatchObject({ channelType: 'x', channelExternalId: us })
  expect(parse('revoke-aaa')[0]).toMatchObject({ channelType: 'x', channelExternalId: us })
})

test('milliseconds come from the id where X tells whole seconds', () => {
  const first = Date.UTC(2026, 0, 1, 12, 0, 0, 250)
  const idAt = (ms: number): string => String(BigInt(ms - 1288834974657) << 22n)
  const when = (id: string, created_at: string) => {
    const [item] = x.parse(
      Buffer.from(
        JSON.stringify({ for_user_id: us, tweet_create_events: [{ id_str: id, created_at, user: { id_str: '7' } }] }),
      ),
    )
    return item !== undefined && 'occurredAt' in item.event ? item.event.occurredAt.getTime() : 0
  }
  expect(when(idAt(first), 'Thu Jan 01 12:00:00 +0000 2026')).toBe(first)
  expect(when(idAt(first + 300), 'Thu Jan 01 12:00:00 +0000 2026')).toBe(first + 300)
  // An id of another time is not believed.
  expect(when(idAt(first + 5_000), 'Thu Jan 01 12:00:00 +0000 2026')).toBe(first - 250)
})

describe('whatever stands in any field, nothing is thrown and the good item beside it arrives', () => {
  const good = { id_str: '1991000000000000099', text: 'still here', user: { id_str: ben.externalId } }
  const bodies = readdirSync(folder).flatMap((file) => {
    try {
      return [[file, JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as unknown] as const]
    } catch {
      return []
    }
  })
  const deep = (open: string, close: string, depth = 1_000): unknown =>
    JSON.parse(`${open.repeat(depth)}1${close.repeat(depth)}`)
  // prettier-ignore
  const poisons: readonly unknown[] = [
    undefined, null, true, false, 0, -1, 1e308, 2 ** 60, '', ' ', 'x', '\ud800', '\u0000', 'é'.repeat(5_000), 'https://t.co/' + 'y'.repeat(6_000), '1'.repeat(400),
    [], {}, [null], [[[]]], deep('[', ']'), deep('{"data":', '}'), deep('{"media":[', ']}'), { toString: 1, __proto__: null, constructor: 'x' },
  ]

  const check = (items: readonly ParsedItem[]): void => {
    expect(items.length).toBeGreaterThan(0)
    for (const { event, channelExternalId } of items) {
      if ('occurredAt' in event) expect(Number.isFinite(event.occurredAt.getTime())).toBe(true)
      if ('externalId' in event) expect(event.externalId.length).toBeLessThanOrEqual(150)
      expect(channelExternalId?.length ?? 0).toBeLessThanOrEqual(150)
      if (event.type === 'message' && event.from.externalId === channelExternalId)
        throw new Error('our own words came back as inbound')
    }
  }

  /** Every place in a body, as a path. */
  function places(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
    // Below a poison that is nested deep, one place stands for all.
    if (path.length > 12) return [path]
    if (Array.isArray(value)) return [path, ...value.flatMap((one: unknown, index) => places(one, [...path, index]))]
    if (typeof value !== 'object' || value === null) return [path]
    return [path, ...Object.entries(value).flatMap(([key, one]) => places(one, [...path, key]))]
  }
  function put(value: unknown, [head, ...rest]: readonly (string | number)[], poison: unknown): unknown {
    if (head === undefined) return poison
    if (Array.isArray(value)) return value.map((one: unknown, index) => (index === head ? put(one, rest, poison) : one))
    const fields = Object.entries(value as object).map(([key, one]) => [
      key,
      key === head ? put(one, rest, poison) : (one as unknown),
    ])
    return Object.fromEntries(fields)
  }

  test.each(bodies)('%s: each of its fields in turn', (_file, body) => {
    for (const place of places(body)) {
      for (const poison of poisons) {
        const json = JSON.stringify(put(body, place, poison))
        check(x.parse(Buffer.from((json as string | undefined) ?? '')))
      }
    }
  })

  test('several fields at once, any bytes, cut and not UTF-8', () => {
    const anyBody = fc.constantFrom(...bodies.map(([, body]) => body))
    const mutated = fc
      .tuple(anyBody, fc.array(fc.tuple(fc.nat(), fc.constantFrom(...poisons)), { maxLength: 5 }))
      .map(([body, changes]) =>
        changes.reduce<unknown>((now, [pick, poison]) => {
          const all = places(now)
          return put(now, all[pick % all.length] ?? [], poison)
        }, body),
      )
    fc.assert(
      fc.property(mutated, fc.nat(), fc.uint8Array({ maxLength: 20 }), (body, cut, bytes) => {
        const whole = Buffer.from(JSON.stringify({ body, list: [] }))
        check(x.parse(Buffer.from(JSON.stringify([body, { for_user_id: us, tweet_create_events: [body, good] }]))))
        const place = cut % whole.length
        check(x.parse(Buffer.concat([whole.subarray(0, place), bytes, whole.subarray(place)])))
        check(x.parse(whole.subarray(0, place)))
      }),
      { numRuns: 1_000 },
    )
  })

  test('the good item arrives', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...poisons), { maxLength: 6 }),
        fc.constantFrom(...poisons),
        (items, users) => {
          const body = {
            for_user_id: us,
            users,
            user_has_blocked: users,
            tweet_create_events: [...items, good, ...items],
            direct_message_events: items,
          }
          const found = x
            .parse(Buffer.from(JSON.stringify(body)))
            .filter(({ event }) => event.type === 'message' && event.externalId === good.id_str)
          expect(found).toHaveLength(1)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('a body of two megabytes in one field takes no more than a moment', () => {
    const urls = Array.from({ length: 20_000 }, (_, index) => ({
      url: `https://t.co/${String(index)}`,
      expanded_url: `https://example.org/${'a'.repeat(50)}`,
    }))
    const text = 'https://t.co/1 '.repeat(60_000)
    const started = performance.now()
    const [item] = x.parse(
      Buffer.from(
        JSON.stringify({ for_user_id: us, tweet_create_events: [{ ...good, text, entities: { urls, media: urls } }] }),
      ),
    )
    expect(performance.now() - started).toBeLessThan(2_000)
    expect(item?.event).toMatchObject({ type: 'message', externalId: good.id_str })
  })
})
