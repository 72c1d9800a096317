/** How each chosen channel takes what is on the desk: the networks' rules by the API, the counting at once. */
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { ChannelCheckJson, PlannedPostJson } from '../../presenters/post-shapes.ts'
import type { ChannelJson } from '../../presenters/shapes.ts'
import { countText } from '../counting.ts'
import { postQueries } from './post-api.ts'
import { contentOf, linkOf, textFor, type PostForm } from './post-form.ts'

const waitMs = 350

export interface PostCheck {
  readonly channel: ChannelCheckJson['channel']
  readonly limits: ChannelCheckJson['limits']
  readonly length: number
  readonly problems: ChannelCheckJson['problems']
}

export function usePostChecks(
  form: PostForm,
  post: PlannedPostJson | undefined,
  channels: readonly ChannelJson[],
  isAsking: boolean,
) {
  const content = useMemo(() => JSON.stringify({ ...contentOf(form), ...(post && { post_id: post.id }) }), [form, post])
  const [settled] = useDebouncedValue(content, waitMs)
  const asked = useQuery({
    ...postQueries.check(JSON.parse(settled) as Record<string, unknown>),
    enabled: isAsking && form.channels.length > 0,
    placeholderData: keepPreviousData,
  })
  const checks = form.channels.flatMap(({ channelId }): PostCheck[] => {
    const known =
      asked.data?.channels.find(({ channel }) => channel.id === channelId) ??
      post?.channels.find(({ channel }) => channel.id === channelId)
    const channel = channels.find(({ id }) => id === channelId) ?? known?.channel
    if (!channel) return []
    const limits = known?.limits ?? null
    const { id, type, name } = channel
    const length = limits ? countText(wordsFor(form, channelId, limits), limits.counting) : (known?.length ?? 0)
    const isTooLong = limits !== null && length > limits.max_text_length
    return [
      {
        channel: { id, type, name },
        limits,
        length,
        problems: [
          ...(isTooLong ? [{ code: 'too_long', severity: 'error', field: 'text', message: '' } as const] : []),
          ...(known?.problems.filter(({ code }) => code !== 'too_long') ?? []),
        ],
      },
    ]
  })
  return {
    checks,
    /** Whether the API has seen what is on the desk now. */
    isSettled: content === settled && !asked.isFetching && !asked.isPlaceholderData,
    hasErrors: checks.some(({ problems }) => problems.some(({ severity }) => severity === 'error')),
  }
}

/** Where a network has no place of its own for the link, it stands in the text and counts there (X). */
function wordsFor(form: PostForm, channelId: string, limits: NonNullable<ChannelCheckJson['limits']>): string {
  const text = textFor(form, channelId)
  const link = linkOf(form.link)
  const isInText = limits.counting === 'weighted' && limits.has_link
  return !isInText || link === null || text.includes(link) ? text : `${text} ${link}`.trim()
}
