import { z } from 'zod'
import type { Act } from '../../storage/index.ts'
import { actStates, messageActs } from '../../storage/model/words.ts'

const id = z.string().describe('opaque id')
const instant = z.iso.datetime().describe('ISO 8601, UTC')

/** Something done to a message on its network, beside answering. */
export const actShape = z.object({
  id,
  message_id: id,
  what: z.enum(messageActs),
  emoji: z.string().nullable(),
  state: z.enum(actStates),
  reason_code: z.string().nullable(),
  reason: z.string().nullable().describe('why it failed, or why it is tried again'),
  attempts: z.number().int(),
  next_attempt_at: instant.nullable(),
  by: id.nullable().describe('the user; null: Parley itself'),
  created_at: instant,
  updated_at: instant,
})
export type ActJson = z.infer<typeof actShape>

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
