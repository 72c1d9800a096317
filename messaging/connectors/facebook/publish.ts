/** Publishing as a Page (Pages API: posts; Page photos, Page videos). */
import type { ChannelAccess, Lookup, OutboundPost, PostLimits, PublishOutcome } from '../connector.ts'
import { findOwn } from '../meta/find-own.ts'
import { callGraph } from '../meta/graph.ts'
import type { GraphCall } from '../meta/graph.ts'
import { inCharacters, megabyte, postOutOfBounds } from '../meta/limits.ts'
import { refuse } from '../meta/refuse.ts'
import { uploadPhoto } from '../meta/upload.ts'
import { fieldsOf, idOf, listOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'

export const postLimits: PostLimits = {
  maxTextLength: 63_206,
  ...inCharacters,
  files: {
    max: 10,
    kinds: {
      image: { types: ['image/jpeg', 'image/png', 'image/gif'], maxBytes: 4 * megabyte },
      video: { types: ['video/mp4', 'video/quicktime'], maxBytes: 1024 * megabyte },
    },
  },
  needsFile: false,
  mayMix: false,
  hasLink: true,
}
const pageSize = 50
const videoPauseMs = 5_000

/**
 * Photos are uploaded first, unseen, and then attached, so that what makes the post public is one small request. A video is
 * fetched by Facebook and public once it is ready. `progress`: `photos:<ids>` or `video:<id>`.
 */
export async function publish(
  channel: ChannelAccess,
  post: OutboundPost,
  progress: string | undefined,
  signal: AbortSignal,
): Promise<PublishOutcome> {
  const wrong = postOutOfBounds(post, postLimits)
  if (wrong !== undefined) return wrong
  const [step = '', given = ''] = progress?.split(':') ?? []
  if (step === 'video') return watchVideo(channel, given, signal)
  if (post.files.some(({ kind }) => kind === 'video'))
    return post.files.length > 1
      ? refuse('content', 'too_many_files', 'A post on Facebook has one video.')
      : beginVideo(channel, post, signal)
  const photos = await uploadPhotos(channel, post, given === '' ? [] : given.split(','), signal)
  return 'type' in photos ? photos : publishPost(channel, post, photos.ids, signal)
}

/** What was uploaded stays so when the time is over: the next call goes on from there. */
async function uploadPhotos(
  channel: ChannelAccess,
  { files }: OutboundPost,
  before: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly ids: readonly string[] } | PublishOutcome> {
  const ids = [...before]
  for (const file of files.slice(ids.length)) {
    const upload =
      file.uploadedId === undefined
        ? await uploadPhoto(channel, file, signal)
        : ({ type: 'ok', id: file.uploadedId } as const)
    if (upload.type === 'ok') ids.push(upload.id)
    else if (upload.type === 'retry' && ids.length > before.length)
      return { type: 'processing', progress: `photos:${ids.join(',')}`, afterMs: upload.afterMs ?? 1_000 }
    else if (upload.type !== 'processing') return upload
  }
  return { ids }
}

async function publishPost(
  channel: ChannelAccess,
  post: OutboundPost,
  photos: readonly string[],
  signal: AbortSignal,
): Promise<PublishOutcome> {
  const message = wordsOf(post)
  const body = {
    ...(message === '' ? {} : { message }),
    ...(photos.length > 0
      ? { attached_media: photos.map((id) => ({ media_fbid: id })) }
      : post.link === undefined
        ? {}
        : { link: post.link }),
  }
  const result = await callGraph(channel, { method: 'POST', path: edge(channel, 'feed'), body }, signal)
  if (!result.ok) return result.outcome
  const externalId = idOf(fieldsOf(result.json).id)
  return externalId === undefined
    ? { type: 'unknown', code: 'no_id', reason: 'Facebook accepted the post and gave no id.' }
    : { type: 'sent', externalId, permalink: `https://www.facebook.com/${externalId}` }
}

const edge = (channel: ChannelAccess, name: string): string => `${encodeURIComponent(channel.externalId)}/${name}`

/** Beside pictures a link has no place of its own: it stands in the text. */
const wordsOf = ({ text, link, files }: OutboundPost): string =>
  files.length > 0 && link !== undefined ? `${text}\n\n${link}`.trim() : text

async function beginVideo(channel: ChannelAccess, post: OutboundPost, signal: AbortSignal): Promise<PublishOutcome> {
  const description = wordsOf(post)
  const body = { file_url: post.files[0]?.publicUrl, ...(description === '' ? {} : { description }) }
  const result = await callGraph(channel, { method: 'POST', path: edge(channel, 'videos'), body }, signal)
  if (!result.ok) return result.outcome
  const id = idOf(fieldsOf(result.json).id)
  return id === undefined
    ? { type: 'unknown', code: 'no_id', reason: 'Facebook accepted the video and gave no id.' }
    : { type: 'processing', progress: `video:${id}`, afterMs: videoPauseMs }
}

/** Whoever asks and gets no answer asks again: the video goes on meanwhile. */
async function watchVideo(channel: ChannelAccess, id: string, signal: AbortSignal): Promise<PublishOutcome> {
  const query = { fields: 'status,post_id' }
  const result = await callGraph(channel, { method: 'GET', path: encodeURIComponent(id), query }, signal)
  const again = { type: 'processing', progress: `video:${id}`, afterMs: videoPauseMs } as const
  if (!result.ok) return result.outcome.type === 'refused' ? result.outcome : again
  const answer = fieldsOf(result.json)
  const status = fieldsOf(answer.status)
  if (status.video_status === 'error') {
    const [error] = listOf(fieldsOf(status.processing_phase).errors).map(fieldsOf)
    return refuse(
      'content',
      `video/${idOf(error?.code) ?? 'error'}`,
      textOf(error?.message) ?? 'Facebook could not work on the video.',
    )
  }
  const postId = postIdOf(channel, answer)
  return status.video_status === 'ready' && postId !== undefined
    ? { type: 'sent', externalId: postId, permalink: `https://www.facebook.com/${postId}` }
    : again
}

/** A video names its post with or without the Page before it. */
function postIdOf(channel: ChannelAccess, video: Fields): string | undefined {
  const id = idOf(video.post_id)
  return id === undefined || id.includes('_') ? id : `${channel.externalId}_${id}`
}

/** Among the posts of the Page; a video also among those that are still being worked on. */
export async function lookUpPost(
  channel: ChannelAccess,
  post: OutboundPost,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  const isVideo = post.files.some(({ kind }) => kind === 'video')
  const words = wordsOf(post)
  if (isVideo) {
    const videos = await listNewest(channel, 'videos', 'id,description,created_time,post_id', signal)
    if ('type' in videos) return videos
    const found = findOwn(videos.items, { since, fullAt: pageSize }, (one) => (textOf(one.description) ?? '') === words)
    if (found.type !== 'found') return found
    const postId = postIdOf(channel, videos.items.find((one) => idOf(one.id) === found.externalId) ?? {})
    return postId === undefined
      ? { type: 'undecided', reason: 'Facebook is still working on the video.' }
      : { type: 'found', externalId: postId }
  }
  const fields = 'id,message,created_time,from,attachments{media_type,unshimmed_url}'
  const posts = await listNewest(channel, 'feed', fields, signal)
  return 'type' in posts
    ? posts
    : findOwn(posts.items, { since, fullAt: pageSize }, (one) => {
        const isOwn = idOf(fieldsOf(one.from).id) === channel.externalId
        const hasMedia = listOf(fieldsOf(one.attachments).data).length > 0
        // Without words it is told by what hangs on it.
        return isOwn && (textOf(one.message) ?? '') === words && (words !== '' || hasMedia)
      })
}

async function listNewest(
  channel: ChannelAccess,
  name: 'feed' | 'videos',
  fields: string,
  signal: AbortSignal,
): Promise<{ readonly items: readonly Fields[] } | Lookup> {
  const call: GraphCall = { method: 'GET', path: edge(channel, name), query: { fields, limit: String(pageSize) } }
  const result = await callGraph(channel, call, signal)
  return result.ok
    ? { items: listOf(fieldsOf(result.json).data).map(fieldsOf) }
    : { type: 'undecided', reason: result.outcome.reason }
}
