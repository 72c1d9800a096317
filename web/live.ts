/**
 * Live events: one tail of the events table in each web node, fanned out to server-sent event streams by account.
 * A stream that resumes reads what it missed from the table, then joins the flow; nothing is lost, nothing is repeated.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../infra/errors.ts'
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import { hears, isLimited, placesOf } from '../storage/index.ts'
import type { Place, Scope, Storage } from '../storage/index.ts'
import type { Event } from '../storage/model/events.ts'
import { permissionToHear } from '../storage/model/permissions.ts'
import type { Permission } from '../storage/model/permissions.ts'
import { checkRights } from './live-rights.ts'
import type { Listening, Pass } from './live-rights.ts'
import { presentEvent } from './presenters/event.ts'
import type { Asker } from './route.ts'

export interface Live extends Running {
  /**
   * Makes `response` a stream of the account's events after `after` (default: from now on) and keeps it until either side
   * ends it. Only facts that the listener may hear of are sent. `askAgain` is called every few seconds; when nobody is
   * there any more, the stream ends.
   */
  open(request: IncomingMessage, response: ServerResponse, listener: Listener): Promise<void>
  /** Called with every event of every account, in order, on this node. */
  onEvent(act: (event: Event) => void): void
  /** Whether anybody of the account listens on this node. */
  hasStreams(accountId: string): boolean
  accounts(): Iterable<string>
  /** Who of the account listens on this node. */
  users(accountId: string): string[]
  /** Sends what is no fact to all of an account who hold the permission: made once for all who see the same. */
  broadcast(accountId: string, permission: Permission, frameFor: (scope: Scope) => string): void
  /** Sends what is no fact to one user's streams. */
  tell(accountId: string, userId: string, frame: string): void
  /** Ends all streams, each with its own pause before it comes back, so that they do not come back together. */
  drain(): void
  readonly streamCount: number
  /**
   * A position of the primary at which all events that this node has announced are there: who was told of a fact must find it,
   * so nobody reads from a replica that is behind this.
   */
  readonly floor: string | undefined
}

export interface Listener {
  readonly asker: Asker
  /** Number of the last event it has seen. */
  readonly after: number | undefined
  readonly pass: Pass
  /** The asker as they are now; undefined: no longer. */
  readonly askAgain: () => Promise<Asker | undefined>
}

interface Stream extends Listening {
  readonly response: ServerResponse
  /** All up to this number have been sent, or are of others. */
  sent: number
  hasJoined: boolean
}

/** Between two looks for events: while there are some, and once there were none for a while. */
const busyPollMs = 15
const idlePollMs = 50
const busyMs = 5_000
const pageSize = 500
const heartbeatMs = 15_000
const permissionMs = 3_000
/** A stream that has fallen this far behind in bytes is cut; it resumes from the table. */
const largestBacklog = 1024 * 1024

/** Where things are, asked for in these accounts only. */
interface Places {
  readonly accounts: ReadonlySet<string>
  readonly byConversation: ReadonlyMap<string, Place>
}

/** Starts the tail at the newest number. */
export async function openLive(storage: Storage, logger: Logger): Promise<Live> {
  const streams = new Set<Stream>()
  const byAccount = new Map<string, Set<Stream>>()
  const listeners: ((event: Event) => void)[] = []
  let last = await storage.events.lastNumber(storage.primary)
  let isAway = false
  let floor: string | undefined

  let busyAt = -busyMs
  const tail = every(
    () => (performance.now() - busyAt < busyMs ? busyPollMs : idlePollMs),
    async (signal) => {
      for (;;) {
        const events = await storage.events.after(storage.primary, undefined, last, pageSize)
        if (isAway) logger.info('the tail of events is back')
        isAway = false
        if (events.length > 0) busyAt = performance.now()
        if (events.length > 0) floor = await storage.events.position(storage.primary)
        const places = await placesFor(events)
        for (const event of events) {
          last = event.number
          dispatch(event, places)
        }
        if (events.length < pageSize || signal.aborted) return
      }
    },
    (error) => {
      if (!isAway) logger.warn({ reason: messageOf(error) }, 'the tail of events cannot be read')
      isAway = true
    },
  )
  const heartbeat = every(
    heartbeatMs,
    async () => {
      await Promise.resolve()
      for (const stream of streams) send(stream, ': still here\n\n')
    },
    () => undefined,
  )
  const permissions = every(permissionMs, checkPermissions, (error) => {
    logger.warn({ reason: messageOf(error) }, 'the rights of live streams could not be checked')
  })

  return {
    get floor() {
      return floor
    },
    get streamCount() {
      return streams.size
    },
    onEvent(act) {
      listeners.push(act)
    },
    async open(request, response, listener) {
      const after = await startOf(listener.after)
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      })
      request.socket.setNoDelay(true)
      const stream: Stream = {
        asker: listener.asker,
        response,
        pass: listener.pass,
        askAgain: listener.askAgain,
        ...{ rights: undefined, isSure: false },
        sent: after,
        hasJoined: false,
      }
      add(stream)
      response.on('close', () => {
        remove(stream)
      })
      send(stream, 'retry: 1500\n: ready\n\n')
      await joinAgain(stream)
    },
    hasStreams: (accountId) => byAccount.has(accountId),
    accounts: () => byAccount.keys(),
    users: (accountId) => [...new Set([...of(accountId)].map(({ asker }) => asker.userId))],
    broadcast(accountId, permission, frameFor) {
      const frames = new Map<string, Buffer>()
      for (const stream of of(accountId)) {
        const { permissions, scope } = stream.asker
        if (!permissions.has(permission)) continue
        const key = isLimited(scope) ? JSON.stringify(scope) : ''
        const frame = frames.get(key) ?? Buffer.from(frameFor(scope))
        frames.set(key, frame)
        send(stream, frame)
      }
    },
    tell(accountId, userId, frame) {
      for (const stream of of(accountId)) if (stream.asker.userId === userId) send(stream, frame)
    },
    drain() {
      for (const stream of streams) {
        send(stream, `retry: ${String(500 + Math.floor(Math.random() * 4_500))}\n: going away\n\n`)
        stream.response.end()
      }
    },
    async stop() {
      await Promise.all([tail.stop(), heartbeat.stop(), permissions.stop()])
      for (const stream of streams) stream.response.destroy()
    },
  }

  function of(accountId: string): ReadonlySet<Stream> {
    return byAccount.get(accountId) ?? nobody
  }

  function add(stream: Stream): void {
    const { accountId } = stream.asker
    streams.add(stream)
    const own = byAccount.get(accountId) ?? new Set()
    byAccount.set(accountId, own.add(stream))
  }

  function remove(stream: Stream): void {
    const { accountId } = stream.asker
    streams.delete(stream)
    const own = byAccount.get(accountId)
    own?.delete(stream)
    if (own?.size === 0) byAccount.delete(accountId)
  }

  /** A number from the future (of a database that was restored) starts at the end instead of waiting for ever. */
  async function startOf(after: number | undefined): Promise<number> {
    if (after === undefined) return last
    if (after <= last) return after
    return Math.min(after, await storage.events.lastNumber(storage.primary))
  }

  /** Reads until level with the tail; the last check and joining happen in one turn, so no event falls between. */
  async function catchUp(stream: Stream): Promise<void> {
    while (!stream.response.destroyed && stream.sent < last) {
      const goal = last
      const events = await storage.events.after(storage.primary, stream.asker.accountId, stream.sent, pageSize)
      const places = isLimited(stream.asker.scope) ? await placesOf(storage.primary, events) : nowhere
      for (const event of events) forward(stream, event, places, () => frameOf(event))
      if (events.length < pageSize) stream.sent = Math.max(stream.sent, goal)
      while (isBehind(stream.response)) await sleep(20)
    }
    stream.hasJoined = true
  }

  /** Asked only where someone who listens is limited: to most streams it does not matter where something is. */
  async function placesFor(events: readonly Event[]): Promise<Places> {
    const accounts = new Set([...streams].flatMap(({ asker }) => (isLimited(asker.scope) ? asker.accountId : [])))
    const asked = accounts.size === 0 ? [] : events.filter(({ accountId }) => accounts.has(accountId))
    return { accounts, byConversation: asked.length === 0 ? nowhere : await placesOf(storage.primary, asked) }
  }

  function dispatch(event: Event, { accounts, byConversation }: Places): void {
    let frame: Buffer | undefined
    for (const stream of of(event.accountId)) {
      if (!stream.hasJoined) continue
      // Came, or was limited, while the places were being asked for: it reads this one from the table.
      if (isLimited(stream.asker.scope) && !accounts.has(event.accountId)) void joinAgain(stream)
      else forward(stream, event, byConversation, () => (frame ??= Buffer.from(frameOf(event))))
    }
    for (const listener of listeners) listener(event)
  }

  async function joinAgain(stream: Stream): Promise<void> {
    stream.hasJoined = false
    try {
      await catchUp(stream)
    } catch (error) {
      logger.warn({ reason: messageOf(error) }, 'a live stream could not catch up')
      stream.response.destroy()
    }
  }

  function forward(
    stream: Stream,
    event: Event,
    places: ReadonlyMap<string, Place>,
    frame: () => string | Buffer,
  ): void {
    if (event.number <= stream.sent) return
    stream.sent = event.number
    if (mayHear(stream.asker, event, places)) send(stream, frame())
  }

  function send(stream: Stream, frame: string | Buffer): void {
    if (stream.response.destroyed || stream.response.writableEnded) return
    stream.response.write(frame)
    if (stream.response.writableLength > largestBacklog) stream.response.destroy()
  }

  async function checkPermissions(): Promise<void> {
    await checkRights(storage, [...streams], ({ response }) => response.end())
  }
}

const nowhere: ReadonlyMap<string, Place> = new Map()
const nobody: ReadonlySet<Stream> = new Set()

/** Whether this fact is theirs to hear: by permission, and by the place that it happened in. */
const mayHear = ({ permissions, scope }: Asker, event: Event, places: ReadonlyMap<string, Place>): boolean =>
  permissions.has(permissionToHear(event.type)) && hears(scope, event, places)

/** Of these facts, those that the asker may hear of. */
export async function heardBy(storage: Storage, asker: Asker, events: readonly Event[]): Promise<Event[]> {
  const places = isLimited(asker.scope) ? await placesOf(storage.primary, events) : nowhere
  return events.filter((event) => mayHear(asker, event, places))
}

/** Much is waiting to go out, and it may still go. */
const isBehind = (response: ServerResponse): boolean =>
  response.writableLength > largestBacklog / 2 && !response.destroyed

const frameOf = (event: Event): string =>
  `id: ${String(event.number)}\nevent: ${event.type}\ndata: ${JSON.stringify(presentEvent(event))}\n\n`
