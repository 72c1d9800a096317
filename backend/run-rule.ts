/** One rule at one conversation: whether it runs, what it does, and what is written down of it. */
import { Problem } from '../infra/errors.ts'
import { addNote } from '../messaging/send.ts'
import type { Conversation, Message, Rule, RunCause, Storage, Writer } from '../storage/index.ts'
import { mostInChain, mostInHour } from '../storage/model/rules.ts'
import type { RuleOutcome, Verdict } from '../storage/model/rules.ts'
import { actsShape } from './conversation-acts.ts'
import type { ConversationAct } from './conversation-acts.ts'
import { doActs, joining } from './do-acts.ts'
import { judge } from './judge.ts'
import { factsOf, valuesOf } from './rule-facts.ts'
import type { Around } from './rule-facts.ts'

export interface Run {
  readonly rule: Rule
  readonly around: Around
  /** Locked. */
  readonly conversation: Conversation
  readonly message: Message | undefined
  /** The rules whose doing led here. */
  readonly chain: readonly string[]
  /** Another rule has answered this event. */
  readonly hasReplied: boolean
  readonly cause: RunCause
}

export interface Ran {
  readonly isMatch: boolean
  readonly hasDone: boolean
  readonly hasReplied: boolean
}

const hourMs = 60 * 60_000
const longestWhy = 4_000

/** @throws what is no refusal: the transaction is to be rolled back then */
export async function runRule(storage: Storage, tx: Writer, run: Run): Promise<Ran> {
  const { rule, around, conversation, message, cause } = run
  const facts = factsOf(around, conversation, message, new Date())
  const verdict = judge(rule.conditions, facts)
  const ended = (isMatch: boolean): Ran => ({ isMatch, hasDone: false, hasReplied: false })
  if (!verdict.is) {
    // A time is looked at once; a fact that matches nothing leaves no trace.
    if ('since' in cause) await storage.rules.begin(tx, rule, conversation.id, cause, 'unmatched')
    return ended(false)
  }
  const hindrance = await findHindrance(storage, tx, run)
  if (hindrance === 'silent') return ended(true)
  const runId = await storage.rules.begin(tx, rule, conversation.id, cause, hindrance ?? 'done')
  if (runId === undefined) return ended(true)
  if (hindrance !== undefined) {
    if (hindrance === 'paused') await pause(storage, tx, run)
    await storage.rules.end(tx, rule.accountId, runId, hindrance, { after_rules: run.chain })
    return ended(true)
  }
  const { acts, skipped } = choose(actsShape.parse(rule.acts), facts.isContactBlocked, run.hasReplied)
  const told = { ...(skipped.length > 0 && { skipped }), ...whyOf(verdict) }
  try {
    const done = await storage.rules.whole(tx, () =>
      doActs(
        storage,
        tx,
        conversation,
        acts,
        { by: null, byRule: rule.id, afterRules: run.chain },
        {
          values: valuesOf(around, conversation, null),
          message: message?.direction === 'inbound' ? message.id : undefined,
        },
      ),
    )
    await storage.rules.end(tx, rule.accountId, runId, 'done', { ...done, ...told })
    return { isMatch: true, hasDone: true, hasReplied: done.said.some(({ kind }) => kind === 'reply') }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    await storage.rules.end(tx, rule.accountId, runId, 'failed', {
      ...{ code: error.code, reason: error.message },
      ...told,
    })
    return ended(true)
  }
}

/** `silent`: nothing is to be written down of it. */
async function findHindrance(
  storage: Storage,
  tx: Writer,
  { rule, conversation, chain }: Run,
): Promise<RuleOutcome | 'silent' | undefined> {
  if (chain.includes(rule.id) || chain.length >= mostInChain) return 'loop'
  if (await storage.rules.isPaused(tx, rule, conversation.id)) return 'silent'
  const since = (ms: number): Date => new Date(Date.now() - ms)
  if (
    rule.pauseMinutes !== null &&
    (await storage.rules.recent(tx, rule, conversation.id, since(rule.pauseMinutes * 60_000))).count > 0
  )
    return 'resting'
  return (await storage.rules.recent(tx, rule, conversation.id, since(hourMs))).count >= mostInHour
    ? 'paused'
    : undefined
}

async function pause(storage: Storage, tx: Writer, { rule, conversation }: Run): Promise<void> {
  const { accountId } = rule
  await storage.rules.pause(tx, rule, conversation.id)
  const text = `The rule “${rule.name}” ran more than ${String(mostInHour)} times here within an hour. It leaves this conversation alone until somebody changes it.`
  const note = await addNote(joining(storage, tx), { accountId, conversationId: conversation.id, userId: null, text })
  await storage.rules.sign(tx, accountId, note.id, { by_rule: rule.id, after_rules: [] })
  await storage.outbox.append(tx, {
    ...{ type: 'rule.paused', accountId, data: { rule_id: rule.id, conversation_id: conversation.id } },
  })
}

/** Nobody who is blocked is answered, and nobody twice for one event. */
function choose(acts: readonly ConversationAct[], isBlocked: boolean, hasReplied: boolean) {
  const why = isBlocked ? 'contact_blocked' : hasReplied ? 'answered_already' : undefined
  const isSkipped = (act: ConversationAct): boolean => act.do === 'reply' && why !== undefined
  return {
    acts: acts.filter((act) => !isSkipped(act)),
    skipped: acts.filter(isSkipped).map((act) => ({ do: act.do, why })),
  }
}

/** The verdict on each condition, unless it is long. */
const whyOf = (verdict: Verdict): { readonly why?: Verdict } =>
  JSON.stringify(verdict).length > longestWhy ? {} : { why: verdict }
