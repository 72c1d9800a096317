/**
 * Whether those who listen may still do so. Asked for all of them together by a few statements; one by one only where something has
 * changed, so that thousands of open streams cost no more than a few.
 */
import type { Storage } from '../storage/index.ts'
import type { Asker } from './route.ts'

/** By what they have come in: the id of a token, or the hash of a session's id. */
export type Pass = { readonly kind: 'token'; readonly id: string } | { readonly kind: 'session'; readonly hash: string }

export interface Listening {
  asker: Asker
  readonly pass: Pass
  readonly askAgain: () => Promise<Asker | undefined>
  /** What decides their rights; undefined: they have just come. */
  rights: string | undefined
  /** They were asked for after that was read. */
  isSure: boolean
}

/** Of those who have just come: many come at once when another node goes. */
const newcomersAtOnce = 100

/** Looks through those who listen; `end` is called for whoever may not any more. */
export async function checkRights<L extends Listening>(
  storage: Storage,
  listening: readonly L[],
  end: (one: L) => void,
): Promise<void> {
  const reader = storage.primary
  const passes = listening.map(({ pass }) => pass)
  const [tokens, sessions] = await Promise.all([
    storage.standing.validTokens(reader, passes.flatMap((pass) => (pass.kind === 'token' ? pass.id : []))), // prettier-ignore
    storage.standing.validSessions(reader, passes.flatMap((pass) => (pass.kind === 'session' ? pass.hash : []))), // prettier-ignore
  ])
  const isValid = ({ pass, asker }: L): boolean =>
    pass.kind === 'token' ? tokens.has(pass.id) : sessions.get(pass.hash) === asker.userId
  let newcomers = 0
  for (const [accountId, own] of Map.groupBy(listening, ({ asker }) => asker.accountId)) {
    const rights = await storage.standing.rightsOf(reader, accountId, own.map(({ asker }) => asker.userId)) // prettier-ignore
    for (const one of own) {
      const now = rights.get(one.asker.userId)
      const isAsBefore = isValid(one) && now !== undefined && now === (one.rights ?? now)
      one.rights = now
      if (isAsBefore && (one.isSure || (newcomers += 1) > newcomersAtOnce)) continue
      // After their rights were read: what changes in between shows the next time.
      const asker = await one.askAgain()
      one.isSure = true
      if (asker === undefined) end(one)
      else one.asker = asker
    }
  }
}
