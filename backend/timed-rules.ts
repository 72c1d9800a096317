/** Rules that a time starts: looked for every few seconds, each period of waiting once. */
import { messageOf } from '../infra/errors.ts'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Rule, Storage } from '../storage/index.ts'
import { isTimeTrigger, timeTriggers } from '../storage/model/rules.ts'
import { lookAround } from './rule-facts.ts'
import { runRule } from './run-rule.ts'
import type { RulesContext } from './run-rules.ts'

const everyMs = 10_000
const mostAtOnce = 100
const minuteMs = 60_000
/** After an outage that was longer, what came due long ago is left alone. */
const latestMs = 7 * 24 * 60 * minuteMs

export function startTimedRules({ storage, logger }: RulesContext): Running {
  return every(
    () => everyMs * (0.75 + Math.random() / 2),
    (signal) => runTimedRules(storage, signal),
    (error) => {
      logger.warn({ reason: messageOf(error) }, 'rules by time could not be looked at; it is tried again')
    },
  )
}

/** Whatever is due now. Two nodes at once: the unique key of each run lets one of them do it. */
export async function runTimedRules(storage: Storage, signal?: AbortSignal): Promise<void> {
  for (const rule of await storage.rules.timed(storage.primary, timeTriggers)) {
    if (signal?.aborted === true) return
    const minutes = rule.trigger.minutes ?? 0
    if (!isTimeTrigger(rule.trigger.type) || minutes === 0) continue
    const until = Date.now() - minutes * minuteMs
    // What came due before the rule was there is not its business.
    const from = Math.max(until - latestMs, (rule.activeSince?.getTime() ?? 0) - minutes * minuteMs)
    const due = await storage.rules.due(
      storage.primary,
      rule,
      rule.trigger.type,
      { from: new Date(from), until: new Date(until) },
      mostAtOnce,
    )
    for (const { id, since } of due) await runOnce(storage, rule, id, since)
  }
}

async function runOnce(storage: Storage, rule: Rule, conversationId: string, since: Date): Promise<void> {
  const { accountId } = rule
  await storage.write(async (tx) => {
    const conversation = await storage.conversations.lock(tx, accountId, conversationId)
    if (conversation === undefined) return
    const began = rule.trigger.type === 'unanswered' ? conversation.waitingSince : conversation.lastActivityAt
    const isThere = (conversation.status === 'snoozed') === (rule.trigger.type === 'snoozed')
    if (began?.getTime() !== since.getTime() || conversation.status === 'resolved' || !isThere) return
    const around = await lookAround(storage, tx, accountId, [conversation])
    const message = await storage.messages.latestInbound(tx, accountId, conversationId)
    const run = { rule, around, conversation, message, chain: [], hasReplied: false, cause: { since } }
    const { isMatch } = await runRule(storage, tx, run)
    // One that is paused here is not asked again and again.
    if (isMatch) await storage.rules.begin(tx, rule, conversationId, { since }, 'unmatched')
  })
}
