/** Below the name: whose it is, which team's, how urgent, its labels, until when it sleeps. Each is a button that asks. */
import { IconClock, IconTag, IconUser, IconUsers } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { ConversationJson } from '../../presenters/shapes.ts'
import { useNow } from '../clock.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { LabelMark } from './label-mark.tsx'
import { PriorityMark, useQuestions, type Target } from './questions.tsx'

export function CareBar({
  conversation,
  target,
}: {
  readonly conversation: ConversationJson
  readonly target: Target
}) {
  const { t, times } = useSpeech()
  const now = useNow()
  const { user, permissions } = useSession()
  const ask = useQuestions(target)
  const { assignee, team, priority, labels, status, snoozed_until: until } = conversation
  const mayAssign = permissions.includes('conversations.assign')
  const mayChange = permissions.includes('conversations.change')
  const button = (is: {
    readonly name: string
    readonly keys: string
    readonly isSet: boolean
    readonly may: boolean
    readonly run: () => void
    readonly body: ReactNode
  }) => (
    <button
      type="button"
      className="care-button"
      data-set={is.isSet || undefined}
      disabled={!is.may}
      onClick={is.run}
      title={is.keys ? `${is.name} (${is.keys})` : is.name}
    >
      <span className="heard-only">{is.name}: </span>
      {is.body}
    </button>
  )
  return (
    <div className="care-bar" role="group" aria-label={t('care.title')}>
      {button({
        ...{ name: t('care.assign'), keys: 'A', isSet: assignee !== null, may: mayAssign, run: ask.assign },
        body: (
          <>
            <IconUser size={16} aria-hidden />{' '}
            {assignee ? (assignee.id === user.id ? t('filter.me') : assignee.name) : t('contact.nobody')}
          </>
        ),
      })}
      {button({
        ...{ name: t('care.team'), keys: '', isSet: team !== null, may: mayAssign, run: ask.team },
        body: (
          <>
            <IconUsers size={16} aria-hidden /> {team?.name ?? t('care.no_team')}
          </>
        ),
      })}
      {button({
        ...{ name: t('care.priority'), keys: 'P', isSet: priority !== 'none', may: mayChange, run: ask.priority },
        body: (
          <>
            <PriorityMark priority={priority} size={16} /> {t(`priority.${priority}`)}
          </>
        ),
      })}
      {button({
        ...{ name: t('care.label'), keys: 'L', isSet: labels.length > 0, may: mayChange, run: ask.label },
        body:
          labels.length > 0 ? (
            labels.slice(0, 4).map((label) => <LabelMark key={label.id} label={label} />)
          ) : (
            <>
              <IconTag size={16} aria-hidden /> {t('care.labels')}
            </>
          ),
      })}
      {button({
        ...{ name: t('care.snooze'), keys: 'S', isSet: status === 'snoozed', may: mayChange, run: ask.snooze },
        body: (
          <>
            <IconClock size={16} aria-hidden />{' '}
            {status !== 'snoozed'
              ? t('care.snooze')
              : until
                ? t('snooze.until', { time: times.relative(until, now) })
                : t('snooze.answer')}
          </>
        ),
      })}
    </div>
  )
}
