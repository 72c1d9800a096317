import { useSpeech } from '../texts/index.tsx'

/** What we put below our words to choose from. */
export function ExtrasBelow({ extras }: { readonly extras: Readonly<Record<string, unknown>> | null }) {
  const { t } = useSpeech()
  const titles = titlesIn(extras?.['quick_replies']) ?? titlesOfChoice(extras?.['interactive']) ?? []
  if (titles.length === 0) return null
  return (
    <ul className="choices-shown" aria-label={t('answer.choices_shown')}>
      {titles.map((title) => (
        <li key={title} className="choice">
          {title}
        </li>
      ))}
    </ul>
  )
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

function titlesIn(list: unknown): string[] | undefined {
  if (!Array.isArray(list)) return undefined
  return list.map((one) => fieldOf(one, 'title')).filter((title) => typeof title === 'string')
}

const titlesOfChoice = (choice: unknown): string[] | undefined =>
  titlesIn(fieldOf(choice, 'buttons')) ?? titlesIn(fieldOf(choice, 'rows'))
