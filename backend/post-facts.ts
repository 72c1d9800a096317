/** The facts about posts that we plan. */
import type { PlannedPost, Publication } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import type { PlannedState } from '../storage/model/posts.ts'

/** Facts about whole posts. */
export type PostFact =
  | 'post.created'
  | 'post.changed'
  | 'post.submitted'
  | 'post.approved'
  | 'post.rejected'
  | 'post.scheduled'
  | 'post.publishing'
  | 'post.asked'
  | 'post.cancelled'
  | 'post.removed'

/** @param by null: Parley itself */
export const postFact = (
  type: PostFact,
  post: Pick<PlannedPost, 'id' | 'accountId'>,
  state: PlannedState,
  by: string | null,
): NewEvent => ({ type, accountId: post.accountId, data: { post_id: post.id, state, by } })

/** A fact about a post on one channel. */
export const publicationFact = (
  type: 'post.failed' | 'post.unknown' | 'post.retrying',
  publication: Publication,
  code: string,
  reason: string,
): NewEvent => ({
  type,
  accountId: publication.accountId,
  data: {
    post_id: publication.plannedPostId,
    publication_id: publication.id,
    channel_id: publication.channelId,
    code,
    reason,
  },
})
