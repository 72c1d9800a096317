/** What an attempt or a look-up says about a publication. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../infra/logger.ts'
import { noteSpent } from '../messaging/budgets.ts'
import type { Spent } from '../messaging/budgets.ts'
import type { Lookup, Outcome, PublishOutcome } from '../messaging/connectors/connector.ts'
import { setTrouble, tokenTrouble } from '../messaging/health.ts'
import { isOutage } from '../messaging/outage.ts'
import { weighRefusal } from '../messaging/said-before.ts'
import type {
  LockedPublication,
  PlannedPost,
  Publication,
  PublicationLease,
  Storage,
  Writer,
} from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { publicationFact } from './post-facts.ts'
import { confirmPublished, refreshPost } from './post-state.ts'

interface Context {
  readonly storage: Storage
  readonly logger: Logger
}

/** For so long on its own, and again each time a person asks for it. */
const longestTryingMs = 6 * 3_600_000
/** Refused through so many reconnections. */
const mostTokens = 8
/** When an unknown outcome is looked up, counted from the moment it became unknown; with the last it is left to a person. */
const lookupsMs = [2_000, 10_000, 30_000, 60_000] as const
const settledByMs = 60_000
/** From then on "it is not there" is believed, and the post published once more. */
const believedFromMs = 29_000
/** How long an outcome is kept in memory when it cannot be written down. */
const rememberedMs = 60_000
/** A network that works on a post for longer has lost it. */
const longestProcessingMs = 3_600_000

/**
 * Writes down what became of attempt `number`. Its fence is the number: whoever holds the lease by now may have called the attempt
 * unknown, and this is the better knowledge; but once a later attempt has begun it is history.
 */
export async function concludePublish(
  context: Context,
  lease: PublicationLease,
  number: number,
  outcome: PublishOutcome,
): Promise<void> {
  const endsAt = performance.now() + rememberedMs
  for (;;) {
    try {
      await concludeOnce(context, lease, number, outcome)
      return
    } catch (error) {
      // What the network said is known here only: an outage is waited out, longer than any lease lives.
      if (!isOutage(error) || performance.now() > endsAt) throw error
      await sleep(500)
    }
  }
}

function concludeOnce(
  { storage, logger }: Context,
  lease: PublicationLease,
  number: number,
  told: PublishOutcome,
): Promise<void> {
  return whole(storage, lease, async (tx, post, publication, facts) => {
    const isNewest = publication.attemptCount === number
    const outcome = await weighRefusal(told, () =>
      storage.publications.attemptsOf(tx, publication.accountId, [publication.id]),
    )
    if (outcome.type === 'sent' && isNewest) {
      await confirmPublished(storage, tx, publication, outcome.externalId, outcome.permalink, facts)
      return
    }
    if (outcome.type !== 'processing')
      await storage.publications.endAttempt(
        tx,
        publication,
        number,
        outcome.type === 'sent' ? { type: 'sent', reason: `as ${outcome.externalId}` } : outcome,
      )
    if (outcome.type === 'sent')
      logger.error(
        { publication: publication.id, number },
        'an attempt succeeded after a later one had begun: it may be twice on the network',
      )
    else if (isNewest && (publication.state === 'publishing' || publication.state === 'unknown'))
      await apply(storage, tx, publication, outcome, facts)
  })
}

async function apply(
  storage: Storage,
  tx: Writer,
  publication: LockedPublication,
  outcome: Exclude<PublishOutcome, { type: 'sent' }>,
  facts: NewEvent[],
): Promise<void> {
  if (outcome.type === 'processing') {
    const attempt = (await storage.publications.attemptsOf(tx, publication.accountId, [publication.id])).at(-1)
    const sinceMs = publication.now.getTime() - (attempt?.startedAt ?? publication.now).getTime()
    if (sinceMs < longestProcessingMs) {
      const dueInMs = Math.min(300_000, Math.max(500, outcome.afterMs))
      await storage.publications.change(tx, publication, { state: 'publishing', progress: outcome.progress, dueInMs })
      return
    }
    // It may still come out by itself: only a person can tell.
    const code = 'processing_too_long'
    const reason = 'The network did not finish working on it within an hour. Look there, then say so here.'
    await storage.publications.endAttempt(tx, publication, publication.attemptCount, { type: 'unknown', code, reason })
    await storage.publications.change(tx, publication, { state: 'unknown', reasonCode: code, reason })
    facts.push(publicationFact('post.unknown', publication, code, reason))
    return
  }
  const { code, reason } = outcome
  const spent = outcome.type === 'unknown' ? undefined : await takeBack(storage, tx, publication, outcome)
  const tries = publication.attemptCount
  const fail = async (said: string): Promise<void> => {
    await storage.publications.change(tx, publication, {
      state: 'failed',
      reasonCode: code,
      reason: said,
      progress: null,
    })
    facts.push(publicationFact('post.failed', publication, code, said))
  }
  const retry = async (said: string, dueInMs: number): Promise<void> => {
    await storage.publications.change(tx, publication, { state: 'retrying', reasonCode: code, reason: said, dueInMs })
    facts.push(publicationFact('post.retrying', publication, code, said))
  }
  if (outcome.type === 'unknown') {
    await storage.publications.change(tx, publication, {
      state: 'unknown',
      reasonCode: code,
      reason,
      dueInMs: lookupsMs[0],
    })
    facts.push(publicationFact('post.unknown', publication, code, reason))
  } else if (spent?.isKnown === true) {
    await retry(spent.reason, spent.forMs)
  } else if (outcome.type === 'retry') {
    if (publication.now.getTime() - (publication.dueAt ?? publication.now).getTime() > longestTryingMs)
      await fail(`Tried ${String(tries)} times. ${reason}`)
    else await retry(reason, Math.max(outcome.afterMs ?? 0, spent?.forMs ?? 0, pauseMs(tries)))
  } else if (outcome.class === 'token') {
    await setTrouble(storage, tx, publication, 'token', tokenTrouble(code, reason), facts)
    // It waits for the reconnection, unless it has been refused through several of them.
    if (tries % mostTokens === 0) await fail(reason)
    else await retry(`Waits until the channel is reconnected. ${reason}`, 0)
  } else await fail(reason)
}

/** The network surely did not take it: its price is taken off again; if an allowance is spent, nobody calls until it is not. */
async function takeBack(
  storage: Storage,
  tx: Writer,
  publication: Publication,
  outcome: Exclude<Outcome, { type: 'sent' }>,
): Promise<Spent | undefined> {
  const channel = await storage.channels.get(tx, publication.accountId, publication.channelId)
  if (channel === undefined) return undefined
  const { accountId, appId } = channel
  const put = await storage.publications.unmarkSpent(tx, publication, publication.attemptCount)
  if (put !== undefined)
    await storage.spend.takeOff(
      tx,
      { accountId, appId, month: put.month },
      { kind: put.kind, count: 1, micros: put.micros },
    )
  return noteSpent(storage, tx, channel, 'post', outcome)
}

/** 2 s doubling to 10 min, spread by a quarter so that what failed together does not come back together. */
const pauseMs = (tries: number): number =>
  Math.min(600_000, 2_000 * 2 ** Math.min(tries - 1, 9)) * (0.75 + Math.random() / 2)

/** Writes down what a look-up of an unknown outcome found, `elapsedMs` after it became unknown. */
export function concludeLookup(
  { storage }: Context,
  lease: PublicationLease,
  number: number,
  lookup: Lookup,
  elapsedMs: number,
): Promise<void> {
  return whole(storage, lease, async (tx, _post, publication, facts) => {
    // A person or the late answer was faster.
    if (publication.state !== 'unknown' || publication.attemptCount !== number) return
    if (lookup.type === 'found') {
      await confirmPublished(storage, tx, publication, lookup.externalId, undefined, facts)
      return
    }
    const { accountId, id, reasonCode, reason } = publication
    const code = reasonCode ?? 'unknown'
    const attempts = await storage.publications.attemptsOf(tx, accountId, [id])
    if (
      lookup.type === 'absent' &&
      elapsedMs >= believedFromMs &&
      attempts.filter(({ outcome }) => outcome === 'unknown').length < 2
    ) {
      const said = 'It did not reach the network; it is published once more.'
      await storage.publications.change(tx, publication, {
        state: 'retrying',
        reasonCode: code,
        reason: said,
        dueInMs: 0,
      })
      facts.push(publicationFact('post.retrying', publication, code, said))
      return
    }
    const next = elapsedMs >= settledByMs ? undefined : lookupsMs.find((at) => at > elapsedMs + 500)
    if (next !== undefined) {
      const dueInMs = next - elapsedMs
      await storage.publications.change(tx, publication, {
        state: 'unknown',
        reasonCode: code,
        reason: reason ?? undefined,
        dueInMs,
      })
      return
    }
    const said = 'Nobody can tell whether it was published. Look on the network, then say so here.'
    await storage.publications.change(tx, publication, { state: 'unknown', reasonCode: code, reason: said })
    facts.push(publicationFact('post.unknown', publication, code, said))
  })
}

/** One transaction with its facts, under the locks of the post and the publication. */
async function whole(
  storage: Storage,
  lease: Pick<PublicationLease, 'accountId' | 'id' | 'plannedPostId'>,
  work: (tx: Writer, post: PlannedPost, publication: LockedPublication, facts: NewEvent[]) => Promise<void>,
): Promise<void> {
  await storage.write(async (tx) => {
    const post = await storage.plannedPosts.lock(tx, lease.accountId, lease.plannedPostId)
    const publication = post && (await storage.publications.lock(tx, lease.accountId, lease.id))
    if (post === undefined || publication === undefined) return
    const facts: NewEvent[] = []
    await work(tx, post, publication, facts)
    await refreshPost(storage, tx, post, facts)
    await storage.outbox.appendMany(tx, facts)
  })
}
