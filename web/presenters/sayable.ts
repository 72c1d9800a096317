import { connectorOf } from '../../messaging/connectors/registry.ts'
import { windowClosesAt } from '../../messaging/windows.ts'
import type { ChannelType } from '../../storage/model/words.ts'
import type { Conversation } from '../../storage/index.ts'
import type { ConversationJson } from './shapes.ts'

/** What may be said in a conversation now, and until when. */
export function presentSayable(
  conversation: Conversation,
  type: ChannelType,
): NonNullable<ConversationJson['sayable']> {
  const connector = connectorOf(type)
  if (connector === undefined)
    return [{ kind: 'note', max_text_length: noteLength, counting: 'characters', closes_at: null }]
  const thread = connector.limits(conversation.visibility)
  const direct = connector.limits('direct')
  return thread.kinds.flatMap((kind): NonNullable<ConversationJson['sayable']> => {
    if (kind === 'note') return [{ kind, max_text_length: noteLength, counting: 'characters', closes_at: null }]
    const isPublic = kind === 'comment'
    const closesAt =
      kind === 'reply' ? (windowClosesAt(type, conversation.visibility, conversation.lastInboundAt) ?? null) : null
    if (closesAt !== null && closesAt.getTime() <= Date.now()) return []
    const limits = isPublic ? thread : direct
    return [
      {
        kind,
        max_text_length: limits.maxTextLength,
        counting: isPublic && type === 'x' ? 'weighted' : 'characters',
        closes_at: closesAt?.toISOString() ?? null,
      },
    ]
  })
}

/** Notes stay here; the bound only keeps them readable. */
export const noteLength = 20_000
