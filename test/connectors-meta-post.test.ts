/** Publishing on Facebook and Instagram, over real HTTP against the networks played here. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OutboundFile, OutboundPost, PublishOutcome } from '../messaging/connectors/connector.ts'
import { openFileServer } from './file-server.ts'
import type { FileServer } from './file-server.ts'
import { file, seen } from './meta-files.ts'
import { access, came, connector, control, customer, ids, origin, signal } from './meta-stage.ts'
import { photo } from './pictures.ts'

type Type = 'facebook' | 'instagram'

let server: FileServer
let jpeg: Buffer
let jpegUrl: string

beforeAll(async () => {
  server = await openFileServer()
  jpeg = await photo(320, 320)
  jpegUrl = server.serve('/photo.jpg', (response) =>
    response.writeHead(200, { 'content-type': 'image/jpeg' }).end(jpeg),
  )
})
afterAll(() => server.close())

const picture = (more: Partial<OutboundFile> = {}): OutboundFile =>
  file('photo.jpg', { bytes: jpeg, publicUrl: jpegUrl, ...more })
const film = (more: Partial<OutboundFile> = {}): OutboundFile => file('clip.mp4', more)
const post = (more: Partial<OutboundPost> = {}): OutboundPost => ({ reference: 'post-1', text: 'The ferry sails again', link: undefined, files: [], quoteOf: undefined, ...more }) // prettier-ignore
const once = async (type: Type, one: OutboundPost, progress?: string): Promise<PublishOutcome> => {
  const outcome = await connector(type).publish?.(access(type), one, progress, signal)
  if (outcome === undefined) throw new Error('this network publishes nothing')
  return outcome
}
/** Goes on for as long as it is being worked on; the sandbox's time is pushed. */
async function publish(type: Type, one: OutboundPost): Promise<{ last: PublishOutcome; steps: number }> {
  let last = await once(type, one)
  for (let steps = 1; ; steps += 1) {
    if (last.type !== 'processing' || steps === 20) return { last, steps }
    await control('POST', 'clock', { ms: last.afterMs })
    last = await once(type, one, last.progress)
  }
}
const lookUp = (type: Type, one: OutboundPost, since = new Date(Date.now() - 60_000)) =>
  connector(type).lookUpPost?.(access(type), one, since, signal)

describe('a post is public, once, and found again', () => {
  test.each([
    ['facebook', 'words', () => post(), []],
    ['facebook', 'a link', () => post({ link: 'https://harbour.example/' }), []],
    ['facebook', 'a link alone', () => post({ text: '', link: 'https://harbour.example/' }), []],
    ['facebook', 'a photo', () => post({ files: [picture({ altText: 'A ferry' })] }), ['image']],
    ['facebook', 'a photo alone', () => post({ text: '', files: [picture()] }), ['image']],
    [
      'facebook',
      'photos and a link',
      () => post({ link: 'https://harbour.example/', files: [picture(), picture(), file('photo.png')] }),
      ['image', 'image', 'image'],
    ],
    ['facebook', 'a film', () => post({ files: [film()] }), ['video']],
    ['instagram', 'a photo', () => post({ files: [picture({ altText: 'A ferry' })] }), ['image']],
    ['instagram', 'a film', () => post({ files: [film()] }), ['video']],
    ['instagram', 'a carousel', () => post({ files: [picture(), picture(), film()] }), ['image', 'image', 'video']],
    [
      'instagram',
      'ten photos',
      () => post({ files: Array.from({ length: 10 }, () => picture()) }),
      Array.from({ length: 10 }, () => 'image'),
    ],
  ] as const)('%s: %s', async (type, _, make, kinds) => {
    // prettier-ignore
    const one = make()
    expect(await lookUp(type, one)).toEqual({ type: 'absent' })
    const { last } = await publish(type, one)
    if (last.type !== 'sent') throw new Error(JSON.stringify(last))
    const [shown, ...more] = await seen(type)
    expect(more).toEqual([])
    expect(shown).toMatchObject({ kind: 'post', external_id: last.externalId })
    expect((shown?.files ?? []).map(({ kind }) => kind)).toEqual(kinds)
    expect(last.permalink).toMatch(/^https:\/\/www\./)
    if (one.files[0]?.altText !== undefined) expect(shown?.files?.[0]?.alt_text).toBe('A ferry')
    if (one.files.length > 0 && one.link !== undefined) expect(shown?.text).toContain(one.link)
    expect(await lookUp(type, one)).toEqual({ type: 'found', externalId: last.externalId })
    expect(await lookUp(type, one, new Date(Date.now() + 5_000))).toEqual({ type: 'absent' })
    expect(await lookUp(type, { ...one, text: 'never said' })).toEqual({ type: 'absent' })
    if (type === 'facebook') await came('post', (event) => event.externalId === last.externalId)
    // It can be commented.
    await customer(type, { kind: 'comment', text: 'At last!', post_id: last.externalId })
    expect(await came('message')).toMatchObject({ kind: 'comment', thread: { postId: last.externalId } })
  })
})

test.each([
  ['facebook', () => ({ text: ' ' }), 'content', 'empty'],
  ['facebook', () => ({ text: 'x'.repeat(63_207) }), 'content', 'too_long'],
  ['facebook', () => ({ files: [picture(), film()] }), 'content', 'mixed_files'],
  ['facebook', () => ({ files: [film(), film()] }), 'content', 'too_many_files'],
  ['facebook', () => ({ files: [file('ticket.pdf')] }), 'content', 'file_type'],
  ['facebook', () => ({ files: [picture({ size: 5 * 1024 * 1024 })] }), 'content', 'file_too_large'],
  ['instagram', () => ({}), 'content', 'no_file'],
  ['instagram', () => ({ text: 'x'.repeat(2201), files: [picture()] }), 'content', 'too_long'],
  ['instagram', () => ({ files: [file('photo.png')] }), 'content', 'file_type'],
  ['instagram', () => ({ files: Array.from({ length: 11 }, () => picture()) }), 'content', 'too_many_files'],
  // What only the network sees.
  ['instagram', () => ({ files: [picture({ publicUrl: `${origin()}/media/gone.jpg` })] }), 'content', '9004/2207052'],
  ['instagram', () => ({ files: [picture({ publicUrl: `${origin()}/media/photo.png` })] }), 'content', '36001/2207005'],
  [
    'instagram',
    () => ({ files: [film({ publicUrl: `${origin()}/media/ticket.pdf` })] }),
    'content',
    'container/2207026',
  ],
  ['facebook', () => ({ files: [film({ publicUrl: `${origin()}/media/ticket.pdf` })] }), 'content', 'video/1363047'],
  ['facebook', () => ({ files: [film({ publicUrl: `${origin()}/media/gone.mp4` })] }), 'content', '389'],
] as const)('%s refuses %s', async (type, more, reasonClass, code) => {
  // prettier-ignore
  expect((await publish(type, post(more()))).last).toMatchObject({ type: 'refused', class: reasonClass, code })
  expect(await seen(type)).toEqual([])
})

describe('the second try', () => {
  test('Facebook refuses the same words twice; a lost answer is found', async () => {
    await control('POST', 'faults', { fault: 'drop_answer', network: 'meta', count: 1 })
    expect(await once('facebook', post())).toMatchObject({ type: 'unknown' })
    expect(await lookUp('facebook', post())).toMatchObject({ type: 'found' })
    expect(await once('facebook', post())).toMatchObject({ type: 'refused', class: 'content', code: '506' })
    expect(await seen('facebook')).toHaveLength(1)
  })

  test('a request that never left is tried again', async () => {
    await control('POST', 'faults', { fault: 'refuse_code', network: 'meta', code: 2, count: 1 })
    expect(await once('facebook', post())).toMatchObject({ type: 'retry', code: '2' })
    expect(await lookUp('facebook', post())).toEqual({ type: 'absent' })
    expect(await once('facebook', post())).toMatchObject({ type: 'sent' })
  })

  test('Facebook: what was uploaded stays uploaded when the network goes away in between', async () => {
    const files = [picture(), picture({ open: () => Promise.reject(new Error('away')) })]
    const first = await once('facebook', post({ files }))
    expect(first).toMatchObject({ type: 'processing', progress: expect.stringMatching(/^photos:\d+$/) as string })
    const again = post({ files: [picture({ open: () => Promise.reject(new Error('never asked')) }), picture()] })
    expect(await once('facebook', again, first.type === 'processing' ? first.progress : '')).toMatchObject({ type: 'sent' }) // prettier-ignore
    expect(await seen('facebook')).toMatchObject([{ files: [{ kind: 'image' }, { kind: 'image' }] }])
  })

  test('Instagram: a container that was published without an answer is found, and not published again', async () => {
    const one = post({ files: [film()] })
    const begun = await once('instagram', one)
    if (begun.type !== 'processing') throw new Error(JSON.stringify(begun))
    expect(begun.progress).toMatch(/^post:\d+$/)
    await control('POST', 'clock', { ms: begun.afterMs })
    await control('POST', 'faults', { fault: 'drop_answer', network: 'meta', count: 1 })
    expect(await once('instagram', one, begun.progress)).toMatchObject({ type: 'unknown' })
    expect(await lookUp('instagram', one)).toMatchObject({ type: 'found' })
    const [shown] = await seen('instagram')
    expect(await once('instagram', one, begun.progress)).toMatchObject({ type: 'sent', externalId: shown?.external_id })
    expect(await seen('instagram')).toHaveLength(1)
  })

  test('Instagram: a container dies after a day, and another is made', async () => {
    const one = post({ files: [film()] })
    const begun = await once('instagram', one)
    if (begun.type !== 'processing') throw new Error(JSON.stringify(begun))
    await control('POST', 'clock', { ms: 25 * 3_600_000 })
    const again = await once('instagram', one, begun.progress)
    expect(again).toMatchObject({ type: 'processing', progress: 'again' })
    expect(await once('instagram', one, 'again')).toMatchObject({ type: 'processing', progress: expect.stringMatching(/^post:/) as string }) // prettier-ignore
  })

  test('Instagram: the day’s allowance is asked for first', async () => {
    await control('PUT', 'meta/publishing', { channel: ids.instagram, quota: 1 })
    expect(await once('instagram', post({ files: [picture()] }))).toMatchObject({ type: 'sent' })
    expect(await once('instagram', post({ text: 'More', files: [picture()] }))).toMatchObject({ type: 'retry', code: 'publishing_quota', afterMs: 3_600_000 }) // prettier-ignore
    await control('POST', 'clock', { ms: 25 * 3_600_000 })
    expect(await once('instagram', post({ text: 'More', files: [picture()] }))).toMatchObject({ type: 'sent' })
  })

  test.each([
    ['facebook', 'pages_manage_posts', '200'],
    ['instagram', 'instagram_content_publish', '10'],
  ] as const)('%s without %s', async (type, permission, code) => {
    // prettier-ignore
    await control('PUT', 'meta/token', { channel: ids[type], scopes: ['pages_messaging'] })
    expect(await once(type, post({ files: [picture()] }))).toMatchObject({ type: 'refused', class: 'token', code })
    await control('PUT', 'meta/token', { channel: ids[type], scopes: [permission] })
    expect(await once(type, post({ files: [picture()] }))).toMatchObject({ type: 'sent' })
  })
})
