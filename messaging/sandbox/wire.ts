/** Webhook bodies as the networks write them: escapes, ids and times of the real wire (PROTOCOLS, part C). */
import type { SandboxApp, SandboxChannel, SandboxPerson, Utterance, World } from './world.ts'

/** Meta: `\uXXXX` in lower case for everything beyond ASCII, and `\/`. */
export function encodeMeta(body: unknown): Buffer {
  return Buffer.from(escapeWide(JSON.stringify(body)).replaceAll('/', '\\/'))
}

/** X: also `<` and `>` escaped. */
export function encodeX(body: unknown): Buffer {
  return Buffer.from(
    escapeWide(JSON.stringify(body)).replaceAll('/', '\\/').replaceAll('<', '\\u003c').replaceAll('>', '\\u003e'),
  )
}

const escapeWide = (json: string): string =>
  json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** One delivery: events that share an entry. */
export const pageDelivery = (
  pageId: string,
  events: { readonly messaging?: readonly unknown[]; readonly changes?: readonly unknown[] },
): unknown => ({
  object: 'page',
  entry: [{ id: pageId, time: events.changes === undefined ? Date.now() : Math.floor(Date.now() / 1000), ...events }],
})

const between = (from: string, to: string, at: string): Record<string, unknown> => ({
  sender: { id: from },
  recipient: { id: to },
  timestamp: Date.parse(at),
})

/** Messenger: the customer's message, or the page's own coming back. */
export function messengerEvent(said: Utterance, appId: string): unknown {
  const attachments =
    said.picture === undefined ? {} : { attachments: [{ type: 'image', payload: { url: said.picture } }] }
  const message = {
    mid: said.external_id,
    ...(said.text === '' ? {} : { text: said.text }),
    ...attachments,
    ...(said.kind === 'message' && said.in_reply_to !== undefined ? { reply_to: { mid: said.in_reply_to } } : {}),
  }
  return said.direction === 'inbound'
    ? { ...between(said.person, said.channel, said.at), message }
    : {
        ...between(said.channel, said.person, said.at),
        message: {
          ...message,
          is_echo: true,
          app_id: Number(appId) || appId,
          ...(said.metadata === undefined ? {} : { metadata: said.metadata }),
        },
      }
}

export const deliveryEvent = (said: Utterance): unknown => ({
  sender: { id: said.person },
  recipient: { id: said.channel },
  delivery: { mids: [said.external_id], watermark: Date.parse(said.at) },
})

export const readEvent = (channel: string, person: string, upTo: number): unknown => ({
  sender: { id: person },
  recipient: { id: channel },
  timestamp: Date.now(),
  read: { watermark: upTo },
})

/** Page feed: a comment, or a post. */
export function feedChange(said: Utterance, author: { readonly id: string; readonly name: string }): unknown {
  const shared = { from: author, message: said.text, created_time: Math.floor(Date.parse(said.at) / 1000), verb: 'add' }
  const value =
    said.kind === 'post'
      ? { ...shared, item: said.direction === 'outbound' ? 'status' : 'post', post_id: said.external_id, published: 1 }
      : {
          ...shared,
          item: 'comment',
          post_id: said.post_id,
          comment_id: said.external_id,
          parent_id: said.in_reply_to ?? said.post_id,
        }
  return { field: 'feed', value }
}

interface Sides {
  readonly channel: SandboxChannel
  readonly person: SandboxPerson | undefined
}

/** X: every form that the app has subscribed, one body each. */
export function xDeliveries(
  _world: World,
  said: Utterance,
  sides: Sides,
  app: SandboxApp,
  text: { readonly repliedToUser?: string | undefined; readonly rootId: string },
): unknown[] {
  const isDirect = said.kind === 'message' || said.kind === 'reply' || said.kind === 'private_reply'
  const forms = app.x_form === 'both' ? (['aaa', 'xaa'] as const) : ([app.x_form ?? 'aaa'] as const)
  return forms.map((form) => (isDirect ? directMessage(said, sides, form) : post(said, sides, form, text)))
}

function directMessage(said: Utterance, { channel, person }: Sides, form: 'aaa' | 'xaa'): unknown {
  const [sender, recipient] = said.direction === 'inbound' ? [said.person, said.channel] : [said.channel, said.person]
  const event = {
    type: 'message_create',
    id: said.external_id,
    created_timestamp: String(Date.parse(said.at)),
    message_create: {
      target: { recipient_id: recipient },
      sender_id: sender,
      message_data: {
        text: escapeMarks(said.text),
        entities: { hashtags: [], symbols: [], user_mentions: [], urls: [] },
      },
    },
  }
  const both = [
    userV1(said.channel, channel.name, channel.handle ?? channel.name),
    userV1(said.person, person?.name ?? said.person, person?.handle ?? said.person),
  ]
  if (form === 'aaa')
    return {
      for_user_id: said.channel,
      direct_message_events: [event],
      users: Object.fromEntries(both.map((user) => [user.id, user])),
    }
  return {
    data: {
      event_uuid: said.external_id,
      filter: { user_id: said.channel },
      event_type: said.direction === 'inbound' ? 'dm.received' : 'dm.sent',
      payload: {
        direct_message_events: [event],
        users: Object.fromEntries(
          both.map((user) => [user.id, { data: { id: user.id, name: user.name, username: user.screen_name } }]),
        ),
      },
    },
  }
}

function post(
  said: Utterance,
  { channel, person }: Sides,
  form: 'aaa' | 'xaa',
  context: { readonly repliedToUser?: string | undefined; readonly rootId: string },
): unknown {
  const isOurs = said.direction === 'outbound'
  const author = isOurs
    ? userV1(said.channel, channel.name, channel.handle ?? channel.name)
    : userV1(said.person, person?.name ?? said.person, person?.handle ?? said.person)
  if (form === 'aaa') {
    return {
      for_user_id: said.channel,
      ...(isOurs ? {} : { user_has_blocked: 'false' }),
      tweet_create_events: [
        {
          created_at: new Date(said.at)
            .toUTCString()
            .replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1 $3 $2 $5 +0000 $4'),
          timestamp_ms: String(Date.parse(said.at)),
          id: Number(said.external_id),
          id_str: said.external_id,
          text: escapeMarks(said.text),
          truncated: false,
          in_reply_to_status_id: said.in_reply_to === undefined ? null : Number(said.in_reply_to),
          in_reply_to_status_id_str: said.in_reply_to ?? null,
          in_reply_to_user_id_str: context.repliedToUser ?? null,
          user: { ...author, id: Number(author.id) },
          entities: { hashtags: [], urls: [], user_mentions: [], symbols: [] },
        },
      ],
    }
  }
  return {
    data: {
      event_uuid: said.external_id,
      filter: { user_id: said.channel },
      event_type: isOurs
        ? 'post.create'
        : context.repliedToUser === said.channel
          ? 'post.reply.create'
          : 'post.mention.create',
      payload: {
        id: said.external_id,
        text: escapeMarks(said.text),
        author_id: author.id,
        conversation_id: context.rootId,
        created_at: said.at,
        ...(said.in_reply_to === undefined
          ? {}
          : {
              in_reply_to_tweet_id: said.in_reply_to,
              in_reply_to_user_id: context.repliedToUser,
              referenced_tweets: [{ type: 'replied_to', id: said.in_reply_to }],
            }),
      },
      includes: { users: [{ id: author.id, name: author.name, username: author.screen_name }] },
    },
  }
}

export const xReadMark = (channel: string, person: string, lastId: string): unknown => ({
  for_user_id: channel,
  direct_message_mark_read_events: [
    {
      created_timestamp: String(Date.now()),
      sender_id: person,
      target: { recipient_id: channel },
      last_read_event_id: lastId,
    },
  ],
})

const userV1 = (
  id: string,
  name: string,
  handle: string,
): { id: string; id_str: string; name: string; screen_name: string } => ({ id, id_str: id, name, screen_name: handle })
const escapeMarks = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
