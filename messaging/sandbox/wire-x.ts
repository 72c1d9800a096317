/** Webhook bodies of X: Account Activity (v1.1 objects) and X Activity (v2 objects), as far as the account is subscribed. */
import { keyOf, linkOf, mediaUrls, mediaV1, mediaV2, quoteLinkOf, shownMedia, textWithLinks } from './wire-x-media.ts'
import { formsOf } from './x-subscriptions.ts'
import type { SandboxApp, SandboxChannel, SandboxPerson, Utterance, World } from './world.ts'

interface Told {
  readonly said: Utterance
  readonly channel: SandboxChannel
  readonly person: SandboxPerson | undefined
  readonly repliedToUser: string | undefined
  readonly rootId: string
}

/** Every body that the account's subscriptions ask for; the same thing may come in several. */
export function xDeliveries(
  world: World,
  said: Utterance,
  sides: { readonly channel: SandboxChannel; readonly person: SandboxPerson | undefined },
  app: SandboxApp,
  context: { readonly repliedToUser?: string | undefined; readonly rootId: string },
): unknown[] {
  const told: Told = { said, ...sides, repliedToUser: context.repliedToUser, rootId: context.rootId }
  const isDirect = said.kind === 'message' || said.kind === 'reply' || said.kind === 'private_reply'
  const { aaa, types } = formsOf(world, app, sides.channel.external_id)
  const wanted = (isDirect ? [isOurs(said) ? 'dm.sent' : 'dm.received'] : postTypes(told)).filter((type) =>
    types.has(type),
  )
  return [
    ...(aaa ? [isDirect ? directMessageV1(told) : postV1(told)] : []),
    ...wanted.map((type) => activity(told, type, isDirect)),
  ]
}

const isOurs = (said: Utterance): boolean => said.direction === 'outbound'

/**
 * X Activity tells of direct answers to the account's posts and of explicit mentions. An answer with a mention comes under
 * both types, one deeper in a thread without a mention under none (PROTOCOLS B4).
 */
function postTypes({ said, channel, repliedToUser }: Told): string[] {
  if (isOurs(said)) return ['post.create']
  const isNamed =
    said.kind === 'mention' || said.text.toLowerCase().includes(`@${(channel.handle ?? channel.name).toLowerCase()}`)
  return [
    ...(repliedToUser === channel.external_id ? ['post.reply.create'] : []),
    ...(isNamed ? ['post.mention.create'] : []),
  ]
}

function directMessageV1(told: Told): unknown {
  const { said } = told
  const both = sidesOf(told)
  return {
    for_user_id: said.channel,
    direct_message_events: [directEvent(told)],
    users: Object.fromEntries(both.map((user) => [user.id, user])),
  }
}

function directEvent({ said }: Told): unknown {
  const [sender, recipient] = isOurs(said) ? [said.channel, said.person] : [said.person, said.channel]
  const [first] = shownMedia(said)
  return {
    type: 'message_create',
    id: said.external_id,
    created_timestamp: String(Date.parse(said.at)),
    message_create: {
      target: { recipient_id: recipient },
      sender_id: sender,
      message_data: {
        text: textWithLinks(said),
        entities: {
          hashtags: [],
          symbols: [],
          user_mentions: [],
          urls:
            first === undefined
              ? []
              : [
                  {
                    url: linkOf(said),
                    expanded_url: `https://twitter.com/messages/media/${said.external_id}`,
                  },
                ],
        },
        ...(first === undefined ? {} : { attachment: { type: 'media', media: mediaV1(first, linkOf(said)) } }),
      },
    },
  }
}

function postV1(told: Told): unknown {
  const { said, repliedToUser } = told
  const [us, them] = sidesOf(told)
  const author = isOurs(said) ? us : them
  const shown = shownMedia(said)
  const quoted = said.quote_of
  const link = `https://twitter.com/i/web/status/${quoted ?? ''}`
  const urls = quoted === undefined ? [] : [{ url: quoteLinkOf(said), expanded_url: link }]
  const entities = { hashtags: [], urls, user_mentions: [], symbols: [] }
  const media =
    shown.length === 0 ? {} : { extended_entities: { media: shown.map((one) => mediaV1(one, linkOf(said))) } }
  return {
    for_user_id: said.channel,
    ...(isOurs(said) ? {} : { user_has_blocked: 'false' }),
    tweet_create_events: [
      {
        created_at: new Date(said.at)
          .toUTCString()
          .replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1 $3 $2 $5 +0000 $4'),
        timestamp_ms: String(Date.parse(said.at)),
        id: Number(said.external_id),
        id_str: said.external_id,
        text: textWithLinks(said),
        truncated: false,
        in_reply_to_status_id: said.in_reply_to === undefined ? null : Number(said.in_reply_to),
        in_reply_to_status_id_str: said.in_reply_to ?? null,
        in_reply_to_user_id_str: repliedToUser ?? null,
        user: { ...author, id: Number(author?.id) },
        entities,
        ...(quoted === undefined ? {} : { quoted_status_id_str: quoted }),
        ...media,
      },
    ],
  }
}

function activity(told: Told, event_type: string, isDirect: boolean): unknown {
  const { said } = told
  const users = sidesOf(told).map(userV2)
  const author = isOurs(said) ? users[0] : users[1]
  const shared = { event_uuid: uuidOf(said, event_type), filter: { user_id: said.channel }, event_type, tag: 'parley' }
  if (isDirect)
    return {
      data: {
        ...shared,
        payload: {
          direct_message_events: [directEvent(told)],
          users: Object.fromEntries(users.map((user) => [user.id, { data: user }])),
        },
      },
    }
  const shown = shownMedia(said)
  const media = shown.length === 0 ? {} : { media: shown.map(mediaV2) }
  // X wraps users now and then.
  const wrapped = said.seq % 2 === 0 ? { data: author } : author
  return { data: { ...shared, payload: postV2(told), includes: { users: [wrapped], ...media } } }
}

/** As X Activity and the timelines give it. */
export function postV2({
  said,
  repliedToUser,
  rootId,
}: Pick<Told, 'said' | 'repliedToUser' | 'rootId'>): Record<string, unknown> {
  const shown = shownMedia(said)
  const quoted = said.quote_of
  const references = [
    ...(said.in_reply_to === undefined ? [] : [{ type: 'replied_to', id: said.in_reply_to }]),
    ...(quoted === undefined ? [] : [{ type: 'quoted', id: quoted }]),
  ]
  const urls = [
    ...mediaUrls(said, `https://x.com/i/status/${said.external_id}/photo/1`),
    ...(quoted === undefined ? [] : [{ url: quoteLinkOf(said), expanded_url: `https://x.com/i/web/status/${quoted}` }]),
  ]
  return {
    id: said.external_id,
    text: textWithLinks(said),
    author_id: isOurs(said) ? said.channel : said.person,
    conversation_id: rootId,
    created_at: said.at,
    ...(said.in_reply_to === undefined
      ? {}
      : { in_reply_to_tweet_id: said.in_reply_to, in_reply_to_user_id: repliedToUser }),
    ...(references.length === 0 ? {} : { referenced_tweets: references }),
    ...(shown.length === 0 ? {} : { attachments: { media_keys: shown.map(keyOf) } }),
    ...(urls.length === 0 ? {} : { entities: { urls } }),
  }
}

/** The person has read everything up to this message. */
export function xReadMark(
  world: World,
  app: SandboxApp,
  { channel, person, lastId }: { readonly channel: string; readonly person: string; readonly lastId: string },
): unknown {
  const mark = {
    created_timestamp: String(Date.now()),
    sender_id: person,
    target: { recipient_id: channel },
    last_read_event_id: lastId,
  }
  const list = { direct_message_mark_read_events: [mark] }
  if (formsOf(world, app, channel).aaa) return { for_user_id: channel, ...list }
  return { data: { event_uuid: lastId, filter: { user_id: channel }, event_type: 'dm.read', payload: list } }
}

/** The account has withdrawn what it allowed; Account Activity names no subscribed user. */
export function xRevoke(world: World, app: SandboxApp, user_id: string): unknown {
  const date_time = new Date().toISOString().replace(/\.\d+Z$/, '+00:00')
  if (formsOf(world, app, user_id).aaa)
    return { user_event: { revoke: { date_time, target: { app_id: app.app_id }, source: { user_id } } } }
  const event_uuid = world.newSnowflake()
  return {
    data: { event_uuid, filter: {}, event_type: 'oauth.revoke', payload: { date_time, user_id, app_id: app.app_id } },
  }
}

/** The account, and the other side if there is one. */
function sidesOf({ said, channel, person }: Told): UserV1[] {
  const us = userV1(said.channel, channel.name, channel.handle ?? channel.name)
  return said.person === ''
    ? [us]
    : [us, userV1(said.person, person?.name ?? said.person, person?.handle ?? said.person)]
}

interface UserV1 {
  readonly id: string
  readonly id_str: string
  readonly name: string
  readonly screen_name: string
}
const userV1 = (id: string, name: string, handle: string): UserV1 => ({ id, id_str: id, name, screen_name: handle })
const userV2 = ({ id, name, screen_name }: UserV1): { id: string; name: string; username: string } => ({
  id,
  name,
  username: screen_name,
})

/** A number that may be negative, the same for the same event. */
const uuidOf = (said: Utterance, type: string): string =>
  String(BigInt(said.external_id) * (type.length % 2 === 0 ? 1n : -1n))
