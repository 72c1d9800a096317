/** How much room a row takes: two lines and marks, or one line for those who want sixty on the screen. Kept in this browser. */
import { useSyncExternalStore } from 'react'

export type Density = 'roomy' | 'compact'
/** Pixels; the same in the style sheet. 24 is the least that a finger or a shaking hand is owed. */
export const rowHeights: Readonly<Record<Density, number>> = { roomy: 76, compact: 24 }

const storageKey = 'parley-density'
const watchers = new Set<() => void>()
let density: Density = read()

export const useDensity = (): Density =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => density,
  )

export function setDensity(next: Density): void {
  density = next
  try {
    localStorage.setItem(storageKey, next)
  } catch {
    // A private window may refuse; the choice then lasts for this visit.
  }
  for (const watcher of watchers) watcher()
}

function read(): Density {
  try {
    return localStorage.getItem(storageKey) === 'compact' ? 'compact' : 'roomy'
  } catch {
    return 'roomy'
  }
}
