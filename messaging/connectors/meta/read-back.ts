/**
 * Reading back what webhooks did not bring: the edges of the Graph API, turned into the items that a webhook would have
 * carried and read by the same readers, so that ids and forms are the same (Conversations API; Pages API: comments).
 */
import type { Asked, ChannelAccess, InboundEvent, ParsedItem, ReadBack } from '../connector.ts'
import type { ChannelType } from '../../../storage/model/words.ts'
import { fieldsOf, idOf, instantOf, listOf, readJson, textOf, urlOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { guard } from './envelope.ts'
import { callGraph } from './graph.ts'
import { readMessaging } from './messaging.ts'

/** How far reading has come: the edge, its page, and comments below posts that had more than fit. */
export interface Progress {
  readonly step: string
  readonly after?: string
  /** Posts whose comments go on, each with its page. */
  readonly more: readonly (readonly [string, string])[]
}

/** The cursor as text; its own form, so that what comes back from outside breaks nothing. */
export const encodeProgress = (progress: Progress): string =>
  Buffer.from(JSON.stringify([progress.step, progress.after ?? null, progress.more])).toString('base64url')

export function decodeProgress(cursor: string | undefined, first: string): Progress {
  const read: unknown = cursor === undefined ? undefined : readJson(Buffer.from(cursor, 'base64url'))
  const [step, after, more] = Array.isArray(read) ? (read as unknown[]) : []
  const pairs = (Array.isArray(more) ? more : []).flatMap((one): (readonly [string, string])[] => {
    const [post, page] = Array.isArray(one) ? (one as unknown[]) : []
    return typeof post === 'string' && typeof page === 'string' ? [[post, page]] : []
  })
  return { step: textOf(step) ?? first, ...(textOf(after) === undefined ? {} : { after: String(after) }), more: pairs }
}

/** One page of an edge. */
export async function readEdge(
  channel: ChannelAccess,
  path: string,
  query: Readonly<Record<string, string>>,
  after: string | undefined,
  signal: AbortSignal,
): Promise<Asked<{ readonly data: readonly Fields[]; readonly after: string | undefined }>> {
  const call = { method: 'GET', path, query: { ...query, ...(after === undefined ? {} : { after }) } } as const
  const result = await callGraph(channel, call, signal)
  if (!result.ok) return result.outcome
  const answer = fieldsOf(result.json)
  return { type: 'ok', value: { data: listOf(answer.data).map(fieldsOf), after: nextOf(answer) } }
}

/** Where an edge goes on; Graph gives a cursor even when there is no further page. */
export function nextOf(edge: Fields): string | undefined {
  const paging = fieldsOf(edge.paging)
  return textOf(paging.next) === undefined ? undefined : textOf(fieldsOf(paging.cursors).after)
}

const messageFields =
  'id,created_time,from,to,message,sticker,reply_to,is_unsupported,attachments{id,mime_type,name,size,image_data,video_data,file_url},shares{link,name,template}'

/** One page of conversations, newest first, and the messages of each since then. Goes on to the step `next`. */
export async function readConversations(
  channel: ChannelAccess,
  channelType: ChannelType,
  platform: 'messenger' | 'instagram',
  since: Date,
  progress: Progress,
  next: string,
  signal: AbortSignal,
): Promise<Asked<ReadBack>> {
  const query = { platform, fields: `id,updated_time,participants,messages.limit(20){${messageFields}}`, limit: '25' }
  const page = await readEdge(channel, 'me/conversations', query, progress.after, signal)
  if (page.type !== 'ok') return page
  const { data, after } = page.value
  const items = data.flatMap((one) =>
    listOf(fieldsOf(one.messages).data)
      .map(fieldsOf)
      .filter((message) => isSince(message.created_time, since))
      .map((message) =>
        toItem(channel, channelType, `conversations.${idOf(one.id) ?? ''}`, () => toMessaging(message, one, channel)),
      ),
  )
  const isOver = after === undefined || data.every((one) => !isSince(one.updated_time, since))
  const cursor = encodeProgress(isOver ? { step: next, more: [] } : { step: progress.step, after, more: [] })
  return { type: 'ok', value: { items: newestFirst(items), cursor } }
}

/** A message of the Conversations API as the webhook would have carried it. */
function toMessaging(message: Fields, conversation: Fields, channel: ChannelAccess): InboundEvent {
  const fromId = idOf(fieldsOf(message.from).id)
  const others = listOf(fieldsOf(conversation.participants).data).map((one) => idOf(fieldsOf(one).id))
  const isOwn = fromId === channel.externalId || fromId === channel.credentials.page_id
  const personId = isOwn
    ? (listOf(fieldsOf(message.to).data).map((one) => idOf(fieldsOf(one).id))[0] ??
      others.find((id) => id !== channel.externalId && id !== channel.credentials.page_id))
    : fromId
  const item = {
    sender: { id: isOwn ? channel.externalId : personId },
    recipient: { id: isOwn ? personId : channel.externalId },
    timestamp: message.created_time,
    message: {
      mid: message.id,
      text: message.message,
      attachments: attachmentsOf(message),
      reply_to: message.reply_to,
      is_unsupported: message.is_unsupported,
      ...(isOwn ? { is_echo: true } : {}),
    },
  }
  const at = instantOf(message.created_time) ?? new Date()
  const event = readMessaging(item, { id: channel.externalId, at, isStandby: false })
  if (event.type !== 'message') return event
  const name = textOf(fieldsOf(message.from).name)
  const handle = textOf(fieldsOf(message.from).username)
  const known = { ...(name === undefined ? {} : { name }), ...(handle === undefined ? {} : { handle }) }
  return { ...event, from: { ...event.from, ...known } }
}

function attachmentsOf(message: Fields): Fields[] {
  const sticker = urlOf(message.sticker)
  const files = listOf(fieldsOf(message.attachments).data)
    .map(fieldsOf)
    .map((one) => {
      const mime = textOf(one.mime_type) ?? ''
      const url = urlOf(fieldsOf(one.image_data).url) ?? urlOf(fieldsOf(one.video_data).url) ?? urlOf(one.file_url)
      const isImage = one.image_data !== undefined || mime.startsWith('image/')
      const isVideo = one.video_data !== undefined || mime.startsWith('video/')
      const type = isImage ? 'image' : isVideo ? 'video' : mime.startsWith('audio/') ? 'audio' : 'file'
      return { type, title: one.name, payload: { url, attachment_id: one.id } }
    })
  const shares = listOf(fieldsOf(message.shares).data)
    .map(fieldsOf)
    // A sticker is told as a share of its picture too.
    .filter((one) => sticker === undefined || one.link !== sticker)
    .map((one) => ({ type: 'fallback', title: one.name, payload: { url: one.link } }))
  return [...files, ...(sticker === undefined ? [] : [{ type: 'sticker', payload: { url: sticker } }]), ...shares]
}

/** Whether the time is not before `since`; Graph tells whole seconds. What has no time is taken. */
export function isSince(value: unknown, since: Date): boolean {
  const at = instantOf(value)
  return at === undefined || at.getTime() >= Math.floor(since.getTime() / 1000) * 1000
}

export const toItem = (
  channel: ChannelAccess,
  channelType: ChannelType,
  at: string,
  read: () => InboundEvent,
): ParsedItem => ({
  at: at.slice(0, 200),
  channelType,
  channelExternalId: channel.externalId,
  event: guard<InboundEvent>(read),
})

export const newestFirst = (items: readonly ParsedItem[]): ParsedItem[] =>
  [...items].sort((a, b) => timeOf(b.event) - timeOf(a.event))
const timeOf = (event: InboundEvent): number => (event.type === 'kept' ? 0 : event.occurredAt.getTime())
