/** What of a text is shown as found: a passage around the first place, and the places in it. */
import { fold, termsOf } from './search-terms.ts'
import type { Span } from './search-terms.ts'
import type { Wanted } from './search-query.ts'

export interface Passage {
  readonly text: string
  /** UTF-16 offsets in `text`, in order, without overlaps. */
  readonly highlights: readonly Span[]
}

const longest = 240
const before = 60

/** The whole text where it is short. */
export function passageOf(text: string, wanted: readonly Wanted[]): Passage {
  const spans = spansOf(text, wanted)
  if (text.length <= longest) return { text, highlights: spans }
  const first = spans[0]?.start ?? 0
  const from = first < before ? 0 : atSpace(text, first - before)
  const to = Math.min(text.length, from + longest)
  const start = isInsidePair(text, from) ? from + 1 : from
  const end = isInsidePair(text, to) ? to - 1 : to
  const lead = start > 0 ? '… ' : ''
  const shift = lead.length - start
  return {
    text: `${lead}${text.slice(start, end)}${end < text.length ? ' …' : ''}`,
    highlights: spans
      .filter((span) => span.start >= start && span.end <= end)
      .map((span) => ({ start: span.start + shift, end: span.end + shift })),
  }
}

/** Where any of what is wanted stands. */
export function spansOf(text: string, wanted: readonly Wanted[]): Span[] {
  const terms = termsOf(text)
  const spans: Span[] = []
  for (const { terms: asked, isPrefix, isExcluded } of wanted) {
    if (isExcluded) continue
    for (let at = 0; at + asked.length <= terms.length; at++) {
      const isThere = asked.every((term, n) => {
        const found = terms[at + n]?.text ?? ''
        return isPrefix && n === asked.length - 1 ? found.startsWith(term.text) : found === term.text
      })
      const [first, last] = [terms[at], terms[at + asked.length - 1]]
      if (!isThere || first === undefined || last === undefined) continue
      // Of two characters that begin with the one wanted, the one is shown.
      const isHalf = isPrefix && last.isPart && !last.isLast && fold(text.slice(last.start, last.end)) !== asked.at(-1)?.text // prettier-ignore
      spans.push({ start: first.start, end: isHalf ? Math.min(last.end, last.start + (asked.at(-1)?.text.length ?? 1)) : last.end }) // prettier-ignore
    }
  }
  return joined(spans)
}

function joined(spans: readonly Span[]): Span[] {
  const out: Span[] = []
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const last = out.at(-1)
    if (last !== undefined && span.start <= last.end)
      out[out.length - 1] = { start: last.start, end: Math.max(last.end, span.end) }
    else out.push(span)
  }
  return out
}

function atSpace(text: string, from: number): number {
  const space = text.indexOf(' ', from)
  return space === -1 || space > from + 30 ? from : space + 1
}

const isInsidePair = (text: string, at: number): boolean => /^[\udc00-\udfff]/.test(text.slice(at, at + 1))
