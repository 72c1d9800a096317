/** What Meta's connectors say beside plain words, over real HTTP against the networks played here, judged by what customers saw. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { OutboundAct, OutboundMessage } from '../messaging/connectors/connector.ts'
import { bytesOf } from '../messaging/sandbox/files.ts'
import { acts, file, seen, uploaded } from './meta-files.ts'
import {
  access,
  came,
  connector,
  control,
  customer,
  good,
  ids,
  origin,
  outbound,
  people,
  send,
  signal,
} from './meta-stage.ts'
import type { Type } from './meta-stage.ts'

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const bytesAt = async (url: string | undefined): Promise<Buffer> =>
  Buffer.from(await (await fetch(url ?? 'http://127.0.0.1:9')).arrayBuffer())
const day = 86_400_000

describe('a file, uploaded and sent', () => {
  test.each([
    ['facebook', 'photo.png', 'image'],
    ['facebook', 'voice.wav', 'audio'],
    ['facebook', 'clip.mp4', 'video'],
    ['facebook', 'ticket.pdf', 'file'],
    ['instagram', 'photo.png', 'image'],
    ['instagram', 'animation.gif', 'image'],
    ['instagram', 'voice.wav', 'audio'],
    ['instagram', 'clip.mp4', 'video'],
    ['instagram', 'ticket.pdf', 'file'],
    ['whatsapp', 'voice.ogg', 'audio'],
    ['whatsapp', 'clip.mp4', 'video'],
    ['whatsapp', 'ticket.pdf', 'document'],
  ] as const)('%s: %s', async (type, name, kind) => {
    // prettier-ignore
    await customer(type, { text: 'Hello' })
    const given = await uploaded(type, file(name))
    const sent = await send(type, { text: '', files: [given] })
    expect(sent).toMatchObject({ type: 'sent' })
    const [shown, ...more] = await seen(type)
    expect(more).toEqual([])
    expect(shown).toMatchObject({ kind: 'reply', text: '', files: [{ kind }] })
    const bytes = Buffer.concat((await (await file(name).open()).toArray()) as Buffer[])
    expect(digest(await bytesAt(shown?.files?.[0]?.url))).toBe(digest(bytes))
    if (type === 'whatsapp') return
    const echo = await came('echo', (event) => event.externalId === shown?.external_id)
    expect(echo).toMatchObject({ attachments: [{ kind }], ...(type === 'facebook' ? { reference: 'delivery-1' } : {}) })
    const since = new Date(Date.now() - 60_000)
    const found = await connector(type).lookUp(
      access(type),
      outbound(type, { text: '', files: [given] }),
      since,
      signal,
    )
    expect(found).toEqual({ type: 'found', externalId: shown?.external_id })
    const other = kind === 'image' ? file('ticket.pdf') : file('photo.png')
    const none = await connector(type).lookUp(access(type), outbound(type, { text: '', files: [other] }), since, signal)
    expect(none).toEqual({ type: 'absent' })
  })

  test('WhatsApp: a caption, and the name of a document', async () => {
    await customer('whatsapp', { text: 'Hello' })
    const ticket = await uploaded('whatsapp', file('ticket.pdf', { name: 'Ticket "7"\r\n.pdf' }))
    expect(await send('whatsapp', { text: 'Your ticket', files: [ticket] })).toMatchObject({ type: 'sent' })
    expect(await seen('whatsapp')).toMatchObject([{ text: 'Your ticket', files: [{ kind: 'document', title: 'Ticket "7"\r\n.pdf' }] }]) // prettier-ignore
  })

  test('Instagram by its own login: the file is fetched from its address', async () => {
    await customer('instagram', { text: 'Hello' })
    const own = access('instagram', { login: 'instagram' })
    const upload = await connector('instagram').upload?.(own, file('photo.png'), 'direct', undefined, signal)
    if (upload?.type !== 'ok') throw new Error(JSON.stringify(upload))
    const given = { ...file('photo.png'), uploadedId: upload.id }
    const message = outbound('instagram', { text: '', files: [given] })
    expect(await connector('instagram').send(own, message, signal)).toMatchObject({ type: 'sent' })
    expect(await seen('instagram')).toMatchObject([{ files: [{ kind: 'image' }] }])
    const gone = outbound('instagram', { text: '', files: [{ ...given, publicUrl: `${origin()}/media/gone.png` }] })
    expect(await connector('instagram').send(own, gone, signal)).toMatchObject({ type: 'refused', class: 'content', code: '100/2018008' }) // prettier-ignore
  })

  test('Facebook: a comment with a photo is one request, and is found again', async () => {
    const { external_id: commentId } = await customer('facebook', { kind: 'comment', text: 'How does it look?' })
    const given = await uploaded('facebook', file('photo.png', { altText: 'A harbour' }), 'public')
    for (const text of ['Like this', '']) {
      const message = { kind: 'comment', inReplyTo: String(commentId), text, files: [given] } as const
      const sent = await send('facebook', message)
      expect(sent).toMatchObject({ type: 'sent' })
      const since = new Date(Date.now() - 60_000)
      expect(await connector('facebook').lookUp(access('facebook'), outbound('facebook', message), since, signal)).toMatchObject({ type: 'found', externalId: sent.type === 'sent' ? sent.externalId : '' }) // prettier-ignore
    }
    expect(await seen('facebook')).toMatchObject([{ kind: 'comment', text: 'Like this', files: [{ kind: 'image', alt_text: 'A harbour' }] }, { text: '' }]) // prettier-ignore
    expect(await came('echo')).toMatchObject({ kind: 'comment', attachments: [{ kind: 'image' }] })
  })

  test('what cannot be read, breaks off, or was never uploaded is never sent', async () => {
    await customer('facebook', { text: 'Hello' })
    const upload = (one: ReturnType<typeof file>) =>
      connector('facebook').upload?.(access('facebook'), one, 'direct', undefined, signal)
    expect(await upload(file('photo.png', { open: () => Promise.reject(new Error('away')) }))).toMatchObject({ type: 'retry', code: 'no_file' }) // prettier-ignore
    // Shorter and longer than was said.
    for (const bytes of [Buffer.from('short'), Buffer.alloc(100_000)])
      expect(await upload(file('photo.png', { size: 50_000, open: () => Promise.resolve(Readable.from([bytes])) }))).toMatchObject({ type: 'retry' }) // prettier-ignore
    const torn = () => Promise.resolve(Readable.from((async function* () { yield Buffer.from('some'); await Promise.resolve(); throw new Error('torn') })())) // prettier-ignore
    expect(await upload(file('photo.png', { open: torn }))).toMatchObject({ type: 'retry' })
    expect(await send('facebook', { text: '', files: [file('photo.png')] })).toMatchObject({ type: 'refused', code: 'not_uploaded' }) // prettier-ignore
    expect(await seen('facebook')).toEqual([])
  })

  test('neither the name nor the type of a file breaks out of its form', async () => {
    await customer('facebook', { text: 'Hello' })
    const name = 'a"; x="\r\nx-evil: 1\r\n\r\nü.pdf'
    const given = await uploaded('facebook', file('ticket.pdf', { name, contentType: 'application/pdf\r\nx-evil: 1' }))
    expect(await send('facebook', { text: '', files: [{ ...given, contentType: 'application/pdf' }] })).toMatchObject({ type: 'sent' }) // prettier-ignore
    const [shown] = await seen('facebook')
    expect(shown?.files?.[0]?.title).toBe('a_; x=___x-evil: 1____ü.pdf')
    expect(digest(await bytesAt(shown?.files?.[0]?.url))).toBe(digest(bytesOf('ticket.pdf') ?? Buffer.alloc(0)))
  })

  test('an upload whose answer is lost may be repeated', async () => {
    await control('POST', 'faults', { fault: 'network_off', network: 'meta', count: 1 })
    const first = await connector('facebook').upload?.(
      access('facebook'),
      file('photo.png'),
      'direct',
      undefined,
      signal,
    )
    expect(first).toMatchObject({ type: 'retry' })
    expect(await uploaded('facebook', file('photo.png'))).toMatchObject({
      uploadedId: expect.stringMatching(/^\d+$/) as string,
    })
  })

  test('an attachment id dies after 90 days and is nobody else’s', async () => {
    await customer('facebook', { text: 'Hello' })
    const given = await uploaded('facebook', file('photo.png'))
    expect(await send('facebook', { text: '', files: [{ ...given, uploadedId: '123' }] })).toMatchObject({ type: 'retry', code: 'upload_gone' }) // prettier-ignore
    await control('POST', 'clock', { ms: 91 * day })
    await customer('facebook', { text: 'Still there?' })
    expect(await send('facebook', { text: '', files: [given] })).toMatchObject({ type: 'retry', code: 'upload_gone' })
    expect(await seen('facebook')).toEqual([])
  })
})

describe('how an utterance is divided', () => {
  const files = [file0('image'), file0('audio'), file0('file')]
  test.each([
    [
      'facebook',
      'reply',
      'Hi',
      2,
      [
        ['Hi', []],
        ['', [0]],
        ['', [1]],
      ],
    ],
    ['facebook', 'reply', ' ', 1, [['', [0]]]],
    ['facebook', 'reply', 'Hi', 0, [['Hi', []]]],
    ['facebook', 'comment', 'Hi', 1, [['Hi', [0]]]],
    [
      'instagram',
      'reply',
      'Hi',
      1,
      [
        ['Hi', []],
        ['', [0]],
      ],
    ],
    ['instagram', 'comment', 'Hi', 0, [['Hi', []]]],
    [
      'whatsapp',
      'reply',
      'Hi',
      2,
      [
        ['Hi', [0]],
        ['', [1]],
      ],
    ],
    [
      'whatsapp',
      'reply',
      'x'.repeat(1025),
      1,
      [
        ['x'.repeat(1025), []],
        ['', [0]],
      ],
    ],
    [
      'whatsapp',
      'reply',
      '',
      2,
      [
        ['', [0]],
        ['', [1]],
      ],
    ],
    ['whatsapp', 'reply', 'Hi', 0, [['Hi', []]]],
  ] as const)('%s %s "%s" with %i files', (type, kind, text, count, parts) => {
    // prettier-ignore
    const split = connector(type).split?.({ kind, text, files: files.slice(0, count) })
    expect(split).toEqual(parts.map(([own, places]) => ({ text: own, files: places })))
  })

  test('WhatsApp: audio has no caption', () => {
    expect(connector('whatsapp').split?.({ kind: 'reply', text: 'Listen', files: [file0('audio'), file0('image')] })).toEqual([
      { text: 'Listen', files: [] }, { text: '', files: [0] }, { text: '', files: [1] },
    ]) // prettier-ignore
  })
})

/** A file of which nothing but its kind matters. */
function file0(kind: 'image' | 'audio' | 'file') {
  const open = () => Promise.resolve(Readable.from([]))
  return { kind, contentType: '', size: 1, name: undefined, altText: undefined, uploadedId: '1', publicUrl: '', open }
}

describe('quick replies, buttons, lists, templates', () => {
  const choices = [{ title: 'Yes', payload: 'YES' }, { title: 'No', payload: 'NO' }] // prettier-ignore

  test.each(['facebook', 'instagram'] as const)('%s: quick replies are shown and pressed', async (type) => {
    await customer(type, { text: 'Is there a seat?' })
    expect(await send(type, { text: 'For two?', extras: { quickReplies: choices } })).toMatchObject({ type: 'sent' })
    const [shown] = await seen(type)
    expect(shown?.choices).toEqual([{ as: 'quick_reply', id: 'YES', title: 'Yes' }, { as: 'quick_reply', id: 'NO', title: 'No' }]) // prettier-ignore
    await control('POST', 'meta/press', { channel: ids[type], external_id: shown?.external_id, id: 'NO' })
    expect(await came('message', (event) => event.text === 'No')).toMatchObject({ kind: 'message', extra: { quick_reply: 'NO' } }) // prettier-ignore
  })

  test.each([
    [
      'buttons',
      {
        type: 'buttons',
        buttons: [
          { id: 'a', title: 'Monday' },
          { id: 'b', title: 'Tuesday' },
        ],
      },
    ],
    [
      'list',
      {
        type: 'list',
        button: 'Days',
        rows: [
          { id: 'a', title: 'Monday' },
          { id: 'b', title: 'Tuesday', description: 'the late one' },
        ],
      },
    ],
  ] as const)('WhatsApp: %s', async (_, interactive) => {
    // prettier-ignore
    await customer('whatsapp', { text: 'When?' })
    expect(await send('whatsapp', { text: 'Choose a day', extras: { interactive } })).toMatchObject({ type: 'sent' })
    const [shown] = await seen('whatsapp')
    expect(shown).toMatchObject({ text: 'Choose a day', choices: [{ id: 'a', title: 'Monday' }, { id: 'b' }] })
    await control('POST', 'meta/press', { channel: ids.whatsapp, external_id: shown?.external_id, id: 'b' })
    expect(await came('message', (event) => event.text === 'Tuesday')).toMatchObject({ inReplyTo: shown?.external_id })
  })

  test('WhatsApp: buttons below a picture', async () => {
    await customer('whatsapp', { text: 'When?' })
    const picture = await uploaded('whatsapp', file('photo.png'))
    const interactive = { type: 'buttons', buttons: [{ id: 'a', title: 'Book' }] } as const
    expect(await send('whatsapp', { text: 'Like it?', files: [picture], extras: { interactive } })).toMatchObject({ type: 'sent' }) // prettier-ignore
    expect(await seen('whatsapp')).toMatchObject([{ files: [{ kind: 'image' }], choices: [{ as: 'button' }] }])
  })

  test('WhatsApp: templates, listed and said outside the window', async () => {
    const own = access('whatsapp', { business_account_id: `9${ids.whatsapp}` })
    const all = good(await connector('whatsapp').listTemplates?.(own, signal))
    expect(all.map(({ name, language, state }) => [name, language, state])).toContainEqual(['ferry_delayed', 'en', 'APPROVED']) // prettier-ignore
    expect(all.find(({ name }) => name === 'ferry_delayed')).toEqual({
      name: 'ferry_delayed', language: 'en', category: 'UTILITY', state: 'APPROVED', header: 'Ferry {{1}}',
      body: 'Hello {{1}}, your ferry leaves {{2}} minutes later.', footer: undefined, buttons: ['Timetable', 'Thank you'],
      links: ['https://harbour.example/{{1}}', ''],
    }) // prettier-ignore
    const template = { name: 'ferry_delayed', language: 'en', header: ['7'], body: ['Joe', '20'], buttons: ['7'] }
    const old = { text: '', lastInboundAt: new Date(Date.now() - 30 * day), extras: { template } }
    expect(await send('whatsapp', old)).toMatchObject({ type: 'sent' })
    expect(await came('receipt', (event) => event.state === 'delivered')).toMatchObject({ reference: 'delivery-1' })
    const [shown] = await seen('whatsapp')
    expect(shown).toMatchObject({ text: 'Ferry 7\nHello Joe, your ferry leaves 20 minutes later.' })
    await control('POST', 'meta/press', { channel: ids.whatsapp, external_id: shown?.external_id, id: 'Thank you' })
    expect(await came('message')).toMatchObject({ text: 'Thank you' })
  })

  test('WhatsApp: more templates than one page', async () => {
    const templates = Array.from({ length: 230 }, (_, n) => ({ name: `t_${String(n)}`, language: 'en', components: [{ type: 'BODY', text: 'x' }] })) // prettier-ignore
    await control('PUT', 'meta/templates', { channel: ids.whatsapp, templates })
    const own = access('whatsapp', { business_account_id: `9${ids.whatsapp}` })
    expect(good(await connector('whatsapp').listTemplates?.(own, signal))).toHaveLength(230)
  })

  test('an answer to a certain message', async () => {
    for (const type of ['facebook', 'instagram', 'whatsapp'] as const) {
      const { external_id: id } = await customer(type, { text: 'This one' })
      expect(await send(type, { inReplyTo: String(id) })).toMatchObject({ type: 'sent' })
      expect(await seen(type)).toMatchObject([{ in_reply_to: id }])
    }
  })
})

test.each([
  ['facebook', { text: 'x'.repeat(2001) }, 'content', 'too_long'],
  ['facebook', { text: '  ' }, 'content', 'empty'],
  ['facebook', { text: 'Hi', files: [file0('image')] }, 'content', 'file_type'],
  ['facebook', { text: '', files: [{ ...file0('image'), contentType: 'image/heic' }] }, 'content', 'file_type'],
  [
    'facebook',
    { text: '', files: [{ ...file0('image'), contentType: 'image/png', size: 26 * 1024 * 1024 }] },
    'content',
    'file_too_large',
  ],
  ['facebook', { text: 'Hi', files: [{ ...file0('image'), contentType: 'image/png' }] }, 'content', 'not_split'],
  [
    'facebook',
    { extras: { quickReplies: Array.from({ length: 14 }, () => ({ title: 'a', payload: 'b' })) } },
    'content',
    'too_many_quick_replies',
  ],
  ['facebook', { extras: { quickReplies: [{ title: 'x'.repeat(21), payload: 'b' }] } }, 'content', 'quick_reply_title'],
  ['facebook', { extras: { template: { name: 'a', language: 'en' } } }, 'content', 'not_spoken'],
  [
    'facebook',
    {
      kind: 'comment',
      inReplyTo: '1',
      files: [file0('image'), file0('image')].map((one) => ({ ...one, contentType: 'image/png' })),
    },
    'content',
    'too_many_files',
  ],
  ['facebook', { lastInboundAt: new Date(0) }, 'window', 'window_closed'],
  ['facebook', { contactExternalId: undefined }, 'recipient', 'nobody'],
  ['facebook', { kind: 'private_reply' }, 'recipient', 'nobody'],
  [
    'instagram',
    { kind: 'comment', inReplyTo: '1', text: 'Hi', files: [{ ...file0('image'), contentType: 'image/png' }] },
    'content',
    'file_type',
  ],
  ['instagram', { text: '', files: [{ ...file0('image'), contentType: 'image/webp' }] }, 'content', 'file_type'],
  [
    'instagram',
    { text: '', files: [{ ...file0('image'), contentType: 'image/png', size: 9 * 1024 * 1024 }] },
    'content',
    'file_too_large',
  ],
  ['whatsapp', { text: '', files: [{ ...file0('image'), contentType: 'image/gif' }] }, 'content', 'file_type'],
  ['whatsapp', { text: 'Hi', files: [{ ...file0('audio'), contentType: 'audio/ogg' }] }, 'content', 'caption'],
  [
    'whatsapp',
    { text: '', extras: { interactive: { type: 'buttons', buttons: [{ id: 'a', title: 'A' }] } } },
    'content',
    'empty',
  ],
  ['whatsapp', { extras: { interactive: { type: 'buttons', buttons: [] } } }, 'content', 'interactive'],
  [
    'whatsapp',
    { extras: { interactive: { type: 'buttons', buttons: ['a', 'b', 'c', 'd'].map((id) => ({ id, title: id })) } } },
    'content',
    'interactive',
  ],
  [
    'whatsapp',
    { extras: { interactive: { type: 'buttons', buttons: [{ id: 'a', title: 'x'.repeat(21) }] } } },
    'content',
    'interactive',
  ],
  [
    'whatsapp',
    { extras: { interactive: { type: 'list', button: '', rows: [{ id: 'a', title: 'A' }] } } },
    'content',
    'interactive',
  ],
  [
    'whatsapp',
    {
      extras: {
        interactive: {
          type: 'list',
          button: 'More',
          rows: [
            { id: 'a', title: 'A' },
            { id: 'a', title: 'B' },
          ],
        },
      },
    },
    'content',
    'interactive',
  ],
  ['whatsapp', { extras: { quickReplies: [{ title: 'a', payload: 'b' }] } }, 'content', 'not_spoken'],
] as const)('%s refuses before anything leaves: %j', async (type, more, reasonClass, code) => {
  // prettier-ignore
  const said = more as Partial<OutboundMessage>
  expect(await connector(type).send({ ...access(type), apiBaseUrl: 'http://127.0.0.1:9' }, outbound(type, said), signal)).toMatchObject({ type: 'refused', class: reasonClass, code }) // prettier-ignore
})

describe('what is done beside speaking', () => {
  const act = (type: Type, more: Partial<OutboundAct>) =>
    connector(type).act?.(access(type), { what: 'seen', thread: 'direct', targetExternalId: undefined, contactExternalId: people[type].id, emoji: undefined, ...more }, signal) // prettier-ignore

  test.each([
    ['facebook', '😮', '😮'],
    ['instagram', '😮', '❤️'],
    ['whatsapp', '😮', '😮'],
  ] as const)('%s: reactions, typing, seen', async (type, emoji, shown) => {
    // prettier-ignore
    const { external_id: id } = await customer(type, { text: 'Look at that' })
    const target = { targetExternalId: String(id) }
    expect(await act(type, { what: 'react', emoji, ...target })).toEqual({ type: 'done' })
    expect(await act(type, { what: 'react', emoji, ...target })).toEqual({ type: 'done' })
    const { items } = (await control('GET', `ledger?channel=${ids[type]}`)) as {
      items: { external_id: string; marks?: object }[]
    }
    expect(items.find((one) => one.external_id === id)?.marks).toEqual({ reactions: { channel: shown } })
    expect(await act(type, { what: 'unreact', ...target })).toEqual({ type: 'done' })
    expect(await act(type, { what: 'typing', ...target })).toEqual({ type: 'done' })
    expect(await act(type, { what: 'seen', ...target })).toEqual({ type: 'done' })
    const done = (await acts(type)).map(({ what }) => what)
    // WhatsApp cannot show typing without having seen.
    expect(done).toEqual([
      'react',
      'react',
      'unreact',
      ...(type === 'whatsapp' ? ['seen', 'typing', 'seen'] : ['typing', 'seen']),
    ])
    expect((await acts(type)).every(({ person }) => person === people[type].id)).toBe(true)
  })

  test.each([
    ['facebook', ['hide', 'unhide', 'like', 'unlike', 'delete']],
    ['instagram', ['hide', 'unhide', 'delete']],
  ] as const)('%s: %j of a comment', async (type, all) => {
    // prettier-ignore
    const { external_id: id } = await customer(type, { kind: 'comment', text: 'Rude words' })
    for (const what of all) expect(await act(type, { what, thread: 'public', targetExternalId: String(id) })).toEqual({ type: 'done' }) // prettier-ignore
    expect((await acts(type)).map(({ what }) => what)).toEqual(all)
    if (type === 'facebook') {
      await came('hide', (event) => event.isHidden)
      await came('delete', (event) => event.externalId === id)
    }
    // It is gone now.
    expect(await act(type, { what: 'hide', thread: 'public', targetExternalId: String(id) })).toMatchObject({ type: 'refused', class: 'content', code: '100/33' }) // prettier-ignore
    expect(await send(type, { kind: 'comment', inReplyTo: String(id) })).toMatchObject({ type: 'refused', class: 'content', code: '100/33' }) // prettier-ignore
  })

  test('a hidden comment of Instagram is not answered', async () => {
    const { external_id: id } = await customer('instagram', { kind: 'comment', text: 'Rude words' })
    await act('instagram', { what: 'hide', targetExternalId: String(id) })
    expect(await send('instagram', { kind: 'comment', inReplyTo: String(id) })).toMatchObject({ type: 'refused', class: 'content' }) // prettier-ignore
  })

  test.each([
    ['facebook', { what: 'react' }, 'content'],
    ['facebook', { what: 'react', targetExternalId: 'm_nothing' }, 'content'],
    ['facebook', { what: 'typing', contactExternalId: '7' }, 'recipient'],
    ['facebook', { what: 'seen', contactExternalId: undefined }, 'recipient'],
    ['facebook', { what: 'like', targetExternalId: '1_2' }, 'content'],
    ['instagram', { what: 'like', targetExternalId: '1' }, 'content'],
    ['instagram', { what: 'delete' }, 'content'],
    ['whatsapp', { what: 'typing' }, 'content'],
    ['whatsapp', { what: 'hide', targetExternalId: 'wamid.1' }, 'content'],
    ['whatsapp', { what: 'react', targetExternalId: 'wamid.1' }, 'content'],
  ] as const)('%s refuses %j', async (type, more, reasonClass) => {
    // prettier-ignore
    await customer(type, { text: 'Hello' })
    expect(await act(type, more)).toMatchObject({ type: 'refused', class: reasonClass })
  })
})
