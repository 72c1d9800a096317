/**
 * One memcached server: the meta protocol (memcached 1.6, doc/protocol.txt), pipelined over one connection. Everything has a time
 * limit; a server that fails is left alone for a moment; a server that may hold what should have been deleted is emptied before
 * it is believed again. Why our own: infra/docs/decisions/own-memcached-client.md.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Logger } from '../infra/logger.ts'

/** The right to fill one key: void once the key was deleted, or the connection lost (a restarted server counts from the beginning). */
export interface Lease {
  readonly cas: string
  readonly connection: number
}

export type Got =
  | { readonly state: 'hit'; readonly value: Buffer; readonly lease: Lease }
  /** Nothing there; this caller is to fill it. */
  | { readonly state: 'won'; readonly lease: Lease }
  /** Nothing there; another caller is filling it. */
  | { readonly state: 'busy' }
  | { readonly state: 'miss' }
  /** The server does not answer. */
  | { readonly state: 'away' }

export interface MemcachedServer {
  readonly address: string
  /** @param leaseSeconds with it a miss hands out a lease, for so long */
  get(key: string, leaseSeconds?: number): Promise<Got>
  /** Stores under a lease; false: it was void, or the server is away. `'add'`: only where there is nothing; `'set'`: whatever is there. */
  put(
    key: string,
    value: Buffer,
    ttlSeconds: number,
    lease: Lease | 'add' | 'set',
  ): Promise<'stored' | 'refused' | 'away'>
  /** Gives a lease back without filling. */
  yield(key: string, lease: Lease): Promise<void>
  /** True: surely gone. False: not confirmed; this process does not believe the server again before it has emptied it. */
  remove(key: string): Promise<boolean>
  /** What is stored there may be old: not believed before it was emptied. */
  distrust(): void
  close(): void
}

interface Answer {
  readonly code: string
  readonly flags: readonly string[]
  readonly value: Buffer | undefined
}

/** Longest that an answer may take; a local one takes 0.1 ms. */
const answerMs = 100
const connectMs = 100
/** How long a server that failed is left alone. */
const restMs = 250
const mostWaiting = 10_000
const nothing = Buffer.alloc(0)

/** A server by `host:port`; connects when first used. */
export function openMemcached(address: string, logger: Logger): MemcachedServer {
  const colon = address.lastIndexOf(':')
  let link: Link | undefined
  let connections = 0
  let restUntil = 0
  let isEmptying = false
  let isDistrusted = false
  let isClosed = false

  const fail = (failed: Link, reason: string) => {
    if (link !== failed) return
    link = undefined
    isEmptying = false
    restUntil = performance.now() + restMs
    if (!isClosed) logger.warn({ memcached: address, reason }, 'the cache server does not answer; it is passed over')
  }
  const reach = (): Link | undefined => {
    if (isClosed || (link === undefined && performance.now() < restUntil)) return undefined
    link ??= openLink(address.slice(0, colon), Number(address.slice(colon + 1)), ++connections, fail)
    if (isDistrusted) empty(link)
    return link
  }
  const empty = (through: Link) => {
    if (isEmptying) return
    isEmptying = true
    void through.ask('flush_all\r\n', nothing).then((answer) => {
      isEmptying = false
      if (answer?.code === 'OK') isDistrusted = false
    })
  }
  /** A link that may be believed. */
  const trusted = () => {
    const reached = reach()
    return isDistrusted ? undefined : reached
  }

  return {
    address,
    async get(key, leaseSeconds) {
      const through = trusted()
      if (through === undefined) return { state: 'away' }
      const answer = await through.ask(
        leaseSeconds === undefined ? `mg ${key} v c\r\n` : `mg ${key} v c N${String(leaseSeconds)}\r\n`,
        nothing,
      )
      // Distrusted meanwhile: an answer from before does not count any more.
      if (answer === undefined || isDistrusted) return { state: 'away' }
      if (answer.code !== 'VA' || answer.value === undefined) return { state: answer.code === 'EN' ? 'miss' : 'away' }
      const lease = { cas: casOf(answer.flags), connection: through.number }
      if (answer.flags.includes('W')) return { state: 'won', lease }
      // An empty entry is a lease of somebody else; nobody stores an empty value.
      return answer.value.length === 0 ? { state: 'busy' } : { state: 'hit', value: answer.value, lease }
    },
    async put(key, value, ttlSeconds, lease) {
      const through = trusted()
      if (through === undefined) return 'away'
      if (typeof lease !== 'string' && lease.connection !== through.number) return 'refused'
      const mode = lease === 'add' ? 'ME' : lease === 'set' ? 'MS' : `C${lease.cas}`
      const answer = await through.ask(`ms ${key} ${String(value.length)} T${String(ttlSeconds)} ${mode}\r\n`, value)
      if (answer === undefined) return 'away'
      return answer.code === 'HD' ? 'stored' : 'refused'
    },
    async yield(key, lease) {
      const through = trusted()
      if (through?.number === lease.connection) await through.ask(`md ${key} C${lease.cas}\r\n`, nothing)
    },
    async remove(key) {
      const answer = await reach()?.ask(`md ${key}\r\n`, nothing)
      if (answer?.code === 'HD' || answer?.code === 'NF') return true
      isDistrusted = true
      return false
    },
    distrust() {
      isDistrusted = true
    },
    close() {
      isClosed = true
      link?.end()
    },
  }
}

const casOf = (flags: readonly string[]): string => flags.find((flag) => flag.startsWith('c'))?.slice(1) ?? ''

interface Link {
  readonly number: number
  /** One command and its data; undefined when the link broke or took too long. */
  ask(command: string, data: Buffer): Promise<Answer | undefined>
  end(): void
}

function openLink(host: string, port: number, number: number, onEnd: (link: Link, reason: string) => void): Link {
  const waiting = new Ring<{ resolve: (answer: Answer | undefined) => void; askedAt: number }>()
  const socket: Socket = connect({ host, port, noDelay: true })
  const readAnswers = answerReader((answer) => {
    waiting.shift()?.resolve(answer)
  })
  let out = ''
  let isScheduled = false
  let isOpen = false
  let isEnded = false

  const end = (reason: string) => {
    if (isEnded) return
    isEnded = true
    clearInterval(timer)
    socket.destroy()
    onEnd(self, reason)
    for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) entry.resolve(undefined)
  }
  const openedAt = performance.now()
  const timer = setInterval(() => {
    // After the answers that have come already: a busy process is no slow server.
    setImmediate(() => {
      const oldest = waiting.first?.askedAt
      if (!isOpen && performance.now() - openedAt > connectMs) end('connecting took too long')
      else if (isOpen && oldest !== undefined && performance.now() - oldest > answerMs) end('an answer took too long')
    })
  }, 25)
  const flush = () => {
    isScheduled = false
    if (out !== '' && !isEnded) socket.write(out, 'latin1')
    out = ''
  }
  const self: Link = {
    number,
    ask: (command, data) =>
      new Promise((resolve) => {
        if (isEnded || waiting.length >= mostWaiting) {
          resolve(undefined)
          return
        }
        waiting.push({ resolve, askedAt: performance.now() })
        // One write for all that is asked in one turn; latin1 carries every byte as it is.
        out += data === nothing ? command : `${command}${data.toString('latin1')}\r\n`
        if (isScheduled) return
        isScheduled = true
        process.nextTick(flush)
      }),
    end: () => {
      end('closed')
    },
  }
  socket.on('connect', () => {
    isOpen = true
  })
  socket.on('data', (chunk) => {
    try {
      readAnswers(chunk)
    } catch (error) {
      end(String(error))
    }
  })
  socket.on('error', (error) => {
    end(error.message)
  })
  socket.on('close', () => {
    end('the connection was closed')
  })
  return self
}

/** Cuts the stream into answers: a line, and after `VA size` as many bytes. */
function answerReader(onAnswer: (answer: Answer) => void): (chunk: Buffer) => void {
  let rest: Buffer = nothing
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (;;) {
      const lineEnd = bytes.indexOf('\r\n', at, 'latin1')
      if (lineEnd < 0) break
      const words = bytes.toString('latin1', at, lineEnd).split(' ')
      const code = words[0] ?? ''
      if (code !== 'VA') {
        at = lineEnd + 2
        onAnswer({ code, flags: words.slice(1), value: undefined })
        continue
      }
      const size = Number(words[1])
      if (!Number.isSafeInteger(size)) throw new Error('memcached answered what is not its protocol')
      const end = lineEnd + 2 + size
      if (bytes.length < end + 2) break
      at = end + 2
      onAnswer({ code, flags: words.slice(2), value: bytes.subarray(lineEnd + 2, end) })
    }
    rest = at === 0 ? bytes : bytes.subarray(at)
  }
}

/** A queue without the cost of `Array.shift`. */
class Ring<T> {
  #items: T[] = []
  #head = 0
  get length(): number {
    return this.#items.length - this.#head
  }
  get first(): T | undefined {
    return this.#items[this.#head]
  }
  push(item: T): void {
    this.#items.push(item)
  }
  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    if (++this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
