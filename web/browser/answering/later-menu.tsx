/** When an answer is sent: now by the button beside it, or later. */
import { ActionIcon, Menu } from '@mantine/core'
import { IconCalendarTime, IconChevronDown, IconClock } from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { ownZone, usualTimes } from './zoned.ts'

const LaterDialog = lazy(() => import('./later-dialog.tsx').then((file) => ({ default: file.LaterDialog })))

export interface Later {
  readonly at: string
  readonly endsIfAnswered: boolean
}

interface Props {
  readonly isDisabled: boolean
  readonly kind: string
  /** After that the network takes no answer. */
  readonly closesAt: string | null
  readonly now: number
  readonly onChoose: (later: Later) => void
}

export function LaterMenu({ isDisabled, kind, closesAt, now, onChoose }: Props) {
  const { t } = useSpeech()
  const zone = useSession().user.time_zone || ownZone
  const clock = useClock(zone)
  const [isChoosing, setChoosing] = useState(false)
  const [endsIfAnswered, setEnds] = useState(true)
  const times = usualTimes(now, zone)
  return (
    <>
      <Menu position="top-end" withinPortal closeOnItemClick={false} width={300}>
        <Menu.Target>
          <ActionIcon
            size={34}
            className="send-later"
            data-kind={kind}
            disabled={isDisabled}
            aria-label={t('answer.later')}
            title={t('answer.later')}
          >
            <IconChevronDown size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t('answer.later')}</Menu.Label>
          {times.map(({ key, at }) => {
            const isAfter = closesAt !== null && at >= Date.parse(closesAt)
            return (
              <Menu.Item
                key={key}
                leftSection={<IconClock size={16} aria-hidden />}
                rightSection={<span className="later-when">{clock(at)}</span>}
                disabled={isAfter}
                closeMenuOnClick
                onClick={() => onChoose({ at: new Date(at).toISOString(), endsIfAnswered })}
              >
                {t(`answer.later_${key}`)}
                {isAfter && <span className="later-why">{t('answer.later_closed')}</span>}
              </Menu.Item>
            )
          })}
          <Menu.Item
            leftSection={<IconCalendarTime size={16} aria-hidden />}
            closeMenuOnClick
            onClick={() => setChoosing(true)}
          >
            {t('answer.later_choose')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item
            role="menuitemcheckbox"
            aria-checked={endsIfAnswered}
            leftSection={<input type="checkbox" tabIndex={-1} checked={endsIfAnswered} readOnly aria-hidden />}
            onClick={() => setEnds((is) => !is)}
          >
            {t('answer.later_ends')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isChoosing && (
        <Suspense>
          <LaterDialog
            title={t('answer.later')}
            button={t('answer.plan')}
            closesAt={closesAt}
            initial={{ at: new Date(times[1]?.at ?? now).toISOString(), endsIfAnswered }}
            onClose={() => setChoosing(false)}
            onChoose={(later) => {
              setChoosing(false)
              onChoose(later)
            }}
          />
        </Suspense>
      )}
    </>
  )
}

/** "Mon 09:00", in the zone of the person; with its name where that is not the zone of this machine. */
export function useClock(zone: string): (at: number) => string {
  const { language } = useSpeech()
  const format = new Intl.DateTimeFormat(navigator.languages.find((tag) => tag.slice(0, 2) === language) ?? language, {
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: zone,
    ...(zone === ownZone ? {} : { timeZoneName: 'short' }),
  })
  return (at) => format.format(at)
}
