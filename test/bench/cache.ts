/** A cached read beside a bare get of the same bytes on the same pool, interleaved, 32 at once: reads a second, medians. */
import { hash } from 'node:crypto'
import { connect } from 'node:net'
import { z } from 'zod'
import { readConfig } from '../../infra/config.ts'
import { silentLogger } from '../../infra/logger.ts'
import { openCache } from '../../storage/cache.ts'
import type { Cache, CacheKey } from '../../storage/cache.ts'
import { median } from './fresh.ts'
import type { BenchResult } from './run.ts'

const shape = z.object({ id: z.string(), accountId: z.string(), name: z.string(), role: z.string(), text: z.string() })

const atOnce = 32
const reads = 20_000
const rounds = 15
const names = 100

/** `limit`: the shortest possible client, one socket per server, one write for all `get`s of a turn, no parsing of the value. */
export async function run(): Promise<BenchResult> {
  const config = readConfig()
  const cache = openCache(config, silentLogger)
  const value = {
    id: hash('sha256', 'id'),
    accountId: hash('sha256', 'account'),
    name: 'Ada',
    role: 'agent',
    text: 'x'.repeat(800),
  }
  const keys = Array.from({ length: names }, (_, index): CacheKey => `bench.1:${String(index)}`)
  const places = keys.map((key) => placeOf(cache, key))
  const bare = new Map(
    [...new Set(places.map(({ address }) => address))].map((address) => [address, openBare(address)]),
  )
  const ours: number[] = []
  const limit: number[] = []
  try {
    for (let round = 0; round <= rounds; round++) {
      const own = await rate((index) =>
        cache.read(keys[index % names]!, { ttlSeconds: 600 }, () => Promise.resolve(value), shape),
      )
      const raw = await rate((index) => {
        const place = places[index % names]!
        return bare.get(place.address)!.get(place.name)
      })
      // The first round warms up.
      if (round === 0) continue
      ours.push(own)
      limit.push(raw)
    }
  } finally {
    cache.close()
    for (const client of bare.values()) client.close()
  }
  const [a, b] = [median(ours), median(limit)]
  return { name: 'cache', ours: Math.round(a), limit: Math.round(b), ratio: a / b, unit: 'reads/s', runs: rounds }
}

function placeOf(cache: Cache, key: string): { address: string; name: string } {
  const place = cache.locate(key)
  if (place === undefined) throw new Error('PARLEY_MEMCACHED names no server')
  return { address: place.server.address, name: place.name }
}

async function rate(read: (index: number) => Promise<unknown>): Promise<number> {
  let next = 0
  const begin = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < reads) await read(next++)
    }),
  )
  return (reads * 1000) / (performance.now() - begin)
}

function openBare(address: string) {
  const [host, port] = address.split(':')
  const socket = connect({ host: host ?? '', port: Number(port), noDelay: true })
  const waiting: ((value: Buffer) => void)[] = []
  let rest: Buffer = Buffer.alloc(0)
  let out = ''
  const flush = () => {
    socket.write(out, 'latin1')
    out = ''
  }
  socket.on('data', (chunk: Buffer) => {
    let bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      const line = bytes.indexOf('\r\n')
      if (line < 0) break
      const size = Number(bytes.toString('latin1', bytes.lastIndexOf(' ', line) + 1, line))
      const end = line + 2 + size + 7
      if (bytes.length < end) break
      waiting.shift()?.(bytes.subarray(line + 2, line + 2 + size))
      bytes = bytes.subarray(end)
    }
    rest = bytes
  })
  return {
    get: (name: string) =>
      new Promise<Buffer>((resolve) => {
        waiting.push(resolve)
        if (out === '') process.nextTick(flush)
        out += `get ${name}\r\n`
      }),
    close: () => {
      socket.destroy()
    },
  }
}
