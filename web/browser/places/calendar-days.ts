/** Days and times of a calendar in one time zone. A day is `2026-11-20`; instants are ISO 8601. */
import { useMemo } from 'react'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'

export type Day = string

const dayMs = 86_400_000
const asUtc = (day: Day): Date => new Date(`${day}T00:00:00Z`)
const print = (date: Date): Day => date.toISOString().slice(0, 10)

export const addDays = (day: Day, count: number): Day => print(new Date(asUtc(day).getTime() + count * dayMs))
export const isDay = (text: string | null): text is Day =>
  text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(asUtc(text).getTime()) && print(asUtc(text)) === text
/** 0 is Sunday. */
export const weekdayOf = (day: Day): number => asUtc(day).getUTCDay()
export const startOfWeek = (day: Day, first: number): Day => addDays(day, -((weekdayOf(day) - first + 7) % 7))
export const startOfMonth = (day: Day): Day => `${day.slice(0, 7)}-01`
/** The same day of another month, or its last. */
export function addMonths(day: Day, count: number): Day {
  const date = asUtc(startOfMonth(day))
  date.setUTCMonth(date.getUTCMonth() + count + 1, 0)
  const last = date.getUTCDate()
  date.setUTCDate(Math.min(last, Number(day.slice(8))))
  return print(date)
}
export const daysFrom = (day: Day, count: number): Day[] =>
  Array.from({ length: count }, (_, index) => addDays(day, index))

export interface Zone {
  readonly name: string
  /** 0 is Sunday. */
  readonly firstWeekday: number
  dayOf(instant: string | number): Day
  /** `09:30`, for time fields, whatever the language. */
  clockOf(instant: string | number): string
  /** The instant of a wall clock; one that summer time leaves out is the hour after. */
  instantOf(day: Day, clock: string): string
  /** "09:30" as the reader writes it. */
  clock(instant: string): string
  /** "Fri, 20 Nov, 09:30". */
  short(instant: string): string
  /** "Friday, 20 November 2026 at 09:30 CET". */
  exact(instant: string): string
  /** "Friday, 20 November". */
  longDay(day: Day): string
  /** "Fri". */
  weekday(day: Day): string
  /** "20 Nov". */
  shortDay(day: Day): string
  /** "November 2026". */
  month(day: Day): string
}

/** The calendar's zone: the one of the profile, else the browser's. */
export function useZone(): Zone {
  const { language } = useSpeech()
  const { user } = useSession()
  return useMemo(() => makeZone(language, user.time_zone), [language, user.time_zone])
}

export function makeZone(language: string, wanted: string): Zone {
  const locale = navigator.languages.find((tag) => tag.slice(0, 2) === language) ?? language
  // UTC stands in every profile until somebody chooses.
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone
  const timeZone = wanted !== 'UTC' && isZone(wanted) ? wanted : own
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { timeZone, ...options })
  const ofDay = (options: Intl.DateTimeFormatOptions) => {
    const made = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options })
    return (day: Day) => made.format(asUtc(day))
  }
  const ofInstant = (made: Intl.DateTimeFormat) => (instant: string) => made.format(new Date(instant))
  // A zero before an hour of twelve looks like a mistake.
  const isTwelve = new Intl.DateTimeFormat(locale, { hour: 'numeric' }).resolvedOptions().hour12 === true
  const hour = isTwelve ? 'numeric' : '2-digit'
  // Sweden writes dates and times as machines do.
  const wall = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  const wallOf = (instant: string | number): string => wall.format(new Date(instant))
  const offsetAt = (ms: number): number => Date.parse(`${wallOf(ms).replace(' ', 'T')}Z`) - Math.floor(ms / 1000) * 1000

  return {
    name: timeZone,
    firstWeekday: firstWeekdayOf(locale),
    dayOf: (instant) => wallOf(instant).slice(0, 10),
    clockOf: (instant) => wallOf(instant).slice(11, 16),
    instantOf(day, clock) {
      const ms = Date.parse(`${day}T${clock}:00Z`)
      const first = ms - offsetAt(ms)
      return new Date(ms - offsetAt(first)).toISOString()
    },
    clock: ofInstant(format({ hour, minute: '2-digit' })),
    short: ofInstant(format({ weekday: 'short', day: 'numeric', month: 'short', hour, minute: '2-digit' })),
    exact: ofInstant(format({ dateStyle: 'full', timeStyle: 'long' })),
    longDay: ofDay({ weekday: 'long', day: 'numeric', month: 'long' }),
    weekday: ofDay({ weekday: 'short' }),
    shortDay: ofDay({ day: 'numeric', month: 'short' }),
    month: ofDay({ month: 'long', year: 'numeric' }),
  }
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function firstWeekdayOf(tag: string): number {
  const locale: object = new Intl.Locale(tag)
  const read: unknown = Reflect.get(locale, 'getWeekInfo')
  const info: unknown = typeof read === 'function' ? Reflect.apply(read, locale, []) : Reflect.get(locale, 'weekInfo')
  const first: unknown = typeof info === 'object' && info !== null ? Reflect.get(info, 'firstDay') : undefined
  return typeof first === 'number' ? first % 7 : 1
}
