/** Clock times in the zone of the person, whatever the zone of this machine. */

const dayMs = 24 * 3_600_000

export const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone

interface Wall {
  readonly year: number
  /** 1 to 12 */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
}

export function wallOf(at: number, zone: string): Wall {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  }).formatToParts(at)
  const value = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((part) => part.type === type)?.value)
  return { year: value('year'), month: value('month'), day: value('day'), hour: value('hour'), minute: value('minute') }
}

/** The instant at which clocks there show this; one that clocks leap over is moved on by the leap. */
export function instantOf({ year, month, day, hour, minute }: Wall, zone: string): number {
  const wanted = Date.UTC(year, month - 1, day, hour, minute)
  const shownAt = (at: number): number => {
    const wall = wallOf(at, zone)
    return Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute)
  }
  const first = wanted - (shownAt(wanted) - wanted)
  return first - (shownAt(first) - wanted)
}

/** `2026-11-23T09:00`, as fields for times take it. */
export function fieldOf(at: number, zone: string): string {
  const { year, month, day, hour, minute } = wallOf(at, zone)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${String(year)}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`
}

export function readField(value: string, zone: string): number | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(value)
  if (!found) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = found.slice(1).map(Number)
  return instantOf({ year, month, day, hour, minute }, zone)
}

/** Nine in the morning, so many days after today there. */
const nineIn = (days: number, now: number, zone: string): number => {
  const today = wallOf(now, zone)
  const then = new Date(Date.UTC(today.year, today.month - 1, today.day) + days * dayMs)
  return instantOf(
    { year: then.getUTCFullYear(), month: then.getUTCMonth() + 1, day: then.getUTCDate(), hour: 9, minute: 0 },
    zone,
  )
}

/** What one usually wants: in an hour, tomorrow at nine, on Monday at nine (once, where that is tomorrow). */
export function usualTimes(
  now: number,
  zone: string,
): readonly { readonly key: 'hour' | 'tomorrow' | 'monday'; readonly at: number }[] {
  const { year, month, day } = wallOf(now, zone)
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay()
  const toMonday = (8 - weekday) % 7 || 7
  return [
    { key: 'hour', at: Math.ceil((now + 3_600_000) / 60_000) * 60_000 },
    { key: 'tomorrow', at: nineIn(1, now, zone) },
    ...(toMonday > 1 ? [{ key: 'monday' as const, at: nineIn(toMonday, now, zone) }] : []),
  ]
}
