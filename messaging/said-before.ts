/**
 * A network that refuses words as said already may be telling that an earlier try, whose outcome nobody knows, had worked (X:
 * duplicate content; Meta: 506). Then it is looked for before anybody is told that it failed.
 */
import type { Outcome, PublishOutcome } from './connectors/connector.ts'

interface Tried {
  readonly startedAt: Date
  readonly outcome: string | null
}

const codes = /^(?:duplicate|506)(?:\/|$)/

/** Such a refusal as what it is after such a try: not known. Anything else stays what it is. @param earlier asked only then */
export async function weighRefusal<Told extends Outcome | PublishOutcome>(
  told: Told,
  earlier: () => Promise<readonly Tried[]>,
): Promise<Told | Extract<Outcome, { type: 'unknown' }>> {
  if (told.type !== 'refused' || !codes.test(told.code)) return told
  return (await earlier()).some(({ outcome }) => outcome === 'unknown')
    ? {
        type: 'unknown',
        code: 'duplicate',
        reason: 'The network says that it has this already: an earlier try may have worked.',
      }
    : told
}

/** Since when it may be there: the first try of unknown outcome, else the last one. */
export const unsureSince = (tried: readonly Tried[]): Date | undefined =>
  (tried.find(({ outcome }) => outcome === 'unknown') ?? tried.at(-1))?.startedAt
