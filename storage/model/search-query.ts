/** What people write into the search: words, phrases, exclusions and operators. Nothing is a fault: what makes no sense is words. */
import { termsOf } from './search-terms.ts'
import type { Term } from './search-terms.ts'

/** One thing looked for: its terms stand next to each other. `isPrefix`: the only word may go on. */
export interface Wanted {
  readonly terms: readonly Term[]
  readonly isPrefix: boolean
  readonly isExcluded: boolean
}

export const searchStates = ['open', 'pending', 'snoozed', 'resolved', 'mine', 'unassigned', 'note'] as const
export type SearchState = (typeof searchStates)[number]
export const searchHas = ['attachment', 'image', 'link'] as const
export type SearchHas = (typeof searchHas)[number]

/** Names are as they were written: who or what they mean is looked up. */
export interface SearchQuery {
  readonly wanted: readonly Wanted[]
  /** The words without operators, for people's names and addresses. */
  readonly words: string
  readonly from: readonly string[]
  readonly channels: readonly string[]
  readonly labels: readonly string[]
  readonly assignees: readonly string[]
  readonly has: readonly SearchHas[]
  readonly is: readonly SearchState[]
  readonly before: Date | undefined
  readonly after: Date | undefined
  /** Only these are wanted. */
  readonly only: 'contacts' | 'messages' | undefined
  /** What was not understood as it was meant, in plain words. */
  readonly notes: readonly SearchNote[]
}

/** Stable codes, with what they are about. */
export interface SearchNote {
  readonly code: 'taken_as_words' | 'quote_not_closed' | 'too_long' | 'nothing_to_look_for' | 'only_exclusions' | 'not_found' | 'partial' // prettier-ignore
  readonly about: string
}

const longest = 500
const mostWanted = 24
const mostNamed = 20
const shortestPrefix = 3

const names = ['from', 'channel', 'label', 'assignee'] as const

/** Never throws. `before:` is up to the beginning of that day, `after:` from the beginning of the day after; days in UTC. */
export function parseSearch(text: string): SearchQuery {
  const notes: SearchNote[] = []
  if (text.length > longest) notes.push({ code: 'too_long', about: String(longest) })
  const wanted: Wanted[] = []
  const named: Record<(typeof names)[number], string[]> = { from: [], channel: [], label: [], assignee: [] }
  const has: SearchHas[] = []
  const is: SearchState[] = []
  const words: string[] = []
  let before: Date | undefined
  let after: Date | undefined
  let only: SearchQuery['only']

  const take = (said: string, isQuoted: boolean, isExcluded: boolean): void => {
    const terms = termsOf(said)
    if (terms.length === 0) return
    if (!isExcluded) words.push(said)
    const [first] = terms
    const isPrefix =
      terms.length === 1 &&
      first !== undefined &&
      (first.isPart ? first.isLast : !isQuoted && Array.from(first.text).length >= shortestPrefix)
    wanted.push({ terms: trimRun(terms), isPrefix, isExcluded })
  }
  /** Whether it was an operator. */
  const operate = (name: string, value: string): boolean => {
    const known = names.find((each) => each === name)
    if (known !== undefined) {
      if (value === '' || named[known].length >= mostNamed) return false
      named[known].push(value)
      return true
    }
    const folded = value.toLowerCase()
    if (name === 'has') return add(has, searchHas, folded.replace(/s$/, ''))
    if (name === 'is') return add(is, searchStates, folded)
    if (name === 'in') {
      if (!/^(contact|message)s?$/.test(folded)) return false
      only = folded.startsWith('contact') ? 'contacts' : 'messages'
      return true
    }
    const day = name === 'before' || name === 'after' ? dayOf(value) : undefined
    if (day === undefined) return false
    if (name === 'before') before = before === undefined || day.start < before ? day.start : before
    else after = after === undefined || day.end > after ? day.end : after
    return true
  }

  // Quotes first, so that an operator's value may hold spaces; the last one may be left open.
  const cut = text.slice(0, longest)
  for (const match of cut.matchAll(/(-?)(?:([a-z]+):)?(?:["“”„]([^"“”„]*)(["“”„]|$)|([^\s"“”„]+))/giu)) {
    const [whole, minus = '', operator, quoted, close, bare] = match
    if (quoted !== undefined && close === '') notes.push({ code: 'quote_not_closed', about: quoted.slice(0, 80) })
    if (bare?.endsWith(':') === true && isOperator(bare.slice(0, -1).toLowerCase()))
      notes.push({ code: 'taken_as_words', about: whole })
    const value = quoted ?? bare ?? ''
    const name = operator?.toLowerCase()
    if (name !== undefined) {
      if (minus === '' && operate(name, value)) continue
      if (isOperator(name)) notes.push({ code: 'taken_as_words', about: whole.slice(0, 80) })
      take(`${operator ?? ''} ${value}`.trim(), quoted !== undefined, false)
      continue
    }
    if (minus === '' && bare?.startsWith('-') === true) take(bare.replace(/^-+/, ''), false, true)
    else take(value, quoted !== undefined, minus !== '')
  }
  if (wanted.length > mostWanted) notes.push({ code: 'too_long', about: String(mostWanted) })
  return {
    ...{ wanted: wanted.slice(0, mostWanted), words: words.join(' '), has, is, before, after, only, notes },
    ...{ from: named.from, channels: named.channel, labels: named.label, assignees: named.assignee },
  }
}

const isOperator = (name: string): boolean =>
  [...names, 'has', 'is', 'in', 'before', 'after'].some((known) => known === name)

function add<Word extends string>(list: Word[], known: readonly Word[], value: string): boolean {
  const found = known.find((each) => each === value)
  if (found !== undefined && !list.includes(found)) list.push(found)
  return found !== undefined
}

/** A run's last character is already in the pair before it; alone it stays. */
function trimRun(terms: readonly Term[]): Term[] {
  return terms.filter((term, index) => !(term.isLast && terms[index - 1]?.isPart === true && terms[index - 1]?.isLast === false)) // prettier-ignore
}

/** A day, month or year, in UTC: `2026`, `2026-03`, `2026-03-09`. */
function dayOf(text: string): { readonly start: Date; readonly end: Date } | undefined {
  const [, year, month, day] = /^(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$/.exec(text) ?? []
  if (year === undefined) return undefined
  const [y, m, d] = [Number(year), Number(month ?? 1) - 1, Number(day ?? 1)]
  const start = new Date(Date.UTC(y, m, d))
  if (start.getUTCFullYear() !== y || start.getUTCMonth() !== m || start.getUTCDate() !== d) return undefined
  const end =
    day !== undefined ? Date.UTC(y, m, d + 1) : month !== undefined ? Date.UTC(y, m + 1, 1) : Date.UTC(y + 1, 0, 1)
  return { start, end: new Date(end) }
}
