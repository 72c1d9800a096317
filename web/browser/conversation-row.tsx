import { IconClockHour4, IconCircleCheck, IconPencil, IconWorld, IconZzz } from '@tabler/icons-react'
import { memo } from 'react'
import { Link, useNavigate } from 'react-router'
import type { ConversationJson } from '../presenters/shapes.ts'
import { LabelMark } from './care/label-mark.tsx'
import { Onlookers } from './care/onlookers.tsx'
import { PriorityMark } from './care/questions.tsx'
import { ChannelMark, Person, initials } from './person.tsx'
import { useSpeech } from './texts/index.tsx'

interface Props {
  readonly conversation: ConversationJson
  readonly top: number
  readonly position: number
  /** -1: not known yet. */
  readonly count: number
  readonly isSelected: boolean
  readonly isUnread: boolean
  readonly isChosen: boolean
  /** Some are: then a press on a box chooses. */
  readonly isChoosing: boolean
  readonly onChoose: ((id: string, isRange: boolean) => void) | undefined
  readonly hasDraft: boolean
  readonly isCompact: boolean
  readonly href: string
  readonly now: number
}

export const ConversationRow = memo(function ConversationRow(props: Props) {
  const { conversation, top, position, count, isSelected, isUnread, isChosen, isChoosing, onChoose, href, now } = props
  const { t, times } = useSpeech()
  const { id, contact, channel } = conversation
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
        data-chosen={isChosen || undefined}
        data-choosing={isChoosing || undefined}
        onClick={(event) => {
          if (!(event.target instanceof Element && event.target.closest('a, input, label'))) void navigate(href)
        }}
      >
        <span className="row-who">
          {props.isCompact ? (
            <ChannelMark type={channel.type} size={18} />
          ) : (
            <Person name={contact.name} id={contact.id} channel={channel.type} />
          )}
          {onChoose && (
            <label className="row-box">
              <input
                type="checkbox"
                checked={isChosen}
                tabIndex={-1}
                aria-label={t('row.choose', { name: contact.name })}
                onChange={(event) =>
                  onChoose(id, event.nativeEvent instanceof MouseEvent && event.nativeEvent.shiftKey)
                }
              />
            </label>
          )}
        </span>
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
            {conversation.priority !== 'none' && (
              <span className="row-priority" title={t(`priority.${conversation.priority}`)}>
                <PriorityMark priority={conversation.priority} size={15} />
                <span className="heard-only">{t(`priority.${conversation.priority}`)}</span>
              </span>
            )}
            <Onlookers conversationId={id} size={props.isCompact ? 18 : 22} />
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
            <Marks {...props} />
          </span>
        </span>
      </div>
    </div>
  )
})

/** What is due comes first; how it stands, what it is about, whose it is. */
function Marks({ conversation, hasDraft, now }: Props) {
  const { t, times } = useSpeech()
  const { assignee, channel, labels, status, snoozed_until: until, waiting_since: waiting } = conversation
  return (
    <span className="row-marks">
      {hasDraft && (
        <span className="row-mark row-draft">
          <IconPencil size={14} aria-hidden /> {t('row.draft')}
        </span>
      )}
      {status === 'snoozed' && (
        <span className="row-mark" title={until ? times.exact(until) : t('snooze.answer')}>
          <IconZzz size={14} aria-hidden /> {until ? times.relative(until, now) : t('row.until_answer')}
        </span>
      )}
      {(status === 'pending' || status === 'resolved') && (
        <span className="row-mark">
          <IconCircleCheck size={14} aria-hidden /> {t(`status.${status}`)}
        </span>
      )}
      {waiting && status === 'open' && (
        <span className="row-mark" title={t('row.waiting_since', { time: times.exact(waiting) })}>
          <IconClockHour4 size={14} aria-hidden /> {t('row.waiting', { time: times.since(waiting, now) })}
        </span>
      )}
      {conversation.visibility === 'public' && (
        <span className="row-mark">
          <IconWorld size={14} aria-hidden /> {t('row.public')}
        </span>
      )}
      {labels.length === 0 ? (
        <span className="row-channel">{channel.name}</span>
      ) : (
        <span className="row-labels">
          {labels.slice(0, 3).map((label) => (
            <LabelMark key={label.id} label={label} />
          ))}
          {labels.length > 3 && <span className="row-mark">+{labels.length - 3}</span>}
        </span>
      )}
      {assignee && (
        <span className="row-assignee" title={t('row.assigned', { name: assignee.name })}>
          <span aria-hidden>{initials(assignee.name)}</span>
          <span className="heard-only">{t('row.assigned', { name: assignee.name })}</span>
        </span>
      )}
    </span>
  )
}
