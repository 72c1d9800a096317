import { checkContent } from '../../backend/post-checks.ts'
import type { ChannelCheck } from '../../backend/post-checks.ts'
import { contentFrom } from '../../backend/post-content.ts'
import type { PostActor } from '../../backend/post-steps.ts'
import type {
  Document,
  DocumentVariant,
  PlannedPost,
  PostFile,
  PublicationAttempt,
  Reader,
  Storage,
} from '../../storage/index.ts'
import { servedType } from '../../storage/model/content-types.ts'
import { isStepPossible, leavesReview, needsApproval, postSteps } from '../../storage/model/posts.ts'
import type { ApprovalSettings, PostStep } from '../../storage/model/posts.ts'
import { presentVariants } from './file.ts'
import type { ChannelCheckJson, PlannedPostJson, PublicationJson } from './post-shapes.ts'

/**
 * Posts with their channels as the asker may see and change them: a fixed number of queries, whatever their count.
 * @param isWhole counts the comments as well, and looks for the same words elsewhere
 */
export async function presentPlannedPosts(
  storage: Storage,
  reader: Reader,
  accountId: string,
  actor: PostActor,
  posts: readonly PlannedPost[],
  isWhole: boolean,
): Promise<PlannedPostJson[]> {
  if (posts.length === 0) return []
  const ids = posts.map(({ id }) => id)
  const [publications, files, channels, users, settings] = await Promise.all([
    storage.publications.ofPosts(reader, accountId, ids),
    storage.plannedPosts.filesOf(reader, accountId, ids),
    storage.channels.list(reader, accountId),
    storage.users.list(reader, accountId),
    storage.plannedPosts.settings(reader, accountId),
  ])
  const postIds = publications.flatMap(({ postId }) => postId ?? [])
  const documentIds = [...new Set(files.map(({ documentId }) => documentId))]
  const [attempts, comments, documents, variants] = await Promise.all([
    storage.publications.attemptsOf(
      reader,
      accountId,
      publications.map(({ id }) => id),
    ),
    isWhole ? storage.publications.countComments(reader, accountId, postIds) : undefined,
    storage.documents.getMany(reader, accountId, documentIds),
    storage.documents.variantsOf(reader, accountId, documentIds),
  ])
  const person = (id: string | null) => {
    const user = id === null ? undefined : users.find((each) => each.id === id)
    return user === undefined ? null : { id: user.id, name: user.name }
  }
  return Promise.all(
    posts.map(async (post) => {
      const own = publications.filter(({ plannedPostId }) => plannedPostId === post.id)
      const content = contentFrom(post, own, files)
      const said = content.channels.map(({ channelId, text }) => ({ channelId, says: text ?? content.text }))
      const same = isWhole && !isOver(post) ? await storage.publications.findSame(reader, accountId, post.id, said) : []
      const checks = checkContent(content, { channels, documents, same })
      const filesOf = (owner: string) =>
        files.filter(({ ownerId }) => ownerId === owner).flatMap((file) => presentFile(file, documents, variants))
      return {
        id: post.id,
        state: post.state,
        reason_code: post.reasonCode,
        reason: post.reason,
        text: post.text,
        link: post.link,
        files: filesOf(post.id),
        channels: own.flatMap((publication, index): PublicationJson[] => {
          const check = checks[index]
          if (check === undefined) return []
          return [
            {
              id: publication.id,
              ...presentChecked(check),
              ...(isOver(post) && { problems: [] }),
              text: publication.text,
              files: publication.hasOwnFiles ? filesOf(publication.id) : null,
              state: publication.state,
              reason_code: publication.reasonCode,
              reason: publication.reason,
              next_attempt_at: publication.nextAttemptAt?.toISOString() ?? null,
              attempts: attempts.filter(({ publicationId }) => publicationId === publication.id).map(presentAttempt),
              external_id: publication.externalId,
              permalink: publication.permalink,
              post_id: publication.postId,
              published_at: publication.publishedAt?.toISOString() ?? null,
              comment_count: comments === undefined ? null : (comments.get(publication.postId ?? '') ?? 0),
            },
          ]
        }),
        publish_at: post.publishAt?.toISOString() ?? null,
        late_policy: post.latePolicy,
        version: post.version,
        needs_approval: needsApproval(settings, actor.mayApprove),
        may: postSteps.filter((step) => mayTake(step, post, actor, settings)),
        created_by: person(post.createdBy),
        edited_by: person(post.editedBy),
        approved_by: person(post.approvedBy),
        approved_at: post.approvedAt?.toISOString() ?? null,
        created_at: post.createdAt.toISOString(),
        updated_at: post.updatedAt.toISOString(),
      }
    }),
  )
}

const isOver = ({ state }: PlannedPost): boolean =>
  state === 'published' || state === 'publishing' || state === 'partly_published'

const presentAttempt = (attempt: PublicationAttempt): PublicationJson['attempts'][number] => ({
  number: attempt.number,
  started_at: attempt.startedAt.toISOString(),
  finished_at: attempt.finishedAt?.toISOString() ?? null,
  outcome: attempt.outcome,
  code: attempt.code,
  reason: attempt.reason,
})

/** What may be offered; the step itself asks again. */
function mayTake(step: PostStep, post: PlannedPost, actor: PostActor, settings: ApprovalSettings): boolean {
  if (!isStepPossible(step, post.state)) return false
  const isOwn = post.createdBy === actor.userId
  switch (step) {
    case 'edit':
    case 'submit':
      return actor.mayWrite
    case 'approve':
      return actor.mayApprove && !(settings.fourEyes && (isOwn || post.editedBy === actor.userId))
    case 'reject':
      return actor.mayApprove || (isOwn && actor.mayWrite)
    case 'cancel':
      return actor.mayPublish || (isOwn && actor.mayWrite)
    case 'schedule':
    case 'publish':
      return actor.mayPublish && !(leavesReview(step, post.state) && needsApproval(settings, actor.mayApprove))
  }
}

function presentFile(
  file: PostFile,
  documents: readonly Document[],
  variants: readonly DocumentVariant[],
): PlannedPostJson['files'] {
  const document = documents.find(({ id }) => id === file.documentId)
  if (document === undefined) return []
  const url = `/api/v1/documents/${document.id}/content`
  return [
    {
      document_id: document.id,
      alt_text: file.altText,
      content_type: servedType(document.contentType),
      size: document.size,
      name: document.name,
      url,
      variants: presentVariants(
        variants.filter(({ documentId }) => documentId === document.id),
        url,
      ),
    },
  ]
}

/** How one channel would take a post that is not saved. */
export const presentCheck = (check: ChannelCheck, link: string | null): ChannelCheckJson => ({
  ...presentChecked(check),
  text: check.says,
  link: check.limits?.hasLink === true ? link : null,
  file_count: check.files.length,
})

function presentChecked({
  channelId,
  channel,
  length,
  limits,
  problems,
}: ChannelCheck): Omit<ChannelCheckJson, 'text' | 'link' | 'file_count'> {
  return {
    channel: { id: channelId, type: channel?.type ?? 'facebook', name: channel?.name ?? '' },
    length,
    limits:
      limits === undefined
        ? null
        : {
            max_text_length: limits.maxTextLength,
            counting: limits.counting,
            max_files: limits.files.max,
            files: Object.entries(limits.files.kinds).map(([kind, { types, maxBytes }]) => ({
              kind,
              types: [...types],
              max_bytes: maxBytes,
            })),
            needs_file: limits.needsFile,
            may_mix: limits.mayMix,
            has_link: limits.hasLink,
          },
    problems: [...problems],
  }
}
