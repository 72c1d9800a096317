/**
 * What networks send: signed bodies from the queue `inbound`, taken in many at a time, in one transaction with few
 * statements. A body that fails costs no other body, an item that fails no other item: it is kept as `dead`, with its reason.
 */
import { codeOf, messageOf } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type { Received, Storage, TraceEntry } from '../storage/index.ts'
import type { Broker, Incoming } from './broker/contract.ts'
import { consumeBatches, parkMessage } from './broker/park.ts'
import type { Parking } from './broker/park.ts'
import { queues } from './broker/queues.ts'
import { networks } from './connectors/registry.ts'
import type { Directory } from './directory.ts'
import type { Names } from './names.ts'
import { isOutage } from './outage.ts'
import { Pace } from './pace.ts'
import { takeIn } from './take-in.ts'
import type { Item, TakenIn } from './take-in.ts'

export interface ReceiveContext {
  readonly storage: Storage
  readonly directory: Directory
  readonly logger: Logger
  /** Fetches the names of those who came without one. */
  readonly names: Names
}

/** A signed body as it came; `id` is that of its received row. */
export interface Body {
  readonly id: string
  readonly appId: string
  readonly bytes: Buffer
}

/** A body taken apart; `kept`: what is no item for a channel, with the reason. */
interface Opened {
  readonly body: Body
  readonly accountId: string
  readonly items: readonly Item[]
  readonly kept: readonly TraceEntry[]
}

/** Batches grow with what waits. Two of the largest are in work while a third comes in. */
const batch = { credit: 1_500, lingerMs: 3, atOnce: 2 }

/** Consumes the queue until stopped. */
export function startReceive(context: ReceiveContext, broker: Broker, parking: Parking): Running {
  const { logger } = context
  const pace = new Pace(context.storage.readers)
  const handle = async (incoming: Incoming[]): Promise<void> => {
    await pace.look()
    const bodies = incoming.map((message) => ({ message, body: bodyOf(message) }))
    const failed = await receiveBodies(
      context,
      bodies.flatMap(({ body }) => body ?? []),
      pace,
    )
    for (const { message, body } of bodies) {
      const error = body === undefined ? new Error('no message of the webhook door') : failed.get(body.id)
      if (error !== undefined) await parkMessage(parking, queues.inbound, message, error, logger)
      message.accept()
    }
  }
  return consumeBatches(broker, queues.inbound, { ...batch, max: () => pace.bodies }, handle, logger)
}

function bodyOf(message: Incoming): Body | undefined {
  const appId = message.properties['app']
  return isId(message.id) && appId !== undefined && isId(appId)
    ? { id: message.id, appId, bytes: message.body }
    : undefined
}

/**
 * Takes these bodies in; when it returns they are committed. Repeats end quietly.
 * @returns the bodies that could not even be kept, with the error
 * @throws what `isOutage` recognises: then nothing is known of the bodies, and they must come again
 */
export async function receiveBodies(
  context: ReceiveContext,
  bodies: readonly Body[],
  pace: Pace = new Pace(context.storage.readers),
): Promise<Map<string, unknown>> {
  const opened: Opened[] = []
  const failed = new Map<string, unknown>()
  for (const body of new Map(bodies.map((each) => [each.id, each])).values()) {
    const one = await open(context, body)
    if (one === undefined) failed.set(body.id, new Error(`there is no app ${body.appId}`))
    else opened.push(one)
  }
  const isBacklog = bodies.length >= pace.bodies
  for (const part of parts(opened, pace.items)) await pace.take(() => takeInPart(context, part, failed), isBacklog)
  return failed
}

/** A transaction stays small although one body may carry a thousand items. */
function* parts(opened: readonly Opened[], mostItems: number): Generator<Opened[]> {
  let part: Opened[] = []
  let items = 0
  for (const one of opened) {
    if (part.length > 0 && items + one.items.length > mostItems) {
      yield part
      part = []
      items = 0
    }
    part.push(one)
    items += one.items.length
  }
  if (part.length > 0) yield part
}

async function takeInPart(
  context: ReceiveContext,
  opened: readonly Opened[],
  failed: Map<string, unknown>,
): Promise<void> {
  try {
    await takeInBodies(context, opened)
  } catch (error) {
    if (isOutage(error)) throw error
    context.logger.warn(
      { bodies: opened.length, code: codeOf(error), err: error },
      'a batch failed: each body is taken in by itself',
    )
    for (const one of opened) {
      try {
        await takeInAlone(context, one)
      } catch (cause) {
        if (isOutage(cause)) throw cause
        failed.set(one.body.id, cause)
      }
    }
  }
}

async function open({ directory }: ReceiveContext, body: Body): Promise<Opened | undefined> {
  const app = await directory.app(body.appId)
  if (app === undefined) return undefined
  const items: Item[] = []
  const kept: TraceEntry[] = []
  for (const item of networks[app.network].parse(body.bytes)) {
    const { at, channelType, channelExternalId, event } = item
    if (event.type === 'kept') {
      kept.push({ at, became: `kept: ${event.reason}`, id: null })
      continue
    }
    const channels = await directory.addressees(app, item)
    if (channels.length === 0)
      kept.push({
        at,
        became: `kept: no channel for ${channelType ?? 'an unnamed network'} ${channelExternalId ?? ''}`.trim(),
        id: null,
      })
    for (const channel of channels) items.push({ at, channel, event, receivedAt: timeOfId(body.id) })
  }
  if (items.length + kept.length === 0) kept.push({ at: '', became: 'kept: nothing in it', id: null })
  return { body, accountId: app.accountId, items, kept }
}

/** Ids of received rows are made at the webhook door and begin with its clock (RFC 9562, version 7). */
const timeOfId = (id: string): Date => new Date(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16))

async function takeInBodies(context: ReceiveContext, opened: readonly Opened[]): Promise<void> {
  const { storage } = context
  const taken = await storage.write(async (tx) => {
    const settle = (trace: TakenIn['trace']): Promise<void> =>
      storage.received.settle(
        tx,
        opened.map((one) => rowOf(one, traceOf(one, trace))),
      )
    return takeIn(
      storage,
      tx,
      opened.flatMap(({ items }) => items),
      settle,
    )
  })
  afterwards(context, opened, taken)
}

/** By itself, and when that fails item by item; the bad ones make the body `dead` and cost nothing else. */
async function takeInAlone(context: ReceiveContext, one: Opened): Promise<void> {
  const { storage, logger } = context
  try {
    await takeInBodies(context, [one])
    return
  } catch (error) {
    if (isOutage(error)) throw error
  }
  const trace: TraceEntry[] = []
  let reason: string | undefined
  for (const item of one.items) {
    try {
      const taken = await storage.write((tx) => takeIn(storage, tx, [item]))
      trace.push(...taken.trace.values())
      afterwards(context, [one], taken)
    } catch (error) {
      if (isOutage(error)) throw error
      reason ??= `${item.at}: ${messageOf(error)}`
      trace.push({ at: item.at, became: `dead: ${messageOf(error).slice(0, 300)}`, id: null })
      logger.error({ received: one.body.id, at: item.at, err: error }, 'an item could not be taken in')
    }
  }
  await storage.write((tx) => storage.received.settle(tx, [rowOf(one, [...trace, ...one.kept], reason)]))
}

const traceOf = (one: Opened, trace: TakenIn['trace']): TraceEntry[] => [
  ...one.items.map((item) => trace.get(item) ?? { at: item.at, became: 'nothing', id: null }),
  ...one.kept,
]

function rowOf(one: Opened, trace: readonly TraceEntry[], deadReason?: string): Omit<Received, 'tries'> {
  const isKept = one.items.length === 0
  return {
    id: one.body.id,
    accountId: one.accountId,
    appId: one.body.appId,
    channelId: one.items[0]?.channel.id ?? null,
    body: one.body.bytes,
    state: deadReason !== undefined ? 'dead' : isKept ? 'kept' : 'processed',
    reason: deadReason ?? (isKept ? (one.kept[0]?.became.replace(/^kept: /, '') ?? null) : null),
    trace,
    receivedAt: timeOfId(one.body.id),
    processedAt: new Date(),
  }
}

const touchedAt = new Map<string, number>()
const touchEveryMs = 10_000

/** What need not be in the transaction: when channels were last heard of, and missing names. */
function afterwards({ storage, names, logger }: ReceiveContext, opened: readonly Opened[], taken: TakenIn): void {
  for (const { channel, address } of taken.nameless) names.want(channel, address)
  const now = performance.now()
  const heard = new Map(opened.flatMap(({ items }) => items.map(({ channel }) => [channel.id, channel] as const)))
  const due = [...heard.values()].filter(({ id }) => now - (touchedAt.get(id) ?? -touchEveryMs) >= touchEveryMs)
  if (due.length === 0) return
  for (const { id } of due) touchedAt.set(id, now)
  const touch = storage.write(async (tx) => {
    for (const { accountId, id } of due.sort((a, b) => (a.id < b.id ? -1 : 1)))
      await storage.channels.touch(tx, accountId, id, new Date())
  })
  touch.catch((error: unknown) => {
    logger.warn({ err: error }, 'the time of the last event could not be noted')
  })
}
