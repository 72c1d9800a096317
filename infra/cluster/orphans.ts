/**
 * Ends what a dead supervisor left behind. A process is ours if it is the one that a pid file names (same pid and same
 * start, so a reused pid is never touched), or if its environment carries the mark of this home.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Home } from './home.ts'
import { writePrivate } from './home.ts'

/** The environment variable that marks every process of a home. */
export const mark = 'PARLEY_CLUSTER_HOME'

/** Where programs are looked for: Debian keeps servers where an ordinary user's PATH does not lead. */
export const searchPath = [process.env['PATH'], '/usr/sbin', '/sbin'].filter(Boolean).join(':')

/** Notes that `pid` runs as `name`. */
export function writePid(home: Home, name: string, pid: number): void {
  writePrivate(join(home.run, `${name}.pid`), `${String(pid)} ${startOf(pid) ?? '0'}\n`)
}

export function removePid(home: Home, name: string): void {
  rmSync(join(home.run, `${name}.pid`), { force: true })
}

/** Every living process of this home except this one. */
export function findProcesses(home: Home): number[] {
  const found = new Set<number>(processesByMark(home))
  for (const file of readdirSync(home.run).filter((name) => name.endsWith('.pid'))) {
    const [pid, start] = readFileSync(join(home.run, file), 'utf8').trim().split(' ').map(Number)
    if (pid !== undefined && start !== undefined && start > 0 && startOf(pid) === String(start)) found.add(pid)
  }
  found.delete(process.pid)
  return [...found]
}

/** Asks the left-over processes to end, ends them after `graceMs`, and tells how many there were. */
export async function endOrphans(home: Home, graceMs = 4000): Promise<number> {
  const first = findProcesses(home)
  for (const pid of first) signal(pid, 'SIGCONT')
  for (const pid of first) signal(pid, 'SIGTERM')
  const until = Date.now() + graceMs
  for (let left = first; left.length > 0; left = findProcesses(home)) {
    if (Date.now() > until) for (const pid of left) signal(pid, 'SIGKILL')
    await sleep(50)
  }
  for (const file of readdirSync(home.run)) {
    if (file.endsWith('.pid') || file.endsWith('.sock')) rmSync(join(home.run, file), { force: true })
  }
  return first.length
}

/** When the kernel started `pid`, in ticks since boot; undefined when it is gone or a zombie. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function processesByMark(home: Home): number[] {
  const wanted = `${mark}=${home.path}`
  const found: number[] = []
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid)) continue
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, 'utf8')
      if (environment.split('\0').includes(wanted) && startOf(pid) !== undefined) found.push(pid)
    } catch {
      // It ended meanwhile, or belongs to another user and so not to us.
    }
  }
  return found
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Gone already.
  }
}
