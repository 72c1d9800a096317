/** memcached and Redis: what they hold can be rebuilt from the database. */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from '../home.ts'
import { writePrivate } from '../home.ts'
import type { Plan } from '../plan.ts'
import { portOf } from '../plan.ts'
import { waitForPort } from '../ports.ts'
import type { ProcessSpec } from '../process.ts'

export function memcachedSpec(plan: Plan, name: 'memcached-1' | 'memcached-2'): ProcessSpec {
  const port = portOf(plan, name)
  return {
    name,
    role: 'cache',
    port,
    command: 'memcached',
    // Root must be asked for by name; the address is the loopback only, UDP is off.
    args: [
      ...(process.getuid?.() === 0 ? ['-u', 'root'] : []),
      '-l',
      '127.0.0.1',
      '-p',
      String(port),
      '-U',
      '0',
      '-m',
      '64',
      '-c',
      '1024',
      '-t',
      '1',
    ],
    ready: (signal) => waitForPort(port, signal),
  }
}

export function redisSpec(home: Home, plan: Plan): ProcessSpec {
  const port = portOf(plan, 'redis')
  const data = join(home.path, 'redis')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  // The server is in the package of the tools, under the name by which it is called.
  const program = join(home.run, 'redis-server')
  rmSync(program, { force: true })
  symlinkSync('/usr/bin/redis-check-rdb', program)
  // A file, because arguments can be read by every user of the machine.
  const config = join(home.run, 'redis.conf')
  writePrivate(
    config,
    [
      `port ${String(port)}`,
      'bind 127.0.0.1',
      `dir "${data}"`,
      `requirepass ${plan.passwords.redis}`,
      'appendonly yes',
      'appendfsync everysec',
      'save ""',
      // BullMQ must never lose a key to eviction.
      'maxmemory-policy noeviction',
      'set-proc-title no',
      '',
    ].join('\n'),
  )
  return {
    name: 'redis',
    role: 'job queue',
    port,
    command: program,
    args: [config],
    ready: (signal) => waitForPort(port, signal),
  }
}
