/** For how long: the usual times, and what people write of times: "2 h", "3 days", "tomorrow", "mon 14:30", "2026-12-01 9:00". */
import { instantOf, usualTimes, wallOf } from '../answering/zoned.ts'

const minuteMs = 60_000
const units: readonly (readonly [RegExp, number])[] = [
  [/^(m|min|minutes?|minuten?)$/, 1],
  [/^(h|hours?|std|stunden?)$/, 60],
  [/^(d|days?|t|tage?n?)$/, 24 * 60],
  [/^(w|weeks?|wochen?)$/, 7 * 24 * 60],
]
const days: readonly RegExp[] = [
  /^(sun|so)/,
  /^(mon|mo)/,
  /^(tue|di)/,
  /^(wed|mi)/,
  /^(thu|do)/,
  /^(fri|fr)/,
  /^(sat|sa)/,
]

export interface When {
  readonly key: 'hour' | 'evening' | 'tomorrow' | 'monday'
  readonly at: number
}

export function usualWhens(now: number, zone: string): When[] {
  const wall = wallOf(now, zone)
  const evening = instantOf({ ...wall, hour: 18, minute: 0 }, zone)
  const usual: When[] = [...usualTimes(now, zone)]
  if (wall.hour < 17) usual.splice(1, 0, { key: 'evening', at: evening })
  return usual
}

/** The instant that was meant; undefined: not understood, or gone by. */
export function readWhen(typed: string, now: number, zone: string): number | undefined {
  const words = typed
    .toLowerCase()
    .replace(/^(in|for|für|at|um|am|on|until|bis)\s+/, '')
    .trim()
  const length = /^(\d{1,4})\s*([a-zä]+)$/.exec(words)
  if (length) {
    const minutes = units.find(([unit]) => unit.test(length[2] ?? ''))?.[1]
    return minutes === undefined ? undefined : now + Number(length[1]) * minutes * minuteMs
  }
  const [, dayWord = '', clock] =
    /^(\D*?\s*|\d{4}-\d\d-\d\d\s*)(\d{1,2}(?::\d\d)?)?(?:\s*(?:uhr|h))?$/.exec(words) ?? []
  const [hour = 9, minute = 0] = clock === undefined ? [] : clock.split(':').map(Number)
  if (hour > 23 || minute > 59) return undefined
  const day = dayOf(dayWord.trim(), now, zone)
  if (day === undefined || (clock === undefined && dayWord.trim() === '')) return undefined
  const at = instantOf({ ...day, hour, minute }, zone)
  return at > now ? at : dayWord.trim() === '' ? at + 24 * 60 * minuteMs : undefined
}

function dayOf(word: string, now: number, zone: string) {
  const today = wallOf(now, zone)
  const date = /^(\d{4})-(\d\d)-(\d\d)$/.exec(word)
  if (date) return { year: Number(date[1]), month: Number(date[2]), day: Number(date[3]) }
  const plus = (count: number) => {
    const then = new Date(Date.UTC(today.year, today.month - 1, today.day + count))
    return { year: then.getUTCFullYear(), month: then.getUTCMonth() + 1, day: then.getUTCDate() }
  }
  if (word === '' || /^(today|heute)$/.test(word)) return plus(0)
  if (/^(tom|morgen|mrg)/.test(word)) return plus(1)
  const weekday = days.findIndex((name) => name.test(word))
  if (weekday < 0) return undefined
  const isWeekday = new Date(Date.UTC(today.year, today.month - 1, today.day)).getUTCDay()
  return plus((weekday - isWeekday + 7) % 7 || 7)
}
