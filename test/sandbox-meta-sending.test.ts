/** The sandbox as Meta's judge of what is said: it refuses what the networks refuse, fails as they fail, and shows what customers see. */
import { describe, expect, test } from 'vitest'
import { classifyGraphError, knownErrors } from '../messaging/connectors/meta/outcomes.ts'
import type { Outcome } from '../messaging/connectors/connector.ts'
import { file, seen, uploaded } from './meta-files.ts'
import { access, came, connector, control, customer, ids, items, origin, outbound, people, send } from './meta-stage.ts'
import type { Type } from './meta-stage.ts'

const day = 86_400_000
/** A call as it stands on the wire. */
async function call(
  type: Type,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; error: string; json: Record<string, unknown>; headers: Headers }> {
  const token = type === 'whatsapp' ? 'wa-token' : 'page-token'
  const isForm = body instanceof FormData
  const answer = await fetch(`${origin()}/v25.0/${path}${path.includes('?') ? '&' : '?'}access_token=${token}`, {
    method,
    ...(body === undefined ? {} : isForm ? { body } : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  }) // prettier-ignore
  const json = (await answer.json()) as Record<string, unknown> & { error?: { code: number; error_subcode?: number } }
  const error = json.error === undefined ? '' : [json.error.code, json.error.error_subcode].filter((one) => one !== undefined).join('/') // prettier-ignore
  return { status: answer.status, error, json, headers: answer.headers }
}
const page = ids.facebook
const account = ids.instagram
const number = ids.whatsapp
const to = { recipient: { id: people.facebook.id } }
const toIg = { recipient: { id: people.instagram.id } }
const wa = (type: string, value: unknown, more: object = {}) => ({
  messaging_product: 'whatsapp',
  to: people.whatsapp.id,
  type,
  [type]: value,
  ...more,
})

describe('every error class, by what the connector makes of the answer', () => {
  const all: readonly (readonly [number, number | undefined, string])[] = [
    ...knownErrors.codes.map(([code, verdict]) => [code, undefined, verdict] as const),
    ...knownErrors.subcodes.map(([subcode, verdict]) => [100, subcode, verdict] as const),
  ]

  test('there are many', () => {
    expect(all.length).toBeGreaterThan(90)
  })

  test.each(['facebook', 'instagram', 'whatsapp'] as const)('%s', async (type) => {
    await customer(type, { text: 'Hello' })
    const wrong: unknown[] = []
    for (const [code, subcode, verdict] of all) {
      await control('POST', 'faults', { fault: 'refuse_code', channel: ids[type], code, count: 1, ...(subcode === undefined ? {} : { subcode }) }) // prettier-ignore
      const outcome = await send(type)
      const met: string = outcome.type === 'refused' ? outcome.class : outcome.type
      if (met !== verdict) wrong.push({ code, subcode, verdict, outcome })
    }
    expect(wrong).toEqual([])
    expect(await seen(type)).toEqual([])
  })

  test.each([
    [{ code: 190, subcode: 460 }, 'token'],
    [{ code: 10, subcode: undefined }, 'token'],
    [{ code: 200, subcode: undefined }, 'token'],
    [{ code: 294, subcode: undefined }, 'token'],
    [{ code: 10, subcode: 2018278 }, 'window'],
    [{ code: 10, subcode: 1893063 }, 'policy'],
    [{ code: 368, subcode: 1404082 }, 'policy'],
    [{ code: 4, subcode: 2207051 }, 'policy'],
    [{ code: 200, subcode: 1545041 }, 'recipient'],
    [{ code: 100, subcode: 33 }, 'content'],
    [{ code: 100, subcode: 2018109 }, 'content'],
    [{ code: 2018047, subcode: undefined }, 'content'],
    [{ code: 1, subcode: 1357046 }, 'unknown'],
    [{ code: 613, subcode: 1996 }, 'retry'],
    [{ code: 4, subcode: 2018022 }, 'retry'],
    [{ code: 9, subcode: 2207042 }, 'retry'],
    [{ code: -2, subcode: 2207003 }, 'retry'],
  ] as const)('%j is of the class %s', ({ code, subcode }, verdict) => {
    // prettier-ignore
    const outcome: Outcome = classifyGraphError({ code, subcode, message: '' }, 400)
    expect(outcome.type === 'refused' ? outcome.class : outcome.type).toBe(verdict)
  })
})

// prettier-ignore
const refusals = [
  ['facebook', `${page}/messages`, { ...to, message: {} }, '100/2018034'],
  ['facebook', `${page}/messages`, { ...to, message: { text: 'x'.repeat(2001) } }, '100'],
  [
    'facebook',
    `${page}/messages`,
    { ...to, message: { text: 'a', attachment: { type: 'image', payload: { attachment_id: '1' } } } },
    '100',
  ],
  ['facebook', `${page}/messages`, { ...to, message: { text: 'a' }, sender_action: 'typing_on' }, '100'],
  ['facebook', `${page}/messages`, { ...to, sender_action: 'dance' }, '100'],
  ['facebook', `${page}/messages`, { ...to, message: { text: 'a', metadata: 'x'.repeat(1000) } }, '100'],
  [
    'facebook',
    `${page}/messages`,
    {
      ...to,
      message: {
        text: 'a',
        quick_replies: Array.from({ length: 14 }, () => ({ content_type: 'text', title: 'a', payload: 'b' })),
      },
    },
    '100',
  ],
  ['facebook', `${page}/messages`, { ...to, message: { text: 'a' }, reply_to: { mid: 'm_nothing' } }, '100'],
  [
    'facebook',
    `${page}/messages`,
    { ...to, message: { attachment: { type: 'image', payload: { attachment_id: '1' } } } },
    '100/2018074',
  ],
  [
    'facebook',
    `${page}/messages`,
    { ...to, message: { attachment: { type: 'image', payload: { url: 'http://127.0.0.1:9/' } } } },
    '100/2018008',
  ],
  ['facebook', `${page}/messages`, { recipient: { id: '7' }, message: { text: 'a' } }, '100/2018001'],
  ['facebook', `${page}/messages`, { recipient: { comment_id: '1_2' }, message: { text: 'a' } }, '100/33'],
  [
    'facebook',
    `${page}/messages`,
    { ...to, messaging_type: 'MESSAGE_TAG', tag: 'ACCOUNT_UPDATE', message: { text: 'a' } },
    '100',
  ],
  ['facebook', `${page}/message_attachments`, { message: {} }, '100/2018034'],
  ['facebook', `${page}/feed`, {}, '100'],
  ['facebook', `${page}/feed`, { message: 'a', attached_media: [{ media_fbid: '1' }] }, '100/33'],
  ['facebook', `${page}/feed`, { link: 'nothing' }, '1609005'],
  ['facebook', `${page}/photos`, { published: false }, '324'],
  ['facebook', `${page}/photos`, { published: false, url: 'media/ticket.pdf' }, '100/1366046'],
  ['facebook', `${page}/videos`, {}, '389'],
  ['facebook', '1_2/comments', { message: 'a' }, '100/33'],
  ['facebook', '1_2/likes', {}, '100/33'],
  ['facebook', '1_2', { is_hidden: true }, '100/33'],
  ['instagram', `${account}/messages`, { ...toIg, message: { text: 'é'.repeat(501) } }, '100'],
  ['instagram', `${account}/messages`, { recipient: { id: '9' }, message: { text: 'a' } }, '100/2534014'],
  [
    'instagram',
    `${account}/messages`,
    { ...toIg, message: { attachment: { type: 'file', payload: { url: 'media/photo.png' } } } },
    '100/2018047',
  ],
  [
    'instagram',
    `${account}/messages`,
    { ...toIg, message: { attachment: { type: 'image', payload: { url: 'media/large.bin' } } } },
    '100/2018109',
  ],
  ['instagram', `${account}/media`, {}, '100/2207023'],
  ['instagram', `${account}/media`, { video_url: 'media/clip.mp4', media_type: 'VIDEO' }, '100/2207067'],
  ['instagram', `${account}/media`, { media_type: 'CAROUSEL', children: '1' }, '100/2207028'],
  ['instagram', `${account}/media`, { media_type: 'CAROUSEL', children: '1,2' }, '9007/2207027'],
  ['instagram', `${account}/media`, { image_url: 'media/photo.png' }, '36001/2207005'],
  ['instagram', `${account}/media`, { caption: 'x'.repeat(2201), image_url: 'media/photo.png' }, '36004/2207010'],
  ['instagram', `${account}/media_publish`, { creation_id: '17' }, '24/2207008'],
  ['whatsapp', `${number}/messages`, { to: '1', type: 'text', text: { body: 'a' } }, '100'],
  ['whatsapp', `${number}/messages`, wa('text', { body: 'x'.repeat(4097) }), '100'],
  ['whatsapp', `${number}/messages`, wa('poem', {}), '131051'],
  ['whatsapp', `${number}/messages`, wa('image', { id: '1' }), '131009'],
  ['whatsapp', `${number}/messages`, wa('text', { body: 'a' }, { biz_opaque_callback_data: 'x'.repeat(513) }), '100'],
  ['whatsapp', `${number}/messages`, wa('reaction', { message_id: 'wamid.1', emoji: '👍' }), '131009'],
  [
    'whatsapp',
    `${number}/messages`,
    { messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.1' },
    '131009',
  ],
  ['whatsapp', `${number}/messages`, wa('template', { name: 'unknown', language: { code: 'en' } }), '132001'],
  ['whatsapp', `${number}/messages`, wa('template', { name: 'hello_world', language: { code: 'de' } }), '132001'],
  ['whatsapp', `${number}/messages`, wa('template', { name: 'ferry_delayed', language: { code: 'de' } }), '132000'],
  [
    'whatsapp',
    `${number}/messages`,
    wa('template', {
      name: 'hello_world',
      language: { code: 'en_US' },
      components: [{ type: 'body', parameters: [{ type: 'text', text: 'a' }] }],
    }),
    '132000',
  ],
  [
    'whatsapp',
    `${number}/messages`,
    wa('template', {
      name: 'ferry_delayed',
      language: { code: 'en' },
      components: [
        { type: 'header', parameters: [{ type: 'text', text: '7' }] },
        {
          type: 'body',
          parameters: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
    }),
    '131008',
  ],
  ['whatsapp', `${number}/messages`, wa('template', { name: 'summer_offer', language: { code: 'en' } }), '132015'],
  ['whatsapp', `${number}/messages`, wa('template', { name: 'not_yet', language: { code: 'en' } }), '132001'],
  [
    'whatsapp',
    `${number}/messages`,
    wa('interactive', {
      type: 'button',
      body: { text: 'a' },
      action: { buttons: ['a', 'b', 'c', 'd'].map((id) => ({ type: 'reply', reply: { id, title: id } })) },
    }),
    '131009',
  ],
  [
    'whatsapp',
    `${number}/messages`,
    wa('interactive', {
      type: 'list',
      body: { text: 'a' },
      action: { button: 'x'.repeat(21), sections: [{ rows: [{ id: 'a', title: 'a' }] }] },
    }),
    '131009',
  ],
  ['whatsapp', `${number}/media`, { messaging_product: 'whatsapp' }, '100'],
] as const

test.each(['facebook', 'instagram', 'whatsapp'] as const)('%s refuses by number', async (type) => {
  await customer(type, { text: 'Hello' })
  const wrong: unknown[] = []
  for (const [of, path, body, expected] of refusals) {
    if (of !== type) continue
    // Addresses of files are the sandbox's own.
    const said = JSON.parse(JSON.stringify(body).replaceAll('"media/', `"${origin()}/media/`)) as unknown
    const { error } = await call(type, 'POST', path, said)
    if (error !== expected) wrong.push({ path, body, expected, error })
  }
  expect(wrong).toEqual([])
  expect(await seen(type)).toEqual([])
})

describe('windows and persons', () => {
  test.each(['facebook', 'instagram'] as const)('%s: a day, and with HUMAN_AGENT seven', async (type) => {
    await customer(type, { text: 'Hello' })
    await control('POST', 'clock', { ms: 25 * 3_600_000 })
    expect(await send(type)).toMatchObject({ type: 'refused', class: 'window' })
    const late = { lastInboundAt: new Date(Date.now() - 25 * 3_600_000) }
    expect(await send(type, late)).toMatchObject({ type: 'sent' })
    expect(await seen(type)).toMatchObject([{ tag: 'HUMAN_AGENT' }])
    await control('POST', 'clock', { ms: 6 * day })
    expect(await send(type, late)).toMatchObject({ type: 'refused', class: 'window' })
    await customer(type, { text: 'Me again' })
    expect(await send(type)).toMatchObject({ type: 'sent' })
  })

  test('WhatsApp: accepted, and refused by a status', async () => {
    await customer('whatsapp', { text: 'Hello' })
    await control('POST', 'clock', { ms: 25 * 3_600_000 })
    expect(await send('whatsapp')).toMatchObject({ type: 'sent' })
    expect(await came('receipt', (event) => event.state === 'failed')).toMatchObject({ reference: 'delivery-1', refusal: { class: 'window', code: '131047' } }) // prettier-ignore
  })

  test.each(['facebook', 'instagram'] as const)(
    '%s: one private reply to a comment, within seven days',
    async (type) => {
      const { external_id: id } = await customer(type, { kind: 'comment', text: 'How much is it?' })
      const reply = { kind: 'private_reply', inReplyTo: String(id) } as const
      expect(await send(type, reply)).toMatchObject({ type: 'sent' })
      expect(await send(type, reply)).toMatchObject({ type: 'refused', class: 'content', code: '10900' })
      // The window opens only when the person answers.
      expect(await send(type)).toMatchObject({ type: 'refused', class: 'recipient' })
      const { external_id: old } = await customer(type, { kind: 'comment', text: 'And this?', occurred_at: new Date(Date.now() - 8 * day).toISOString() }) // prettier-ignore
      expect(await send(type, { ...reply, inReplyTo: String(old) })).toMatchObject({ type: 'refused', code: '10903' })
      const { external_id: gone } = await customer(type, { kind: 'comment', text: 'Never mind' })
      await control('POST', 'meta/change', { channel: ids[type], external_id: gone, what: 'delete' })
      expect(await send(type, { ...reply, inReplyTo: String(gone) })).toMatchObject({ type: 'refused', code: '100/33' })
      expect(await seen(type)).toHaveLength(1)
    },
  )

  test('somebody blocks the channel', async () => {
    for (const type of ['facebook', 'instagram', 'whatsapp'] as const) {
      await customer(type, { text: 'Leave me alone' })
      await control('PUT', 'meta/person', { channel: ids[type], person: people[type].id, is_blocked: true })
    }
    expect(await send('facebook')).toMatchObject({ type: 'refused', class: 'recipient', code: '551/1545041' })
    expect(await send('instagram')).toMatchObject({ type: 'refused', class: 'recipient' })
    expect(await send('whatsapp')).toMatchObject({ type: 'sent' })
    expect(await came('receipt', (event) => event.state === 'failed')).toMatchObject({ refusal: { class: 'recipient', code: '131026' } }) // prettier-ignore
  })

  test.each([
    ['facebook', 'reply', '200'],
    ['facebook', 'comment', '200'],
    ['instagram', 'reply', '10'],
    ['instagram', 'comment', '10'],
    ['whatsapp', 'reply', '10'],
  ] as const)('%s: a %s without the permission', async (type, kind, code) => {
    // prettier-ignore
    const { external_id: id } = await customer(type, { kind: kind === 'reply' ? 'message' : 'comment', text: 'Hello' })
    await control('PUT', 'meta/token', { channel: ids[type], scopes: ['email'] })
    expect(await send(type, kind === 'comment' ? { kind, inReplyTo: String(id) } : {})).toMatchObject({ type: 'refused', class: 'token', code }) // prettier-ignore
  })
})

describe('faults of sending', () => {
  const types = ['facebook', 'instagram', 'whatsapp'] as const

  test.each(types)('%s: accepted, and the connection dies; a repetition shows twice', async (type) => {
    await customer(type, { text: 'Hello' })
    await control('POST', 'faults', { fault: 'drop_answer', channel: ids[type], count: 1 })
    expect(await send(type)).toMatchObject({ type: 'unknown' })
    expect(await seen(type)).toHaveLength(1)
    expect(await send(type)).toMatchObject({ type: 'sent' })
    expect(await seen(type)).toHaveLength(2)
  })

  test.each(types)('%s: the answer comes later than anybody waits', async (type) => {
    await customer(type, { text: 'Hello' })
    await control('POST', 'faults', { fault: 'delay_answer', channel: ids[type], count: 1 })
    const outcome = await connector(type).send(access(type), outbound(type), AbortSignal.timeout(400))
    expect(outcome).toMatchObject({ type: 'unknown' })
    expect(await seen(type)).toHaveLength(1)
  })

  test.each(types)('%s: sent, although the answer is an error', async (type) => {
    await customer(type, { text: 'Hello' })
    await control('POST', 'faults', { fault: 'sent_with_error', channel: ids[type], count: 1 })
    expect(await send(type)).toMatchObject({ type: 'unknown', code: '1/1357046' })
    expect(await seen(type)).toHaveLength(1)
    if (type === 'whatsapp') await came('receipt', (event) => event.reference === 'delivery-1')
    else await came('echo')
  })

  test('the echo comes before the answer', async () => {
    await customer('facebook', { text: 'Hello' })
    await control('POST', 'faults', { fault: 'echo_first', channel: ids.facebook, count: 1 })
    const outcome = await send('facebook')
    expect(items.find(({ event }) => event.type === 'echo')?.event).toMatchObject({ externalId: outcome.type === 'sent' ? outcome.externalId : '' }) // prettier-ignore
  })

  test('the second part alone is refused', async () => {
    await customer('facebook', { text: 'Hello' })
    const picture = await uploaded('facebook', file('photo.png'))
    await control('POST', 'faults', { fault: 'refuse_code', channel: ids.facebook, code: 368, skip: 1, count: 1 })
    expect(await send('facebook')).toMatchObject({ type: 'sent' })
    expect(await send('facebook', { text: '', files: [picture] })).toMatchObject({ type: 'refused', class: 'policy' })
    expect(await send('facebook', { text: '', files: [picture] })).toMatchObject({ type: 'sent' })
    expect((await seen('facebook')).map(({ text, files }) => [text, files?.length])).toEqual([['With pleasure', undefined], ['', 1]]) // prettier-ignore
  })

  test('another app answers in between', async () => {
    await customer('facebook', { text: 'Hello' })
    await control('POST', 'meta/app_says', {
      channel: ids.facebook,
      person: people.facebook.id,
      text: 'From the inbox',
    })
    const echo = await came('echo')
    expect(echo).toMatchObject({ text: 'From the inbox' })
    expect(echo.reference).toBeUndefined()
  })
})

describe('allowances', () => {
  test.each([
    ['facebook', 4, 'x-app-usage'],
    ['facebook', 32, 'x-app-usage'],
    ['facebook', 613, 'x-app-usage'],
    ['facebook', 80001, 'x-business-use-case-usage'],
    ['facebook', 80006, 'x-business-use-case-usage'],
    ['instagram', 80002, 'x-business-use-case-usage'],
    ['whatsapp', 80007, 'x-business-use-case-usage'],
  ] as const)('%s: %i after four calls, told before by %s', async (type, code, header) => {
    // prettier-ignore
    await customer(type, { text: 'Hello' })
    await control('PUT', 'meta/limit', { channel: ids[type], calls: 4, code, regain_ms: 120_000 })
    const told: (number | undefined)[] = []
    for (let tries = 0; tries < 4; tries += 1) {
      expect(await send(type)).toMatchObject({ type: 'sent' })
      told.push(connector(type).quota?.(ids[type])[0]?.used)
    }
    expect(told).toEqual([0.25, 0.5, 0.75, 1])
    const refused = await send(type)
    expect(refused).toMatchObject({ type: 'retry', code: String(code), ...(code > 80_000 ? { afterMs: 120_000 } : {}) })
    expect((await call(type, 'GET', ids[type])).headers.get(header)).toContain('100')
    await control('POST', 'clock', { ms: 121_000 })
    expect(await send(type)).toMatchObject({ type: 'sent' })
    expect(await seen(type)).toHaveLength(5)
  })
})
