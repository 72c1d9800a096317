/** The files of a post on their way to one channel: given to the network beforehand where it wants that, which nobody outside sees. */
import { fitFile, mediaLink, naturalKind, outboundFile } from '../messaging/files.ts'
import type { ChannelAccess, Connector, OutboundFile, Outcome, Upload } from '../messaging/connectors/connector.ts'
import { withLimit } from '../messaging/health.ts'
import type { PlannedPost, Publication, Uploaded, UploadKey } from '../storage/index.ts'
import type { PublishContext } from './publish.ts'

const giveLimitMs = 180_000
/** Nothing begun is good for longer. */
const begunMs = 3_600_000

export type Prepared =
  | { readonly type: 'ready'; readonly files: readonly OutboundFile[]; readonly keys: readonly UploadKey[] }
  /** The network is still looking at one of them. */
  | { readonly type: 'processing'; readonly afterMs: number }
  | Exclude<Outcome, { readonly type: 'sent' | 'unknown' }>

/** What is published where. */
interface Said {
  readonly post: PlannedPost
  readonly publication: Publication
}

interface OnItsWay {
  readonly key: UploadKey
  readonly uploaded: Uploaded | undefined
  /** @param uploadedId how the network calls it */
  readonly asFile: (uploadedId: string | undefined) => OutboundFile
}

/** Gives what is not there yet, one after the other; may be broken off and repeated at any time. */
export async function prepareFiles(
  context: PublishContext,
  connector: Connector,
  access: ChannelAccess,
  said: Said,
  signal: AbortSignal,
): Promise<Prepared> {
  const onTheirWay = await listFiles(context, connector, said)
  if (onTheirWay === undefined)
    return { type: 'refused', class: 'content', code: 'file_gone', reason: 'A file of it is gone.' }
  const files: OutboundFile[] = []
  for (const each of onTheirWay) {
    const upload = connector.upload === undefined ? undefined : await give(context, connector, access, each, signal)
    if (upload !== undefined && upload.type !== 'ok')
      return upload.type === 'unknown' ? { ...upload, type: 'retry' } : upload
    files.push(each.asFile(upload?.id))
  }
  return { type: 'ready', files, keys: onTheirWay.map(({ key }) => key) }
}

/** The files as the network has them, without giving it any. */
export async function knownFiles(context: PublishContext, connector: Connector, said: Said): Promise<OutboundFile[]> {
  const files = (await listFiles(context, connector, said)) ?? []
  return files.map(({ uploaded, asFile }) => asFile(uploaded?.isBegun === false ? uploaded.externalId : undefined))
}

/** `undefined`: one of them is gone. */
async function listFiles(
  { storage, config }: PublishContext,
  { postLimits }: Connector,
  { post, publication }: Said,
): Promise<OnItsWay[] | undefined> {
  const { accountId, channelId } = publication
  const owner = publication.hasOwnFiles ? publication.id : post.id
  const all = await storage.plannedPosts.filesOf(storage.primary, accountId, [post.id])
  const own = all.filter(({ ownerId }) => ownerId === owner)
  const ids = own.map(({ documentId }) => documentId)
  const documents = await storage.documents.getMany(storage.primary, accountId, ids)
  const files: OnItsWay[] = []
  for (const { documentId, altText } of own) {
    const document = documents.find(({ id }) => id === documentId)
    if (document === undefined) return undefined
    const key = { accountId, channelId, documentId, use: 'public', altText } as const
    const fit = postLimits === undefined ? 'wrong_type' : fitFile(postLimits.files, document)
    const kind = fit === 'wrong_type' || fit === 'too_big' ? naturalKind(document.contentType) : fit
    files.push({
      key,
      uploaded: await storage.uploads.get(storage.primary, key),
      asFile: (uploadedId) =>
        outboundFile(
          { document, kind, altText },
          {
            publicUrl: mediaLink(storage, config, document),
            uploadedId,
            open: async () => (await storage.documents.open(document.digest)).stream,
          },
        ),
    })
  }
  return files
}

async function give(
  { storage, logger }: PublishContext,
  connector: Connector,
  access: ChannelAccess,
  { key, uploaded, asFile }: OnItsWay,
  signal: AbortSignal,
): Promise<Upload> {
  if (uploaded?.isBegun === false)
    return { type: 'ok', id: uploaded.externalId, expiresAt: uploaded.expiresAt ?? undefined }
  let upload: Upload | undefined
  try {
    upload = await withLimit(giveLimitMs, signal, (limited) =>
      Promise.resolve(connector.upload?.(access, asFile(undefined), 'public', uploaded?.externalId, limited)),
    )
  } catch (error) {
    logger.warn({ channel: key.channelId, err: error }, 'a file could not be given to the network')
  }
  const given = upload ?? { type: 'retry', code: 'no_answer', reason: 'The network did not take a file in time.' }
  await storage.write(async (tx) => {
    if (given.type === 'ok')
      await storage.uploads.keep(tx, key, { externalId: given.id, isBegun: false, expiresAt: given.expiresAt ?? null })
    else if (given.type === 'processing') {
      const expiresAt = uploaded?.expiresAt ?? new Date(Date.now() + begunMs)
      await storage.uploads.keep(tx, key, { externalId: given.id, isBegun: true, expiresAt })
    } else if (given.type === 'refused') await storage.uploads.forget(tx, key)
  })
  return given
}
