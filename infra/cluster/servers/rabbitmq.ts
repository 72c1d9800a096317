/** RabbitMQ with its AMQP 1.0 plugin, and the port mapper (epmd) that it needs: ours, on the loopback, ended last. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Home } from '../home.ts'
import { writePrivate } from '../home.ts'
import type { Plan } from '../plan.ts'
import { erlangName, portOf } from '../plan.ts'
import { waitForPort } from '../ports.ts'
import type { ProcessSpec } from '../process.ts'

export function epmdSpec(plan: Plan): ProcessSpec {
  const port = portOf(plan, 'epmd')
  return {
    name: 'epmd',
    role: 'port mapper of the broker',
    port,
    command: 'epmd',
    args: ['-address', '127.0.0.1', '-port', String(port)],
    ready: (signal) => waitForPort(port, signal),
  }
}

/** Writes the broker's configuration with all `queues`, durable and replicated by log (quorum). */
export function rabbitmqSpec(home: Home, plan: Plan, queues: readonly string[]): ProcessSpec {
  const base = join(home.path, 'rabbitmq')
  const conf = join(base, 'conf')
  for (const folder of ['conf', 'home', 'mnesia', 'log', 'gen', 'schema'])
    mkdirSync(join(base, folder), { recursive: true, mode: 0o700 })
  const port = portOf(plan, 'broker')
  writePrivate(join(conf, 'enabled_plugins'), '[rabbitmq_amqp1_0].\n')
  writePrivate(join(conf, 'definitions.json'), definitions(plan, queues))
  writePrivate(
    join(conf, 'rabbitmq.conf'),
    [
      `listeners.tcp.1 = 127.0.0.1:${String(port)}`,
      `load_definitions = ${join(conf, 'definitions.json')}`,
      'vm_memory_high_watermark.absolute = 512MiB',
      'disk_free_limit.absolute = 50MB',
      'log.console = true',
      'log.console.level = info',
      'log.file = false',
      '',
    ].join('\n'),
  )
  return {
    name: 'broker',
    role: 'broker',
    port,
    // Not the one in /usr/sbin: that one becomes user rabbitmq and works in /var/lib.
    command: '/usr/lib/rabbitmq/bin/rabbitmq-server',
    args: [],
    env: {
      HOME: join(base, 'home'),
      LANG: 'C.UTF-8',
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_NODENAME: erlangName(home),
      RABBITMQ_MNESIA_BASE: join(base, 'mnesia'),
      RABBITMQ_LOG_BASE: join(base, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(conf, 'enabled_plugins'),
      RABBITMQ_CONFIG_FILE: join(conf, 'rabbitmq.conf'),
      RABBITMQ_ADVANCED_CONFIG_FILE: join(conf, 'advanced.config'),
      RABBITMQ_GENERATED_CONFIG_DIR: join(base, 'gen'),
      RABBITMQ_SCHEMA_DIR: join(base, 'schema'),
      RABBITMQ_PID_FILE: join(base, 'pid'),
      RABBITMQ_DIST_PORT: String(portOf(plan, 'erlang')),
      ERL_EPMD_PORT: String(portOf(plan, 'epmd')),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      // Makes the start script become the server, so that the pid we know is the server's.
      RUNNING_UNDER_SYSTEMD: 'true',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
        '-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false +sbwt none +sbwtdcpu none +sbwtdio none',
    },
    async ready(signal) {
      await waitForAmqp(port, signal)
      await waitForNames(join(base, 'settled'), queues, signal)
    },
    stopLimitMs: 15_000,
  }
}

/**
 * The broker writes the names of new quorum queues to disk up to a second after it has made them; killed before that, a
 * queue never gets a leader again. So the first start with a queue takes a moment longer.
 */
async function waitForNames(mark: string, queues: readonly string[], signal: AbortSignal): Promise<void> {
  const names = [...queues].sort().join('\n')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === names) return
  await sleep(1_500, undefined, { signal })
  writePrivate(mark, names)
}

/** Resolves when the broker answers the AMQP 1.0 header: its port opens a little before the plugin is there. */
export async function waitForAmqp(port: number, signal: AbortSignal): Promise<void> {
  while (!(await answersAmqp(port))) await sleep(100, undefined, { signal })
}

function answersAmqp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 2000 })
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    // "AMQP", protocol 3 (SASL), version 1.0.0.
    socket.once('connect', () => socket.write(Buffer.from([0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0])))
    socket.once('data', (data) => {
      done(data.subarray(0, 4).toString('latin1') === 'AMQP' && data[4] === 3)
    })
    socket.once('timeout', () => {
      done(false)
    })
    socket.once('error', () => {
      done(false)
    })
    socket.once('close', () => {
      done(false)
    })
  })
}

function definitions(plan: Plan, queues: readonly string[]): string {
  return JSON.stringify({
    users: [{ name: 'parley', password: plan.passwords.broker, tags: '' }],
    vhosts: [{ name: '/' }],
    permissions: [{ user: 'parley', vhost: '/', configure: '.*', write: '.*', read: '.*' }],
    queues: queues.map((name) => ({
      name,
      vhost: '/',
      durable: true,
      auto_delete: false,
      arguments: { 'x-queue-type': 'quorum' },
    })),
  })
}
