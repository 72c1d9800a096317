/** One id for each request, from the proxy before us or made here; it is in every answer, log line and problem. */
import type { RequestHandler, Response } from 'express'
import { newId } from '../infra/ids.ts'

const header = 'X-Request-Id'

/** Takes `X-Request-Id` when it has a harmless form, else makes one. */
export const giveRequestId: RequestHandler = (request, response, next) => {
  const given = request.get(header)
  response.setHeader(header, given !== undefined && /^[A-Za-z0-9._:-]{8,100}$/.test(given) ? given : newId())
  next()
}

/** The id that `giveRequestId` has set. */
export function requestIdOf(response: Response): string {
  const id = response.getHeader(header)
  return typeof id === 'string' ? id : ''
}
