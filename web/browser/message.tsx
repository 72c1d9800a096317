import { ActionIcon, Tooltip } from '@mantine/core'
import { IconArrowBackUp, IconExternalLink, IconEyeOff, IconLock, IconNote, IconWorld } from '@tabler/icons-react'
import { Fragment, memo, type ReactNode } from 'react'
import type { ConversationJson, MessageJson } from '../presenters/shapes.ts'
import { ActNotes, Acts } from './answering/acts.tsx'
import { ExtrasBelow } from './answering/extras-below.tsx'
import { Fate } from './answering/fate.tsx'
import { asWished } from './answering/use-message-act.ts'
import { Attachments } from './attachments.tsx'
import { DeliveryMark } from './delivery-mark.tsx'
import { Person } from './person.tsx'
import { momentOf, nameOf } from './message-words.ts'
import { isLocal } from './queries.ts'
import type { Kind } from './sayable.ts'
import { useSession } from './session.ts'
import { splitNames } from './care/mentions.ts'
import { useSpeech } from './texts/index.tsx'

interface Props {
  readonly message: MessageJson
  readonly conversation: ConversationJson | undefined
  /** By the same person, shortly after the one before: the name need not be said again. */
  readonly isContinued: boolean
  readonly answered: MessageJson | undefined
  readonly now: number
  readonly onAnswer: (message: MessageJson, kind?: Kind) => void
}

export const MessageBubble = memo(function MessageBubble({
  message,
  conversation,
  isContinued,
  answered,
  now,
  onAnswer,
}: Props) {
  const { t, times } = useSpeech()
  const session = useSession()
  const isNote = message.kind === 'note'
  const isInbound = message.direction === 'inbound'
  const name = nameOf(message, conversation, session.user.id, t)
  const side = isInbound ? 'inbound' : 'outbound'
  const isPublic = message.visibility === 'public'
  const { is_hidden, reactions, isGoing } = asWished(message)
  return (
    <article
      className="message"
      data-side={side}
      data-kind={message.kind}
      data-continued={isContinued || undefined}
      data-failed={message.state === 'failed' || undefined}
      data-local={isLocal(message) || isGoing || undefined}
      data-planned={(message.state === 'queued' && message.send_at !== null) || undefined}
      data-cancelled={message.state === 'cancelled' || undefined}
      aria-label={t('message.from', { name, time: times.clock(momentOf(message)) })}
    >
      {isInbound && (
        <span className="message-person">
          {!isContinued && <Person name={name} id={message.contact_id ?? name} size={30} />}
        </span>
      )}
      <div className="message-column">
        {(!isContinued || isNote) && (
          <div className="message-name" aria-hidden={!isNote}>
            {isNote && <IconNote size={15} aria-hidden />}
            <span dir="auto">{name}</span>
            {isNote && <span className="message-about">{t('message.note_hint')}</span>}
          </div>
        )}
        <div className="bubble-row">
          {conversation && (
            <Acts message={message} conversation={conversation} name={name} now={now} onAnswer={onAnswer} />
          )}
          <div className="bubble">
            {answered?.text && conversation?.visibility === 'public' && !isSelfEvident(answered, message) && (
              <blockquote className="quoted" dir="auto">
                <span className="heard-only">{t('message.in_reply_to')} </span>
                <strong>{nameOf(answered, conversation, session.user.id, t)}</strong> {answered.text}
              </blockquote>
            )}
            {message.hint === 'story' && <p className="message-hint">{t('message.hint_story')}</p>}
            <Body message={message} />
            <Attachments attachments={message.attachments} />
            <ExtrasBelow extras={message.extras} />
          </div>
        </div>
        {reactions.length > 0 && <Reactions reactions={reactions} conversation={conversation} />}
        <div className="message-foot">
          <time dateTime={momentOf(message)} title={times.exact(momentOf(message))}>
            {times.clock(momentOf(message))}
          </time>
          <KindMark message={message} isPublic={isPublic && !isInbound} />
          {message.edited_at && !message.deleted_at && (
            <span title={t('message.edited_at', { time: times.exact(message.edited_at) })}>{t('message.edited')}</span>
          )}
          {message.hint === 'standby' && <span className="mark">{t('message.hint_standby')}</span>}
          {is_hidden && (
            <span className="mark">
              <IconEyeOff size={14} aria-hidden /> {t('message.hidden')}
            </span>
          )}
          {message.sent_elsewhere && !isLocal(message) && (
            <span className="mark" title={t('fate.elsewhere_hint')}>
              <IconExternalLink size={14} aria-hidden /> {t('fate.elsewhere')}
            </span>
          )}
          <DeliveryMark message={message} now={now} />
          {isInbound && isPublic && !message.deleted_at && (
            <Tooltip label={t('message.answer')}>
              <ActionIcon
                variant="subtle"
                color="gray"
                size={26}
                className="answer-this"
                aria-label={`${t('message.answer')}: ${name}`}
                onClick={() => onAnswer(message)}
              >
                <IconArrowBackUp size={16} />
              </ActionIcon>
            </Tooltip>
          )}
        </div>
        <Fate message={message} conversation={conversation} />
        <ActNotes message={message} />
      </div>
    </article>
  )
})

function Body({ message }: { readonly message: MessageJson }) {
  const { t, times } = useSpeech()
  if (message.deleted_at) {
    return (
      <>
        <p className="deleted" title={t('message.deleted_at', { time: times.exact(message.deleted_at) })}>
          {t('message.deleted')}
        </p>
        {message.text && (
          <p className="text was-deleted" dir="auto">
            <del>{message.text}</del>
          </p>
        )}
      </>
    )
  }
  if (message.text) {
    return (
      <p className="text" dir="auto">
        {message.kind === 'note' ? named(message.text) : linked(message.text)}
      </p>
    )
  }
  const { hint } = message
  if (hint === 'encrypted' || (hint === 'unsupported' && message.attachments.length === 0))
    return <p className="deleted">{t(`message.hint_${hint}`)}</p>
  return message.attachments.length === 0 ? <p className="deleted">{t('message.no_text')}</p> : null
}

/** In a note, those of us whom it names. */
const named = (text: string): ReactNode[] =>
  splitNames(text).map((part, index) =>
    index % 2 === 1 ? (
      <strong key={index} className="named">
        @{part}
      </strong>
    ) : (
      <Fragment key={index}>{linked(part)}</Fragment>
    ),
  )

/** Web addresses as links; nothing else in a text is ever more than text. */
function linked(text: string): ReactNode[] {
  return text.split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/giu).map((part, index) =>
    index % 2 === 1 ? (
      <a key={index} href={part} target="_blank" rel="noreferrer noopener nofollow">
        {part}
      </a>
    ) : (
      part
    ),
  )
}

function KindMark({ message, isPublic }: { readonly message: MessageJson; readonly isPublic: boolean }) {
  const { t } = useSpeech()
  if (message.kind === 'private_reply') {
    return (
      <span className="mark">
        <IconLock size={14} aria-hidden /> {t('message.private_reply')}
      </span>
    )
  }
  if (isPublic && message.kind !== 'note') {
    return (
      <span className="mark">
        <IconWorld size={14} aria-hidden /> {t('message.comment')}
      </span>
    )
  }
  if (message.kind === 'interaction' || message.kind === 'mention' || message.kind === 'post')
    return <span className="mark">{t(`message.${message.kind}`)}</span>
  return null
}

function Reactions({
  reactions,
  conversation,
}: {
  readonly reactions: MessageJson['reactions']
  readonly conversation: ConversationJson | undefined
}) {
  const { t } = useSpeech()
  // In a direct conversation there are two; below a post the network tells no names.
  const nameOfOne = (is_ours: boolean): string =>
    is_ours
      ? (conversation?.channel.name ?? '')
      : conversation?.visibility === 'direct'
        ? conversation.contact.name
        : t('message.somebody')
  return (
    <ul className="reactions">
      {reactions.map(({ by, emoji, is_ours }) => {
        const words = t('message.reaction', { by: nameOfOne(is_ours), emoji })
        return (
          <li key={`${by}${emoji}`} title={words} data-ours={is_ours || undefined}>
            <span aria-hidden>{emoji}</span>
            <span className="heard-only">{words}</span>
          </li>
        )
      })}
    </ul>
  )
}

/** Answers to what stands right above, or to the top of the thread, need no quotation. */
const isSelfEvident = (answered: MessageJson, message: MessageJson): boolean =>
  answered.direction === message.direction && answered.contact_id === message.contact_id
