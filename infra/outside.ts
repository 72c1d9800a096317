/**
 * The one door for calls to the outside. Every address is checked at the moment of connecting (a name may resolve
 * differently a second later), every call has a time and a size limit, redirects are not followed, and an error says
 * whether the request may have left this machine.
 */
import { lookup as resolveName } from 'node:dns'
import type { LookupAddress, LookupOptions } from 'node:dns'
import { isIP } from 'node:net'
import type { Readable } from 'node:stream'
import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import { codeOf, messageOf } from './errors.ts'
import { isPublicAddress } from './public-address.ts'

export { isPublicAddress } from './public-address.ts'

export interface OutsideCall {
  readonly url: string | URL
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  /** A stream is read once; its `content-length` belongs among the headers. */
  readonly body?: string | Uint8Array | Readable
  /** Time for the whole call, answer included. Default 10,000. */
  readonly limitMs?: number
  /** Most bytes of the answer's body. Default 1 MiB. */
  readonly maxBytes?: number
  /** `host:port` list that may be called although its address is not public, and without TLS: `config.networkHosts`. */
  readonly allowHosts?: readonly string[]
  readonly signal?: AbortSignal
}

export interface OutsideAnswer {
  readonly status: number
  /** Names in lower case; a header that came twice is joined with ", ". */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export type OutsideCode =
  | 'url'
  | 'address_refused'
  | 'redirects'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'time_limit'
  | 'aborted'
  | 'connection_lost'
  | 'too_large'

/** No answer was had. `left` false: the request surely never left; true: the other side may have acted on it. */
export class OutsideError extends Error {
  readonly code: OutsideCode
  readonly left: boolean

  constructor(code: OutsideCode, left: boolean, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'OutsideError'
    this.code = code
    this.left = left
  }
}

/**
 * Makes one HTTP request; any status is an answer. Connections are kept alive and shared.
 * @throws OutsideError
 */
export async function callOutside(call: OutsideCall): Promise<OutsideAnswer> {
  const { url, agent } = admit(call)
  return new Promise((resolve, reject) => {
    let left = false
    let over = false
    let controller: Dispatcher.DispatchController | undefined
    let status = 0
    let headers: Record<string, string> = {}
    const chunks: Buffer[] = []
    let size = 0

    const settle = (act: () => void): void => {
      if (over) return
      over = true
      clearTimeout(timer)
      call.signal?.removeEventListener('abort', onAbort)
      act()
    }
    const fail = (error: OutsideError): void => {
      settle(() => {
        reject(error)
        controller?.abort(error)
      })
    }
    const onAbort = (): void => {
      fail(new OutsideError('aborted', left, `The call to ${url.host} was broken off.`))
    }
    const limitMs = call.limitMs ?? 10_000
    const timer = setTimeout(() => {
      fail(new OutsideError('time_limit', left, `${url.host} did not answer within ${String(limitMs)} ms.`))
    }, limitMs)
    if (call.signal?.aborted === true) {
      onAbort()
      return
    }
    call.signal?.addEventListener('abort', onAbort, { once: true })

    const maxBytes = call.maxBytes ?? 1024 * 1024
    agent.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: call.method ?? 'GET',
        headers: { ...call.headers },
        body: call.body ?? null,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      {
        // A connection stands and the first byte is about to be written: from here on it may have left.
        onRequestStart(own) {
          controller = own
          if (over) own.abort(new Error('over'))
          else left = true
        },
        onResponseStart(_own, answered, fields) {
          status = answered
          headers = Object.fromEntries(
            Object.entries(fields).map(([name, value]) => [
              name.toLowerCase(),
              Array.isArray(value) ? value.join(', ') : (value ?? ''),
            ]),
          )
        },
        onResponseData(_own, chunk) {
          size += chunk.length
          if (size > maxBytes)
            fail(
              new OutsideError(
                'too_large',
                true,
                `The answer of ${url.host} is larger than ${String(maxBytes)} bytes.`,
              ),
            )
          else chunks.push(Buffer.from(chunk))
        },
        onResponseEnd() {
          settle(() => {
            resolve({ status, headers, body: Buffer.concat(chunks) })
          })
        },
        onResponseError(_own, error) {
          fail(toOutsideError(error, left, url))
        },
      },
    )
  })
}

/** Whether `url` may be called at all: https, or an allowed `host:port`. */
export function isAllowedHost(url: URL, allowHosts: readonly string[]): boolean {
  const port = url.port !== '' ? url.port : url.protocol === 'http:' ? '80' : '443'
  return allowHosts.includes(`${url.hostname}:${port}`)
}

/**
 * Decides whether a URL may be called, and through which agent; the address itself is checked when it connects.
 * @throws OutsideError
 */
export function admit(
  call: Pick<OutsideCall, 'url' | 'allowHosts'>,
  agents: { readonly checked: Agent; readonly unchecked: Agent } = ordinary,
): { url: URL; agent: Agent } {
  const url = URL.parse(String(call.url))
  if (url === null) throw new OutsideError('url', false, 'The address is not a URL.')
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new OutsideError('url', false, `${url.protocol} is not spoken.`)
  if (url.username !== '' || url.password !== '')
    throw new OutsideError('url', false, 'A URL may carry no credentials.')
  if (isAllowedHost(url, call.allowHosts ?? [])) return { url, agent: agents.unchecked }
  if (url.protocol !== 'https:') throw new OutsideError('url', false, `${url.host} may only be called by https.`)
  // No name is looked up for a literal address, so it is checked here. The URL parser has already spelled out 0x7f.1 and the like.
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0 && !isPublicAddress(literal)) throw refusal(url.hostname, literal)
  return { url, agent: agents.checked }
}

const refusal = (host: string, address: string): OutsideError =>
  new OutsideError('address_refused', false, `${host} leads to ${address}, which is not a public address.`)

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

/** How a name becomes addresses; `node:dns`, unless a test plays a rebinding name. */
export type ResolveName = (
  host: string,
  options: LookupOptions & { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** One private address among the answers refuses the name. What was looked up here is what is connected to. */
const lookUpPublic =
  (resolve: ResolveName) =>
  (host: string, options: LookupOptions, callback: LookupCallback): void => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, [])
        return
      }
      const bad = addresses.find(({ address }) => !isPublicAddress(address))
      const [first] = addresses
      if (bad !== undefined || first === undefined) callback(refusal(host, bad?.address ?? 'nowhere'), [])
      else if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }

/** What undici threw, in our words. `left`: whether the request may have left. */
export function toOutsideError(error: unknown, left: boolean, url: URL): OutsideError {
  if (error instanceof OutsideError) return error
  const causes = error instanceof AggregateError ? error.errors : [error]
  const inner = causes.find((cause) => cause instanceof OutsideError)
  if (inner instanceof OutsideError) return inner
  const code = codeOf(causes[0]) ?? codeOf(error) ?? ''
  const kind: OutsideCode = left
    ? 'connection_lost'
    : /^(ENOTFOUND|EAI_|EAI|ENODATA)/.test(code)
      ? 'dns'
      : /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO)/.test(code)
        ? 'tls'
        : 'connect'
  return new OutsideError(kind, left, `${url.host}: ${messageOf(causes[0])}`, { cause: error })
}

// HTTP/1.1 only: on HTTP/2 a GOAWAY would have requests repeated behind our back.
const pool = {
  connections: 64,
  pipelining: 1,
  allowH2: false,
  keepAliveTimeout: 4_000,
  autoSelectFamily: true,
} as const

/** Connections of their own: `checked` goes to public addresses only. Idle ones close by themselves. */
export const openAgents = (
  resolve: ResolveName = resolveName,
): { readonly checked: Agent; readonly unchecked: Agent } => ({
  checked: new Agent({ ...pool, connect: { timeout: 10_000, lookup: lookUpPublic(resolve) } }),
  unchecked: new Agent({ ...pool, connect: { timeout: 10_000 } }),
})
const ordinary = openAgents()
