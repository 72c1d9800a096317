/** Names for everything that a rule can speak of, and a rule as a sentence. */
import { useQuery } from '@tanstack/react-query'
import { changedFields, type Conditions, type RuleTriggerType } from '../../../storage/model/rules.ts'
import { channelTypes, inboundKinds, priorities } from '../../../storage/model/words.ts'
import type { RuleJson } from '../../presenters/rules.ts'
import { useSpeech, type Key } from '../texts/index.tsx'
import { lists } from './people-api.ts'
import { isGroup, partsOf, readActs, readConditions, ruleLists, type ActForm } from './rules-api.ts'

export interface Option {
  readonly value: string
  readonly label: string
}

/** How networks call themselves. */
const networks: Readonly<Record<string, string>> = {
  facebook: 'Facebook',
  instagram: 'Instagram',
  whatsapp: 'WhatsApp',
  x: 'X',
}
const statuses = ['open', 'pending', 'snoozed', 'resolved'] as const

export function useRuleNames() {
  const { t } = useSpeech()
  const users = useQuery(lists.users).data?.items ?? []
  const teams = useQuery(lists.teams).data?.items ?? []
  const labels = useQuery(ruleLists.labels).data?.items ?? []
  const channels = useQuery(ruleLists.channels).data?.items ?? []
  const named = (items: readonly { readonly id: string; readonly name: string }[]): Option[] =>
    items.map(({ id, name }) => ({ value: id, label: name }))
  const words = (values: readonly string[]): Option[] =>
    values.map((value) => ({ value, label: t(`choice.${value}` as Key) }))

  const optionsOf = (field: string): Option[] => {
    switch (field) {
      case 'channel':
        return named(channels)
      case 'network':
        return channelTypes.map((value) => ({ value, label: networks[value] ?? value }))
      case 'kind':
        return words(inboundKinds)
      case 'visibility':
        return words(['direct', 'public'])
      case 'status':
        return words(statuses)
      case 'priority':
        return words(priorities)
      case 'assignee':
        return [...words(['nobody']), ...named(users)]
      case 'team':
        return [...words(['none']), ...named(teams)]
      case 'label':
        return named(labels)
      case 'changed':
        return changedFields.map((value) => ({ value, label: t(`field.${value}`) }))
      default:
        return []
    }
  }
  const nameOf = (field: string, value: string): string =>
    optionsOf(field).find((option) => option.value === value)?.label ??
    (field === 'label' ? labels.find(({ name }) => name === value)?.name : undefined) ??
    t('rules.gone')
  const minutes = (count: number): string =>
    new Intl.NumberFormat(document.documentElement.lang, {
      ...{ style: 'unit', unitDisplay: 'long' },
      unit: count % 1440 === 0 ? 'day' : count % 60 === 0 ? 'hour' : 'minute',
    }).format(count % 1440 === 0 ? count / 1440 : count % 60 === 0 ? count / 60 : count)

  const trigger = ({ type, minutes: after, kinds, changed }: RuleJson['trigger']): string => {
    const what = t(`trigger.${type satisfies RuleTriggerType}`)
    const narrowed = kinds?.map((each) => nameOf('kind', each)) ?? changed?.map((each) => nameOf('changed', each))
    if (after !== undefined) return t('trigger.for', { what, minutes: minutes(after) })
    return narrowed === undefined ? what : `${what} (${narrowed.join(', ')})`
  }
  const condition = (part: Conditions): string => {
    if (isGroup(part)) {
      const between = 'all' in part ? ` ${t('rules.and')} ` : ` ${t('rules.or')} `
      return `(${partsOf(part).map(condition).join(between)})`
    }
    if (part.field === 'attribute') return `${part.key} ${t(`op.${part.op}`)} ${part.value ?? ''}`.trim()
    const field = t(`field.${part.field}`)
    if (part.field === 'waiting') return `${field} ${t(`op.${part.op}`)} ${minutes(part.value)}`
    if (typeof part.value === 'boolean') return `${field}: ${t(part.value ? 'rules.yes' : 'rules.no')}`
    const { op, value } = part as { readonly op: 'any' | 'all' | 'none'; readonly value: readonly string[] }
    const isMany = part.field === 'label' || part.field === 'text'
    const how = t(
      isMany ? `op.has_${op}` : op === 'any' && value.length === 1 ? 'op.is' : op === 'none' ? 'op.none' : 'op.any',
    )
    const shown = value.map((each) => (part.field === 'text' ? `“${each}”` : nameOf(part.field, each)))
    return `${field} ${how} ${shown.join(', ')}`
  }
  const act = (step: ActForm): string => {
    const what = t(`act.${step.do}`)
    if (step.do === 'note' || step.do === 'reply') return `${what}: “${step.value ?? ''}”`
    if (step.do === 'snooze')
      return `${what}: ${step.value === null ? t('act.until_written') : minutes(Number(step.value))}`
    if (step.do === 'assign')
      return `${what}: ${step.value === 'me' ? t('choice.me') : nameOf('assignee', step.value ?? 'nobody')}`
    if (step.do === 'team') return `${what}: ${nameOf('team', step.value ?? 'none')}`
    return `${what}: ${nameOf(step.do === 'unlabel' ? 'label' : step.do, step.value ?? '')}`
  }
  /** The three parts of the sentence. */
  const sentence = (rule: Pick<RuleJson, 'trigger' | 'conditions' | 'acts'>) => {
    const tree = readConditions(rule.conditions)
    const isEmpty = isGroup(tree) && partsOf(tree).length === 0
    return {
      when: trigger(rule.trigger),
      conditions: isEmpty ? null : condition(tree).replace(/^\((.*)\)$/s, '$1'),
      acts: readActs(rule.acts).map(act),
    }
  }
  return { optionsOf, nameOf, minutes, condition, act, sentence }
}

export type RuleNames = ReturnType<typeof useRuleNames>
