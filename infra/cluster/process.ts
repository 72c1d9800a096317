/** One child process that is kept alive: what dies is started again, after a pause that doubles from 200 ms to 10 s. */
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import { ClusterFault } from './fault.ts'
import type { Home } from './home.ts'
import { openLog } from './home.ts'
import { mark, removePid, writePid, searchPath } from './orphans.ts'

export type ProcessState = 'stopped' | 'starting' | 'ready' | 'paused' | 'waiting' | 'stopping'

/** How to run one process. */
export interface ProcessSpec {
  readonly name: string
  readonly role: string
  readonly port: number
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Resolves when it can be used; is ended by the signal when the process dies first. */
  readonly ready: (signal: AbortSignal) => Promise<void>
  readonly stopSignal?: NodeJS.Signals
  /** How long it may take to stop before it is killed. */
  readonly stopLimitMs?: number
}

const startLimitMs = 60_000
const firstPauseMs = 200
const longestPauseMs = 10_000
const healthyAfterMs = 30_000

// So that a child ends with a supervisor that is killed: the kernel sends it SIGTERM when its parent dies.
const endWithParent = spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true'], { stdio: 'ignore' }).status === 0

/** What a child inherits from our environment; everything else is given to it by name. */
const inherited = ['LANG', 'LC_ALL', 'TZ', 'JAVA_HOME']

export class SupervisedProcess {
  readonly spec: ProcessSpec
  readonly logPath: string
  readonly #home: Home
  readonly #onChange: (process: SupervisedProcess) => void
  #child: ChildProcess | undefined
  #state: ProcessState = 'stopped'
  #wanted = false
  #hasBeenReady = false
  #restarts = 0
  #pauseMs = firstPauseMs
  #startedAt: Date | undefined
  #restartTimer: NodeJS.Timeout | undefined

  constructor(home: Home, spec: ProcessSpec, onChange: (process: SupervisedProcess) => void = () => undefined) {
    this.spec = spec
    this.#home = home
    this.#onChange = onChange
    this.logPath = `${home.log}/${spec.name}.log`
  }

  get state(): ProcessState {
    return this.#state
  }
  get restarts(): number {
    return this.#restarts
  }
  get pid(): number | undefined {
    return this.#child?.pid
  }
  get startedAt(): Date | undefined {
    return this.#startedAt
  }

  /** Starts it and waits until it can be used; from then on it is kept alive. @throws ClusterFault */
  async start(): Promise<void> {
    if (this.#wanted) return
    this.#wanted = true
    this.#hasBeenReady = false
    try {
      await this.#launch()
      this.#hasBeenReady = true
    } catch (error) {
      await this.stop()
      throw error instanceof ClusterFault
        ? error
        : new ClusterFault(`${this.spec.name} did not start: ${messageOf(error)}; see ${this.logPath}`, {
            cause: error,
          })
    }
  }

  /** Stops it for good: the stop signal first, SIGKILL for the whole group after the limit. */
  async stop(): Promise<void> {
    this.#wanted = false
    clearTimeout(this.#restartTimer)
    const child = this.#child
    if (child === undefined) {
      this.#set('stopped')
      return
    }
    this.#set('stopping')
    const gone = new Promise<void>((resolve) =>
      child.once('exit', () => {
        resolve()
      }),
    )
    if (child.exitCode !== null || child.signalCode !== null) return
    this.signal('SIGCONT')
    child.kill(this.spec.stopSignal ?? 'SIGTERM')
    const limit = setTimeout(() => {
      this.signal('SIGKILL')
    }, this.spec.stopLimitMs ?? 8000)
    await gone
    clearTimeout(limit)
  }

  /** Sends `name` to the process and those it started; says whether there was one. */
  signal(name: NodeJS.Signals): boolean {
    const pid = this.#child?.pid
    if (pid === undefined) return false
    if (name === 'SIGSTOP') this.#set('paused')
    if (name === 'SIGCONT' && this.#state === 'paused') this.#set('ready')
    return signalGroup(pid, name)
  }

  /** Resolves when the process is ready (again). @throws ClusterFault after `limitMs` */
  async whenReady(limitMs = startLimitMs): Promise<void> {
    const until = Date.now() + limitMs
    while (this.#state !== 'ready') {
      if (Date.now() > until)
        throw new ClusterFault(`${this.spec.name} is not ready after ${String(limitMs / 1000)} s; see ${this.logPath}`)
      await sleep(20)
    }
  }

  async #launch(): Promise<void> {
    const { spec } = this
    const log = openLog(this.#home, spec.name)
    const env: Record<string, string> = { HOME: this.#home.tmp, ...spec.env, [mark]: this.#home.path }
    env['PATH'] ??= searchPath
    for (const name of inherited) {
      const value = process.env[name]
      if (value !== undefined) env[name] ??= value
    }
    const [command, args] = endWithParent
      ? ['setpriv', ['--pdeathsig', 'TERM', '--', spec.command, ...spec.args]]
      : [spec.command, [...spec.args]]
    // Its own group: a Ctrl-C at the terminal reaches only the supervisor, which stops everything in order.
    const child = spawn(command, args, {
      cwd: spec.cwd ?? this.#home.path,
      env,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    closeSync(log.fd)
    this.#child = child
    this.#startedAt = new Date()
    this.#set('starting')
    const dead = new AbortController()
    const died = new Promise<never>((_, reject) => {
      const end = (how: string) => {
        this.#onExit(child)
        reject(new ClusterFault(`${spec.name} ended while starting (${how}); see ${this.logPath}`))
        dead.abort()
      }
      child.once('error', (error) => {
        end(messageOf(error))
      })
      child.once('exit', (code, signal) => {
        end(signal ?? `exit ${String(code)}`)
      })
    })
    died.catch(() => undefined)
    if (child.pid !== undefined) writePid(this.#home, spec.name, child.pid)
    const limit = setTimeout(() => {
      dead.abort()
    }, startLimitMs)
    try {
      const { signal } = dead
      await Promise.race([
        spec.ready(signal).catch((error: unknown) => {
          if (!signal.aborted) throw error
          throw new ClusterFault(
            `${spec.name} did not come up within ${String(startLimitMs / 1000)} s; see ${this.logPath}`,
          )
        }),
        died,
      ])
      // As of another state only when it was stopped or paused meanwhile.
      if (this.#child === child && this.#state === 'starting') this.#set('ready')
    } finally {
      clearTimeout(limit)
    }
  }

  #onExit(child: ChildProcess): void {
    if (this.#child !== child) return
    // Whatever it had started must not outlive it: the next one wants the same port and files.
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL')
    removePid(this.#home, this.spec.name)
    this.#child = undefined
    // One that never came up has a fault that another try does not mend: `start` reports it.
    if (!this.#wanted || !this.#hasBeenReady) {
      this.#set('stopped')
      return
    }
    if (Date.now() - (this.#startedAt?.getTime() ?? 0) > healthyAfterMs) this.#pauseMs = firstPauseMs
    this.#restarts += 1
    this.#set('waiting')
    this.#restartTimer = setTimeout(() => {
      this.#launch().catch(() => {
        // Dead ones come back by #onExit; one that hangs is ended, and then comes back in the same way.
        this.signal('SIGKILL')
      })
    }, this.#pauseMs)
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs)
  }

  #set(state: ProcessState): void {
    if (this.#state === state) return
    this.#state = state
    this.#onChange(this)
  }
}

function signalGroup(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, name)
    return true
  } catch {
    return false
  }
}
