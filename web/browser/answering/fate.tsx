/** Where a mark is not enough: why, what comes next, and what can be done. */
import { IconBan, IconCheck, IconRefresh, IconX } from '@tabler/icons-react'
import { useEffect, useState, type ReactNode } from 'react'
import type { ConversationJson, MessageJson } from '../../presenters/shapes.ts'
import { api, newKey } from '../api.ts'
import { isLocal } from '../queries.ts'
import { useSpeech } from '../texts/index.tsx'
import { answering } from './api.ts'
import { FateAct } from './fate-act.tsx'
import { Planned } from './planned.tsx'

interface Props {
  readonly message: MessageJson
  readonly conversation: ConversationJson | undefined
}

type Delivery = NonNullable<MessageJson['delivery']>

/** How long something may wait without a word. */
const patienceMs = 3_000

export function Fate({ message, conversation }: Props) {
  const { t } = useSpeech()
  const { state, delivery, send_at } = message
  if (isLocal(message) || !delivery) return null
  if (state === 'queued' && send_at !== null) return <Planned message={message} conversation={conversation} />
  switch (state) {
    case 'failed':
      return <Failed message={message} delivery={delivery} />
    case 'retrying':
      return (
        <Trouble state="retrying" label={t('delivery.retrying')}>
          <Reason delivery={delivery} title={t('delivery.retrying')} />{' '}
          <Countdown until={delivery.next_attempt_at} text="fate.next_try" later="fate.next_try_at" />{' '}
          {delivery.hint_code === 'reconnect' && t('hint.reconnect')}
          <Cancel message={message} />
        </Trouble>
      )
    case 'unknown':
      return <Unknown message={message} delivery={delivery} conversation={conversation} />
    case 'queued':
      return <Queued message={message} delivery={delivery} />
    case 'cancelled':
      return (
        <Trouble state="cancelled" label={t('delivery.cancelled')}>
          <span>
            {t('fate.cancelled')} {delivery.reason_code === 'answered' ? t('fate.cancelled_answered') : delivery.reason}
          </span>
          <FateAct
            message={message}
            word={t('fate.send_after_all')}
            sign={<IconRefresh size={16} aria-hidden />}
            run={retry}
          />
        </Trouble>
      )
    default:
      return null
  }
}

function Failed({ message, delivery }: { readonly message: MessageJson; readonly delivery: Delivery }) {
  const { t } = useSpeech()
  const { parts, hint_code } = delivery
  const isPartly = parts.length > 1 && parts.some(({ state }) => state !== 'failed')
  return (
    <Trouble state="failed" label={t(isPartly ? 'fate.partly' : 'delivery.failed')}>
      {isPartly ? (
        <Parts message={message} parts={parts} />
      ) : (
        <Reason delivery={delivery} title={t('delivery.failed')} />
      )}
      {hint_code && <span className="hint">{t(`hint.${hint_code}`)}</span>}
      <FateAct
        message={message}
        word={t(isPartly ? 'fate.retry_rest' : 'delivery.retry')}
        sign={<IconRefresh size={16} aria-hidden />}
        run={retry}
      />
    </Trouble>
  )
}

/** What of an answer in several messages arrived, and what did not. */
function Parts({ message, parts }: { readonly message: MessageJson; readonly parts: Delivery['parts'] }) {
  const { t } = useSpeech()
  const nameOf = ({ text, attachment_ids }: Delivery['parts'][number]): string => {
    const files = message.attachments.filter(({ id }) => attachment_ids.includes(id))
    const names = files.map(({ title, kind }) => title ?? t(kind === 'image' ? 'attachment.image' : 'attachment.file'))
    return [...(text?.trim() ? [t('fate.part_text')] : []), ...names].join(', ')
  }
  return (
    <span>
      <strong>{t('fate.partly')}</strong>
      <ul className="parts">
        {parts.map((part) => (
          <li key={part.id} data-state={part.state} title={part.detail ?? undefined}>
            {part.state === 'failed' ? (
              <>
                <IconX size={14} aria-hidden />{' '}
                {t('fate.part_failed', { part: nameOf(part), reason: part.reason ?? t('delivery.failed') })}
              </>
            ) : (
              <>
                <IconCheck size={14} aria-hidden />{' '}
                {t('fate.part_sent', { part: nameOf(part), state: t(`delivery.${part.state}`).toLowerCase() })}
              </>
            )}
          </li>
        ))}
      </ul>
    </span>
  )
}

function Unknown({ message, delivery, conversation }: Props & { readonly delivery: Delivery }) {
  const { t } = useSpeech()
  const network = conversation ? t(`channel.${conversation.channel.type}`) : ''
  if (delivery.hint_code !== 'settle') {
    return (
      <Trouble state="unknown" label={t('delivery.unknown')}>
        <span>
          <strong>{t('delivery.unknown')}.</strong> {t('delivery.unknown_hint')}{' '}
          <Countdown until={delivery.next_attempt_at} text="fate.next_check" later="delivery.unknown_when" />
        </span>
      </Trouble>
    )
  }
  return (
    <Trouble state="unknown" label={t('delivery.unknown')}>
      <span>{t('fate.look', { network })}</span>
      <FateAct
        message={message}
        word={t('fate.arrived')}
        sign={<IconCheck size={16} aria-hidden />}
        run={({ id }) => answering.settle(id, true)}
      />
      <FateAct
        message={message}
        word={t('fate.not_arrived')}
        sign={<IconX size={16} aria-hidden />}
        run={({ id }) => answering.settle(id, false)}
      />
    </Trouble>
  )
}

function Queued({ message, delivery }: { readonly message: MessageJson; readonly delivery: Delivery }) {
  const { t } = useSpeech()
  const [isLong, setLong] = useState(() => Date.now() - Date.parse(message.received_at) > patienceMs)
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), patienceMs)
    return () => clearTimeout(timer)
  }, [])
  if (!isLong) return null
  return (
    <Trouble state="queued" label={t('delivery.queued')}>
      {delivery.reason && (
        <span title={delivery.detail ?? undefined}>{t('fate.queued_why', { reason: delivery.reason })}</span>
      )}
      <Cancel message={message} />
    </Trouble>
  )
}

function Trouble({
  state,
  label,
  children,
}: {
  readonly state: string
  readonly label: string
  readonly children: ReactNode
}) {
  return (
    <div className="trouble" data-state={state} role="group" aria-label={label}>
      {children}
    </div>
  )
}

/** In plain words; the network's own are one hover away. */
function Reason({
  delivery: { reason, detail, attempts },
  title,
}: {
  readonly delivery: Delivery
  readonly title: string
}) {
  const { t } = useSpeech()
  const said = reason ?? attempts.at(-1)?.reason
  return (
    <span title={detail && detail !== reason ? t('fate.words', { words: detail }) : undefined}>
      <strong>{title}.</strong> {said}
    </span>
  )
}

/** In seconds while it is near; nothing when it is due. */
function Countdown({
  until,
  text,
  later,
}: {
  readonly until: string | null
  readonly text: 'fate.next_try' | 'fate.next_check'
  readonly later: 'fate.next_try_at' | 'delivery.unknown_when'
}) {
  const { t, times } = useSpeech()
  const [now, setNow] = useState(() => Date.now())
  const left = until === null ? 0 : Math.ceil((Date.parse(until) - now) / 1_000)
  const isRunning = left > 0
  useEffect(() => {
    if (!isRunning) return
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [isRunning])
  if (!isRunning || until === null) return null
  return (
    <span className="countdown">
      {left <= 90 ? t(text, { seconds: left }) : t(later, { time: times.relative(until, now) })}
    </span>
  )
}

const retry = ({ id }: MessageJson): Promise<MessageJson> => api.retry(id, newKey())

const Cancel = ({ message }: { readonly message: MessageJson }) => {
  const { t } = useSpeech()
  return (
    <FateAct
      message={message}
      word={t('fate.cancel')}
      sign={<IconBan size={16} aria-hidden />}
      run={({ id }) => answering.cancel(id)}
    />
  )
}
