/** The care for conversations as it comes from outside: for one, and for many at once. */
import { z } from 'zod'
import type { CareWish } from '../../backend/conversation-acts.ts'
import { conversationStatuses, priorities } from '../../storage/model/words.ts'
import { need } from '../admit.ts'
import type { Asker } from '../route.ts'

const id = z.string().max(64)
const labels = z.array(z.string().trim().min(1).max(64)).max(50)
const people = z.array(id).max(50)

/** What is not given stays as it is. */
export const careShape = z.strictObject({
  status: z.enum(conversationStatuses).optional(),
  snoozed_until: z.iso
    .datetime({ offset: true })
    .nullable()
    .optional()
    .describe('snoozes it until then; null, or status `snoozed` alone: until the contact writes'),
  assignee_id: id.nullable().optional().describe('`me`; null: nobody'),
  team_id: id.nullable().optional(),
  priority: z.enum(priorities).optional(),
  labels: labels.optional().describe('all that it is to carry, by id or name'),
  add_labels: labels.optional(),
  remove_labels: labels.optional(),
  add_participants: people.optional().describe('ids of users, or `me`'),
  remove_participants: people.optional(),
})

/** @throws Problem 403 that names the permission */
export function needForCare(asker: Asker, { assignee_id: assignee, team_id: team, ...rest }: CareWish): void {
  if (assignee !== undefined || team !== undefined) need(asker, 'conversations.assign')
  if (Object.values(rest).some((value) => value !== undefined)) need(asker, 'conversations.change')
}
