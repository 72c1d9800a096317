/**
 * What becomes of a message that cannot be processed, the same on every broker, since they differ in how they count, delay and
 * discard: a failure of a dependency is waited out with the message in hand; any other failure parks the message in the
 * database, from where it is tried again with growing pauses until it is a dead letter.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../infra/errors.ts'
import { newId } from '../../infra/ids.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Broker, ConsumeOptions, Consumer, Incoming } from './contract.ts'
import type { QueueName } from './queues.ts'

/** A message that failed, as it is written down. */
export interface Failed {
  readonly queue: QueueName
  readonly messageId: string
  readonly body: Buffer
  readonly properties: Readonly<Record<string, string>>
  /** How often it has been tried by now, 1 or more. */
  readonly tries: number
  /** Whether this was the last try. */
  readonly isDead: boolean
  /** When to try again, from now. */
  readonly delayMs: number
  readonly lastError: string
}

/** A parked message whose time has come. */
export interface ParkedMessage {
  readonly id: string
  readonly queue: QueueName
  readonly messageId: string
  readonly body: Buffer
  readonly properties: Readonly<Record<string, string>>
  readonly tries: number
}

/** Where failed messages are kept; all calls are safe to repeat. */
export interface Parking {
  /** Writes it down; a message of the same queue and id is replaced. */
  keep(failed: Failed): Promise<void>
  /** Messages whose time has come, kept from others for `leaseMs`. */
  takeDue(limit: number, leaseMs: number): Promise<ParkedMessage[]>
  /** It is in its queue again: forgets it, unless it has failed once more since it was taken. */
  forget(message: ParkedMessage): Promise<void>
  /** Makes it due now and as if never tried; false when there is no such message. */
  revive(id: string): Promise<boolean>
}

/** How often and when a failed message is tried again. */
export interface Patience {
  readonly mostTries: number
  /** Pause after try number `tries`. */
  delayMs(tries: number): number
}

/** Eight tries, 1 s to 10 min apart, spread by a half so that what failed together does not come back together. */
export const defaultPatience: Patience = {
  mostTries: 8,
  delayMs: (tries) => Math.min(600_000, 1_000 * 3 ** (tries - 1)) * (0.5 + Math.random()),
}

export interface SafeOptions extends ConsumeOptions {
  /** Whether this failure is that of a dependency, such as a database that is away, and not of this message. */
  readonly isOutage: (error: unknown) => boolean
  readonly patience?: Patience
}

/**
 * Calls `handler` for each message, up to `credit` at once: success accepts it, an outage is waited out with the message in
 * hand, any other failure parks it. At least once: `handler` must bear a repeat.
 */
export function consumeSafely(
  broker: Broker,
  parking: Parking,
  queue: QueueName,
  options: SafeOptions,
  handler: (message: Incoming) => Promise<void>,
  logger: Logger,
): Consumer {
  const stopping = new AbortController()
  const work = async (message: Incoming): Promise<void> => {
    for (let pauseMs = firstPauseMs; message.isLive; pauseMs = nextPause(pauseMs)) {
      try {
        await handleOrPark(message, options, parking, queue, handler, logger)
        message.accept()
        return
      } catch (error) {
        logger.warn({ queue, message_id: message.id, err: error }, 'a dependency is away: the message is tried again')
        await pause(pauseMs, stopping.signal)
        if (stopping.signal.aborted) message.release()
      }
    }
  }
  const consumer = broker.consume(queue, options, (message) => void work(message))
  return { stop: () => stopBoth(stopping, consumer) }
}

export interface BatchOptions extends ConsumeOptions {
  /** Most messages in one batch, asked for each. */
  readonly max: () => number
  /** How long a batch that is not full waits for more. */
  readonly lingerMs: number
  /** Most batches in work at once, default 1; a further one is begun only when it is full. */
  readonly atOnce?: number
}

/**
 * Calls `handler` with batches in the order of arrival, each as large as what waits; it settles each message itself (and parks
 * what is poison with `parkMessage`). When it throws, or leaves messages unsettled, it gets those again after a pause of
 * 200 ms doubling to 5 s.
 */
export function consumeBatches(
  broker: Broker,
  queue: QueueName,
  options: BatchOptions,
  handler: (batch: Incoming[]) => Promise<void>,
  logger: Logger,
): Consumer {
  const stopping = new AbortController()
  const max = (): number => Math.min(options.max(), options.credit)
  const atOnce = options.atOnce ?? 1
  let waiting: Incoming[] = []
  let running = 0
  let timer: NodeJS.Timeout | undefined

  const run = async (): Promise<void> => {
    clearTimeout(timer)
    running += 1
    // With another batch in work, only a full one is begun: what waits grows meanwhile.
    while (waiting.length >= (running > 1 ? max() : 1) && !stopping.signal.aborted) {
      const batch = waiting.splice(0, max())
      await workBatch(batch, queue, handler, stopping.signal, logger)
    }
    running -= 1
  }
  const consumer = broker.consume(queue, options, (message) => {
    waiting.push(message)
    if (waiting.length >= max() && running < atOnce) void run()
    else if (waiting.length === 1 && running === 0) {
      clearTimeout(timer)
      timer = setTimeout(() => void (running > 0 || run()), options.lingerMs)
    }
  })
  return {
    async stop() {
      const stopped = stopBoth(stopping, consumer)
      clearTimeout(timer)
      for (const message of waiting) message.release()
      waiting = []
      await stopped
    },
  }
}

/** Writes a message down as failed; it may be accepted then. Throws what the parking throws: then it must not be accepted. */
export async function parkMessage(
  parking: Parking,
  queue: QueueName,
  message: Incoming,
  error: unknown,
  logger: Logger,
  patience: Patience = defaultPatience,
): Promise<void> {
  const { [triesProperty]: before, ...properties } = message.properties
  const tries = (Number(before) || 0) + 1
  const isDead = tries >= patience.mostTries
  const messageId = message.id === '' ? newId() : message.id
  await parking.keep({
    queue,
    messageId,
    body: message.body,
    properties,
    tries,
    isDead,
    delayMs: patience.delayMs(tries),
    lastError: messageOf(error),
  })
  logger.error(
    { queue, message_id: messageId, tries, is_dead: isDead, err: error },
    isDead ? 'a message is a dead letter now' : 'a message failed and is parked',
  )
}

/** Puts parked messages whose time has come back into their queues; returns how many. Run it every second or so on any node. */
export async function sweepParked(
  broker: Broker,
  parking: Parking,
  logger: Logger,
  options: { readonly limit?: number; readonly leaseMs?: number } = {},
): Promise<number> {
  const due = await parking.takeDue(options.limit ?? 100, options.leaseMs ?? 60_000)
  let count = 0
  const publish = async (message: ParkedMessage): Promise<void> => {
    try {
      const properties = { ...message.properties, [triesProperty]: String(message.tries) }
      await broker.publish(message.queue, { id: message.messageId, body: message.body, properties })
      await parking.forget(message)
      count += 1
    } catch (error) {
      // It comes due again when the lease ends; a repeat does no harm.
      logger.warn(
        { queue: message.queue, message_id: message.messageId, err: error },
        'a parked message could not be put back yet',
      )
    }
  }
  await Promise.all(due.map(publish))
  return count
}

/** Tries a parked or dead message again from the beginning, at the next sweep; false when there is none with this id. */
export function replayParked(parking: Parking, id: string): Promise<boolean> {
  return parking.revive(id)
}

/** Carries how often a message was tried before it was put back. */
const triesProperty = 'parked_tries'
const firstPauseMs = 200
const longestPauseMs = 5_000

const nextPause = (pauseMs: number): number => Math.min(pauseMs * 2, longestPauseMs)

async function pause(pauseMs: number, signal: AbortSignal): Promise<void> {
  await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
}

async function stopBoth(stopping: AbortController, consumer: Consumer): Promise<void> {
  // First no new messages, then no more waiting, so that what is released is not taken again.
  const stopped = consumer.stop()
  stopping.abort()
  await stopped
}

/** Throws only for an outage, of a dependency or of the parking itself. */
async function handleOrPark(
  message: Incoming,
  options: SafeOptions,
  parking: Parking,
  queue: QueueName,
  handler: (message: Incoming) => Promise<void>,
  logger: Logger,
): Promise<void> {
  try {
    await handler(message)
  } catch (error) {
    if (options.isOutage(error)) throw error
    await parkMessage(parking, queue, message, error, logger, options.patience)
  }
}

async function workBatch(
  batch: readonly Incoming[],
  queue: QueueName,
  handler: (batch: Incoming[]) => Promise<void>,
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  let pauseMs = firstPauseMs
  for (let rest = live(batch); rest.length > 0; rest = live(rest)) {
    try {
      await handler(rest)
      if (live(rest).length === 0) return
      logger.warn({ queue, count: live(rest).length }, 'messages of a batch were left unsettled: they are tried again')
    } catch (error) {
      logger.warn({ queue, count: live(rest).length, err: error }, 'a batch failed: it is tried again')
    }
    await pause(pauseMs, signal)
    pauseMs = nextPause(pauseMs)
    if (signal.aborted) for (const message of rest) message.release()
  }
}

const live = (batch: readonly Incoming[]): Incoming[] => batch.filter((message) => message.isLive)
