/** What a rule would do: asked of conversations as they are now, with nothing written. */
import { isId } from '../infra/ids.ts'
import type { Scope, ShownConversation, Storage } from '../storage/index.ts'
import type { RuleTrigger, Verdict } from '../storage/model/rules.ts'
import type { ConversationAct } from './conversation-acts.ts'
import { fillIn } from './fill-in.ts'
import { judge } from './judge.ts'
import { factsOf, lookAround, valuesOf } from './rule-facts.ts'
import { checkRule } from './rules.ts'
import type { RuleWish } from './rules.ts'

export interface Trial {
  readonly conversation: ShownConversation
  /** Its newest message is of a kind that starts the rule. */
  readonly isStarted: boolean
  readonly isMatch: boolean
  readonly verdict: Verdict
  /** With their texts filled in; of one that matches. */
  readonly would: readonly ConversationAct[]
}

/** So many of the newest conversations are tried. */
export const mostTried = 100

/** As if its event happened to each now. @throws Problem 422 as `checkRule` does */
export async function tryRule(
  {
    storage,
    asker,
  }: { readonly storage: Storage; readonly asker: { readonly accountId: string; readonly scope: Scope } },
  rule: Pick<RuleWish, 'trigger' | 'conditions' | 'acts'>,
  ids?: readonly string[],
): Promise<Trial[]> {
  const { accountId, scope } = asker
  const reader = storage.fresh
  await checkRule(storage, reader, accountId, rule)
  const conversations =
    ids === undefined
      ? await storage.conversations.list(reader, accountId, { limit: mostTried }, scope)
      : (
          await Promise.all(ids.filter(isId).map((id) => storage.conversations.shown(reader, accountId, id, scope)))
        ).filter((each) => each !== undefined)
  const around = await lookAround(storage, reader, accountId, conversations)
  const newest = await storage.rules.newestInbound(
    reader,
    accountId,
    conversations.map(({ id }) => id),
  )
  const messages = new Map(
    (await storage.messages.getMany(reader, accountId, [...newest.values()])).map((each) => [
      each.conversationId,
      each,
    ]),
  )
  return conversations.map((conversation) => {
    const message = messages.get(conversation.id)
    const facts = factsOf(around, conversation, message, new Date())
    const verdict = judge(rule.conditions, facts)
    const isStarted = startsNow(rule.trigger, conversation, message?.kind ?? null)
    const isMatch = isStarted && verdict.is
    const values = valuesOf(around, conversation, null)
    const would = isMatch
      ? rule.acts
          .filter((act) => act.do !== 'reply' || !facts.isContactBlocked)
          .map((act) => (act.do === 'note' || act.do === 'reply' ? { ...act, text: fillIn(act.text, values) } : act))
      : []
    return { conversation, isStarted, isMatch, verdict, would }
  })
}

/** Of a fact: whether the newest message is of its kinds. Of a time: whether it has come. */
function startsNow(trigger: RuleTrigger, conversation: ShownConversation, kind: string | null): boolean {
  const { type, kinds, minutes = 0 } = trigger
  const isOver = (since: Date | null): boolean => since !== null && Date.now() - since.getTime() >= minutes * 60_000
  if (type === 'unanswered') return conversation.status !== 'resolved' && isOver(conversation.waitingSince)
  if (type === 'snoozed') return conversation.status === 'snoozed' && isOver(conversation.lastActivityAt)
  if (type === 'idle') return ['open', 'pending'].includes(conversation.status) && isOver(conversation.lastActivityAt)
  return type !== 'message.received' || (kind !== null && (kinds === undefined || kinds.includes(kind)))
}
