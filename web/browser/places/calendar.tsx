/** The calendar of posts: by month, week or as a list, with the editor beside it. Its address holds all that is chosen. */
import '../styles/calendar.css'
import '../texts/posts.ts'
import { Button, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { IconCalendarPlus, IconPlus } from '@tabler/icons-react'
import { useEffect, useMemo, useState } from 'react'
import { Link, useNavigate, useParams, useSearchParams } from 'react-router'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { useNow } from '../clock.ts'
import { useSession } from '../session.ts'
import { Empty, Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { CalendarBar, calendarViews, type CalendarView } from './calendar-bar.tsx'
import { addDays, addMonths, isDay, startOfMonth, startOfWeek, useZone, type Day } from './calendar-days.ts'
import { CalendarGrid } from './calendar-grid.tsx'
import { CalendarIdeas } from './calendar-ideas.tsx'
import { useCalendarKeys } from './calendar-keys.ts'
import { CalendarList } from './calendar-list.tsx'
import { MoveDialog } from './calendar-move.tsx'
import { useMove } from './calendar-moves.ts'
import { mayMove, postQueries } from './post-api.ts'
import { PostEditor } from './post-editor.tsx'
import { PostSettings } from './post-settings.tsx'
import { postStates } from './post-state.tsx'
import { leave } from './post-unsaved.ts'
import { useTell } from './use-tell.ts'

export function Calendar() {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const navigate = useNavigate()
  const client = useQueryClient()
  const tell = useTell()
  const zone = useZone()
  const { postId } = useParams()
  const [search] = useSearchParams()
  const isNarrow = useMediaQuery('(max-width: 699.9px)')
  const mayWrite = permissions.includes('posts.write')
  const now = useNow()
  const today = zone.dayOf(now)
  const asked = search.get('date')
  const date = isDay(asked) ? asked : today
  const wanted = calendarViews.find((each) => each === search.get('view')) ?? 'month'
  const view: CalendarView = isNarrow ? 'list' : wanted
  const state = postStates.find((each) => each === search.get('state'))
  const channelId = search.get('channel') ?? undefined
  const [moving, setMoving] = useState<PlannedPostJson>()
  const [isSettingUp, setSettingUp] = useState(false)

  useEffect(() => {
    document.title = `${t('place.calendar')} · ${t('app.name')}`
  }, [t])

  const first =
    view === 'list' ? startOfMonth(date) : startOfWeek(view === 'week' ? date : startOfMonth(date), zone.firstWeekday)
  const nextMonth = addMonths(startOfMonth(date), 1)
  const count = view === 'week' ? 7 : addDays(first, 35) >= nextMonth ? 35 : 42
  const end = view === 'list' ? nextMonth : addDays(first, count)
  const filter = useMemo(() => ({ state, channel_id: channelId }), [state, channelId])
  const range = useQuery({
    ...postQueries.range(zone.instantOf(first, '00:00'), zone.instantOf(end, '00:00'), filter),
    placeholderData: (old) => old,
  })
  const ideas = useQuery(postQueries.ideas(channelId))
  const items = range.data?.items
  const byDay = new Map<Day, PlannedPostJson[]>()
  for (const post of items ?? []) {
    const day = post.publish_at === null ? undefined : zone.dayOf(post.publish_at)
    if (day !== undefined && day >= first && day < end) byDay.set(day, [...(byDay.get(day) ?? []), post])
  }

  const withSearch = (path: string, change: Readonly<Record<string, string | undefined>> = {}): string => {
    const next = new URLSearchParams(search)
    // Where a new post begins belongs to that one.
    next.delete('at')
    for (const [name, value] of Object.entries(change)) {
      if (value) next.set(name, value)
      else next.delete(name)
    }
    const text = next.toString()
    return `${path}${text && `?${text}`}`
  }
  const here = postId === undefined ? '/calendar' : `/calendar/${postId}`
  const show = (change: Readonly<Record<string, string | undefined>>): void =>
    void navigate(withSearch(here, change), { replace: true })
  const turn = (step: 1 | -1): void =>
    show({ date: view === 'week' ? addDays(date, 7 * step) : addMonths(startOfMonth(date), step) })
  const find = (id: string): PlannedPostJson | undefined =>
    items?.find((post) => post.id === id) ??
    ideas.data?.find((post) => post.id === id) ??
    client.getQueryData<PlannedPostJson>(postQueries.one(id).queryKey)

  const { move, drop } = useMove(zone, today, find)
  const moveFocused = (): void => {
    const focused = document.activeElement?.closest<HTMLElement>('[data-post]')?.dataset['post'] ?? postId
    const post = focused === undefined || focused === 'new' ? undefined : find(focused)
    if (!post) return
    if (mayMove(post)) setMoving(post)
    else tell.failed(new Error(t('calendar.not_movable', { state: t(`post.state_${post.state}`) })))
  }
  useCalendarKeys({
    show,
    openNew: mayWrite ? () => leave(() => void navigate(withSearch('/calendar/new'))) : undefined,
    moveFocused: mayWrite ? moveFocused : undefined,
    setUp: permissions.includes('account.manage') ? () => setSettingUp(true) : undefined,
  })

  if (!permissions.includes('posts.read'))
    return (
      <div className="place">
        <Text c="dimmed">{t('settings.not_allowed')}</Text>
      </div>
    )

  const hrefOf = (id: string): string => withSearch(`/calendar/${id}`)
  const add = mayWrite && (
    <Button
      leftSection={<IconPlus size={18} aria-hidden />}
      component={Link}
      to={withSearch('/calendar/new')}
      className="calendar-new"
    >
      {t('calendar.new')}
    </Button>
  )
  const isEmpty = items?.length === 0 && !range.isPlaceholderData
  const isFiltered = state !== undefined || channelId !== undefined
  const empty = (
    <Empty
      icon={<IconCalendarPlus size={40} stroke={1.3} />}
      title={t(isFiltered ? 'calendar.empty_filtered' : 'calendar.empty')}
      hint={t(isFiltered ? 'calendar.empty_filtered_hint' : 'calendar.empty_hint')}
    >
      {isFiltered ? (
        <Button variant="default" onClick={() => show({ state: undefined, channel: undefined })}>
          {t('calendar.show_all')}
        </Button>
      ) : (
        add
      )}
    </Empty>
  )
  return (
    <div className="calendar" data-editing={postId !== undefined || undefined}>
      <h1 className="heard-only">{t('place.calendar')}</h1>
      <div className="calendar-main">
        <CalendarBar
          view={view}
          hasViews={!isNarrow}
          title={view === 'week' ? `${zone.shortDay(first)} – ${zone.shortDay(addDays(first, 6))}` : zone.month(date)}
          isToday={today >= first && today < end && (view === 'week' || today.slice(0, 7) === date.slice(0, 7))}
          state={state}
          channelId={channelId}
          show={show}
          turn={turn}
          setUp={permissions.includes('account.manage') ? () => setSettingUp(true) : undefined}
        >
          {add}
        </CalendarBar>
        {range.isError && !items ? (
          <Failure error={range.error} again={() => void range.refetch()} />
        ) : (
          <div className="calendar-body" aria-busy={range.isPending}>
            <div className="calendar-shown">
              {range.data?.isPart && <Text className="calendar-part">{t('calendar.part')}</Text>}
              {view === 'list' ? (
                items !== undefined && (
                  <CalendarList byDay={byDay} today={today} zone={zone} openId={postId} hrefOf={hrefOf} empty={empty} />
                )
              ) : (
                <>
                  {isEmpty && <div className="calendar-empty">{empty}</div>}
                  <CalendarGrid
                    first={first}
                    count={count}
                    month={view === 'month' ? date.slice(0, 7) : undefined}
                    today={today}
                    chosen={date}
                    byDay={byDay}
                    zone={zone}
                    openId={postId}
                    mayWrite={mayWrite}
                    hrefOf={hrefOf}
                    hrefOfNew={(day) => withSearch('/calendar/new', { at: day })}
                    hrefOfDay={(day) => withSearch(here, { view: 'week', date: day })}
                    drop={drop}
                  />
                </>
              )}
            </div>
            <CalendarIdeas ideas={ideas.data} state={state} zone={zone} openId={postId} hrefOf={hrefOf} />
          </div>
        )}
      </div>
      {postId !== undefined && (
        <PostEditor
          key={postId}
          id={postId === 'new' ? undefined : postId}
          startDay={isDay(search.get('at')) ? search.get('at') : null}
          startChannel={channelId}
          zone={zone}
          close={() => void navigate(withSearch('/calendar'))}
          goTo={(id) => void navigate(withSearch(`/calendar/${id}`), { replace: true })}
        />
      )}
      {moving && (
        <MoveDialog post={moving} zone={zone} move={(at) => move(moving, at)} close={() => setMoving(undefined)} />
      )}
      {isSettingUp && <PostSettings close={() => setSettingUp(false)} />}
    </div>
  )
}
