/** A change of care, as it is shown before the server has answered. */
import type { ConversationJson } from '../../presenters/shapes.ts'
import type { CareWish } from './api.ts'

export interface Names {
  readonly users: readonly { readonly id: string; readonly name: string }[]
  readonly teams: readonly { readonly id: string; readonly name: string }[]
  readonly labels: readonly { readonly id: string; readonly name: string; readonly color: string }[]
}

export function shownAfter(
  before: ConversationJson,
  wish: CareWish,
  { users, teams, labels }: Names,
): ConversationJson {
  const named = <Item extends { id: string }>(items: readonly Item[], id: string): Item | undefined =>
    items.find((item) => item.id === id)
  const status = wish.snoozed_until === undefined ? (wish.status ?? before.status) : 'snoozed'
  const assignee = wish.assignee_id ? (named(users, wish.assignee_id) ?? before.assignee) : null
  const team = wish.team_id ? (named(teams, wish.team_id) ?? before.team) : null
  const kept = before.labels.filter(({ id }) => wish.remove_labels?.includes(id) !== true)
  const added = (wish.add_labels ?? []).flatMap((id) =>
    kept.some((each) => each.id === id) ? [] : (named(labels, id) ?? []),
  )
  return {
    ...before,
    status,
    snoozed_until: status === 'snoozed' ? (wish.snoozed_until ?? null) : null,
    waiting_since: status === 'resolved' ? null : before.waiting_since,
    assignee: wish.assignee_id === undefined ? before.assignee : assignee && { id: assignee.id, name: assignee.name },
    team: wish.team_id === undefined ? before.team : team && { id: team.id, name: team.name },
    priority: wish.priority ?? before.priority,
    labels: [...kept, ...added],
  }
}
