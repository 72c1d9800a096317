/** One try: a file given to the network, a message sent, an unknown outcome looked up. Always an outcome, never an exception. */
import type { Config } from '../infra/config.ts'
import type { Logger } from '../infra/logger.ts'
import type { Channel, Delivery, Lane, Storage, UploadKey } from '../storage/index.ts'
import type { ChannelAccess, Connector, Lookup, OutboundMessage, Outcome, Upload } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'
import { openAccess } from './directory.ts'
import type { FileOnItsWay } from './outbound.ts'
import { concludeAttempt } from './outcomes.ts'
import { answerTokenRefusal } from './tokens.ts'

export interface DeliverContext {
  readonly storage: Storage
  readonly config: Config
  readonly logger: Logger
  /** Unique to this process. */
  readonly holder: string
}

/** A dead node's lane is free after this; a living one lengthens it while it waits for a network. */
export const laneMs = 10_000

const sendLimitMs = 15_000
const giveLimitMs = 180_000
const refreshLimitMs = 30_000
/** How often and for how long a network is asked whether it is done with a file. */
const shortestWaitMs = 500
const longestWaitMs = 60_000
const processingLimitMs = 30 * 60_000
/** Nothing begun is good for longer. */
const begunMs = 3_600_000
const shortestLifeMs = 10 * 60_000

export interface Sending {
  readonly delivery: Delivery
  readonly channel: Channel
  readonly message: OutboundMessage
}
export type ToGive = Pick<Sending, 'delivery' | 'channel'> & FileOnItsWay

/** One request, at most. */
export async function send(
  context: DeliverContext,
  { channel, message, number, given }: Sending & { readonly number: number; readonly given: readonly UploadKey[] },
): Promise<Outcome> {
  const spoken = await speak(context, channel, sendLimitMs, (connector, access, signal) =>
    connector.send(access, message, signal),
  )
  if (!spoken.isAnswered)
    return spoken.hasLeft
      ? { type: 'unknown', code: 'no_answer', reason: 'The network gave no answer in time.' }
      : spoken.outcome
  const outcome = spoken.answer
  if (outcome.type === 'refused' && outcome.class === 'token') return lookIntoToken(context, channel, outcome, number)
  // What the network has of the files may be what it does not like, or have any more: the next try gives them anew.
  if (given.length > 0 && ((outcome.type === 'refused' && outcome.class === 'content') || isUploadGone(outcome)))
    await context.storage.write(async (tx) => {
      for (const key of given) await context.storage.uploads.forget(tx, key)
    })
  return outcome
}

const isUploadGone = (outcome: Outcome): boolean => outcome.type === 'retry' && outcome.code === 'upload_gone'

/**
 * Gives the network a file that is about to be said. Nobody outside sees anything of it, so it is repeated freely; only a
 * failure counts as an attempt.
 */
export async function giveFile(context: DeliverContext, lane: Lane, step: ToGive): Promise<void> {
  const { storage } = context
  const { delivery, channel, file, key, uploaded } = step
  const spoken = await speak(
    context,
    channel,
    giveLimitMs,
    (connector, access, signal) =>
      connector.upload?.(access, file, key.use, uploaded?.externalId, signal) ?? Promise.resolve(notTaken),
  )
  const upload: Upload = spoken.isAnswered
    ? spoken.answer
    : spoken.hasLeft
      ? { type: 'retry', code: 'no_answer', reason: 'The network did not take a file in time.' }
      : spoken.outcome
  if (upload.type === 'ok') {
    // However short its life: it is good for what is said with it at once.
    const shortest = Date.now() + shortestLifeMs
    const expiresAt = upload.expiresAt && new Date(Math.max(upload.expiresAt.getTime(), shortest))
    const kept = { externalId: upload.id, isBegun: false, expiresAt: expiresAt ?? null }
    await storage.write((tx) => storage.uploads.keep(tx, key, kept))
  } else if (upload.type === 'processing' && isStillGood(uploaded?.createdAt)) {
    await waitForFile(context, step, upload)
  } else {
    const number = await storage.write(async (tx) => {
      if (upload.type !== 'retry') await storage.uploads.forget(tx, key)
      if (!(await storage.lanes.hold(tx, lane, laneMs))) return undefined
      return storage.deliveries.beginAttempt(tx, delivery, context.holder.slice(0, 40))
    })
    if (number === undefined) return
    const outcome = await failureOf(context, channel, upload, number)
    const attempted: Delivery = { ...delivery, state: 'sending', attemptCount: number }
    await concludeAttempt(context, attempted, number, outcome, () => Promise.resolve())
  }
}

const notTaken: Upload = {
  type: 'refused',
  class: 'content',
  code: 'no_upload',
  reason: 'This network takes no files.',
}

const isStillGood = (begunAt: Date | undefined): boolean =>
  begunAt === undefined || Date.now() - begunAt.getTime() < processingLimitMs

async function waitForFile(
  { storage }: DeliverContext,
  { delivery, key, uploaded }: ToGive,
  upload: Extract<Upload, { type: 'processing' }>,
): Promise<void> {
  await storage.write(async (tx) => {
    const expiresAt = uploaded?.expiresAt ?? new Date(Date.now() + begunMs)
    await storage.uploads.keep(tx, key, { externalId: upload.id, isBegun: true, expiresAt })
    const now = await storage.deliveries.lock(tx, delivery.accountId, delivery.id)
    if (now?.state !== 'queued' && now?.state !== 'retrying') return
    await storage.deliveries.change(tx, delivery.accountId, delivery.id, {
      state: now.state,
      reasonCode: 'processing',
      reason: 'The network is still looking at a file of it.',
      dueInMs: Math.min(longestWaitMs, Math.max(shortestWaitMs, upload.afterMs)),
    })
  })
}

/** What a file that was not taken means for its message. Nothing has been said, so nothing is unknown. */
async function failureOf(
  context: DeliverContext,
  channel: Channel,
  upload: Exclude<Upload, { type: 'ok' }>,
  number: number,
): Promise<Outcome> {
  if (upload.type === 'processing')
    return {
      type: 'refused',
      class: 'content',
      code: 'processing',
      reason: 'The network does not come to an end with a file.',
    }
  if (upload.type === 'unknown') return { ...upload, type: 'retry' }
  return upload.type === 'refused' && upload.class === 'token'
    ? lookIntoToken(context, channel, upload, number)
    : upload
}

/** Whether a message of an unknown outcome is on the network. */
export async function lookUp(
  context: DeliverContext,
  { channel, message, since }: Sending & { readonly since: Date },
): Promise<Lookup> {
  const spoken = await speak(context, channel, sendLimitMs, (connector, access, signal) =>
    connector.lookUp(access, message, since, signal),
  )
  return spoken.isAnswered ? spoken.answer : { type: 'undecided', reason: 'The network could not be asked.' }
}

type Spoken<Answer> =
  | { readonly isAnswered: true; readonly answer: Answer }
  | { readonly isAnswered: false; readonly hasLeft: true }
  | { readonly isAnswered: false; readonly hasLeft: false; readonly outcome: Exclude<Outcome, { type: 'sent' }> }

/** Speaks for the channel. */
async function speak<Answer>(
  { storage, config, logger }: DeliverContext,
  channel: Channel,
  limitMs: number,
  say: (connector: Connector, access: ChannelAccess, signal: AbortSignal) => Promise<Answer>,
): Promise<Spoken<Answer>> {
  const unsaid = (outcome: Exclude<Outcome, { type: 'sent' }>) =>
    ({ isAnswered: false, hasLeft: false, outcome }) as const
  const connector = connectorOf(channel.type)
  if (connector === undefined) {
    const reason = `Parley cannot write to ${channel.type} yet.`
    return unsaid({ type: 'refused', class: 'policy', code: 'no_connector', reason })
  }
  let access: ChannelAccess
  try {
    access = await openAccess(storage, config, channel)
  } catch (error) {
    logger.error({ channel: channel.id, err: error }, 'the credentials of a channel cannot be opened')
    const reason = 'The credentials of the channel cannot be opened just now.'
    return unsaid({ type: 'retry', code: 'no_access', reason })
  }
  try {
    return { isAnswered: true, answer: await within(limitMs, (signal) => say(connector, access, signal)) }
  } catch (error) {
    logger.error({ channel: channel.id, err: error }, 'a connector gave no answer')
    return { isAnswered: false, hasLeft: true }
  }
}

/** The channel is asked for, or its token renewed; the refusal itself when that cannot be done. */
function lookIntoToken(
  context: DeliverContext,
  channel: Channel,
  refusal: Extract<Outcome, { type: 'refused' }>,
  number: number,
): Promise<Exclude<Outcome, { type: 'sent' }>> {
  return answerTokenRefusal(context, channel, refusal, number, AbortSignal.timeout(refreshLimitMs)).catch(
    (error: unknown) => {
      context.logger.warn({ channel: channel.id, err: error }, 'a refused token could not be looked into')
      return refusal
    },
  )
}

/** The work is told to stop after `limitMs`; a second later it is left alone. */
async function within<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = AbortSignal.timeout(limitMs)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('the time limit was passed'))
    }, limitMs + 1_000)
  })
  try {
    return await Promise.race([work(limit), late])
  } finally {
    clearTimeout(timer)
  }
}
