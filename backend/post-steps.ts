/** What people do with a post on its way: review, approval, a time, now, never. Each step is one transaction and a line of history. */
import { conflict, forbidden, invalid, notFound } from '../infra/errors.ts'
import type { Problem } from '../infra/errors.ts'
import { covers } from '../storage/index.ts'
import type {
  Actor,
  PlannedPost,
  PlannedPostChange,
  Publication,
  Fields,
  Scope,
  Storage,
  Writer,
} from '../storage/index.ts'
import { isStepPossible, leavesReview, needsApproval, stateOfAll } from '../storage/model/posts.ts'
import type { ApprovalSettings, PlannedState, PostStep } from '../storage/model/posts.ts'
import { checkPost, refuseProblems } from './post-checks.ts'
import { checkTime, contentOf, fault } from './post-content.ts'
import { postFact } from './post-facts.ts'
import type { PostFact } from './post-facts.ts'

/** Who does it, and what they may. */
export interface PostActor {
  /** As the audit log names them. */
  readonly by: Actor
  readonly userId: string
  readonly mayWrite: boolean
  readonly mayApprove: boolean
  readonly mayPublish: boolean
  readonly scope: Scope
}

/** `at` undefined: the time that the post has. */
export type StepWish =
  | { readonly type: 'submit' }
  | { readonly type: 'publish' }
  /** `version`: what was read; approved is nothing else. */
  | { readonly type: 'approve'; readonly at?: Date | undefined; readonly version?: number | undefined }
  | { readonly type: 'schedule'; readonly at?: Date | undefined }
  | { readonly type: 'reject'; readonly reason: string }
  | { readonly type: 'cancel'; readonly reason?: string | undefined }

type Place = Pick<PlannedPost, 'id' | 'accountId'>

/**
 * Takes one step. @throws Problem 404; 403; 409 `not_possible`, `needs_approval`, `own_post` or `changed_meanwhile`; 422 `publish_at_past`, `no_time`
 * or the code of what the network would refuse
 */
export function stepPost(
  storage: Storage,
  accountId: string,
  id: string,
  actor: PostActor,
  wish: StepWish,
): Promise<void> {
  return storage.write((tx) => applyStep(storage, tx, { accountId, id }, actor, wish))
}

/** As `stepPost`, in the caller's transaction. */
export async function applyStep(
  storage: Storage,
  tx: Writer,
  place: Place,
  actor: PostActor,
  wish: StepWish,
): Promise<void> {
  const post = await storage.plannedPosts.lock(tx, place.accountId, place.id)
  if (post === undefined) throw notFound('post')
  if (!isStepPossible(wish.type, post.state))
    throw conflict('not_possible', `A post that is ${spoken(post.state)} cannot take this step: ${wish.type}.`)
  if (wish.type === 'approve' && wish.version !== undefined && wish.version !== post.version) throw changedMeanwhile()
  await refuseUnauthorised(storage, tx, post, actor, wish)
  const { content, publications } = await contentOf(storage, tx, post)
  refuseOutside(actor, publications)
  const taking = { storage, tx, post, actor, publications }
  if (wish.type === 'reject') return reject(taking, wish.reason)
  if (wish.type === 'cancel') return cancel(taking, wish.reason)
  if (publications.length === 0) throw invalid([{ field: 'channels', message: 'Expected at least one channel.' }])
  refuseProblems(await checkPost(storage, tx, post.accountId, content, post.id))
  if (wish.type === 'submit') return note(taking, 'submit', 'in_review', 'post.submitted')
  if (wish.type === 'publish') return publish(taking)
  const at = wish.at ?? post.publishAt
  if (wish.type === 'approve') {
    await note(taking, 'approve', 'approved', 'post.approved', { approvedBy: actor.userId, approvedAt: post.now })
    if (at === null) return
  }
  if (at === null) throw fault('no_time', 'publish_at', 'Say when it is to be published.')
  await plan(taking, at)
}

async function refuseUnauthorised(
  storage: Storage,
  tx: Writer,
  post: PlannedPost,
  actor: PostActor,
  { type }: StepWish,
): Promise<void> {
  const settings = await storage.plannedPosts.settings(tx, post.accountId)
  const isOwn = actor.mayWrite && post.createdBy === actor.userId
  if (type === 'schedule' || type === 'publish') {
    if (!actor.mayPublish) throw forbidden('You may not publish posts; submit it for review instead.')
    if (leavesReview(type, post.state) && needsApproval(settings, actor.mayApprove))
      throw conflict('needs_approval', 'This post needs an approval first; submit it for review.')
  }
  if (type === 'cancel' && !actor.mayPublish && !isOwn) throw forbidden('You may not cancel the posts of others.')
  if (type === 'reject' && !actor.mayApprove && !isOwn) throw forbidden('You may not decide on posts.')
  if (type !== 'approve') return
  if (!actor.mayApprove) throw forbidden('You may not decide on posts.')
  if (settings.fourEyes && (await storage.plannedPosts.writersOf(tx, post.accountId, post.id)).includes(actor.userId))
    throw conflict('own_post', 'Whoever wrote a post may not approve it here; somebody else must.')
}

interface Taking {
  readonly storage: Storage
  readonly tx: Writer
  readonly post: PlannedPost & { readonly now: Date }
  readonly actor: PostActor
  readonly publications: readonly Publication[]
}

async function reject(taking: Taking, reason: string): Promise<void> {
  await callOff(taking, 'rejected')
  const change = { reasonCode: 'rejected', reason: reason.slice(0, 500), approvedBy: null, approvedAt: null }
  await note(taking, 'reject', 'draft', 'post.rejected', change, reason)
}

/** What has not left stays here; what is on its way is waited for. */
async function cancel(taking: Taking, reason?: string): Promise<void> {
  const { storage, tx, publications } = taking
  await callOff(taking, 'cancelled')
  const open = publications.filter(({ state }) => ['waiting', 'asked', 'queued', 'retrying'].includes(state))
  if (open.length === 0) throw conflict('not_possible', 'It is leaving just now; nothing of it can be taken back.')
  for (const each of open)
    await storage.publications.change(tx, each, { state: 'cancelled', reasonCode: 'cancelled', reason })
  const state = stateOfAll(publications.map((each) => (open.includes(each) ? 'cancelled' : each.state)))
  const change = { reasonCode: 'cancelled', ...(reason !== undefined && { reason: reason.slice(0, 500) }) }
  await note(taking, 'cancel', state, 'post.cancelled', change, reason)
}

/** Now: whatever was planned for later is called off. */
async function publish(taking: Taking): Promise<void> {
  const { storage, tx, post, publications } = taking
  await callOff(taking, 'published now')
  for (const each of publications.filter(isAhead))
    await storage.publications.change(tx, each, { state: 'queued', dueAt: post.now })
  await note(taking, 'publish', 'publishing', 'post.publishing', { publishAt: post.now })
}

/** For a time in the future, in place of any other. */
async function plan(taking: Taking, at: Date): Promise<void> {
  const { storage, tx, post, publications } = taking
  checkTime(at, post.now.getTime())
  await callOff(taking, 'moved')
  await storage.occurrences.plan(tx, { accountId: post.accountId, kind: 'post', subjectId: post.id, dueAt: at })
  for (const each of publications.filter(isAhead))
    await storage.publications.change(tx, each, { state: 'waiting', dueAt: at })
  await note(taking, 'schedule', 'scheduled', 'post.scheduled', { publishAt: at }, `for ${at.toISOString()}`)
}

/** What has gone out, or is on its way, on one channel stays so, whatever is decided about the others. */
const isAhead = ({ state }: Publication): boolean => state === 'waiting' || state === 'asked'

const callOff = ({ storage, tx, post }: Taking, reason: string): Promise<number> =>
  storage.occurrences.cancel(tx, post.accountId, 'post', post.id, reason)

/** State, history and fact of a step. */
async function note(
  { storage, tx, post, actor }: Taking,
  step: PostStep,
  state: PlannedState,
  type: PostFact,
  change: PlannedPostChange = {},
  detail?: string,
): Promise<void> {
  await storage.plannedPosts.change(tx, post, { reasonCode: null, reason: null, ...change, state }, true)
  const { state: fromState } = post
  await storage.plannedPosts.noteStep(tx, post, {
    step,
    userId: actor.userId,
    fromState,
    toState: state,
    detail: detail ?? null,
  })
  await storage.outbox.append(tx, postFact(type, post, state, actor.userId))
  await auditPost(storage, tx, actor, post, type, { state: fromState }, { state })
}

/** Whoever is limited to channels decides only on posts that stand on these alone. @throws Problem 403 */
export function refuseOutside({ scope }: PostActor, places: readonly { readonly channelId: string }[]): void {
  if (!places.every(({ channelId }) => covers({ ...scope, teamIds: null }, { channelId, teamId: null })))
    throw forbidden('This post stands on channels that you are not let into.')
}

/** A line in the log of what was done; last in its transaction. */
export function auditPost(
  storage: Storage,
  tx: Writer,
  actor: PostActor,
  { accountId, id, text }: Pick<PlannedPost, 'accountId' | 'id' | 'text'>,
  action: string,
  before?: Fields,
  after?: Fields,
): Promise<void> {
  const subject = { type: 'post', id, name: text.slice(0, 80) }
  return storage.audit.append(tx, { accountId, by: actor.by, action, subject, before, after })
}

/** @throws nothing; what is so already is no change */
export function changePostSettings(
  storage: Storage,
  accountId: string,
  by: Actor,
  change: { readonly approval?: ApprovalSettings['approval'] | undefined; readonly fourEyes?: boolean | undefined },
): Promise<void> {
  return storage.write(async (tx) => {
    const before = await storage.plannedPosts.settings(tx, accountId)
    const after = { approval: change.approval ?? before.approval, fourEyes: change.fourEyes ?? before.fourEyes }
    await storage.plannedPosts.setSettings(tx, accountId, after)
    const subject = { type: 'post_settings', id: null }
    await storage.audit.append(tx, {
      accountId,
      by,
      action: 'post_settings.changed',
      subject,
      before: { ...before },
      after,
    })
  })
}

/** Somebody else was faster. */
export const changedMeanwhile = (): Problem =>
  conflict('changed_meanwhile', 'Somebody has changed this post meanwhile; look at it again first.')

/** A state in words. */
export const spoken = (state: string): string => state.replace('_', ' ')
