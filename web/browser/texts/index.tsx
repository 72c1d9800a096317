/** The language of the screen: texts by key with plurals, and times as people say them. A further language is one more file. */
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react'
import type { Key as EarlyKey, Plural, Texts } from './en.ts'
import type { contactsEn } from './contacts-en.ts'
import type { postsEn } from './posts-en.ts'
import type { rulesEn } from './rules-en.ts'
import { makeTimes, type Times } from './times.ts'

export type Key = EarlyKey | keyof typeof postsEn | keyof typeof contactsEn | keyof typeof rulesEn

export const languages = {
  en: { name: 'English', load: async (): Promise<Texts> => (await import('./en.ts')).en },
  de: { name: 'Deutsch', load: async (): Promise<Texts> => (await import('./de.ts')).de },
} as const
export type Language = keyof typeof languages

/** Only what is spoken is fetched. */
const fetched = new Map<Language, Texts>()

async function fetchTexts(language: Language): Promise<void> {
  if (!fetched.has(language)) fetched.set(language, await languages[language].load())
}

/** To be called before anything is drawn. */
export const fetchFirstTexts = (): Promise<void> => fetchTexts(firstLanguage())

type SomeTexts = Readonly<Partial<Record<Key, string | Plural>>>
const late: Record<Language, SomeTexts> = { en: {}, de: {} }

/** Texts of a place that is loaded when it is first opened, to be added before anything of it is drawn. */
export function addTexts(more: Readonly<Record<Language, SomeTexts>>): void {
  late.en = { ...late.en, ...more.en }
  late.de = { ...late.de, ...more.de }
}

export type Translate = (key: Key, values?: Readonly<Record<string, string | number>>) => string

export interface Speech {
  readonly language: Language
  readonly setLanguage: (language: Language) => void
  /** The text for `key`; `{name}` is filled from `values`, a plural is chosen by `values.count`. */
  readonly t: Translate
  readonly times: Times
}

export const SpeechContext = createContext<Speech | null>(null)

export function SpeechProvider({ children }: { readonly children: ReactNode }) {
  const [language, show] = useState<Language>(firstLanguage)
  useEffect(() => {
    document.documentElement.lang = language
    remember(language)
  }, [language])
  const speech = useMemo<Speech>(() => {
    const t = makeTranslate(language)
    const setLanguage = (next: Language): void => void fetchTexts(next).then(() => show(next))
    return { language, setLanguage, t, times: makeTimes(language, t) }
  }, [language])
  return <SpeechContext value={speech}>{children}</SpeechContext>
}

export function useSpeech(): Speech {
  const speech = use(SpeechContext)
  if (!speech) throw new Error('SpeechProvider is missing')
  return speech
}

export function makeTranslate(language: Language): Translate {
  const texts: SomeTexts = fetched.get(language) ?? {}
  const rules = new Intl.PluralRules(language)
  const numbers = new Intl.NumberFormat(language)
  const choose = (text: string | Plural, count: unknown): string => {
    if (typeof text === 'string') return text
    return rules.select(Number(count)) === 'one' ? text.one : text.other
  }
  return (key, values = {}) =>
    choose(texts[key] ?? late[language][key] ?? key, values['count']).replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name]
      return value === undefined ? whole : typeof value === 'number' ? numbers.format(value) : value
    })
}

const storageKey = 'parley-language'

function firstLanguage(): Language {
  const wanted = [read(), ...navigator.languages.map((tag) => tag.slice(0, 2))]
  return wanted.find((tag): tag is Language => tag !== null && tag in languages) ?? 'en'
}

function read(): string | null {
  try {
    return localStorage.getItem(storageKey)
  } catch {
    return null
  }
}

function remember(language: Language): void {
  try {
    localStorage.setItem(storageKey, language)
  } catch {
    // A private window may refuse; the choice then lasts for this visit.
  }
}
