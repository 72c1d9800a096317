/** How long after their last message a person may be answered. */
import type { ChannelType, Visibility } from '../storage/model/words.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/**
 * Messenger, Instagram: 24 hours, and with the tag HUMAN_AGENT seven days. WhatsApp: customer service window of 24 hours,
 * templates at any time. X: none.
 */
const directWindows: Readonly<Record<ChannelType, number | undefined>> = {
  facebook: 7 * dayMs,
  instagram: 7 * dayMs,
  whatsapp: dayMs,
  x: undefined,
}

/** When the window for direct answers closes; `undefined`: there is none. A person who never wrote has a closed one. */
export function windowClosesAt(
  type: ChannelType,
  visibility: Visibility,
  lastInboundAt: Date | null,
): Date | undefined {
  const length = visibility === 'direct' ? directWindows[type] : undefined
  return length === undefined ? undefined : new Date((lastInboundAt?.getTime() ?? 0) + length)
}

/** From when on answers carry the tag HUMAN_AGENT; `undefined`: never. */
export function humanAgentFrom(
  type: ChannelType,
  visibility: Visibility,
  lastInboundAt: Date | null,
): Date | undefined {
  const isTagged = (type === 'facebook' || type === 'instagram') && visibility === 'direct' && lastInboundAt !== null
  return isTagged ? new Date(lastInboundAt.getTime() + dayMs) : undefined
}

/** Messenger, Instagram: a comment has one private reply, within seven days. X: a direct message like any other. */
export const hasOnePrivateReply = (type: ChannelType): boolean => type === 'facebook' || type === 'instagram'

/** Until when a comment of then may be answered privately; `undefined`: always. */
export const privateReplyClosesAt = (type: ChannelType, occurredAt: Date): Date | undefined =>
  hasOnePrivateReply(type) ? new Date(occurredAt.getTime() + 7 * dayMs) : undefined
