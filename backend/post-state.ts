/** What becomes of a post: published on one channel, and what its channels together say of the whole. */
import type { LockedPublication, PlannedPost, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { stateOfAll } from '../storage/model/posts.ts'
import { postFact } from './post-facts.ts'

/** It is on the network: the row that the network's own webhook of it meets, and what everybody is told. */
export async function confirmPublished(
  storage: Storage,
  tx: Writer,
  publication: LockedPublication,
  externalId: string | undefined,
  permalink: string | undefined,
  facts: NewEvent[],
): Promise<void> {
  const { accountId, channelId, now } = publication
  let postId: string | null = null
  if (externalId !== undefined) {
    const place = { accountId, channelId, externalId }
    const post = await storage.plannedPosts.get(tx, accountId, publication.plannedPostId)
    const { all } = await storage.posts.ensure(tx, [
      { ...place, text: publication.text ?? post?.text, permalink, occurredAt: now },
    ])
    postId = all.get(storage.posts.key(place))?.id ?? null
  }
  await storage.publications.endAttempt(tx, publication, publication.attemptCount, { type: 'sent' })
  const known = { externalId: externalId ?? null, permalink: permalink ?? null, postId }
  await storage.publications.change(tx, publication, { state: 'published', ...known, publishedAt: now, progress: null })
  facts.push({
    type: 'post.published',
    accountId,
    data: {
      post_id: publication.plannedPostId,
      publication_id: publication.id,
      channel_id: channelId,
      external_id: externalId ?? null,
      permalink: permalink ?? null,
    },
  })
}

/** The post's own state follows its channels; announced and written into its history when it is another. */
export async function refreshPost(
  storage: Storage,
  tx: Writer,
  post: PlannedPost,
  facts: NewEvent[],
  why?: { readonly code: string; readonly reason: string },
  by: string | null = null,
): Promise<void> {
  const publications = await storage.publications.ofPosts(tx, post.accountId, [post.id])
  const state = stateOfAll(publications.map((each) => each.state))
  if (state === post.state) return
  const told = why ?? { code: null, reason: null }
  await storage.plannedPosts.change(tx, post, { state, reasonCode: told.code, reason: told.reason }, false)
  await storage.plannedPosts.noteStep(tx, post, {
    step: state,
    userId: by,
    fromState: post.state,
    toState: state,
    detail: told.reason,
  })
  facts.push(
    postFact(
      state === 'asked' ? 'post.asked' : state === 'cancelled' ? 'post.cancelled' : 'post.changed',
      post,
      state,
      by,
    ),
  )
}
