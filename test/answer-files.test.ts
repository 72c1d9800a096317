/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- answers are looked into at will */
/** Files are said along: uploaded once, a part for each request, and what arrived and what did not is told apart. */
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { mediaLink, readMediaLink } from '../messaging/files.ts'
import { takeIn } from '../messaging/take-in.ts'
import type { ChannelType } from '../storage/model/words.ts'
import { externalIds, openStage } from './answer-stage.ts'
import type { Stage } from './answer-stage.ts'
import { photo } from './pictures.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})
afterEach(async () => {
  await stage.control('DELETE', 'faults')
})
afterAll(() => stage.close())

/** Another one each time. */
let pictures = 0
const picture = async (): Promise<string> => stage.put(await photo(60 + ++pictures, 40), 'image/jpeg', 'harbour.jpg')

it('a text and a picture reach Messenger as two messages of one answer', async () => {
  const { person, conversationId } = await stage.customer('facebook')
  const picture = await stage.put(await photo(60, 40), 'image/jpeg', 'harbour.jpg')
  const said = await stage.say(conversationId, { text: 'Like this', attachments: [{ id: picture, alt_text: 'Boats' }] })
  expect(said).toMatchObject({
    state: 'queued',
    text: 'Like this',
    attachments: [{ kind: 'image', state: 'fetched', alt_text: 'Boats', title: 'harbour.jpg' }],
    delivery: {
      parts: [
        { position: 0, text: 'Like this', attachment_ids: [] },
        { position: 1, text: '', attachment_ids: [said.attachments[0].id] },
      ],
    },
  })
  const sent = await stage.becomes(said.id, 'sent', 'delivered', 'read')
  const seen = await stage.seen('facebook', person)
  expect(seen.map(({ text, files }) => [text, files?.length ?? 0])).toEqual([
    ['Like this', 0],
    ['', 1],
  ])
  expect(sent.delivery.parts.map(({ external_id }: { external_id: string }) => external_id)).toEqual(
    seen.map(({ external_id }) => external_id),
  )
})

const partsOf = (message: { delivery: { parts: { state: string }[] } }): string[] =>
  message.delivery.parts.map(({ state }) => state)
const texts = async (type: ChannelType, person: string): Promise<(string | number)[]> =>
  (await stage.seen(type, person)).map(({ text, files }) =>
    files === undefined ? text : text === '' ? files.length : text,
  )
const ofConversation = async (id: string) =>
  (await stage.ask(200, 'GET', `/messages?conversation_id=${id}&direction=outbound`)).items
const fault = (name: string, type: ChannelType, more: object = {}) =>
  stage.control('POST', 'faults', {
    fault: name,
    network: type === 'x' ? 'x' : 'meta',
    channel: externalIds[type],
    count: 1,
    ...more,
  })

it('what comes back under the id of any part is of the one answer: echo, receipt, reaction, deletion', async () => {
  const { person, conversationId } = await stage.customer('facebook')
  const said = await stage.say(conversationId, { text: 'Two of them', attachment_ids: [await picture()] })
  await stage.control('POST', 'read', { channel: externalIds.facebook, person })
  const sent = await stage.becomes(said.id, 'sent', 'delivered', 'read')
  const second = sent.delivery.parts[1].external_id
  await stage.control('POST', 'meta/change', {
    channel: externalIds.facebook, external_id: second, what: 'react', emoji: '❤', person,
  }) // prettier-ignore
  await stage.control('POST', 'read', { channel: externalIds.facebook, person })
  const read = await stage.becomes(said.id, 'read')
  expect(partsOf(read)).toEqual(['read', 'read'])
  await expect
    .poll(async () => (await stage.ask(200, 'GET', `/messages/${String(said.id)}`)).reactions, { timeout: 10_000 })
    .toMatchObject([{ by: person, emoji: '❤' }])
  expect(
    (await ofConversation(conversationId)).map(({ id, sent_elsewhere }: Record<string, unknown>) => [
      id,
      sent_elsewhere,
    ]),
  ).toEqual([[said.id, false]])
  const { storage, ana } = stage.site
  const channel = await storage.channels.get(storage.primary, ana.accountId, stage.channels.facebook)
  const takeBack = (externalId: string) =>
    storage.write(async (tx) => {
      if (channel === undefined) throw new Error('no channel')
      const event = { type: 'delete', externalId, occurredAt: new Date() } as const
      await takeIn(storage, tx, [{ at: '', channel, event, receivedAt: new Date() }])
    })
  const now = async () => {
    const { text, deleted_at, attachments, delivery } = await stage.ask(200, 'GET', `/messages/${String(said.id)}`)
    return [text, deleted_at === null, attachments.length, partsGone({ delivery })]
  }
  expect(await now()).toEqual(['Two of them', true, 1, [false, false]])
  await takeBack(second)
  await expect.poll(now, { timeout: 10_000 }).toEqual(['Two of them', true, 0, [false, true]])
  await takeBack(sent.delivery.parts[0].external_id)
  await expect.poll(now, { timeout: 10_000 }).toEqual([null, false, 0, [true, true]])
})

const partsGone = (message: { delivery: { parts: { deleted_at: string | null }[] } }): boolean[] =>
  message.delivery.parts.map(({ deleted_at }) => deleted_at !== null)

it('the parts after a refused one are said all the same, and only it is sent again', async () => {
  const { person, conversationId } = await stage.customer('facebook')
  await fault('refuse_code', 'facebook', { code: 100, skip: 1 })
  const said = await stage.say(conversationId, {
    text: 'First',
    attachment_ids: [await picture(), await picture()],
    quick_replies: [{ title: 'Nice', payload: 'nice' }],
  })
  const failed = await stage.becomes(said.id, 'failed')
  await expect
    .poll(async () => partsOf(await stage.ask(200, 'GET', `/messages/${String(said.id)}`))[2], { timeout: 10_000 })
    .toMatch(/sent|delivered/)
  expect(failed.delivery).toMatchObject({ reason_code: '100', reason_class: 'content', hint_code: 'change_content' })
  expect(await texts('facebook', person)).toEqual(['First', 1])
  await stage.ask(200, 'POST', `/messages/${String(said.id)}/retry`, {})
  await stage.becomes(said.id, 'sent', 'delivered')
  expect(await texts('facebook', person)).toEqual(['First', 1, 1])
  // Quick replies vanish with the next message: they stand below the last part.
  expect((await stage.seen('facebook', person)).map(({ choices }) => choices?.length ?? 0)).toEqual([0, 1, 0])
})

it('a part of unknown fate is settled by its echo, and nothing is seen twice', async () => {
  for (const type of ['facebook', 'instagram'] as const) {
    const { person, conversationId } = await stage.customer(type)
    await fault('drop_answer', type, { skip: 1 })
    const said = await stage.say(conversationId, { text: 'Here', attachment_ids: [await picture()] })
    await stage.becomes(said.id, 'sent', 'delivered')
    expect(await texts(type, person)).toEqual(['Here', 1])
    expect((await ofConversation(conversationId)).length).toBe(1)
  }
})

it('a part of unknown fate is looked up among the others that say the same', async () => {
  for (const type of ['facebook', 'instagram', 'x'] as const) {
    const { person, conversationId } = await stage.customer(type)
    await fault('lose_webhooks', type, { count: 100 })
    await fault('drop_answer', type, { skip: 1 })
    const said = await stage.say(conversationId, {
      attachment_ids: [await picture(), await picture(), await picture()],
    })
    const sent = await stage.becomes(said.id, 'sent')
    const seen = await stage.seen(type, person)
    expect(seen.length).toBe(3)
    expect(sent.delivery.parts.map(({ external_id: id }: { external_id: string }) => id).sort()).toEqual(
      seen.map(({ external_id: id }) => id).sort(),
    )
    await stage.control('DELETE', 'faults')
  }
})

it('a file is given to a network once, and again when that is no good any more', async () => {
  const file = await picture()
  const uploads = async (): Promise<number> => {
    const { storage } = stage.site
    const row = await storage.primary.first<{ n: number }>('select count(*) n from uploads where document_id = ?', [
      file,
    ])
    return row?.n ?? 0
  }
  for (let n = 0; n < 2; n++) {
    const { person, conversationId } = await stage.customer('facebook')
    const said = await stage.say(conversationId, { attachment_ids: [file] })
    await stage.becomes(said.id, 'sent', 'delivered')
    expect(await texts('facebook', person)).toEqual([1])
    expect(await uploads()).toBe(1)
  }
  const { conversationId } = await stage.customer('facebook')
  await fault('refuse_code', 'facebook', { code: 100 })
  const said = await stage.say(conversationId, { attachment_ids: [file] })
  await stage.becomes(said.id, 'failed')
  expect(await uploads()).toBe(0)
  await stage.ask(200, 'POST', `/messages/${String(said.id)}/retry`, {})
  await stage.becomes(said.id, 'sent', 'delivered')
  expect(await uploads()).toBe(1)
})

it('WhatsApp: a document with its caption, and buttons; X: pictures in one post', async () => {
  const whatsapp = await stage.customer('whatsapp')
  const menu = await stage.put(Buffer.from('%PDF-1.4\n%%EOF\n'), 'application/pdf', 'menu.pdf')
  const answers = [
    { text: 'The menu', attachment_ids: [menu] },
    { text: 'Which day?', interactive: { type: 'buttons', buttons: [{ id: 'mo', title: 'Monday' }, { id: 'tu', title: 'Tuesday' }] } },
  ] // prettier-ignore
  for (const more of answers)
    await stage.becomes((await stage.say(whatsapp.conversationId, more)).id, 'sent', 'delivered')
  expect(
    (await stage.seen('whatsapp', whatsapp.person)).map(({ text, files, choices }) => [
      text,
      files?.[0]?.kind,
      choices?.length,
    ]),
  ).toEqual([
    ['The menu', 'document', undefined],
    ['Which day?', undefined, 2],
  ])

  const x = await stage.customer('x', { kind: 'mention', text: '@harbour which boats?' })
  const said = await stage.say(x.conversationId, {
    kind: 'comment',
    text: 'These two',
    attachments: [{ id: await picture(), alt_text: 'A ferry' }, { id: await picture(), alt_text: 'A tug' }],
  }) // prettier-ignore
  const sent = await stage.becomes(said.id, 'sent', 'delivered')
  expect(sent.delivery.parts).toHaveLength(1)
  expect((await stage.seen('x', x.person)).map(({ text, files }) => [text, files?.length])).toEqual([['These two', 2]])
})

it('a template that WhatsApp has approved is said out of the window; X shows a post within ours', async () => {
  await stage.control('PUT', 'meta/templates', {
    channel: externalIds.whatsapp,
    templates: [
      {
        name: 'ready',
        language: 'en',
        status: 'APPROVED',
        category: 'UTILITY',
        components: [{ type: 'BODY', text: 'Your {{1}} is ready, {{2}}.' }],
      },
    ],
  })
  const late = await stage.customer('whatsapp', { occurred_at: new Date(Date.now() - 2 * 86_400_000).toISOString() })
  const template = { name: 'ready', language: 'en', body: ['table', 'Mia'] }
  const said = await stage.say(late.conversationId, { text: 'Your table is ready, Mia.', template })
  await stage.becomes(said.id, 'sent', 'delivered')
  expect(await texts('whatsapp', late.person)).toEqual(['Your table is ready, Mia.'])

  const x = await stage.customer('x', { kind: 'mention', text: '@harbour what did you say?' })
  const { external_id: quoted } = await stage.ask(200, 'GET', `/messages/${x.messageId}`)
  const answer = await stage.say(x.conversationId, { kind: 'comment', text: 'This', quote_of: quoted })
  await stage.becomes(answer.id, 'sent', 'delivered')
  expect((await stage.seen('x', x.person)).map(({ text, quote_of }) => [text, quote_of])).toEqual([['This', quoted]])
})

it('a film that X looks at for a while waits without an attempt, and is then said', async () => {
  const { person, conversationId } = await stage.customer('x')
  const film = await stage.put(
    Buffer.from('\0\0\0\x1cftypisom\0\0\x02\0isomiso2mp41\0\0\0\x08free', 'latin1'),
    'video/mp4',
    'clip.mp4',
  )
  const said = await stage.say(conversationId, { text: 'Watch this', attachment_ids: [film] })
  const sent = await stage.becomes(said.id, 'sent', 'delivered')
  expect(sent.delivery.attempts).toHaveLength(1)
  expect(await texts('x', person)).toEqual(['Watch this'])
})

it('a link to a file is good for whoever has it, for an hour, and for nothing else', async () => {
  const { storage, config, ana } = stage.site
  const document = await storage.documents.get(storage.primary, ana.accountId, await picture())
  if (document === undefined) throw new Error('no document')
  const link = mediaLink(storage, { ...config, publicUrl: stage.web.url }, document)
  const answer = await fetch(link)
  expect([answer.status, answer.headers.get('content-type'), answer.headers.get('x-content-type-options')]).toEqual([
    200,
    'image/jpeg',
    'nosniff',
  ])
  expect((await answer.arrayBuffer()).byteLength).toBe(document.size)
  const [path = '', signature = ''] = link.split(/\.(?=[^.]*$)/)
  const other = await storage.documents.get(storage.primary, ana.accountId, await picture())
  const wrong = [
    `${path}.${signature.slice(0, -2)}xx`,
    path,
    link.replace(document.id, other?.id ?? ''),
    link.replace(/\.(\d{13})\./, (_, until) => `.${String(Number(until) + 3_600_000)}.`),
    `${stage.web.url}/api/v1/media/x`,
  ]
  for (const address of wrong) expect((await fetch(address)).status).toBe(404)
  vi.setSystemTime(Date.now() + 3_601_000)
  expect(readMediaLink(storage, link.split('/').at(-1) ?? '')).toBeUndefined()
  vi.useRealTimers()
})
