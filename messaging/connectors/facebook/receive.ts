/** What reaches a Page: Messenger items by their key, changes by their field. Each kind has its own small function. */
import type { InboundEvent } from '../connector.ts'
import { kept } from '../meta/envelope.ts'
import type { Entry, ItemReaders, ReadItem } from '../meta/envelope.ts'
import { fieldsOf, flagOf, idOf, instantOf, isFields, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { readAttachments } from './attachments.ts'
import { readFeed, readMention } from './feed.ts'
import { createHash } from 'node:crypto'

export const pageReaders: ItemReaders = {
  messaging(item, entry) {
    for (const [key, read] of messengerKinds) if (isFields(item[key])) return read(item, entry)
    const known = Object.keys(item).find((key) => !['sender', 'recipient', 'timestamp'].includes(key))
    return kept(`Messenger item "${(known ?? 'without content').slice(0, 60)}" is not yet shown`)
  },
  change(field, value, entry) {
    const read = Object.hasOwn(pageChanges, field) ? pageChanges[field] : undefined
    return read === undefined ? kept(`change of "${field.slice(0, 60)}" is not yet shown`) : read(value, entry)
  },
}

const pageChanges: Readonly<Record<string, ReadItem>> = { feed: readFeed, mention: readMention }

/** In the order in which a key decides, when an item has several (Messenger webhooks: webhook events). */
const messengerKinds: readonly (readonly [string, ReadItem])[] = [
  ['message', readMessage],
  ['message_edit', readEdit],
  ['postback', readPostback],
  ['reaction', readReaction],
  ['delivery', readDelivery],
  ['read', readRead],
  ['referral', () => kept('a referral: the person came by a link and has written nothing')],
  ['optin', () => kept('an opt-in without a message')],
  ['policy_enforcement', readPolicy],
  ['policy-enforcement', readPolicy],
  ['pass_thread_control', () => kept('another app hands the conversation over')],
  ['take_thread_control', () => kept('another app took the conversation')],
  ['request_thread_control', () => kept('another app asks for the conversation')],
]

const senderOf = (item: Fields): string | undefined => idOf(fieldsOf(item.sender).id)
const recipientOf = (item: Fields): string | undefined => idOf(fieldsOf(item.recipient).id)
const timeOf = (item: Fields, entry: Entry): Date => instantOf(item.timestamp) ?? entry.at
/** The one of the two who is not the page. Some deliveries have the direction reversed. */
const personOf = (item: Fields, entry: Entry): string | undefined =>
  [senderOf(item), recipientOf(item)].find((id) => id !== undefined && id !== entry.id)

/** Messenger webhooks: messages, message_echoes. */
function readMessage(item: Fields, entry: Entry): InboundEvent {
  const message = fieldsOf(item.message)
  const externalId = idOf(message.mid)
  const occurredAt = timeOf(item, entry)
  if (externalId === undefined) return kept('a message without an id')
  if (flagOf(message.is_deleted)) return { type: 'delete', externalId, occurredAt }
  const personId = personOf(item, entry)
  if (personId === undefined) return kept('a message without a person')

  const text = textOf(message.text)
  const attachments = readAttachments(message.attachments)
  const inReplyTo = idOf(fieldsOf(message.reply_to).mid)
  const answered = inReplyTo === undefined ? {} : { inReplyTo }
  if (flagOf(message.is_echo)) {
    const reference = textOf(message.metadata)
    return {
      type: 'echo',
      kind: 'reply',
      externalId,
      occurredAt,
      to: { externalId: personId },
      thread: { kind: 'direct', personId },
      text,
      attachments,
      ...(reference === undefined ? {} : { reference }),
      ...answered,
    }
  }
  const payload = textOf(fieldsOf(message.quick_reply).payload)
  const story = fieldsOf(fieldsOf(message.reply_to).story)
  const extra = {
    ...(payload === undefined ? {} : { quick_reply: payload }),
    ...(isFields(message.referral) ? { referral: message.referral } : {}),
    ...(textOf(story.id) === undefined ? {} : { story }),
    ...(flagOf(message.is_unsupported) ? { is_unsupported: true } : {}),
    ...(entry.isStandby ? { standby: true } : {}),
    ...locationOf(message.attachments),
  }
  return {
    type: 'message',
    // A quick reply that carries visible text is a message like any other.
    kind: payload !== undefined && text === undefined && attachments.length === 0 ? 'interaction' : 'message',
    externalId,
    occurredAt,
    from: { externalId: personId },
    thread: { kind: 'direct', personId },
    text,
    attachments,
    ...answered,
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  }
}

function locationOf(attachments: unknown): Fields {
  for (const attachment of Array.isArray(attachments) ? attachments : []) {
    const coordinates = fieldsOf(fieldsOf(attachment).payload).coordinates
    if (isFields(coordinates)) return { coordinates }
  }
  return {}
}

/** Messenger webhooks: message_edits. */
function readEdit(item: Fields, entry: Entry): InboundEvent {
  const edit = fieldsOf(item.message_edit)
  const externalId = idOf(edit.mid)
  return externalId === undefined
    ? kept('an edit without a message id')
    : { type: 'edit', externalId, occurredAt: timeOf(item, entry), text: textOf(edit.text) }
}

/** Messenger webhooks: messaging_postbacks. Older ones have no message id: then it is made of what makes the press unique. */
function readPostback(item: Fields, entry: Entry): InboundEvent {
  const postback = fieldsOf(item.postback)
  const personId = personOf(item, entry)
  if (personId === undefined) return kept('a postback without a person')
  const payload = textOf(postback.payload)
  const title = textOf(postback.title)
  const digest = createHash('sha256')
    .update(JSON.stringify([entry.id, personId, item.timestamp, payload, title]))
    .digest('hex')
    .slice(0, 32)
  return {
    type: 'message',
    kind: 'interaction',
    externalId: idOf(postback.mid) ?? `postback:${digest}`,
    occurredAt: timeOf(item, entry),
    from: { externalId: personId },
    thread: { kind: 'direct', personId },
    text: title,
    attachments: [],
    extra: {
      ...(payload === undefined ? {} : { payload }),
      ...(isFields(postback.referral) ? { referral: postback.referral } : {}),
      ...(entry.isStandby ? { standby: true } : {}),
    },
  }
}

const reactionEmoji: Readonly<Record<string, string>> = {
  smile: '😆',
  angry: '😠',
  sad: '😢',
  wow: '😮',
  love: '❤️',
  like: '👍',
  dislike: '👎',
}

/** Messenger webhooks: message_reactions. */
function readReaction(item: Fields, entry: Entry): InboundEvent {
  const reaction = fieldsOf(item.reaction)
  const externalId = idOf(reaction.mid)
  const sender = senderOf(item)
  if (externalId === undefined || sender === undefined) return kept('a reaction without a message or a person')
  if (sender === entry.id) return kept('our own reaction')
  const name = textOf(reaction.reaction) ?? ''
  const emoji = textOf(reaction.emoji) ?? (Object.hasOwn(reactionEmoji, name) ? reactionEmoji[name] : undefined) ?? '👍'
  return {
    type: 'reaction',
    externalId,
    occurredAt: timeOf(item, entry),
    from: { externalId: sender },
    emoji: reaction.action === 'unreact' ? undefined : emoji,
  }
}

/** Messenger webhooks: message_deliveries. It has no timestamp of its own; everything up to the watermark is delivered. */
function readDelivery(item: Fields, entry: Entry): InboundEvent {
  const delivery = fieldsOf(item.delivery)
  const ids = (Array.isArray(delivery.mids) ? delivery.mids : []).map(idOf).filter((id) => id !== undefined)
  return readReceipt('delivered', item, entry, instantOf(delivery.watermark), ids)
}

/** Messenger webhooks: message_reads. */
function readRead(item: Fields, entry: Entry): InboundEvent {
  const read = fieldsOf(item.read)
  const mid = idOf(read.mid)
  return readReceipt('read', item, entry, instantOf(read.watermark), mid === undefined ? [] : [mid])
}

function readReceipt(
  state: 'delivered' | 'read',
  item: Fields,
  entry: Entry,
  upTo: Date | undefined,
  ids: readonly string[],
): InboundEvent {
  const person = personOf(item, entry)
  if (person === undefined || (upTo === undefined && ids.length === 0))
    return kept('a receipt that names no person or no message')
  return {
    type: 'receipt',
    state,
    person: { externalId: person },
    occurredAt: instantOf(item.timestamp) ?? upTo ?? entry.at,
    ...(upTo === undefined ? {} : { upTo }),
    ...(ids.length > 0 ? { ids } : {}),
  }
}

/** Messenger webhooks: messaging_policy_enforcement. */
function readPolicy(item: Fields): InboundEvent {
  const policy = fieldsOf(item.policy_enforcement ?? item['policy-enforcement'])
  return kept(
    `Meta's policy enforcement: ${textOf(policy.action)?.slice(0, 20) ?? 'unknown'}: ${textOf(policy.reason)?.slice(0, 200) ?? 'no reason given'}`,
  )
}
