/** Below the field of a note: who is meant by the name that is being written. Arrows choose, Enter or Tab takes. */
import type { RefObject } from 'react'
import { useCursor, useListAtCursor } from '../answering/list-at-cursor.ts'
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
  const cursor = useCursor(field)
  const begun = begunName(text, cursor)
  const wanted = begun?.words.toLocaleLowerCase() ?? ''
  const { listId, shown, active, take } = useListAtCursor({
    ...{ field, text, setText, cursor, begun },
    choices: colleagues
      .filter(
        ({ id, name }) =>
          id !== user.id && name.toLocaleLowerCase().includes(wanted) && name.toLocaleLowerCase() !== wanted,
      )
      .slice(0, most),
    wordsOf: ({ name }) => `@${name} `,
  })

  if (shown.length === 0) return null
  return (
    <div id={listId} role="listbox" aria-label={t('mention.title')} className="mentions">
      {shown.map((colleague) => (
        <div
          key={colleague.id}
          id={`${listId}-${colleague.id}`}
          role="option"
          aria-selected={colleague.id === active?.id}
          className="mention-choice"
          // Before the field loses its cursor.
          onPointerDown={(event) => {
            event.preventDefault()
            take(colleague)
          }}
        >
          @{colleague.name}
        </div>
      ))}
    </div>
  )
}
