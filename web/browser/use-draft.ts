/** The draft of one conversation and its sending: whatever happens, the text is in the field, in the thread, or both. */
import { notifications } from '@mantine/notifications'
import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { ConversationJson, MessageJson } from '../presenters/shapes.ts'
import { changeFile, pickedFiles, setFiles } from './answering/picked-files.ts'
import { makeStandIn } from './answering/stand-in.ts'
import { withIds } from './care/mentions.ts'
import { useColleagues } from './care/queries.ts'
import { noteTypingEnd } from './care/presence.ts'
import { useServerDraft } from './care/server-drafts.ts'
import { api, Problem, type NewMessage } from './api.ts'
import { keyFor, loadDraft, saveDraft, emptyDraft, type Choices, type Draft, type Saw } from './draft.ts'
import { liveState, reconnectNow } from './live.ts'
import { nameOf } from './message-words.ts'
import { allItems, keys, putMessage, removeMessage } from './queries.ts'
import { useSession } from './session.ts'
import type { Kind } from './sayable.ts'
import { useSpeech } from './texts/index.tsx'

/** What an answer is beside what stands in the field. */
export type With = Pick<NewMessage, 'send_at' | 'cancel_if_answered' | 'template'> & {
  /** Instead of what stands in the field, which stays. */
  readonly text?: string
}

/** Why sending asks once more, and the newest thing that the writer had seen before. */
export interface Meanwhile {
  readonly code: 'newer_message' | 'conversation_resolved' | 'conversation_reassigned'
  readonly sawId: string | undefined
}

export function useDraft(conversation: ConversationJson, answered: MessageJson | undefined, onSettled: () => void) {
  const { t } = useSpeech()
  const { user } = useSession()
  const client = useQueryClient()
  const colleagues = useColleagues()
  const [draft, setDraft] = useState<Draft>(() => loadDraft(conversation.id))
  const [isSending, setSending] = useState(false)
  const [failure, setFailure] = useState<string>()
  const [meanwhile, setMeanwhile] = useState<Meanwhile>()
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
    const isBegun = next.text !== '' || next.choices !== undefined
    const kept = { ...next, saw: isBegun ? (next.saw ?? look(client, conversation)) : undefined }
    setDraft(kept)
    saveDraft(conversation.id, kept)
    if (!isBegun) setMeanwhile(undefined)
  }

  const server = useServerDraft(
    conversation.id,
    draft,
    (words) => change({ ...draft, ...words, tried: undefined }),
    isSending,
  )

  const send = async (kind: Kind, { text: instead, ...beside }: With = {}): Promise<void> => {
    const isFromField = instead === undefined
    const words = (instead ?? draft.text).trim()
    const text = kind === 'note' ? withIds(words, colleagues) : words
    const files = isFromField ? pickedFiles(conversation.id) : []
    const saw = draft.saw ?? look(client, conversation)
    const message: NewMessage = {
      kind,
      text,
      ...targetOf(kind, target, client, conversation.id),
      ...(files.length > 0 && {
        attachments: files.flatMap(({ document, altText }) =>
          document ? [{ id: document.id, ...(altText.trim() && { alt_text: altText.trim() }) }] : [],
        ),
      }),
      ...(isFromField && kind === 'reply' && draft.choices),
      ...beside,
      ...(kind !== 'note' && { seen: seenOf(saw, conversation, user.id) }),
    }
    const tried = keyFor(draft, message)
    const kept: Draft = { ...draft, kind, saw, tried }
    if (!navigator.onLine) {
      change(kept)
      setFailure(t('composer.kept_offline'))
      return
    }
    // Kept until the server has it: a crash in between finds text and key again.
    saveDraft(conversation.id, kept)
    if (isFromField) {
      setDraft({ ...emptyDraft, kind })
      setFiles(conversation.id, [])
    }
    setFailure(undefined)
    setMeanwhile(undefined)
    setSending(true)
    noteTypingEnd()
    const standIn = makeStandIn(conversation, message, tried.key, user, files)
    putMessage(client, standIn)
    try {
      const sent = await api.say(conversation.id, message, tried.key)
      removeMessage(client, conversation.id, standIn.id)
      putMessage(client, sent)
      // What was written meanwhile is a draft of its own, and stays.
      const isOurs = loadDraft(conversation.id).tried?.key === tried.key
      if (isOurs) saveDraft(conversation.id, isFromField ? emptyDraft : { ...draft, tried: undefined })
      if (isOurs && !isFromField) setDraft({ ...draft, tried: undefined })
      onSettled()
    } catch (error) {
      removeMessage(client, conversation.id, standIn.id)
      const code = meanwhileCode(error)
      const now = code && nowOf(error)
      const again: Draft = now ? { ...kept, saw: now } : kept
      if (isFromField) setFiles(conversation.id, [...files, ...pickedFiles(conversation.id)])
      setDraft((current) => {
        const back = !isFromField || current.text === '' ? again.text : `${again.text}\n${current.text}`
        saveDraft(conversation.id, { ...again, text: back })
        return { ...again, text: back }
      })
      if (code) {
        setMeanwhile({ code, sawId: saw.messageId })
        if (isHere.current) return
      }
      markFiles(error, conversation.id)
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
    choices: draft.choices,
    isSending,
    failure,
    meanwhile,
    server,
    answeredName: target && nameOf(target, conversation, user.id, t),
    setText: (text: string) => {
      setFailure(undefined)
      change({ ...draft, text })
    },
    setKind: (kind: Kind) => change({ ...draft, kind }),
    setChoices: (choices: Choices | undefined) => change({ ...draft, choices }),
    clearAnswered: () => setAnswerCleared(answered?.id),
    send: (kind: Kind, beside?: With) => void send(kind, beside),
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function targetOf(
  kind: Kind,
  target: MessageJson | undefined,
  client: QueryClient,
  conversationId: string,
): Pick<NewMessage, 'in_reply_to'> {
  if (kind !== 'comment' && kind !== 'private_reply') return {}
  const id = target?.id ?? inboundOf(client, conversationId).find(({ deleted_at }) => deleted_at === null)?.id
  return id === undefined ? {} : { in_reply_to: id }
}

const inboundOf = (client: QueryClient, conversationId: string): MessageJson[] =>
  inboundIn(allItems(client.getQueryData<Parameters<typeof allItems<MessageJson>>[0]>(keys.messages(conversationId))))

/** What the contact has said, the newest first. */
export const inboundIn = (messages: readonly MessageJson[]): MessageJson[] =>
  messages
    .filter(({ direction }) => direction === 'inbound')
    .sort((one, other) => other.received_at.localeCompare(one.received_at) || other.id.localeCompare(one.id))

const look = (client: QueryClient, { id, assignee, status }: ConversationJson): Saw => ({
  messageId: inboundOf(client, id)[0]?.id,
  assigneeId: assignee?.id ?? null,
  isResolved: status === 'resolved',
})

/** What the writer did meanwhile, such as taking the conversation, needs no question. */
function seenOf(saw: Saw, { assignee }: ConversationJson, me: string): NonNullable<NewMessage['seen']> {
  return {
    ...(saw.messageId !== undefined && { message_id: saw.messageId }),
    status: saw.isResolved ? 'resolved' : 'open',
    assignee_id: assignee?.id === me ? me : saw.assigneeId,
  }
}

const codes = ['newer_message', 'conversation_resolved', 'conversation_reassigned'] as const

const meanwhileCode = (error: unknown): Meanwhile['code'] | undefined =>
  error instanceof Problem && error.status === 409 ? codes.find((code) => code === error.code) : undefined

/** What is there now, as the refusal tells it. */
function nowOf(error: unknown): Saw | undefined {
  if (!(error instanceof Problem)) return undefined
  const { now } = (error.answer ?? {}) as {
    now?: { message_id: string | null; status: string; assignee_id: string | null }
  }
  return (
    now && {
      messageId: now.message_id ?? undefined,
      assigneeId: now.assignee_id,
      isResolved: now.status === 'resolved',
    }
  )
}

/** The server names files by their place. */
function markFiles(error: unknown, conversationId: string): void {
  if (!(error instanceof Problem)) return
  const { faults } = (error.answer ?? {}) as { faults?: readonly { field: string; message: string }[] }
  for (const { field, message } of faults ?? []) {
    const file = pickedFiles(conversationId)[Number(/^attachments\.(\d+)$/.exec(field)?.[1] ?? -1)]
    if (file) changeFile(conversationId, file.key, { failure: message })
  }
}
