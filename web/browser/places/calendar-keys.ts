/** The calendar's keys and its lines in the palette. */
import { useActions, type Action } from '../keyboard.ts'
import { calendarViews } from './calendar-bar.tsx'

interface Doings {
  readonly show: (change: Readonly<Record<string, string | undefined>>) => void
  /** Undefined: the reader may not; so of the others. */
  readonly openNew: (() => void) | undefined
  readonly moveFocused: (() => void) | undefined
  readonly setUp: (() => void) | undefined
}

export function useCalendarKeys({ show, openNew, moveFocused, setUp }: Doings): void {
  const list = 'group.list'
  const actions: (Omit<Action, 'run'> & { readonly run: (() => void) | undefined })[] = [
    { id: 'post-new', label: 'calendar.new', keys: 'n', group: list, run: openNew },
    { id: 'post-move', label: 'calendar.move_post', keys: 'm', group: list, run: moveFocused },
    { id: 'post-next', label: 'calendar.next_post', keys: 'j', group: list, run: () => step(1) },
    { id: 'post-previous', label: 'calendar.previous_post', keys: 'k', group: list, run: () => step(-1) },
    { id: 'calendar-today', label: 'calendar.today', keys: 't', group: list, run: () => show({ date: undefined }) },
    ...calendarViews.map((view): Action => ({
      id: `calendar-${view}`,
      label: `calendar.show_${view}`,
      group: list,
      run: () => show({ view }),
    })),
    { id: 'post-settings', label: 'post.settings', group: 'group.general', run: setUp },
  ]
  useActions(actions.flatMap(({ run, ...action }) => (run ? [{ ...action, run }] : [])))
}

/** From post to post, in the order in which they are shown. */
function step(by: 1 | -1): void {
  const cards = [...document.querySelectorAll<HTMLElement>('.calendar-main .post-card')]
  const index = cards.findIndex((card) => card === document.activeElement)
  const next = index >= 0 ? cards[index + by] : by === 1 ? cards[0] : cards.at(-1)
  next?.focus()
}
