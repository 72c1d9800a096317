/**
 * Reads the environment once. Every setting of Parley is declared here and nowhere else; the reference page and
 * `.env.example` are generated from this schema.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'

/** A value that never shows itself: printing, JSON and inspection give `[secret]`. */
export class Secret {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return '[secret]'
  }
  toJSON(): string {
    return '[secret]'
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

const secret = z.string().transform((value) => new Secret(value))
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
)
const flag = z.enum(['0', '1']).transform((text) => text === '1')
const port = z.coerce.number().int().min(0).max(65535)

/** Every environment variable that Parley reads, with what it means. */
export const settings = {
  PARLEY_HOME: z.string().default('.parley').describe('Data folder of this cluster: databases, logs, documents, keys.'),
  PARLEY_PORT: port.default(8080).describe('Public port of the local cluster; every other port is chosen free.'),
  PARLEY_NODE: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .default('node-1')
    .describe('Name of this node, unique in the cluster.'),
  PARLEY_LISTEN_HOST: z.string().default('127.0.0.1').describe('Address this node listens on.'),
  PARLEY_LISTEN_PORT: port.default(0).describe('Port this node listens on (0: a free one).'),
  PARLEY_DRAIN_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(1000)
    .describe('How long a node that was told to stop answers "not ready" before it closes its doors.'),
  PARLEY_PUBLIC_URL: z
    .url()
    .optional()
    .describe(
      'Address under which browsers and networks reach the cluster (default: http://127.0.0.1 with the public port).',
    ),
  PARLEY_PRIMARY_URL: secret.optional().describe('Primary database: mysql://user:password@host:port/database.'),
  PARLEY_REPLICA_URLS: list
    .default([])
    .transform((urls) => urls.map((url) => new Secret(url)))
    .describe('Replicas, comma separated, as the primary.'),
  PARLEY_MEMCACHED: list.default([]).describe('memcached pool: host:port, comma separated. Empty: no cache.'),
  PARLEY_REDIS_URL: secret.optional().describe('Redis for BullMQ: redis://host:port.'),
  PARLEY_BROKER: z
    .enum(['rabbitmq', 'artemis'])
    .default('rabbitmq')
    .describe('Which AMQP 1.0 broker is run and spoken to.'),
  PARLEY_BROKER_URL: secret.optional().describe('Broker: amqp://user:password@host:port.'),
  PARLEY_PREFIX: z
    .string()
    .regex(/^[a-z0-9_]{0,24}$/)
    .default('')
    .describe('Put before every queue and cache key, so that several installations share servers.'),
  PARLEY_DOCUMENTS: z
    .string()
    .optional()
    .describe('Folder of documents, shared by all nodes (default: documents in the data folder).'),
  PARLEY_KEYS: z.string().optional().describe('Key file for sealing secrets (default: keys.json in the data folder).'),
  PARLEY_NETWORK_HOSTS: list
    .default([])
    .describe("host:port list that an api_base_url may name besides the networks' own hosts."),
  PARLEY_SANDBOX_URL: z.url().optional().describe('Where the sandbox networks listen, when they are run.'),
  PARLEY_RECEIVED_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(30)
    .describe('Days for which the log of what the networks sent is kept; messages stay for ever.'),
  PARLEY_TRUSTED_PROXIES: list
    .default(['127.0.0.1/32', '::1/128'])
    .describe('Proxies whose X-Forwarded-* headers are believed.'),
  PARLEY_DEMO: flag.default(false).describe('1: demo data and sandbox networks.'),
  PARLEY_ADMIN_EMAIL: z.email().default('admin@parley.example').describe('First administrator.'),
  PARLEY_ADMIN_PASSWORD: secret.optional().describe('Password of the first administrator (default: generated).'),
  PARLEY_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least serious level that is logged.'),
} as const

/** The validated settings; frozen. */
export type Config = Readonly<ReturnType<typeof parseSettings>>

/** One line for each fault found in the environment. */
export class ConfigError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`The configuration has ${String(faults.length)} fault(s):\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/**
 * Validates `environment` (default: the process's own) and lists every fault at once.
 * @throws ConfigError
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  return Object.freeze(parseSettings(environment))
}

function parseSettings(environment: Readonly<Record<string, string | undefined>>) {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name in settings && value !== ''),
  )
  const parsed = z.object(settings).safeParse(present)
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`))
  }
  const s = parsed.data
  const home = resolve(s.PARLEY_HOME)
  return {
    home,
    port: s.PARLEY_PORT,
    node: s.PARLEY_NODE,
    listen: { host: s.PARLEY_LISTEN_HOST, port: s.PARLEY_LISTEN_PORT },
    publicUrl: (s.PARLEY_PUBLIC_URL ?? `http://127.0.0.1:${String(s.PARLEY_PORT)}`).replace(/\/$/, ''),
    drainMs: s.PARLEY_DRAIN_MS,
    primaryUrl: s.PARLEY_PRIMARY_URL,
    replicaUrls: s.PARLEY_REPLICA_URLS,
    memcached: s.PARLEY_MEMCACHED,
    redisUrl: s.PARLEY_REDIS_URL,
    broker: s.PARLEY_BROKER,
    brokerUrl: s.PARLEY_BROKER_URL,
    prefix: s.PARLEY_PREFIX,
    documents: resolve(s.PARLEY_DOCUMENTS ?? `${home}/documents`),
    keys: resolve(s.PARLEY_KEYS ?? `${home}/keys.json`),
    networkHosts: s.PARLEY_NETWORK_HOSTS,
    sandboxUrl: s.PARLEY_SANDBOX_URL?.replace(/\/$/, ''),
    receivedDays: s.PARLEY_RECEIVED_DAYS,
    trustedProxies: s.PARLEY_TRUSTED_PROXIES,
    demo: s.PARLEY_DEMO,
    admin: { email: s.PARLEY_ADMIN_EMAIL, password: s.PARLEY_ADMIN_PASSWORD },
    logLevel: s.PARLEY_LOG_LEVEL,
    version,
  }
}

/** The version of this code, from package.json. */
export const version: string = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))).version
