/** The draft of one conversation and its sending: whatever happens, the text is in the field, in the thread, or both. */
import { notifications } from '@mantine/notifications'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { ConversationJson, MessageJson } from '../presenters/shapes.ts'
import { api, Problem, type NewMessage } from './api.ts'
import { keyFor, loadDraft, saveDraft, emptyDraft, type Draft } from './draft.ts'
import { liveState, reconnectNow } from './live.ts'
import { nameOf } from './message.tsx'
import { allItems, keys, putMessage, removeMessage } from './queries.ts'
import { useSession } from './session.ts'
import type { Kind } from './sayable.ts'
import { useSpeech } from './texts/index.tsx'

export function useDraft(conversation: ConversationJson, answered: MessageJson | undefined, onSettled: () => void) {
  const { t } = useSpeech()
  const { user } = useSession()
  const client = useQueryClient()
  const [draft, setDraft] = useState<Draft>(() => loadDraft(conversation.id))
  const [isSending, setSending] = useState(false)
  const [failure, setFailure] = useState<string>()
  const [isAnswerCleared, setAnswerCleared] = useState<string>()
  const target = answered && answered.id !== isAnswerCleared ? answered : undefined

  const isHere = useRef(true)
  useEffect(() => {
    isHere.current = true
    return () => {
      isHere.current = false
    }
  }, [])

  const change = (next: Draft): void => {
    setDraft(next)
    saveDraft(conversation.id, next)
  }

  const send = async (kind: Kind): Promise<void> => {
    const text = draft.text.trim()
    const inReplyTo =
      kind === 'comment' || kind === 'private_reply'
        ? (target?.id ?? newestInbound(client.getQueryData(keys.messages(conversation.id))))
        : undefined
    const message: NewMessage = { kind, text, ...(inReplyTo && { in_reply_to: inReplyTo }) }
    const tried = keyFor(draft, message)
    const kept: Draft = { ...draft, kind, tried }
    if (!navigator.onLine) {
      change(kept)
      setFailure(t('composer.kept_offline'))
      return
    }
    // Kept until the server has it: a crash in between finds text and key again.
    saveDraft(conversation.id, kept)
    setDraft({ ...emptyDraft, kind })
    setFailure(undefined)
    setSending(true)
    const standIn = makeStandIn(conversation, message, tried.key, user)
    putMessage(client, standIn)
    try {
      const sent = await api.say(conversation.id, message, tried.key)
      removeMessage(client, conversation.id, standIn.id)
      putMessage(client, sent)
      // What was written meanwhile is a draft of its own, and stays.
      if (loadDraft(conversation.id).tried?.key === tried.key) saveDraft(conversation.id, emptyDraft)
      onSettled()
    } catch (error) {
      removeMessage(client, conversation.id, standIn.id)
      setDraft((current) => {
        const back: Draft = current.text === '' ? kept : { ...kept, text: `${kept.text}\n${current.text}` }
        saveDraft(conversation.id, back)
        return back
      })
      const isUnanswered = error instanceof Problem && error.status === 0
      if (isUnanswered) reconnectNow()
      const words = isUnanswered
        ? t(liveState() === 'offline' ? 'composer.kept_offline' : 'composer.kept_no_answer')
        : t('composer.kept', { reason: messageOf(error) })
      setFailure(words)
      // Who has gone on to another conversation must hear of it too; the text waits in the draft.
      if (!isHere.current)
        notifications.show({ color: 'red', title: conversation.contact.name, message: words, autoClose: false })
    } finally {
      setSending(false)
    }
  }

  return {
    text: draft.text,
    kind: draft.kind,
    isSending,
    failure,
    answeredName: target && nameOf(target, conversation, user.id, t),
    setText: (text: string) => {
      setFailure(undefined)
      change({ ...draft, text })
    },
    setKind: (kind: Kind) => change({ ...draft, kind }),
    clearAnswered: () => setAnswerCleared(answered?.id),
    send: (kind: Kind) => void send(kind),
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function newestInbound(data: Parameters<typeof allItems<MessageJson>>[0]): string | undefined {
  const inbound = allItems(data).filter((message) => message.direction === 'inbound' && message.deleted_at === null)
  return inbound.sort((one, other) => other.occurred_at.localeCompare(one.occurred_at))[0]?.id
}

/** Shown in the thread until the server's own word of it comes. */
function makeStandIn(
  conversation: ConversationJson,
  message: NewMessage,
  key: string,
  author: { id: string; name: string },
): MessageJson {
  const at = new Date().toISOString()
  const isNote = message.kind === 'note'
  return {
    id: `local:${key}`,
    channel_id: conversation.channel.id,
    conversation_id: conversation.id,
    contact_id: conversation.contact.id,
    direction: 'outbound',
    kind: message.kind,
    visibility: message.kind === 'comment' ? 'public' : 'direct',
    external_id: null,
    author: { id: author.id, name: author.name },
    contact_name: null,
    text: message.text,
    in_reply_to: message.in_reply_to ?? null,
    hint: null,
    attachments: [],
    extras: null,
    sent_elsewhere: false,
    reactions: [],
    is_hidden: false,
    acts: [],
    occurred_at: at,
    received_at: at,
    edited_at: null,
    deleted_at: null,
    state: isNote ? null : 'queued',
    delivery: null,
  }
}
