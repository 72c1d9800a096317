/** Webhook bodies as the networks write them: escapes, ids and times of the real wire (PROTOCOLS, part C). */
import type { Utterance } from './world.ts'

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
  const pictures = said.picture === undefined ? [] : [{ kind: 'image', url: said.picture, title: undefined }]
  const files = [...pictures, ...(said.files ?? [])].map(({ kind, url, title }) => ({
    type: kind,
    ...(title === undefined ? {} : { title }),
    payload: { url },
  }))
  // A press or a referral is no message at all.
  if (said.wire !== undefined && ['postback', 'referral', 'optin'].some((key) => Object.hasOwn(said.wire ?? {}, key)))
    return { ...between(said.person, said.channel, said.at), ...said.wire }
  const attachments = files.length === 0 ? {} : { attachments: files }
  const message = {
    mid: said.external_id,
    ...(said.text === '' ? {} : { text: said.text }),
    ...attachments,
    ...((said.kind === 'message' || said.kind === 'reply') && said.in_reply_to !== undefined
      ? { reply_to: { mid: said.in_reply_to } }
      : {}),
    ...said.wire,
  }
  return said.direction === 'inbound'
    ? { ...between(said.person, said.channel, said.at), message }
    : {
        ...between(said.channel, said.person, said.at),
        message: {
          is_echo: true,
          app_id: Number(appId) || appId,
          ...message,
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
      ? {
          ...shared,
          item: said.direction === 'outbound' ? 'status' : 'post',
          post_id: said.external_id,
          published: 1,
          ...mediaOf(said),
        }
      : {
          ...shared,
          item: 'comment',
          post_id: said.post_id,
          comment_id: said.external_id,
          parent_id: said.in_reply_to ?? said.post_id,
          ...mediaOf(said),
        }
  return { field: 'feed', value }
}

/** One photo or film makes a post of that kind; several stand in a list. */
function mediaOf(said: Utterance): Record<string, unknown> {
  const [first, ...more] = said.files ?? []
  if (first === undefined) return said.wire ?? {}
  const isPost = said.kind === 'post'
  if (first.kind === 'video') return isPost ? { item: 'video', link: first.url } : { video: first.url }
  if (more.length > 0) return { photos: (said.files ?? []).map(({ url }) => url) }
  return isPost ? { item: 'photo', link: first.url } : { photo: first.url }
}
