/** What is shown of the calendar: which time, which view, which channel, which state. */
import { ActionIcon, Button, Group, NativeSelect, SegmentedControl, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconAdjustments, IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { api } from '../api.ts'
import { keys } from '../queries.ts'
import { useSpeech } from '../texts/index.tsx'
import { postStates, type PostState } from './post-state.tsx'

export const calendarViews = ['month', 'week', 'list'] as const
export type CalendarView = (typeof calendarViews)[number]

interface Props {
  readonly view: CalendarView
  readonly hasViews: boolean
  readonly title: string
  readonly isToday: boolean
  readonly state: PostState | undefined
  readonly channelId: string | undefined
  readonly show: (change: Readonly<Record<string, string | undefined>>) => void
  readonly turn: (step: 1 | -1) => void
  /** Undefined: the reader may not. */
  readonly setUp: (() => void) | undefined
  readonly children: ReactNode
}

export function CalendarBar({ view, hasViews, title, isToday, state, channelId, show, turn, setUp, children }: Props) {
  const { t } = useSpeech()
  const channels = useQuery({ queryKey: keys.channels, queryFn: ({ signal }) => api.channels(signal) })
  return (
    <header className="calendar-bar">
      <Group gap={4} wrap="nowrap" className="calendar-when">
        <ActionIcon variant="subtle" color="gray" size={36} aria-label={t('calendar.before')} onClick={() => turn(-1)}>
          <IconChevronLeft size={20} />
        </ActionIcon>
        <Title order={2} size="h3" aria-live="polite" className="calendar-title">
          {title}
        </Title>
        <ActionIcon variant="subtle" color="gray" size={36} aria-label={t('calendar.after')} onClick={() => turn(1)}>
          <IconChevronRight size={20} />
        </ActionIcon>
        <Button size="compact-md" variant="default" disabled={isToday} onClick={() => show({ date: undefined })}>
          {t('calendar.today')}
        </Button>
      </Group>
      <Group gap="xs" className="calendar-choices">
        {hasViews && (
          <SegmentedControl
            aria-label={t('calendar.view')}
            value={view}
            onChange={(next) => show({ view: next === 'month' ? undefined : next })}
            data={calendarViews.map((each) => ({ value: each, label: t(`calendar.${each}`) }))}
          />
        )}
        <NativeSelect
          aria-label={t('calendar.channel')}
          value={channelId ?? ''}
          onChange={(event) => show({ channel: event.currentTarget.value })}
          data={[
            { value: '', label: t('calendar.any_channel') },
            ...(channels.data?.items ?? [])
              .filter(({ type }) => type !== 'whatsapp')
              .map(({ id, name, type }) => ({ value: id, label: `${name} · ${t(`channel.${type}`)}` })),
          ]}
        />
        <NativeSelect
          aria-label={t('calendar.state')}
          value={state ?? ''}
          onChange={(event) => show({ state: event.currentTarget.value })}
          data={[
            { value: '', label: t('calendar.any_state') },
            ...postStates.map((each) => ({ value: each, label: t(`post.state_${each}`) })),
          ]}
        />
        {setUp && (
          <ActionIcon
            variant="default"
            size={36}
            aria-label={t('post.settings')}
            title={t('post.settings')}
            onClick={setUp}
          >
            <IconAdjustments size={20} />
          </ActionIcon>
        )}
        {children}
      </Group>
    </header>
  )
}
