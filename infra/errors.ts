/**
 * Errors have two voices: a safe text for outside, a cause for the log. What a caller can act on is a `Problem`
 * (RFC 9457); anything else that is thrown is a surprise and leaves as a plain 500.
 */

/** One fault of one field: `field` is a JSON path such as `secrets.0`. */
export interface FieldFault {
  readonly field: string
  readonly message: string
}

/** An expected refusal, safe to show as it is. `code` is stable and part of the public surface. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly faults: readonly FieldFault[]
  /** Members of the problem document of its own kind, snake_case. */
  readonly details: Readonly<Record<string, unknown>>

  /** `message` is one sentence: what is wrong and the way out. */
  constructor(
    status: number,
    code: string,
    message: string,
    faults: readonly FieldFault[] = [],
    options?: ErrorOptions & { readonly details?: Readonly<Record<string, unknown>> },
  ) {
    super(message, options)
    this.name = 'Problem'
    this.status = status
    this.code = code
    this.faults = faults
    this.details = options?.details ?? {}
  }
}

export const notFound = (what: string): Problem => new Problem(404, 'not_found', `There is no such ${what}.`)
export const forbidden = (message: string): Problem => new Problem(403, 'forbidden', message)
export const conflict = (code: string, message: string, details?: Readonly<Record<string, unknown>>): Problem =>
  new Problem(409, code, message, [], details === undefined ? undefined : { details })
export const invalid = (faults: readonly FieldFault[]): Problem =>
  new Problem(
    422,
    'invalid',
    `The request has ${faults.length === 1 ? 'a fault' : 'faults'}: ${faults.map((f) => `${f.field}: ${f.message}`).join('; ')}`,
    faults,
  )
export const unavailable = (code: string, message: string, cause?: unknown): Problem =>
  new Problem(503, code, message, [], { cause })

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The `code` of a system or driver error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}
