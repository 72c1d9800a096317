/** The one place where errors leave: RFC 9457 problem details with a stable `code`, and one log line for surprises. */
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { codeOf, messageOf, notFound, Problem } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import { requestIdOf } from './request-id.ts'

/** What nothing else has answered. */
export const answerNotFound: RequestHandler = () => {
  throw notFound('address')
}

/** Outermost error handler: refusals as they are, anything else as a plain 500 with its cause in the log. */
export function answerProblems(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const problem = toProblem(error)
    if (problem.status >= 500) {
      logger.error(
        { err: problem.cause ?? error, request_id: requestIdOf(response), method: request.method, path: request.path },
        messageOf(error),
      )
    }
    if (response.headersSent) {
      response.destroy()
      return
    }
    sendProblem(request, response, problem)
  }
}

/** Answers with a problem document. */
export function sendProblem(request: Request, response: Response, problem: Problem): void {
  if (problem.status === 503 && !response.hasHeader('retry-after')) response.setHeader('retry-after', '2')
  response.status(problem.status).type('application/problem+json')
  // The rest of a body that was refused is not waited for.
  if (!request.complete) response.setHeader('connection', 'close')
  response.send(
    JSON.stringify({
      ...problem.details,
      type: `https://parley.example/problems/${problem.code}`,
      title: titles[problem.status] ?? 'Refused',
      status: problem.status,
      code: problem.code,
      detail: problem.message,
      request_id: requestIdOf(response),
      ...(problem.faults.length > 0 && { faults: problem.faults }),
    }),
  )
}

const titles: Readonly<Record<number, string>> = {
  400: 'Not understood',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  413: 'Too large',
  415: 'Not this content type',
  416: 'No such range',
  422: 'Invalid',
  429: 'Too many requests',
  500: 'Failed',
  503: 'Not available just now',
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof Error && 'type' in error && typeof error.type === 'string') {
    const known = parserProblems[error.type]
    if (known !== undefined) return new Problem(known[0], known[1], known[2], [], { cause: error })
  }
  if (error instanceof URIError)
    return new Problem(400, 'bad_address', 'The address cannot be decoded.', [], { cause: error })
  if (isAway(error))
    return new Problem(
      503,
      'database_away',
      'The database does not answer just now. Nothing was changed; please try again.',
      [],
      { cause: error },
    )
  return new Problem(500, 'failed', 'Something went wrong on our side. Please quote the request id.', [], {
    cause: error,
  })
}

/** Errors of express's body parser, by its `type`. */
const parserProblems: Readonly<Record<string, readonly [number, string, string]>> = {
  'entity.parse.failed': [400, 'bad_json', 'The body is not JSON.'],
  'entity.too.large': [413, 'too_large', 'The body is too large: at most 1 MB of JSON is taken.'],
  'encoding.unsupported': [415, 'bad_encoding', 'This content encoding is not understood.'],
  'charset.unsupported': [415, 'bad_charset', 'JSON is UTF-8.'],
  'request.aborted': [400, 'broken_off', 'The request broke off.'],
  'request.size.invalid': [400, 'bad_size', 'The body has another size than was announced.'],
  'entity.verify.failed': [400, 'bad_json', 'The body is not JSON.'],
}

const isAway = (error: unknown): boolean =>
  /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|EHOSTUNREACH|PROTOCOL_CONNECTION_LOST|ER_CON_COUNT_ERROR|ER_SERVER_SHUTDOWN|POOL_|ER_OPTION_PREVENTS_STATEMENT)/.test(
    codeOf(error) ?? '',
  )
