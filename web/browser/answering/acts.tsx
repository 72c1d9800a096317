/** What can be done to a message beside answering: shown at once, taken back with a reason where the network refuses. */
import { ActionIcon } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconDots } from '@tabler/icons-react'
import { useMutation, useQueryClient, type InfiniteData } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import type { ActJson, ConversationJson, MessageJson } from '../../presenters/shapes.ts'
import type { Page } from '../api.ts'
import { allItems, isLocal, keys, putMessage } from '../queries.ts'
import type { Kind } from '../sayable.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { answering, type What } from './api.ts'

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

/** Asks for it; meanwhile the message looks as if it were done. */
export function useAct(message: MessageJson) {
  const client = useQueryClient()
  const { t } = useSpeech()
  const { user } = useSession()
  const newest = (): MessageJson =>
    allItems(client.getQueryData<InfiniteData<Page<MessageJson>>>(keys.messages(message.conversation_id))).find(
      ({ id }) => id === message.id,
    ) ?? message
  return useMutation({
    mutationFn: ({ what, emoji }: Wish) => answering.act(message.id, what, emoji),
    onMutate: ({ what, emoji }) => {
      const act = standIn(message, what, emoji, user.id)
      putMessage(client, { ...message, acts: [...message.acts.filter(({ state }) => state !== 'failed'), act] })
      return act.id
    },
    onSuccess: (act, _wish, standInId) => {
      const now = newest()
      // A fact may have told already what became of it.
      if (now.acts.some(({ id }) => id === standInId))
        putMessage(client, { ...now, acts: [...now.acts.filter(({ id }) => id !== standInId && id !== act.id), act] })
    },
    onError: (error, { what, emoji }, standInId) => {
      const now = newest()
      putMessage(client, { ...now, acts: now.acts.filter(({ id }) => id !== standInId) })
      notifications.show({
        color: 'red',
        message: t(`act.failed_${what}`, { reason: error.message, emoji: emoji ?? '' }),
      })
    },
  })
}

interface Wish {
  readonly what: What
  readonly emoji?: string
}

const standIn = ({ id }: MessageJson, what: What, emoji: string | undefined, by: string): ActJson => {
  const at = new Date().toISOString()
  return {
    id: `local:${String(Math.random())}`,
    message_id: id,
    what,
    emoji: emoji ?? null,
    state: 'queued',
    reason_code: null,
    reason: null,
    attempts: 0,
    next_attempt_at: null,
    by,
    created_at: at,
    updated_at: at,
  }
}

/** How it looks with what is being done to it. */
export function asWished(message: MessageJson): Pick<MessageJson, 'is_hidden' | 'reactions'> & { isGoing: boolean } {
  let { is_hidden, reactions } = message
  let isGoing = false
  for (const { what, emoji, state } of message.acts) {
    if (state === 'failed' || state === 'done') continue
    if (what === 'hide' || what === 'unhide') is_hidden = what === 'hide'
    else if (what === 'delete') isGoing = true
    else {
      reactions = reactions.filter(({ is_ours }) => !is_ours)
      if (what === 'react' || what === 'like')
        reactions = [...reactions, { by: '', emoji: emoji ?? '👍', is_ours: true }]
    }
  }
  return { is_hidden, reactions, isGoing }
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
