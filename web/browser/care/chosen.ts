/** Which rows are selected: some by hand, or all that match. It ends as another list is shown. */
import { useState } from 'react'

export interface Chosen {
  readonly ids: ReadonlySet<string>
  readonly isAll: boolean
  readonly count: number
  /** Puts it in or takes it out. */
  readonly toggle: (id: string) => void
  /** All from the one before to this one. */
  readonly extendTo: (id: string) => void
  readonly all: () => void
  readonly clear: () => void
}

interface State {
  readonly scope: string
  readonly ids: ReadonlySet<string>
  readonly isAll: boolean
  readonly last: string | undefined
}

const empty = (scope: string): State => ({ scope, ids: new Set(), isAll: false, last: undefined })

/** @param order the rows as they stand, from the top; `scope` names the list */
export function useChosen(order: readonly string[], scope: string): Chosen {
  const [kept, setKept] = useState<State>(() => empty(scope))
  const state = kept.scope === scope ? kept : empty(scope)
  return {
    ids: state.isAll ? new Set(order) : state.ids,
    isAll: state.isAll,
    count: state.isAll ? order.length : state.ids.size,
    toggle(id) {
      const ids = new Set(state.isAll ? order : state.ids)
      if (!ids.delete(id)) ids.add(id)
      setKept({ scope, ids, isAll: false, last: id })
    },
    extendTo(id) {
      const from = order.indexOf(state.last ?? id)
      const to = order.indexOf(id)
      if (from < 0 || to < 0) return
      const between = order.slice(Math.min(from, to), Math.max(from, to) + 1)
      setKept({ scope, ids: new Set([...state.ids, ...between]), isAll: false, last: id })
    },
    all: () => setKept({ scope, ids: new Set(), isAll: true, last: undefined }),
    clear: () => setKept(empty(scope)),
  }
}
