/** Asks for a choice: the list is searched by typing and chosen from by arrows and Enter. */
import type { ReactNode } from 'react'
import { useSyncExternalStore } from 'react'

export interface Choice {
  readonly id: string
  readonly label: string
  readonly hint?: string | undefined
  readonly icon?: ReactNode
  readonly isChosen?: boolean
  /** Several can be chosen: it stays open. */
  readonly isOneOfMany?: boolean
  /** Also where what was typed is not in its name. */
  readonly isAlways?: boolean
  readonly run: () => void
}

export interface Question {
  readonly title: string
  readonly placeholder: string
  /** What is said where nothing fits. */
  readonly nothing: string
  readonly useChoices: (typed: string) => readonly Choice[]
}

let question: { readonly id: number; readonly asked: Question } | undefined
const watchers = new Set<() => void>()

/** Opens the list; what was open gives way. */
export function choose(asked: Question): void {
  question = { id: (question?.id ?? 0) + 1, asked }
  for (const watcher of watchers) watcher()
}

/** What is asked; its number rises with each question. */
export const useQuestion = (): typeof question =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => question,
  )
