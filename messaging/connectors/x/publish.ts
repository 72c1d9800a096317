/** Publishing a post: one request, once its files have been given to X. */
import type { ChannelAccess, Lookup, OutboundPost, PublishOutcome } from '../connector.ts'
import { misfit, notUploaded, postLimits } from './fit.ts'
import { lookUpX, soughtPost } from './look-up.ts'
import { byPlan } from './outcomes.ts'
import { sayX } from './send.ts'

/** Never throws. */
export async function publishX(
  channel: ChannelAccess,
  post: OutboundPost,
  _progress: string | undefined,
  signal: AbortSignal,
): Promise<PublishOutcome> {
  const text = wordsOf(post)
  const wrong = misfit({ ...post, text }, postLimits, postLimits.files.max)
  if (wrong !== undefined) return wrong
  const sought = soughtPost(post, text)
  if (sought.mediaIds.length < post.files.length) return notUploaded
  const body = {
    ...(text === '' ? {} : { text }),
    ...(sought.mediaIds.length === 0 ? {} : { media: { media_ids: sought.mediaIds } }),
    ...(post.quoteOf === undefined ? {} : { quote_tweet_id: post.quoteOf }),
  }
  const outcome = await sayX(channel, { method: 'POST', path: '/2/tweets', body }, signal)
  if (outcome.type === 'sent') return { ...outcome, permalink: `https://x.com/i/status/${outcome.externalId}` }
  return post.quoteOf === undefined ? outcome : byPlan(outcome)
}

/** In our own timeline. */
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
