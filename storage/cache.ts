/**
 * Read-through cache: a value that was read before an invalidation can never be put back after it. A miss hands out a lease
 * (memcached's cas number of an empty entry); the deletion that follows each commit voids it, so a late fill is refused.
 * A server that is away costs time, never an error and never an old answer.
 */
import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import type { Config } from '../infra/config.ts'
import type { Logger } from '../infra/logger.ts'
import { openMemcached } from './memcached.ts'
import type { MemcachedServer } from './memcached.ts'

/** `type.version:id`, such as `token.1:6f0a…`. A new shape takes a new version, so old and new code can run side by side. */
export type CacheKey = `${string}.${number}:${string}`

export interface Cache {
  /**
   * The value, from the cache or by `load`. `load` must read the primary; several callers may share one call of it, which
   * began after all of them asked. What it answers must survive JSON and `schema`; `undefined` is never kept.
   */
  read<T>(
    key: CacheKey,
    options: { readonly ttlSeconds: number },
    load: () => Promise<T>,
    schema: z.ZodType<T>,
  ): Promise<T>
  /**
   * After the commit that makes them old. True: surely gone from the whole cluster. False: a server could not confirm it; this process
   * empties it before it believes it again, the relay repeats the deletion, and the time to live is the last net.
   */
  invalidate(keys: readonly string[]): Promise<boolean>
  /** The server and the name under which a key lies there; undefined without a pool. */
  locate(key: string): { readonly server: MemcachedServer; readonly name: string } | undefined
  close(): void
}

const leaseSeconds = 10
/** How long others wait for the one who fills, between looks. */
const looks = [1, 2, 4, 8, 16, 16]
/** Below memcached's largest item (1 MB by default). */
const mostBytes = 900_000
const mostTtlSeconds = 600

export function openCache(config: Pick<Config, 'memcached' | 'prefix'>, logger: Logger): Cache {
  const servers = config.memcached.map((address) => ({
    server: openMemcached(address, logger),
    seed: hash32(address, 0),
  }))
  const [only] = servers
  const share = openSharing()
  const locate = (key: string) => {
    const name = nameOf(config.prefix, key)
    if (only === undefined) return undefined
    return { server: servers.length === 1 ? only.server : highest(servers, name), name }
  }
  return {
    locate,
    async read<T>(
      key: CacheKey,
      options: { readonly ttlSeconds: number },
      load: () => Promise<T>,
      schema: z.ZodType<T>,
    ): Promise<T> {
      const place = locate(key)
      if (place === undefined) return share(key, load)
      const { server, name } = place
      for (let look = 0; ; look++) {
        const got = await server.get(name, leaseSeconds)
        if (got.state === 'hit') {
          const value = schema.safeParse(parseJson(got.value))
          if (value.success) return value.data
          logger.error(
            { key: key.slice(0, key.indexOf(':')) },
            'a cached value has another shape than its version says',
          )
          await server.remove(name)
        }
        if (got.state === 'won') return fill(server, name, got.lease, options.ttlSeconds, () => share(key, load))
        const pause = looks[look]
        if (got.state !== 'busy' || pause === undefined) return share(key, load)
        await sleep(pause)
      }
    },
    async invalidate(keys) {
      const confirmed = await Promise.all(
        keys.map(async (key) => {
          const place = locate(key)
          return place === undefined || (await place.server.remove(place.name))
        }),
      )
      return confirmed.every(Boolean)
    },
    close() {
      for (const { server } of servers) server.close()
    },
  }
}

async function fill<T>(
  server: MemcachedServer,
  name: string,
  lease: Parameters<MemcachedServer['yield']>[1],
  ttlSeconds: number,
  load: () => Promise<T>,
): Promise<T> {
  let value: T
  try {
    value = await load()
  } catch (error) {
    await server.yield(name, lease)
    throw error
  }
  const bytes = value === undefined ? undefined : Buffer.from(JSON.stringify(value))
  if (bytes === undefined || bytes.length > mostBytes) await server.yield(name, lease)
  else await server.put(name, bytes, Math.min(ttlSeconds, mostTtlSeconds), lease)
  return value
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

/**
 * Lets callers share loads without ever handing out one that began before they asked: while one runs, all newcomers wait
 * for the next.
 */
function openSharing() {
  const loads = new Map<string, { running: Promise<unknown>; next: Promise<unknown> | undefined }>()
  return async function share<T>(key: string, load: () => Promise<T>): Promise<T> {
    const entry = loads.get(key)
    if (entry === undefined) {
      const running = load()
      const mine = { running, next: undefined }
      loads.set(key, mine)
      return running.finally(() => {
        if (loads.get(key) === mine) loads.delete(key)
      })
    }
    entry.next ??= entry.running.then(ignore, ignore).then(() => {
      if (loads.get(key) === entry) loads.delete(key)
      return share(key, load)
    })
    // One key has one loader and one type; the map cannot say so.
    return entry.next as Promise<T>
  }
}

const ignore = () => undefined

const safe = /^[A-Za-z0-9_.:-]{1,100}$/

function nameOf(prefix: string, key: string): string {
  if (safe.test(key)) return `${prefix}:${key}`
  const colon = key.indexOf(':')
  return `${prefix}:${key
    .slice(0, colon)
    .replaceAll(/[^A-Za-z0-9_.-]/g, '_')
    .slice(0, 60)}:~${hash('sha256', key, 'base64url')}`
}

/** Rendezvous hashing: a key belongs to one server, and the loss of a server moves no other key. */
function highest(servers: readonly { server: MemcachedServer; seed: number }[], name: string): MemcachedServer {
  const base = hash32(name, 0)
  let best: MemcachedServer | undefined
  let bestScore = -1
  for (const { server, seed } of servers) {
    const score = mix(base ^ seed)
    if (score > bestScore) {
      best = server
      bestScore = score
    }
  }
  if (best === undefined) throw new Error('there is no cache server')
  return best
}

/** FNV-1a. */
function hash32(text: string, seed: number): number {
  let value = 0x811c9dc5 ^ seed
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}

/** The finishing step of MurmurHash3. */
function mix(value: number): number {
  let mixed = value
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
