import { IconCheck, IconClockHour4, IconWorld } from '@tabler/icons-react'
import { memo } from 'react'
import { Link, useNavigate } from 'react-router'
import type { ConversationJson } from '../presenters/shapes.ts'
import { Person, initials } from './person.tsx'
import { useSpeech } from './texts/index.tsx'

/** Pixels; the same in the style sheet. */
export const rowHeight = 76

interface Props {
  readonly conversation: ConversationJson
  readonly top: number
  readonly position: number
  /** -1: not known yet. */
  readonly count: number
  readonly isSelected: boolean
  readonly isUnread: boolean
  readonly href: string
  readonly now: number
}

export const ConversationRow = memo(function ConversationRow({
  conversation,
  top,
  position,
  count,
  isSelected,
  isUnread,
  href,
  now,
}: Props) {
  const { t, times } = useSpeech()
  const { id, contact, channel, assignee } = conversation
  const navigate = useNavigate()
  const restId = `rest-${id}`
  return (
    <div
      role="listitem"
      aria-setsize={count}
      aria-posinset={position}
      className="row"
      style={{ transform: `translateY(${top}px)` }}
    >
      {/* The link is the name and reaches over the whole row; what lies above it, for its hover, opens the row too. */}
      <div
        className="row-ground"
        data-unread={isUnread || undefined}
        data-selected={isSelected || undefined}
        onClick={(event) => {
          if (!(event.target instanceof Element && event.target.closest('a'))) void navigate(href)
        }}
      >
        <Person name={contact.name} id={contact.id} channel={channel.type} />
        <span className="row-text">
          <span className="row-first">
            <Link
              to={href}
              className="row-name"
              title={contact.name}
              dir="auto"
              aria-current={isSelected ? 'true' : undefined}
              aria-describedby={restId}
            >
              {contact.name}
            </Link>
            <time
              className="row-age"
              dateTime={conversation.last_activity_at}
              title={times.exact(conversation.last_activity_at)}
            >
              {times.age(conversation.last_activity_at, now)}
            </time>
          </span>
          <span id={restId} className="row-rest">
            <span className="row-snippet" dir="auto">
              {isUnread && <span className="heard-only">{t('row.unread')}: </span>}
              {conversation.preview || t('row.empty')}
            </span>
            <span className="row-marks">
              {conversation.visibility === 'public' && (
                <span className="row-mark">
                  <IconWorld size={14} aria-hidden /> {t('row.public')}
                </span>
              )}
              {conversation.status !== 'open' && (
                <span className="row-mark">
                  <IconCheck size={14} aria-hidden /> {t(`status.${conversation.status}`)}
                </span>
              )}
              {conversation.waiting_since && conversation.status !== 'resolved' && (
                <span
                  className="row-mark"
                  title={t('row.waiting_since', { time: times.exact(conversation.waiting_since) })}
                >
                  <IconClockHour4 size={14} aria-hidden />{' '}
                  {t('row.waiting', { time: times.since(conversation.waiting_since, now) })}
                </span>
              )}
              <span className="row-channel">{channel.name}</span>
              {assignee && (
                <span className="row-assignee" title={t('row.assigned', { name: assignee.name })}>
                  <span aria-hidden>{initials(assignee.name)}</span>
                  <span className="heard-only">{t('row.assigned', { name: assignee.name })}</span>
                </span>
              )}
            </span>
          </span>
        </span>
      </div>
    </div>
  )
})
