/** What a post says and where: read, kept, and refused where it names what the account does not have. */
import { invalid, Problem } from '../infra/errors.ts'
import { isId, newId } from '../infra/ids.ts'
import type { PlannedPost, PostFile, Publication, Reader, Storage, Writer } from '../storage/index.ts'
import { checkPost, refuseProblems } from './post-checks.ts'
import type { ChannelCheck, FileWish, PostContent } from './post-checks.ts'

/** What a post says and where, as it is kept. */
export async function contentOf(
  storage: Storage,
  reader: Reader,
  post: Pick<PlannedPost, 'id' | 'accountId' | 'text' | 'link'>,
): Promise<{ readonly content: PostContent; readonly publications: readonly Publication[] }> {
  const publications = await storage.publications.ofPosts(reader, post.accountId, [post.id])
  const files = await storage.plannedPosts.filesOf(reader, post.accountId, [post.id])
  return { content: contentFrom(post, publications, files), publications }
}

/** As `contentOf`, of what has been read. */
export function contentFrom(
  post: Pick<PlannedPost, 'id' | 'text' | 'link'>,
  publications: readonly Publication[],
  files: readonly PostFile[],
): PostContent {
  const filesOf = (owner: string): FileWish[] =>
    files.filter(({ ownerId }) => ownerId === owner).map(({ documentId, altText }) => ({ documentId, altText }))
  return {
    text: post.text,
    link: post.link,
    files: filesOf(post.id),
    channels: publications.map(({ id, channelId, text, hasOwnFiles }) => ({
      channelId,
      text,
      files: hasOwnFiles ? filesOf(id) : null,
    })),
  }
}

/** Keeps it; the publications of channels that stay keep their ids. */
export async function setContent(
  storage: Storage,
  tx: Writer,
  post: Pick<PlannedPost, 'id' | 'accountId'>,
  content: PostContent,
  checks: readonly ChannelCheck[],
  known: readonly Publication[],
): Promise<void> {
  const rows = content.channels.map((wish, index) => ({
    id: known.find(({ channelId }) => channelId === wish.channelId)?.id ?? newId(),
    channelId: wish.channelId,
    text: wish.text,
    hasOwnFiles: wish.files !== null,
    says: checks[index]?.says ?? content.text,
  }))
  const documents = [...content.files, ...content.channels.flatMap(({ files }) => files ?? [])]
  for (const id of new Set(documents.map(({ documentId }) => documentId)))
    if (!(await storage.documents.hold(tx, post.accountId, id)))
      throw fault('no_such_file', 'files', 'There is no such document.')
  await storage.publications.setAll(tx, post, rows)
  await storage.plannedPosts.setFiles(tx, post, post.id, content.files)
  for (const [index, { id }] of rows.entries())
    await storage.plannedPosts.setFiles(tx, post, id, content.channels[index]?.files ?? [])
}

/** Checks it; channels and files that are not the account's are refused even of a draft. */
export async function checkExisting(
  storage: Storage,
  tx: Writer,
  accountId: string,
  content: PostContent,
  postId: string | undefined,
): Promise<ChannelCheck[]> {
  const strange = [...content.files, ...content.channels.flatMap(({ files }) => files ?? [])].some(
    ({ documentId }) => !isId(documentId),
  )
  if (strange || content.channels.some(({ channelId }) => !isId(channelId)))
    throw fault(
      strange ? 'no_such_file' : 'no_such_channel',
      strange ? 'files' : 'channels',
      `There is no such ${strange ? 'document' : 'channel'}.`,
    )
  const ids = content.channels.map(({ channelId }) => channelId)
  if (new Set(ids).size < ids.length) throw invalid([{ field: 'channels', message: 'Each channel once.' }])
  const checks = await checkPost(storage, tx, accountId, content, postId)
  refuseProblems(checks, ['no_such_channel', 'no_such_file'])
  return checks
}

/** A refusal with a code of its own. */
export const fault = (code: string, field: string, message: string): Problem =>
  new Problem(422, code, message, [{ field, message }])

const furthestMs = 2 * 366 * 86_400_000

/** @throws Problem 422 `publish_at_past` or `publish_at_too_far` */
export function checkTime(at: Date, now = Date.now()): void {
  if (at.getTime() <= now)
    throw fault('publish_at_past', 'publish_at', 'That time has passed; choose a later one, or publish now.')
  if (at.getTime() > now + furthestMs)
    throw fault('publish_at_too_far', 'publish_at', 'Posts are planned for at most two years ahead.')
}
