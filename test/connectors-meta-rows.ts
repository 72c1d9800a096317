/** Rows of the conformance table: what (as in the written list), fixture, and of each item the event (what is told must fit). */
import { expect } from 'vitest'

export type Row = readonly [what: string, fixture: string, expected: readonly object[]]

const at = (iso: string): Date => new Date(iso)
const kept = { type: 'kept' }
const keptAs = (reason: RegExp): object => ({ type: 'kept', reason: expect.stringMatching(reason) as unknown })

const page = '1122334455'
const ana = '7100000000000001'
const direct = { kind: 'direct', personId: ana }
const message = {
  type: 'message',
  kind: 'message',
  from: { externalId: ana },
  thread: direct,
  occurredAt: at('2025-11-20T09:59:59.000Z'),
}
const pressed = { ...message, kind: 'interaction' }
const comment = {
  type: 'message',
  kind: 'comment',
  from: { externalId: ana, name: 'Ana Duarte' },
  occurredAt: at('2025-11-20T09:59:50.000Z'),
}
const visit = { type: 'message', kind: 'post', from: { externalId: ana, name: 'Ana Duarte' } }
const top = { kind: 'public', rootId: '9_10', parentId: `${page}_9`, postId: `${page}_9` }

// prettier-ignore
export const facebookRows: readonly Row[] = [
  ['Messenger: text', 'text', [{ ...message, externalId: 'm_text', text: 'Is the 9:40 still running? 🚆', attachments: [] }]],
  ['Messenger: text', 'text-in-reply', [{ ...message, externalId: 'm_reply', inReplyTo: 'm_text' }]],
  ['Messenger: picture, video, audio, file, animation', 'media-kinds', [{ ...message, attachments: [
    { kind: 'image', url: 'https://cdn.example/1.jpg' }, { kind: 'video', url: 'https://cdn.example/2.mp4' }, { kind: 'audio' }, { kind: 'file' }, { kind: 'image', url: 'https://cdn.example/5.gif' } ] }]],
  ['Messenger: picture, video, audio, file, animation', 'attachments', [{ ...message, text: 'Look', attachments: [
    { kind: 'image', url: 'https://cdn.example/1.jpg' }, { kind: 'file', url: 'https://cdn.example/ticket.pdf', title: 'ticket.pdf' },
    { kind: 'share', title: 'A link', link: 'https://example.org/a' }, { kind: 'other' } ] }]],
  ['Messenger: sticker', 'sticker-twice', [{ ...message, text: undefined, attachments: [{ kind: 'sticker', url: 'https://cdn.example/s.png', externalId: '369239263222822' }] }]],
  ['Messenger: sticker', 'sticker-new', [{ ...message, attachments: [{ kind: 'sticker', url: 'https://cdn.example/s.png', externalId: '369239263222822' }] }]],
  ['Messenger: shared link', 'fallback-shares', [{ ...message, attachments: [
    { kind: 'share', title: 'A link', link: 'https://example.org/a' }, { kind: 'share', link: 'https://example.org/b' }, { kind: 'share', title: 'C', link: 'https://example.org/c' } ] }]],
  ['Messenger: template', 'templates', [
    { ...message, attachments: [{ kind: 'share', text: 'Which ferry?' }] }, { ...message, attachments: [{ kind: 'share', text: 'Deck chair: 12 €' }] }, { ...message, attachments: [{ kind: 'share', text: 'One: first\nTwo' }] } ]],
  ['Messenger: reel, post', 'reels-and-posts', [{ ...message, attachments: [
    { kind: 'share', title: 'On deck', link: 'https://cdn.example/r.mp4' }, { kind: 'share', url: 'https://cdn.example/i.mp4', externalId: '902' }, { kind: 'share', title: 'We sail', link: 'https://www.facebook.com/9' } ] }]],
  ['Messenger: location', 'location', [{ ...message, attachments: [{ kind: 'location', text: '38.7, -9.1' }], extra: { coordinates: { lat: 38.7, long: -9.1 } } }]],
  ['Messenger: appointment and unknown kinds of attachment', 'appointment', [{ ...message, attachments: [{ kind: 'other', title: 'An appointment' }] }]],
  ['Messenger: command, referral beside a message', 'commands-and-referral', [{ ...message, text: '/price', extra: { commands: [{ name: 'price' }], referral: { ref: 'summer' } } }]],
  ['Messenger: reply to a story', 'story-reply', [{ ...message, text: 'Nice!', extra: { story: { id: '88' } } }]],
  ['Messenger: content withheld from apps (is_unsupported)', 'unsupported', [{ ...message, text: undefined, extra: { is_unsupported: true } }]],
  ['Messenger: quick reply', 'quick-reply', [{ ...message, externalId: 'm_quick', text: 'Yes please', extra: { quick_reply: 'YES' } }]],
  ['Messenger: quick reply', 'quick-reply-alone', [{ ...pressed, externalId: 'm_q2', extra: { quick_reply: 'NO' } }]],
  ['Messenger: button pressed (postback)', 'postback', [{ ...pressed, externalId: 'm_post', text: 'Get started', extra: { payload: 'START' } }]],
  ['Messenger: button pressed (postback)', 'postback-without-id', [{ ...pressed, externalId: expect.stringMatching(/^postback:[0-9a-f]{32}$/) as unknown, text: 'Talk to us', extra: { referral: { source: 'ADS' } } }]],
  ['Messenger: came by a link or an advertisement (referral)', 'referral', [
    { ...pressed, attachments: [{ title: 'Came by a link', text: 'summer' }], extra: { referral: { source: 'SHORTLINK' } } }, { ...pressed, attachments: [{ text: 'Night ferry' }] } ]],
  ['Messenger: opt-in', 'optins', [{ ...pressed, attachments: [{ title: 'Opted in', text: 'Timetable news' }] }, keptAs(/checkbox/)]],
  ['Messenger: edit', 'edit', [{ type: 'edit', externalId: 'm_text', text: 'Is the 9:50 still running?', number: 1 }]],
  ['Messenger: edit', 'edit-without-text', [keptAs(/without a text/)]],
  ['Messenger: message withdrawn (is_deleted)', 'unsent', [{ type: 'delete', externalId: 'm_text' }]],
  ['Messenger: reaction', 'reactions', [{ type: 'reaction', externalId: 'm_echo', emoji: '❤️', from: { externalId: ana } }, { type: 'reaction', externalId: 'm_echo', emoji: undefined }]],
  ['Messenger: reaction', 'reaction-own', [keptAs(/our own reaction/)]],
  ['Messenger: delivered, read', 'receipts', [
    { type: 'receipt', state: 'delivered', person: { externalId: ana }, ids: ['m_echo'], upTo: at('2025-11-20T10:00:01.500Z') },
    { type: 'receipt', state: 'read', person: { externalId: ana }, upTo: at('2025-11-20T10:00:01.900Z') } ]],
  ['Messenger: echo', 'echo', [{ type: 'echo', kind: 'reply', externalId: 'm_echo', reference: 'delivery-1', to: { externalId: ana }, thread: direct, text: 'Yes, platform 3' }]],
  ['Messenger: echo', 'echo-reversed', [{ type: 'echo', externalId: 'm_echo2', to: { externalId: ana }, thread: direct }]],
  ['Messenger: echo', 'own-without-mark', [{ type: 'echo', externalId: 'm_own', to: { externalId: ana }, thread: direct }]],
  ['Messenger: standby', 'standby', [{ ...message, externalId: 'm_sb', extra: { standby: true } }]],
  ['Messenger: standby', 'postback-standby', [{ ...pressed, externalId: 'm_p2', extra: { standby: true } }]],
  ['Messenger: hand-over between apps', 'hand-over', [keptAs(/handed over \(app 123456789\)/), keptAs(/took/), keptAs(/asks/), keptAs(/roles/)]],
  ['Messenger: policy enforcement', 'policy', [
    { type: 'notice', code: 'policy_block', state: 'degraded', text: expect.stringContaining('Platform Policies') as unknown },
    { type: 'notice', code: 'policy_warning', text: expect.stringContaining('Too many messages') as unknown }, { type: 'notice', code: 'policy_unblock', state: 'connected' } ]],
  ['Messenger: linked accounts, requests, games, feedback', 'other-signals', [keptAs(/linked/), keptAs(/game/), keptAs(/before/), keptAs(/feedback/)]],
  ['Feed: comment', 'comment', [{ ...comment, externalId: '9_10', thread: top, text: 'How much is it?' }]],
  ['Feed: comment', 'comment-own', [{ type: 'echo', kind: 'comment', externalId: '9_11', inReplyTo: '9_10', to: undefined, text: 'From 12 €' }]],
  ['Feed: comment', 'comment-withheld', [{ ...comment, externalId: '9_10', from: { externalId: 'withheld:9_10', name: 'Someone on Facebook' } }]],
  ['Feed: comment', 'comment-old-author', [{ ...comment, attachments: [{ kind: 'image', url: 'https://cdn.example/c.jpg' }] }]],
  ['Feed: answer to a comment', 'comment-answer', [{ ...comment, externalId: '9_12', inReplyTo: '9_10', thread: { kind: 'public', rootId: '9_10', parentId: '9_10', postId: `${page}_9` } }]],
  ['Feed: comment edited, hidden, shown again, removed', 'comment-changes', [
    { type: 'edit', externalId: '9_10', text: 'How much is it now?' }, { type: 'hide', externalId: '9_10', isHidden: true }, { type: 'hide', isHidden: false }, { type: 'delete', externalId: '9_10' } ]],
  ['Feed: comment edited, hidden, shown again, removed', 'comment-edit-short', [{ type: 'edit', externalId: '9_10', text: 'How much?' }, { type: 'delete', externalId: '9_10' }]],
  ['Feed: post by a visitor', 'posts', [
    { type: 'post', externalId: `${page}_9`, text: 'We sail again', permalink: 'https://facebook.example/9' },
    { ...visit, externalId: `${page}_20`, thread: { kind: 'public', rootId: `${page}_20` }, text: 'You left my bag behind' }, kept ]],
  ['Feed: photo, video, link, photos by a visitor', 'visitor-media', [
    { ...visit, externalId: `${page}_31`, attachments: [{ kind: 'image', url: 'https://cdn.example/p.jpg' }] }, { ...visit, attachments: [{ kind: 'video', url: 'https://cdn.example/v.mp4' }] },
    { ...visit, attachments: [{ kind: 'share', title: 'https://example.org/news' }] }, { ...visit, attachments: [{ kind: 'image' }, { kind: 'image', url: 'https://cdn.example/b.jpg' }] } ]],
  ['Feed: post, photo, video by the Page', 'page-media', [{ type: 'post', externalId: `${page}_41`, text: 'New deck' }, { type: 'post', externalId: `${page}_42` }, keptAs(/without an id/), keptAs(/without an id/)]],
  ['Feed: post edited, hidden, shown again, removed', 'post-changes', [
    { type: 'edit', externalId: `${page}_20`, text: 'My red bag' }, { type: 'hide', externalId: `${page}_20`, isHidden: true }, { type: 'hide', isHidden: false }, { type: 'delete', externalId: `${page}_20` }, { type: 'edit', externalId: `${page}_9` } ]],
  ['Feed: reaction to a comment or a post', 'comment-reactions', [{ type: 'reaction', externalId: '9_10', emoji: '😆' }, { type: 'reaction', emoji: undefined }, { type: 'reaction', externalId: '1122334455_9', emoji: '👍' }]],
  ['Feed: likes of the Page, follows, mutes, live videos', 'feed-kept', [keptAs(/like of the page/), { type: 'reaction', externalId: '1122334455_9', emoji: '❤️' }, keptAs(/mute/), keptAs(/follow/), keptAs(/without an id/), keptAs(/live_videos/)]],
  ['Mention of the Page', 'mention', [{ type: 'message', kind: 'mention', externalId: '1_2', text: 'Ask Harbour', thread: { kind: 'public', rootId: '1_2', postId: '55_1' } }]],
  ['Mention of the Page', 'mention-changes', [{ type: 'message', kind: 'mention', externalId: '55_1', from: { externalId: ana } }, { type: 'edit', externalId: '1_2', text: 'Ask Harbour now' }, { type: 'delete', externalId: '1_2' }]],
  ['Recommendation (ratings)', 'ratings', [
    { ...visit, externalId: '5501', text: 'Always on time', thread: { kind: 'public', rootId: '5501', postId: '5501' }, extra: { rating: 5, recommendation: 'POSITIVE' } },
    { type: 'edit', externalId: '5501', text: 'Mostly on time' }, { type: 'echo', kind: 'comment', externalId: '5501_1', thread: { postId: '5501' } }, { type: 'delete', externalId: '5501' } ]],
  ['Lead form (leadgen)', 'leadgen', [{ type: 'notice', code: 'lead', text: expect.stringContaining('444444444444') as unknown }]],
  ['Lead form (leadgen)', 'other-fields', [{ type: 'notice', code: 'lead' }, kept, kept, kept]],
  ['Names of changed fields only', 'changed-fields', [{ type: 'notice', code: 'values_not_included', state: 'degraded' }]],
  ['Permission withdrawn (object permissions)', 'permission-withdrawn', [{ type: 'notice', code: 'permission_revoked', state: 'degraded' }, keptAs(/email was changed: granted/)]],
  ['Permission withdrawn (object permissions)', 'other-objects', [keptAs(/connected/)]],
  ['Objects user and unknown', 'user-object', [keptAs(/picture/)]],
  ['Test from the dashboard', 'dashboard-test', [keptAs(/^test received/)]],
  ['Messenger item as a change', 'message-as-change', [{ ...message, externalId: 'm_chg', text: 'sample' }]],
  ['Broken items, no JSON', 'broken-among-good', [kept, kept, kept, kept, kept, kept, kept, kept, { ...message, externalId: 'm_good', text: 'still here' }, kept, kept]],
  ['Broken items, no JSON', 'not-json', [kept]],
  ['Several pages in one body, ids as numbers, times as text', 'two-pages-standby', [
    { ...message, externalId: 'm_1' }, { ...message, externalId: 'm_2', extra: { standby: true } }, { type: 'message', externalId: 'm_3', from: { externalId: '8' } } ]],
  ['Several pages in one body, ids as numbers, times as text', 'numbers-and-strings', [{ ...message, externalId: 'm_num' }]],
]

const mia = '990000000000001'
const dm = { ...message, from: { externalId: mia }, thread: { kind: 'direct', personId: mia } }
const onPost = {
  type: 'message',
  kind: 'comment',
  from: { externalId: mia, handle: 'mia.sato' },
  occurredAt: at('2025-11-20T10:00:00.000Z'),
}

// prettier-ignore
export const instagramRows: readonly Row[] = [
  ['Direct message: text', 'text', [{ ...dm, externalId: 'i_text', text: 'Is the café open? ☕' }]],
  ['Direct message: text', 'reply', [{ ...dm, externalId: 'i_rep', inReplyTo: 'i_text' }]],
  ['Direct message: picture, video, audio, file', 'media', [{ ...dm, attachments: [{ kind: 'image' }, { kind: 'video' }, { kind: 'audio' }, { kind: 'file', url: 'https://cdn.example/4.pdf' }] }]],
  ['Direct message: reply to a story', 'story-reply', [{ ...dm, text: 'Wow', attachments: [], extra: { story: { id: '88' } } }]],
  ['Direct message: mention in a story', 'story-mention', [{ ...dm, attachments: [{ kind: 'share', title: 'Mentioned you in a story', url: 'https://cdn.example/mention.jpg', keepUntil: at('2025-11-21T09:59:59.000Z') }], extra: { is_story_mention: true } }]],
  ['Direct message: shared post', 'share-and-post', [{ ...dm, attachments: [{ kind: 'share', title: 'A post', externalId: '1800' }] }]],
  ['Direct message: shared post', 'share-alone', [{ ...dm, attachments: [{ kind: 'share', url: 'https://cdn.example/p.jpg' }] }]],
  ['Direct message: reel, story, template', 'reel', [{ ...dm, attachments: [{ kind: 'share', title: 'A reel', externalId: '1900' }] }]],
  ['Direct message: reel, story, template', 'story-shared', [{ ...dm, attachments: [{ kind: 'share', title: 'A story', url: 'https://cdn.example/st.jpg', keepUntil: at('2025-11-21T09:59:59.000Z') }] }]],
  ['Direct message: reel, story, template', 'template', [{ ...dm, attachments: [{ kind: 'share', text: 'Deck chair: 12 €' }] }]],
  ['Direct message: disappearing picture', 'ephemeral', [{ ...dm, attachments: [{ kind: 'other', title: expect.stringContaining('once') as unknown }], extra: { is_unsupported: true } }]],
  ['Direct message: heart', 'like-heart', [{ ...dm, attachments: [{ kind: 'other', title: '❤️' }] }]],
  ['Direct message: content withheld from apps', 'unsupported', [{ ...dm, attachments: [{ kind: 'other' }], extra: { is_unsupported: true } }, { ...dm, attachments: [], extra: { is_unsupported: true } }]],
  ['Direct message: quick reply', 'quick-reply', [{ ...dm, text: 'Table for two', extra: { quick_reply: 'TWO' } }]],
  ['Button or ice breaker pressed (postback)', 'postback', [{ ...dm, kind: 'interaction', externalId: 'i_pb', text: 'Opening hours?' }]],
  ['Came by a link (referral)', 'referral', [{ ...dm, kind: 'interaction', attachments: [{ title: 'Came by a link', text: 'poster' }] }]],
  ['Echo', 'echo', [{ type: 'echo', kind: 'reply', externalId: 'i_echo', to: { externalId: mia }, thread: { kind: 'direct', personId: mia } }]],
  ['Message withdrawn', 'unsent', [{ type: 'delete', externalId: 'i_text' }]],
  ['Message edited', 'edit', [{ type: 'edit', externalId: 'i_text', text: 'Is the bar open?', number: 1 }]],
  ['Message seen', 'seen', [{ type: 'receipt', state: 'read', ids: ['i_echo'], person: { externalId: mia } }]],
  ['Reaction', 'reactions', [{ type: 'reaction', externalId: 'i_echo', emoji: '❤️', from: { externalId: mia } }, { type: 'reaction', emoji: undefined }]],
  ['Standby', 'standby', [{ ...dm, extra: { standby: true } }]],
  ['Hand-over between apps', 'hand-over', [keptAs(/hand-over/)]],
  ['Comment', 'comment', [{ ...onPost, externalId: '1701', text: 'Lovely!', thread: { kind: 'public', rootId: '1701', parentId: '1800', postId: '1800' } }]],
  ['Comment', 'comment-own', [{ type: 'echo', kind: 'comment', externalId: '1703', inReplyTo: '1701', to: undefined }, { type: 'echo', kind: 'comment', externalId: '1704' }]],
  ['Comment', 'comment-withheld', [{ ...onPost, from: { externalId: 'withheld:1705', name: 'Someone on Instagram' } }]],
  ['Answer to a comment', 'comment-reply', [{ ...onPost, externalId: '1702', inReplyTo: '1701', thread: { kind: 'public', rootId: '1701', parentId: '1701', postId: '1800' } }]],
  ['Comment on a live video', 'live-comment', [{ ...onPost, externalId: '1706', extra: { is_live: true, media_product_type: 'LIVE' } }]],
  ['Mention in a comment or caption', 'mentions', [
    { type: 'message', kind: 'mention', externalId: '1707', from: { externalId: 'mention:comment:1707' }, thread: { kind: 'public', rootId: '1707', postId: '1850' }, extra: { media_id: '1850', comment_id: '1707' } },
    { type: 'message', kind: 'mention', externalId: '1851', from: { externalId: 'mention:media:1851' } } ]],
  ['Figures of a story', 'story-insights', [keptAs(/story/)]],
  ['List at the top, field and value in the entry, messages as changes', 'list-at-the-top', [{ ...onPost, externalId: '1708' }]],
  ['List at the top, field and value in the entry, messages as changes', 'field-in-entry', [{ ...onPost, externalId: '1709' }]],
  ['List at the top, field and value in the entry, messages as changes', 'message-as-change', [{ ...dm, externalId: 'i_chg' }]],
  ['Test from the dashboard', 'dashboard-test', [keptAs(/^test received/)]],
  ['Broken items', 'broken-among-good', [kept, kept, kept, { type: 'message', externalId: 'i_good', text: 'here' }, kept, kept, kept, kept]],
]

const joe = '16505551234'
const wa = { ...message, from: { externalId: joe, name: 'Joe Kim' }, thread: { kind: 'direct', personId: joe } }
const sha256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
const receipt = { type: 'receipt', ids: ['wamid.OURS'], reference: 'delivery-1', person: { externalId: joe } }
const failed = (reasonClass: string): object => ({ ...receipt, state: 'failed', refusal: { class: reasonClass } })
const notice = (code: string, text: RegExp, state?: string): object => ({
  type: 'notice',
  code,
  text: expect.stringMatching(text) as unknown,
  ...(state === undefined ? {} : { state }),
})

// prettier-ignore
export const whatsappRows: readonly Row[] = [
  ['Text', 'text', [{ ...wa, externalId: 'wamid.A', text: 'Is my parcel there? 📦', attachments: [] }]],
  ['Text', 'several', [{ ...wa, text: 'one' }, { ...wa, text: 'two' }]],
  ['Picture, video, audio, voice, document, sticker', 'media', [
    { ...wa, text: 'Broken', attachments: [{ kind: 'image', externalId: 'm1', contentType: 'image/jpeg', sha256 }] }, { ...wa, text: undefined, attachments: [{ kind: 'video', externalId: 'm2' }] },
    { ...wa, attachments: [{ kind: 'audio', externalId: 'm3' }], extra: { is_voice: true } }, { ...wa, text: 'My ticket', attachments: [{ kind: 'file', title: 'ticket.pdf' }] },
    { ...wa, attachments: [{ kind: 'sticker', externalId: 'm5' }] }, { ...wa, attachments: [{ kind: 'audio', externalId: 'm6' }] } ]],
  ['Location', 'location', [{ ...wa, attachments: [{ kind: 'location', title: 'Cais do Sodré', text: 'Lisbon' }], extra: { coordinates: { lat: 38.7, long: -9.1 } } }, { ...wa, attachments: [{ kind: 'location', text: '38.7, -9.1' }] }]],
  ['Contact cards', 'contacts', [{ ...wa, attachments: [{ kind: 'other', title: 'Ana Duarte', text: '+351 900 000 000\nana@example.org' }] }]],
  ['Order from the catalogue', 'order', [{ ...wa, text: 'Please today', attachments: [{ title: 'An order', text: '2 × SKU1 at 12.5 EUR\n1 × SKU2' }], extra: { order: { catalog_id: '9' } } }]],
  ['Button of a template', 'button', [{ ...wa, kind: 'interaction', text: 'Yes', inReplyTo: 'wamid.OURS', extra: { payload: 'YES-1' } }]],
  ['Reply button, list, form, permission to call', 'interactive', [
    { ...wa, kind: 'interaction', text: 'Confirm', extra: { payload: 'b1' } }, { ...wa, kind: 'interaction', text: 'Friday', extra: { payload: 'l1', description: '21:40' } },
    { ...wa, kind: 'interaction', text: 'Sent', extra: { form: 'flow', response: { seat: '12A' } } }, { ...wa, kind: 'interaction', attachments: [{ title: 'May be called' }] } ]],
  ['Reaction', 'reactions', [{ type: 'reaction', externalId: 'wamid.OURS', emoji: '👍', from: { externalId: joe } }, { type: 'reaction', emoji: undefined }, { type: 'reaction', emoji: undefined }]],
  ['Edit, withdrawal', 'edit-and-revoke', [{ type: 'edit', externalId: 'wamid.A', text: 'Is my letter there?' }, { type: 'edit', externalId: 'wamid.1', text: 'Really broken' }, { type: 'delete', externalId: 'wamid.A' }]],
  ['Changed number or user id (system)', 'system', [
    { type: 'person_changed', was: { externalId: joe }, is: { externalId: '16505559999' } }, { type: 'person_changed', is: { externalId: '16505559999' } },
    { type: 'person_changed', was: { externalId: 'US.1' }, is: { externalId: 'US.2' } }, keptAs(/Identity changed/) ]],
  ['Unsupported and unknown types', 'unsupported', [
    { ...wa, attachments: [{ kind: 'other', text: 'Message type unknown' }], extra: { is_unsupported: true, error_code: '131051' } }, { ...wa, extra: { is_unsupported: true } }, { ...wa, extra: { type: 'poll_creation' } } ]],
  ['Chat opened for the first time (request_welcome)', 'request-welcome', [{ ...wa, kind: 'interaction', attachments: [{ title: 'Opened the chat' }] }]],
  ['Answer, forwarded message, question about a product', 'context', [{ ...wa, inReplyTo: 'wamid.OURS' }, { ...wa, extra: { forwarded: true } }, { ...wa, extra: { forwarded: true } }, { ...wa, extra: { referred_product: { product_retailer_id: 'SKU1' } } }]],
  ['Came by an advertisement (referral)', 'referral', [{ ...wa, text: 'Hello', extra: { referral: { ctwa_clid: 'abc' } } }]],
  ['Message in a group', 'group', [{ ...wa, from: { externalId: 'group:G-77' }, thread: { kind: 'direct', personId: 'group:G-77' }, extra: { group_author: { externalId: joe, name: 'Joe Kim' } } }]],
  ['Person without a number (user id only)', 'user-id-only', [{ ...wa, from: { externalId: 'US.13491208655302741918', name: 'Li Wei', handle: 'liwei' }, thread: { kind: 'direct', personId: 'US.13491208655302741918' } }]],
  ['Status: sent, delivered, read, played', 'statuses', [
    { ...receipt, state: 'sent' }, { ...receipt, state: 'delivered' }, { ...receipt, state: 'read' }, { ...receipt, state: 'read' },
    { ...receipt, state: 'failed', refusal: { class: 'window', code: '131047', reason: 'More than 24 hours have passed.' } }, { type: 'delete', externalId: 'wamid.OURS' }, keptAs(/warning/) ]],
  ['Status: failed', 'status-failures', [failed('recipient'), failed('policy'), failed('policy'), failed('policy'), { type: 'receipt', state: 'delivered', person: { externalId: 'US.9' } }]],
  ['Status: deleted and others', 'status-deleted', [{ type: 'delete', externalId: 'wamid.OURS' }, keptAs(/unheard_of/)]],
  ['Sent in the WhatsApp Business app (smb_message_echoes)', 'app-echo', [{ type: 'echo', kind: 'reply', externalId: 'wamid.APP', to: { externalId: joe }, thread: { personId: joe }, text: 'From the app' }, { type: 'delete', externalId: 'wamid.APP' }]],
  ['Sent in the WhatsApp Business app (smb_message_echoes)', 'own-as-message', [{ type: 'echo', externalId: 'wamid.OWN', to: { externalId: joe } }]],
  ['History of the WhatsApp Business app', 'history', [
    { type: 'message', externalId: 'wamid.H1', from: { externalId: joe }, text: 'Long ago', occurredAt: at('2025-11-13T11:19:59.000Z') }, { type: 'echo', externalId: 'wamid.H2', to: { externalId: joe } }, keptAs(/history/) ]],
  ['Address book of the app (smb_app_state_sync)', 'app-state', [keptAs(/address book/)]],
  ['Templates: state, quality, content, category', 'template-status', [notice('message_template_status_update', /REJECTED, ferry_news, en_US, INVALID_FORMAT/)]],
  ['Templates: state, quality, content, category', 'template-others', [notice('message_template_quality_update', /GREEN, YELLOW/), notice('message_template_components_update', /ferry_news/), notice('template_category_update', /UTILITY, MARKETING/)]],
  ['Account: restriction, alert, review, capability', 'account', [
    notice('account_update', /ACCOUNT_RESTRICTION/, 'degraded'), notice('account_update', /PARTNER_REMOVED/, 'reconnect_needed'), notice('account_alerts', /Deferred/), notice('account_review_update', /APPROVED/), notice('business_capability_update', /1000/) ]],
  ['Phone number: quality, name, security, user name', 'phone-number', [
    notice('phone_number_quality_update', /FLAGGED/), notice('phone_number_name_update', /Harbour/), notice('security', /PIN_CHANGED/), notice('business_username_update', /harbour/) ]],
  ['Errors of the number', 'errors', [notice('whatsapp_131052', /Failed to download/)]],
  ['Marketing preferences', 'user-preferences', [keptAs(/"stop" for marketing_messages/)]],
  ['Call', 'calls', [{ ...wa, kind: 'interaction', externalId: 'wacid.1', attachments: [{ title: 'Called' }] }, keptAs(/terminate/), keptAs(/our own call/)]],
  ['Changed user id (user_id_update)', 'user-id-update', [{ type: 'person_changed', was: { externalId: 'US.1' }, is: { externalId: 'US.2' } }]],
  ['Groups and unknown fields', 'groups', [keptAs(/group/)]],
  ['Groups and unknown fields', 'unheard-of', [keptAs(/automatic_events/)]],
  ['Several numbers in one body', 'two-numbers', [{ type: 'message', externalId: 'wamid.1' }, { type: 'message', externalId: 'wamid.2' }]],
  ['Test from the dashboard', 'dashboard-test', [keptAs(/^test received/)]],
  ['Broken items', 'broken-among-good', [kept, kept, kept, { ...wa, text: undefined }, { ...wa, attachments: [{ kind: 'image' }] }, kept, { ...wa, externalId: 'wamid.good', text: 'still here' }, { type: 'message' }, kept, kept]],
]
