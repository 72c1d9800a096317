/** Labels, views, mentions and changes of many: their shapes, and from model to JSON. */
import { z } from 'zod'
import { bulkStates } from '../../storage/index.ts'
import type { BulkJob, Label, Mention, View } from '../../storage/index.ts'

const id = z.string().describe('opaque id')
const instant = z.iso.datetime().describe('ISO 8601, UTC')

export const labelShape = z.object({ id, name: z.string(), color: z.string().describe('`#rrggbb`') })
export type LabelJson = z.infer<typeof labelShape>

export const viewShape = z.object({
  id,
  name: z.string(),
  filter: z.record(z.string(), z.unknown()).describe('as GET /conversations takes it'),
  owner_id: id,
  is_own: z.boolean(),
  team_ids: z.array(z.string()).nullable().describe('shared with these teams'),
  is_for_all: z.boolean(),
  position: z.number().int(),
})
export type ViewJson = z.infer<typeof viewShape>

export const mentionShape = z.object({
  message_id: id,
  conversation_id: id,
  author_id: id.nullable(),
  text: z.string().nullable().describe('the beginning of the note'),
  at: instant,
  seen_at: instant.nullable(),
})
export type MentionJson = z.infer<typeof mentionShape>

export const bulkShape = z.object({
  id,
  state: z.enum(bulkStates),
  change: z.record(z.string(), z.unknown()).describe('as it was asked for'),
  total: z.number().int(),
  done: z.number().int().describe('looked at so far'),
  changed: z.number().int(),
  skipped: z.number().int().describe('it was so already, or cannot be; of an undo: changed by somebody since'),
  undone: z.number().int(),
  reason: z.string().nullable(),
  can_undo: z.boolean(),
  created_by: id,
  created_at: instant,
  finished_at: instant.nullable(),
})
export type BulkJson = z.infer<typeof bulkShape>

export const presentLabel = ({ id, name, color }: Label): LabelJson => ({ id, name, color })

export const presentView = (view: View, userId: string): ViewJson => ({
  ...{ id: view.id, name: view.name, filter: { ...view.filter }, owner_id: view.ownerId },
  ...{ is_own: view.ownerId === userId, team_ids: view.teamIds && [...view.teamIds] },
  ...{ is_for_all: view.isForAll, position: view.position },
})

export const presentMention = (mention: Mention & { text: string | null; authorId: string | null }): MentionJson => ({
  ...{ message_id: mention.messageId, conversation_id: mention.conversationId, author_id: mention.authorId },
  ...{ text: mention.text, at: mention.at.toISOString(), seen_at: mention.seenAt?.toISOString() ?? null },
})

export function presentBulk(job: BulkJob): BulkJson {
  const wish = z.record(z.string(), z.unknown()).safeParse(job.changeData['wish'])
  return {
    ...{ id: job.id, state: job.state, change: wish.data ?? {} },
    ...{ total: job.total, done: job.done, changed: job.changed, skipped: job.skipped, undone: job.undone },
    ...{ reason: job.reason, created_by: job.createdBy, created_at: job.createdAt.toISOString() },
    can_undo: ['done', 'cancelled', 'failed'].includes(job.state) && job.changed > 0,
    finished_at: job.finishedAt?.toISOString() ?? null,
  }
}
