/** What connectors compute: signatures, handshakes, request signing, lengths, the meaning of refusals; and that no body breaks them. */
import fc from 'fast-check'
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { classifyGraphError, readGraphError } from '../messaging/connectors/meta/outcomes.ts'
import { readUsage } from '../messaging/connectors/meta/graph.ts'
import { instantOf, idOf } from '../messaging/connectors/reading.ts'
import { connectorOf, networks } from '../messaging/connectors/registry.ts'
import type { ChannelAccess, OutboundMessage } from '../messaging/connectors/connector.ts'
import { measurePost } from '../messaging/connectors/x/length.ts'
import { signOAuth1 } from '../messaging/connectors/x/oauth1.ts'
import { classifyXError } from '../messaging/connectors/x/outcomes.ts'

describe('signatures', () => {
  const body = Buffer.from('{"object":"page","text":"\\u00e4\\u00f6\\u00e5"}')
  const hex = (secret: string): string => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
  const base64 = (secret: string): string => `sha256=${createHmac('sha256', secret).update(body).digest('base64')}`
  const app = { secrets: ['new', 'old'], verifyToken: 'verify' }

  test.each([
    ['meta', 'x-hub-signature-256', hex('new'), true],
    ['meta', 'x-hub-signature-256', hex('old'), true],
    ['meta', 'x-hub-signature-256', hex('other'), false],
    ['meta', 'x-hub-signature-256', base64('new'), false],
    ['meta', 'x-hub-signature-256', hex('new').slice(0, -1), false],
    ['meta', 'x-hub-signature-256', '', false],
    ['meta', 'x-hub-signature', hex('new'), false],
    ['x', 'x-twitter-webhooks-signature', base64('new'), true],
    ['x', 'x-twitter-webhooks-signature', base64('old'), true],
    ['x', 'x-twitter-webhooks-signature', hex('new'), false],
    ['x', 'x-twitter-webhooks-signature', base64('other'), false],
    ['x', 'x-twitter-webhooks-signature', '', false],
  ] as const)('%s %s %s: %s', (network, header, value, isRight) => {
    expect(networks[network].verify({ headers: { [header]: value }, body }, app)).toBe(isRight)
  })

  test('the bytes count, not what they mean', () => {
    const same = Buffer.from(JSON.stringify(JSON.parse(body.toString())))
    expect(networks.meta.verify({ headers: { 'x-hub-signature-256': hex('new') }, body: same }, app)).toBe(false)
  })

  test('an empty secret opens nothing', () => {
    expect(
      networks.meta.verify(
        { headers: { 'x-hub-signature-256': hex('') }, body },
        { secrets: [''], verifyToken: undefined },
      ),
    ).toBe(false)
    expect(
      networks.x.verify(
        { headers: { 'x-twitter-webhooks-signature': base64('') }, body },
        { secrets: [], verifyToken: undefined },
      ),
    ).toBe(false)
  })

  const get = (query: string) => ({
    method: 'GET',
    query: new URLSearchParams(query),
    headers: {},
    body: Buffer.alloc(0),
  })
  test('the hub challenge', () => {
    const ask = (query: string) => networks.meta.answerHandshake(get(query), app)
    expect(ask('hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify')).toEqual({
      status: 200,
      contentType: 'text/plain',
      body: '1158201444',
    })
    expect(ask('hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong')?.status).toBe(403)
    expect(ask('hub.mode=subscribe&hub.challenge=1')?.status).toBe(403)
    expect(ask('')).toBeUndefined()
    expect(
      networks.meta.answerHandshake(get('hub.mode=subscribe&hub.challenge=1&hub.verify_token='), {
        secrets: [],
        verifyToken: undefined,
      })?.status,
    ).toBe(403)
  })

  test('the CRC', () => {
    const answer = networks.x.answerHandshake(get('crc_token=abc&nonce=1'), app)
    expect(JSON.parse(answer?.body ?? '')).toEqual({
      response_token: `sha256=${createHmac('sha256', 'new').update('abc').digest('base64')}`,
    })
    expect(networks.x.answerHandshake(get(''), app)).toBeUndefined()
  })
})

test('OAuth 1.0a signs as X documents it', () => {
  const header = signOAuth1(
    {
      method: 'post',
      url: 'https://api.twitter.com/1.1/statuses/update.json?include_entities=true',
      form: { status: 'Hello Ladies + Gentlemen, a signed OAuth request!' },
    },
    {
      consumerKey: 'xvz1evFS4wEEPTGEFPHBog',
      consumerSecret: 'kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw',
      token: '370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb',
      tokenSecret: 'LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE',
    },
    { timestamp: '1318622958', nonce: 'kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg' },
  )
  expect(header).toContain('oauth_signature="hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D"')
})

test.each([
  ['Hi http://test.co', 26],
  ['http://test.co', 23],
  ['https://www.twitter.com/aloha '.repeat(10), 240],
  ['285 chars- http://www.twitter.com/jack ', 11 + 23 + 1],
  ['故人西辞', 8],
  ['the故人', 7],
  ['😷👾😡🔥💩', 10],
  ['H🐱☺👨‍👩‍👧‍👦', 7],
  ['🙋🏽👨‍🎤', 4],
  ['A\u0301', 1],
  ['see example.com now', 4 + 23 + 4],
  ['mail a@example.com', 18],
  ['v1.5 and 3.14', 13],
  ['“quoted” – dash…', 16],
  ['', 0],
])('X counts %j as %i', (text, length) => {
  // “…” (U+2026) is beyond the light ranges and counts 2.
  expect(measurePost(text)).toBe(text.includes('…') ? length + 1 : length)
})

describe('the meaning of Graph errors', () => {
  test.each([
    [4, undefined, 'retry'],
    [613, undefined, 'retry'],
    [80006, undefined, 'retry'],
    [2, undefined, 'retry'],
    [1, undefined, 'unknown'],
    [1, 1357046, 'unknown'],
    [190, 460, 'token'],
    [190, undefined, 'token'],
    [200, undefined, 'token'],
    [10, undefined, 'token'],
    [100, 2018028, 'token'],
    [10, 2018278, 'window'],
    [10, 2534022, 'window'],
    [551, undefined, 'recipient'],
    [200, 1545041, 'recipient'],
    [100, 2018001, 'recipient'],
    [100, undefined, 'content'],
    [100, 2018109, 'content'],
    [10900, undefined, 'content'],
    [368, 1390008, 'policy'],
    [10, 1893063, 'policy'],
  ] as const)('%i/%s: %s', (code, subcode, meaning) => {
    const error = readGraphError({
      error: { message: 'no', code, ...(subcode === undefined ? {} : { error_subcode: subcode }) },
    })
    const outcome = error === undefined ? undefined : classifyGraphError(error, 400)
    expect(outcome?.type === 'refused' ? outcome.class : outcome?.type).toBe(meaning)
  })

  test('an unknown code with 500 decides nothing, with 400 it is the content', () => {
    expect(classifyGraphError({ code: 99999, subcode: undefined, message: '' }, 500).type).toBe('unknown')
    expect(classifyGraphError({ code: 99999, subcode: undefined, message: '' }, 400)).toMatchObject({
      type: 'refused',
      class: 'content',
    })
  })

  test('usage headers say how long to wait', () => {
    expect(
      readUsage({
        'x-app-usage': '{"call_count":80,"total_time":10}',
        'x-business-use-case-usage': '{"1":[{"call_count":100,"estimated_time_to_regain_access":3}]}',
      }),
    ).toEqual({ percent: 100, waitMs: 180_000 })
    expect(readUsage({ 'x-app-usage': 'nonsense' })).toEqual({ percent: 0, waitMs: undefined })
  })
})

describe('the meaning of X refusals', () => {
  const now = new Date('2026-01-01T00:00:00Z')
  const classify = (status: number, json: unknown, headers = {}) => {
    const outcome = classifyXError(status, json, headers, now)
    return outcome.type === 'refused' ? outcome.class : outcome.type
  }
  test.each([
    [429, { title: 'Too Many Requests', type: 'about:blank' }, 'retry'],
    [403, { errors: [{ code: 88, message: 'Rate limit exceeded' }] }, 'retry'],
    [429, { title: 'UsageCapExceeded', type: 'https://api.twitter.com/2/problems/usage-capped' }, 'policy'],
    [401, { title: 'Unauthorized' }, 'token'],
    [403, { errors: [{ code: 89 }] }, 'token'],
    [403, { detail: 'You are not allowed to create a Tweet with duplicate content.', type: 'about:blank' }, 'content'],
    [403, { errors: [{ code: 186 }] }, 'content'],
    [403, { detail: 'You do not have permission to DM one or more participants.' }, 'recipient'],
    [403, { errors: [{ code: 349 }] }, 'recipient'],
    [403, { detail: 'x', type: 'https://api.twitter.com/2/problems/client-forbidden' }, 'token'],
    [403, { errors: [{ code: 326 }] }, 'policy'],
    [503, {}, 'unknown'],
    [500, undefined, 'unknown'],
    [400, { title: 'Invalid Request' }, 'content'],
  ])('%i %j: %s', (status, json, meaning) => {
    expect(classify(status, json)).toBe(meaning)
  })

  test('the latest exhausted limit decides how long to wait', () => {
    const epoch = now.getTime() / 1000
    const headers = {
      'x-rate-limit-remaining': '0',
      'x-rate-limit-reset': String(epoch + 60),
      'x-user-limit-24hour-remaining': '0',
      'x-user-limit-24hour-reset': String(epoch + 3600),
      'x-app-limit-24hour-remaining': '5',
      'x-app-limit-24hour-reset': String(epoch + 7200),
    }
    expect(classifyXError(429, {}, headers, now)).toMatchObject({ type: 'retry', afterMs: 3_600_000 })
  })
})

// prettier-ignore
test.each([
  [1763632799, '2025-11-20T09:59:59.000Z'],
  [1763632799000, '2025-11-20T09:59:59.000Z'],
  ['1763632799', '2025-11-20T09:59:59.000Z'],
  ['1763632799000', '2025-11-20T09:59:59.000Z'],
  ['2025-11-20T09:59:59.000Z', '2025-11-20T09:59:59.000Z'],
  ['2025-11-20T09:59:59+0000', '2025-11-20T09:59:59.000Z'],
  ['Thu Nov 20 09:59:59 +0000 2025', '2025-11-20T09:59:59.000Z'],
  [0, undefined], [-1, undefined], [Number.NaN, undefined], [1e300, undefined], ['soon', undefined], [null, undefined], [{}, undefined], [true, undefined],
])('the instant %j is %s', (value, iso) => { expect(instantOf(value)?.toISOString()).toBe(iso) })

test('a number that the JSON parser has damaged is no id', () => {
  expect(idOf(JSON.parse('1589012345678901201'))).toBeUndefined()
  expect([idOf(12), idOf('12'), idOf(''), idOf(1.5), idOf(-1), idOf(null)]).toEqual([
    '12',
    '12',
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

describe('no body breaks the parser', () => {
  const words = [
    'object',
    'entry',
    'messaging',
    'changes',
    'value',
    'message',
    'mid',
    'text',
    'sender',
    'id',
    'item',
    'verb',
    'for_user_id',
    'direct_message_events',
    'tweet_create_events',
    'data',
    'payload',
    'event_type',
    'user',
    'users',
    '__proto__',
    'constructor',
    'toString',
  ]
  const leaf = fc.oneof(
    fc.constantFrom(null, true, 0, -1, 1e21, 'page', 'feed', 'comment', 'add', 'dm.received', 'toString', '1', ''),
    fc.string(),
    fc.double(),
  )
  const shape = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...words), tie('tree'), { maxKeys: 6 }),
    ),
  })).tree
  const isWhole = (network: 'meta' | 'x', body: Uint8Array): void => {
    const items = networks[network].parse(body)
    expect(items.length).toBeGreaterThan(0)
    for (const { event } of items)
      if ('occurredAt' in event) expect(Number.isFinite(event.occurredAt.getTime())).toBe(true)
  }

  test.each(['meta', 'x'] as const)('%s: any bytes, any JSON', (network) => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        isWhole(network, bytes)
      }),
      { numRuns: 200 },
    )
    fc.assert(
      fc.property(shape, (json) => {
        isWhole(network, Buffer.from(JSON.stringify(json)))
      }),
      { numRuns: 1000 },
    )
  })

  test('whatever stands beside a good message, it arrives', () => {
    const good = {
      sender: { id: '7' },
      recipient: { id: '1' },
      timestamp: 1763632799000,
      message: { mid: 'm_good', text: 'here' },
    }
    fc.assert(
      fc.property(
        fc.array(shape, { maxLength: 5 }),
        fc.array(shape, { maxLength: 5 }),
        shape,
        (before, after, changes) => {
          const items = networks.meta.parse(
            Buffer.from(
              JSON.stringify({
                object: 'page',
                entry: [...before, { id: '1', messaging: [...before, good, ...after], changes }],
              }),
            ),
          )
          expect(items.filter(({ event }) => event.type === 'message' && event.externalId === 'm_good')).toHaveLength(1)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('whatever stands beside a good post, it arrives', () => {
    const good = { id_str: '1991000000000000015', user: { id_str: '15' }, text: 'here' }
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 5 }), shape, shape, (others, users, dms) => {
        const items = networks.x.parse(
          Buffer.from(
            JSON.stringify({
              for_user_id: '1',
              users,
              direct_message_events: dms,
              tweet_create_events: [...others, good],
            }),
          ),
        )
        expect(items.filter(({ event }) => event.type === 'message' && event.externalId === good.id_str)).toHaveLength(
          1,
        )
      }),
      { numRuns: 500 },
    )
  })

  test('broken values in the right places cost nothing', () => {
    const fields = {
      mid: leaf,
      text: leaf,
      attachments: shape,
      quick_reply: shape,
      reply_to: shape,
      is_echo: leaf,
      metadata: leaf,
    }
    fc.assert(
      fc.property(
        fc.record(fields, { requiredKeys: [] }),
        shape,
        shape,
        leaf,
        (message, sender, recipient, timestamp) => {
          isWhole(
            'meta',
            Buffer.from(
              JSON.stringify({
                object: 'page',
                entry: [{ id: '1', time: timestamp, messaging: [{ message, sender, recipient, timestamp }] }],
              }),
            ),
          )
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('what is refused before anything is sent', () => {
  const channel: ChannelAccess = {
    externalId: '1',
    apiBaseUrl: 'https://127.0.0.1',
    allowHosts: [],
    credentials: { access_token: 't' },
    app: { secret: 's', consumerKey: undefined, clientId: undefined, clientSecret: undefined },
  }
  const base: OutboundMessage = {
    kind: 'reply',
    reference: 'r',
    text: 'hi',
    contactExternalId: '7',
    inReplyTo: undefined,
    lastInboundAt: new Date(),
  }
  const send = (type: 'facebook' | 'x', message: Partial<OutboundMessage>, access: Partial<ChannelAccess> = {}) =>
    connectorOf(type)?.send({ ...channel, ...access }, { ...base, ...message }, new AbortController().signal)

  test.each([
    ['facebook', { text: 'x'.repeat(2001) }, { type: 'refused', class: 'content' }],
    ['facebook', { text: ' ' }, { type: 'refused', class: 'content' }],
    ['facebook', { lastInboundAt: new Date(Date.now() - 8 * 86_400_000) }, { type: 'refused', class: 'window' }],
    ['facebook', { kind: 'private_reply' }, { type: 'refused', class: 'recipient' }],
    ['x', { kind: 'comment', inReplyTo: '1', text: '故'.repeat(141) }, { type: 'refused', class: 'content' }],
    ['x', { contactExternalId: undefined }, { type: 'refused', class: 'recipient' }],
    // The address is private and not allowed: surely not sent.
    ['facebook', {}, { type: 'retry', code: 'address_refused' }],
    ['x', {}, { type: 'retry', code: 'address_refused' }],
  ] as const)('%s %j', async (type, message, outcome) => {
    expect(await send(type, message)).toMatchObject(outcome)
  })

  test('a channel without a token', async () => {
    expect(await send('facebook', {}, { credentials: {} })).toMatchObject({ type: 'refused', class: 'token' })
    expect(await send('x', {}, { credentials: { access_token: 't', access_token_secret: 's' } })).toMatchObject({
      type: 'refused',
      class: 'token',
    })
  })
})
