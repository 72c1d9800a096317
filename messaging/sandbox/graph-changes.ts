/** Webhook bodies of what happens to something said: edits, deletions, reactions, hiding; in the form of each network. */
import type { Stage } from './customers.ts'
import { businessAccountOf } from './graph-channel.ts'
import { newWhatsAppId, numberValue } from './graph-whatsapp.ts'
import type { SandboxChannel, Utterance } from './world.ts'

export interface Change {
  readonly what: 'edit' | 'delete' | 'react' | 'unreact' | 'hide' | 'unhide'
  readonly text?: string | undefined
  readonly emoji: string
  readonly person?: string | undefined
}

/** The body; `undefined` when the network tells nothing of it. */
export function changeBody(stage: Stage, channel: SandboxChannel, target: Utterance, change: Change): unknown {
  const person = change.person ?? target.person
  const now = stage.clock.now()
  if (channel.type === 'whatsapp') return whatsappBody(channel, target, change, person, now)
  const object = channel.type === 'instagram' ? 'instagram' : 'page'
  const isPublic = target.kind === 'comment' || target.kind === 'post' || target.kind === 'mention'
  if (isPublic) {
    // Instagram tells nothing of comments that were changed or taken away.
    if (object === 'instagram') return undefined
    return {
      object,
      entry: [
        {
          id: channel.external_id,
          time: Math.floor(now / 1000),
          changes: [{ field: 'feed', value: feedValue(stage, target, change, person, now) }],
        },
      ],
    }
  }
  const item = messagingItem(target, change)
  if (item === undefined) return undefined
  const sides = { sender: { id: person }, recipient: { id: channel.external_id }, timestamp: Math.floor(now) }
  return { object, entry: [{ id: channel.external_id, time: Math.floor(now), messaging: [{ ...sides, ...item }] }] }
}

function messagingItem(target: Utterance, change: Change): Record<string, unknown> | undefined {
  const mid = target.external_id
  switch (change.what) {
    case 'edit':
      return { message_edit: { mid, text: change.text, num_edit: 1 } }
    case 'delete':
      return { message: { mid, is_deleted: true } }
    case 'react':
      return { reaction: { mid, action: 'react', reaction: 'other', emoji: change.emoji } }
    case 'unreact':
      return { reaction: { mid, action: 'unreact' } }
    default:
      return undefined
  }
}

function feedValue(stage: Stage, target: Utterance, change: Change, person: string, now: number): unknown {
  const from = { id: person, name: stage.world.people.get(person)?.name ?? person }
  const isPost = target.kind === 'post'
  const ids = isPost
    ? { post_id: target.external_id }
    : { post_id: target.post_id, comment_id: target.external_id, parent_id: target.in_reply_to ?? target.post_id }
  const shared = { ...ids, from, created_time: Math.floor(now / 1000) }
  if (change.what === 'react' || change.what === 'unreact')
    return { ...shared, item: 'reaction', reaction_type: 'love', verb: change.what === 'react' ? 'add' : 'remove' }
  const verb = change.what === 'edit' ? 'edited' : change.what === 'delete' ? 'remove' : change.what
  return {
    ...shared,
    item: isPost ? 'post' : 'comment',
    verb,
    ...(change.what === 'edit' ? { message: change.text } : {}),
  }
}

function whatsappBody(
  channel: SandboxChannel,
  target: Utterance,
  change: Change,
  person: string,
  now: number,
): unknown {
  const original = { original_message_id: target.external_id }
  const forms: Readonly<Partial<Record<Change['what'], Record<string, unknown>>>> = {
    edit: { type: 'edit', edit: { ...original, message: { type: 'text', text: { body: change.text } } } },
    delete: { type: 'revoke', revoke: original },
    react: { type: 'reaction', reaction: { message_id: target.external_id, emoji: change.emoji } },
    unreact: { type: 'reaction', reaction: { message_id: target.external_id } },
  }
  const form = forms[change.what]
  if (form === undefined) return undefined
  const message = { from: person, id: newWhatsAppId(), timestamp: String(Math.floor(now / 1000)), ...form }
  const value = { ...numberValue(channel), messages: [message] }
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: businessAccountOf(channel), changes: [{ field: 'messages', value }] }],
  }
}
