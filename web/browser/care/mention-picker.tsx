/** Below the field of a note: who is meant by the name that is being written. Arrows choose, Enter or Tab takes. */
import { useEffect, useId, useState, type RefObject } from 'react'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { begunName } from './mentions.ts'
import { useColleagues } from './queries.ts'

interface Props {
  readonly field: RefObject<HTMLTextAreaElement | null>
  readonly text: string
  readonly setText: (text: string) => void
}

const most = 6

export function MentionPicker({ field, text, setText }: Props) {
  const { t } = useSpeech()
  const { user } = useSession()
  const colleagues = useColleagues()
  const listId = useId()
  const [cursor, setCursor] = useState(0)
  const [index, setIndex] = useState(0)
  const [closedAt, setClosedAt] = useState(-1)
  const begun = begunName(text, cursor)
  const wanted = begun?.words.toLocaleLowerCase() ?? ''
  const found =
    begun && begun.from !== closedAt
      ? colleagues
          .filter(
            ({ id, name }) =>
              id !== user.id && name.toLocaleLowerCase().includes(wanted) && name.toLocaleLowerCase() !== wanted,
          )
          .slice(0, most)
      : []
  const active = found[Math.min(index, found.length - 1)]
  const isOpen = found.length > 0

  const take = (name: string): void => {
    const element = field.current
    if (!begun || !element) return
    const next = `${text.slice(0, begun.from)}@${name} ${text.slice(cursor)}`
    const at = begun.from + name.length + 2
    setText(next)
    setIndex(0)
    requestAnimationFrame(() => {
      element.focus()
      element.setSelectionRange(at, at)
    })
  }

  useEffect(() => {
    const element = field.current
    if (!element) return
    const look = (): void => setCursor(element.selectionStart)
    const onKeyDown = (event: KeyboardEvent): void => {
      if (!isOpen || event.isComposing || event.ctrlKey || event.metaKey) return
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp')
        setIndex((now) => (now + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % found.length)
      else if ((event.key === 'Enter' || event.key === 'Tab') && active) take(active.name)
      else if (event.key === 'Escape') setClosedAt(begun?.from ?? -1)
      else return
      event.preventDefault()
      event.stopPropagation()
    }
    look()
    for (const name of ['keyup', 'click', 'input']) element.addEventListener(name, look)
    element.addEventListener('keydown', onKeyDown)
    return () => {
      for (const name of ['keyup', 'click', 'input']) element.removeEventListener(name, look)
      element.removeEventListener('keydown', onKeyDown)
    }
  })
  useEffect(() => {
    const element = field.current
    if (!element || !isOpen) return
    element.setAttribute('aria-controls', listId)
    if (active) element.setAttribute('aria-activedescendant', `${listId}-${active.id}`)
    return () => {
      element.removeAttribute('aria-controls')
      element.removeAttribute('aria-activedescendant')
    }
  }, [field, isOpen, active, listId])

  if (!isOpen) return null
  return (
    <div id={listId} role="listbox" aria-label={t('mention.title')} className="mentions">
      {found.map(({ id, name }) => (
        <div
          key={id}
          id={`${listId}-${id}`}
          role="option"
          aria-selected={id === active?.id}
          className="mention-choice"
          // Before the field loses its cursor.
          onPointerDown={(event) => {
            event.preventDefault()
            take(name)
          }}
        >
          @{name}
        </div>
      ))}
    </div>
  )
}
