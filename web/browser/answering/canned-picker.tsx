/** Below the field: canned replies by what is typed after a `/` at the beginning of a line. Arrows choose, Enter or Tab takes. */
import '../styles/rules.css'
import '../texts/rules.ts'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useId, useState, type RefObject } from 'react'
import type { CannedJson } from '../../presenters/rules.ts'
import { ask, newKey, query, type Page } from '../api.ts'
import { useSpeech } from '../texts/index.tsx'
import { pickedFiles, setFiles, type PickedFile } from './picked-files.ts'

interface Props {
  readonly conversationId: string
  readonly field: RefObject<HTMLTextAreaElement | null>
  readonly text: string
  readonly setText: (text: string) => void
}

/** It is on the server already. */
const pick = (document: CannedJson['files'][number]): PickedFile => ({
  ...{ key: newKey(), name: document.name ?? '', type: document.content_type, size: document.size },
  ...{ progress: 1, document, failure: undefined, altText: '' },
})

/** What stands after the `/` before the cursor, and where the `/` is. */
export function begunShortcut(text: string, cursor: number): { readonly from: number; readonly words: string } | null {
  const line = text.slice(text.lastIndexOf('\n', cursor - 1) + 1, cursor)
  return /^\/\S{0,40}$/.test(line) ? { from: cursor - line.length, words: line.slice(1) } : null
}

export function CannedPicker({ conversationId, field, text, setText }: Props) {
  const { t } = useSpeech()
  const listId = useId()
  const [cursor, setCursor] = useState(0)
  const [index, setIndex] = useState(0)
  const [closedAt, setClosedAt] = useState(-1)
  const begun = begunShortcut(text, cursor)
  const isWanted = begun !== null && begun.from !== closedAt
  const { data } = useQuery({
    queryKey: ['canned', conversationId, begun?.words],
    queryFn: ({ signal }) =>
      ask<Page<CannedJson>>(
        'GET',
        `/canned-replies${query({ q: begun?.words ?? '', conversation_id: conversationId, limit: '8' })}`,
        undefined,
        { signal },
      ),
    enabled: isWanted,
    staleTime: 30_000,
    placeholderData: (before) => before,
  })
  const found = isWanted ? (data?.items ?? []) : []
  const active = found[Math.min(index, found.length - 1)]
  const isOpen = found.length > 0

  const take = (reply: CannedJson): void => {
    const element = field.current
    if (!begun || !element) return
    const filled = reply.filled ?? reply.text
    setText(`${text.slice(0, begun.from)}${filled}${text.slice(cursor)}`)
    setIndex(0)
    if (reply.files.length > 0) setFiles(conversationId, [...pickedFiles(conversationId), ...reply.files.map(pick)])
    // What is used most comes first; a count that is lost harms nobody.
    ask('POST', `/canned-replies/${reply.id}/use`, {}, { key: newKey() }).catch(() => undefined)
    const at = begun.from + filled.length
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
      else if ((event.key === 'Enter' || event.key === 'Tab') && active) take(active)
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
    <div id={listId} role="listbox" aria-label={t('canned.pick')} className="mentions">
      {found.map((reply) => (
        <div
          key={reply.id}
          id={`${listId}-${reply.id}`}
          role="option"
          aria-selected={reply.id === active?.id}
          className="mention-choice"
          // Before the field loses its cursor.
          onPointerDown={(event) => {
            event.preventDefault()
            take(reply)
          }}
        >
          <code>/{reply.shortcut}</code> {reply.name}
          <div className="canned-line" dir="auto">
            {reply.filled}
          </div>
        </div>
      ))}
    </div>
  )
}
