/** What a Page missed: conversations first, then posts with their comments, newest first. */
import type { Asked, ChannelAccess, ParsedItem, ReadBack } from '../connector.ts'
import {
  decodeProgress,
  encodeProgress,
  isSince,
  newestFirst,
  nextOf,
  readConversations,
  readEdge,
  toItem,
} from '../meta/read-back.ts'
import type { Progress } from '../meta/read-back.ts'
import { fieldsOf, idOf, instantOf, listOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { readFeed } from './feed.ts'

const commentFields = 'id,message,created_time,from,parent{id},is_hidden,attachment{type,media,url}'
/** How many pages of posts are looked through: comments may stand below older ones, but not below all of them. */
const mostPostPages = 8
const commentQuery = { fields: commentFields, order: 'reverse_chronological', filter: 'stream', limit: '50' }

/** One page for each call. */
export async function readPageBack(
  channel: ChannelAccess,
  since: Date,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Asked<ReadBack>> {
  const progress = decodeProgress(cursor, 'messages')
  if (progress.step === 'messages')
    return readConversations(channel, 'facebook', 'messenger', since, progress, 'posts-1', signal)
  const [further] = progress.more
  return further === undefined
    ? readPosts(channel, since, progress, signal)
    : readComments(channel, since, progress, further, signal)
}

async function readPosts(
  channel: ChannelAccess,
  since: Date,
  progress: Progress,
  signal: AbortSignal,
): Promise<Asked<ReadBack>> {
  const number = Number(/^posts-(\d+)$/.exec(progress.step)?.[1] ?? mostPostPages)
  const fields = `id,message,created_time,from,permalink_url,full_picture,comments.order(reverse_chronological).filter(stream).limit(50){${commentFields}}`
  const page = await readEdge(channel, 'me/feed', { fields, limit: '25' }, progress.after, signal)
  if (page.type !== 'ok') return page
  const { data, after } = page.value
  const items: ParsedItem[] = []
  const more: (readonly [string, string])[] = []
  for (const post of data) {
    const id = idOf(post.id)
    if (isSince(post.created_time, since))
      items.push(
        toItem(channel, 'facebook', `feed.${id ?? ''}`, () => readFeed(postValue(post), entryOf(channel, post))),
      )
    const comments = listOf(fieldsOf(post.comments).data).map(fieldsOf)
    items.push(...commentItems(channel, id, comments, since))
    const next = nextOf(fieldsOf(post.comments))
    if (id !== undefined && next !== undefined && comments.every((one) => isSince(one.created_time, since)))
      more.push([id, next])
  }
  const isOver = after === undefined || number >= mostPostPages
  const next: Progress | undefined =
    isOver && more.length === 0
      ? undefined
      : {
          step: isOver ? 'end' : `posts-${String(number + 1)}`,
          ...(after === undefined || isOver ? {} : { after }),
          more,
        }
  return {
    type: 'ok',
    value: { items: newestFirst(items), cursor: next === undefined ? undefined : encodeProgress(next) },
  }
}

/** More comments below one post; then back to where the posts were left. */
async function readComments(
  channel: ChannelAccess,
  since: Date,
  progress: Progress,
  [postId, from]: readonly [string, string],
  signal: AbortSignal,
): Promise<Asked<ReadBack>> {
  const page = await readEdge(channel, `${encodeURIComponent(postId)}/comments`, commentQuery, from, signal)
  if (page.type !== 'ok') return page
  const { data, after } = page.value
  const goesOn = after !== undefined && data.every((one) => isSince(one.created_time, since))
  const more = [...(goesOn ? [[postId, after] as const] : []), ...progress.more.slice(1)]
  const isOver = more.length === 0 && progress.step === 'end'
  const items = newestFirst(commentItems(channel, postId, data, since))
  return { type: 'ok', value: { items, cursor: isOver ? undefined : encodeProgress({ ...progress, more }) } }
}

const commentItems = (
  channel: ChannelAccess,
  postId: string | undefined,
  comments: readonly Fields[],
  since: Date,
): ParsedItem[] =>
  comments
    .filter((one) => isSince(one.created_time, since))
    .map((one) =>
      toItem(channel, 'facebook', `comments.${idOf(one.id) ?? ''}`, () =>
        readFeed(commentValue(one, postId), entryOf(channel, one)),
      ),
    )

const entryOf = (channel: ChannelAccess, one: Fields): { id: string; at: Date; isStandby: boolean } => ({
  id: channel.externalId,
  at: instantOf(one.created_time) ?? new Date(),
  isStandby: false,
})

/** As the webhook's `value` would have been. */
const postValue = (post: Fields): Fields => ({
  item: fieldsOf(post.from).id === undefined ? 'status' : 'post',
  verb: 'add',
  post_id: post.id,
  from: post.from,
  message: post.message,
  created_time: post.created_time,
  photo: post.full_picture,
  permalink_url: post.permalink_url,
  published: 1,
})

function commentValue(comment: Fields, postId: string | undefined): Fields {
  const attachment = fieldsOf(comment.attachment)
  const image = fieldsOf(fieldsOf(attachment.media).image).src
  return {
    item: 'comment',
    verb: 'add',
    post_id: postId,
    comment_id: comment.id,
    parent_id: idOf(fieldsOf(comment.parent).id) ?? postId,
    from: comment.from,
    message: comment.message,
    created_time: comment.created_time,
    ...(image === undefined ? {} : { photo: image }),
  }
}
