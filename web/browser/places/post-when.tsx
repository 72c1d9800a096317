/** When a post goes out, and what happens when an outage was in the way. */
import { Button, Group, NativeSelect, Text, TextInput } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useNow } from '../clock.ts'
import { useSpeech } from '../texts/index.tsx'
import { addDays, isDay, weekdayOf, type Zone } from './calendar-days.ts'
import type { PostForm } from './post-form.ts'

interface Props {
  readonly publishAt: string | null
  readonly latePolicy: PostForm['latePolicy']
  readonly zone: Zone
  readonly change: (patch: Partial<PostForm>) => void
}

const policies = ['publish_late', 'skip', 'ask'] as const

export function PostWhen({ publishAt, latePolicy, zone, change }: Props) {
  const { t, times } = useSpeech()
  const now = useNow()
  const [day, setDay] = useState(publishAt ? zone.dayOf(publishAt) : '')
  const [clock, setClock] = useState(publishAt ? zone.clockOf(publishAt) : '')
  const [shown, setShown] = useState(publishAt)
  // Set from elsewhere: moved in the calendar, taken from somebody else's change.
  if (publishAt !== shown) {
    setShown(publishAt)
    setDay(publishAt ? zone.dayOf(publishAt) : '')
    setClock(publishAt ? zone.clockOf(publishAt) : '')
  }
  const isHalf = (day === '') !== (clock === '')
  const isPast = publishAt !== null && Date.parse(publishAt) <= now
  const set = (nextDay: string, nextClock: string): void => {
    const at = isDay(nextDay) && /^\d\d:\d\d$/.test(nextClock) ? zone.instantOf(nextDay, nextClock) : null
    setDay(nextDay)
    setClock(nextClock)
    setShown(at)
    change({ publishAt: at })
  }
  const today = zone.dayOf(now)
  const tomorrow = addDays(today, 1)
  const inAnHour = Math.ceil((now + 45 * 60_000) / 900_000) * 900_000
  const monday = addDays(today, (8 - weekdayOf(today)) % 7 || 7)
  const suggestions = [
    {
      label: t('post.in_an_hour', { time: zone.clock(new Date(inAnHour).toISOString()) }),
      day: zone.dayOf(inAnHour),
      clock: zone.clockOf(inAnHour),
    },
    {
      label: t('post.tomorrow', { time: zone.clock(zone.instantOf(tomorrow, '09:00')) }),
      day: tomorrow,
      clock: '09:00',
    },
    { label: `${zone.weekday(monday)} ${zone.clock(zone.instantOf(monday, '09:00'))}`, day: monday, clock: '09:00' },
  ]
  return (
    <fieldset className="post-part">
      <legend>{t('post.when')}</legend>
      <Group gap="xs" align="flex-end">
        <TextInput
          type="date"
          label={t('post.day')}
          value={day}
          min={today}
          onChange={(event) => set(event.currentTarget.value, clock || '09:00')}
        />
        <TextInput
          type="time"
          label={t('post.clock')}
          value={clock}
          onChange={(event) => set(day || today, event.currentTarget.value)}
        />
        {(day !== '' || clock !== '') && (
          <Button
            variant="subtle"
            color="gray"
            leftSection={<IconX size={16} aria-hidden />}
            onClick={() => set('', '')}
          >
            {t('post.no_time')}
          </Button>
        )}
      </Group>
      <Text className="mark-text" mt={4}>
        {publishAt === null ? t('post.no_time_yet') : `${zone.short(publishAt)} · ${times.relative(publishAt, now)}`} ·{' '}
        {t('post.zone', { zone: zone.name })}
      </Text>
      {isHalf && (
        <div className="post-problem" data-severity="warning">
          {t('post.time_incomplete')}
        </div>
      )}
      {isPast && (
        <div className="post-problem" data-severity="error" role="alert">
          {t('post.refused_past')}
        </div>
      )}
      <Group gap={6} mt={6} role="group" aria-label={t('post.suggestions')}>
        {suggestions.map((each) => (
          <Button key={each.label} size="compact-md" variant="default" onClick={() => set(each.day, each.clock)}>
            {each.label}
          </Button>
        ))}
      </Group>
      {publishAt !== null && (
        <NativeSelect
          mt="sm"
          label={t('post.late')}
          value={latePolicy}
          onChange={(event) => {
            const policy = policies.find((each) => each === event.currentTarget.value)
            if (policy) change({ latePolicy: policy })
          }}
          data={policies.map((each) => ({ value: each, label: t(`post.late_${each}`) }))}
        />
      )}
    </fieldset>
  )
}
