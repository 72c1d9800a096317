/** How Instagram and WhatsApp tell what was said (PROTOCOLS A9, A10). */
import { numberValue } from './graph-whatsapp.ts'
import { businessAccountOf, displayNumberOf } from './graph-channel.ts'
import { isSubscribed } from './subscriptions.ts'
import type { Teller } from './tellings.ts'
import { messengerEvent } from './wire.ts'
import type { Utterance, World } from './world.ts'

export const tellInstagram: Teller = (world, app, channel, said) => {
  // The subscription is that of the page it is linked to.
  if (!isSubscribed(world, channel.external_id) || !isSubscribed(world, channel.page_id ?? '')) return []
  const shared = { channel: channel.external_id, object: 'instagram', entry: channel.external_id } as const
  // What the account publishes is not told.
  if (said.kind === 'post') return []
  if (said.kind === 'comment' || said.kind === 'mention')
    return [{ ...shared, list: 'changes', item: instagramChange(world, channel.handle ?? channel.name, said) }]
  return [{ ...shared, list: 'messaging', item: messengerEvent(said, app.app_id) }]
}

function instagramChange(world: World, ownHandle: string, said: Utterance): unknown {
  if (said.kind === 'mention')
    return {
      field: 'mentions',
      value: {
        media_id: said.post_id ?? said.external_id,
        ...(said.post_id === undefined ? {} : { comment_id: said.external_id }),
      },
    }
  const person = world.people.get(said.person)
  const from =
    said.direction === 'outbound'
      ? { id: said.channel, username: ownHandle }
      : { id: said.person, username: person?.handle ?? person?.name }
  return {
    field: 'comments',
    value: {
      id: said.external_id,
      text: said.text,
      from,
      media: { id: said.post_id, media_product_type: 'FEED' },
      ...(said.in_reply_to === undefined ? {} : { parent_id: said.in_reply_to }),
    },
  }
}

/** Sends of the Cloud API have no echo; those of the app have (`smb_message_echoes`): they carry no reference. */
export const tellWhatsAppUtterance: Teller = (world, _app, channel, said) => {
  if (!isSubscribed(world, channel.external_id) || said.kind !== (said.direction === 'inbound' ? 'message' : 'reply'))
    return []
  const shared = {
    channel: channel.external_id,
    object: 'whatsapp_business_account',
    entry: businessAccountOf(channel),
    list: 'changes',
  } as const
  const value = numberValue(channel)
  if (said.direction === 'outbound') {
    const echo = { ...messageOf(said), from: displayNumberOf(channel), to: said.person }
    return [{ ...shared, item: { field: 'smb_message_echoes', value: { ...value, message_echoes: [echo] } } }]
  }
  const person = world.people.get(said.person)
  // Whoever shows no number is named by a user id alone.
  const isNumber = /^\d+$/.test(said.person)
  const profile = {
    name: person?.name ?? said.person,
    ...(person?.handle === undefined ? {} : { username: person.handle }),
  }
  const contacts = [{ profile, ...(isNumber ? { wa_id: said.person } : { user_id: said.person }) }]
  const message = { ...(isNumber ? { from: said.person } : { from_user_id: said.person }), ...messageOf(said) }
  return [{ ...shared, item: { field: 'messages', value: { ...value, contacts, messages: [message] } } }]
}

function messageOf(said: Utterance): Record<string, unknown> {
  const shared = {
    id: said.external_id,
    timestamp: String(Math.floor(Date.parse(said.at) / 1000)),
    ...(said.in_reply_to === undefined ? {} : { context: { id: said.in_reply_to } }),
  }
  if (said.wire !== undefined) return { ...shared, ...said.wire }
  const [file] = said.files ?? []
  if (file === undefined) return { ...shared, type: 'text', text: { body: said.text } }
  const caption = said.text === '' ? {} : { caption: said.text }
  const own = { id: file.id, ...(file.title === undefined ? {} : { filename: file.title }), ...caption }
  return { ...shared, type: file.kind, [file.kind]: own }
}

/** Instagram: one message was seen. */
export const seenBody = (account: string, person: string, mid: string): unknown => ({
  object: 'instagram',
  entry: [
    {
      id: account,
      time: Date.now(),
      messaging: [{ sender: { id: person }, recipient: { id: account }, timestamp: Date.now(), read: { mid } }],
    },
  ],
})
