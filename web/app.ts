/** The whole URL map of a web node; the webhook door stands before it in `server.ts`. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import express from 'express'
import type { Express, RequestHandler } from 'express'
import helmet from 'helmet'
import { version } from '../infra/config.ts'
import type { Config } from '../infra/config.ts'
import type { Logger } from '../infra/logger.ts'
import type { Broker } from '../messaging/broker/contract.ts'
import type { Storage } from '../storage/index.ts'
import { openAuth } from './auth.ts'
import { collectFigures } from './figures.ts'
import { openListCache } from './list-cache.ts'
import type { Live } from './live.ts'
import { openLimiter, TooMany } from './limits.ts'
import { describeApi } from './openapi.ts'
import type { Presence } from './presence.ts'
import { answerNotFound, answerProblems } from './problems.ts'
import { giveRequestId } from './request-id.ts'
import { routes } from './routes.ts'
import { serveRoute } from './serve-route.ts'
import type { Readiness } from './server.ts'
import { readSession } from './sessions.ts'

export interface AppContext {
  readonly config: Config
  readonly logger: Logger
  readonly storage: Storage
  readonly live: Live
  readonly presence: Presence
  readonly broker: Pick<Broker, 'publish'>
  readonly readiness: Readiness
}

const site = fileURLToPath(new URL('./browser/dist', import.meta.url))

export function buildApp(context: AppContext): Express {
  const { config, storage, live, presence, broker, readiness, logger } = context
  // Generous for people and scripts; what it stops is a loop that has gone wild.
  const limiter = openLimiter({ burst: 4_000, perSecond: 800 })
  const signInLimiters = {
    byAddress: openLimiter({ burst: 40, perSecond: 0.5 }),
    byEmail: openLimiter({ burst: 10, perSecond: 1 / 30 }),
  }
  const parts = { auth: openAuth(storage), live, lists: openListCache(live), presence, broker, signInLimiters }
  const document = JSON.stringify(describeApi(routes, version))

  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('trust proxy', [...config.trustedProxies])
  app.set('query parser', 'simple')
  app.use(giveRequestId, protect(config))

  app.get('/health/live', (_request, response) => {
    response.json({ status: 'live' })
  })
  app.get('/health/ready', (_request, response) => {
    const reason = readiness.reason()
    response
      .status(reason === undefined ? 200 : 503)
      .json(reason === undefined ? { status: 'ready' } : { status: 'not ready', reason })
  })
  app.get('/metrics', async (_request, response) => {
    const { text, contentType } = await collectFigures()
    response.type(contentType).send(text)
  })
  app.get('/api/v1/openapi.json', (_request, response) => {
    response.type('application/json').send(document)
  })

  const api = express.Router({ caseSensitive: true })
  api.use(readSession(config, storage))
  for (const route of routes)
    api[route.method](route.path, serveRoute(route, { config, logger, storage, parts, limiter }))
  app.use('/api/v1', api, answerNotFound)

  if (existsSync(site)) app.use(...servePages())
  app.use(answerNotFound, tellWhenToReturn, answerProblems(logger))
  return app
}

/** Files of the browser app; every other address without an extension is one of its places. */
function servePages(): RequestHandler[] {
  const files = express.static(site, {
    index: false,
    setHeaders: (response, path) => {
      response.setHeader(
        'cache-control',
        path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      )
    },
  })
  const places: RequestHandler = (request, response, next) => {
    if ((request.method !== 'GET' && request.method !== 'HEAD') || /\.\w+$/.test(request.path)) next()
    else response.sendFile('index.html', { root: site, headers: { 'cache-control': 'no-cache' } })
  }
  return [files, places]
}

function protect(config: Config): RequestHandler {
  const isSecure = config.publicUrl.startsWith('https:')
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // The component library writes its design tokens into a style element.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: isSecure,
    referrerPolicy: { policy: 'same-origin' },
  })
}

const tellWhenToReturn: express.ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (error instanceof TooMany && !response.headersSent) response.setHeader('retry-after', String(error.retryAfter))
  next(error)
}
