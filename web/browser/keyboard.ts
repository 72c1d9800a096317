/** Actions and their keys, in one place: the keyboard, the palette and the help all read this list. */
import { useEffect, useRef, useSyncExternalStore } from 'react'
import type { Key } from './texts/index.tsx'

export interface Action {
  readonly id: string
  readonly label: Key
  readonly group: 'group.go' | 'group.list' | 'group.conversation' | 'group.general'
  /** `e`, `shift+x`, `g i` (one after the other), `mod+k`, `mod+Enter`, `Escape`, `?`. */
  readonly keys?: string
  /** Also while the cursor is in a text field. Combinations with mod always are. */
  readonly isForFields?: boolean
  /** Also while a dialogue is open. */
  readonly isForDialogs?: boolean
  /** Only a key, such as j and k; not worth a line in the palette. */
  readonly isKeyOnly?: boolean
  run: () => void
}

const registered = new Map<object, readonly Action[]>()
let all: readonly Action[] = []
const watchers = new Set<() => void>()

/** Offers these actions as long as the component is there; the newest component wins a key. */
export function useActions(actions: readonly Action[]): void {
  const current = useRef(actions)
  useEffect(() => {
    current.current = actions
  })
  const signature = actions.map((action) => `${action.id}|${action.label}|${action.keys ?? ''}`).join()
  useEffect(() => {
    const owner = {}
    registered.set(
      owner,
      current.current.map((action) => ({
        ...action,
        // What an action does changes with each rendering; its name and key do not.
        run: () => current.current.find(({ id }) => id === action.id)?.run(),
      })),
    )
    publish()
    return () => {
      registered.delete(owner)
      publish()
    }
  }, [signature])
}

export const useAllActions = (): readonly Action[] =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => all,
  )

function publish(): void {
  all = [...registered.values()].flat()
  for (const watcher of watchers) watcher()
}

const sequenceMs = 1_200
let begun: { readonly key: string; readonly at: number } | undefined

/** Listens to the keys of the page; called once. */
export function listenToKeys(): () => void {
  // Looked up before anybody has answered to the key: Escape closes a dialogue, and must not leave the conversation as well.
  let hasDialog = false
  const look = (): void => {
    hasDialog = document.querySelector('[role="dialog"], [role="menu"]') !== null
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return
    const pressed = nameOf(event)
    if (!pressed) return
    const isInField = isField(event.target)
    const sequence = begun && Date.now() - begun.at < sequenceMs ? `${begun.key} ${pressed}` : undefined
    begun = undefined
    const isCombined = pressed.startsWith('mod+')
    // Enter on a link or button is that link's or button's own.
    if (
      pressed === 'Enter' &&
      event.target instanceof Element &&
      event.target.closest('a, button, summary, [role="radio"]')
    )
      return
    const allowed = (action: Action): boolean =>
      hasDialog ? action.isForDialogs === true : isCombined || !isInField || action.isForFields === true
    const find = (keys: string | undefined): Action | undefined =>
      all.findLast((action) => action.keys === keys && allowed(action))
    const action = (sequence && find(sequence)) || find(pressed)
    if (action) {
      event.preventDefault()
      action.run()
    } else if (!isInField && !hasDialog && all.some((each) => each.keys?.startsWith(`${pressed} `))) {
      begun = { key: pressed, at: Date.now() }
    }
  }
  addEventListener('keydown', look, { capture: true })
  addEventListener('keydown', onKeyDown)
  return () => {
    removeEventListener('keydown', look, { capture: true })
    removeEventListener('keydown', onKeyDown)
  }
}

export const isApple = /Mac|iPhone|iPad/.test(navigator.platform)

/** The keys as they are printed: `Ctrl K`, `G I`, `Esc`. */
export function printKeys(keys: string): string[] {
  return keys.split(/[ +]/).map((key) => {
    if (key === 'mod') return isApple ? '⌘' : 'Ctrl'
    if (key === 'Escape') return 'Esc'
    if (key === 'shift') return '⇧'
    return key.length === 1 ? key.toUpperCase() : key
  })
}

function nameOf(event: KeyboardEvent): string | undefined {
  if (event.altKey) return undefined
  if (event.ctrlKey || event.metaKey) return `mod+${event.key.length === 1 ? event.key.toLowerCase() : event.key}`
  if (event.key.length === 1)
    return /\p{L}/u.test(event.key) && event.shiftKey ? `shift+${event.key.toLowerCase()}` : event.key.toLowerCase()
  return ['Escape', 'Enter'].includes(event.key) ? event.key : undefined
}

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  )
}
