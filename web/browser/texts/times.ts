import type { Translate } from './index.tsx'

/** Times as people say them, in the zone of the person who reads. All take ISO 8601 instants. */
export interface Times {
  /** How old: "now", "5m", "09:41", "Tue", "14 Nov". Short enough for a list. */
  age(instant: string, now: number): string
  /** A length of time to now: "14m", "3h", "2d". */
  since(instant: string, now: number): string
  /** What is left: "21h 14m". */
  left(instant: string, now: number): string
  /** "in 40 sec.", "3 min. ago". */
  relative(instant: string, now: number): string
  /** "09:41" */
  clock(instant: string): string
  /** "Tue, 14 Nov, 09:41": a moment to come or gone, where its day matters. */
  moment(instant: string): string
  /** "Tuesday, 14 November 2023, 09:41:07 GMT+1": for hovers. */
  exact(instant: string): string
  /** "Today", "Yesterday", "Tuesday, 14 November". */
  day(instant: string, now: number): string
  /** Changes when the local day does. */
  dayKey(instant: string): string
}

const minute = 60_000
const hour = 60 * minute
const dayMs = 24 * hour

export function makeTimes(language: string, t: Translate): Times {
  // English readers outside America read 24 hours as well; the browser's region decides.
  const locale = navigator.languages.find((tag) => tag.slice(0, 2) === language) ?? language
  const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' })
  const moment = new Intl.DateTimeFormat(locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  })
  const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' })
  const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short' })
  const date = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' })
  const dateOfYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' })
  const longDay = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' })
  const longDayOfYear = new Intl.DateTimeFormat(locale, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' })
  const units = {
    minute: new Intl.NumberFormat(locale, { style: 'unit', unit: 'minute', unitDisplay: 'narrow' }),
    hour: new Intl.NumberFormat(locale, { style: 'unit', unit: 'hour', unitDisplay: 'narrow' }),
    day: new Intl.NumberFormat(locale, { style: 'unit', unit: 'day', unitDisplay: 'narrow' }),
  }
  const length = (ms: number): string => {
    if (ms < hour) return units.minute.format(Math.max(1, Math.floor(ms / minute)))
    if (ms < 2 * dayMs) return units.hour.format(Math.floor(ms / hour))
    return units.day.format(Math.floor(ms / dayMs))
  }
  const dayKey = (instant: string): string => new Date(instant).toDateString()

  return {
    age(instant, now) {
      const at = new Date(instant)
      const ms = now - at.getTime()
      if (ms < minute) return t('time.now')
      if (ms < hour) return length(ms)
      if (at.toDateString() === new Date(now).toDateString()) return clock.format(at)
      if (ms < 6 * dayMs) return weekday.format(at)
      return (at.getFullYear() === new Date(now).getFullYear() ? date : dateOfYear).format(at)
    },
    since: (instant, now) => length(Math.max(0, now - Date.parse(instant))),
    left(instant, now) {
      const ms = Math.max(0, Date.parse(instant) - now)
      if (ms >= 2 * dayMs || ms < hour) return length(ms)
      const minutes = Math.floor((ms % hour) / minute)
      return `${units.hour.format(Math.floor(ms / hour))} ${units.minute.format(minutes)}`
    },
    relative(instant, now) {
      const ms = Date.parse(instant) - now
      const size = Math.abs(ms)
      if (size < minute) return relative.format(Math.round(ms / 1000), 'second')
      if (size < hour) return relative.format(Math.round(ms / minute), 'minute')
      if (size < 2 * dayMs) return relative.format(Math.round(ms / hour), 'hour')
      return relative.format(Math.round(ms / dayMs), 'day')
    },
    clock: (instant) => clock.format(new Date(instant)),
    moment: (instant) => moment.format(new Date(instant)),
    exact: (instant) => exact.format(new Date(instant)),
    day(instant, now) {
      const key = dayKey(instant)
      if (key === new Date(now).toDateString()) return t('time.today')
      if (key === new Date(now - dayMs).toDateString()) return t('time.yesterday')
      const at = new Date(instant)
      return (at.getFullYear() === new Date(now).getFullYear() ? longDay : longDayOfYear).format(at)
    },
    dayKey,
  }
}
