/** Rules, business hours, canned replies and macros: their shapes, and from model to JSON. */
import { z } from 'zod'
import { actsShape } from '../../backend/conversation-acts.ts'
import type { Found } from '../../backend/canned-replies.ts'
import { conditionsShape, triggerShape } from '../../backend/rule-shapes.ts'
import type { Trial } from '../../backend/try-rule.ts'
import { macroScopes } from '../../storage/index.ts'
import type { Macro, OwnedHours, Rule, RuleRun } from '../../storage/index.ts'
import { ruleOutcomes } from '../../storage/model/rules.ts'
import { documentShape } from './shapes.ts'
import type { DocumentJson } from './shapes.ts'

const id = z.string().describe('opaque id')
const instant = z.iso.datetime().describe('ISO 8601, UTC')
const fields = z.record(z.string(), z.unknown())

export const ruleShape = z.object({
  ...{ id, name: z.string(), position: z.int(), is_active: z.boolean() },
  trigger: triggerShape,
  conditions: fields.describe('a tree of `all`, `any` and conditions'),
  acts: z.array(fields),
  stops_after: z.boolean().describe('no later rule runs for the same event'),
  pause_minutes: z.int().nullable().describe('not again for the same conversation within that time'),
  paused_count: z.int().describe('conversations for which it ran too often and is paused'),
})
export type RuleJson = z.infer<typeof ruleShape>

/** What comes in; the same for making, changing and trying. */
export const ruleFields = {
  name: z.string().trim().min(1).max(100),
  is_active: z.boolean().default(false),
  trigger: triggerShape,
  conditions: conditionsShape.default({ all: [] }),
  acts: actsShape,
  stops_after: z.boolean().default(false),
  pause_minutes: z.int().min(1).max(527_040).nullable().default(null),
}

export const ruleRunShape = z.object({
  ...{ id, rule_id: id, conversation_id: id, event_number: z.int().nullable(), since: instant.nullable() },
  outcome: z.enum(ruleOutcomes),
  did: fields.nullable().describe('what was changed and said, what was left, why; or the reason of a failure'),
  at: instant,
})

export const trialShape = z.object({
  ...{ conversation_id: id, contact_name: z.string(), preview: z.string() },
  starts: z.boolean().describe('whether such an event, or the time, fits'),
  matched: z.boolean(),
  verdict: fields.describe('each condition with its answer'),
  would: z.array(fields).describe('what it would do, with texts filled in'),
})

export const hoursShape = z.object({
  team_id: id.nullable().describe('null: of the account'),
  time_zone: z.string(),
  weekly: z
    .array(z.array(z.array(z.string())))
    .describe('seven days from Monday, each of spans from `HH:MM` to `HH:MM`'),
  holidays: z.array(z.object({ date: z.string(), name: z.string() })),
})

export const cannedShape = z.object({
  ...{ id, team_id: id.nullable(), shortcut: z.string(), name: z.string(), text: z.string() },
  files: z.array(documentShape),
  filled: z.string().nullable().describe('the text for the conversation that was asked for'),
  use_count: z.int(),
})

export const macroShape = z.object({
  ...{
    id,
    name: z.string(),
    scope: z.enum(macroScopes),
    team_id: id.nullable(),
    acts: z.array(fields),
    position: z.int(),
  },
})

export const macroRunShape = z.object({
  changed: z.array(z.string()),
  said: z.array(z.object({ kind: z.enum(['note', 'reply']), message_id: id })),
})

type Fields = Record<string, unknown>

export const presentRule = (rule: Rule, pauses: ReadonlyMap<string, number>) => ({
  ...{ id: rule.id, name: rule.name, position: rule.position, is_active: rule.isActive },
  trigger: triggerShape.parse(rule.trigger),
  conditions: { ...rule.conditions } as Fields,
  acts: rule.acts.map((act) => ({ ...act })),
  ...{ stops_after: rule.stopsAfter, pause_minutes: rule.pauseMinutes, paused_count: pauses.get(rule.id) ?? 0 },
})

export const presentRun = (run: RuleRun) => ({
  ...{ id: run.id, rule_id: run.ruleId, conversation_id: run.conversationId, event_number: run.eventNumber },
  ...{ since: run.since?.toISOString() ?? null, outcome: run.outcome, did: run.did && { ...run.did } },
  at: run.at.toISOString(),
})

export const presentTrial = ({ conversation, isStarted, isMatch, verdict, would }: Trial) => ({
  ...{ conversation_id: conversation.id, contact_name: conversation.contactName, preview: conversation.preview },
  ...{
    starts: isStarted,
    matched: isMatch,
    verdict: { ...verdict } as Fields,
    would: would.map((act) => ({ ...act })),
  },
})

export const presentHours = ({ accountId, ownerId, timeZone, weekly, holidays }: OwnedHours) => ({
  ...{ team_id: ownerId === accountId ? null : ownerId, time_zone: timeZone },
  weekly: weekly.map((day) => day.map((span) => [...span])),
  holidays: [...holidays],
})

export const presentCanned = (reply: Found, documents: ReadonlyMap<string, DocumentJson>) => ({
  ...{ id: reply.id, team_id: reply.ownerId === reply.accountId ? null : reply.ownerId, shortcut: reply.shortcut },
  ...{ name: reply.name, text: reply.text, filled: reply.filled, use_count: reply.useCount },
  files: reply.documentIds.flatMap((each) => documents.get(each) ?? []),
})

export const presentMacro = (macro: Macro) => ({
  ...{ id: macro.id, name: macro.name, scope: macro.scope, position: macro.position },
  team_id: macro.scope === 'team' ? macro.ownerId : null,
  acts: macro.acts.map((act) => ({ ...act })),
})

export type HoursJson = z.infer<typeof hoursShape>
export type CannedJson = z.infer<typeof cannedShape>
export type MacroJson = z.infer<typeof macroShape>
export type RuleRunJson = z.infer<typeof ruleRunShape>
export type TrialJson = z.infer<typeof trialShape>
