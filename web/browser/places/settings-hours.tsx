/** When somebody is there: everybody's hours, and those of teams that keep others. */
import '../styles/rules.css'
import '../texts/rules.ts'
import { ActionIcon, Alert, Button, Group, NativeSelect, Select, Stack, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconClockHour4, IconPlus, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import type { HoursJson } from '../../presenters/rules.ts'
import { useSession } from '../session.ts'
import { Empty } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { lists } from './people-api.ts'
import { PartHead, Shown, useAct } from './people-parts.tsx'
import { ruleLists, rulesApi } from './rules-api.ts'
import { useTell } from './use-tell.ts'

type Kept = Omit<HoursJson, 'team_id'>
const workday = [['09:00', '17:00']]

export function Hours() {
  const { t } = useSpeech()
  const query = useQuery(ruleLists.hours)
  const teams = useQuery(lists.teams).data?.items ?? []
  const [of, setOf] = useState('')
  return (
    <>
      <PartHead title="settings.hours" lead="hours.lead" />
      {teams.length > 0 && (
        <NativeSelect
          label={t('hours.of')}
          mb="md"
          maw={340}
          data={[
            { value: '', label: t('hours.of_account') },
            ...teams.map(({ id, name }) => ({ value: id, label: name })),
          ]}
          value={of}
          onChange={(event) => setOf(event.currentTarget.value)}
        />
      )}
      <Shown query={query}>
        {({ items }) => (
          <Owner
            key={`${of} ${JSON.stringify(items)}`}
            teamId={of === '' ? null : of}
            kept={items.find(({ team_id }) => team_id === (of === '' ? null : of))}
          />
        )}
      </Shown>
    </>
  )
}

function Owner({ teamId, kept }: { readonly teamId: string | null; readonly kept: Kept | undefined }) {
  const { t } = useSpeech()
  const tell = useTell()
  const { user } = useSession()
  const [hours, setHours] = useState(kept)
  const save = useAct(
    (next: Kept | null) =>
      rulesApi.setHours(
        teamId,
        next && {
          time_zone: next.time_zone,
          weekly: next.weekly,
          holidays: next.holidays.filter(({ date }) => date !== ''),
        },
      ),
    () => tell.done(t('settings.saved')),
  )
  if (hours === undefined)
    return (
      <Empty
        icon={<IconClockHour4 size={40} stroke={1.3} />}
        title={t(teamId === null ? 'hours.none' : 'hours.none_team')}
      >
        <Button
          onClick={() =>
            setHours({
              time_zone: user.time_zone,
              weekly: [...Array.from({ length: 5 }, () => workday), [], []],
              holidays: [],
            })
          }
        >
          {t('hours.begin')}
        </Button>
      </Empty>
    )
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate(hours)
      }}
    >
      <Stack gap="md">
        {save.error && (
          <Alert color="red" variant="light" role="alert">
            {t('rules.refused', { reason: save.error.message })}
          </Alert>
        )}
        <Select
          label={t('hours.zone')}
          maw={340}
          searchable
          allowDeselect={false}
          data={[...new Set([hours.time_zone, 'UTC', ...Intl.supportedValuesOf('timeZone')])]}
          value={hours.time_zone}
          onChange={(zone) => setHours({ ...hours, time_zone: zone ?? hours.time_zone })}
        />
        <Week hours={hours} set={setHours} />
        <Holidays hours={hours} set={setHours} />
        <Group>
          <Button type="submit" loading={save.isPending}>
            {t('settings.save')}
          </Button>
          {kept !== undefined && (
            <Button variant="subtle" color="red" onClick={() => save.mutate(null)}>
              {t('hours.drop')}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  )
}

interface Part {
  readonly hours: Kept
  readonly set: (hours: Kept) => void
}

function Week({ hours, set }: Part) {
  const { t, language } = useSpeech()
  // The first of January 2024 was a Monday.
  const nameOf = (day: number): string =>
    new Intl.DateTimeFormat(language, { weekday: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(2024, 0, 1 + day)))
  const put = (day: number, spans: string[][]): void =>
    set({ ...hours, weekly: hours.weekly.map((each, n) => (n === day ? spans : each)) })
  return (
    <div>
      {hours.weekly.map((spans, day) => {
        const name = nameOf(day)
        return (
          <div key={name} className="hours-day" role="group" aria-label={name}>
            <b>{name}</b>
            {spans.length === 0 && <span className="card-side">{t('hours.closed')}</span>}
            {spans.map(([from = '', to = ''], n) => (
              <Group key={n} gap={4} wrap="nowrap">
                <TextInput
                  type="time"
                  required
                  aria-label={t('hours.open_from', { day: name })}
                  value={from}
                  onChange={({ currentTarget: { value } }) =>
                    put(
                      day,
                      spans.map((each, m) => (m === n ? [value, to] : each)),
                    )
                  }
                />
                <span aria-hidden>–</span>
                <TextInput
                  type="time"
                  required
                  aria-label={t('hours.open_to', { day: name })}
                  value={to === '24:00' ? '00:00' : to}
                  onChange={({ currentTarget: { value } }) =>
                    put(
                      day,
                      spans.map((each, m) => (m === n ? [from, value] : each)),
                    )
                  }
                />
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t('hours.drop_span', { day: name })}
                  onClick={() =>
                    put(
                      day,
                      spans.filter((_, m) => m !== n),
                    )
                  }
                >
                  <IconX size={18} aria-hidden />
                </ActionIcon>
              </Group>
            ))}
            <ActionIcon
              variant="subtle"
              aria-label={t('hours.add_span', { day: name })}
              disabled={spans.length >= 6}
              onClick={() => put(day, [...spans, spans.length === 0 ? ['09:00', '17:00'] : ['18:00', '20:00']])}
            >
              <IconPlus size={18} aria-hidden />
            </ActionIcon>
          </div>
        )
      })}
    </div>
  )
}

function Holidays({ hours, set }: Part) {
  const { t } = useSpeech()
  const put = (at: number, change: Partial<Kept['holidays'][number]>): void =>
    set({ ...hours, holidays: hours.holidays.map((each, n) => (n === at ? { ...each, ...change } : each)) })
  return (
    <fieldset className="rule-part">
      <legend>{t('hours.holidays')}</legend>
      {hours.holidays.map((day, n) => (
        <div key={n} className="rule-row">
          <TextInput
            type="date"
            required
            aria-label={t('hours.holiday')}
            value={day.date}
            onChange={(event) => put(n, { date: event.currentTarget.value })}
          />
          <TextInput
            className="rule-grow"
            aria-label={t('hours.holiday_name')}
            placeholder={t('hours.holiday_name')}
            maxLength={100}
            value={day.name}
            onChange={(event) => put(n, { name: event.currentTarget.value })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('hours.drop_holiday', { name: day.name || day.date })}
            onClick={() => set({ ...hours, holidays: hours.holidays.filter((_, m) => m !== n) })}
          >
            <IconX size={18} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconPlus size={16} aria-hidden />}
        onClick={() => set({ ...hours, holidays: [...hours.holidays, { date: '', name: '' }] })}
      >
        {t('hours.add_holiday')}
      </Button>
    </fieldset>
  )
}
