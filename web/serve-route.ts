/** One request for one route: who asks, may they, is it too often, what do they send, has it been done before, the answer. */
import express from 'express'
import type { Request, RequestHandler, Response } from 'express'
import type { Config } from '../infra/config.ts'
import { Problem } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import { later } from '../storage/freshness.ts'
import type { Position, Storage } from '../storage/index.ts'
import { actorOf, admit } from './admit.ts'
import type { Identity } from './auth.ts'
import { isSafe } from './csrf.ts'
import { observeRequest } from './figures.ts'
import { answerOnce } from './idempotency.ts'
import type { Limiter } from './limits.ts'
import { answered } from './route.ts'
import type { Call, Reply, Route, RouteParts } from './route.ts'

export interface ServeContext {
  readonly config: Config
  readonly logger: Logger
  readonly storage: Storage
  readonly parts: RouteParts
  /** Requests of one asker. */
  readonly limiter: Limiter
}

/** Express's handler of a route; failures go to the outermost error handler. */
export function serveRoute(route: Route, context: ServeContext): RequestHandler {
  return async (request, response) => {
    const startedAt = performance.now()
    response.on('finish', () => {
      observeRequest(request.method, route.path, response.statusCode, (performance.now() - startedAt) / 1000)
    })
    const identity = await admit(route, context, request)
    if (identity !== undefined) context.storage.readers.note()
    context.limiter.take(identity?.key ?? `address:${request.ip ?? ''}`)
    const body = route.reads === 'json' && !isSafe(request.method) ? await readJson(request, response) : undefined

    const before = identity === undefined ? undefined : await context.storage.positions.get(identity.key)
    const start = furthest(before, context.parts.live.floor)
    const position: Position = { gtid: start }
    const storage = context.storage.as(position)
    const work = (effectId: string): Promise<Reply<unknown> | typeof answered> =>
      route.run(
        { params: request.params, query: request.query, body },
        callOf(context, request, response, storage, identity, effectId, position),
      )
    let reply: Reply<unknown> | typeof answered
    try {
      reply = await answerOnce(route, request, body, identity, storage, work)
    } finally {
      // Whichever node answers next must see what was written here, also when something failed after the write.
      const after = position.gtid
      if (identity !== undefined && after !== undefined && after !== 'unknown' && after !== start)
        await context.storage.positions.set(identity.key, after)
    }
    if (reply === answered) return
    response.setHeader('cache-control', 'no-store')
    if (reply.status === 204) response.status(204).end()
    else response.status(reply.status).json(reply.body)
  }
}

/** The position that covers the asker's own writes and every fact that this node has announced. */
function furthest(own: string | undefined, floor: string | undefined): string | undefined {
  if (own === undefined || own === 'unknown' || floor === undefined) return own === undefined ? floor : own
  return later(own, floor)
}

function callOf(
  context: ServeContext,
  request: Request,
  response: Response,
  storage: Storage,
  identity: Identity | undefined,
  effectId: string,
  position: Position,
): Call {
  return {
    config: context.config,
    logger: context.logger,
    storage,
    get asker() {
      if (identity === undefined) throw new Problem(401, 'not_signed_in', 'Please sign in, or send a bearer token.')
      return identity.asker
    },
    get actor() {
      return actorOf(identity, request)
    },
    identity,
    position,
    parts: context.parts,
    effectId,
    request,
    response,
  }
}

const parseJson = express.json({ limit: '1mb', strict: false, type: () => true })

/** The parsed body; `undefined` when there is none. */
async function readJson(request: Request, response: Response): Promise<unknown> {
  if (request.headers['transfer-encoding'] === undefined && Number(request.headers['content-length'] ?? 0) === 0)
    return undefined
  // Only this type makes a browser of another site ask first.
  if (!/^application\/([\w.-]+\+)?json *(;|$)/i.test(request.get('content-type') ?? '')) {
    throw new Problem(415, 'not_json', 'The body must be JSON, sent as application/json.')
  }
  await new Promise<void>((resolve, reject) => {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- express's request is node's, with another prototype
    parseJson(request, response, (error?: unknown) => {
      if (error === undefined || error === null) resolve()
      else reject(error instanceof Error ? error : new Error('the body could not be read', { cause: error }))
    })
  })
  return request.body as unknown
}
