/** What someone has begun to write: kept for them alone, the same in all of their tabs. */
import { conflict } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import { refusal } from '../messaging/check-content.ts'
import type { Draft, DraftKey, Storage } from '../storage/index.ts'

export type DraftWish = Pick<Draft, 'kind' | 'text' | 'inReplyTo' | 'documentIds'>

/** Drafts of one user. */
export const mostDrafts = 500

/**
 * Keeps a draft in place of what was there; undefined: there is nothing in it, so none is kept.
 * @param known the version that the writer saw, 0 for none; without it, whatever is there gives way
 * @throws DraftChanged; Problem 409 `too_many_drafts`, 422 `attachment_gone`
 */
export function putDraft(storage: Storage, key: DraftKey, wish: DraftWish, known?: number): Promise<Draft | undefined> {
  return storage.write(async (tx) => {
    const before = await storage.drafts.lock(tx, key)
    if (known !== undefined && known !== (before?.version ?? 0)) throw new DraftChanged(before)
    if (wish.text.trim() === '' && wish.documentIds.length === 0) {
      await storage.drafts.remove(tx, key)
      return undefined
    }
    if (before === undefined && (await storage.drafts.count(tx, key.accountId, key.userId)) > mostDrafts)
      throw conflict('too_many_drafts', 'There are too many drafts. Please send or discard some first.')
    for (const [index, id] of wish.documentIds.entries())
      if (!isId(id) || !(await storage.documents.hold(tx, key.accountId, id)))
        throw refusal('attachment_gone', `attachment_ids.${String(index)}`, 'There is no such file any more.')
    const now = new Date()
    const draft = { ...key, ...wish, version: Math.max(now.getTime(), (before?.version ?? 0) + 1), updatedAt: now }
    await storage.drafts.put(tx, draft)
    return draft
  })
}

/** Somebody's own other tab was faster. */
export class DraftChanged extends Error {
  readonly now: Draft | undefined

  constructor(now: Draft | undefined) {
    super('the draft was changed meanwhile')
    this.now = now
  }
}
