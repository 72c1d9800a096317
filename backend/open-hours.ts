/** Whether somebody is there at an instant, by business hours. */
import type { BusinessHours } from '../storage/model/rules.ts'

const formats = new Map<string, Intl.DateTimeFormat>()
const dayMs = 24 * 60 * 60_000

/** Without hours somebody is always there. */
export function isOpenAt(hours: BusinessHours | undefined, at: Date): boolean {
  if (hours === undefined) return true
  const now = localOf(hours.timeZone, at)
  const isHoliday = (date: string): boolean => hours.holidays.some((each) => each.date === date)
  const spansOf = (day: number) => hours.weekly[day] ?? []
  const today =
    !isHoliday(now.date) &&
    spansOf(now.day).some(([from, to]) => {
      const [begin, end] = [minutesOf(from), minutesOf(to)]
      return now.minutes >= begin && (now.minutes < end || end <= begin)
    })
  if (today) return true
  // What began yesterday and goes over midnight.
  const yesterday = dateBefore(now.date)
  return (
    !isHoliday(yesterday) &&
    spansOf((now.day + 6) % 7).some(([from, to]) => minutesOf(to) <= minutesOf(from) && now.minutes < minutesOf(to))
  )
}

/** Whether the platform knows this zone. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

/** `day` 0 is Monday; `minutes` since midnight by the clock on the wall. */
function localOf(
  timeZone: string,
  at: Date,
): { readonly date: string; readonly day: number; readonly minutes: number } {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  )
  const of = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? ''
  const date = `${of('year')}-${of('month')}-${of('day')}`
  const day = (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7
  return { date, day, minutes: Number(of('hour')) * 60 + Number(of('minute')) }
}

const dateBefore = (date: string): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) - dayMs).toISOString().slice(0, 10)

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-CA', {
    ...{ timeZone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
    hourCycle: 'h23',
  })
  formats.set(timeZone, made)
  return made
}
