/** One try to have the bytes of an attachment: where they are now, a bounded download, a look at what they really are. */
import type { Downloaded, DownloadOutside } from '../infra/download.ts'
import { codeOf, messageOf, Problem } from '../infra/errors.ts'
import { OutsideError } from '../infra/outside.ts'
import type { OutsideCode } from '../infra/outside.ts'
import { FileRefused, takeFile } from '../storage/files.ts'
import type { TakenFile } from '../storage/files.ts'
import type { Attachment, Channel } from '../storage/index.ts'
import type { AttachmentKind, MediaPlace, Outcome } from './connectors/connector.ts'
import { openAccess } from './directory.ts'
import { connectorFor, reportTrouble, tokenTrouble } from './health.ts'
import type { CareContext } from './health.ts'
import type { MediaHosts } from './media-hosts.ts'
import { answerTokenRefusal } from './tokens.ts'

/** What became of a try. */
export type Fetched =
  | { readonly type: 'fetched'; readonly file: TakenFile }
  /** Worth another try, at the earliest after `afterMs`. `isOurs`: it says nothing about the file. */
  | (Failure & { readonly type: 'retry'; readonly afterMs?: number | undefined; readonly isOurs?: boolean })
  /** No try will end otherwise. */
  | (Failure & { readonly type: 'refused' })

/** `code` is stable, `reason` one sentence for a person. */
export interface Failure {
  readonly code: string
  readonly reason: string
}

export interface FetchContext extends CareContext {
  readonly download: DownloadOutside
  readonly hosts: MediaHosts
}

const megabyte = 1024 * 1024
/** Most bytes by kind; networks themselves take pictures of 5 to 25 MB, films and files of up to 100 MB. */
const maxBytes: Readonly<Partial<Record<string, number>>> = { video: 100 * megabyte, file: 100 * megabyte }
const usualMaxBytes = 25 * megabyte
const limitMs = 120_000
const askLimitMs = 20_000
const longestAfterMs = 15 * 60_000
/** How long a file of a channel that must be reconnected is left alone; the reconnection itself makes it due. */
const reconnectWaitMs = 10 * 60_000

/** Announced as something to look at or listen to: then it must be that. */
const mediaKinds: readonly string[] = ['image', 'sticker', 'video', 'audio']

/** Never throws what the file or its network is to blame for; `signal` ends it. */
export async function fetchAttachment(
  context: FetchContext,
  attachment: Attachment,
  signal: AbortSignal,
): Promise<Fetched> {
  const place = await locate(context, attachment, signal)
  if (place.type !== 'found') return place
  const host = URL.parse(place.url)?.host ?? ''
  if (context.hosts.isAway(host))
    return { type: 'retry', code: 'host_away', reason: 'The file’s server does not answer.' }
  const limit = maxBytes[attachment.kind] ?? usualMaxBytes
  let answer: Downloaded | undefined
  try {
    answer = await context.download({
      url: place.url,
      headers: place.headers,
      maxBytes: limit,
      limitMs,
      allowHosts: context.config.networkHosts,
      signal,
    })
    context.hosts.note(host, true)
    if (answer.status !== 200) return refusedByNetwork(answer.status, answer.headers)
    const { storage } = context
    const declaredType = place.contentType ?? attachment.contentType ?? answer.headers['content-type'] ?? ''
    const file = await takeFile(storage.documents, {
      bytes: answer.body,
      limit,
      declaredType: plainType(declaredType),
      mustBeMedia: mediaKinds.includes(attachment.kind),
      sha256: place.sha256 ?? attachment.sha256 ?? undefined,
      signal,
      known: (digest) => storage.documents.ofDigest(storage.primary, attachment.accountId, digest),
    })
    return { type: 'fetched', file }
  } catch (error) {
    if (signal.aborted)
      return { type: 'retry', code: 'aborted', reason: 'It was broken off.', isOurs: true, afterMs: 0 }
    if (error instanceof OutsideError && silences.includes(error.code)) context.hosts.note(host, false)
    return failureOf(error, limit)
  } finally {
    answer?.discard()
  }
}

const kinds: readonly AttachmentKind[] = ['image', 'video', 'audio', 'file', 'sticker', 'location', 'share', 'other']

type Found = MediaPlace & { readonly type: 'found' }

/** Asked anew for each try: such addresses live for minutes. */
async function locate(
  context: FetchContext,
  attachment: Attachment,
  signal: AbortSignal,
): Promise<Found | Exclude<Fetched, { type: 'fetched' }>> {
  const { storage, config } = context
  const message = await storage.messages.get(storage.primary, attachment.accountId, attachment.messageId)
  // Networks ask that what was taken back is not kept.
  if (message === undefined || message.deletedAt !== null) return refused('deleted', 'The message was taken back.')
  const channel = await storage.channels.get(storage.primary, attachment.accountId, message.channelId)
  const connector = channel && connectorFor(context, channel.type)
  if (channel !== undefined && connector?.locateMedia !== undefined) {
    const given = {
      kind: kinds.find((kind) => kind === attachment.kind) ?? 'other',
      ...(attachment.url !== null && { url: attachment.url }),
      ...(attachment.externalId !== null && { externalId: attachment.externalId }),
    }
    if (channel.disconnectedAt !== null) return refused('disconnected', 'The channel is disconnected.')
    if (channel.state === 'reconnect_needed') return waiting(channel.stateCode ?? 'token', waitsForReconnection)
    const access = await openAccess(storage, config, channel)
    const asked = await connector.locateMedia(access, given, AbortSignal.any([signal, AbortSignal.timeout(askLimitMs)]))
    if (asked.type === 'ok') return { type: 'found', ...asked.value }
    if (asked.type === 'refused' && asked.class === 'token')
      return tokenRefused(context, channel, asked, attachment, signal)
    if (asked.type === 'refused') return refused(asked.code, asked.reason)
    return {
      type: 'retry',
      code: asked.code,
      reason: asked.reason,
      ...(asked.type === 'retry' && { afterMs: asked.afterMs }),
    }
  }
  if (attachment.url === null) return refused('no_file', 'The network gave no address for this file.')
  return { type: 'found', url: attachment.url, headers: {} }
}

/** The token is renewed where that can be done; else the channel must be reconnected, and its files wait for that. */
async function tokenRefused(
  context: FetchContext,
  channel: Channel,
  refusal: Extract<Outcome, { type: 'refused' }>,
  { attempts }: Attachment,
  signal: AbortSignal,
): Promise<Exclude<Fetched, { type: 'fetched' }>> {
  const outcome = await answerTokenRefusal(context, channel, refusal, attempts, signal)
  const { code, reason } = outcome
  if (outcome.type !== 'refused')
    return { type: 'retry', code, reason, ...(outcome.type === 'retry' && { afterMs: outcome.afterMs }) }
  if (outcome.class !== 'token') return refused(code, reason)
  const current = await context.storage.channels.get(context.storage.primary, channel.accountId, channel.id)
  // Reconnected meanwhile: the refusal was that of the old credentials.
  if (current?.credentialsVersion === channel.credentialsVersion)
    await reportTrouble(
      context.storage,
      { accountId: channel.accountId, channelId: channel.id },
      'token',
      tokenTrouble(code, reason),
    )
  return waiting(code, waitsForReconnection)
}

const waitsForReconnection =
  'The network refuses the access token: the file is fetched once the channel is reconnected.'
const waiting = (code: string, reason: string): Exclude<Fetched, { type: 'fetched' }> => ({
  type: 'retry',
  code,
  reason,
  isOurs: true,
  afterMs: reconnectWaitMs,
})

const refused = (code: string, reason: string): Fetched & { type: 'refused' } => ({ type: 'refused', code, reason })

function refusedByNetwork(status: number, headers: Readonly<Record<string, string>>): Fetched {
  const isGone = [401, 403, 404, 410].includes(status)
  const seconds = Number(headers['retry-after'])
  return {
    type: 'retry',
    code: isGone ? 'gone' : `http_${String(status)}`,
    reason: isGone
      ? `The network does not hand this file out, or no longer (HTTP ${String(status)}).`
      : `The network answered with HTTP ${String(status)}.`,
    ...(seconds > 0 && { afterMs: Math.min(seconds * 1_000, longestAfterMs) }),
  }
}

const silences: readonly OutsideCode[] = ['dns', 'connect', 'tls', 'time_limit']
const finalCodes: readonly OutsideCode[] = ['url', 'address_refused', 'too_large', 'redirects']
const said: Readonly<Partial<Record<OutsideCode, string>>> = {
  url: 'The file lies at an address that is not called: only https is.',
  address_refused: 'The file lies at an address that is not public; it is not called.',
  redirects: 'The address of the file leads from one place to the next.',
  dns: 'The name of the file’s server is not known.',
  connect: 'The file’s server cannot be reached.',
  tls: 'The file’s server could not prove who it is.',
  time_limit: 'The file did not come in time.',
  connection_lost: 'The file broke off on its way.',
}

/** The disk is full or away: no file is to blame. */
const ours = /^(ENOSPC|EDQUOT|EROFS|EIO|EACCES|EPERM|EMFILE|ENFILE|ESTALE|ENOENT|ENOTDIR)$/

function failureOf(error: unknown, limit: number): Fetched {
  const tooLarge = `The file is larger than ${String(Math.round(limit / megabyte))} MB and was not fetched.`
  if (error instanceof OutsideError) {
    const failure = {
      code: error.code,
      reason: error.code === 'too_large' ? tooLarge : (said[error.code] ?? error.message),
    }
    return finalCodes.includes(error.code) ? { type: 'refused', ...failure } : { type: 'retry', ...failure }
  }
  // Bytes that changed on their way may come right the next time; anything else that was refused stays what it is.
  if (error instanceof FileRefused)
    return {
      type: error.code === 'wrong_digest' || error.code === 'empty_file' ? 'retry' : 'refused',
      code: error.code,
      reason: error.message,
    }
  if (error instanceof Problem && error.status === 413) return refused('too_large', tooLarge)
  if (ours.test(codeOf(error) ?? ''))
    return {
      type: 'retry',
      isOurs: true,
      afterMs: 60_000,
      code: 'storage',
      reason: `The file could not be kept: ${messageOf(error)}`,
    }
  throw error
}

const plainType = (text: string): string => text.split(';')[0]?.trim().toLowerCase() ?? ''
