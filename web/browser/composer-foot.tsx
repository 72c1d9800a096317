import { Tooltip } from '@mantine/core'
import { IconClockHour4 } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { ConversationJson } from '../presenters/shapes.ts'
import { Keys } from './keys.tsx'
import type { Check, Kind } from './sayable.ts'
import { useSpeech } from './texts/index.tsx'

interface Props {
  readonly conversation: ConversationJson
  readonly kind: Kind
  readonly check: Check
  readonly hasText: boolean
  readonly now: number
  readonly children: ReactNode
}

/** How long the network still takes an answer, how much of it there is, and the button. */
export function ComposerFoot({ check, hasText, now, children }: Props) {
  const { t, times } = useSpeech()
  const { closesAt, isClosed, used, limit, over } = check
  const isSoon = closesAt !== null && Date.parse(closesAt) - now < 60 * 60_000
  return (
    <div className="composer-foot">
      {closesAt && !isClosed && (
        <Tooltip label={t('composer.closes_at', { time: times.exact(closesAt) })} multiline maw={280}>
          <span className="window" data-soon={isSoon || undefined} tabIndex={0}>
            <IconClockHour4 size={16} aria-hidden /> {t('composer.closes_in', { time: times.left(closesAt, now) })}
          </span>
        </Tooltip>
      )}
      <span className="composer-keys" aria-hidden>
        {hasText && <Keys keys="mod+Enter" />}
      </span>
      <span
        id="composer-count"
        className="count"
        data-over={over > 0 || undefined}
        data-near={limit !== null && used > limit * 0.9 ? true : undefined}
      >
        {over > 0
          ? t('composer.too_long', { count: over })
          : limit !== null && <span title={t('composer.count', { used, limit })}>{`${used}/${limit}`}</span>}
      </span>
      {children}
    </div>
  )
}
