/** Publishing a post: its files first, then the one request that makes it public. */
import { z } from 'zod'
import type { ChannelAccess, Lookup, OutboundPost, PublishOutcome } from '../connector.ts'
import { readJson } from '../reading.ts'
import { byPlan } from './outcomes.ts'
import { misfit, postLimits } from './fit.ts'
import { lookUpX, soughtPost, weighDuplicate } from './look-up.ts'
import { sayX } from './send.ts'
import { uploadX } from './upload.ts'

/** What has been uploaded so far, file by file: what the `progress` of a post holds. */
const progressSchema = z.array(z.object({ id: z.string(), isReady: z.boolean() }))
type Progress = z.infer<typeof progressSchema>

/** Never throws. */
export async function publishX(
  channel: ChannelAccess,
  post: OutboundPost,
  progress: string | undefined,
  signal: AbortSignal,
): Promise<PublishOutcome> {
  const text = wordsOf(post)
  const wrong = misfit({ ...post, text }, postLimits, postLimits.files.max)
  if (wrong !== undefined) return wrong
  const given: Progress = progressSchema.safeParse(readJson(progress ?? '')).data ?? []
  for (const [place, file] of post.files.entries()) {
    const known = given[place]
    if (file.uploadedId !== undefined) given[place] = { id: file.uploadedId, isReady: true }
    if (given[place]?.isReady === true) continue
    const upload = await uploadX(channel, file, 'public', known?.id, signal)
    if (upload.type !== 'ok' && upload.type !== 'processing') return upload
    given[place] = { id: upload.id, isReady: upload.type === 'ok' }
    if (upload.type === 'processing')
      return { type: 'processing', progress: JSON.stringify(given), afterMs: upload.afterMs }
  }
  const mediaIds = given.slice(0, post.files.length).map(({ id }) => id)
  const body = {
    ...(text === '' ? {} : { text }),
    ...(mediaIds.length === 0 ? {} : { media: { media_ids: mediaIds } }),
    ...(post.quoteOf === undefined ? {} : { quote_tweet_id: post.quoteOf }),
  }
  const outcome = await sayX(channel, { method: 'POST', path: '/2/tweets', body }, signal)
  if (outcome.type === 'sent') return { ...outcome, permalink: `https://x.com/i/status/${outcome.externalId}` }
  const weighed = await weighDuplicate(channel, soughtPost(post, text, mediaIds), outcome, signal)
  return post.quoteOf === undefined ? weighed : byPlan(weighed)
}

/** In our own timeline. Files that were uploaded in the course of publishing are known by their number and the text alone. */
export function lookUpXPost(
  channel: ChannelAccess,
  post: OutboundPost,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  return lookUpX(channel, soughtPost(post, wordsOf(post)), since, signal)
}

/** X has no field for a link: it stands in the text, unless it does so already. */
const wordsOf = ({ text, link }: Pick<OutboundPost, 'text' | 'link'>): string =>
  link === undefined || text.includes(link) ? text : `${text} ${link}`.trim()
