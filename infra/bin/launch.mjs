/** Running programs with the right Node, telling how far we are, and giving up in one line. Plain JavaScript for Node 20. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const bin = join(root, 'node_modules', '.bin')

/** When this began, in milliseconds: progress counts from here, in the programs that follow, too. */
export const began = Date.now()

/** Runs Node 24 or later with these words, in the foreground. */
export function runNode(words) {
  const own = Number(process.versions.node.split('.')[0]) >= 24
  const brought = join(bin, 'node')
  if (!own && !existsSync(brought)) {
    fail(
      `Parley needs Node 24 or later and this is ${process.version}; the packages bring one for Linux on x64 and arm64, elsewhere install it.`,
    )
  }
  // First on the PATH, so that what is started from there finds the same one.
  const path = own
    ? `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`
    : `${bin}${delimiter}${process.env.PATH ?? ''}`
  return runChild(own ? process.execPath : brought, words, { env: { ...process.env, PATH: path } })
}

/** Runs a program to its end; hands signals on to it. `ticking`: says every 10 s that it is still at it. */
export function runChild(command, words, { env = process.env, ticking } = {}) {
  // The kernel asks the program to end when we are killed.
  const guard = spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true'], { stdio: 'ignore' }).status === 0
  const [whole, all] = guard ? ['setpriv', ['--pdeathsig', 'TERM', '--', command, ...words]] : [command, words]
  return new Promise((resolve) => {
    const child = spawn(whole, all, { cwd: root, env, stdio: 'inherit' })
    const tick = ticking === undefined ? undefined : setInterval(() => progress(`${ticking} is still running`), 10_000)
    const names = ['SIGINT', 'SIGTERM', 'SIGHUP']
    // A Ctrl-C at the terminal reaches the program by itself; twice would mean "at once".
    const handOn = Object.fromEntries(
      names.map((name) => [name, () => (name === 'SIGINT' && process.stdin.isTTY ? false : child.kill(name))]),
    )
    for (const name of names) process.on(name, handOn[name])
    const end = (code) => {
      clearInterval(tick)
      for (const name of names) process.removeListener(name, handOn[name])
      resolve(code)
    }
    child.once('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`)
      end(127)
    })
    child.once('exit', (code, signal) => end(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}

export function program(name) {
  return join(root, 'infra', 'bin', name)
}

export function progress(line) {
  process.stdout.write(`[${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s] ${line}\n`)
}

export function fail(line, code = 1) {
  process.stderr.write(`parley: ${line}\n`)
  process.exit(code)
}
