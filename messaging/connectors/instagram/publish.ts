/** Publishing as an Instagram account (Instagram content publishing): containers, then one request that makes them public. */
import type { ChannelAccess, Lookup, OutboundFile, OutboundPost, PostLimits, PublishOutcome } from '../connector.ts'
import { findOwn } from '../meta/find-own.ts'
import { callGraph, harmless } from '../meta/graph.ts'
import type { GraphCall } from '../meta/graph.ts'
import { inCharacters, megabyte, postOutOfBounds } from '../meta/limits.ts'
import { classifyContainer } from '../meta/outcomes.ts'
import { fieldsOf, idOf, listOf, textOf, urlOf } from '../reading.ts'

export const postLimits: PostLimits = {
  maxTextLength: 2200,
  ...inCharacters,
  files: {
    max: 10,
    kinds: {
      image: { types: ['image/jpeg'], maxBytes: 8 * megabyte },
      video: { types: ['video/mp4', 'video/quicktime'], maxBytes: 300 * megabyte },
    },
  },
  needsFile: true,
  mayMix: true,
  hasLink: false,
}
const pageSize = 50
const pauseMs = 5_000
const hourMs = 60 * 60 * 1000
/** As long as a container lives. */
const dayMs = 24 * hourMs

/**
 * `progress`: `items:<ids>` while the parts of a carousel are fetched, `post:<id>` while the whole is, `again` when a
 * container died unpublished. Instagram fetches every file itself.
 */
export async function publish(
  channel: ChannelAccess,
  post: OutboundPost,
  progress: string | undefined,
  signal: AbortSignal,
): Promise<PublishOutcome> {
  const wrong = postOutOfBounds(post, postLimits)
  if (wrong !== undefined) return wrong
  const [step = '', ids = ''] = progress?.split(':') ?? []
  if (step === 'post') return publishWhenReady(channel, post, ids, signal)
  if (step === 'items') return joinWhenReady(channel, post, ids.split(','), signal)
  return (await spentQuota(channel, signal)) ?? begin(channel, post, signal)
}

/** How many posts a day differs from account to account: it is asked before anything is made. */
async function spentQuota(channel: ChannelAccess, signal: AbortSignal): Promise<PublishOutcome | undefined> {
  const query = { fields: 'quota_usage,config' }
  const path = edge(channel, 'content_publishing_limit')
  const result = await callGraph(channel, { method: 'GET', path, query }, signal)
  if (!result.ok) return result.outcome.type === 'refused' ? result.outcome : undefined
  const [quota = {}] = listOf(fieldsOf(result.json).data).map(fieldsOf)
  const total = Number(fieldsOf(quota.config).quota_total)
  return total > 0 && Number(quota.quota_usage) >= total
    ? {
        type: 'retry',
        code: 'publishing_quota',
        reason: `Instagram publishes ${String(total)} posts in 24 hours for this account.`,
        afterMs: hourMs,
      }
    : undefined
}

const edge = (channel: ChannelAccess, name: string): string => `${encodeURIComponent(channel.externalId)}/${name}`

async function begin(channel: ChannelAccess, post: OutboundPost, signal: AbortSignal): Promise<PublishOutcome> {
  const [first, ...more] = post.files
  const caption = post.text === '' ? {} : { caption: post.text }
  if (first !== undefined && more.length === 0) {
    const made = await make(channel, { ...mediaOf(first, false), ...caption }, signal)
    return 'type' in made ? made : publishWhenReady(channel, post, made.id, signal)
  }
  const ids: string[] = []
  for (const file of post.files) {
    const made = await make(channel, { ...mediaOf(file, true), is_carousel_item: true }, signal)
    if ('type' in made) return made
    ids.push(made.id)
  }
  return joinWhenReady(channel, post, ids, signal)
}

const mediaOf = ({ kind, publicUrl, altText }: OutboundFile, isItem: boolean) =>
  kind === 'video'
    ? { media_type: isItem ? 'VIDEO' : 'REELS', video_url: publicUrl }
    : { image_url: publicUrl, ...(altText === undefined ? {} : { alt_text: altText }) }

/** A container is seen by nobody: what may have worked may be repeated. */
async function make(
  channel: ChannelAccess,
  body: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<{ readonly id: string } | Exclude<PublishOutcome, { readonly type: 'sent' }>> {
  const result = await callGraph(channel, { method: 'POST', path: edge(channel, 'media'), body }, signal)
  if (!result.ok) return harmless(result.outcome)
  const id = idOf(fieldsOf(result.json).id)
  return id === undefined
    ? { type: 'retry', code: 'no_id', reason: 'Instagram made a container and gave no id.' }
    : { id }
}

async function joinWhenReady(
  channel: ChannelAccess,
  post: OutboundPost,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<PublishOutcome> {
  const progress = `items:${ids.join(',')}`
  for (const id of ids) {
    const state = await watch(channel, id, progress, signal)
    if (state !== 'FINISHED') return state === 'PUBLISHED' ? expired : state
  }
  const caption = post.text === '' ? {} : { caption: post.text }
  const made = await make(channel, { media_type: 'CAROUSEL', children: ids.join(','), ...caption }, signal)
  return 'type' in made ? made : publishWhenReady(channel, post, made.id, signal)
}

const expired = { type: 'processing', progress: 'again', afterMs: 1_000 } as const

/** How far a container is: `FINISHED` may be published, everything else is the outcome for now. */
async function watch(
  channel: ChannelAccess,
  id: string,
  progress: string,
  signal: AbortSignal,
): Promise<'FINISHED' | 'PUBLISHED' | Exclude<PublishOutcome, { readonly type: 'sent' }>> {
  const query = { fields: 'status_code,status' }
  const result = await callGraph(channel, { method: 'GET', path: encodeURIComponent(id), query }, signal)
  const later = { type: 'processing', progress, afterMs: pauseMs } as const
  if (!result.ok) {
    if (result.outcome.type !== 'refused') return later
    // A container that is gone was never published.
    return result.outcome.class === 'content' ? expired : result.outcome
  }
  const { status_code: code, status } = fieldsOf(result.json)
  if (code === 'FINISHED' || code === 'PUBLISHED') return code
  if (code === 'EXPIRED') return expired
  return code === 'ERROR' ? classifyContainer(textOf(status) ?? '') : later
}

async function publishWhenReady(
  channel: ChannelAccess,
  post: OutboundPost,
  id: string,
  signal: AbortSignal,
): Promise<PublishOutcome> {
  const state = await watch(channel, id, `post:${id}`, signal)
  if (state === 'PUBLISHED') return findPublished(channel, post, signal)
  if (state !== 'FINISHED') return state
  const call: GraphCall = { method: 'POST', path: edge(channel, 'media_publish'), body: { creation_id: id } }
  const result = await callGraph(channel, call, signal)
  if (!result.ok)
    return result.outcome.code.endsWith('/2207027')
      ? { type: 'processing', progress: `post:${id}`, afterMs: pauseMs }
      : result.outcome
  const externalId = idOf(fieldsOf(result.json).id)
  if (externalId === undefined)
    return { type: 'unknown', code: 'no_id', reason: 'Instagram accepted the post and gave no id.' }
  const query = { fields: 'permalink' }
  const told = await callGraph(channel, { method: 'GET', path: encodeURIComponent(externalId), query }, signal)
  const permalink = told.ok ? urlOf(fieldsOf(told.json).permalink) : undefined
  return { type: 'sent', externalId, ...(permalink === undefined ? {} : { permalink }) }
}

/** The container was published by a request whose answer was lost. */
async function findPublished(channel: ChannelAccess, post: OutboundPost, signal: AbortSignal): Promise<PublishOutcome> {
  const found = await lookUpPost(channel, post, new Date(Date.now() - dayMs), signal)
  return found.type === 'found'
    ? { type: 'sent', externalId: found.externalId }
    : {
        type: 'unknown',
        code: 'published',
        reason: 'Instagram has published it; which post it became cannot be found.',
      }
}

/** Among the newest media of the account, by the words. */
export async function lookUpPost(
  channel: ChannelAccess,
  post: OutboundPost,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  const query = { fields: 'id,caption,timestamp', limit: String(pageSize) }
  const result = await callGraph(channel, { method: 'GET', path: edge(channel, 'media'), query }, signal)
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  const media = listOf(fieldsOf(result.json).data).map(fieldsOf)
  return findOwn(media, { since, fullAt: pageSize }, (one) => (textOf(one.caption) ?? '') === post.text)
}
