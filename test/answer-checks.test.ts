/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- answers are looked into at will */
/** What a network would refuse is refused by name before anything is queued, and said in advance. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import { externalIds, openStage } from './answer-stage.ts'
import type { Stage } from './answer-stage.ts'
import { photo } from './pictures.ts'

type Talk = Awaited<ReturnType<Stage['customer']>>
let stage: Stage
let messenger: Talk
let comment: Talk
let instagram: Talk
let whatsapp: Talk
let x: Talk
let picture: string
let text: string

const longAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()

beforeAll(async () => {
  stage = await openStage()
  messenger = await stage.customer('facebook')
  comment = await stage.customer('facebook', { kind: 'comment' })
  instagram = await stage.customer('instagram')
  whatsapp = await stage.customer('whatsapp')
  x = await stage.customer('x', { kind: 'mention', text: '@harbour hello' })
  picture = await stage.put(await photo(40, 30), 'image/jpeg', 'boat.jpg')
  text = await stage.put(Buffer.from('a plain text'), 'text/plain', 'notes.txt')
})
afterAll(() => stage.close())

/** A post of the account at X, to be answered. */
async function ownPost(): Promise<{ post_id?: string; in_reply_to?: string }> {
  const { channels } = (await stage.control('GET', 'world')) as {
    channels: { external_id: string; post_id: string | null }[]
  }
  const id = channels.find((each) => each.external_id === externalIds.x)?.post_id
  return id == null ? {} : { post_id: id, in_reply_to: id }
}

async function refused(
  conversationId: string,
  body: object,
): Promise<{ status: number; code: string; field: string; detail: string }> {
  const { ana } = stage.site
  const before = await stage.ask(200, 'GET', `/messages?conversation_id=${conversationId}`)
  const { status, json } = await stage.web.ask(ana, 'POST', `/conversations/${conversationId}/messages`, {
    kind: 'reply',
    ...body,
  })
  const after = await stage.ask(200, 'GET', `/messages?conversation_id=${conversationId}`)
  // Nothing is half said.
  expect(after.items.length).toBe(before.items.length)
  return { status, code: json.code, field: json.faults?.[0]?.field, detail: json.detail }
}

it('refuses by name and field', async () => {
  const tooBig = await stage.put(Buffer.concat([await photo(40, 30), Buffer.alloc(5 * 1024 * 1024)]), 'image/jpeg')
  const foreign = await stage.site.storage.write((tx) =>
    stage.site.storage.documents.create(tx, {
      accountId: stage.site.zoe.accountId, digest: 'a'.repeat(64), name: null, contentType: 'image/png', size: 9,
    }),
  ) // prettier-ignore
  const said = [
    [messenger, {}, 'empty', 'text'],
    [messenger, { text: ' \n ' }, 'empty', 'text'],
    [messenger, { text: 'x'.repeat(2_001) }, 'too_long', 'text'],
    [instagram, { text: 'ü'.repeat(501) }, 'too_long', 'text'],
    [x, { kind: 'comment', text: '界'.repeat(141) }, 'too_long', 'text'],
    [x, { kind: 'comment', text: 'hi', attachment_ids: [text] }, 'attachment_type', 'attachments.0'],
    [comment, { kind: 'comment', text: 'hi', attachment_ids: [picture, picture] }, 'too_many_attachments', 'attachments'],
    [whatsapp, { attachment_ids: [picture, tooBig] }, 'attachment_too_big', 'attachments.1'],
    [messenger, { attachment_ids: [newId()] }, 'attachment_gone', 'attachments.0'],
    [messenger, { attachment_ids: ['no id'] }, 'attachment_gone', 'attachments.0'],
    [messenger, { attachment_ids: [foreign.id] }, 'attachment_gone', 'attachments.0'],
    [messenger, { attachment_ids: Array.from({ length: 11 }, () => picture) }, 'too_many_attachments', 'attachments'],
    [messenger, { kind: 'comment', text: 'hi' }, 'kind_not_possible', 'kind'],
    [comment, { kind: 'comment', text: 'hi', in_reply_to: messenger.messageId }, 'nothing_to_answer', 'in_reply_to'],
    [comment, { kind: 'private_reply', text: 'x'.repeat(2_001) }, 'too_long', 'text'],
    [comment, { kind: 'private_reply', text: 'hi', attachment_ids: [picture] }, 'too_many_attachments', 'attachments'],
    [whatsapp, { text: 'hi', quick_replies: [{ title: 'Yes', payload: 'y' }] }, 'extras_not_possible', 'quick_replies'],
    [messenger, { text: 'hi', template: { name: 'hello', language: 'en' } }, 'extras_not_possible', 'template'],
    [messenger, { text: 'hi', quote_of: '12' }, 'extras_not_possible', 'quote_of'],
    [messenger, { text: 'hi', quick_replies: [{ title: 'x'.repeat(21), payload: 'y' }] }, 'extras_not_possible', 'quick_replies'],
    [whatsapp, { text: 'hi', interactive: { type: 'buttons', buttons: Array.from({ length: 4 }, (_, n) => ({ id: String(n), title: 'b' })) } }, 'extras_not_possible', 'interactive'],
    [messenger, { text: 'later', send_at: 'tomorrow' }, 'invalid', 'send_at'],
  ] as const // prettier-ignore
  const results: unknown[] = []
  for (const [talk, body] of said) {
    const { status, code, field } = await refused(talk.conversationId, body)
    results.push([status, code, field])
  }
  expect(results).toEqual(said.map(([, , code, field]) => [422, code, field]))
  // In the network's own counting.
  expect((await refused(instagram.conversationId, { text: 'ü'.repeat(501) })).detail).toContain(
    '1002 of at most 1000 bytes',
  )
})

it('refuses outside of the window, and on WhatsApp all but templates', async () => {
  const stale = await stage.customer('facebook', { occurred_at: longAgo(8) })
  const late = await stage.customer('whatsapp', { occurred_at: longAgo(2) })
  for (const talk of [stale, late])
    expect(await refused(talk.conversationId, { text: 'hello?' })).toMatchObject({
      code: 'window_closed',
      field: 'text',
    })
  const [reply] = (await stage.ask(200, 'GET', `/conversations/${late.conversationId}`)).sayable
  expect(reply).toMatchObject({
    kind: 'reply',
    refused: { code: 'window_closed', except: 'template' },
    extras: { templates: true },
  })
  const said = await stage.say(late.conversationId, {
    text: 'Your table is ready',
    template: { name: 'ready', language: 'en' },
  })
  expect(said).toMatchObject({ state: 'queued', extras: { template: { name: 'ready', language: 'en' } } })
})

it('tells before it is typed what may be said, until when and how it is counted', async () => {
  const sayable = async (talk: Talk) => (await stage.ask(200, 'GET', `/conversations/${talk.conversationId}`)).sayable
  expect(await sayable(messenger)).toMatchObject([
    {
      kind: 'reply',
      refused: null,
      max_text_length: 2000,
      counting: 'characters',
      closes_at: expect.any(String) as unknown,
      human_agent_from: expect.any(String) as unknown,
      files: { max: 10, kinds: { image: { types: expect.arrayContaining(['image/png']) as unknown } } },
      extras: { quick_replies: { max: 13, max_title_length: 20 }, templates: false },
    },
    { kind: 'note', refused: null },
  ])
  expect(await sayable(instagram)).toMatchObject([{ kind: 'reply', counting: 'bytes', max_text_length: 1000 }, {}])
  expect((await sayable(x)).find(({ kind }: { kind: string }) => kind === 'comment')).toMatchObject({
    counting: 'weighted',
    closes_at: null,
    files: { kinds: { image: { max_bytes_of: { 'image/gif': 15 * 1024 * 1024 } } } },
  })
})

it('a comment has one private reply, within seven days', async () => {
  const { conversationId } = await stage.customer('facebook', { kind: 'comment' })
  await stage.say(conversationId, { kind: 'private_reply', text: 'We wrote to you' })
  expect(await refused(conversationId, { kind: 'private_reply', text: 'Again' })).toMatchObject({
    code: 'private_reply_used',
    field: 'in_reply_to',
  })
  const { sayable } = await stage.ask(200, 'GET', `/conversations/${conversationId}`)
  expect(sayable.find(({ kind }: { kind: string }) => kind === 'private_reply').refused.code).toBe('private_reply_used')
  const old = await stage.customer('facebook', { kind: 'comment', occurred_at: longAgo(8) })
  expect(await refused(old.conversationId, { kind: 'private_reply', text: 'Hi' })).toMatchObject({
    code: 'window_closed',
  })
})

it('a comment that was deleted cannot be answered', async () => {
  const talk = await stage.customer('facebook', { kind: 'comment' })
  const { external_id: id } = await stage.ask(200, 'GET', `/messages/${talk.messageId}`)
  await stage.control('POST', 'meta/change', { channel: externalIds.facebook, external_id: id, what: 'delete' })
  await expect
    .poll(async () => (await stage.ask(200, 'GET', `/messages/${talk.messageId}`)).deleted_at, { timeout: 10_000 })
    .not.toBeNull()
  for (const more of [{}, { in_reply_to: talk.messageId }])
    expect(await refused(talk.conversationId, { kind: 'comment', text: 'Thank you', ...more })).toMatchObject({
      code: 'deleted_target',
      field: 'in_reply_to',
    })
})

it('X: does not ask again for what a self-serve app may not answer', async () => {
  const talk = await stage.customer('x', {
    kind: 'comment',
    text: 'you there, without naming anybody',
    ...(await ownPost()),
  })
  await stage.control('PUT', 'settings', { x_plan: 'self_serve' })
  const said = await stage.say(talk.conversationId, { kind: 'comment', text: 'Yes?' })
  const failed = await stage.becomes(said.id, 'failed')
  expect(failed.delivery).toMatchObject({
    reason_code: 'not_summoned',
    reason_class: 'recipient',
    hint_code: 'other_way',
  })
  expect(await refused(talk.conversationId, { kind: 'comment', text: 'Still?' })).toMatchObject({
    code: 'x_not_summoned',
    field: 'in_reply_to',
  })
  await stage.control('PUT', 'settings', { x_plan: 'enterprise' })
})

it('says what has changed since the writer looked', async () => {
  const { ana, ben } = stage.site
  const { conversationId, messageId, person } = await stage.customer('facebook')
  const say = (seen: object) =>
    stage.web.ask(ana, 'POST', `/conversations/${conversationId}/messages`, {
      kind: 'reply',
      text: 'As I see it',
      seen,
    })
  expect((await say({ message_id: messageId, status: 'open', assignee_id: null })).status).toBe(201)
  const newer = await stage.control('POST', 'meta/say', {
    channel: externalIds.facebook,
    person: { id: person },
    text: 'One more thing',
  })
  await expect
    .poll(
      async () => (await stage.ask(200, 'GET', `/messages?external_id=${String(newer['external_id'])}`)).items.length,
    )
    .toBe(1)
  const told = await say({ message_id: messageId })
  expect([told.status, told.json.code, told.json.now.message_id === messageId]).toEqual([409, 'newer_message', false])
  expect((await say({ message_id: told.json.now.message_id })).status).toBe(201)
  await stage.ask(200, 'PATCH', `/conversations/${conversationId}`, { status: 'resolved', assignee_id: ben.userId })
  const resolved = await say({ status: 'open' })
  expect([resolved.status, resolved.json.code, resolved.json.now.status]).toEqual([
    409,
    'conversation_resolved',
    'resolved',
  ])
  const taken = await say({ status: 'resolved', assignee_id: null })
  expect([taken.status, taken.json.code, taken.json.now.assignee_id]).toEqual([
    409,
    'conversation_reassigned',
    ben.userId,
  ])
  expect((await say({ status: 'resolved', assignee_id: ben.userId })).status).toBe(201)
})

it('the same key with another body is refused, and a channel that is gone', async () => {
  const { ana } = stage.site
  const { conversationId } = await stage.customer('instagram')
  const key = { 'idempotency-key': newId() }
  const say = (words: string) =>
    stage.web.ask(ana, 'POST', `/conversations/${conversationId}/messages`, { kind: 'reply', text: words }, key)
  expect([(await say('one')).status, (await say('one')).status, (await say('two')).status]).toEqual([201, 201, 409])
  await stage.ask(200, 'DELETE', `/channels/${stage.channels.instagram}`)
  expect(await refused(conversationId, { text: 'hello' })).toMatchObject({
    code: 'channel_disconnected',
    field: 'kind',
  })
})
