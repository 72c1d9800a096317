import type { Act } from '../../storage/index.ts'
import type { ActJson } from './shapes.ts'

export const presentAct = (act: Act): ActJson => ({
  id: act.id,
  message_id: act.messageId,
  what: act.what,
  emoji: act.emoji,
  state: act.state,
  reason_code: act.reasonCode,
  reason: act.reason,
  attempts: act.attemptCount,
  next_attempt_at: act.nextAttemptAt?.toISOString() ?? null,
  by: act.createdBy,
  created_at: act.createdAt.toISOString(),
  updated_at: act.updatedAt.toISOString(),
})
