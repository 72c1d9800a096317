/**
 * Files from the outside, as a stream: bounded in bytes, time and redirects. Each hop is admitted as if it were the first,
 * and its address is checked when it connects; what proves who we are goes to the first address alone.
 */
import { codeOf } from './errors.ts'
import { admit, openAgents, OutsideError, toOutsideError } from './outside.ts'
import type { OutsideCall, ResolveName } from './outside.ts'

export interface Download extends Pick<OutsideCall, 'allowHosts' | 'signal'> {
  readonly url: string
  /** For exactly this address: never sent to another origin. */
  readonly headers?: Readonly<Record<string, string>>
  readonly maxBytes: number
  /** Time for everything, redirects and body included. */
  readonly limitMs: number
  /** Longest silence. Default 15,000. */
  readonly stallMs?: number
  /** Default 3. */
  readonly maxRedirects?: number
}

export interface Downloaded {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The bytes as they come, to be read to the end or destroyed. @throws OutsideError while reading, with a code such as `too_large`, `time_limit` */
  readonly body: AsyncIterable<Uint8Array>
  /** Lets go of an answer that is not read. */
  discard(): void
}

export type DownloadOutside = (call: Download) => Promise<Downloaded>

/** Downloads through connections of its own. @param resolve how names become addresses, for tests of rebinding names */
export function openDownloads(resolve?: ResolveName): DownloadOutside {
  const agents = openAgents(resolve)
  return async (call) => {
    const limits = limit(call)
    try {
      let target = call.url
      let headers = call.headers ?? {}
      for (let hop = 0; ; hop++) {
        const { url, agent } = admit({ url: target, ...(call.allowHosts && { allowHosts: call.allowHosts }) }, agents)
        const answer = await ask(agent, url, headers, call, limits)
        const location = answer.headers.location
        if (answer.statusCode < 300 || answer.statusCode >= 400 || typeof location !== 'string')
          return answered(answer, url, call, limits)
        answer.body.destroy()
        if (hop >= (call.maxRedirects ?? 3))
          throw new OutsideError('redirects', true, `${url.host} leads from one address to the next.`)
        const next = URL.parse(location, url.href)
        if (next === null) throw new OutsideError('url', true, `${url.host} leads to an address that is not a URL.`)
        if (next.origin !== url.origin) headers = {}
        target = next.href
      }
    } catch (error) {
      limits.over()
      throw error
    }
  }
}

type Limits = ReturnType<typeof limit>
type Agent = ReturnType<typeof openAgents>['checked']
type Answer = Awaited<ReturnType<Agent['request']>>

/** Ends everything when the time is over or the caller breaks off. */
function limit({ limitMs, signal }: Download) {
  const ending = new AbortController()
  const timer = setTimeout(() => {
    ending.abort(new OutsideError('time_limit', true, `The download took longer than ${String(limitMs)} ms.`))
  }, limitMs)
  const onAbort = (): void => {
    ending.abort(new OutsideError('aborted', true, 'The download was broken off.'))
  }
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: ending.signal,
    over(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    },
    explain(error: unknown, url: URL, left: boolean): OutsideError {
      const reason: unknown = ending.signal.reason
      if (reason instanceof OutsideError) return reason
      if (/^UND_ERR_(HEADERS|BODY)_TIMEOUT$/.test(codeOf(error) ?? ''))
        return new OutsideError('time_limit', true, `${url.host} fell silent.`, { cause: error })
      return toOutsideError(error, left, url)
    },
  }
}

async function ask(agent: Agent, url: URL, headers: NonNullable<Download['headers']>, call: Download, limits: Limits) {
  const stallMs = call.stallMs ?? 15_000
  try {
    const answer = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: { 'accept-encoding': 'identity', ...headers },
      headersTimeout: stallMs,
      bodyTimeout: stallMs,
      signal: limits.signal,
    })
    // Whoever reads it is told; a body that nobody reads must not end the process.
    answer.body.on('error', () => undefined)
    return answer
  } catch (error) {
    throw limits.explain(error, url, false)
  }
}

function answered(answer: Answer, url: URL, { maxBytes }: Download, limits: Limits): Downloaded {
  const discard = (): void => {
    limits.over()
    answer.body.destroy()
  }
  const tooLarge = () =>
    new OutsideError('too_large', true, `The file of ${url.host} is larger than ${String(maxBytes)} bytes.`)
  if (Number(answer.headers['content-length'] ?? 0) > maxBytes) {
    discard()
    throw tooLarge()
  }
  const read = async function* (): AsyncGenerator<Uint8Array> {
    let size = 0
    try {
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        size += chunk.length
        if (size > maxBytes) throw tooLarge()
        yield chunk
      }
    } catch (error) {
      throw error instanceof OutsideError ? error : limits.explain(error, url, true)
    } finally {
      discard()
    }
  }
  const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [
    name.toLowerCase(),
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ])
  return { status: answer.statusCode, headers: Object.fromEntries(headers), body: read(), discard }
}
