/** What a conversation shows of itself in a list, after one more utterance. */
import type { Conversation, Message } from '../storage/index.ts'

/** The beginning of a text on one line. */
export const previewOf = (text: string | null, attachments: readonly { readonly kind: string }[] = []): string =>
  Array.from((text ?? '').slice(0, 2_000).replace(/\s+/g, ' ').trim())
    .slice(0, 160)
    .join('') || (attachments[0] === undefined ? '' : `[${attachments[0].kind}]`)

/** Instead of words that were taken back. */
export const deletedPreview = '[deleted]'

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
