/** Whether conditions are so, and why: pure. */
import { choiceFields, manyFields } from '../storage/model/rules.ts'
import type { ChoiceField, Conditions, Leaf, ManyField, RuleFacts, Verdict } from '../storage/model/rules.ts'
import { holds, wordsOf } from './rule-words.ts'
import type { Words } from './rule-words.ts'

/** Every part is asked, so that each can be shown. */
export function judge(conditions: Conditions, facts: RuleFacts): Verdict {
  let words: Words | undefined
  const ask = (condition: Conditions): Verdict => {
    if ('field' in condition) return { condition, is: isSo(condition, facts, () => (words ??= wordsOf(facts.text))) }
    const parts = ('all' in condition ? condition.all : condition.any).map(ask)
    const is = 'all' in condition ? parts.every((part) => part.is) : parts.some((part) => part.is)
    return { condition, is, parts }
  }
  return ask(conditions)
}

function isSo(leaf: Leaf, facts: RuleFacts, words: () => Words): boolean {
  if (isChoice(leaf)) return leaf.value.includes(chosenOf(leaf.field, facts)) === (leaf.op === 'any')
  if (isMany(leaf)) {
    const has = (each: string): boolean =>
      leaf.field === 'label' ? facts.labelIds.includes(each) : holds(words(), each)
    return leaf.op === 'all' ? leaf.value.every(has) : leaf.value.some(has) === (leaf.op === 'any')
  }
  if (leaf.field === 'waiting') {
    const minutes = facts.waitingSince === null ? 0 : (facts.at.getTime() - facts.waitingSince.getTime()) / 60_000
    return leaf.op === 'over' ? minutes >= leaf.value : minutes < leaf.value
  }
  if (leaf.field === 'attribute') return isAttributeSo(leaf, facts.attributes[leaf.key])
  const is =
    leaf.field === 'contact_new'
      ? facts.isContactNew
      : leaf.field === 'contact_blocked'
        ? facts.isContactBlocked
        : facts.isOpenHours
  return is === leaf.value
}

const isChoice = (leaf: Leaf): leaf is Extract<Leaf, { field: ChoiceField }> =>
  (choiceFields as readonly string[]).includes(leaf.field)
const isMany = (leaf: Leaf): leaf is Extract<Leaf, { field: ManyField }> =>
  (manyFields as readonly string[]).includes(leaf.field)

const chosenOf = (field: ChoiceField, facts: RuleFacts): string =>
  ({
    channel: facts.channelId,
    network: facts.network,
    kind: facts.kind ?? '',
    visibility: facts.visibility,
    status: facts.status,
    priority: facts.priority,
    assignee: facts.assigneeId ?? 'nobody',
    team: facts.teamId ?? 'none',
  })[field]

/** Numbers and dates are compared as such where both sides are some. */
function isAttributeSo({ op, value = '' }: Extract<Leaf, { field: 'attribute' }>, found: unknown): boolean {
  const text =
    typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? String(found) : undefined
  if (op === 'set' || op === 'unset') return (text !== undefined && text !== '') === (op === 'set')
  const same = text?.trim().toLowerCase() === value.trim().toLowerCase()
  if (op === 'is' || op === 'is_not') return same === (op === 'is')
  if (text === undefined) return false
  if (op === 'contains') return text.toLowerCase().includes(value.trim().toLowerCase())
  const [left, right] = [Number(text), Number(value)]
  const order =
    Number.isFinite(left) && Number.isFinite(right) ? left - right : text < value ? -1 : text > value ? 1 : 0
  return op === 'over' ? order > 0 : order < 0
}
