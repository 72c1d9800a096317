/** How the Graph API refuses. */
import type { Answer } from './http.ts'

export function graphError(code: number, subcode: number | undefined, message: string, status = 400): Answer {
  const error = {
    message: `(#${String(code)}) ${message}`,
    type: code === 190 ? 'OAuthException' : 'GraphMethodException',
    code,
    ...(subcode === undefined ? {} : { error_subcode: subcode }),
    fbtrace_id: 'AsAnDbOx',
  }
  return { status, json: { error } }
}

export const missing = (id: string): Answer =>
  graphError(
    100,
    33,
    `Unsupported request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation.`,
  )
