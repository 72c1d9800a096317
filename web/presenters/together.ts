/** Who is there, drafts, and how conversations are given out: their shapes, and from model to JSON. */
import { z } from 'zod'
import type { AssignmentSettings, Document, Draft, DraftMark } from '../../storage/index.ts'
import { assignmentWays, availabilities, outboundKinds } from '../../storage/model/words.ts'

const id = z.string().describe('opaque id')
const instant = z.iso.datetime().describe('ISO 8601, UTC')

/** One of us, as the live stream tells it in `presence`: always whole, in place of what was said of them before. */
export const hereShape = z.object({
  user_id: id,
  is_here: z.boolean(),
  is_away: z.boolean(),
  viewing: z
    .array(
      z.object({ conversation_id: id, typing: z.enum(outboundKinds).nullable().describe('what is being written') }),
    )
    .describe('what they have open, as far as you may see it'),
})

export const draftShape = z.object({
  conversation_id: id,
  kind: z.enum(outboundKinds),
  text: z.string(),
  in_reply_to: z.string().nullable(),
  attachments: z.array(
    z.object({ id, name: z.string().nullable(), content_type: z.string(), size: z.int().describe('bytes') }),
  ),
  version: z.int().describe('rises with each change; given back with the next one'),
  updated_at: instant,
})

export const draftMarkShape = z.object({
  conversation_id: id,
  kind: z.enum(outboundKinds),
  version: z.int(),
  updated_at: instant,
})

export const assignmentWayField = z.enum(assignmentWays)
export const availabilityField = z.enum(availabilities)

export const assignmentSettingsShape = z.object({
  assignment: assignmentWayField.describe('how conversations of no team are given out'),
  goes_offline: z.boolean().describe('whoever has no page open for five minutes is offline until they come'),
})

export type HereJson = z.infer<typeof hereShape>
export type DraftJson = z.infer<typeof draftShape>
export type DraftMarkJson = z.infer<typeof draftMarkShape>
export type AssignmentSettingsJson = z.infer<typeof assignmentSettingsShape>

/** @param documents those that it names */
export const presentDraft = (draft: Draft, documents: readonly Document[]): DraftJson => ({
  conversation_id: draft.conversationId,
  kind: draft.kind,
  text: draft.text,
  in_reply_to: draft.inReplyTo,
  attachments: draft.documentIds.flatMap((documentId) => {
    const document = documents.find((each) => each.id === documentId)
    if (document === undefined) return []
    return [{ id: document.id, name: document.name, content_type: document.contentType, size: document.size }]
  }),
  version: draft.version,
  updated_at: draft.updatedAt.toISOString(),
})

export const presentDraftMark = (mark: DraftMark): DraftMarkJson => ({
  conversation_id: mark.conversationId,
  kind: mark.kind,
  version: mark.version,
  updated_at: mark.updatedAt.toISOString(),
})

export const presentAssignment = ({ assignment, goesOffline }: AssignmentSettings): AssignmentSettingsJson => ({
  assignment,
  goes_offline: goesOffline,
})
