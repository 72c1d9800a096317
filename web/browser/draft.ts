/** What was begun and not yet sent, by conversation: it survives a reload, a crash and a failed sending. */
import { newKey, type Interactive, type NewMessage } from './api.ts'

export interface Draft {
  readonly kind: NewMessage['kind'] | undefined
  readonly text: string
  /** To choose from, below the text. */
  readonly choices: Choices | undefined
  /** What stood there as the writing began: if that has changed, sending asks once. */
  readonly saw: Saw | undefined
  /**
   * Under which key this very text was tried. A repeated try has the same key, so that the server knows it again; a changed
   * text gets a new one.
   */
  readonly tried: { readonly key: string; readonly what: string } | undefined
}

export type Choices = Pick<NewMessage, 'quick_replies'> & { readonly interactive?: Interactive }

export interface Saw {
  readonly messageId: string | undefined
  readonly assigneeId: string | null
  readonly isResolved: boolean
}

export const emptyDraft: Draft = { kind: undefined, text: '', choices: undefined, saw: undefined, tried: undefined }

const prefix = 'parley-draft-'

export function loadDraft(conversationId: string): Draft {
  try {
    const stored = localStorage.getItem(prefix + conversationId)
    return stored === null ? emptyDraft : { ...emptyDraft, ...(JSON.parse(stored) as Partial<Draft>) }
  } catch {
    return memory.get(conversationId) ?? emptyDraft
  }
}

export function saveDraft(conversationId: string, draft: Draft): void {
  memory.set(conversationId, draft)
  try {
    if (draft.text === '' && draft.choices === undefined && draft.tried === undefined)
      localStorage.removeItem(prefix + conversationId)
    else localStorage.setItem(prefix + conversationId, JSON.stringify(draft))
  } catch {
    // Storage is full or refused: the draft lives as long as the page.
  }
}

/** The key to try this message under. */
export function keyFor(draft: Draft, message: NewMessage): { readonly key: string; readonly what: string } {
  const what = JSON.stringify(message)
  return draft.tried?.what === what ? draft.tried : { key: newKey(), what }
}

const memory = new Map<string, Draft>()

/** What can be chosen from, as it is shown to the contact. */
export const titlesOf = (choices: Choices): readonly string[] =>
  choices.quick_replies?.map(({ title }) => title) ??
  (choices.interactive?.type === 'list'
    ? choices.interactive.rows.map(({ title }) => title)
    : choices.interactive?.buttons.map(({ title }) => title)) ??
  []
