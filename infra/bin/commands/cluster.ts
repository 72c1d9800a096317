/** `parley cluster up|down|status|kill|pause|resume|restart`. */
import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startServers } from '../../cluster/servers.ts'
import { askSupervisor } from '../../cluster/control.ts'
import { ClusterFault } from '../../cluster/fault.ts'
import { locateHome, makeHome, openLog } from '../../cluster/home.ts'
import { printStatus } from '../../cluster/status.ts'
import { stopCluster, superviseCluster } from '../../cluster/supervisor.ts'
import { startCluster } from '../../cluster/cluster.ts'
import { readConfig } from '../../config.ts'
import { messageOf } from '../../errors.ts'
import { ownSettings } from '../settings.ts'
import { UsageError } from '../usage.ts'

export async function cluster(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      detach: { type: 'boolean' },
      servers: { type: 'boolean' },
      json: { type: 'boolean' },
      began: { type: 'string' },
    },
  })
  const [action, name] = positionals
  if (values.began !== undefined) began = Number(values.began)
  // In a local cluster the demo is on unless it was switched off.
  const config = readConfig({ PARLEY_DEMO: '1', ...ownSettings() })
  switch (action) {
    case 'up':
      return values.detach === true ? upDetached(config.home, args) : upTelling(config, values.servers === true)
    case 'down':
      process.stdout.write(`${await stopCluster(config.home)}\n`)
      return 0
    case 'status':
      return status(config.home, values.json === true)
    case 'kill':
    case 'pause':
    case 'resume':
    case 'restart': {
      if (name === undefined) throw new UsageError(`parley cluster ${action} wants the name of a process.`)
      const answer = await askSupervisor(locateHome(config.home), { command: action, name })
      if (answer === undefined) throw notRunning(config.home)
      return 0
    }
    default:
      throw new UsageError(`parley cluster does not know "${action ?? ''}".`)
  }
}

// A parent that waits for the daemon shows its fault.
async function upTelling(config: ReturnType<typeof readConfig>, serversOnly: boolean): Promise<number> {
  try {
    return await up(config, serversOnly)
  } catch (error) {
    await tellParent({ line: `parley: ${messageOf(error)}`, ready: false })
    throw error
  }
}

async function up(config: ReturnType<typeof readConfig>, serversOnly: boolean): Promise<number> {
  const { queueNames } = await import('../../../messaging/broker/queues.ts')
  const report = reporter()
  await superviseCluster(
    config.home,
    async (onOpen) => {
      const servers = { queues: queueNames, broker: config.broker, log: report, onOpen }
      if (serversOnly) {
        const started = await startServers(config.home, servers)
        announce([`ready (servers only) ${started.home}/cluster.json`])
        return
      }
      const own = ownSettings()
      const publicUrl = own['PARLEY_PUBLIC_URL']
      const started = await startCluster(config.home, {
        ...servers,
        port: config.port,
        host: config.listen.host,
        demo: config.demo,
        settings: own,
        ...(publicUrl === undefined ? {} : { publicUrl }),
      })
      const { email, password } = started.administrator
      announce([`ready ${started.publicUrl}`, `administrator ${email}  password ${password ?? '(as set before)'}`])
    },
    report,
  )
  return 0
}

/** Starts the supervisor as a daemon, shows its progress, returns once it is ready. */
async function upDetached(home: string, args: readonly string[]): Promise<number> {
  const log = openLog(makeHome(home), 'supervisor')
  const program = process.argv[1]
  if (program === undefined) throw new Error('This program does not know its own name.')
  const child = spawn(process.execPath, [program, 'cluster', ...args.filter((arg) => arg !== '--detach')], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  })
  closeSync(log.fd)
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if (typeof message !== 'object' || !('line' in message)) return
      process.stdout.write(`${String(message.line)}\n`)
      if ('ready' in message && message.ready === true) {
        child.disconnect()
        child.unref()
        resolve(0)
      }
    })
    child.once('exit', (code) => {
      process.stderr.write(`parley: the cluster did not start; see ${log.path}\n`)
      resolve(code ?? 1)
    })
  })
}

async function status(path: string, json: boolean): Promise<number> {
  const home = locateHome(path)
  const answer = await askSupervisor(home, { command: 'status' })
  if (answer?.status === undefined) {
    if (!json) throw notRunning(path)
    process.stdout.write(
      `${JSON.stringify({ running: false, home: home.path, public_url: null, processes: [], replica: null })}\n`,
    )
    return 1
  }
  process.stdout.write(json ? `${JSON.stringify(answer.status)}\n` : `${printStatus(answer.status)}\n`)
  return 0
}

const notRunning = (home: string): ClusterFault =>
  new ClusterFault(`No cluster is running in ${home}; start it with \`npm start\`.`)

// Of this process, unless the one that started it says when it began itself.
let began = Date.now() - performance.now()

/** Progress, with the seconds since the start. */
function reporter(): (line: string) => void {
  return (line) => {
    say(`[${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s] ${line}`, false)
  }
}

/** The lines that scripts wait for; the last one tells a waiting parent that it may go. */
function announce(lines: readonly string[]): void {
  lines.forEach((line, index) => {
    say(line, index === lines.length - 1)
  })
}

function say(line: string, ready: boolean): void {
  process.stdout.write(`${line}\n`)
  void tellParent({ line, ready })
}

/** Resolves when a parent that waits has it, at once when there is none. */
async function tellParent(message: { line: string; ready: boolean }): Promise<void> {
  if (process.send === undefined || !process.connected) return
  await new Promise<void>((resolve) => {
    process.send?.(message, undefined, undefined, () => {
      resolve()
    })
  })
}
