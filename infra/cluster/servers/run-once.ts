/** Short commands that prepare a server: their output goes to its log, a failure is one line. */
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClusterFault } from '../fault.ts'
import type { Home } from '../home.ts'
import { mark, searchPath } from '../orphans.ts'

export interface Once {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  readonly limitMs?: number
}

/** Runs the command to its end and returns what it printed. @throws ClusterFault */
export function runOnce(home: Home, once: Once): Promise<string> {
  return new Promise((resolve, reject) => {
    const log = join(home.log, `${once.name}.log`)
    const child = spawn(once.command, once.args, {
      cwd: home.path,
      env: { ...withoutSettings(process.env), PATH: searchPath, HOME: home.tmp, ...once.env, [mark]: home.path },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: once.limitMs ?? 60_000,
      killSignal: 'SIGKILL',
    })
    let output = ''
    let complaint = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text
    })
    child.once('error', (error) => {
      reject(new ClusterFault(`${once.command} cannot be run (${error.message}).`, { cause: error }))
    })
    child.once('close', (code) => {
      if (code === 0) {
        resolve(output)
        return
      }
      appendFileSync(log, `${once.command}: ${complaint}\n${output}\n`, { mode: 0o600 })
      const lines = complaint.trim().split('\n')
      const first = lines.find((line) => line.startsWith('parley: ')) ?? lines.at(-1) ?? ''
      reject(new ClusterFault(`${once.command} failed for ${once.name} (${first.slice(0, 200)}); see ${log}`))
    })
    child.stdin.on('error', () => undefined).end(once.input ?? '')
  })
}

// Settings of the process that starts a cluster (a test, say) are not those of the cluster.
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('PARLEY_')))
}
