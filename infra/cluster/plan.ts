/** What a cluster decides once and keeps in `cluster.json`: ports, passwords, names. */
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ClusterFault } from './fault.ts'
import type { Home } from './home.ts'
import { hashOf, writePrivate } from './home.ts'
import { choosePorts } from './ports.ts'

export type BrokerKind = 'rabbitmq' | 'artemis'

const planSchema = z.object({
  /** Of the whole cluster, as browsers see it; absent when only the servers run. */
  public_url: z.string().optional(),
  broker: z.enum(['rabbitmq', 'artemis']),
  ports: z.record(z.string(), z.number().int()),
  passwords: z.object({ parley: z.string(), replication: z.string(), broker: z.string(), redis: z.string() }),
  /** The first administrator, with the password of the beginning. */
  administrator: z.object({ email: z.string(), password: z.string().optional() }).optional(),
  /** The settings with which a node or a command speaks to this cluster. */
  environment: z.record(z.string(), z.string()),
})

export type Plan = z.infer<typeof planSchema>

export const serverPorts = [
  'db-primary',
  'db-replica',
  'memcached-1',
  'memcached-2',
  'redis',
  'broker',
  'epmd',
  'erlang',
] as const

/** The plan of a home, or undefined when it has none yet. */
export function readPlan(home: Home): Plan | undefined {
  const file = join(home.path, 'cluster.json')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  const parsed = planSchema.safeParse(parseJson(text))
  if (!parsed.success)
    throw new ClusterFault(`${file} is not readable as the plan of a cluster; move it away and start again.`)
  return parsed.data
}

/** Keeps what was decided before where it still holds, decides the rest, and writes it down. */
export async function makePlan(home: Home, broker: BrokerKind, extraPorts: readonly string[] = []): Promise<Plan> {
  const before = readPlan(home)
  const ports = await choosePorts([...serverPorts, ...extraPorts], before?.ports ?? {})
  const passwords = before?.passwords ?? {
    parley: newPassword(),
    replication: newPassword(),
    broker: newPassword(),
    redis: newPassword(),
  }
  const local = (name: string) => `127.0.0.1:${String(ports[name])}`
  const plan: Plan = {
    broker,
    ports: { ...before?.ports, ...ports },
    passwords,
    ...(before?.administrator === undefined ? {} : { administrator: before.administrator }),
    environment: {
      PARLEY_HOME: home.path,
      PARLEY_PRIMARY_URL: `mysql://parley:${passwords.parley}@${local('db-primary')}/parley`,
      PARLEY_REPLICA_URLS: `mysql://parley:${passwords.parley}@${local('db-replica')}/parley`,
      PARLEY_MEMCACHED: `${local('memcached-1')},${local('memcached-2')}`,
      PARLEY_REDIS_URL: `redis://:${passwords.redis}@${local('redis')}`,
      PARLEY_BROKER: broker,
      PARLEY_BROKER_URL: `amqp://parley:${passwords.broker}@${local('broker')}`,
    },
  }
  writePlan(home, plan)
  makeKeys(home)
  return plan
}

export function writePlan(home: Home, plan: Plan): void {
  writePrivate(join(home.path, 'cluster.json'), `${JSON.stringify(plan, null, 2)}\n`)
}

/** The port that the plan gives to `name`. */
export function portOf(plan: Plan, name: string): number {
  const port = plan.ports[name]
  if (port === undefined) throw new ClusterFault(`The plan has no port for ${name}.`)
  return port
}

/** The Erlang node name of this home: two brokers on one machine must not share one. */
export const erlangName = (home: Home): string => `parley-${hashOf(home.path)}@localhost`

// The key file outlives everything else: without it sealed secrets in the database are lost.
function makeKeys(home: Home): void {
  const file = join(home.path, 'keys.json')
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) return
  writePrivate(file, `${JSON.stringify({ current: 'k1', keys: { k1: randomBytes(32).toString('base64') } })}\n`)
}

const newPassword = (): string => randomBytes(24).toString('base64url')

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
