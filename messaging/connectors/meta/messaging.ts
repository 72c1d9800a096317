/** Messenger items, for Pages and Instagram alike: messages, echoes, edits, presses, reactions (Messenger webhooks: webhook events). */
import type { InboundEvent } from '../connector.ts'
import { fieldsOf, flagOf, idOf, instantOf, isFields, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { coordinatesOf, readAttachments } from './attachments.ts'
import { digestOf } from './digest.ts'
import { kept } from './envelope.ts'
import type { Entry, ReadItem } from './envelope.ts'
import { extraOf } from './extras.ts'
import { personOf, senderOf, timeOf } from './sides.ts'
import { signalKinds } from './signals.ts'

/** Reads one item of `messaging` or `standby` by its key. */
export function readMessaging(item: Fields, entry: Entry): InboundEvent {
  for (const [key, read] of messagingKinds) if (isFields(item[key])) return read(item, entry)
  const known = Object.keys(item).find((key) => !['sender', 'recipient', 'timestamp'].includes(key))
  return kept(`Messenger item "${(known ?? 'without content').slice(0, 60)}" is not shown`)
}

/** In the order in which a key decides, when an item has several. */
const messagingKinds: readonly (readonly [string, ReadItem])[] = [
  ['message', readMessage],
  ['message_edit', readEdit],
  ['postback', readPostback],
  ['reaction', readReaction],
  ...signalKinds,
]

/** Messenger webhooks: messages, message_echoes. */
function readMessage(item: Fields, entry: Entry): InboundEvent {
  const message = fieldsOf(item.message)
  const externalId = idOf(message.mid)
  const occurredAt = timeOf(item, entry)
  if (externalId === undefined) return kept('a message without an id')
  if (flagOf(message.is_deleted)) return { type: 'delete', externalId, occurredAt }
  const personId = personOf(item, entry)
  if (personId === undefined) return kept('a message without a person')

  const inReplyTo = idOf(fieldsOf(message.reply_to).mid)
  const shared = {
    externalId,
    occurredAt,
    thread: { kind: 'direct' as const, personId },
    text: textOf(message.text),
    attachments: readAttachments(message.attachments, occurredAt),
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
  }
  const content = {
    is_unsupported: flagOf(message.is_unsupported) || hasUnsupported(message.attachments) ? true : undefined,
    coordinates: coordinatesOf(message.attachments),
  }
  // What the channel sent is an echo, marked as one or not; a marked one may have its sides reversed.
  if (flagOf(message.is_echo) || senderOf(item) === entry.id) {
    const reference = textOf(message.metadata)
    return {
      type: 'echo',
      kind: 'reply',
      to: { externalId: personId },
      ...shared,
      ...(reference === undefined ? {} : { reference }),
      ...extraOf(content),
    }
  }
  const payload = textOf(fieldsOf(message.quick_reply).payload)
  const story = fieldsOf(message.reply_to).story
  return {
    type: 'message',
    // A quick reply that carries visible text is a message like any other.
    kind:
      payload !== undefined && shared.text === undefined && shared.attachments.length === 0 ? 'interaction' : 'message',
    from: { externalId: personId },
    ...shared,
    ...extraOf({
      quick_reply: payload,
      referral: isFields(message.referral) ? message.referral : undefined,
      // Its picture is not kept: it may be shown for a day only.
      story: isFields(story) ? { id: idOf(story.id) } : undefined,
      commands: Array.isArray(message.commands) ? message.commands : undefined,
      is_story_mention: hasType(message.attachments, 'story_mention') ? true : undefined,
      standby: entry.isStandby ? true : undefined,
      ...content,
    }),
  }
}

const hasType = (attachments: unknown, type: string): boolean =>
  Array.isArray(attachments) && attachments.some((one) => fieldsOf(one).type === type)
const hasUnsupported = (attachments: unknown): boolean =>
  hasType(attachments, 'unsupported_type') || hasType(attachments, 'ephemeral')

/** Messenger webhooks: message_edits. */
function readEdit(item: Fields, entry: Entry): InboundEvent {
  const edit = fieldsOf(item.message_edit)
  const externalId = idOf(edit.mid)
  const text = textOf(edit.text)
  if (externalId === undefined) return kept('an edit without a message id')
  // An edit to nothing cannot be made in the apps; taken at its word it would wipe the message out.
  if (text === undefined) return kept('an edit without a text')
  // Seen as number and as string.
  const number = Number(idOf(edit.num_edit))
  return {
    ...{ type: 'edit', externalId, occurredAt: timeOf(item, entry), text },
    ...(Number.isSafeInteger(number) && number > 0 ? { number } : {}),
  }
}

/** Messenger webhooks: messaging_postbacks. Older ones have no message id: then it is made of what makes the press unique. */
function readPostback(item: Fields, entry: Entry): InboundEvent {
  const postback = fieldsOf(item.postback)
  const personId = personOf(item, entry)
  if (personId === undefined) return kept('a postback without a person')
  const payload = textOf(postback.payload)
  const title = textOf(postback.title)
  return {
    type: 'message',
    kind: 'interaction',
    externalId: idOf(postback.mid) ?? `postback:${digestOf([entry.id, personId, item.timestamp, payload, title])}`,
    occurredAt: timeOf(item, entry),
    from: { externalId: personId },
    thread: { kind: 'direct', personId },
    text: title,
    attachments: [],
    ...extraOf({
      payload,
      referral: isFields(postback.referral) ? postback.referral : undefined,
      // In standby the network withholds the payload.
      standby: entry.isStandby ? true : undefined,
    }),
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
    occurredAt: instantOf(item.timestamp) ?? entry.at,
    from: { externalId: sender },
    emoji: reaction.action === 'unreact' ? undefined : emoji.slice(0, 40),
  }
}
