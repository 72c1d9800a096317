/** What a conversation shows of itself in a list. */
import type { Conversation, Message } from '../storage/index.ts'
import type { Intake } from './take-in.ts'

/** The beginning of a text on one line. */
export const previewOf = (text: string | null, attachments: readonly { readonly kind: string }[] = []): string =>
  Array.from((text ?? '').slice(0, 2_000).replace(/\s+/g, ' ').trim())
    .slice(0, 160)
    .join('') || (attachments[0] === undefined ? '' : `[${attachments[0].kind}]`)

/** Instead of words that were taken back. */
export const deletedPreview = '[deleted]'

/**
 * What the conversations of the new messages show from now on; their rows are locked in the order of their ids. Those in which a
 * contact has written while answers waited that this calls off.
 */
export async function summariseConversations({
  storage,
  tx,
  facts,
  fresh,
  files,
  blocked,
}: Intake): Promise<readonly Conversation[]> {
  const messages = [...fresh.values()]
  const locked = await storage.conversations.lockAll(tx, [...new Set(messages.map((each) => each.conversationId))])
  const changed = new Map<string, Conversation>()
  for (const message of messages) {
    const id = message.conversationId
    const before = changed.get(id) ?? locked.get(id)
    if (before === undefined) throw new Error(`conversation ${id} is gone`)
    const isQuiet = message.contactId !== null && blocked.has(message.contactId)
    const after = (isQuiet ? summariseQuietly : summarise)(before, message, files.get(message.id) ?? [])
    changed.set(id, after)
    // Whoever answers words that we said to nobody is whom the conversation is with.
    const writer = before.lastInboundAt === null && before.visibility === 'public' ? message.contactId : null
    if (writer !== null && writer !== before.contactId)
      await storage.conversations.adopt(tx, before.accountId, id, writer)
    if (after.status !== before.status)
      facts.push({
        accountId: message.accountId,
        type: 'conversation.changed',
        data: { conversation_id: id, changed: ['status'], by: null },
      })
  }
  await storage.conversations.summarise(tx, [...changed.values()])
  const answered = new Set(
    messages
      .filter(({ direction, contactId }) => direction === 'inbound' && !blocked.has(contactId ?? ''))
      .map((each) => each.conversationId),
  )
  return [...locked.values()].filter(({ id, endsIfAnswered }) => endsIfAnswered && answered.has(id))
}

/**
 * Utterances may come in any order: only the newest makes the preview, and only what nobody has answered since makes the
 * contact wait. A contact who writes reopens what was resolved or put off.
 */
export function summarise(
  before: Conversation,
  message: Message,
  attachments: readonly { readonly kind: string }[],
): Conversation {
  const { occurredAt } = message
  const isNewest = before.preview === '' || occurredAt >= before.lastActivityAt
  const after = {
    ...before,
    lastActivityAt: isNewest ? occurredAt : before.lastActivityAt,
    preview: !isNewest
      ? before.preview
      : message.deletedAt === null
        ? previewOf(message.text, attachments)
        : deletedPreview,
  }
  if (message.direction === 'outbound') {
    const isAnswer = before.lastInboundAt === null || occurredAt >= before.lastInboundAt
    return { ...after, waitingSince: isAnswer ? null : before.waitingSince }
  }
  return {
    ...after,
    lastInboundAt:
      before.lastInboundAt !== null && before.lastInboundAt > occurredAt ? before.lastInboundAt : occurredAt,
    waitingSince: before.waitingSince ?? (isNewest ? occurredAt : null),
    status: before.status === 'resolved' || before.status === 'snoozed' ? 'open' : before.status,
  }
}

/** Someone who is blocked has written: it is shown, but opens and wakes nothing, and nobody waits for an answer. */
export function summariseQuietly(
  before: Conversation,
  message: Message,
  attachments: readonly { readonly kind: string }[],
): Conversation {
  const isNew = before.preview === '' && before.lastInboundAt === null
  const after = summarise(before, message, attachments)
  return { ...after, waitingSince: before.waitingSince, status: isNew ? 'resolved' : before.status }
}
