/** What became of an own message, at a glance: a mark, with words on hover and for who listens. */
import { Tooltip } from '@mantine/core'
import {
  IconAlertTriangle,
  IconBan,
  IconCalendarClock,
  IconCheck,
  IconChecks,
  IconClock,
  IconHelpCircle,
  IconRefresh,
  IconSend,
  type IconProps,
} from '@tabler/icons-react'
import type { ComponentType } from 'react'
import type { MessageJson } from '../presenters/shapes.ts'
import { useSpeech, type Speech } from './texts/index.tsx'

type State = NonNullable<MessageJson['state']>

const marks: Readonly<Record<State, ComponentType<IconProps>>> = {
  queued: IconClock,
  sending: IconSend,
  sent: IconCheck,
  delivered: IconChecks,
  read: IconChecks,
  retrying: IconRefresh,
  unknown: IconHelpCircle,
  failed: IconAlertTriangle,
  cancelled: IconBan,
}

export function DeliveryMark({ message, now }: { readonly message: MessageJson; readonly now: number }) {
  const speech = useSpeech()
  const { state, send_at } = message
  if (state === null) return null
  const Mark = send_at !== null && state === 'queued' ? IconCalendarClock : marks[state]
  const words = fateWords(message, now, speech)
  return (
    <Tooltip label={words}>
      <span className="delivery" data-state={state} role="img" aria-label={words}>
        <Mark size={16} aria-hidden />
      </span>
    </Tooltip>
  )
}

/** "Trying again in 4 sec. · 3 attempts"; '' for what has no fate. */
export function fateWords({ state, delivery, send_at }: MessageJson, now: number, { t, times }: Speech): string {
  if (state === null) return ''
  if (state === 'queued' && send_at !== null) return t('answer.planned', { time: times.exact(send_at) })
  const isAhead = delivery?.next_attempt_at && Date.parse(delivery.next_attempt_at) > now
  const word =
    state === 'retrying' && isAhead
      ? t('delivery.retrying_when', { time: times.relative(delivery.next_attempt_at ?? '', now) })
      : t(`delivery.${state}`)
  const attempts = delivery?.attempts.length ?? 0
  return attempts > 1 ? `${word} · ${t('delivery.attempts', { count: attempts })}` : word
}
