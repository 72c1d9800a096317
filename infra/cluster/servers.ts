/** The servers of a cluster as one thing that is started, watched, hurt on purpose, and stopped. */
import type { Running } from '../lifecycle.ts'
import { ClusterFault } from './fault.ts'
import type { Home } from './home.ts'
import { clearOutside, lockHome, makeHome } from './home.ts'
import { endOrphans } from './orphans.ts'
import type { BrokerKind, Plan } from './plan.ts'
import { makePlan } from './plan.ts'
import type { ProcessSpec } from './process.ts'
import { SupervisedProcess } from './process.ts'
import { artemisSpec } from './servers/artemis.ts'
import { memcachedSpec, redisSpec } from './servers/caches.ts'
import { databaseSpec, installDatabases } from './servers/mariadb.ts'
import { epmdSpec, rabbitmqSpec } from './servers/rabbitmq.ts'
import type { ClusterStatus } from './status.ts'
import { readStatus } from './status.ts'

export interface ServerOptions {
  /** Names of all queues; they are declared on the broker. */
  readonly queues: readonly string[]
  readonly broker?: BrokerKind
  /** Takes one line for each step. */
  readonly log?: (line: string) => void
  /** Is given the set before anything is started, so that it can be watched and stopped from the beginning. */
  readonly onOpen?: (servers: Servers) => void
}

/** A running set of processes. What dies is started again until `stop`. */
export interface Servers extends Running {
  readonly home: string
  /** The PARLEY_* variables with which nodes and tests speak to these servers. */
  readonly env: Readonly<Record<string, string>>
  readonly names: readonly string[]
  /** Kills one process (SIGKILL unless told otherwise); it comes back by itself. */
  kill(name: string, signal?: NodeJS.Signals): void
  /** Stops one process in order and starts it again; resolves when it is ready. */
  restart(name: string): Promise<void>
  /** Freezes one process: its port accepts, nothing answers. */
  pause(name: string): void
  resume(name: string): void
  /** Kills one process and keeps it away until `release`. */
  hold(name: string): Promise<void>
  /** Brings back what was held; resolves when it is ready. */
  release(name: string): Promise<void>
  whenReady(name: string, limitMs?: number): Promise<void>
  status(): Promise<ClusterStatus>
}

/**
 * Starts a database pair, two memcached, Redis and the broker in `path`, and takes the folder for this process.
 * @throws ClusterFault with one line that names cause and log
 */
export async function startServers(path: string, options: ServerOptions): Promise<Servers> {
  const ground = await openGround(path, options, [])
  try {
    await ground.startAll()
    return ground
  } catch (error) {
    await ground.stop()
    throw error
  }
}

/** Folder, lock, plan and servers (not yet started), for this file and for `whole.ts`. */
export async function openGround(path: string, options: ServerOptions, extraPorts: readonly string[]): Promise<Ground> {
  const home = makeHome(path)
  const lock = lockHome(home)
  try {
    const orphans = await endOrphans(home)
    if (orphans > 0) options.log?.(`ended ${String(orphans)} process(es) left by a cluster that was killed`)
    const plan = await makePlan(home, options.broker ?? 'rabbitmq', extraPorts)
    const ground = new Ground(home, plan, lock, options)
    options.onOpen?.(ground)
    return ground
  } catch (error) {
    lock.release()
    throw error
  }
}

export class Ground implements Servers {
  readonly place: Home
  readonly plan: Plan
  readonly #lock: { release(): void }
  readonly #options: ServerOptions
  readonly #processes: SupervisedProcess[] = []
  #stopping: Promise<void> | undefined

  constructor(place: Home, plan: Plan, lock: { release(): void }, options: ServerOptions) {
    this.place = place
    this.plan = plan
    this.#lock = lock
    this.#options = options
  }

  get home(): string {
    return this.place.path
  }
  get env(): Readonly<Record<string, string>> {
    return this.plan.environment
  }
  get names(): readonly string[] {
    return this.#processes.map((one) => one.spec.name)
  }
  get processes(): readonly SupervisedProcess[] {
    return this.#processes
  }

  /** Starts every server; `onPrimary` runs as soon as the primary is there, beside the rest. */
  async startAll(onPrimary: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const { place, plan } = this
    const queues = this.#options.queues
    // The broker takes longest, so it begins first. Order of this list: order of stopping, backwards.
    const broker = async () => {
      if (plan.broker === 'artemis') {
        await this.run(await artemisSpec(place, plan, queues, (line) => this.#options.log?.(line)))
        return
      }
      await this.run(epmdSpec(plan))
      await this.run(rabbitmqSpec(place, plan, queues))
    }
    const databases = async () => {
      await installDatabases(place)
      const primary = this.run(databaseSpec(place, plan, 'db-primary'))
      const replica = this.run(databaseSpec(place, plan, 'db-replica'))
      await primary.then(onPrimary)
      await replica
    }
    await allOrFirstFault([
      broker(),
      databases(),
      this.run(redisSpec(place, plan)),
      this.run(memcachedSpec(plan, 'memcached-1')),
      this.run(memcachedSpec(plan, 'memcached-2')),
    ])
  }

  /** Adds one process and starts it. */
  async run(spec: ProcessSpec): Promise<void> {
    if (this.#stopping !== undefined) throw new ClusterFault('The cluster is stopping.')
    const one = new SupervisedProcess(this.place, spec, (changed) => {
      if (changed.state === 'waiting')
        this.#options.log?.(`${changed.spec.name} died and is started again; see ${changed.logPath}`)
    })
    this.#processes.push(one)
    await one.start()
    this.#options.log?.(`${spec.name} is ready (port ${String(spec.port)})`)
  }

  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#find(name).signal(signal)
  }
  async restart(name: string): Promise<void> {
    const one = this.#find(name)
    await one.stop()
    await one.start()
  }
  pause(name: string): void {
    this.#find(name).signal('SIGSTOP')
  }
  resume(name: string): void {
    this.#find(name).signal('SIGCONT')
  }
  async hold(name: string): Promise<void> {
    const one = this.#find(name)
    const stopped = one.stop()
    one.signal('SIGKILL')
    await stopped
  }
  async release(name: string): Promise<void> {
    await this.#find(name).start()
  }
  async whenReady(name: string, limitMs?: number): Promise<void> {
    await this.#find(name).whenReady(limitMs)
  }
  status(): Promise<ClusterStatus> {
    return readStatus(this.place, this.plan, this.#processes)
  }

  /** Front ends first, then nodes, then servers; databases and broker last, epmd at the very end. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    return this.#stopping
  }

  async #stopAll(): Promise<void> {
    for (const stage of stopStages) {
      const members = this.#processes.filter((one) => stageOf(one.spec.name) === stage)
      await Promise.all(members.map((one) => one.stop()))
    }
    // Anything that a server had started apart from its group.
    await endOrphans(this.place, 1000)
    clearOutside(this.place)
    this.#lock.release()
  }

  #find(name: string): SupervisedProcess {
    const one = this.#processes.find((candidate) => candidate.spec.name === name)
    if (one === undefined) throw new ClusterFault(`There is no process ${name}; there are ${this.names.join(', ')}.`)
    return one
  }
}

const stopStages = ['haproxy', 'httpd', 'node', 'cache', 'store', 'epmd'] as const

function stageOf(name: string): (typeof stopStages)[number] {
  if (name === 'haproxy' || name === 'epmd') return name
  if (name.startsWith('httpd')) return 'httpd'
  if (name.startsWith('memcached') || name === 'redis') return 'cache'
  return name.startsWith('db-') || name === 'broker' ? 'store' : 'node'
}

/** Waits for all, but fails with the first fault at once. */
async function allOrFirstFault(work: readonly Promise<void>[]): Promise<void> {
  await Promise.all(work)
}
