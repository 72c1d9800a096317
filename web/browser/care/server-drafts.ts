/**
 * What has been begun to write is kept on the server too: it is there in another browser, and two tabs of one person do not
 * overwrite each other in silence. The copy in this browser is the first; the server gets it a moment later.
 */
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { DraftJson } from '../../presenters/together.ts'
import { Problem, type NewMessage } from '../api.ts'
import { careApi } from './api.ts'
import { careKeys } from './queries.ts'

type Kind = NewMessage['kind']
interface Words {
  readonly kind: Kind | undefined
  readonly text: string
}

const pauseMs = 1_500
/** After no answer. */
const againMs = 4_000
const listeners = new Map<string, (version: number | null) => void>()

/** The stream says that a draft of ours has changed, here or in another tab. */
export const tellOfDraft = (conversationId: string, version: number | null): void =>
  listeners.get(conversationId)?.(version)

/**
 * Keeps the draft of a conversation in step. `elsewhere`: something else was written in another tab or browser; it is shown, and
 * taken over only when asked for.
 * @param isBusy while it is being sent nothing is kept
 */
export function useServerDraft(conversationId: string, now: Words, adopt: (words: Words) => void, isBusy: boolean) {
  const client = useQueryClient()
  const [elsewhere, setElsewhere] = useState<DraftJson>()
  const [isKnown, setKnown] = useState(false)
  const [tries, setTries] = useState(0)
  /** The version that was last seen, 0: none; undefined: not asked yet. */
  const version = useRef<number>(undefined)
  const kept = useRef('')
  const latest = useRef({ now, adopt })
  useEffect(() => {
    latest.current = { now, adopt }
  })

  useEffect(() => {
    let isHere = true
    let again: ReturnType<typeof setTimeout> | undefined
    const look = async (): Promise<void> => {
      try {
        const { draft } = await careApi.draft(conversationId)
        if (!isHere) return
        const before = kept.current
        const { now: mine, adopt: take } = latest.current
        version.current = draft?.version ?? 0
        kept.current = draft?.text ?? ''
        setKnown(true)
        if (draft === null || draft.text === mine.text) setElsewhere(undefined)
        // What was not touched here since follows; what was, is never replaced unasked.
        else if (mine.text === '' || mine.text === before) take({ kind: draft.kind, text: draft.text })
        else setElsewhere(draft)
      } catch {
        // Until there is an answer the draft of this browser is what there is.
        if (isHere) again = setTimeout(() => void look(), againMs)
      }
    }
    void look()
    listeners.set(conversationId, (told) => {
      if (told !== version.current && (told ?? 0) !== version.current) void look()
    })
    return () => {
      isHere = false
      clearTimeout(again)
      listeners.delete(conversationId)
    }
  }, [conversationId])

  const { text, kind } = now
  useEffect(() => {
    if (isBusy || !isKnown || text === kept.current || elsewhere) return
    let isHere = true
    let again: ReturnType<typeof setTimeout> | undefined
    const timer = setTimeout(() => {
      const wish = { kind: kind ?? 'reply', text, version: version.current }
      careApi.putDraft(conversationId, wish).then(
        ({ draft }) => {
          version.current = draft?.version ?? 0
          kept.current = text
          void client.invalidateQueries({ queryKey: careKeys.drafts })
        },
        (error: unknown) => {
          const told = error instanceof Problem && error.code === 'draft_changed' ? nowOf(error) : undefined
          if (told === undefined) {
            if (isHere) again = setTimeout(() => setTries((count) => count + 1), againMs)
            return
          }
          version.current = told?.version ?? 0
          if (told && told.text !== latest.current.now.text) setElsewhere(told)
        },
      )
    }, pauseMs)
    return () => {
      isHere = false
      clearTimeout(timer)
      clearTimeout(again)
    }
  }, [conversationId, text, kind, isBusy, isKnown, tries, elsewhere, client])

  return {
    elsewhere,
    take: () => {
      if (elsewhere) adopt({ kind: elsewhere.kind, text: elsewhere.text })
      kept.current = elsewhere?.text ?? ''
      setElsewhere(undefined)
    },
    keepMine: () => setElsewhere(undefined),
  }
}

const nowOf = ({ answer }: Problem): DraftJson | null | undefined =>
  (answer as { now?: DraftJson | null } | undefined)?.now
