/** What is decided about a publication before the network is called: when it fires, whether it is too late, who has it, what comes next. */
import type {
  Channel,
  LockedPublication,
  Occurrence,
  PlannedPost,
  Publication,
  PublicationLease,
  Storage,
  Writer,
} from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { lateAfterMs } from '../storage/model/posts.ts'
import { mayCall } from '../messaging/may-call.ts'
import { unsureSince } from '../messaging/said-before.ts'
import type { Fired } from './due.ts'
import { postFact, publicationFact } from './post-facts.ts'
import { refreshPost } from './post-state.ts'

/** What a dead node held is free after this; a living one lengthens it. */
export const leaseMs = 15_000

/** The time of a post has come: each channel is queued, or what its policy says when it is late. */
export async function firePost(
  storage: Storage,
  tx: Writer,
  { accountId, subjectId, dueAt }: Occurrence,
): Promise<Fired> {
  const post = await storage.plannedPosts.lock(tx, accountId, subjectId)
  if (post?.state !== 'scheduled' || post.publishAt?.getTime() !== dueAt.getTime())
    return { state: 'skipped', reason: 'The post is not planned for this time any more.', facts: [] }
  const facts: NewEvent[] = []
  const all = await storage.publications.ofPosts(tx, accountId, [post.id])
  // On some channels it may have gone out before it was asked about.
  const publications = all.filter(({ state }) => state === 'waiting')
  const late = lateness(post, dueAt, post.now)
  for (const each of publications)
    if (late === undefined) await storage.publications.change(tx, each, { state: 'queued', dueAt })
    else
      await storage.publications.change(tx, each, {
        state: late.state,
        reasonCode: late.code,
        reason: late.reason,
        dueAt,
      })
  if (late === undefined) {
    await storage.plannedPosts.change(tx, post, { state: 'publishing' }, false)
    await storage.plannedPosts.noteStep(tx, post, {
      step: 'fire',
      userId: null,
      fromState: post.state,
      toState: 'publishing',
    })
    return [postFact('post.publishing', post, 'publishing', null)]
  }
  await refreshPost(storage, tx, post, facts, late)
  return { state: late.state === 'asked' ? 'asked' : 'skipped', reason: late.reason, facts }
}

export interface Late {
  readonly state: 'asked' | 'cancelled'
  readonly code: string
  readonly reason: string
}

/** What becomes of a post that is not published in time; `undefined`: it is published. */
function lateness({ latePolicy }: PlannedPost, dueAt: Date | null, now: Date): Late | undefined {
  if (dueAt === null || latePolicy === 'publish_late' || now.getTime() - dueAt.getTime() <= lateAfterMs)
    return undefined
  const was = `It was to be published at ${dueAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, which could not be done in time`
  return latePolicy === 'skip'
    ? { state: 'cancelled', code: 'late_skipped', reason: `${was}; so it was left out, as was chosen.` }
    : { state: 'asked', code: 'late_asked', reason: `${was}. Publish it now, choose another time, or cancel it.` }
}

interface Claimed {
  readonly lease: PublicationLease
  readonly channel: Channel
  readonly post: PlannedPost
  readonly publication: Publication
}
export type PublishStep = Claimed & { readonly type: 'publish' }
/** `since`: when the attempt of the unknown outcome began. `elapsedMs`: for how long it has been unknown. */
export type LookUpStep = Claimed & { readonly type: 'lookUp'; readonly since: Date; readonly elapsedMs: number }
export type Step = { readonly type: 'nothing' } | PublishStep | LookUpStep

type Due = Pick<Publication, 'accountId' | 'id' | 'plannedPostId'>

/** Decides what comes next and takes the lease for it; nothing when somebody else is at it or it is not due. */
export async function nextStep(storage: Storage, tx: Writer, due: Due, holder: string): Promise<Step> {
  const post = await storage.plannedPosts.lock(tx, due.accountId, due.plannedPostId)
  const publication = post && (await storage.publications.lock(tx, due.accountId, due.id))
  if (post === undefined || publication?.isFree !== true || !publication.isDue) return { type: 'nothing' }
  const channel = await storage.channels.get(tx, due.accountId, publication.channelId)
  const settled = await settleWithout(storage, tx, post, publication, channel)
  if (settled || channel === undefined || !isWorkable(publication)) return { type: 'nothing' }
  if (publication.state !== 'publishing' && channel.state === 'reconnect_needed') return { type: 'nothing' }
  const lease = await storage.publications.claim(tx, publication, holder, leaseMs)
  if (publication.state !== 'unknown') return { type: 'publish', lease, channel, post, publication }
  const attempts = await storage.publications.attemptsOf(tx, due.accountId, [due.id])
  const endedAt = attempts.at(-1)?.finishedAt ?? publication.updatedAt
  const since = unsureSince(attempts) ?? post.createdAt
  return {
    type: 'lookUp',
    lease,
    channel,
    post,
    publication,
    since,
    elapsedMs: publication.now.getTime() - endedAt.getTime(),
  }
}

/** `publishing` without a time: the call was under way. With one: the network works on it, and is asked again. */
const isWorkable = ({ state, nextAttemptAt }: Publication): boolean =>
  state === 'queued' ||
  state === 'retrying' ||
  ((state === 'publishing' || state === 'unknown') && nextAttemptAt !== null)

/** What needs no network: its channel is gone, its publisher died, it is too late. */
async function settleWithout(
  storage: Storage,
  tx: Writer,
  post: PlannedPost,
  publication: LockedPublication,
  channel: Channel | undefined,
): Promise<boolean> {
  const facts: NewEvent[] = []
  const isBegun = publication.state === 'publishing' && publication.nextAttemptAt === null
  const isToBegin = publication.state === 'queued' || publication.state === 'retrying'
  const late = isToBegin ? lateness(post, publication.dueAt, publication.now) : undefined
  if (isBegun) {
    const lost = { code: 'node_lost', reason: 'The node that was publishing it stopped.' }
    await storage.publications.endAttempt(tx, publication, publication.attemptCount, { type: 'unknown', ...lost })
    await storage.publications.change(tx, publication, {
      state: 'unknown',
      reasonCode: lost.code,
      reason: lost.reason,
      dueInMs: 0,
    })
    facts.push(publicationFact('post.unknown', publication, lost.code, lost.reason))
  } else if (isToBegin && (channel === undefined || channel.disconnectedAt !== null)) {
    const reason = 'The channel is not connected any more.'
    await storage.publications.change(tx, publication, { state: 'failed', reasonCode: 'disconnected', reason })
    facts.push(publicationFact('post.failed', publication, 'disconnected', reason))
  } else if (late !== undefined) {
    await storage.publications.change(tx, publication, {
      state: late.state,
      reasonCode: late.code,
      reason: late.reason,
    })
  } else return false
  await refreshPost(storage, tx, post, facts, late)
  await storage.outbox.appendMany(tx, facts)
  return true
}

/**
 * Writes the attempt down, just before the call; its number. Undefined: the lease was lost meanwhile, somebody has cancelled it, or
 * it must wait for the network's allowance.
 */
export async function beginPublishing(
  storage: Storage,
  tx: Writer,
  { lease, channel, post }: Pick<PublishStep, 'lease' | 'channel' | 'post'>,
  node: string,
): Promise<number | undefined> {
  await storage.plannedPosts.lock(tx, lease.accountId, lease.plannedPostId)
  const publication = await storage.publications.lock(tx, lease.accountId, lease.id)
  if (publication?.holder !== lease.holder || publication.epoch !== lease.epoch || !isWorkable(publication))
    return undefined
  if (publication.state === 'unknown') return undefined
  await storage.publications.hold(tx, lease, leaseMs)
  if (publication.state === 'publishing') {
    await storage.publications.change(tx, publication, { state: 'publishing' })
    return publication.attemptCount
  }
  const said = { use: 'post', text: [publication.text ?? post.text, post.link ?? ''].join(' ') } as const
  const may = await mayCall(storage, tx, channel, said, publication.now, publication.reasonCode === 'budget_spread')
  if (may.wait !== undefined) {
    const { code, reason, forMs } = may.wait
    await storage.publications.change(tx, publication, { state: 'retrying', reasonCode: code, reason, dueInMs: forMs })
    if (publication.state !== 'retrying' || publication.reasonCode !== code)
      await storage.outbox.append(tx, publicationFact('post.retrying', publication, code, reason))
    return undefined
  }
  const number = await storage.publications.beginAttempt(tx, publication, node.slice(0, 40))
  if (may.put !== undefined) await storage.publications.markSpent(tx, publication, number, may.put)
  return number
}

/** The network is not done with a file yet: it is gone on with later. */
export async function putOff(storage: Storage, tx: Writer, lease: PublicationLease, afterMs: number): Promise<void> {
  await storage.plannedPosts.lock(tx, lease.accountId, lease.plannedPostId)
  const publication = await storage.publications.lock(tx, lease.accountId, lease.id)
  if (publication?.state !== 'queued' && publication?.state !== 'retrying') return
  const said = { reasonCode: 'processing', reason: 'The network is still looking at a file of it.' }
  await storage.publications.change(tx, publication, {
    state: publication.state,
    ...said,
    dueInMs: Math.min(60_000, Math.max(500, afterMs)),
  })
}
