/**
 * Runs rules for what has happened: a follower of the events, whose effects stand in the transaction that moves its place on, so that
 * each event is dealt with once whichever node does it. What a rule does says so, and what follows from it never starts it again.
 */
import type { Logger } from '../infra/logger.ts'
import type { Running } from '../infra/lifecycle.ts'
import { startFollower } from '../messaging/follow.ts'
import type { Conversation, Message, Rule, Storage, Writer } from '../storage/index.ts'
import type { Event } from '../storage/model/events.ts'
import { isTimeTrigger } from '../storage/model/rules.ts'
import type { RuleTrigger } from '../storage/model/rules.ts'
import { labelsOf, lookAround } from './rule-facts.ts'
import type { Around } from './rule-facts.ts'
import { runRule } from './run-rule.ts'
import { startTimedRules } from './timed-rules.ts'

export interface RulesContext {
  readonly storage: Storage
  readonly logger: Logger
  /** Unique to this process. */
  readonly holder: string
}

/** Any number of nodes may do this at once. */
export function startRules(context: RulesContext): Running {
  const { storage } = context
  const parts = [
    startFollower(context, {
      name: 'rules',
      types: [
        'message.received',
        'message.sent_elsewhere',
        'conversation.created',
        'conversation.changed',
        'note.added',
        'delivery.changed',
      ],
      handle: (tx, events) => runRules(storage, tx, events),
    }),
    startTimedRules(context),
  ]
  return {
    async stop() {
      await Promise.all(parts.map((part) => part.stop()))
    },
  }
}

/** Of all accounts; those without rules cost one look for all of them together. */
export async function runRules(storage: Storage, tx: Writer, events: readonly Event[]): Promise<void> {
  const accountIds = [...new Set(events.map(({ accountId }) => accountId))].sort()
  const byAccount = Map.groupBy(await storage.rules.active(tx, accountIds), ({ accountId }) => accountId)
  const wanted = events.filter((event) => byAccount.get(event.accountId)?.some((rule) => startsBy(rule.trigger, event)))
  if (wanted.length === 0) return
  // All of them in the order of their ids, as everywhere.
  const locked = await storage.conversations.lockAll(tx, [...new Set(wanted.flatMap(conversationOf))])
  for (const [accountId, rules] of byAccount) {
    const own = wanted.filter((event) => event.accountId === accountId)
    if (own.length > 0) await runOfAccount(storage, tx, accountId, rules, own, locked)
  }
}

async function runOfAccount(
  storage: Storage,
  tx: Writer,
  accountId: string,
  rules: readonly Rule[],
  events: readonly Event[],
  locked: Map<string, Conversation>,
): Promise<void> {
  const conversations = [...locked.values()].filter((each) => each.accountId === accountId)
  const around = await lookAround(storage, tx, accountId, conversations)
  const newest = await storage.rules.newestInbound(
    tx,
    accountId,
    events.filter((event) => textOf(event, 'message_id') === undefined).flatMap(conversationOf),
  )
  const ids = [...newest.values(), ...events.flatMap((event) => textOf(event, 'message_id') ?? [])]
  const messages = new Map(
    (await storage.messages.getMany(tx, accountId, [...new Set(ids)])).map((each) => [each.id, each]),
  )
  for (const event of events) {
    const [conversationId = ''] = conversationOf(event)
    const messageId = textOf(event, 'message_id') ?? newest.get(conversationId)
    const message = messageId === undefined ? undefined : messages.get(messageId)
    const mine = locked.get(conversationId)
    if (mine === undefined || mine.accountId !== accountId) continue
    await runForEvent(storage, tx, { around, rules, event, message, locked, conversation: mine })
  }
}

interface Occasion {
  readonly around: Around
  readonly rules: readonly Rule[]
  readonly event: Event
  readonly message: Message | undefined
  readonly locked: Map<string, Conversation>
  readonly conversation: Conversation
}

async function runForEvent(storage: Storage, tx: Writer, occasion: Occasion): Promise<void> {
  const { around, rules, event, message, locked } = occasion
  const chain = chainOf(event, message)
  let { conversation } = occasion
  let hasReplied = false
  for (const rule of rules) {
    if (rule.activeSince !== null && event.at < rule.activeSince) continue
    if (!startsBy(rule.trigger, event) || !isOfKind(rule.trigger, event, message)) continue
    const run = await runRule(storage, tx, {
      ...{ rule, around, conversation, message, chain, hasReplied },
      cause: { eventNumber: event.number },
    })
    hasReplied ||= run.hasReplied
    if (run.hasDone) {
      conversation = (await storage.conversations.lock(tx, rule.accountId, conversation.id)) ?? conversation
      locked.set(conversation.id, conversation)
      const labels = await labelsOf(storage, tx, rule.accountId, [conversation])
      around.labels.set(conversation.id, labels.get(conversation.id) ?? [])
    }
    if (run.isMatch && rule.stopsAfter) return
  }
}

/** Whether a fact of this type, with these changes, is what the rule waits for. */
function startsBy(trigger: RuleTrigger, event: Event): boolean {
  if (isTimeTrigger(trigger.type)) return false
  if (trigger.type === 'delivery.failed') return event.type === 'delivery.changed' && event.data['state'] === 'failed'
  if (trigger.type !== event.type) return false
  if (event.type !== 'conversation.changed' || trigger.changed === undefined) return true
  const changed = event.data['changed']
  return Array.isArray(changed) && trigger.changed.some((each) => changed.includes(each))
}

const isOfKind = ({ kinds }: RuleTrigger, event: Event, message: Message | undefined): boolean =>
  kinds === undefined || event.type !== 'message.received' || kinds.includes(message?.kind ?? '')

/** The rules whose doing led to this fact, the first of them first. */
function chainOf(event: Event, message: Message | undefined): string[] {
  const marked =
    event.type === 'conversation.changed' ? event.data : message?.direction === 'outbound' ? message.extra : null
  const last = marked?.['by_rule']
  if (typeof last !== 'string') return []
  const earlier: unknown = marked?.['after_rules']
  return [...(Array.isArray(earlier) ? earlier.filter((each) => typeof each === 'string') : []), last]
}

const textOf = ({ data }: Event, name: string): string | undefined => {
  const value = data[name]
  return typeof value === 'string' ? value : undefined
}
const conversationOf = (event: Event): string[] => {
  const id = textOf(event, 'conversation_id')
  return id === undefined ? [] : [id]
}
