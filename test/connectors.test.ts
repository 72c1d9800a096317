/** Conformance: what networks send, and what we take it to mean. The bodies lie beside their connectors. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { networks } from '../messaging/connectors/registry.ts'
import type { ParsedItem } from '../messaging/connectors/connector.ts'
import type { NetworkName } from '../storage/model/words.ts'

const page = '1122334455'
const ana = '7100000000000001'
const direct = { kind: 'direct', personId: ana }
const at = (iso: string): Date => new Date(iso)
const message = {
  type: 'message',
  kind: 'message',
  from: { externalId: ana },
  thread: direct,
  occurredAt: at('2025-11-20T09:59:59.000Z'),
}
const kept = { type: 'kept' }
const comment = {
  type: 'message',
  kind: 'comment',
  from: { externalId: ana, name: 'Ana Duarte' },
  occurredAt: at('2025-11-20T09:59:50.000Z'),
}
const top = { kind: 'public', rootId: '9_10', parentId: `${page}_9`, postId: `${page}_9` }

/** Name, network, fixture, and of each item the event (only what is told must fit). */
// prettier-ignore
const rows: readonly (readonly [string, NetworkName, string, readonly object[]])[] = [
  ['a text', 'meta', 'text', [{ ...message, externalId: 'm_text', text: 'Is the 9:40 still running? 🚆', attachments: [] }]],
  ['an answer to a message', 'meta', 'text-in-reply', [{ ...message, externalId: 'm_reply', inReplyTo: 'm_text' }]],
  ['a quick reply with text is a message', 'meta', 'quick-reply', [{ ...message, externalId: 'm_quick', text: 'Yes please', extra: { quick_reply: 'YES' } }]],
  ['a pressed button', 'meta', 'postback', [{ ...message, kind: 'interaction', externalId: 'm_post', text: 'Get started', extra: { payload: 'START' } }]],
  ['attachments of several kinds', 'meta', 'attachments', [{ ...message, text: 'Look', attachments: [
    { kind: 'image', url: 'https://cdn.example/1.jpg' }, { kind: 'file', url: 'https://cdn.example/ticket.pdf', title: 'ticket.pdf' },
    { kind: 'share', url: 'https://example.org/a', title: 'A link' }, { kind: 'other' } ] }]],
  ['a sticker that comes twice', 'meta', 'sticker-twice', [{ ...message, text: undefined, attachments: [{ kind: 'sticker', url: 'https://cdn.example/s.png', externalId: '369239263222822' }] }]],
  ['a location', 'meta', 'location', [{ ...message, attachments: [{ kind: 'location' }], extra: { coordinates: { lat: 38.7, long: -9.1 } } }]],
  ['an echo of ours', 'meta', 'echo', [{ type: 'echo', kind: 'reply', externalId: 'm_echo', reference: 'delivery-1', to: { externalId: ana }, thread: direct, text: 'Yes, platform 3' }]],
  ['an echo with the sides reversed', 'meta', 'echo-reversed', [{ type: 'echo', externalId: 'm_echo2', to: { externalId: ana }, thread: direct }]],
  ['an edit', 'meta', 'edit', [{ type: 'edit', externalId: 'm_text', text: 'Is the 9:50 still running?' }]],
  ['an unsent message', 'meta', 'unsent', [{ type: 'delete', externalId: 'm_text' }]],
  ['a reaction and its taking back', 'meta', 'reactions', [{ type: 'reaction', externalId: 'm_echo', emoji: '❤️', from: { externalId: ana } }, { type: 'reaction', externalId: 'm_echo', emoji: undefined }]],
  ['delivered and read', 'meta', 'receipts', [
    { type: 'receipt', state: 'delivered', person: { externalId: ana }, ids: ['m_echo'], upTo: at('2025-11-20T10:00:01.500Z') },
    { type: 'receipt', state: 'read', person: { externalId: ana }, upTo: at('2025-11-20T10:00:01.900Z') } ]],
  ['broken items cost no good one', 'meta', 'broken-among-good', [kept, kept, kept, kept, kept, kept, kept, kept, { ...message, externalId: 'm_good', text: 'still here' }, kept, kept]],
  ['numbers for ids and texts for times', 'meta', 'numbers-and-strings', [{ ...message, externalId: 'm_num' }]],
  ['two pages in one body, one item on standby', 'meta', 'two-pages-standby', [
    { ...message, externalId: 'm_1' }, { ...message, externalId: 'm_2', extra: { standby: true } }, { type: 'message', externalId: 'm_3', from: { externalId: '8' } } ]],
  ['a test from the dashboard', 'meta', 'dashboard-test', [kept]],
  ['another object', 'meta', 'other-objects', [kept]],
  ['no JSON', 'meta', 'not-json', [kept]],
  ['a comment', 'meta', 'comment', [{ ...comment, externalId: '9_10', thread: top, text: 'How much is it?' }]],
  ['an answer to a comment', 'meta', 'comment-answer', [{ ...comment, externalId: '9_12', inReplyTo: '9_10', thread: { kind: 'public', rootId: '9_10', parentId: '9_10', postId: `${page}_9` } }]],
  ['a comment by the page', 'meta', 'comment-own', [{ type: 'echo', kind: 'comment', externalId: '9_11', inReplyTo: '9_10', to: undefined, text: 'From 12 €' }]],
  ['edited, hidden, shown again, removed', 'meta', 'comment-changes', [
    { type: 'edit', externalId: '9_10', text: 'How much is it now?' }, { type: 'hide', externalId: '9_10', isHidden: true }, { type: 'hide', isHidden: false }, { type: 'delete', externalId: '9_10' } ]],
  ['a comment whose author is withheld', 'meta', 'comment-withheld', [{ ...comment, externalId: '9_10', from: { externalId: 'withheld:9_10', name: 'Someone on Facebook' } }]],
  ['an author in the older fields, with a photo', 'meta', 'comment-old-author', [{ ...comment, attachments: [{ kind: 'image', url: 'https://cdn.example/c.jpg' }] }]],
  ['posts: ours, a visitor’s, one not published', 'meta', 'posts', [
    { type: 'post', externalId: `${page}_9`, text: 'We sail again', permalink: 'https://facebook.example/9' },
    { type: 'message', kind: 'post', externalId: `${page}_20`, thread: { kind: 'public', rootId: `${page}_20` }, text: 'You left my bag behind' }, kept ]],
  ['reactions to a comment and to a post', 'meta', 'comment-reactions', [{ type: 'reaction', externalId: '9_10', emoji: '😆' }, { type: 'reaction', emoji: undefined }, kept]],
  ['a mention', 'meta', 'mention', [{ type: 'message', kind: 'mention', externalId: '1_2', text: 'Ask Harbour', thread: { kind: 'public', rootId: '1_2', postId: '55_1' } }]],
  ['a lead, and changes that say nothing', 'meta', 'other-fields', [{ type: 'notice', code: 'lead' }, kept, kept, kept]],
]

const read = (network: NetworkName, fixture: string): ParsedItem[] =>
  networks[network].parse(
    readFileSync(
      new URL(
        `../messaging/connectors/${network === 'meta' ? 'facebook' : 'x'}/fixtures/${fixture}.json`,
        import.meta.url,
      ),
    ),
  )

test.each(rows)('%s (%s)', (_name, network, fixture, expected) => {
  expect(read(network, fixture).map((item) => item.event)).toMatchObject(expected)
})

test('every item names its place and its channel', () => {
  expect(
    read('meta', 'two-pages-standby').map(({ at: place, channelType, channelExternalId }) => [
      place,
      channelType,
      channelExternalId,
    ]),
  ).toEqual([
    ['entry.0.messaging.0', 'facebook', page],
    ['entry.0.standby.0', 'facebook', page],
    ['entry.1.messaging.0', 'facebook', '66'],
  ])
  expect(read('meta', 'dashboard-test')[0]?.channelExternalId).toBeUndefined()
})
