/** X as it is played here, called raw: what it takes, what it refuses and in which words, what it tells and shows. */
import { describe, expect, test } from 'vitest'
import { bytesOf } from '../messaging/sandbox/files.ts'
import { account, act, ben, call, control, demoPost, fault, hears, items, ledger, origin, until } from './x-stage.ts'

const photo = bytesOf('small.png') ?? Buffer.alloc(0)
const clip = bytesOf('clip.mp4') ?? Buffer.alloc(0)
const dm = `/2/dm_conversations/with/${ben.id}/messages`

const form = (fields: Record<string, string>, media?: Buffer): FormData => {
  const made = new FormData()
  for (const [name, value] of Object.entries(fields)) made.set(name, value)
  if (media !== undefined) made.set('media', new Blob([media]), 'media')
  return made
}
const dataOf = (json: Record<string, unknown>) => (json['data'] ?? {}) as Record<string, unknown>
async function initialize(more: object = {}): Promise<string> {
  const body = { media_type: 'image/png', total_bytes: photo.length, media_category: 'tweet_image', ...more }
  const answer = await call('POST', '/2/media/upload/initialize', body)
  expect(answer.status).toBe(200)
  return String(dataOf(answer.json)['id'])
}
const append = (id: string, index: number, bytes: Buffer) =>
  call('POST', `/2/media/upload/${id}/append`, form({ segment_index: String(index) }, bytes))
const finalize = (id: string) => call('POST', `/2/media/upload/${id}/finalize`)
async function made(category: 'tweet_image' | 'dm_image' = 'tweet_image'): Promise<string> {
  const answer = await call('POST', '/2/media/upload', form({ media_category: category }, photo))
  return String(dataOf(answer.json)['id'])
}
const status = (id: string) => call('GET', `/2/media/upload?command=STATUS&media_id=${id}`)

describe('media', () => {
  test('in segments, in any order, one of them twice', async () => {
    const id = await initialize({ total_bytes: photo.length })
    expect((await append(id, 1, photo.subarray(1_000))).status).toBe(200)
    expect((await append(id, 0, photo.subarray(0, 10))).status).toBe(200)
    expect((await append(id, 0, photo.subarray(0, 1_000))).status).toBe(200)
    const done = await finalize(id)
    expect(dataOf(done.json)).toMatchObject({
      id,
      media_key: `3_${id}`,
      size: photo.length,
      expires_after_secs: expect.any(Number),
    })
    expect(dataOf(done.json)).not.toHaveProperty('processing_info')
    // Asked again, it is so already.
    expect((await finalize(id)).status).toBe(200)
  })

  test('the bytes in JSON', async () => {
    const body = { media: photo.toString('base64'), media_category: 'dm_image' }
    expect((await call('POST', '/2/media/upload', body)).status).toBe(200)
  })

  test('films are looked at for a while', async () => {
    const id = await initialize({ media_type: 'video/mp4', total_bytes: clip.length, media_category: 'tweet_video' })
    await append(id, 0, clip)
    expect(dataOf((await finalize(id)).json)).toMatchObject({
      media_key: `7_${id}`,
      processing_info: { state: 'pending', check_after_secs: 5 },
    })
    // Not yet.
    expect((await call('POST', '/2/tweets', { media: { media_ids: [id] } })).status).toBe(400)
    await control('POST', 'clock', { ms: 3_000 })
    expect(dataOf((await status(id)).json)).toMatchObject({ processing_info: { state: 'in_progress' } })
    await control('POST', 'clock', { ms: 3_000 })
    expect(dataOf((await status(id)).json)).toMatchObject({ processing_info: { state: 'succeeded' } })
    expect((await call('POST', '/2/tweets', { media: { media_ids: [id] } })).status).toBe(201)
  })

  test.each([
    ['a type that X does not know', { media_type: 'image/svg+xml' }],
    ['no category', { media_category: undefined }],
    ['a category of another form', { media_category: 'tweet_video' }],
    ['a category that there is not', { media_category: 'tweet_sound' }],
    ['a picture of 5 MB and a byte', { total_bytes: 5 * 1024 * 1024 + 1 }],
    ['nothing', { total_bytes: 0 }],
  ])('%s is refused at once', async (_name, more) => {
    const body = { media_type: 'image/png', total_bytes: 100, media_category: 'tweet_image', ...more }
    expect(await call('POST', '/2/media/upload/initialize', body)).toMatchObject({
      status: 400,
      json: { title: 'Invalid Request', type: 'https://api.x.com/2/problems/invalid-request' },
    })
  })

  test.each([
    ['a number beyond 999', 1_000, photo],
    ['a number below nought', -1, photo],
    ['more than was announced', 0, Buffer.concat([photo, photo])],
    ['nothing', 0, Buffer.alloc(0)],
  ])('a segment: %s is refused', async (_name, index, bytes) => {
    expect((await append(await initialize(), index, bytes)).status).toBe(400)
  })

  test('a gap, too little, bytes of another kind, an id of nobody', async () => {
    const gap = await initialize()
    await append(gap, 0, photo.subarray(0, 1_000))
    await append(gap, 2, photo.subarray(1_000))
    expect((await finalize(gap)).status).toBe(400)
    const short = await initialize()
    await append(short, 0, photo.subarray(0, 1_000))
    expect((await finalize(short)).json).toMatchObject({
      errors: [{ message: 'Segments do not add up to provided total file size.' }],
    })
    const page = await initialize({ total_bytes: 20 })
    await append(page, 0, Buffer.from('<!doctype html><html'))
    expect((await finalize(page)).status).toBe(400)
    expect((await append('12345', 0, photo)).status).toBe(400)
    expect((await finalize('12345')).status).toBe(400)
    expect((await status('12345')).status).toBe(400)
  })

  test('descriptions: of what is there, up to 1,000 characters', async () => {
    const id = await made()
    const describe = (text: unknown, of = id) =>
      call('POST', '/2/media/metadata', { id: of, metadata: { alt_text: { text } } })
    expect((await describe('A boat')).status).toBe(200)
    expect((await describe('x'.repeat(1_001))).status).toBe(400)
    expect((await describe('')).status).toBe(400)
    expect((await describe('A boat', '1')).status).toBe(400)
    await call('POST', '/2/tweets', { text: 'Look', media: { media_ids: [id] } })
    expect((await ledger())[0]?.files).toMatchObject([{ kind: 'photo', alt_text: 'A boat' }])
  })

  test('good for a day, to its owner', async () => {
    const id = await made()
    await control('PUT', 'channels', {
      type: 'x',
      external_id: '1400000000000000002',
      name: 'Other',
      access_token: 'other-token',
      app_id: '98',
    })
    const other = await fetch(`${origin()}/2/tweets`, {
      method: 'POST',
      headers: { authorization: 'Bearer other-token' },
      body: JSON.stringify({ media: { media_ids: [id] } }),
    })
    expect(other.status).toBe(400)
    await control('POST', 'clock', { ms: 24 * 3_600_000 })
    expect((await call('POST', '/2/tweets', { media: { media_ids: [id] } })).json).toMatchObject({
      errors: [{ message: 'Your media IDs are invalid.' }],
    })
  })
})

describe('saying', () => {
  test('a message with a file shows it on the phone, and comes back with it', async () => {
    const id = await made('dm_image')
    const answer = await call('POST', dm, { text: 'Here', attachments: [{ media_id: id }] })
    expect(answer).toMatchObject({ status: 201, json: { data: { dm_conversation_id: `${account}-${ben.id}` } } })
    expect((await ledger())[0]).toMatchObject({ text: 'Here', files: [{ kind: 'photo', id }] })
    const { json } = await call('GET', '/2/dm_events')
    expect(json).toMatchObject({
      data: [{ attachments: { media_keys: [`3_${id}`] }, entities: { urls: [{ media_key: `3_${id}` }] } }],
      includes: { media: [{ media_key: `3_${id}`, type: 'photo' }] },
    })
    await until(() => items.some(({ event }) => event.type === 'echo'))
  })

  test.each([
    ['nothing at all', dm, {}],
    ['two files', dm, { attachments: [{ media_id: '1' }, { media_id: '2' }] }],
    ['a file of nobody', dm, { attachments: [{ media_id: '1' }] }],
    ['a field that there is not', dm, { text: 'x', tag: 'y' }],
    ['nothing at all', '/2/tweets', {}],
    ['five files', '/2/tweets', { media: { media_ids: ['1', '2', '3', '4', '5'] } }],
    ['a file of nobody', '/2/tweets', { text: 'x', media: { media_ids: ['1'] } }],
    ['files and a quoted post', '/2/tweets', { media: { media_ids: ['1'] }, quote_tweet_id: '1' }],
    ['a field that there is not', '/2/tweets', { text: 'x', colour: 'blue' }],
  ])('%s is refused: %s', async (_name, path, body) => {
    expect((await call('POST', path, body)).status).toBe(400)
    expect(await ledger()).toEqual([])
  })

  test('the same file twice, a film beside a picture, a category of the other use', async () => {
    const id = await made()
    expect((await call('POST', '/2/tweets', { media: { media_ids: [id, id] } })).status).toBe(400)
    expect((await call('POST', dm, { attachments: [{ media_id: id }] })).status).toBe(400)
    const direct = await made('dm_image')
    expect((await call('POST', '/2/tweets', { media: { media_ids: [direct] } })).status).toBe(400)
  })

  test('the same text twice is refused, with another file it is not', async () => {
    const body = { text: 'Twice' }
    expect((await call('POST', '/2/tweets', body)).status).toBe(201)
    expect(await call('POST', '/2/tweets', body)).toMatchObject({
      status: 403,
      json: { detail: 'You are not allowed to create a Tweet with duplicate content.', type: 'about:blank' },
    })
    const withFile = { ...body, media: { media_ids: [await made()] } }
    expect((await call('POST', '/2/tweets', withFile)).status).toBe(201)
    expect((await call('POST', dm, body)).status).toBe(201)
    expect((await call('POST', dm, body)).status).toBe(201)
    // Once it is deleted, it may be said again.
    const [first] = await ledger()
    expect((await call('DELETE', `/2/tweets/${first?.external_id ?? ''}`)).status).toBe(200)
    expect((await call('POST', '/2/tweets', body)).status).toBe(201)
  })

  test('a quoted post stands in the timeline, and behind a link', async () => {
    await call('POST', '/2/tweets', { text: 'See', quote_tweet_id: demoPost })
    const { json } = await call('GET', `/2/users/${account}/tweets`)
    expect(json['data']).toMatchObject([
      { text: expect.stringMatching(/^See https:\/\/t\.co\//), referenced_tweets: [{ type: 'quoted', id: demoPost }] },
      {},
    ])
  })
})

describe('plans', () => {
  const answerTo = async (said: object) =>
    call('POST', '/2/tweets', { text: 'Hello', reply: { in_reply_to_tweet_id: await hears(said) } })

  test('self-serve answers only where it was summoned, and has no likes and quotes', async () => {
    expect((await answerTo({ kind: 'comment', text: 'so?' })).status).toBe(201)
    await control('PUT', 'settings', { x_plan: 'self_serve' })
    expect(await answerTo({ kind: 'comment', text: 'so?', person: { id: '77', name: 'Mo' } })).toMatchObject({
      status: 403,
      json: { detail: expect.stringContaining('have not been mentioned or otherwise engaged') },
    })
    expect((await answerTo({ kind: 'comment', text: '@Harbour so?', person: { id: '78', name: 'Li' } })).status).toBe(
      201,
    )
    // In one's own thread there is nobody to be summoned by.
    expect((await call('POST', '/2/tweets', { text: 'And', reply: { in_reply_to_tweet_id: demoPost } })).status).toBe(
      201,
    )
    expect((await call('POST', '/2/tweets', { text: 'See', quote_tweet_id: demoPost })).status).toBe(403)
    expect(await act('like', demoPost)).toMatchObject({ type: 'refused', code: 'plan' })
    await control('PUT', 'settings', { x_plan: 'enterprise' })
    expect((await call('POST', `/2/users/${account}/likes`, { tweet_id: demoPost })).json).toEqual({
      data: { liked: true },
    })
  })
})

describe('limits, in every answer', () => {
  const headersOf = (headers: Headers, family: string) =>
    ['limit', 'remaining', 'reset'].map((name) => headers.get(`${family}-${name}`))

  test('15 messages in 15 minutes and 1,440 in a day, for the user and for the app', async () => {
    await control('PUT', 'settings', { x_limits: 'real' })
    const { headers } = await call('POST', dm, { text: '1' })
    expect(headersOf(headers, 'x-rate-limit').slice(0, 2)).toEqual(['15', '14'])
    expect(headersOf(headers, 'x-user-limit-24hour').slice(0, 2)).toEqual(['1440', '1439'])
    expect(headersOf(headers, 'x-app-limit-24hour').slice(0, 2)).toEqual(['1440', '1439'])
    for (let count = 2; count <= 15; count += 1) await call('POST', dm, { text: String(count) })
    expect(await call('POST', dm, { text: '16' })).toMatchObject({
      status: 429,
      json: { title: 'Too Many Requests', type: 'about:blank' },
    })
    expect(await ledger()).toHaveLength(15)
    // Posts have windows of their own, of the app alone in a day; and a window ends.
    const posted = await call('POST', '/2/tweets', { text: 'Open' })
    expect(headersOf(posted.headers, 'x-rate-limit')[0]).toBe('100')
    expect(headersOf(posted.headers, 'x-app-limit-24hour')[0]).toBe('10000')
    expect(headersOf(posted.headers, 'x-user-limit-24hour')).toEqual([null, null, null])
    await control('POST', 'clock', { ms: 15 * 60_000 })
    expect((await call('POST', dm, { text: '17' })).status).toBe(201)
  })

  test('the app’s day is shared by its accounts', async () => {
    await control('PUT', 'settings', { x_limits: { 'app POST /2/tweets': 1 } })
    expect((await call('POST', '/2/tweets', { text: 'One' })).status).toBe(201)
    expect((await call('POST', '/2/tweets', { text: 'Two' })).status).toBe(429)
  })

  test('the monthly cap', async () => {
    await fault('usage_capped')
    expect(await call('POST', dm, { text: '1' })).toMatchObject({
      status: 429,
      json: { period: 'Monthly', type: 'https://api.x.com/2/problems/usage-capped' },
    })
  })
})

describe('faults reach the newer calls too', () => {
  test('an answer gets lost: what was done is done', async () => {
    const target = await hears({ kind: 'comment', text: 'rude' })
    await fault('drop_answer')
    await expect(call('PUT', `/2/tweets/${target}/hidden`, { hidden: true })).rejects.toThrow()
    expect(await control('GET', 'acts')).toMatchObject({ items: [{ what: 'hide', external_id: target }] })
    await fault('drop_answer')
    await expect(made()).rejects.toThrow()
  })

  test('the echo of a post with a picture comes before the answer', async () => {
    const id = await made()
    await fault('echo_first')
    const answer = await call('POST', '/2/tweets', { text: 'Early', media: { media_ids: [id] } })
    expect(items.map(({ event }) => event)).toContainEqual(
      expect.objectContaining({ type: 'post', externalId: dataOf(answer.json)['id'] }),
    )
  })

  test.each([
    ['POST', '/2/media/upload', (): object => form({ media_category: 'tweet_image' }, photo)],
    ['DELETE', `/2/tweets/${'1'.repeat(18)}`, (): undefined => undefined],
    ['PUT', `/2/tweets/${'1'.repeat(18)}/hidden`, (): object => ({ hidden: true })],
  ] as const)('a withdrawn token: %s %s', async (method, path, body) => {
    await fault('expired_token')
    expect((await call(method, path, body())).status).toBe(401)
  })
})

test('what was deleted is gone from every list, and told', async () => {
  const answer = await call('POST', '/2/tweets', { text: 'Gone soon' })
  const id = String(dataOf(answer.json)['id'])
  expect((await call('DELETE', `/2/tweets/${id}`)).json).toEqual({ data: { deleted: true } })
  expect((await call('DELETE', `/2/tweets/${id}`)).status).toBe(404)
  const { json } = await call('GET', `/2/users/${account}/tweets`)
  expect(json['data']).toHaveLength(1)
  await until(() => items.some(({ event }) => event.type === 'delete' && event.externalId === id))
  // Nobody deletes what another said.
  const theirs = await hears({ kind: 'comment', text: 'mine' })
  expect((await call('DELETE', `/2/tweets/${theirs}`)).status).toBe(403)
  expect((await call('DELETE', `/2/dm_events/${await hears()}`)).status).toBe(403)
})
