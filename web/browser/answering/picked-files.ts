/** Files chosen for an answer, by conversation: going up while one reads elsewhere, and still there after a reload. */
import { useSyncExternalStore } from 'react'
import type { DocumentJson } from '../../presenters/shapes.ts'
import { newKey, Problem } from '../api.ts'
import { upload } from './upload.ts'

export interface PickedFile {
  readonly key: string
  readonly name: string
  readonly type: string
  readonly size: number
  /** 0 to 1; 1 is not yet there: the server still looks at it. */
  readonly progress: number
  readonly document: DocumentJson | undefined
  /** Why it did not come up, or why it was refused with the answer. */
  readonly failure: string | undefined
  readonly altText: string
}

const none: readonly PickedFile[] = []
const lists = new Map<string, readonly PickedFile[]>()
const begun = new Map<string, { readonly file: File; readonly stop: AbortController }>()
const watchers = new Set<() => void>()
const prefix = 'parley-files-'

export const usePickedFiles = (conversationId: string): readonly PickedFile[] =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => pickedFiles(conversationId),
  )

export function pickedFiles(conversationId: string): readonly PickedFile[] {
  const known = lists.get(conversationId) ?? load(conversationId)
  lists.set(conversationId, known)
  return known
}

export function pickFiles(conversationId: string, files: readonly File[]): void {
  const fresh = files.map((file): PickedFile => {
    const key = newKey()
    begun.set(key, { file, stop: new AbortController() })
    const { name, type, size } = file
    return { key, name, type, size, progress: 0, document: undefined, failure: undefined, altText: '' }
  })
  setFiles(conversationId, [...pickedFiles(conversationId), ...fresh])
  for (const { key } of fresh) void bring(conversationId, key)
}

/** Once more, from the start. */
export function bringAgain(conversationId: string, key: string): void {
  changeFile(conversationId, key, { progress: 0, failure: undefined })
  void bring(conversationId, key)
}

export const canBringAgain = ({ key }: PickedFile): boolean => begun.has(key)

export function dropFile(conversationId: string, key: string): void {
  begun.get(key)?.stop.abort()
  begun.delete(key)
  setFiles(
    conversationId,
    pickedFiles(conversationId).filter((file) => file.key !== key),
  )
}

export function changeFile(conversationId: string, key: string, change: Partial<PickedFile>): void {
  setFiles(
    conversationId,
    pickedFiles(conversationId).map((file) => (file.key === key ? { ...file, ...change } : file)),
  )
}

export function setFiles(conversationId: string, files: readonly PickedFile[]): void {
  lists.set(conversationId, files)
  const kept = files.filter(({ document }) => document !== undefined)
  try {
    if (kept.length === 0) localStorage.removeItem(prefix + conversationId)
    else localStorage.setItem(prefix + conversationId, JSON.stringify(kept))
  } catch {
    // Storage is full or refused: they live as long as the page.
  }
  for (const watcher of watchers) watcher()
}

async function bring(conversationId: string, key: string): Promise<void> {
  const one = begun.get(key)
  if (one === undefined) return
  try {
    const tell = (progress: number): void => changeFile(conversationId, key, { progress })
    const document = await upload(one.file, tell, one.stop.signal)
    begun.delete(key)
    // Its type is what the server found its bytes to be.
    changeFile(conversationId, key, { document, type: document.content_type, size: document.size, progress: 1 })
  } catch (error) {
    if (!(error instanceof Problem)) return
    changeFile(conversationId, key, { failure: error.message, progress: 0 })
  }
}

function load(conversationId: string): readonly PickedFile[] {
  try {
    return JSON.parse(localStorage.getItem(prefix + conversationId) ?? '[]') as PickedFile[]
  } catch {
    return none
  }
}
