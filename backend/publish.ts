/**
 * Publishes what is due, on any backend node: each channel of a post by itself, each attempt written down before the call. Who
 * publishes holds the publication; an outcome that nobody knows is looked up on the network, never repeated blindly.
 */
import type { Config } from '../infra/config.ts'
import { messageOf } from '../infra/errors.ts'
import { newId } from '../infra/ids.ts'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type {
  ChannelAccess,
  Connector,
  Lookup,
  OutboundFile,
  OutboundPost,
  Outcome,
  PublishOutcome,
} from '../messaging/connectors/connector.ts'
import { noteBudget } from '../messaging/budgets.ts'
import { openAccess } from '../messaging/directory.ts'
import { connectorFor } from '../messaging/health.ts'
import { isOutage } from '../messaging/outage.ts'
import { answerTokenRefusal } from '../messaging/tokens.ts'
import type { PlannedPost, Publication, Storage, UploadKey } from '../storage/index.ts'
import type { ChannelType } from '../storage/model/words.ts'
import { knownFiles, prepareFiles } from './post-files.ts'
import type { Prepared } from './post-files.ts'
import { concludeLookup, concludePublish } from './publish-outcomes.ts'
import { beginPublishing, leaseMs, nextStep, putOff } from './publish-steps.ts'
import type { LookUpStep, PublishStep } from './publish-steps.ts'

export interface PublishContext {
  readonly storage: Storage
  readonly config: Pick<Config, 'networkHosts' | 'publicUrl' | 'node'>
  readonly logger: Logger
  /** Unique to this process. */
  readonly holder: string
  /** Who speaks for a type of channel, where it is not the one of the registry. */
  readonly connectorOf?: (type: ChannelType) => Connector | undefined
}

const lookMs = 1_000
const renewMs = 4_000
const publishLimitMs = 60_000
const lookUpLimitMs = 15_000
const refreshLimitMs = 30_000
const atOnce = 16
const perChannelAtOnce = 4

/** Looks every second, until stopped; what is being published is waited for. */
export function startPublishing(context: PublishContext): Running {
  const { storage, logger } = context
  const stopping = new AbortController()
  const busy = new Map<string, { readonly channelId: string; readonly done: Promise<void> }>()
  const look = async (): Promise<void> => {
    for (const due of await storage.publications.findDue(storage.primary, perChannelAtOnce)) {
      const ofChannel = [...busy.values()].filter(({ channelId }) => channelId === due.channelId).length
      if (stopping.signal.aborted || busy.has(due.id) || busy.size >= atOnce || ofChannel >= perChannelAtOnce) continue
      busy.set(due.id, { channelId: due.channelId, done: work(due) })
    }
  }
  const work = async (due: Due): Promise<void> => {
    let hasWorked: boolean
    try {
      hasWorked = await publishDue(context, due, stopping.signal)
    } catch (error) {
      // It is due again once its lease has expired.
      logger.warn({ publication: due.id, err: error }, 'a post could not be published just now')
      return
    } finally {
      busy.delete(due.id)
    }
    // Whatever waited behind it need not wait for the next second; a failure here shows at the next look.
    if (hasWorked) await look().catch(() => undefined)
  }
  let isAway = false
  const looking = every(
    lookMs,
    async () => {
      await look()
      isAway = false
    },
    (error) => {
      if (!isAway || !isOutage(error))
        logger.warn({ reason: messageOf(error) }, 'what is to be published could not be found')
      isAway = true
    },
  )
  return {
    async stop() {
      stopping.abort()
      await looking.stop()
      while (busy.size > 0) await Promise.all([...busy.values()].map(({ done }) => done))
    },
  }
}

export type Due = Pick<Publication, 'accountId' | 'id' | 'plannedPostId'>

/** One publication as far as it goes now; false: it is not due, or somebody else is at it. */
export async function publishDue(context: PublishContext, due: Due, signal: AbortSignal): Promise<boolean> {
  const { storage, logger } = context
  const holder = `${context.holder.slice(0, 40)}:${newId()}`
  const step = await storage.write((tx) => nextStep(storage, tx, due, holder))
  if (step.type === 'nothing') return false
  const { lease, publication } = step
  const renewing = setInterval(() => {
    storage
      .write((tx) => storage.publications.hold(tx, lease, leaseMs))
      .catch((error: unknown) => logger.warn({ err: error }, 'a publication could not be held for longer'))
  }, renewMs)
  try {
    if (step.type === 'publish') await publish(context, step, signal)
    else await concludeLookup(context, lease, publication.attemptCount, await lookUp(context, step), step.elapsedMs)
    return true
  } finally {
    clearInterval(renewing)
    // Else it is free when it expires.
    await storage.write((tx) => storage.publications.release(tx, lease)).catch(() => undefined)
  }
}

/** Files first, which nobody outside sees; then the attempt is written down, and only then the network called. */
async function publish(context: PublishContext, step: PublishStep, signal: AbortSignal): Promise<void> {
  const { storage, config } = context
  const { lease, channel, publication } = step
  const begin = () => storage.write((tx) => beginPublishing(storage, tx, step, config.node))
  const ready = await prepare(context, step, signal)
  if (ready.type === 'processing') {
    await storage.write((tx) => putOff(storage, tx, lease, ready.afterMs))
    return
  }
  const number = await begin()
  // The lease was lost while the files were given, or somebody has cancelled it.
  if (number === undefined) return
  if (ready.type !== 'ready')
    return concludePublish(context, lease, number, await lookIntoToken(context, step, ready, number))
  const outcome = await call(context, ready, publication.progress ?? undefined)
  if (
    (outcome.type === 'refused' && outcome.class === 'content') ||
    ('code' in outcome && outcome.code === 'upload_gone')
  )
    // What the network has of the files may be what it does not like: the next try gives them anew.
    await storage.write(async (tx) => {
      for (const key of ready.keys) await storage.uploads.forget(tx, key)
    })
  await concludePublish(context, lease, number, await lookIntoToken(context, step, outcome, number))
  if (outcome.type !== 'processing') await noteBudget(context, channel, outcome)
}

interface Ready {
  readonly type: 'ready'
  readonly connector: Connector
  readonly access: ChannelAccess
  readonly post: OutboundPost
  readonly keys: readonly UploadKey[]
}

/** All that is needed for the one call that makes it public. */
async function prepare(
  context: PublishContext,
  { channel, post, publication }: Pick<PublishStep, 'channel' | 'post' | 'publication'>,
  signal: AbortSignal,
): Promise<Ready | Exclude<Prepared, { type: 'ready' }>> {
  const { storage, config, logger } = context
  const connector = connectorFor(context, channel.type)
  if (connector?.publish === undefined)
    return { type: 'refused', class: 'policy', code: 'not_possible', reason: 'Nothing can be published there.' }
  let access: ChannelAccess
  try {
    access = await openAccess(storage, config, channel)
  } catch (error) {
    logger.error({ channel: channel.id, err: error }, 'the credentials of a channel cannot be opened')
    return { type: 'retry', code: 'no_access', reason: 'The credentials of the channel cannot be opened just now.' }
  }
  const prepared = await prepareFiles(context, connector, access, { post, publication }, signal)
  if (prepared.type !== 'ready') return prepared
  return {
    type: 'ready',
    connector,
    access,
    post: outboundOf(connector, post, publication, prepared.files),
    keys: prepared.keys,
  }
}

const outboundOf = (
  { postLimits }: Connector,
  post: PlannedPost,
  publication: Publication,
  files: readonly OutboundFile[],
): OutboundPost => ({
  reference: publication.id,
  text: publication.text ?? post.text,
  link: postLimits?.hasLink === true ? (post.link ?? undefined) : undefined,
  files,
  quoteOf: undefined,
})

async function call(
  { logger }: PublishContext,
  { connector, access, post }: Ready,
  progress: string | undefined,
): Promise<PublishOutcome> {
  try {
    // Not the signal of stopping: what has left is waited for.
    const outcome = await connector.publish?.(access, post, progress, AbortSignal.timeout(publishLimitMs))
    if (outcome !== undefined) return outcome
  } catch (error) {
    logger.error({ err: error }, 'a connector failed to say what became of a post')
  }
  return { type: 'unknown', code: 'no_answer', reason: 'The network gave no answer in time.' }
}

async function lookUp(context: PublishContext, step: LookUpStep): Promise<Lookup> {
  const { storage, config, logger } = context
  const { channel, post, publication, since } = step
  const connector = connectorFor(context, channel.type)
  if (connector?.lookUpPost === undefined) return { type: 'undecided', reason: 'This network cannot be asked.' }
  try {
    const access = await openAccess(storage, config, channel)
    const said = outboundOf(connector, post, publication, await knownFiles(context, connector, step))
    return await connector.lookUpPost(access, said, since, AbortSignal.timeout(lookUpLimitMs))
  } catch (error) {
    logger.warn({ channel: channel.id, err: error }, 'a post could not be looked up')
    return { type: 'undecided', reason: 'The network could not be asked.' }
  }
}

/** A refused token is asked about, or renewed; anything else stays as it is. */
async function lookIntoToken<Said extends PublishOutcome>(
  context: PublishContext,
  { channel }: Pick<PublishStep, 'channel'>,
  outcome: Said,
  number: number,
): Promise<Said | Exclude<Outcome, { type: 'sent' }>> {
  if (outcome.type !== 'refused' || outcome.class !== 'token') return outcome
  try {
    return await answerTokenRefusal(context, channel, outcome, number, AbortSignal.timeout(refreshLimitMs))
  } catch (error) {
    context.logger.warn({ channel: channel.id, err: error }, 'a refused token could not be looked into')
    return outcome
  }
}
