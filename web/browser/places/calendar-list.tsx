/** The calendar as a list: the days that have something, one below the other. */
import type { ReactNode } from 'react'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { useSpeech } from '../texts/index.tsx'
import { PostCard } from './calendar-card.tsx'
import type { Day, Zone } from './calendar-days.ts'

interface Props {
  readonly byDay: ReadonlyMap<Day, readonly PlannedPostJson[]>
  readonly today: Day
  readonly zone: Zone
  readonly openId: string | undefined
  readonly hrefOf: (postId: string) => string
  readonly empty: ReactNode
}

export function CalendarList({ byDay, today, zone, openId, hrefOf, empty }: Props) {
  const { t } = useSpeech()
  const days = [...byDay.keys()].sort()
  if (days.length === 0) return empty
  return (
    <div className="calendar-list">
      {days.map((day) => (
        <section key={day} data-when={day === today ? 'today' : day < today ? 'past' : undefined}>
          <h2>
            {zone.longDay(day)}
            {day === today && <span className="day-today">{t('time.today')}</span>}
          </h2>
          {byDay.get(day)?.map((post) => (
            <PostCard
              key={post.id}
              post={post}
              zone={zone}
              href={hrefOf(post.id)}
              isOpen={post.id === openId}
              isLarge
            />
          ))}
        </section>
      ))}
    </div>
  )
}
