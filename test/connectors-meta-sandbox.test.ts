/** Meta's connectors against the networks played here, over real HTTP: speaking, changes, files. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { callOutside } from '../infra/outside.ts'
import {
  access,
  came,
  change,
  connector,
  control,
  customer,
  good,
  ids,
  items,
  origin,
  outbound,
  people,
  send,
  signal,
} from './meta-stage.ts'

describe('a word and its answer', () => {
  test.each(['facebook', 'instagram', 'whatsapp'] as const)('%s', async (type) => {
    const { external_id: externalId } = await customer(type, { text: 'Is the café open? ☕' })
    const message = await came('message', (event) => event.externalId === externalId)
    expect(message).toMatchObject({
      kind: 'message',
      text: 'Is the café open? ☕',
      from: { externalId: people[type].id },
      thread: { kind: 'direct', personId: people[type].id },
    })
    expect(items.find(({ event }) => event === message)).toMatchObject({
      channelType: type,
      channelExternalId: ids[type],
    })

    const sent = await send(type)
    if (sent.type !== 'sent') throw new Error(JSON.stringify(sent))
    if (type === 'whatsapp') {
      expect(await came('receipt', (event) => event.state === 'sent')).toMatchObject({
        ids: [sent.externalId],
        reference: 'delivery-1',
      })
      await came('receipt', (event) => event.state === 'delivered')
      expect(await connector(type).lookUp(access(type), outbound(type), new Date(), signal)).toMatchObject({
        type: 'undecided',
      })
    } else {
      expect(await came('echo')).toMatchObject({
        externalId: sent.externalId,
        text: 'With pleasure',
        to: { externalId: people[type].id },
      })
      const since = new Date(Date.now() - 60_000)
      expect(await connector(type).lookUp(access(type), outbound(type), since, signal)).toEqual({
        type: 'found',
        externalId: sent.externalId,
      })
      expect(await connector(type).lookUp(access(type), outbound(type, { text: 'never said' }), since, signal)).toEqual(
        { type: 'absent' },
      )
    }
    await control('POST', 'read', { channel: ids[type], person: people[type].id })
    await came('receipt', (event) => event.state === 'read')
    const person = await connector(type).fetchPerson?.(access(type), people[type].id, signal)
    if (type !== 'whatsapp') expect(person).toMatchObject({ externalId: people[type].id, name: people[type].name })
  })

  test('Instagram: comments, their answers, private replies', async () => {
    const { external_id: commentId, post_id: postId } = await customer('instagram', {
      kind: 'comment',
      text: 'Lovely!',
    })
    expect(await came('message')).toMatchObject({
      kind: 'comment',
      externalId: commentId,
      thread: { rootId: commentId, postId },
      from: { handle: 'mia.sato' },
    })
    const answer = await send('instagram', { kind: 'comment', inReplyTo: String(commentId) })
    expect(answer).toMatchObject({ type: 'sent' })
    expect(await came('echo')).toMatchObject({ kind: 'comment', inReplyTo: commentId })
    const since = new Date(Date.now() - 60_000)
    const message = outbound('instagram', { kind: 'comment', inReplyTo: String(commentId) })
    expect(await connector('instagram').lookUp(access('instagram'), message, since, signal)).toMatchObject({
      type: 'found',
    })
    expect(await send('instagram', { kind: 'private_reply', inReplyTo: String(commentId) })).toMatchObject({
      type: 'sent',
    })
    expect(await send('instagram', { kind: 'private_reply', inReplyTo: String(commentId) })).toMatchObject({
      type: 'refused',
      code: '10900',
    })
  })

  test.each([
    ['instagram', { text: 'é'.repeat(501) }, { class: 'content', code: 'too_long' }],
    ['instagram', { lastInboundAt: new Date(Date.now() - 8 * 86_400_000) }, { class: 'window' }],
    ['instagram', { contactExternalId: '990000000000099' }, { class: 'recipient' }],
    ['instagram', { kind: 'comment' }, { class: 'recipient' }],
    ['whatsapp', { text: 'x'.repeat(4097) }, { class: 'content', code: 'too_long' }],
    ['whatsapp', { text: ' ' }, { class: 'content', code: 'empty' }],
    ['whatsapp', { lastInboundAt: new Date(Date.now() - 2 * 86_400_000) }, { class: 'window' }],
    ['whatsapp', { contactExternalId: undefined }, { class: 'recipient' }],
    ['whatsapp', { kind: 'comment', inReplyTo: '1' }, { class: 'content' }],
  ] as const)('%s refuses %j', async (type, more, expected) => {
    expect(await send(type, more)).toMatchObject({ type: 'refused', ...expected })
  })

  test('WhatsApp: a failure that comes after the acceptance', async () => {
    await customer('whatsapp', { text: 'Hello' })
    await control('POST', 'meta/fail_late', { channel: ids.whatsapp, code: 131_026 })
    expect(await send('whatsapp')).toMatchObject({ type: 'sent' })
    expect(await came('receipt', (event) => event.state === 'failed')).toMatchObject({
      reference: 'delivery-1',
      refusal: { class: 'recipient', code: '131026' },
    })
    // Nobody wrote: accepted, and refused later for the closed window.
    expect(await send('whatsapp', { contactExternalId: '16505550000' })).toMatchObject({ type: 'sent' })
    expect(await came('receipt', (event) => event.refusal?.code === '131047')).toMatchObject({
      refusal: { class: 'window' },
    })
  })

  test('WhatsApp: somebody without a number is answered by the user id', async () => {
    await control('POST', 'meta/say', {
      channel: ids.whatsapp,
      person: { id: 'US.1349', name: 'Li Wei', handle: 'liwei' },
      text: 'No number',
    })
    expect(await came('message')).toMatchObject({ from: { externalId: 'US.1349', handle: 'liwei' } })
    expect(await send('whatsapp', { contactExternalId: 'US.1349' })).toMatchObject({ type: 'sent' })
    expect(await came('receipt', (event) => event.state === 'delivered')).toMatchObject({
      person: { externalId: 'US.1349' },
    })
    await control('POST', 'meta/number', { channel: ids.whatsapp, person: '16505551234', new_id: '16505559999' })
    expect(await came('person_changed')).toMatchObject({
      was: { externalId: '16505551234' },
      is: { externalId: '16505559999' },
    })
  })
})

test.each([
  ['facebook', ['edit', 'delete', 'react', 'unreact'], 'message'],
  ['facebook', ['edit', 'hide', 'unhide', 'react', 'delete'], 'comment'],
  ['instagram', ['edit', 'delete', 'react', 'unreact'], 'message'],
  ['whatsapp', ['edit', 'delete', 'react', 'unreact'], 'message'],
] as const)('%s: %j of a %s', async (type, changes, kind) => {
  const { external_id: externalId } = await customer(type, { kind, text: 'First' })
  for (const what of changes) {
    items.length = 0
    await change(type, { external_id: externalId, what, text: 'Second', emoji: '🎉' })
    const wanted = {
      edit: 'edit',
      delete: 'delete',
      react: 'reaction',
      unreact: 'reaction',
      hide: 'hide',
      unhide: 'hide',
    } as const
    expect(items.map(({ event }) => event)).toMatchObject([{ type: wanted[what], externalId }])
  }
})

test('presses, places and story replies as they stand on the wire', async () => {
  await customer('facebook', { wire: { postback: { mid: 'm_pb', title: 'Start', payload: 'START' } } })
  expect(await came('message')).toMatchObject({ kind: 'interaction', text: 'Start' })
  await customer('instagram', {
    text: 'Wow',
    wire: { reply_to: { story: { id: '88', url: 'https://cdn.example/s.jpg' } } },
  })
  expect(await came('message', (event) => event.text === 'Wow')).toMatchObject({ extra: { story: { id: '88' } } })
  await customer('whatsapp', {
    wire: { type: 'location', location: { latitude: 38.7, longitude: -9.1, name: 'Harbour' } },
  })
  expect(await came('message', (event) => event.attachments.length > 0)).toMatchObject({
    attachments: [{ kind: 'location', title: 'Harbour' }],
  })
  await control('POST', 'meta/app_says', { channel: ids.whatsapp, person: people.whatsapp.id, text: 'From the app' })
  expect(await came('echo')).toMatchObject({ text: 'From the app', to: { externalId: people.whatsapp.id } })
})

describe('files', () => {
  const fetchAt = (place: { url: string; headers?: Readonly<Record<string, string>> }) =>
    callOutside({
      url: place.url,
      headers: place.headers ?? {},
      allowHosts: [new URL(origin()).host],
      maxBytes: 16 * 1024 * 1024,
    })

  test('Messenger and Instagram: at their address, until it expires', async () => {
    for (const type of ['facebook', 'instagram'] as const) {
      items.length = 0
      await customer(type, {
        text: 'Look',
        files: [
          { kind: 'image' },
          { kind: 'audio' },
          { kind: 'file' },
          { kind: 'image', expires_ms: 60_000 },
          { kind: 'image', gone: true },
        ],
      })
      const { attachments } = await came('message')
      expect(attachments.map(({ kind }) => kind)).toEqual(['image', 'audio', 'file', 'image', 'image'])
      const fetched = await Promise.all(attachments.map(({ url }) => fetchAt({ url: url ?? '' })))
      expect(fetched.map(({ status, headers }) => [status, headers['content-type']])).toEqual([
        [200, 'image/png'], [200, 'audio/wav'], [200, 'application/pdf'], [200, 'image/png'], [404, 'application/json'],
      ]) // prettier-ignore
      await control('POST', 'clock', { ms: 61_000 })
      expect((await fetchAt({ url: attachments[3]?.url ?? '' })).status).toBe(403)
    }
  })

  test('WhatsApp: asked for by id, good for five minutes, only with the token', async () => {
    await customer('whatsapp', { text: 'Broken', files: [{ kind: 'image' }] })
    const [attachment] = (await came('message')).attachments
    expect(attachment).toMatchObject({ kind: 'image' })
    const place = good(
      await connector('whatsapp').locateMedia?.(access('whatsapp'), attachment ?? { kind: 'image' }, signal),
    )
    expect(place).toMatchObject({ contentType: 'image/png', headers: { authorization: 'Bearer wa-token' } })
    const file = await fetchAt(place)
    expect(file.status).toBe(200)
    expect(createHash('sha256').update(file.body).digest('hex')).toBe(place.sha256)
    expect((await fetchAt({ url: place.url })).status).toBe(401)
    await control('POST', 'clock', { ms: 6 * 60_000 })
    expect((await fetchAt(place)).status).toBe(403)
    const again = good(
      await connector('whatsapp').locateMedia?.(access('whatsapp'), attachment ?? { kind: 'image' }, signal),
    )
    expect((await fetchAt(again)).status).toBe(200)
  })

  test('WhatsApp: a file that is gone', async () => {
    await customer('whatsapp', { files: [{ kind: 'document', title: 'a.pdf', gone: true }] })
    const [attachment] = (await came('message')).attachments
    expect(
      await connector('whatsapp').locateMedia?.(access('whatsapp'), attachment ?? { kind: 'file' }, signal),
    ).toMatchObject({ type: 'refused', class: 'content', code: '100/33' })
    expect(await connector('whatsapp').locateMedia?.(access('whatsapp'), { kind: 'file' }, signal)).toMatchObject({
      type: 'refused',
      code: 'no_id',
    })
  })
})
