/** The data folder of a cluster: private, writable, and used by one supervisor at a time. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
} from 'node:fs'
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { messageOf } from '../errors.ts'
import { ClusterFault } from './fault.ts'

/** The folders of one cluster. `run` is short enough for the sockets in it. */
export interface Home {
  readonly path: string
  readonly run: string
  readonly log: string
  readonly tmp: string
}

/** The paths below `path`; makes nothing. */
export function locateHome(path: string): Home {
  let whole = resolve(path)
  try {
    whole = realpathSync(whole)
  } catch {
    // It does not exist yet.
  }
  // A unix socket's path is at most 107 bytes.
  const inside = join(whole, 'run')
  const run = Buffer.byteLength(inside) <= 80 ? inside : join(tmpdir(), `parley-${hashOf(whole)}`)
  return { path: whole, run, log: join(whole, 'log'), tmp: join(whole, 'tmp') }
}

/** Makes the folders, closed to other users. @throws ClusterFault when the folder cannot be written. */
export function makeHome(path: string): Home {
  // The start scripts of the servers do not quote.
  if (!/^[\w./@+~-]+$/.test(resolve(path))) {
    throw new ClusterFault(
      `The data folder "${resolve(path)}" has blanks or special characters in its path; set PARLEY_HOME to one without.`,
    )
  }
  try {
    makeFolder(resolve(path))
    const home = locateHome(path)
    chmodSync(home.path, 0o700)
    accessSync(home.path, constants.W_OK | constants.X_OK)
    for (const folder of [home.run, home.log, home.tmp]) {
      makeFolder(folder)
      // The run folder may lie in a shared temporary folder, where someone else could have made it first.
      const made = lstatSync(folder)
      if (!made.isDirectory() || made.uid !== process.getuid?.()) throw new Error(`${folder} belongs to somebody else`)
    }
    return home
  } catch (error) {
    throw new ClusterFault(
      `The data folder ${resolve(path)} cannot be used (${messageOf(error)}); set PARLEY_HOME to a folder of your own.`,
    )
  }
}

/** Takes away what lies outside of the data folder. */
export function clearOutside(home: Home): void {
  if (!home.run.startsWith(home.path)) rmSync(home.run, { recursive: true, force: true })
  rmSync(siteCopy(home), { recursive: true, force: true })
}

/** Where the browser app is copied for front ends that may not read the checkout. */
export const siteCopy = (home: Home): string => join(tmpdir(), `parley-site-${hashOf(home.path)}`)

// Step by step: mkdir with `recursive` never ends in a file system like /proc, which refuses new folders as "not found".
function makeFolder(path: string): void {
  const parent = dirname(path)
  if (!existsSync(parent) && parent !== path) makeFolder(parent)
  if (!existsSync(path)) mkdirSync(path, { mode: 0o700 })
}

/** Where the supervisor of this home listens for status and down. */
export const controlSocket = (home: Home): string => join(home.run, 'supervisor.sock')

/** A short name that is always the same for the same folder. */
export function hashOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 12)
}

/** Writes a file that only its owner may read, whole or not at all. */
export function writePrivate(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/**
 * Takes the folder for this process, until `release` or its death: the kernel drops the lock with the open file, so a
 * killed supervisor leaves none behind.
 * @throws ClusterFault when another living process has it.
 */
export function lockHome(home: Home): { release(): void } {
  const file = join(home.path, 'supervisor.lock')
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600)
  // flock(1) locks the open file it shares with us, then ends; the lock stays with our descriptor.
  const tried = spawnSync('flock', ['--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
  if (tried.error !== undefined || tried.status !== 0) {
    closeSync(fd)
    if (tried.error !== undefined) throw new ClusterFault('The command flock (package util-linux) is missing.')
    const pid = readFileSync(file, 'utf8').trim()
    throw new ClusterFault(`A cluster is already running in ${home.path} (process ${pid}); stop it with \`npm stop\`.`)
  }
  ftruncateSync(fd)
  writeSync(fd, `${String(process.pid)}\n`, 0)
  return {
    release() {
      closeSync(fd)
    },
  }
}

const logLimit = 10 * 1024 * 1024

/** Opens the log of one process for appending; a long one is put aside first, two old ones are kept. */
export function openLog(home: Home, name: string): { path: string; fd: number } {
  const path = join(home.log, `${name}.log`)
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > logLimit) {
    rmSync(`${path}.2`, { force: true })
    if (statSync(`${path}.1`, { throwIfNoEntry: false }) !== undefined) renameSync(`${path}.1`, `${path}.2`)
    renameSync(path, `${path}.1`)
  }
  return { path, fd: openSync(path, 'a', 0o600) }
}
