/** What can be done to a message beside answering: shown at once, taken back with a reason where the network refuses. */
import { ActionIcon } from '@mantine/core'
import { IconDots } from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import type { ConversationJson, MessageJson } from '../../presenters/shapes.ts'
import { isLocal } from '../queries.ts'
import type { Kind } from '../sayable.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'

const ActMenu = lazy(() => import('./act-menu.tsx').then((file) => ({ default: file.ActMenu })))

interface Props {
  readonly message: MessageJson
  readonly conversation: ConversationJson
  /** Of whom the message is. */
  readonly name: string
  readonly now: number
  readonly onAnswer: (message: MessageJson, kind?: Kind) => void
}

/** The button that opens the menu; the menu itself comes when it is first wanted. */
export function Acts({ message, conversation, name, now, onAnswer }: Props) {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const [wasOpened, setOpened] = useState(false)
  if (isLocal(message) || message.kind === 'note') return null
  const label = `${t('act.menu')}: ${name}`
  const button = (
    <ActionIcon
      variant="subtle"
      color="gray"
      size={28}
      className="acts"
      aria-label={label}
      aria-haspopup="menu"
      onClick={() => setOpened(true)}
    >
      <IconDots size={18} />
    </ActionIcon>
  )
  if (!wasOpened) return button
  return (
    <Suspense fallback={button}>
      <ActMenu
        message={message}
        conversation={conversation}
        label={label}
        now={now}
        mayAct={permissions.includes('conversations.reply')}
        onAnswer={onAnswer}
      />
    </Suspense>
  )
}

/** What is under way and takes its time, or was refused. */
export function ActNotes({ message }: { readonly message: MessageJson }) {
  const { t } = useSpeech()
  const failed = message.acts.find(({ state }) => state === 'failed')
  const waiting = message.acts.find(({ state, reason }) => state === 'queued' && reason !== null)
  if (failed)
    return (
      <p className="act-note" data-state="failed" role="alert">
        {t(`act.failed_${failed.what}`, { reason: failed.reason ?? '', emoji: failed.emoji ?? '' })}
      </p>
    )
  if (waiting)
    return (
      <p className="act-note">
        {t(`act.doing_${waiting.what}`, { emoji: waiting.emoji ?? '' })}.{' '}
        {t('act.waits', { reason: waiting.reason ?? '' })}
      </p>
    )
  return null
}
