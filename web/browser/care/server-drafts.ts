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
  /** The version that was last seen, 0: none; undefined: not asked yet. */
  const version = useRef<number>(undefined)
  const kept = useRef('')
  const latest = useRef({ now, adopt })
  useEffect(() => {
    latest.current = { now, adopt }
  })

  useEffect(() => {
    let isHere = true
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
        // Without an answer the draft of this browser is what there is.
      }
    }
    void look()
    listeners.set(conversationId, (told) => {
      if (told !== version.current && (told ?? 0) !== version.current) void look()
    })
    return () => {
      isHere = false
      listeners.delete(conversationId)
    }
  }, [conversationId])

  const { text, kind } = now
  useEffect(() => {
    if (isBusy || !isKnown || text === kept.current || elsewhere) return
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
          if (told === undefined) return
          version.current = told?.version ?? 0
          if (told && told.text !== latest.current.now.text) setElsewhere(told)
        },
      )
    }, pauseMs)
    return () => clearTimeout(timer)
  }, [conversationId, text, kind, isBusy, isKnown, elsewhere, client])

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
