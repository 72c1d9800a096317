/**
 * The webhook door: what networks call. Raw bytes, signature over those bytes, durable acceptance by the broker, 200.
 * The broker away: the database keeps it. Both away: 503, so that the network tries again. It stands before express in
 * the same server, since every request here is counted in microseconds.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../infra/errors.ts'
import { newId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import type { Logger } from '../infra/logger.ts'
import type { Broker } from '../messaging/broker/contract.ts'
import { networks } from '../messaging/connectors/registry.ts'
import type { Storage } from '../storage/index.ts'
import { openDoorApps } from './door-apps.ts'
import type { DoorApp } from './door-apps.ts'

/** Path of the door; the app's webhook key follows. */
export const doorPath = '/webhooks/'

/** Largest body taken, in bytes. Networks stay below 3 MB. */
export const largestBody = 10 * 1024 * 1024
/** What is too large is read and thrown away up to here, so that its sender can read the refusal. */
const mostDiscarded = 64 * 1024 * 1024

/** What became of a request at the door; the names of its counters. */
export type DoorOutcome =
  | 'accepted'
  | 'stored'
  | 'handshake'
  | 'unknown_app'
  | 'unsigned'
  | 'too_large'
  | 'unavailable'
  | 'refused'
  | 'broken_off'

export interface Door extends Running {
  /** Answers a request whose path begins with `doorPath`. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** The app has changed: its secrets are read again before the next request counts. */
  forget(appId: string): void
}

export interface DoorContext {
  readonly storage: Storage
  readonly broker: Broker
  readonly logger: Logger
  readonly onOutcome?: (outcome: DoorOutcome) => void
}

/** How long the broker may take before the database is asked instead. */
const publishLimitMs = 1_000
/** How long the broker is left alone after it failed. */
const brokerPauseMs = 2_000
const storeLimitMs = 3_000

/** Opens the door; it keeps the apps it has seen, with their opened secrets. */
export function openDoor(context: DoorContext): Door {
  const { storage, broker, logger } = context
  const apps = openDoorApps(storage, logger)
  const count = context.onOutcome ?? (() => undefined)
  // The broker has failed: until then nobody waits for it. One request after that tries it again.
  let brokerAwayUntil = 0

  return {
    handle(request, response) {
      const finish = (outcome: DoorOutcome, answer: Answer): void => {
        count(outcome)
        answerWith(request, response, answer)
      }
      const { pathname, query } = split(request.url ?? '')
      const key = pathname.slice(doorPath.length)
      const isPost = request.method === 'POST'
      if (!isPost && request.method !== 'GET') {
        finish('refused', answers.method)
        return
      }
      if (isPost && Number(request.headers['content-length'] ?? 0) > mostDiscarded) {
        finish('too_large', answers.tooLarge)
        return
      }
      const known = apps.peek(key)
      const found = known === undefined ? apps.find(key) : known
      const read = isPost ? readBody(request) : empty
      void enter(found, read).catch((error: unknown) => {
        logger.error({ err: error }, 'the webhook door failed')
        finish('unavailable', answers.unavailable)
      })

      async function enter(
        found: DoorApp | Promise<DoorApp | undefined>,
        read: Promise<Buffer | BodyFault>,
      ): Promise<void> {
        const [app, body] = found instanceof Promise ? await Promise.all([found, read]) : [found, await read]
        if (body === 'broken_off') {
          count('broken_off')
          return
        }
        if (body === 'too_large') finish('too_large', answers.tooLarge)
        else if (app === undefined) finish('unknown_app', answers.unknown)
        else if (isPost) await take(app, body)
        else greet(app, query)
      }

      function greet(app: DoorApp, search: string): void {
        const answer = networks[app.network].answerHandshake(
          { method: 'GET', query: new URLSearchParams(search), headers: plainHeaders(request), body: noBytes },
          app,
        )
        if (answer === undefined) finish('refused', answers.noHandshake)
        else
          finish('handshake', {
            status: answer.status,
            body: answer.body,
            headers: { 'content-type': answer.contentType, 'x-content-type-options': 'nosniff' },
          })
      }

      async function take(app: DoorApp, body: Buffer): Promise<void> {
        const network = networks[app.network]
        const signed = { headers: plainHeaders(request), body }
        if (!network.verify(signed, app)) {
          // A secret may have been added a moment ago, through another node.
          const renewed = await apps.renew(key)
          if (renewed === undefined || !network.verify(signed, renewed)) {
            finish('unsigned', answers.unsigned)
            return
          }
        }
        const id = newId()
        const now = Date.now()
        if (broker.isConnected && now >= brokerAwayUntil) {
          try {
            await broker.publish('inbound', { id, body, properties: app.properties }, { limitMs: publishLimitMs })
            finish('accepted', answers.taken)
            return
          } catch (error) {
            if (brokerAwayUntil < now)
              logger.warn({ err: error }, 'the broker does not accept webhooks; the database keeps them')
            brokerAwayUntil = Date.now() + brokerPauseMs
          }
        }
        finish(...(await keep(app, id, body)))
      }
    },
    forget: (appId) => {
      apps.forget(appId)
    },
    async stop() {
      await apps.stop()
    },
  }

  /** Into `received`, as pending: the messaging nodes find it there. */
  async function keep(app: DoorApp, id: string, body: Buffer): Promise<[DoorOutcome, Answer]> {
    const row = { id, accountId: app.accountId, appId: app.id, body, receivedAt: new Date() }
    const limit = new AbortController()
    try {
      await Promise.race([
        storage.write((tx) => storage.received.keepPending(tx, row)),
        sleep(storeLimitMs, undefined, { signal: limit.signal }).then(() => {
          throw new Error('the database took too long')
        }),
      ])
      return ['stored', answers.taken]
    } catch (error) {
      logger.error({ reason: messageOf(error), app: app.id }, 'a webhook could be kept by neither broker nor database')
      return ['unavailable', answers.unavailable]
    } finally {
      limit.abort()
    }
  }
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const text = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
const refusal = (status: number, body: string, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { ...text, ...headers, 'content-length': String(Buffer.byteLength(body)) },
  body,
})
const answers = {
  taken: { status: 200, headers: { 'content-type': 'text/plain', 'content-length': '2' }, body: 'ok' },
  unknown: refusal(404, 'There is no such webhook address.\n'),
  unsigned: refusal(401, 'The signature is missing or wrong.\n'),
  noHandshake: refusal(400, 'This is no handshake of the network.\n'),
  method: refusal(405, 'Only GET and POST are spoken here.\n', { allow: 'GET, POST' }),
  tooLarge: refusal(413, 'The body is larger than 10 MB.\n', { connection: 'close' }),
  unavailable: refusal(503, 'Nothing can be kept just now; please send it again.\n', { 'retry-after': '5' }),
} as const satisfies Record<string, Answer>

function answerWith(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body)
  // What was not read is thrown away; a body announced as too large is not waited for.
  if (!request.complete) request.resume()
}

function split(url: string): { pathname: string; query: string } {
  const mark = url.indexOf('?')
  return mark === -1 ? { pathname: url, query: '' } : { pathname: url.slice(0, mark), query: url.slice(mark + 1) }
}

/** Node has joined what came twice; only `set-cookie`, which no request carries, stays a list. */
function plainHeaders(request: IncomingMessage): Record<string, string | undefined> {
  const plain: Record<string, string | undefined> = {}
  const { headers } = request
  for (const name in headers) {
    const value = headers[name]
    if (typeof value === 'string') plain[name] = value
  }
  return plain
}

type BodyFault = 'too_large' | 'broken_off'

const noBytes = Buffer.alloc(0)
const empty = Promise.resolve<Buffer | BodyFault>(noBytes)

function readBody(request: IncomingMessage): Promise<Buffer | BodyFault> {
  return new Promise((resolve) => {
    let first: Buffer | undefined
    let more: Buffer[] | undefined
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > largestBody) {
        more = []
        // Answered in the middle of its sending, the network would see a broken line instead of the 413.
        if (size > mostDiscarded) resolve('too_large')
      } else if (first === undefined) first = chunk
      else (more ??= [first]).push(chunk)
    })
    request.on('end', () => {
      if (size > largestBody) resolve('too_large')
      else resolve(more === undefined ? (first ?? noBytes) : Buffer.concat(more))
    })
    request.on('error', () => {
      resolve('broken_off')
    })
    request.on('close', () => {
      if (!request.complete) resolve('broken_off')
    })
  })
}
