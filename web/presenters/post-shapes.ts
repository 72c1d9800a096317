/** The shapes of posts that are planned here; part of the contract with the browser app, as `shapes.ts`. */
import { z } from 'zod'
import { approvalRules, latePolicies, plannedStates, publicationStates } from '../../storage/model/posts.ts'
import { channelTypes } from '../../storage/model/words.ts'
import { variantsShape } from './shapes.ts'

const id = z.string().describe('opaque id')
const instant = z.iso.datetime().describe('ISO 8601, UTC')
const person = z.object({ id, name: z.string() }).nullable()

/** What is wrong with a post on one channel. */
export const postProblemShape = z.object({
  code: z.string().describe('stable: `too_long`, `needs_file`, `duplicate` …'),
  severity: z.enum(['error', 'warning']).describe('`error`: it cannot leave the drafts so'),
  field: z.string().describe('`text`, `files`, `files.0`, `link` or `channel_id`'),
  message: z.string(),
})

const channelOfPost = z.object({ id, type: z.enum(channelTypes), name: z.string() })

/** What a channel takes. */
export const postLimitsShape = z.object({
  max_text_length: z.number().int(),
  counting: z.enum(['characters', 'bytes', 'weighted']),
  max_files: z.number().int(),
  files: z.array(z.object({ kind: z.string(), types: z.array(z.string()), max_bytes: z.number().int() })),
  needs_file: z.boolean(),
  may_mix: z.boolean().describe('pictures and films in one post'),
  has_link: z.boolean(),
})

const checkedFields = {
  channel: channelOfPost,
  length: z.number().int().describe('of the text, by the counting of the network'),
  limits: postLimitsShape.nullable().describe('null: nothing can be published there'),
  problems: z.array(postProblemShape),
}

/** How one channel would take a post. */
export const channelCheckShape = z.object({
  ...checkedFields,
  text: z.string().describe('what it says there'),
  link: z.string().nullable(),
  file_count: z.number().int(),
})

export const postFileShape = z.object({
  document_id: id,
  alt_text: z.string().nullable(),
  content_type: z.string(),
  size: z.number().int(),
  name: z.string().nullable(),
  url: z.string(),
  variants: variantsShape,
})

/** One try at publishing. */
const publishAttemptShape = z.object({
  number: z.number().int(),
  started_at: instant,
  finished_at: instant.nullable(),
  outcome: z.string().nullable(),
  code: z.string().nullable(),
  reason: z.string().nullable(),
})

/** A post on one channel. */
export const publicationShape = z.object({
  id,
  ...checkedFields,
  text: z.string().nullable().describe('its own; null: the common one'),
  files: z.array(postFileShape).nullable().describe('its own; null: the common ones'),
  state: z.enum(publicationStates),
  reason_code: z.string().nullable(),
  reason: z.string().nullable(),
  next_attempt_at: instant.nullable().describe('`unknown` without it: left to a person'),
  attempts: z.array(publishAttemptShape),
  external_id: z.string().nullable(),
  permalink: z.string().nullable(),
  post_id: id.nullable().describe('of the post that conversations stand below'),
  published_at: instant.nullable(),
  comment_count: z.number().int().nullable().describe('only where one post is asked for'),
})

export const plannedPostShape = z.object({
  id,
  state: z.enum(plannedStates),
  reason_code: z.string().nullable(),
  reason: z.string().nullable().describe('why it was rejected, cancelled or is asked about'),
  text: z.string(),
  link: z.string().nullable(),
  files: z.array(postFileShape),
  channels: z.array(publicationShape),
  publish_at: instant.nullable(),
  late_policy: z.enum(latePolicies).describe('what happens when an outage makes it more than five minutes late'),
  version: z.number().int().describe('to be sent along with a change'),
  needs_approval: z.boolean().describe('whether what you write must be approved first'),
  may: z
    .array(z.string())
    .describe('steps that you may take now: `edit`, `submit`, `approve`, `reject`, `schedule`, `publish`, `cancel`'),
  created_by: person,
  edited_by: person,
  approved_by: person,
  approved_at: instant.nullable(),
  created_at: instant,
  updated_at: instant,
})

/** One line of a post's history. */
export const postStepShape = z.object({
  step: z
    .string()
    .describe(
      '`create`, `edit`, `submit`, `approve`, `reject`, `schedule`, `publish`, `fire`, `cancel`, or a state that it came to',
    ),
  by: person.describe('null: Parley itself'),
  from_state: z.enum(plannedStates).nullable(),
  to_state: z.enum(plannedStates),
  detail: z.string().nullable(),
  at: instant,
})

export const postSettingsShape = z.object({
  approval: z.enum(approvalRules).describe('`by_role`: whoever may not approve needs an approval'),
  four_eyes: z.boolean().describe('whoever wrote a post may not approve it'),
})

export type PlannedPostJson = z.infer<typeof plannedPostShape>
export type PublicationJson = z.infer<typeof publicationShape>
export type ChannelCheckJson = z.infer<typeof channelCheckShape>
export type PostStepJson = z.infer<typeof postStepShape>
export type PostSettingsJson = z.infer<typeof postSettingsShape>
