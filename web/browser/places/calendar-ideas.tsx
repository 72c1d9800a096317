/** What has no time yet, beside the calendar: to be dragged onto a day. */
import { Text, Title } from '@mantine/core'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { useSpeech } from '../texts/index.tsx'
import { PostCard } from './calendar-card.tsx'
import type { Zone } from './calendar-days.ts'
import type { PostState } from './post-state.tsx'

interface Props {
  readonly ideas: readonly PlannedPostJson[] | undefined
  readonly state: PostState | undefined
  readonly zone: Zone
  readonly openId: string | undefined
  readonly hrefOf: (postId: string) => string
}

export function CalendarIdeas({ ideas, state, zone, openId, hrefOf }: Props) {
  const { t } = useSpeech()
  const shown = ideas?.filter((post) => state === undefined || post.state === state) ?? []
  return (
    <section className="calendar-ideas" aria-labelledby="calendar-ideas">
      <Title order={2} size="h5" id="calendar-ideas">
        {t('calendar.ideas')} {shown.length > 0 && <span className="count dimmed">{shown.length}</span>}
      </Title>
      {shown.length === 0 ? (
        <Text c="dimmed">{t('calendar.ideas_empty')}</Text>
      ) : (
        shown.map((post) => (
          <PostCard key={post.id} post={post} zone={zone} href={hrefOf(post.id)} isOpen={post.id === openId} isLarge />
        ))
      )}
    </section>
  )
}
