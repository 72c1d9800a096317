/** Posts are composed, changed and removed here; `post-steps.ts` leads them to their time, `publish.ts` to the networks. */
import { conflict, forbidden, notFound } from '../infra/errors.ts'
import type { PlannedPost, Storage, Writer } from '../storage/index.ts'
import { isBeyondDraft, isStepPossible, needsApproval } from '../storage/model/posts.ts'
import type { ApprovalSettings, LatePolicy } from '../storage/model/posts.ts'
import { refuseProblems } from './post-checks.ts'
import type { PostContent } from './post-checks.ts'
import { checkExisting, checkTime, contentOf, fault, setContent } from './post-content.ts'
import { postFact } from './post-facts.ts'
import { applyStep, auditPost, changedMeanwhile, refuseOutside, spoken } from './post-steps.ts'
import type { PostActor } from './post-steps.ts'

export interface NewPost extends PostContent {
  /** Its id, where the caller may ask twice for the same: the second time finds what is there. */
  readonly id: string
  readonly accountId: string
  readonly publishAt: Date | null
  readonly latePolicy: LatePolicy
  /** How far it goes at once; undefined: as far as its author may take it, if there is a time. */
  readonly state: 'draft' | 'in_review' | 'scheduled' | 'publishing' | undefined
}

/** What is to be another way; what is not given stays. */
export type PostChange = Partial<PostContent & Pick<PlannedPost, 'publishAt' | 'latePolicy'>>

/**
 * Composes a post. @throws Problem 403; 409 `needs_approval`; 422 with the code of what is wrong, such as `too_long`,
 * `publish_at_past`, `no_such_channel`
 */
export function createPost(storage: Storage, actor: PostActor, wish: NewPost): Promise<void> {
  return storage.write(async (tx) => {
    const { id, accountId } = wish
    if ((await storage.plannedPosts.get(tx, accountId, id)) !== undefined) return
    if (wish.publishAt !== null) checkTime(wish.publishAt)
    refuseOutside(actor, wish.channels)
    const settings = await storage.plannedPosts.settings(tx, accountId)
    const checks = await checkExisting(storage, tx, accountId, wish, undefined)
    await storage.plannedPosts.insert(tx, { ...wish, state: 'draft', createdBy: actor.userId })
    await setContent(storage, tx, wish, wish, checks, [])
    await storage.plannedPosts.noteStep(tx, wish, {
      step: 'create',
      userId: actor.userId,
      fromState: null,
      toState: 'draft',
    })
    await storage.outbox.append(tx, postFact('post.created', wish, 'draft', actor.userId))
    await auditPost(storage, tx, actor, wish, 'post.created')
    const goal = wish.state ?? (wish.publishAt === null ? 'draft' : mayGo(settings, actor) ? 'scheduled' : 'in_review')
    if (goal === 'in_review') await applyStep(storage, tx, wish, actor, { type: 'submit' })
    if (goal === 'scheduled') await applyStep(storage, tx, wish, actor, { type: 'schedule' })
    if (goal === 'publishing') await applyStep(storage, tx, wish, actor, { type: 'publish' })
  })
}

const mayGo = (settings: ApprovalSettings, actor: PostActor): boolean =>
  actor.mayPublish && !needsApproval(settings, actor.mayApprove)

/**
 * Changes a post. What was approved goes back to review when its content changes; a failed or cancelled one becomes a draft.
 * @throws Problem 404; 403; 409 `changed_meanwhile`, `not_possible`; 422 as of `createPost`
 */
export function changePost(
  storage: Storage,
  accountId: string,
  id: string,
  actor: PostActor,
  version: number | undefined,
  change: PostChange,
): Promise<void> {
  return storage.write(async (tx) => {
    const post = await storage.plannedPosts.lock(tx, accountId, id)
    if (post === undefined) throw notFound('post')
    if (version !== undefined && version !== post.version) throw changedMeanwhile()
    if (!isStepPossible('edit', post.state))
      throw conflict('not_possible', `A post that is ${spoken(post.state)} cannot be changed.`)
    const known = await contentOf(storage, tx, post)
    refuseOutside(actor, [...known.publications, ...(change.channels ?? [])])
    if (known.publications.some(({ state }) => !['waiting', 'asked', 'failed', 'cancelled'].includes(state)))
      throw conflict('not_possible', 'It has gone out on one of its channels; compose another one instead.')
    const { publishAt, latePolicy, ...words } = change
    const content = { ...known.content, ...words }
    const isOther = JSON.stringify(content) !== JSON.stringify(known.content)
    const isMoved = publishAt !== undefined && publishAt?.getTime() !== post.publishAt?.getTime()
    if (isMoved && publishAt !== null) checkTime(publishAt)
    if (isMoved && post.state === 'scheduled') {
      if (publishAt === null) throw fault('no_time', 'publish_at', 'A scheduled post has a time; cancel it instead.')
      if (!actor.mayPublish) throw forbidden('You may not move posts that are scheduled.')
    }
    const settings = await storage.plannedPosts.settings(tx, accountId)
    const state = stateAfterEdit(post, isOther, needsApproval(settings, actor.mayApprove))
    const checks = await checkExisting(storage, tx, accountId, content, post.id)
    if (isBeyondDraft(state)) refuseProblems(checks)
    if (isOther || state === 'draft') await setContent(storage, tx, post, content, checks, known.publications)
    await storage.plannedPosts.change(
      tx,
      post,
      {
        state,
        text: content.text,
        link: content.link,
        ...(publishAt !== undefined && { publishAt }),
        ...(latePolicy !== undefined && { latePolicy }),
        ...(isOther && { editedBy: actor.userId }),
        ...(state !== post.state && { reasonCode: null, reason: null, approvedBy: null, approvedAt: null }),
      },
      true,
    )
    await replan(storage, tx, post, state, publishAt)
    await storage.plannedPosts.noteStep(tx, post, {
      step: isOther ? 'edit' : 'move',
      userId: actor.userId,
      fromState: post.state,
      toState: state,
      detail: isMoved ? `to ${publishAt?.toISOString() ?? 'no time'}` : null,
    })
    await storage.outbox.append(tx, postFact('post.changed', post, state, actor.userId))
    await auditPost(
      storage,
      tx,
      actor,
      post,
      'post.changed',
      auditable(known.content, post),
      auditable(content, { ...post, ...change, state }),
    )
  })
}

const auditable = ({ text, link, channels }: PostContent, post: Pick<PlannedPost, 'state' | 'publishAt'>) => ({
  text: text.slice(0, 500),
  link,
  channels: channels.map(({ channelId }) => channelId),
  publish_at: post.publishAt?.toISOString() ?? null,
  state: post.state,
})

/** What was planned follows a post that moves, and is called off when it goes back. */
async function replan(
  storage: Storage,
  tx: Writer,
  { id, accountId, state: before, publishAt: was }: PlannedPost,
  state: PlannedPost['state'],
  publishAt: Date | null | undefined,
): Promise<void> {
  const at = publishAt ?? was
  if (before !== 'scheduled' || at === null || (state === 'scheduled' && at.getTime() === was?.getTime())) return
  await storage.occurrences.cancel(tx, accountId, 'post', id, state === 'scheduled' ? 'moved' : 'edited')
  if (state === 'scheduled') await storage.occurrences.plan(tx, { accountId, kind: 'post', subjectId: id, dueAt: at })
}

function stateAfterEdit(post: PlannedPost, isOther: boolean, isBound: boolean): PlannedPost['state'] {
  if (post.state === 'failed' || post.state === 'cancelled' || post.state === 'asked') return 'draft'
  if (!isOther) return post.state
  if (post.approvedAt !== null) return 'in_review'
  return post.state === 'scheduled' && isBound ? 'in_review' : post.state
}

/** Takes a post away that nobody outside has seen; one on its way is cancelled first. @throws Problem 404; 409 `not_possible` */
export function removePost(storage: Storage, accountId: string, id: string, actor: PostActor): Promise<void> {
  return storage.write(async (tx) => {
    const post = await storage.plannedPosts.lock(tx, accountId, id)
    if (post === undefined) throw notFound('post')
    if (isStepPossible('cancel', post.state)) {
      await applyStep(storage, tx, post, actor, { type: 'cancel' })
      return
    }
    const publications = await storage.publications.ofPosts(tx, accountId, [id])
    if (
      !['draft', 'failed', 'cancelled'].includes(post.state) ||
      publications.some(({ externalId }) => externalId !== null)
    )
      throw conflict('not_possible', `A post that is ${spoken(post.state)} cannot be removed.`)
    await storage.plannedPosts.remove(tx, accountId, id)
    await storage.outbox.append(tx, postFact('post.removed', post, post.state, actor.userId))
    await auditPost(storage, tx, actor, post, 'post.removed')
  })
}
