/** A month or a week: days side by side, posts in them, to be dropped on another day. */
import { IconPlus } from '@tabler/icons-react'
import { useRef, useState, type KeyboardEvent } from 'react'
import { Link } from 'react-router'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { useSpeech } from '../texts/index.tsx'
import { dragType, PostCard } from './calendar-card.tsx'
import { addDays, daysFrom, type Day, type Zone } from './calendar-days.ts'

interface Props {
  readonly first: Day
  readonly count: 7 | 35 | 42
  /** Days of other months are shown paler. */
  readonly month: string | undefined
  readonly today: Day
  readonly chosen: Day
  readonly byDay: ReadonlyMap<Day, readonly PlannedPostJson[]>
  readonly zone: Zone
  readonly openId: string | undefined
  readonly mayWrite: boolean
  readonly hrefOf: (postId: string) => string
  readonly hrefOfNew: (day: Day) => string
  readonly hrefOfDay: (day: Day) => string
  readonly drop: (postId: string, day: Day) => void
}

/** More in one day of a month are behind a link to its week. */
const mostInMonth = 3
const arrows: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }

export function CalendarGrid(props: Props) {
  const { first, count, month, today, chosen, byDay, zone, openId, mayWrite, hrefOf, hrefOfNew, hrefOfDay, drop } =
    props
  const { t } = useSpeech()
  const grid = useRef<HTMLDivElement>(null)
  const [over, setOver] = useState<Day>()
  const [focused, setFocused] = useState<Day>()
  const days = daysFrom(first, count)
  // One day is in the way of Tab; the arrows lead to the others, and Tab goes on from there.
  const entry =
    focused !== undefined && days.includes(focused)
      ? focused
      : days.includes(chosen)
        ? chosen
        : days.includes(today)
          ? today
          : first

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = arrows[event.key]
    const from =
      event.target instanceof HTMLElement ? event.target.closest<HTMLElement>('[data-day]')?.dataset['day'] : undefined
    if (step === undefined || from === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    const to = grid.current?.querySelector<HTMLElement>(`[data-day="${addDays(from, step)}"] .day-number`)
    if (!to) return
    event.preventDefault()
    to.focus()
  }

  return (
    <div
      className="calendar-grid"
      data-weeks={count / 7}
      ref={grid}
      onKeyDown={onKeyDown}
      onDragEnd={() => setOver(undefined)}
    >
      <div className="calendar-weekdays" aria-hidden>
        {days.slice(0, 7).map((day) => (
          <span key={day}>{zone.weekday(day)}</span>
        ))}
      </div>
      <ol className="calendar-days plain-list">
        {days.map((day) => {
          const posts = byDay.get(day) ?? []
          const shown = count === 7 || posts.length <= mostInMonth + 1 ? posts : posts.slice(0, mostInMonth)
          const isPast = day < today
          return (
            <li
              key={day}
              className="calendar-day"
              data-day={day}
              onFocus={() => setFocused(day)}
              data-when={day === today ? 'today' : isPast ? 'past' : undefined}
              data-other={(month !== undefined && !day.startsWith(month)) || undefined}
              data-over={over === day || undefined}
              onDragOver={(event) => {
                if (!event.dataTransfer.types.includes(dragType)) return
                event.preventDefault()
                setOver(day)
              }}
              onDrop={(event) => {
                event.preventDefault()
                setOver(undefined)
                const id = event.dataTransfer.getData(dragType)
                if (id) drop(id, day)
              }}
            >
              <div className="day-head">
                {/* The day is the way to a week; where one may write, the plus is the way to a post. */}
                <Link
                  to={hrefOfDay(day)}
                  className="day-number"
                  tabIndex={day === entry ? 0 : -1}
                  aria-current={day === today ? 'date' : undefined}
                >
                  {day.endsWith('-01') || day === first ? zone.shortDay(day) : Number(day.slice(8))}
                  <span className="heard-only">
                    , {zone.longDay(day)}, {t('calendar.posts', { count: posts.length })}
                  </span>
                </Link>
                {day === today && <span className="day-today">{t('time.today')}</span>}
                {mayWrite && !isPast && (
                  <Link
                    to={hrefOfNew(day)}
                    className="day-new"
                    tabIndex={day === entry ? 0 : -1}
                    aria-label={t('calendar.new_on', { day: zone.longDay(day) })}
                    title={t('calendar.new')}
                  >
                    <IconPlus size={16} aria-hidden />
                  </Link>
                )}
              </div>
              {shown.map((post) => (
                <PostCard
                  key={post.id}
                  post={post}
                  zone={zone}
                  href={hrefOf(post.id)}
                  isOpen={post.id === openId}
                  isLarge={count === 7}
                />
              ))}
              {shown.length < posts.length && (
                <Link to={hrefOfDay(day)} className="day-more">
                  {t('calendar.more', { count: posts.length - shown.length })}
                </Link>
              )}
            </li>
          )
        })}
      </ol>
    </div>
  )
}
