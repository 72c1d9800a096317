/** Doing something to a message: shown at once, taken back with a reason where the network refuses. */
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient, type InfiniteData } from '@tanstack/react-query'
import type { ActJson, MessageJson } from '../../presenters/shapes.ts'
import type { Page } from '../api.ts'
import { allItems, keys, putMessage } from '../queries.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { answering, type What } from './api.ts'

/** Asks for it; meanwhile the message looks as if it were done. */
export function useMessageAct(message: MessageJson) {
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
