/** The time, for everything that shows an age; one timer for the whole page. */
import { useSyncExternalStore } from 'react'

const everyMs = 15_000
let now = Date.now()
const watchers = new Set<() => void>()

setInterval(tick, everyMs)
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) tick()
})

/** Milliseconds since 1970, renewed every 15 s. */
export const useNow = (): number =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => now,
  )

function tick(): void {
  now = Date.now()
  for (const watcher of watchers) watcher()
}
