/** Below the field: canned replies by what is typed after a `/` at the beginning of a line. Arrows choose, Enter or Tab takes. */
import '../styles/rules.css'
import '../texts/rules.ts'
import { useQuery } from '@tanstack/react-query'
import type { RefObject } from 'react'
import type { CannedJson } from '../../presenters/rules.ts'
import { ask, newKey, query, type Page } from '../api.ts'
import { useSpeech } from '../texts/index.tsx'
import { useCursor, useListAtCursor, type Begun } from './list-at-cursor.ts'
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
export function begunShortcut(text: string, cursor: number): Begun | null {
  const line = text.slice(text.lastIndexOf('\n', cursor - 1) + 1, cursor)
  return /^\/\S{0,40}$/.test(line) ? { from: cursor - line.length, words: line.slice(1) } : null
}

export function CannedPicker({ conversationId, field, text, setText }: Props) {
  const { t } = useSpeech()
  const cursor = useCursor(field)
  const begun = begunShortcut(text, cursor)
  const { data } = useQuery({
    queryKey: ['canned', conversationId, begun?.words],
    queryFn: ({ signal }) =>
      ask<Page<CannedJson>>(
        'GET',
        `/canned-replies${query({ q: begun?.words ?? '', conversation_id: conversationId, limit: '8' })}`,
        undefined,
        { signal },
      ),
    enabled: begun !== null,
    staleTime: 30_000,
    placeholderData: (before) => before,
  })
  const { listId, shown, active, take } = useListAtCursor({
    ...{ field, text, setText, cursor, begun },
    choices: data?.items ?? [],
    wordsOf: (reply) => reply.filled ?? reply.text,
    onTaken: (reply) => {
      if (reply.files.length > 0) setFiles(conversationId, [...pickedFiles(conversationId), ...reply.files.map(pick)])
      // What is used most comes first; a count that is lost harms nobody.
      ask('POST', `/canned-replies/${reply.id}/use`, {}, { key: newKey() }).catch(() => undefined)
    },
  })

  if (shown.length === 0) return null
  return (
    <div id={listId} role="listbox" aria-label={t('canned.pick')} className="mentions">
      {shown.map((reply) => (
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
