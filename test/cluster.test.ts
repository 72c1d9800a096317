/** The local cluster's servers, for real: what dies comes back, one folder has one owner, nothing is left behind. */
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServers } from '../infra/cluster/servers.ts'
import type { Servers } from '../infra/cluster/servers.ts'

const program = new URL('../infra/bin/parley.ts', import.meta.url).pathname
const queues = ['inbound', 'deliver']
const run = promisify(execFile)

let home: string
let servers: Servers
let beside: string
const begun: ChildProcess[] = []

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-cluster-'))
  beside = await mkdtemp(join(tmpdir(), 'parley-beside-'))
  servers = await startServers(home, { queues })
})

afterAll(async () => {
  await servers.stop()
  for (const child of begun) child.kill('SIGKILL')
  await parley(beside, 'cluster', 'down')
  await Promise.all([home, beside].map((folder) => rm(folder, { recursive: true, force: true })))
})

test('every server is ready, and the replica follows', async () => {
  const status = await servers.status()
  expect(status.processes.map((one) => one.state)).toEqual(status.processes.map(() => 'ready'))
  expect(status.processes.map((one) => one.name).sort()).toEqual(
    ['broker', 'db-primary', 'db-replica', 'epmd', 'memcached-1', 'memcached-2', 'redis'].sort(),
  )
  expect(status.replica).toMatchObject({ lag_seconds: 0, receiving: true, applying: true, error: null })
})

test('passwords and keys are closed to others', () => {
  expect(statSync(home).mode & 0o777).toBe(0o700)
  for (const file of ['cluster.json', 'keys.json']) expect(statSync(join(home, file)).mode & 0o777).toBe(0o600)
  // No password among the arguments, which every user of the machine can read.
  const plan = readFileSync(join(home, 'cluster.json'), 'utf8')
  const passwords = [...plan.matchAll(/"([\w-]{32})"/g)].map((match) => match[1])
  expect(passwords).toHaveLength(4)
  for (const pid of processesOf(home)) {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    for (const password of passwords) expect(args).not.toContain(password)
  }
})

test.each(['redis', 'memcached-1', 'db-primary', 'db-replica'])('%s is started again after kill -9', async (name) => {
  const before = (await servers.status()).processes.find((one) => one.name === name)
  servers.kill(name)
  await expect
    .poll(async () => (await servers.status()).processes.find((one) => one.name === name))
    .toMatchObject({
      restarts: (before?.restarts ?? 0) + 1,
    })
  await servers.whenReady(name)
  const after = (await servers.status()).processes.find((one) => one.name === name)
  expect(after).toMatchObject({ state: 'ready', port: before?.port })
  expect(after?.pid).not.toBe(before?.pid)
})

test('the replica catches up after it was held away', async () => {
  await servers.hold('db-replica')
  await servers.restart('db-primary')
  await servers.release('db-replica')
  await expect
    .poll(async () => (await servers.status()).replica, { timeout: 10_000 })
    .toMatchObject({ receiving: true, applying: true, lag_seconds: 0 })
  const { replica } = await servers.status()
  expect(replica?.replica_gtid).toBe(replica?.primary_gtid)
})

test('a second start in the same folder is refused in one line', async () => {
  await expect(startServers(home, { queues })).rejects.toThrow(`already running in ${home}`)
  const refused = await parley(home, 'cluster', 'up', '--servers')
  expect(refused.code).toBe(1)
  expect(refused.stderr.trim().split('\n')).toHaveLength(1)
  expect(refused.stderr).toContain(`(process ${String(process.pid)})`)
})

test('a taken public port is one line, and nothing is left running', async () => {
  const other = await listen()
  const refused = await parley(beside, 'cluster', 'up', { PARLEY_PORT: String(other.port) })
  other.server.close()
  expect(refused).toMatchObject({ code: 1 })
  expect(refused.stderr).toBe(
    `parley: Port ${String(other.port)} is used by another program; choose another with PARLEY_PORT.\n`,
  )
  expect(processesOf(beside)).toEqual([])
})

test('a folder that cannot be used is one line', async () => {
  const refused = await parley('/proc/parley', 'cluster', 'up')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(/^parley: The data folder \/proc\/parley cannot be used .*PARLEY_HOME.*\n$/)
})

test('beside the first a second cluster runs; its killed supervisor leaves nothing that the next start cannot clear', async () => {
  const first = await up(beside)
  const before = await statusOf(beside)
  // Without our own clean-up at its death the servers would live on: freeze one, so that it cannot obey the kernel's SIGTERM.
  const frozen = pidOf(before, 'db-primary')
  process.kill(frozen, 'SIGSTOP')
  first.kill('SIGKILL')
  await sleep(300)
  expect(processesOf(beside)).toContain(String(frozen))

  await up(beside)
  const after = await statusOf(beside)
  expect(pidOf(after, 'db-primary')).not.toBe(frozen)
  expect(after.processes.map((one) => [one.name, one.port])).toEqual(
    before.processes.map((one) => [one.name, one.port]),
  )
  expect(processesOf(beside)).not.toContain(String(frozen))

  expect((await parley(beside, 'cluster', 'down')).stdout).toBe('stopped\n')
  expect(processesOf(beside)).toEqual([])
  expect((await parley(beside, 'cluster', 'status', '--json')).stdout).toContain('"running":false')
  // The first one was not touched by any of this.
  expect((await servers.status()).processes.every((one) => one.state === 'ready')).toBe(true)
})

interface Status {
  processes: { name: string; port: number; pid: number | null }[]
}

async function statusOf(path: string): Promise<Status> {
  const parsed: Status = JSON.parse((await parley(path, 'cluster', 'status', '--json')).stdout)
  return { processes: parsed.processes.toSorted((a, b) => a.name.localeCompare(b.name)) }
}

function pidOf(status: Status, name: string): number {
  const pid = status.processes.find((one) => one.name === name)?.pid
  if (pid === undefined || pid === null) throw new Error(`${name} has no pid`)
  return pid
}

/** Starts a supervisor in the foreground and waits for its last line. */
async function up(path: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, 'cluster', 'up', '--servers'], {
    env: environment(path),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  begun.push(child)
  let output = ''
  child.stdout.on('data', (part: Buffer) => (output += part.toString()))
  child.stderr.on('data', (part: Buffer) => (output += part.toString()))
  await expect.poll(() => output, { timeout: 60_000, interval: 100 }).toContain('ready (servers only)')
  return child
}

async function parley(
  path: string,
  ...words: (string | Record<string, string>)[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = words.filter((word) => typeof word === 'string')
  const env = Object.assign({}, environment(path), ...words.filter((word) => typeof word === 'object'))
  try {
    const { stdout, stderr } = await run(process.execPath, [program, ...args], { env, timeout: 60_000 })
    return { code: 0, stdout, stderr }
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && 'stderr' in error && 'code' in error) {
      return { code: Number(error.code), stdout: String(error.stdout), stderr: String(error.stderr) }
    }
    throw error
  }
}

function environment(path: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', PARLEY_HOME: path, PARLEY_DEMO: '0' }
}

/** The pids of everything that runs for this folder. */
function processesOf(path: string): string[] {
  return readdirSync('/proc').filter((entry) => {
    if (!/^\d+$/.test(entry)) return false
    try {
      return readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0').includes(`PARLEY_CLUSTER_HOME=${path}`)
    } catch {
      return false
    }
  })
}

function listen(): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve({ server, port: typeof address === 'object' && address !== null ? address.port : 0 })
    })
  })
}
