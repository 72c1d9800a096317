/** Requests and answers of the sandbox's faces, apart from the server that carries them. */
import type { IncomingHttpHeaders } from 'node:http'
import type { NetworkName } from '../../storage/model/words.ts'

export interface Request {
  readonly method: string
  /** Without the `/sandbox` prefix. */
  readonly path: string
  /** The whole address as the caller wrote it; OAuth signs it. */
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Answer {
  readonly status: number
  readonly json: unknown
  /** Instead of `json`: a page, a picture. */
  readonly bytes?: { readonly contentType: string; readonly data: Buffer | string }
  readonly headers?: Readonly<Record<string, string>>
  /** The channel that was spoken for. */
  readonly channel?: string
  /** The call said something: the customer sees it now, whatever becomes of the answer. `echo` tells the app. */
  readonly accepted?: { echo(): Promise<void>; after(): Promise<void> }
}

/** The fault `refuse_code`, as it holds for one call. */
export interface Refusal {
  readonly code: number
  readonly subcode: number | undefined
  /** X: one of v2's problem types, such as `usage-capped`. */
  readonly problem?: string | undefined
  readonly detail?: string | undefined
}

/** A network's HTTP face. */
export interface Face {
  readonly network: NetworkName
  /** The channel of the call, for faults; `undefined` when the token is unknown. */
  channelOf(request: Request): string | undefined
  /** `refusal`: the fault `refuse_code` that holds for a send. */
  answer(request: Request, refuse: () => Refusal | undefined): Answer | Promise<Answer>
  expiredToken(): Answer
  /** What is answered though a send went out: `sent_with_error`. */
  failedAnswer?(): Answer
}
