/** Changes made with the session cookie must come from our own pages: a token bound to the session, and the browser's own word. */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import type { Config } from '../infra/config.ts'
import { Problem } from '../infra/errors.ts'

/** A new token, kept in the session. */
export const newCsrfToken = (): string => randomBytes(32).toString('base64url')

/** @throws Problem 403 `csrf` when the change does not come from our own pages */
export function refuseForgery(request: Request, config: Config, expected: string | undefined): void {
  refuseForeignPage(request, config)
  const given = Buffer.from(request.get('x-csrf-token') ?? '')
  const right = Buffer.from(expected ?? '')
  if (right.length === 0 || given.length !== right.length || !timingSafeEqual(given, right)) {
    throw new Problem(
      403,
      'csrf',
      'The X-CSRF-Token header is missing or not that of this session. Please load the page again.',
    )
  }
}

/** What the browser says of the page that asks: `Sec-Fetch-Site`, and `Origin` against our own address. */
export function refuseForeignPage(request: Request, config: Config): void {
  const site = request.get('sec-fetch-site')
  const origin = request.get('origin')
  const isOwn =
    origin === undefined ||
    origin === new URL(config.publicUrl).origin ||
    URL.parse(origin)?.host === request.get('host')
  if ((site !== undefined && site !== 'same-origin' && site !== 'none') || !isOwn) {
    throw new Problem(403, 'csrf', 'This request comes from a page of another site.')
  }
}

/** Methods that change nothing. */
export const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
