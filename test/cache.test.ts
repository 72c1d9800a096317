import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { silentLogger } from '../infra/logger.ts'
import { openCache } from '../storage/cache.ts'
import type { Cache, CacheKey } from '../storage/cache.ts'

const shape = z.object({ version: z.number() })
const ttl = { ttlSeconds: 600 }

/** Two memcached of our own, since they are killed and frozen. */
const ports: number[] = []
const processes: ChildProcess[] = []

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function start(index: number): Promise<void> {
  const port = ports[index]!
  const asRoot = process.getuid?.() === 0 ? ['-u', 'root'] : []
  processes[index] = spawn(
    'memcached',
    ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-m', '16', '-t', '1', ...asRoot],
    { stdio: 'ignore' },
  )
  for (let tries = 0; tries < 200; tries++) {
    const socket = connect(port, '127.0.0.1')
    const isUp = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isUp) return
    await sleep(10)
  }
  throw new Error('memcached did not start')
}

async function kill(index: number): Promise<void> {
  const process = processes[index]!
  process.kill('SIGKILL')
  if (process.exitCode === null && process.signalCode === null) await once(process, 'exit')
}

let prefix = 0
const open = (name: string, servers = ports): Cache =>
  openCache({ memcached: servers.map((port) => `127.0.0.1:${String(port)}`), prefix: name }, silentLogger)

beforeAll(async () => {
  ports.push(await freePort(), await freePort())
  await Promise.all([start(0), start(1)])
})
afterAll(async () => {
  await Promise.all([kill(0), kill(1)])
})

describe('the cache', () => {
  it('loads once, and again after an invalidation', async () => {
    const cache = open(`p${String(++prefix)}`)
    let version = 0
    const read = () => cache.read('thing.1:a', ttl, () => Promise.resolve({ version: ++version }), shape)
    expect([await read(), await read(), await read()]).toEqual([{ version: 1 }, { version: 1 }, { version: 1 }])
    expect(await cache.invalidate(['thing.1:a'])).toBe(true)
    expect([await read(), await read()]).toEqual([{ version: 2 }, { version: 2 }])
    cache.close()
  })

  it('refuses the fill of a reader that was overtaken by a write', async () => {
    const name = `p${String(++prefix)}`
    const [slow, other] = [open(name), open(name)]
    let truth = 1
    let go: () => void = () => undefined
    const held = new Promise<void>((resolve) => (go = resolve))
    const late = slow.read(
      'thing.1:a',
      ttl,
      async () => {
        const seen = truth
        await held
        return { version: seen }
      },
      shape,
    )
    await sleep(20)
    truth = 2
    expect(await other.invalidate(['thing.1:a'])).toBe(true)
    go()
    expect(await late).toEqual({ version: 1 })
    const now = () => Promise.resolve({ version: truth })
    expect(await other.read('thing.1:a', ttl, now, shape)).toEqual({ version: 2 })
    expect(await slow.read('thing.1:a', ttl, () => Promise.resolve({ version: -1 }), shape)).toEqual({ version: 2 })
    slow.close()
    other.close()
  })

  it('lets one of many readers fill, and gives nobody a load that began before they asked', async () => {
    const name = `p${String(++prefix)}`
    const caches = [open(name), open(name), open(name)]
    let loads = 0
    const load = async () => {
      loads++
      await sleep(10)
      return { version: 7 }
    }
    const values = await Promise.all(
      Array.from({ length: 300 }, (_, index) => caches[index % 3]!.read('thing.1:a', ttl, load, shape)),
    )
    expect(values.every(({ version }) => version === 7)).toBe(true)
    expect(loads).toBeLessThanOrEqual(3)
    for (const cache of caches) cache.close()
  })

  it('keeps no failure, no undefined, and no value of another shape', async () => {
    const cache = open(`p${String(++prefix)}`)
    const optional = shape.optional()
    await expect(cache.read('thing.1:a', ttl, () => Promise.reject(new Error('away')), shape)).rejects.toThrow('away')
    expect(await cache.read('thing.1:a', ttl, () => Promise.resolve(undefined), optional)).toBeUndefined()
    expect(await cache.read<unknown>('thing.1:a', ttl, () => Promise.resolve('text'), z.unknown())).toBe('text')
    expect(await cache.read('thing.1:a', ttl, () => Promise.resolve({ version: 3 }), shape)).toEqual({ version: 3 })
    const large = 'ü'.repeat(1_000_000)
    expect(await cache.read<unknown>('thing.1:big', ttl, () => Promise.resolve(large), z.unknown())).toBe(large)
    const odd: CacheKey = 'thing.1:\r\nflush_all\r\n ü 🐙'
    expect(await cache.read<unknown>(odd, ttl, () => Promise.resolve('é🐙\r\nEND\r\n'), z.unknown())).toBe(
      'é🐙\r\nEND\r\n',
    )
    expect(await cache.read<unknown>(odd, ttl, () => Promise.resolve('other'), z.unknown())).toBe('é🐙\r\nEND\r\n')
    cache.close()
  })

  it('answers without a server, quickly, and with a frozen one', async () => {
    const nobody = open('x', [await freePort()])
    const begin = performance.now()
    for (let turn = 0; turn < 100; turn++)
      expect(await nobody.read('thing.1:a', ttl, () => Promise.resolve({ version: turn }), shape)).toEqual({
        version: turn,
      })
    expect(performance.now() - begin).toBeLessThan(1_000)
    expect(await nobody.invalidate(['thing.1:a'])).toBe(false)
    nobody.close()

    const cache = open(`p${String(++prefix)}`, ports.slice(0, 1))
    let truth = 1
    const load = () => Promise.resolve({ version: truth })
    await cache.read('thing.1:a', ttl, load, shape)
    await cache.read('thing.1:b', ttl, load, shape)
    processes[0]!.kill('SIGSTOP')
    // The signal takes effect a moment after it was sent.
    await sleep(100)
    truth = 2
    expect(await cache.invalidate(['thing.1:a'])).toBe(false)
    // The second deletion is not even sent: the server is being passed over.
    expect(await cache.invalidate(['thing.1:b'])).toBe(false)
    expect(await cache.read('thing.1:a', ttl, load, shape)).toEqual({ version: 2 })
    processes[0]!.kill('SIGCONT')
    await sleep(400)
    for (let turn = 0; turn < 20; turn++) {
      expect(await cache.read('thing.1:a', ttl, load, shape)).toEqual({ version: 2 })
      expect(await cache.read('thing.1:b', ttl, load, shape)).toEqual({ version: 2 })
    }
    cache.close()
  })

  it('refuses the fill of a lease that a restarted server has handed out again under the same number', async () => {
    const name = `p${String(++prefix)}`
    const [slow, other] = [open(name, ports.slice(0, 1)), open(name, ports.slice(0, 1))]
    const restart = async () => {
      await kill(0)
      await start(0)
      await sleep(300)
    }
    const held = (version: number) => {
      let go: () => void = () => undefined
      const gate = new Promise<void>((resolve) => (go = resolve))
      return { go: () => go(), load: () => gate.then(() => ({ version })) }
    }
    await restart()
    const [old, current] = [held(1), held(2)]
    const late = slow.read('thing.1:a', ttl, old.load, shape)
    await sleep(50)
    await restart()
    const filling = other.read('thing.1:a', ttl, current.load, shape)
    await sleep(50)
    // Connected again, as any busy node is.
    await slow.read('thing.1:z', ttl, () => Promise.resolve({ version: 0 }), shape)
    old.go()
    expect(await late).toEqual({ version: 1 })
    current.go()
    expect(await filling).toEqual({ version: 2 })
    expect(await slow.read('thing.1:a', ttl, () => Promise.resolve({ version: 3 }), shape)).toEqual({ version: 2 })
    slow.close()
    other.close()
  })

  it('never shows a value older than the last invalidation that was completed, while servers are killed and frozen', async () => {
    const name = `p${String(++prefix)}`
    const caches = Array.from({ length: 5 }, () => open(name))
    const keys = Array.from({ length: 6 }, (_, index): CacheKey => `thing.1:${String(index)}`)
    const truth = keys.map(() => 0)
    const floor = keys.map(() => 0)
    const counts = { reads: 0, loads: 0, writes: 0, confirmed: 0, older: 0, kills: 0 }
    const until = Date.now() + 8_000
    const pick = (most: number) => Math.floor(Math.random() * most)
    const load = (key: number) => async () => {
      counts.loads++
      await sleep(pick(2))
      const version = truth[key]!
      // Old by the time that it is stored, quite often.
      if (pick(3) === 0) await sleep(pick(12))
      return { version }
    }
    const reader = async () => {
      while (Date.now() < until) {
        const key = pick(keys.length)
        const least = floor[key]!
        const { version } = await caches[pick(caches.length)]!.read(keys[key]!, ttl, load(key), shape)
        counts.reads++
        if (version < least) counts.older++
        if (pick(20) === 0) await sleep(pick(5))
      }
    }
    const writer = async () => {
      while (Date.now() < until) {
        const key = pick(keys.length)
        const version = ++truth[key]!
        counts.writes++
        if (await caches[pick(caches.length)]!.invalidate([keys[key]!])) {
          counts.confirmed++
          floor[key] = Math.max(floor[key]!, version)
        }
        await sleep(pick(8))
      }
    }
    const enemy = async () => {
      while (Date.now() < until - 2_000) {
        await sleep(700)
        const server = counts.kills % 2
        counts.kills++
        if (counts.kills % 3 === 0) {
          processes[server]!.kill('SIGSTOP')
          await sleep(300)
          processes[server]!.kill('SIGCONT')
        } else {
          await kill(server)
          await sleep(pick(200))
          await start(server)
        }
      }
    }
    await Promise.all([...Array.from({ length: 24 }, reader), ...Array.from({ length: 3 }, writer), enemy()])
    // In the end everyone sees what is true, also where a deletion was not confirmed.
    for (const cache of caches) await Promise.all(keys.map((key, index) => cache.read(key, ttl, load(index), shape)))
    await sleep(600)
    for (const cache of caches) await Promise.all(keys.map((key, index) => cache.read(key, ttl, load(index), shape)))
    await sleep(200)
    const wrong: unknown[] = []
    for (const cache of caches) {
      for (const [index, key] of keys.entries()) {
        const { version } = await cache.read(key, ttl, load(index), shape)
        if (version !== truth[index]) wrong.push({ key, version, truth: truth[index] })
      }
    }
    console.log('cache race', JSON.stringify(counts))
    expect(wrong).toEqual([])
    expect(counts.older).toBe(0)
    expect(counts.reads).toBeGreaterThan(5_000)
    expect(counts.loads).toBeLessThan(counts.reads)
    expect(counts.confirmed).toBeGreaterThan(200)
    expect(counts.kills).toBeGreaterThan(4)
    for (const cache of caches) cache.close()
  })
})
