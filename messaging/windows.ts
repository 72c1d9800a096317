/** How long after their last message a person may be answered directly. */
import type { ChannelType, Visibility } from '../storage/model/words.ts'

const hourMs = 3_600_000

/**
 * WhatsApp, Instagram: customer service window of 24 hours. Messenger: 24 hours, and with the tag HUMAN_AGENT seven days.
 * X: none.
 */
const directWindows: Readonly<Record<ChannelType, number | undefined>> = {
  facebook: 7 * 24 * hourMs,
  instagram: 24 * hourMs,
  whatsapp: 24 * hourMs,
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
