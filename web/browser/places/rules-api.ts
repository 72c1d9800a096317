/** The calls of rules, business hours, canned replies and macros, and what their forms hold. */
import type { HoursJson, CannedJson, MacroJson, RuleJson, RuleRunJson, TrialJson } from '../../presenters/rules.ts'
import type { LabelJson } from '../../presenters/inbox.ts'
import type { ChannelJson } from '../../presenters/shapes.ts'
import type { Conditions } from '../../../storage/model/rules.ts'
import { ask, newKey, type Page } from '../api.ts'

type Fields = Readonly<Record<string, unknown>>
const list = <Item>(path: string) => ({
  queryKey: ['people', path],
  queryFn: ({ signal }: { signal: AbortSignal }) => ask<Page<Item>>('GET', path, undefined, { signal }),
  staleTime: 5_000,
})

export const ruleLists = {
  rules: list<RuleJson>('/rules'),
  runs: (id: string) => list<RuleRunJson>(`/rules/${id}/runs`),
  hours: list<HoursJson>('/business-hours'),
  canned: (isAll: boolean) => list<CannedJson>(`/canned-replies?limit=200${isAll ? '&all=true' : ''}`),
  macros: list<MacroJson>('/macros'),
  labels: list<LabelJson>('/labels'),
  channels: list<ChannelJson>('/channels'),
}

export const rulesApi = {
  createRule: (wish: Fields) => ask<RuleJson>('POST', '/rules', wish, { key: newKey() }),
  changeRule: (id: string, change: Fields) => ask<RuleJson>('PATCH', `/rules/${id}`, change),
  removeRule: (id: string) => ask<unknown>('DELETE', `/rules/${id}`),
  arrange: (ids: readonly string[]) => ask<unknown>('POST', '/rules/order', { ids }, { key: newKey() }),
  check: (rule: Fields) =>
    ask<Page<TrialJson> & { matched: number }>('POST', '/rules/check', { rule }, { key: newKey() }),
  setHours: (teamId: string | null, hours: Fields | null) =>
    ask<Page<HoursJson>>('PATCH', '/business-hours', { team_id: teamId, hours }),
  createCanned: (wish: Fields) => ask<CannedJson>('POST', '/canned-replies', wish, { key: newKey() }),
  changeCanned: (id: string, change: Fields) => ask<CannedJson>('PATCH', `/canned-replies/${id}`, change),
  removeCanned: (id: string) => ask<unknown>('DELETE', `/canned-replies/${id}`),
  createMacro: (wish: Fields) => ask<MacroJson>('POST', '/macros', wish, { key: newKey() }),
  changeMacro: (id: string, change: Fields) => ask<MacroJson>('PATCH', `/macros/${id}`, change),
  removeMacro: (id: string) => ask<unknown>('DELETE', `/macros/${id}`),
}

/** A step, as forms hold it: its value as text; null: nobody, none, until the contact writes. */
export interface ActForm {
  readonly do: 'assign' | 'team' | 'label' | 'unlabel' | 'priority' | 'status' | 'snooze' | 'note' | 'reply'
  readonly value: string | null
}
export const actKinds = ['assign', 'team', 'label', 'unlabel', 'priority', 'status', 'snooze', 'note', 'reply'] as const
const valueNames = {
  ...{ assign: 'user_id', team: 'team_id', label: 'label', unlabel: 'label', priority: 'priority' },
  ...{ status: 'status', snooze: 'minutes', note: 'text', reply: 'text' },
} as const

export const readActs = (acts: readonly Fields[]): ActForm[] =>
  acts.flatMap((act) => {
    const kind = actKinds.find((each) => each === act['do'])
    const value = kind && act[valueNames[kind]]
    return kind === undefined
      ? []
      : [{ do: kind, value: typeof value === 'string' || typeof value === 'number' ? String(value) : null }]
  })

export const writeActs = (acts: readonly ActForm[]): Fields[] =>
  acts.map((act) => ({
    do: act.do,
    [valueNames[act.do]]: act.do === 'snooze' && act.value !== null ? Number(act.value) : act.value,
  }))

export const isGroup = (part: Conditions): part is Exclude<Conditions, { field: unknown }> => !('field' in part)
export const partsOf = (group: Exclude<Conditions, { field: unknown }>): readonly Conditions[] =>
  'all' in group ? group.all : group.any
/** What came from the server has been checked there. */
export const readConditions = (conditions: Fields): Conditions => conditions as unknown as Conditions
