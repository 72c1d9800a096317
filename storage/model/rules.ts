/** Rules: what starts them, what they ask, how a run ends. Pure; imports nothing but words. */
import type { ChannelType, ConversationStatus, Priority, Visibility } from './words.ts'

/** Facts that can start a rule, and what time alone can. */
export const ruleTriggers = [
  'message.received',
  'message.sent_elsewhere',
  'conversation.created',
  'conversation.changed',
  'note.added',
  'delivery.failed',
  'unanswered',
  'idle',
  'snoozed',
] as const
export type RuleTriggerType = (typeof ruleTriggers)[number]

/** `unanswered`: the contact waits so long · `idle`: nothing was said so long · `snoozed`: put off, and nothing said so long. */
export const timeTriggers = ['unanswered', 'idle', 'snoozed'] as const satisfies readonly RuleTriggerType[]
export type TimeTriggerType = (typeof timeTriggers)[number]
export const isTimeTrigger = (type: RuleTriggerType): type is TimeTriggerType =>
  (timeTriggers as readonly string[]).includes(type)

/** What a conversation's change can be of. */
export const changedFields = ['status', 'assignee', 'team', 'priority', 'labels'] as const

export interface RuleTrigger {
  readonly type: RuleTriggerType
  /** Of messages: of which kinds; none named: of any. */
  readonly kinds?: readonly string[] | undefined
  /** Of changes: of which fields; none named: of any. */
  readonly changed?: readonly string[] | undefined
  /** Of times. */
  readonly minutes?: number | undefined
}

/** Conditions about one thing of a closed list: any of these, or none of them. `nobody`, `none`: it has none. */
export const choiceFields = [
  'channel',
  'network',
  'kind',
  'visibility',
  'status',
  'priority',
  'assignee',
  'team',
] as const
export type ChoiceField = (typeof choiceFields)[number]
/** About several at a time. */
export const manyFields = ['label', 'text'] as const
export type ManyField = (typeof manyFields)[number]
/** That are so or not. `contact_new`: heard of for the first time within the last day. */
export const flagFields = ['contact_new', 'contact_blocked', 'business_hours'] as const
export type FlagField = (typeof flagFields)[number]
export const attributeOps = ['is', 'is_not', 'contains', 'set', 'unset', 'over', 'under'] as const

export type Leaf =
  | { readonly field: ChoiceField; readonly op: 'any' | 'none'; readonly value: readonly string[] }
  | { readonly field: ManyField; readonly op: 'any' | 'all' | 'none'; readonly value: readonly string[] }
  | { readonly field: FlagField; readonly op: 'is'; readonly value: boolean }
  | { readonly field: 'waiting'; readonly op: 'over' | 'under'; readonly value: number }
  | {
      readonly field: 'attribute'
      readonly key: string
      readonly op: (typeof attributeOps)[number]
      readonly value?: string | undefined
    }

/** All of an empty list are so. */
export type Conditions = { readonly all: readonly Conditions[] } | { readonly any: readonly Conditions[] } | Leaf

/** What conditions are about, as it is when they are asked. */
export interface RuleFacts {
  readonly at: Date
  readonly channelId: string
  readonly network: ChannelType
  readonly visibility: Visibility
  /** Of the message that it is about: the one of the event, else the newest of the contact. */
  readonly kind: string | null
  readonly text: string
  readonly status: ConversationStatus
  readonly priority: Priority
  readonly assigneeId: string | null
  readonly teamId: string | null
  readonly labelIds: readonly string[]
  readonly waitingSince: Date | null
  readonly isContactNew: boolean
  readonly isContactBlocked: boolean
  readonly attributes: Readonly<Record<string, unknown>>
  readonly isOpenHours: boolean
}

/** A condition's answer, and those of its parts. */
export interface Verdict {
  readonly condition: Conditions
  readonly is: boolean
  readonly parts?: readonly Verdict[]
}

/**
 * `done` · `failed`: something of it could not be done · `resting`: it ran for this conversation a short time ago · `loop`: its own
 * doing led to the event · `paused`: it ran too often · `unmatched`: its time came, and its conditions were not so.
 */
export const ruleOutcomes = ['done', 'failed', 'resting', 'loop', 'paused', 'unmatched'] as const
export type RuleOutcome = (typeof ruleOutcomes)[number]

export const mostLeaves = 50
export const mostDepth = 4
/** So many rules in a row, each started by the one before. */
export const mostInChain = 3
/** More runs for one conversation within an hour, and the rule is paused for it. */
export const mostInHour = 20

/** Weekly hours: seven days from Monday, each of spans as `HH:MM`; one that ends before it begins goes over midnight. */
export interface BusinessHours {
  readonly timeZone: string
  readonly weekly: readonly (readonly (readonly [string, string])[])[]
  /** Closed all day; `YYYY-MM-DD`. */
  readonly holidays: readonly { readonly date: string; readonly name: string }[]
}
