/**
 * Lists that many ask for at once, as when a fact has been told to all browsers of an account: made once, on this node, for all who see
 * the same. Given again only to readers who must not see more than the one whom it was made for, until the next fact of the account, and
 * for a second at most.
 */
import { later } from '../storage/freshness.ts'
import type { Live } from './live.ts'

export interface ListCache {
  /**
   * @param key names all that the text depends on, the account's id first
   * @param position how far the reader must see, as `Position` has it
   */
  get(accountId: string, key: string, position: string | undefined, make: () => Promise<string>): Promise<string>
}

interface Kept {
  readonly text: Promise<string>
  readonly position: string | undefined
  readonly facts: number
  readonly until: number
}

const keepMs = 1_000
const mostKept = 300

export function openListCache(live: Pick<Live, 'onEvent'>): ListCache {
  const kept = new Map<string, Kept>()
  /** Facts of each account that this node has told. */
  const told = new Map<string, number>()
  live.onEvent(({ accountId }) => {
    told.set(accountId, (told.get(accountId) ?? 0) + 1)
  })
  return {
    async get(accountId, key, position, make) {
      if (position === 'unknown') return make()
      const name = `${accountId} ${key}`
      const facts = told.get(accountId) ?? 0
      const known = kept.get(name)
      if (known?.facts === facts && known.until > Date.now() && covers(known.position, position)) return known.text
      const text = make()
      text.catch(() => kept.delete(name))
      kept.delete(name)
      kept.set(name, { text, position, facts, until: Date.now() + keepMs })
      const [oldest] = kept.keys()
      if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
      return text
    },
  }
}

/** Whether whoever has seen as far as `had` has seen as far as `wanted`. */
const covers = (had: string | undefined, wanted: string | undefined): boolean =>
  wanted === undefined || had === wanted || (had !== undefined && later(had, wanted) === had)
