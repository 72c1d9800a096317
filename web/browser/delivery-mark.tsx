/** What became of an own message: a mark at a glance, words on hover and for who listens. */
import { Button, Tooltip } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import {
  IconAlertTriangle,
  IconBan,
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
import { useRetry } from './queries.ts'
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

interface Props {
  readonly state: State
  readonly delivery: MessageJson['delivery']
  readonly now: number
}

export function DeliveryMark({ state, delivery, now }: Props) {
  const speech = useSpeech()
  const Mark = marks[state]
  const word = wordOf(state, delivery, now, speech)
  const attempts =
    delivery && delivery.attempts.length > 1
      ? ` · ${speech.t('delivery.attempts', { count: delivery.attempts.length })}`
      : ''
  return (
    <Tooltip label={`${word}${attempts}`}>
      <span className="delivery" data-state={state} role="img" aria-label={word}>
        <Mark size={16} aria-hidden />
      </span>
    </Tooltip>
  )
}

/** Where a mark is not enough: why, and what can be done. */
export function DeliveryTrouble({ message, now }: { readonly message: MessageJson; readonly now: number }) {
  const speech = useSpeech()
  const { t } = speech
  const retry = useRetry((error) =>
    notifications.show({ color: 'red', message: t('delivery.retry_failed', { reason: error.message }) }),
  )
  const { state, delivery } = message
  const reason = delivery?.reason ?? delivery?.attempts.at(-1)?.reason ?? null
  if (state === 'failed') {
    return (
      <div className="trouble" data-state="failed" role="group" aria-label={t('delivery.failed')}>
        <span>
          <strong>{t('delivery.failed')}.</strong> {reason}
        </span>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconRefresh size={16} aria-hidden />}
          loading={retry.isPending}
          onClick={() => retry.mutate(message)}
        >
          {t('delivery.retry')}
        </Button>
      </div>
    )
  }
  if (state === 'retrying') {
    return (
      <div className="trouble" data-state="retrying">
        {wordOf(state, delivery, now, speech)}
        {reason && `: ${reason}`}
      </div>
    )
  }
  if (state === 'unknown') {
    return (
      <div className="trouble" data-state="unknown">
        <strong>{t('delivery.unknown')}.</strong> {t('delivery.unknown_hint')}{' '}
        {delivery?.next_attempt_at &&
          Date.parse(delivery.next_attempt_at) > now &&
          t('delivery.unknown_when', { time: speech.times.relative(delivery.next_attempt_at, now) })}
      </div>
    )
  }
  return null
}

function wordOf(state: State, delivery: MessageJson['delivery'], now: number, { t, times }: Speech): string {
  if (state === 'retrying' && delivery?.next_attempt_at && Date.parse(delivery.next_attempt_at) > now) {
    return t('delivery.retrying_when', { time: times.relative(delivery.next_attempt_at, now) })
  }
  return t(`delivery.${state}`)
}
