/**
 * Fetches attachments apart from their messages, on every messaging node: due ones are claimed in the table, so a node
 * that dies or is paused costs seconds and nothing else. A failure is tried again a few times over minutes, then the
 * attachment is unavailable, with a reason, until somebody asks for it again.
 */
import type { Config } from '../infra/config.ts'
import { openDownloads } from '../infra/download.ts'
import type { DownloadOutside } from '../infra/download.ts'
import { conflict, notFound } from '../infra/errors.ts'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import { Counter, metrics } from '../infra/metrics.ts'
import type { Attachment, ClaimedAttachment, Storage, Writer } from '../storage/index.ts'
import { fetchAttachment } from './media-fetch.ts'
import { MediaHosts } from './media-hosts.ts'
import type { Fetched } from './media-fetch.ts'
import { isOutage } from './outage.ts'

export interface MediaContext {
  readonly storage: Storage
  readonly config: Config
  readonly logger: Logger
  readonly download?: DownloadOutside
  /** A dead node's claims are free after this; a living one lengthens them. Default 30,000. */
  readonly holdMs?: number
  /** Pauses before the second, third, … try; after the last the attachment is unavailable. */
  readonly delaysMs?: readonly number[]
}

const atOnce = 8
const pollMs = 500
/** More have been begun and never ended: whatever is in it ends our processes. */
const mostAttempts = 10
const usualHoldMs = 30_000
const usualDelaysMs = [5_000, 30_000, 2 * 60_000, 10 * 60_000]

const fetches = new Counter({
  name: 'parley_attachment_fetches_total',
  help: 'Tries to fetch the bytes of attachments, by what became of them.',
  labelNames: ['outcome'],
  registers: [metrics],
})

/** Fetches until stopped; what is in hand then is given back. */
export function startMedia(context: MediaContext): Running {
  const { storage, logger, holdMs = usualHoldMs } = context
  const work: WorkContext = { ...context, download: context.download ?? openDownloads(), hosts: new MediaHosts() }
  const stopping = new AbortController()
  const running = new Map<string, Promise<void>>()
  const warn = (error: unknown): void => logger.warn({ err: error }, 'attachments could not be claimed just now')

  const claim = async (): Promise<boolean> => {
    if (!(await storage.attachments.isAnyDue(storage.primary))) return false
    const free = atOnce - running.size
    const claimed = await storage.write((tx) => storage.attachments.claim(tx, free, holdMs))
    for (const attachment of claimed) {
      const fetching = fetchOne(work, attachment, stopping.signal).finally(() => running.delete(attachment.claimId))
      running.set(attachment.claimId, fetching)
    }
    return claimed.length === free
  }
  const claiming = every(
    pollMs,
    async () => {
      while (!stopping.signal.aborted) {
        if (running.size >= atOnce) await Promise.race(running.values())
        else if (!(await claim())) return
      }
    },
    warn,
  )
  const holding = every(
    holdMs / 3,
    async () => {
      const ids = [...running.keys()]
      if (ids.length > 0) await storage.write((tx) => storage.attachments.hold(tx, ids, holdMs))
    },
    warn,
  )
  return {
    async stop() {
      stopping.abort()
      await claiming.stop()
      await Promise.all(running.values())
      await holding.stop()
    },
  }
}

/**
 * A person asks for an attachment again: due now, as if never tried. One that is there or under way stays as it is.
 * @throws Problem 404, 409 `nothing_to_fetch`
 */
export async function refetchAttachment(storage: Storage, accountId: string, id: string): Promise<Attachment> {
  return storage.write(async (tx) => {
    const before = await storage.attachments.get(tx, accountId, id)
    if (before === undefined) throw notFound('attachment')
    if (before.url === null && before.externalId === null)
      throw conflict('nothing_to_fetch', 'The network gave no file for this attachment.')
    const isRevived = await storage.attachments.revive(tx, accountId, id)
    if (isRevived && before.state !== 'pending') await announce(storage, tx, before, 'pending')
    return (await storage.attachments.get(tx, accountId, id)) ?? before
  })
}

type WorkContext = MediaContext & { readonly download: DownloadOutside; readonly hosts: MediaHosts }

/** Does not reject: what could not be written down is claimed again when the claim has run out. */
async function fetchOne(context: WorkContext, attachment: ClaimedAttachment, signal: AbortSignal): Promise<void> {
  const { logger } = context
  try {
    if (attachment.attempts > mostAttempts) {
      const reason = 'Fetching it was broken off again and again.'
      await conclude(context, attachment, { type: 'refused', code: 'gave_up', reason })
      return
    }
    const fetched = await fetchAttachment(context, attachment, signal).catch((error: unknown): Fetched => {
      if (isOutage(error)) throw error
      logger.error({ attachment: attachment.id, err: error }, 'fetching an attachment failed')
      return { type: 'retry', code: 'failed', reason: 'Something went wrong on our side.' }
    })
    await conclude(context, attachment, fetched)
  } catch (error) {
    logger.warn({ attachment: attachment.id, err: error }, 'an attachment is left for later')
  }
}

async function conclude(context: WorkContext, attachment: ClaimedAttachment, fetched: Fetched): Promise<void> {
  const { storage, logger, delaysMs = usualDelaysMs } = context
  const delayMs = fetched.type === 'retry' ? delayOf(fetched, attachment.attempts, delaysMs) : undefined
  const outcome = fetched.type === 'fetched' ? 'fetched' : delayMs === undefined ? 'unavailable' : 'retrying'
  const isMine = await storage.write(async (tx) => {
    if (!(await storage.attachments.lockClaimed(tx, attachment))) return false
    if (fetched.type === 'fetched') {
      if (!(await keep(storage, tx, attachment, fetched.file))) {
        await storage.attachments.postpone(tx, attachment, swept, 0, false)
        return true
      }
    } else if (delayMs === undefined) {
      await storage.attachments.unavailable(tx, attachment, fetched)
    } else {
      const isCounted = !(fetched.type === 'retry' && fetched.isOurs === true)
      await storage.attachments.postpone(tx, attachment, fetched, delayMs, isCounted)
      return true
    }
    await announce(storage, tx, attachment, fetched.type === 'fetched' ? 'fetched' : 'unavailable')
    return true
  })
  if (!isMine) return
  fetches.inc({ outcome })
  if (fetched.type !== 'fetched')
    logger.info(
      { attachment: attachment.id, code: fetched.code, outcome, attempt: attachment.attempts },
      'an attachment did not come',
    )
}

/** `undefined`: it was the last try. Somewhat random, so that a thousand failures do not come back together. */
function delayOf(
  { afterMs = 0, isOurs = false }: Fetched & { type: 'retry' },
  attempts: number,
  delaysMs: readonly number[],
): number | undefined {
  if (isOurs) return afterMs
  const delayMs = delaysMs[attempts - 1]
  return delayMs === undefined ? undefined : Math.max(afterMs, delayMs * (0.8 + Math.random() * 0.4))
}

const swept = { code: 'swept', reason: 'Its document was removed at the same moment.' }

/** False: the document with the same bytes has just gone, so that the file must be taken in anew. */
async function keep(
  storage: Storage,
  tx: Writer,
  attachment: ClaimedAttachment,
  file: Extract<Fetched, { type: 'fetched' }>['file'],
): Promise<boolean> {
  const { accountId } = attachment
  if (file.document !== undefined && !(await storage.documents.hold(tx, accountId, file.document.id))) return false
  const document =
    file.document ??
    (await storage.documents.create(tx, {
      accountId,
      name: attachment.kind === 'file' ? (attachment.title?.slice(0, 255) ?? null) : null,
      contentType: file.contentType,
      digest: file.digest,
      size: file.size,
      variants: file.variants,
    }))
  const { id: documentId, contentType, size } = document
  await storage.attachments.fetched(tx, attachment, { documentId, contentType, size }, file.note)
  return true
}

async function announce(
  storage: Storage,
  tx: Writer,
  { accountId, messageId, id }: Attachment,
  state: Attachment['state'],
): Promise<void> {
  const message = await storage.messages.get(tx, accountId, messageId)
  if (message === undefined) return
  await storage.outbox.append(tx, {
    accountId,
    type: 'attachment.changed',
    data: { conversation_id: message.conversationId, message_id: messageId, attachment_id: id, state },
  })
}
