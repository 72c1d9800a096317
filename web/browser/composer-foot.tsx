import { Tooltip } from '@mantine/core'
import { IconClockHour4, IconHeadset } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Keys } from './keys.tsx'
import type { Check } from './sayable.ts'
import { useSpeech } from './texts/index.tsx'

interface Props {
  readonly check: Check
  readonly hasText: boolean
  readonly now: number
  readonly tools: ReactNode
  readonly children: ReactNode
}

/** How long the network still takes an answer, how much of it there is, and the buttons. */
export function ComposerFoot({ check, hasText, now, tools, children }: Props) {
  const { t } = useSpeech()
  const { used, limit, over, messages, isGoingUp } = check
  return (
    <div className="composer-foot">
      <span className="composer-tools">{tools}</span>
      <Window check={check} now={now} />
      <span className="composer-keys" aria-hidden>
        {hasText && <Keys keys="mod+Enter" />}
      </span>
      <span className="composer-facts" role="status">
        {isGoingUp ? t('answer.going_up') : messages > 1 && t('answer.messages', { count: messages })}
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

/** Until when the network takes answers, and since when only as those of a human agent. */
function Window({ check: { closesAt, agentFrom, isClosed }, now }: Pick<Props, 'check' | 'now'>) {
  const { t, times } = useSpeech()
  if (closesAt === null || isClosed) return null
  const isAgent = agentFrom !== null && Date.parse(agentFrom) <= now
  const isSoon = Date.parse(closesAt) - now < 60 * 60_000
  const Sign = isAgent ? IconHeadset : IconClockHour4
  const about = isAgent ? 'answer.agent_hint' : agentFrom === null ? 'composer.closes_at' : 'answer.agent_later'
  return (
    <Tooltip
      label={t(about, { time: times.exact(closesAt), from: agentFrom === null ? '' : times.exact(agentFrom) })}
      multiline
      maw={300}
      events={{ hover: true, focus: true, touch: true }}
    >
      <span className="window" data-soon={isSoon || undefined} data-agent={isAgent || undefined} tabIndex={0}>
        <Sign size={16} aria-hidden />
        {t(isAgent ? 'answer.agent_closes' : 'composer.closes_in', { time: times.left(closesAt, now) })}
      </span>
    </Tooltip>
  )
}
