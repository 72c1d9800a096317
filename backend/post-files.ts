/** The files of a post on their way to one channel: given to the network beforehand where it wants that, which nobody outside sees. */
import { fitFile, mediaLink, naturalKind, outboundFile } from '../messaging/files.ts'
import type { ChannelAccess, Connector, OutboundFile, Outcome, Upload } from '../messaging/connectors/connector.ts'
import { withLimit } from '../messaging/health.ts'
import type { Document, PlannedPost, Publication, UploadKey } from '../storage/index.ts'
import type { PublishContext } from './publish.ts'

const giveLimitMs = 180_000
/** Nothing begun is good for longer. */
const begunMs = 3_600_000

export type Prepared =
  | { readonly type: 'ready'; readonly files: readonly OutboundFile[]; readonly keys: readonly UploadKey[] }
  /** The network is still looking at one of them. */
  | { readonly type: 'processing'; readonly afterMs: number }
  | Exclude<Outcome, { readonly type: 'sent' | 'unknown' }>

/** Gives what is not there yet, one after the other; may be broken off and repeated at any time. */
export async function prepareFiles(
  context: PublishContext,
  connector: Connector,
  access: ChannelAccess,
  post: PlannedPost,
  publication: Publication,
  signal: AbortSignal,
): Promise<Prepared> {
  const { storage, config } = context
  const { accountId, channelId } = publication
  const owner = publication.hasOwnFiles ? publication.id : post.id
  const given = (await storage.plannedPosts.filesOf(storage.primary, accountId, [post.id])).filter(
    ({ ownerId }) => ownerId === owner,
  )
  const files: OutboundFile[] = []
  const keys: UploadKey[] = []
  for (const { documentId, altText } of given) {
    const document = await storage.documents.get(storage.primary, accountId, documentId)
    if (document === undefined)
      return { type: 'refused', class: 'content', code: 'file_gone', reason: 'A file of it is gone.' }
    const key = { accountId, channelId, documentId, use: 'public', altText } as const
    const fit = connector.postLimits === undefined ? 'wrong_type' : fitFile(connector.postLimits.files, document)
    const kind = fit === 'wrong_type' || fit === 'too_big' ? naturalKind(document.contentType) : fit
    const asFile = (uploadedId: string | undefined): OutboundFile =>
      outboundFile(
        { document, kind, altText },
        {
          publicUrl: mediaLink(storage, config, document),
          uploadedId,
          open: async () => (await storage.documents.open(document.digest)).stream,
        },
      )
    const upload =
      connector.upload === undefined
        ? undefined
        : await give(context, connector, access, key, asFile(undefined), signal)
    if (upload !== undefined && upload.type !== 'ok')
      return upload.type === 'unknown' ? { ...upload, type: 'retry' } : upload
    files.push(asFile(upload?.id))
    keys.push(key)
  }
  return { type: 'ready', files, keys }
}

async function give(
  { storage, logger }: PublishContext,
  connector: Connector,
  access: ChannelAccess,
  key: UploadKey,
  file: OutboundFile,
  signal: AbortSignal,
): Promise<Upload> {
  const known = await storage.uploads.get(storage.primary, key)
  if (known?.isBegun === false) return { type: 'ok', id: known.externalId, expiresAt: known.expiresAt ?? undefined }
  let upload: Upload | undefined
  try {
    upload = await withLimit(giveLimitMs, signal, (limited) =>
      Promise.resolve(connector.upload?.(access, file, 'public', known?.externalId, limited)),
    )
  } catch (error) {
    logger.warn({ channel: key.channelId, err: error }, 'a file could not be given to the network')
  }
  const given = upload ?? { type: 'retry', code: 'no_answer', reason: 'The network did not take a file in time.' }
  await storage.write(async (tx) => {
    if (given.type === 'ok')
      await storage.uploads.keep(tx, key, { externalId: given.id, isBegun: false, expiresAt: given.expiresAt ?? null })
    else if (given.type === 'processing')
      await storage.uploads.keep(tx, key, {
        externalId: given.id,
        isBegun: true,
        expiresAt: known?.expiresAt ?? new Date(Date.now() + begunMs),
      })
    else if (given.type === 'refused') await storage.uploads.forget(tx, key)
  })
  return given
}
