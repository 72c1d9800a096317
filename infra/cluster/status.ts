/** What runs, as whom, since when: for `parley cluster status` and for tests. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { z } from 'zod'
import { version as ownVersion } from '../config.ts'
import type { Home } from './home.ts'
import type { Plan } from './plan.ts'
import type { SupervisedProcess } from './process.ts'
import { artemisVersion } from './servers/artemis.ts'
import { readReplicaState } from './servers/mariadb.ts'

const processStatus = z.object({
  name: z.string(),
  /** The node id; servers are named in the same way. */
  node: z.string(),
  role: z.string(),
  version: z.string(),
  pid: z.number().nullable(),
  port: z.number(),
  state: z.string(),
  restarts: z.number(),
  started_at: z.string().nullable(),
  log: z.string(),
})

export const clusterStatus = z.object({
  running: z.boolean(),
  home: z.string(),
  public_url: z.string().nullable(),
  processes: z.array(processStatus),
  replica: z
    .object({
      lag_seconds: z.number().nullable(),
      receiving: z.boolean(),
      applying: z.boolean(),
      primary_gtid: z.string().nullable(),
      replica_gtid: z.string().nullable(),
      error: z.string().nullable(),
    })
    .nullable(),
})

export type ClusterStatus = z.infer<typeof clusterStatus>

/** The status of these processes and of the replica. */
export async function readStatus(
  home: Home,
  plan: Plan,
  processes: readonly SupervisedProcess[],
): Promise<ClusterStatus> {
  const [versions, replica] = await Promise.all([
    Promise.all(processes.map((one) => versionOf(one.spec.command))),
    readReplicaState(home),
  ])
  return {
    running: true,
    home: home.path,
    public_url: plan.public_url ?? null,
    processes: processes.map((one, index) => ({
      name: one.spec.name,
      node: one.spec.name,
      role: one.spec.role,
      version: versions[index] ?? 'unknown',
      pid: one.pid ?? null,
      port: one.spec.port,
      state: one.state,
      restarts: one.restarts,
      started_at: one.startedAt?.toISOString() ?? null,
      log: one.logPath,
    })),
    replica,
  }
}

/** The status as a table. */
export function printStatus(status: ClusterStatus): string {
  const rows = [
    ['NODE', 'ROLE', 'VERSION', 'PID', 'PORT', 'STATE', 'RESTARTS'],
    ...status.processes.map((one) => [
      one.node,
      one.role,
      one.version,
      one.pid === null ? '-' : String(one.pid),
      String(one.port),
      one.state,
      String(one.restarts),
    ]),
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const { replica } = status
  if (replica !== null) {
    const lag = replica.lag_seconds === null ? 'unknown' : `${String(replica.lag_seconds)} s`
    lines.push(
      '',
      `replica: lag ${lag}, primary at ${replica.primary_gtid ?? '?'}, replica at ${replica.replica_gtid ?? '?'}`,
    )
    if (replica.error !== null) lines.push(`replica: ${replica.error}`)
  }
  return [`${status.public_url ?? 'servers only'} (${status.home})`, '', ...lines].join('\n')
}

const run = promisify(execFile)
const known = new Map<string, Promise<string>>()

const versionFlags: Readonly<Record<string, readonly string[]>> = {
  mariadbd: ['--no-defaults', '--version'],
  memcached: ['-V'],
  apache2: ['-v'],
  haproxy: ['-v'],
  'redis-server': ['--version'],
  'rabbitmq-server': [],
}

// Asked once for each program: the answer does not change while it runs.
function versionOf(command: string): Promise<string> {
  const program = command.split('/').at(-1) ?? command
  let answer = known.get(program)
  if (answer === undefined) {
    answer = askVersion(command, program).catch(() => 'unknown')
    known.set(program, answer)
  }
  return answer
}

async function askVersion(command: string, program: string): Promise<string> {
  if (program === 'node') return ownVersion
  if (program === 'java') return artemisVersion
  if (program === 'rabbitmq-server') {
    const { stdout } = await run('dpkg-query', ['-W', '-f', '${Version}', 'rabbitmq-server'])
    return stdout.split('-')[0] ?? stdout
  }
  const flags = versionFlags[program]
  if (flags === undefined) return '-'
  const { stdout } = await run(command, [...flags])
  return /\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? 'unknown'
}
