/** A list below a field, of what is being written at its cursor: arrows choose, Enter or Tab takes, Escape closes. */
import { useEffect, useId, useState, type RefObject } from 'react'

type Field = RefObject<HTMLTextAreaElement | null>

/** What has been begun before the cursor, and where it begins. */
export interface Begun {
  readonly from: number
  readonly words: string
}

/** Where the cursor of the field is, as it moves. */
export function useCursor(field: Field): number {
  const [cursor, setCursor] = useState(0)
  useEffect(() => {
    const element = field.current
    if (!element) return
    const look = (): void => setCursor(element.selectionStart)
    look()
    for (const name of ['keyup', 'click', 'input']) element.addEventListener(name, look)
    return () => {
      for (const name of ['keyup', 'click', 'input']) element.removeEventListener(name, look)
    }
  })
  return cursor
}

interface Options<Choice> {
  readonly field: Field
  readonly text: string
  readonly setText: (text: string) => void
  readonly cursor: number
  readonly begun: Begun | null | undefined
  readonly choices: readonly Choice[]
  /** What is written in place of what was begun. */
  readonly wordsOf: (choice: Choice) => string
  readonly onTaken?: (choice: Choice) => void
}

/** `shown` is empty when nothing is begun, nothing fits, or the list was closed here. */
export function useListAtCursor<Choice extends { readonly id: string }>(options: Options<Choice>) {
  const { field, text, setText, cursor, begun, choices, wordsOf, onTaken } = options
  const listId = useId()
  const [index, setIndex] = useState(0)
  const [closedAt, setClosedAt] = useState(-1)
  const shown = begun && begun.from !== closedAt ? choices : []
  const active = shown[Math.min(index, shown.length - 1)]
  const isOpen = shown.length > 0

  const take = (choice: Choice): void => {
    const element = field.current
    if (!begun || !element) return
    const words = wordsOf(choice)
    setText(`${text.slice(0, begun.from)}${words}${text.slice(cursor)}`)
    setIndex(0)
    onTaken?.(choice)
    const at = begun.from + words.length
    requestAnimationFrame(() => {
      element.focus()
      element.setSelectionRange(at, at)
    })
  }

  useEffect(() => {
    const element = field.current
    if (!element) return
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!isOpen || event.isComposing || event.ctrlKey || event.metaKey) return
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp')
        setIndex((now) => (now + (event.key === 'ArrowDown' ? 1 : shown.length - 1)) % shown.length)
      else if ((event.key === 'Enter' || event.key === 'Tab') && active) take(active)
      else if (event.key === 'Escape') setClosedAt(begun?.from ?? -1)
      else return
      event.preventDefault()
      event.stopPropagation()
    }
    element.addEventListener('keydown', onKeyDown)
    return () => element.removeEventListener('keydown', onKeyDown)
  })
  useEffect(() => {
    const element = field.current
    if (!element || !isOpen) return
    element.setAttribute('aria-controls', listId)
    if (active) element.setAttribute('aria-activedescendant', `${listId}-${active.id}`)
    return () => {
      element.removeAttribute('aria-controls')
      element.removeAttribute('aria-activedescendant')
    }
  }, [field, isOpen, active, listId])

  return { listId, shown, active, take }
}
