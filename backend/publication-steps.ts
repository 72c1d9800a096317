/** What people decide about a post on one channel: that it is tried again, or what became of it when nobody else can tell. */
import { conflict, notFound } from '../infra/errors.ts'
import type { LockedPublication, PlannedPost, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { needsApproval } from '../storage/model/posts.ts'
import { publicationFact } from './post-facts.ts'
import { auditPost, refuseOutside, spoken } from './post-steps.ts'
import type { PostActor } from './post-steps.ts'
import { confirmPublished, refreshPost } from './post-state.ts'

/** Publishes what failed, was left out or whose fate nobody could tell; a person has looked. @throws Problem 404, 409 `not_retryable` */
export function retryPublication(storage: Storage, accountId: string, id: string, actor: PostActor): Promise<void> {
  return decide(storage, accountId, id, actor, 'retry', async (tx, publication, _facts, post) => {
    if (!['failed', 'unknown', 'cancelled', 'asked'].includes(publication.state))
      throw conflict('not_retryable', `A publication that is ${spoken(publication.state)} cannot be tried again.`)
    // Cancelled before it was approved, it must not slip out this way.
    const settings = await storage.plannedPosts.settings(tx, accountId)
    if (publication.state === 'cancelled' && post.approvedAt === null && needsApproval(settings, actor.mayApprove))
      throw conflict('needs_approval', 'This post needs an approval first; submit it for review.')
    // Late by its old time it would be asked about for ever.
    await storage.publications.change(tx, publication, { state: 'queued', dueAt: publication.now, progress: null })
  })
}

/**
 * A person has looked on the network whether a post of an unknown outcome is there. @param externalId the network's id of it
 * @throws Problem 404, 409 `not_unknown`
 */
export function settlePublication(
  storage: Storage,
  accountId: string,
  id: string,
  actor: PostActor,
  settled: { readonly arrived: boolean; readonly externalId?: string | undefined },
): Promise<void> {
  return decide(
    storage,
    accountId,
    id,
    actor,
    settled.arrived ? 'found' : 'not_found',
    async (tx, publication, facts) => {
      if (publication.state !== 'unknown')
        throw conflict('not_unknown', `A publication that is ${spoken(publication.state)} needs no decision.`)
      if (settled.arrived) return confirmPublished(storage, tx, publication, settled.externalId, undefined, facts)
      const [code, reason] = ['not_arrived', 'Somebody looked on the network: it is not there.'] as const
      await storage.publications.change(tx, publication, { state: 'failed', reasonCode: code, reason, progress: null })
      facts.push(publicationFact('post.failed', publication, code, reason))
    },
  )
}

async function decide(
  storage: Storage,
  accountId: string,
  id: string,
  actor: PostActor,
  step: string,
  work: (tx: Writer, publication: LockedPublication, facts: NewEvent[], post: PlannedPost) => Promise<void>,
): Promise<void> {
  await storage.write(async (tx) => {
    const known = await storage.publications.get(tx, accountId, id)
    const post = known && (await storage.plannedPosts.lock(tx, accountId, known.plannedPostId))
    const publication = post && (await storage.publications.lock(tx, accountId, id))
    if (post === undefined || publication === undefined) throw notFound('publication')
    refuseOutside(actor, [publication])
    const facts: NewEvent[] = []
    await work(tx, publication, facts, post)
    await noteDecision(storage, tx, post, publication, actor, step)
    await refreshPost(storage, tx, post, facts, undefined, actor.userId)
    await storage.outbox.appendMany(tx, facts)
    await auditPost(storage, tx, actor, post, `post.${step}`)
  })
}

function noteDecision(
  storage: Storage,
  tx: Writer,
  post: PlannedPost,
  { channelId }: LockedPublication,
  { userId }: PostActor,
  step: string,
): Promise<void> {
  const { state } = post
  return storage.plannedPosts.noteStep(tx, post, {
    step,
    userId,
    fromState: state,
    toState: state,
    detail: `channel ${channelId}`,
  })
}
