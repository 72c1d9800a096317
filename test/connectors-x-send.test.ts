/** Everything that is sent to X, over real HTTP to X as it is played here: files, posts, acts, every refusal, what is not known. */
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { xConnector as connector } from '../messaging/connectors/x/connector.ts'
import {
  access,
  account,
  act,
  ben,
  control,
  demoPost,
  fault,
  file,
  film,
  hears,
  idOf,
  items,
  ledger,
  lookUp,
  lookUpPost,
  never,
  origin,
  outbound,
  picture,
  publish,
  send,
  until,
  upload,
  uploaded,
} from './x-stage.ts'

const megabyte = 1024 * 1024
const asked = (): Promise<string> => hears({ kind: 'mention', text: '@harbour is it open?' })
const refused = (reasonClass: string, code: string) => ({ type: 'refused', class: reasonClass, code })

describe('one utterance, in as many requests as X needs', () => {
  const [still, gif, clip] = [file('small.png'), file('animation.gif'), file('clip.mp4')]
  test.each([
    ['reply', [], [[]]],
    ['reply', [still], [[0]]],
    ['reply', [still, gif, still], [[0], [1], [2]]],
    ['private_reply', [still, still], [[0], [1]]],
    ['comment', [], [[]]],
    ['comment', [still, still, still, still], [[0, 1, 2, 3]]],
    ['comment', [still, still, still, still, still], [[0, 1, 2, 3], [4]]],
    ['comment', [still, gif, still, clip], [[0], [1], [2], [3]]],
    ['comment', [clip, still, still], [[0], [1, 2]]],
  ] as const)('%s with %j files', (kind, files, parts) => {
    const split = connector.split?.({ kind, text: 'words', files: [...files] }) ?? []
    expect(split.map((part) => part.files)).toEqual(parts)
    expect(split.map(({ text }) => text)).toEqual(parts.map((_, index) => (index === 0 ? 'words' : '')))
  })
})

describe('files', () => {
  test.each([
    ['a small picture, by one request', 'direct', file('small.png', { altText: 'A boat' })],
    ['a large picture, in segments', 'direct', file('photo.png', { bytes: picture(3 * megabyte) })],
    ['a moving picture', 'direct', file('animation.gif')],
    ['a film of several segments', 'direct', file('clip.mp4', { bytes: film(4 * megabyte + 1) })],
  ] as const)('%s', async (_name, use, given) => {
    const ready = await uploaded(given, use)
    const sent = await send({ text: '', files: [ready] })
    expect(sent).toMatchObject({ type: 'sent' })
    const [seen] = await ledger()
    expect(seen).toMatchObject({ text: '', files: [{ kind: expect.any(String) }] })
    const lies = await fetch(seen?.files?.[0]?.url ?? '')
    expect([lies.headers.get('content-type'), (await lies.bytes()).length]).toEqual([given.contentType, given.size])
    // The echo is the same message, with the file.
    await until(() => items.some(({ event }) => event.type === 'echo'))
    const echo = items.map(({ event }) => event).find((event) => event.type === 'echo')
    expect(echo).toMatchObject({
      externalId: idOf(sent),
      text: undefined,
      attachments: [{ externalId: ready.uploadedId, ...(given.altText === undefined ? {} : { title: given.altText }) }],
    })
  })

  test('X looks at a film for a while: processing, then done; the id is good for less than a day', async () => {
    const begun = await upload(file('clip.mp4'), 'public')
    expect(begun).toMatchObject({ type: 'processing', afterMs: 5_000 })
    const id = begun.type === 'processing' ? begun.id : ''
    expect(await upload(file('clip.mp4'), 'public', id)).toMatchObject({ type: 'processing', id })
    await control('POST', 'clock', { ms: 5_000 })
    const done = await upload(file('clip.mp4'), 'public', id)
    expect(done).toMatchObject({ type: 'ok', id })
    const lifeMs = done.type === 'ok' ? (done.expiresAt?.getTime() ?? 0) - Date.now() : 0
    expect(lifeMs).toBeGreaterThan(23 * 3_600_000)
    expect(lifeMs).toBeLessThan(24 * 3_600_000)
  })

  test('what X has forgotten meanwhile is given anew', async () => {
    const begun = await upload(file('clip.mp4'), 'public', '1400000000000000999')
    expect(begun).toMatchObject({ type: 'processing', afterMs: 5_000 })
    expect(begun.type === 'processing' ? begun.id : '').not.toBe('1400000000000000999')
  })

  test('a film that is none fails while X looks; a picture that is none at once', async () => {
    const begun = await upload(file('clip.mp4', { bytes: Buffer.alloc(100) }), 'public')
    await control('POST', 'clock', { ms: 5_000 })
    expect(await upload(file('clip.mp4'), 'public', begun.type === 'processing' ? begun.id : '')).toMatchObject(
      refused('content', 'file_refused'),
    )
    expect(await upload(file('small.png', { bytes: Buffer.alloc(100) }), 'public')).toMatchObject({
      type: 'refused',
      class: 'content',
    })
  })

  test.each([
    ['file_type', file('voice.wav')],
    ['file_type', file('small.png', { contentType: 'image/svg+xml' })],
    ['file_type', file('small.png', { kind: 'file' })],
    ['file_too_large', file('small.png', { size: 5 * megabyte + 1 })],
    ['file_too_large', file('animation.gif', { size: 15 * megabyte + 1 })],
    ['file_too_large', file('clip.mp4', { size: 512 * megabyte + 1 })],
  ])('%s is refused before a byte leaves', async (code, given) => {
    expect(await upload(given, 'direct')).toMatchObject(refused('content', code))
  })

  test('whatever happens while uploading may be tried again: nobody saw anything', async () => {
    await fault('drop_answer')
    expect(await upload(file('small.png'), 'direct')).toMatchObject({ type: 'retry' })
    await fault('drop_answer')
    expect(await upload(file('clip.mp4'), 'direct')).toMatchObject({ type: 'retry' })
    await fault('rate_limited', { ms: 60_000 })
    expect(await upload(file('small.png'), 'direct')).toMatchObject({ type: 'retry', afterMs: expect.any(Number) })
    const short = file('small.png', { size: 10_000 })
    expect(await upload(short, 'direct')).toMatchObject({ type: 'retry', code: 'no_file' })
    const unreadable = file('small.png', { open: () => Promise.reject(new Error('gone')) })
    expect(await upload(unreadable, 'direct')).toMatchObject({ type: 'retry', code: 'no_file' })
    expect(await ledger()).toEqual([])
  })

  test.each([
    [1, 'processing'],
    [2, 'retry'],
  ])('%i lost answers to a segment, which is given twice at most: %s', async (count, type) => {
    const bytes = film(5 * megabyte)
    // It is opened when X has given the id.
    const open = async () => {
      await fault('drop_answer', { count })
      return Readable.from([bytes])
    }
    expect(await upload(file('clip.mp4', { bytes, open }), 'direct')).toMatchObject({ type })
  })

  test('files of the wrong use, of yesterday or of somebody else are not taken', async () => {
    const forPosts = await uploaded(file('small.png'), 'public')
    expect(await send({ files: [forPosts] })).toMatchObject({ type: 'retry', code: 'upload_gone' })
    const old = await uploaded(file('small.png'), 'direct')
    await control('POST', 'clock', { ms: 24 * 3_600_000 })
    expect(await send({ files: [old] })).toMatchObject({ type: 'retry', code: 'upload_gone' })
    expect(await send({ files: [file('small.png')] })).toMatchObject(refused('content', 'not_uploaded'))
    expect(await ledger()).toEqual([])
  })
})

describe('answers below posts', () => {
  test('four pictures with their descriptions, the text and whom it answers', async () => {
    const inReplyTo = await asked()
    const names = ['One', 'Two', 'Three', 'Four']
    const files = []
    for (const altText of names) files.push(await uploaded(file('small.png', { altText }), 'public'))
    expect(await send({ kind: 'comment', inReplyTo, files })).toMatchObject({ type: 'sent' })
    const [seen] = await ledger()
    expect(seen).toMatchObject({ kind: 'comment', text: 'With pleasure', in_reply_to: inReplyTo })
    expect(seen?.files?.map((one) => one.alt_text)).toEqual(names)
  })

  test('a quoted post, where the plan has it', async () => {
    const inReplyTo = await asked()
    const quoting = { kind: 'comment', inReplyTo, extras: { quoteOf: demoPost } } as const
    expect(await send(quoting)).toMatchObject({ type: 'sent' })
    expect((await ledger())[0]).toMatchObject({ quote_of: demoPost })
    expect(await lookUp(quoting)).toMatchObject({ type: 'found' })
    expect(await send({ ...quoting, files: [await uploaded(file('small.png'), 'public')] })).toMatchObject(
      refused('content', 'quote_with_files'),
    )
    await control('PUT', 'settings', { x_plan: 'self_serve' })
    expect(await send({ ...quoting, text: 'another' })).toMatchObject(refused('policy', 'plan'))
  })

  test('self-serve: only those who named or quoted the account are answered', async () => {
    await control('PUT', 'settings', { x_plan: 'self_serve' })
    const silent = await hears({ kind: 'comment', text: 'and on Sundays?' })
    const refusal = await send({ kind: 'comment', inReplyTo: silent })
    expect(refusal).toMatchObject(refused('recipient', 'not_summoned'))
    expect(refusal.type === 'refused' ? refusal.reason : '').toMatch(/mentioned the account or quoted/)
    expect(await send({ kind: 'comment', inReplyTo: await asked() })).toMatchObject({ type: 'sent' })
    expect(await send({ kind: 'comment', inReplyTo: await asked(), text: '$A and $B' })).toMatchObject({
      type: 'refused',
    })
  })
})

describe('what was said already is refused as that; what the first try did is found', () => {
  test('an answer', async () => {
    const inReplyTo = await asked()
    const answer = { kind: 'comment', inReplyTo } as const
    const since = new Date()
    await fault('drop_answer')
    expect(await send(answer)).toMatchObject({ type: 'unknown' })
    expect(await send(answer)).toMatchObject(refused('content', 'duplicate'))
    const [seen, ...more] = await ledger()
    expect(more).toEqual([])
    expect(await lookUp(answer, since)).toEqual({ type: 'found', externalId: seen?.external_id })
    // Not what was said to somebody else.
    expect(await lookUp({ ...answer, inReplyTo: demoPost }, since)).toEqual({ type: 'absent' })
  })

  test('a post', async () => {
    await fault('drop_answer')
    expect(await publish()).toMatchObject({ type: 'unknown' })
    expect(await publish()).toMatchObject(refused('content', 'duplicate'))
    expect(await lookUpPost()).toMatchObject({ type: 'found' })
    expect(await ledger()).toHaveLength(1)
  })
})

describe('posts', () => {
  test('text, link, pictures; where it stands', async () => {
    const link = 'https://harbour.example/tickets'
    const published = await publish({
      link,
      files: [await uploaded(file('small.png', { altText: 'The quay' }), 'public')],
    })
    expect(published).toMatchObject({ type: 'sent', permalink: `https://x.com/i/status/${idOf(published)}` })
    expect(await ledger()).toMatchObject([
      { kind: 'post', text: `The ferry sails again ${link}`, files: [{ alt_text: 'The quay' }] },
    ])
    expect(await publish({ text: `See ${link}`, link })).toMatchObject({ type: 'sent' })
    expect((await ledger())[1]?.text).toBe(`See ${link}`)
  })

  test('a film; a file that X was not given is not published', async () => {
    expect(await publish({ files: [await uploaded(file('clip.mp4'), 'public')] })).toMatchObject({ type: 'sent' })
    expect(await ledger()).toMatchObject([{ files: [{ kind: 'video' }] }])
    expect(await publish({ files: [file('small.png')] })).toMatchObject(refused('content', 'not_uploaded'))
    const old = await uploaded(file('small.png'), 'public')
    await control('POST', 'clock', { ms: 24 * 3_600_000 })
    expect(await publish({ text: 'Late', files: [old] })).toMatchObject({ type: 'retry', code: 'upload_gone' })
    expect(await ledger()).toHaveLength(1)
  })

  test.each([
    ['empty', { text: ' ' }],
    ['too_long', { text: 'x'.repeat(281) }],
    ['too_long', { text: 'x'.repeat(257), link: 'https://harbour.example' }],
    ['too_many_files', { files: Array.from({ length: 5 }, () => file('small.png')) }],
    ['too_many_files', { files: [file('clip.mp4'), file('small.png')] }],
    ['quote_with_files', { files: [file('small.png')], quoteOf: '1' }],
    ['file_type', { files: [file('voice.wav')] }],
  ])('%s is refused before anything leaves: %#', async (code, more) => {
    expect(await publish(more)).toMatchObject(refused('content', code))
  })

  test('looked up by text or by its files, never taken for an answer or for another post', async () => {
    const since = new Date()
    expect(await lookUpPost({}, since)).toEqual({ type: 'absent' })
    await send({ kind: 'comment', inReplyTo: await asked(), text: 'The ferry sails again' })
    expect(await lookUpPost({}, since)).toEqual({ type: 'absent' })
    const [one, other] = [await uploaded(file('small.png'), 'public'), await uploaded(file('photo.png'), 'public')]
    const published = await publish({ text: '', files: [one] })
    expect(await lookUpPost({ text: '', files: [one] }, since)).toEqual({ type: 'found', externalId: idOf(published) })
    expect(await lookUpPost({ text: '', files: [other] }, since)).toMatchObject({ type: 'undecided' })
    expect(await lookUpPost({ files: [other] }, since)).toEqual({ type: 'absent' })
    expect(await lookUpPost({ text: '', files: [one] }, new Date(Date.now() + 60_000))).toEqual({ type: 'absent' })
  })
})

describe('what may have been sent', () => {
  test.each(['reply', 'comment'] as const)('a %s with a file only is found by its file', async (kind) => {
    const use = kind === 'reply' ? 'direct' : 'public'
    const inReplyTo = kind === 'comment' ? await asked() : undefined
    const [one, other] = [await uploaded(file('small.png'), use), await uploaded(file('small.png'), use)]
    const said = { kind, inReplyTo, text: '', files: [one] }
    const since = new Date()
    expect(await lookUp(said, since)).toEqual({ type: 'absent' })
    await fault('drop_answer')
    expect(await send(said)).toMatchObject({ type: 'unknown' })
    const [seen] = await ledger()
    expect(await lookUp(said, since)).toEqual({ type: 'found', externalId: seen?.external_id })
    // The next part of the same utterance has another file.
    expect(await lookUp({ ...said, files: [other] }, since)).toMatchObject({ type: 'undecided' })
    expect(await lookUp({ ...said, text: 'With words', files: [other] }, since)).toEqual({ type: 'absent' })
  })

  test('a part with text and file, one with text alone', async () => {
    const ready = await uploaded(file('small.png'), 'direct')
    const sent = await send({ text: 'A link: https://harbour.example & <more>', files: [ready] })
    const said = { text: 'A link: https://harbour.example & <more>', files: [ready] }
    expect(await lookUp(said)).toEqual({ type: 'found', externalId: idOf(sent) })
    expect(await lookUp({ text: said.text })).toEqual({ type: 'absent' })
  })

  test.each([
    ['drop_answer', {}],
    ['delay_answer', { ms: 2_000 }],
  ])('%s: accepted, not known, found', async (name, more) => {
    await fault(name, more)
    const since = new Date()
    const limited = AbortSignal.timeout(name === 'delay_answer' ? 400 : 5_000)
    expect(await connector.send(access(), outbound(), limited)).toMatchObject({ type: 'unknown' })
    expect(await lookUp({}, since)).toMatchObject({ type: 'found' })
    expect(await ledger()).toHaveLength(1)
  })

  test('a wrong repetition shows twice on the phone', async () => {
    await fault('drop_answer')
    await send()
    await send()
    expect((await ledger()).map(({ text }) => text)).toEqual(['With pleasure', 'With pleasure'])
  })
})

describe('acts', () => {
  test('an answer is hidden and shown again, however often', async () => {
    const target = await hears({ kind: 'comment', text: 'rude' })
    for (const what of ['hide', 'hide', 'unhide', 'unhide', 'hide'] as const)
      expect(await act(what, target)).toEqual({ type: 'done' })
    const { items: all } = (await control('GET', `ledger?channel=${account}`)) as {
      items: { external_id: string; marks?: object }[]
    }
    expect(all.find((one) => one.external_id === target)?.marks).toEqual({ is_hidden: true })
    expect(await act('hide', await asked())).toMatchObject({ type: 'refused' })
  })

  test('our post, our answer and our message are deleted; what is gone is gone', async () => {
    const published = await publish()
    const message = await send()
    expect(await act('delete', idOf(published))).toEqual({ type: 'done' })
    expect(await act('delete', idOf(message), 'direct')).toEqual({ type: 'done' })
    expect((await ledger()).map(({ marks }) => marks)).toEqual([{ is_deleted: true }, { is_deleted: true }])
    expect(await act('delete', idOf(published))).toEqual({ type: 'done' })
    expect(await lookUpPost()).toEqual({ type: 'absent' })
    expect(await lookUp()).toEqual({ type: 'absent' })
    await until(() => items.some(({ event }) => event.type === 'delete'))
    expect(await act('delete', await asked())).toMatchObject({ type: 'refused' })
    // A message is no post.
    expect(await act('delete', idOf(await send()), 'public')).toEqual({ type: 'done' })
    expect((await ledger()).at(-1)?.marks).toBeUndefined()
  })

  test('liking, where the plan has it', async () => {
    const target = await asked()
    expect(await act('like', target)).toEqual({ type: 'done' })
    expect(await act('unlike', target)).toEqual({ type: 'done' })
    await control('PUT', 'settings', { x_plan: 'self_serve' })
    expect(await act('like', target)).toMatchObject(refused('policy', 'plan'))
    expect(await act('unlike', target)).toMatchObject(refused('policy', 'plan'))
  })

  test('what X does not know is refused here', async () => {
    expect(await act('react', await asked())).toMatchObject(refused('content', 'act_not_possible'))
    expect(await act('like', '1', 'direct')).toMatchObject(refused('content', 'act_not_possible'))
    expect(await act('typing', '1', 'direct')).toMatchObject(refused('content', 'act_not_possible'))
    expect(await act('hide', undefined)).toMatchObject(refused('recipient', 'nothing'))
  })

  test('an answer that got lost: done once more without harm', async () => {
    const target = await hears({ kind: 'comment', text: 'rude' })
    await fault('drop_answer')
    expect(await act('hide', target)).toMatchObject({ type: 'unknown' })
    expect(await act('hide', target)).toEqual({ type: 'done' })
  })
})

describe('what each refusal means, over HTTP', () => {
  const v1 = (code: number, status = 403) => ({ code: status, subcode: code })
  // prettier-ignore
  test.each([
    [v1(32, 401), refused('token', '32')],
    [v1(89, 401), refused('token', '89')],
    [v1(99), refused('token', '99')],
    [v1(88, 429), { type: 'retry', code: '88', afterMs: expect.any(Number) }],
    [v1(130, 503), { type: 'unknown', code: '130' }],
    [v1(131, 500), { type: 'unknown', code: '131' }],
    [v1(186), refused('content', '186')],
    [v1(354), refused('content', '354')],
    [v1(385), refused('content', '385')],
    [v1(226), refused('policy', '226')],
    [v1(326), refused('policy', '326')],
    [v1(64), refused('policy', '64')],
    [v1(349), refused('recipient', '349')],
    [v1(150), refused('recipient', '150')],
    [v1(151), refused('recipient', '151')],
    [v1(433), refused('recipient', '433')],
    [v1(355), { type: 'retry', code: '355', afterMs: 15 * 60_000 }],
    [v1(453), refused('policy', '453')],
    [v1(324, 400), { type: 'retry', code: 'upload_gone' }],
    [{ code: 500 }, { type: 'unknown' }],
    [{ code: 502 }, { type: 'unknown' }],
    [{ code: 503 }, { type: 'unknown' }],
    [{ code: 504 }, { type: 'unknown' }],
    [{ code: 401 }, refused('token', 'http_401')],
    [{ code: 429, problem: 'usage-capped' }, refused('policy', 'usage-capped')],
    [{ code: 403, problem: 'usage-capped' }, refused('policy', 'usage-capped')],
    [{ code: 402, problem: 'credits' }, refused('policy', 'credits')],
    [{ code: 403, problem: 'client-forbidden' }, refused('token', 'client-forbidden')],
    [{ code: 403, problem: 'unsupported-authentication' }, refused('token', 'unsupported-authentication')],
    [{ code: 403, detail: 'You do not have permission to DM one or more participants.' }, refused('recipient', 'http_403')],
    [{ code: 403, detail: 'Something new' }, refused('policy', 'http_403')],
    [{ code: 400, problem: 'invalid-request' }, refused('content', 'invalid-request')],
    [{ code: 404, problem: 'resource-not-found' }, refused('recipient', 'resource-not-found')],
    [{ code: 413 }, refused('content', 'http_413')],
  ])('%j', async (given, meaning) => {
    await fault('refuse_code', given)
    const outcome = await send()
    expect(outcome).toMatchObject(meaning)
    expect(outcome.type === 'sent' ? '' : outcome.reason).toMatch(/^[A-Z].*\.?$/)
    expect(await ledger()).toEqual([])
    // The next one goes.
    expect(await send()).toMatchObject({ type: 'sent' })
  })

  test('whom the account cannot reach', async () => {
    await control('POST', 'x/act', { channel: account, what: 'close', person: ben.id })
    expect(await send()).toMatchObject(refused('recipient', '349'))
    expect(await send({ kind: 'comment', inReplyTo: await asked() })).toMatchObject(refused('recipient', '433'))
    expect(await send({ contactExternalId: '42' })).toMatchObject({ type: 'refused', class: 'recipient' })
    await control('POST', 'x/act', { channel: account, what: 'open', person: ben.id })
    expect(await send()).toMatchObject({ type: 'sent' })
  })

  test('an answer to what has been deleted', async () => {
    const published = await publish()
    await act('delete', idOf(published))
    expect(await send({ kind: 'comment', inReplyTo: idOf(published) })).toMatchObject({
      type: 'refused',
      class: 'content',
    })
  })

  test('errors beside data are no failure; errors alone are one', async () => {
    await fault('partial_errors')
    expect(await send()).toMatchObject({ type: 'sent' })
    await fault('partial_errors')
    expect(await lookUp()).toMatchObject({ type: 'found' })
  })

  test('fifteen messages in fifteen minutes, then the time until the window ends; the later window decides', async () => {
    await control('PUT', 'settings', { x_limits: 'real' })
    for (let count = 0; count < 15; count += 1)
      expect(await send({ text: String(count) })).toMatchObject({ type: 'sent' })
    const over = await send()
    expect(over).toMatchObject({ type: 'retry', code: 'http_429' })
    const short = over.type === 'retry' ? (over.afterMs ?? 0) : 0
    expect(short).toBeGreaterThan(14 * 60_000)
    expect(short).toBeLessThan(16 * 60_000)
    await control('PUT', 'settings', { x_limits: { 'app POST /2/tweets': 1, 'POST /2/tweets': 1 } })
    expect(await publish()).toMatchObject({ type: 'sent' })
    const day = await publish({ text: 'another' })
    expect(day.type === 'retry' ? (day.afterMs ?? 0) : 0).toBeGreaterThan(23 * 3_600_000)
  })

  test('a token of two hours is worth a refresh, a withdrawn one is not', async () => {
    const oauth2 = access({ credentials: { access_token: 'old', refresh_token: 'r' } })
    expect(await send({}, oauth2)).toMatchObject(refused('token', 'expired_token'))
    await control('POST', 'revoke', { channel: account })
    expect(await send()).toMatchObject(refused('token', 'http_401'))
  })

  test('nobody there: surely not sent', async () => {
    const closed = access({ apiBaseUrl: 'http://127.0.0.1:9', allowHosts: ['127.0.0.1:9'] })
    expect(await send({}, closed)).toMatchObject({ type: 'retry' })
    expect(await connector.lookUp(closed, outbound(), new Date(), never)).toMatchObject({ type: 'undecided' })
    expect(origin()).toContain('127.0.0.1')
  })
})
