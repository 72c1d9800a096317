/** What an Instagram account missed: conversations first, then its media with their comments (Instagram Platform: comments). */
import type { Asked, ChannelAccess, ParsedItem, ReadBack } from '../connector.ts'
import {
  decodeProgress,
  encodeProgress,
  isSince,
  newestFirst,
  readConversations,
  readEdge,
  toItem,
} from '../meta/read-back.ts'
import type { Progress } from '../meta/read-back.ts'
import { fieldsOf, idOf, instantOf, listOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { readComment } from './receive.ts'

const commentFields = 'id,text,timestamp,from,username,parent_id'
const mostMediaPages = 8

/** One page for each call. */
export async function readAccountBack(
  channel: ChannelAccess,
  since: Date,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Asked<ReadBack>> {
  const progress = decodeProgress(cursor, 'messages')
  return progress.step === 'messages'
    ? readConversations(channel, 'instagram', 'instagram', since, progress, 'media-1', signal)
    : readMedia(channel, since, progress, signal)
}

async function readMedia(
  channel: ChannelAccess,
  since: Date,
  progress: Progress,
  signal: AbortSignal,
): Promise<Asked<ReadBack>> {
  const number = Number(/^media-(\d+)$/.exec(progress.step)?.[1] ?? mostMediaPages)
  const fields = `id,caption,timestamp,permalink,comments.limit(50){${commentFields},replies.limit(50){${commentFields}}}`
  const page = await readEdge(
    channel,
    `${encodeURIComponent(channel.externalId)}/media`,
    { fields, limit: '25' },
    progress.after,
    signal,
  )
  if (page.type !== 'ok') return page
  const { data, after } = page.value
  const items = data.flatMap((media): ParsedItem[] => {
    const id = idOf(media.id)
    const own = isSince(media.timestamp, since) && id !== undefined ? [toPost(channel, id, media)] : []
    const comments = listOf(fieldsOf(media.comments).data).map(fieldsOf)
    const replies = comments.flatMap((one) =>
      listOf(fieldsOf(one.replies).data).map((reply): Fields => ({ parent_id: one.id, ...fieldsOf(reply) })),
    )
    return [
      ...own,
      ...[...comments, ...replies]
        .filter((one) => isSince(one.timestamp, since))
        .map((one) => toComment(channel, id, one)),
    ]
  })
  const cursor =
    after === undefined || number >= mostMediaPages
      ? undefined
      : encodeProgress({ step: `media-${String(number + 1)}`, after, more: [] })
  return { type: 'ok', value: { items: newestFirst(items), cursor } }
}

const toPost = (channel: ChannelAccess, id: string, media: Fields): ParsedItem =>
  toItem(channel, 'instagram', `media.${id}`, () => {
    const permalink = textOf(media.permalink)
    const occurredAt = instantOf(media.timestamp) ?? new Date()
    return {
      type: 'post',
      externalId: id,
      occurredAt,
      text: textOf(media.caption),
      ...(permalink === undefined ? {} : { permalink }),
    }
  })

const toComment = (channel: ChannelAccess, mediaId: string | undefined, one: Fields): ParsedItem =>
  toItem(channel, 'instagram', `comments.${idOf(one.id) ?? ''}`, () => {
    const from = Object.keys(fieldsOf(one.from)).length > 0 ? one.from : { username: one.username }
    const value = { ...one, from, media: { id: mediaId } }
    return readComment(
      value,
      { id: channel.externalId, at: instantOf(one.timestamp) ?? new Date(), isStandby: false },
      false,
    )
  })
