/** MariaDB: a primary and a replica that follows it by GTID. */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClusterFault } from '../fault.ts'
import type { Home } from '../home.ts'
import type { Plan } from '../plan.ts'
import { portOf } from '../plan.ts'
import type { ProcessSpec } from '../process.ts'
import { runOnce } from './run-once.ts'

type Which = 'db-primary' | 'db-replica'

const isRoot = process.getuid?.() === 0
const dataOf = (home: Home, which: Which): string => join(home.path, which)
const socketOf = (home: Home, which: Which): string => join(home.run, `${which}.sock`)

/** Makes both data folders where they are missing: one installation, copied. */
export async function installDatabases(home: Home): Promise<void> {
  const wanted: readonly Which[] = ['db-primary', 'db-replica']
  const missing = wanted.filter((which) => !existsSync(dataOf(home, which)))
  if (missing.length === 0) return
  const fresh = join(home.tmp, 'db-new')
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { mode: 0o700 })
  await runOnce(home, {
    name: 'db-primary',
    command: 'mariadb-install-db',
    args: [
      '--no-defaults',
      ...(isRoot ? ['--user=root'] : []),
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
      `--datadir=${fresh}`,
      `--tmpdir=${home.tmp}`,
      '--innodb-log-file-size=64M',
    ],
  })
  for (const which of missing) {
    const half = `${dataOf(home, which)}.new`
    rmSync(half, { recursive: true, force: true })
    cpSync(fresh, half, { recursive: true, preserveTimestamps: true })
    // Renamed last, so that a half-made folder is never taken for a database.
    renameSync(half, dataOf(home, which))
  }
  rmSync(fresh, { recursive: true, force: true })
}

/** How to run one of the two. Its readiness includes its users (primary) or its following the primary (replica). */
export function databaseSpec(home: Home, plan: Plan, which: Which): ProcessSpec {
  const data = dataOf(home, which)
  const own =
    which === 'db-primary'
      ? ['--server-id=1', '--innodb-flush-log-at-trx-commit=1', '--sync-binlog=1']
      : ['--server-id=2', '--read-only=1', '--innodb-flush-log-at-trx-commit=2', '--sync-binlog=0']
  return {
    name: which,
    role: which === 'db-primary' ? 'primary database' : 'replica database',
    port: portOf(plan, which),
    command: 'mariadbd',
    args: [
      '--no-defaults',
      ...(isRoot ? ['--user=root'] : []),
      '--bind-address=127.0.0.1',
      `--port=${String(portOf(plan, which))}`,
      `--socket=${socketOf(home, which)}`,
      `--datadir=${data}`,
      `--pid-file=${join(data, 'mariadbd.pid')}`,
      `--log-bin=${join(data, 'bin')}`,
      `--relay-log=${join(data, 'relay')}`,
      `--tmpdir=${home.tmp}`,
      '--skip-name-resolve',
      '--gtid-strict-mode=1',
      '--binlog-format=ROW',
      '--log-slave-updates=1',
      '--expire-logs-days=7',
      '--slave-net-timeout=10',
      '--character-set-server=utf8mb4',
      '--collation-server=utf8mb4_unicode_ci',
      '--innodb-buffer-pool-size=128M',
      '--innodb-log-file-size=64M',
      '--performance-schema=0',
      '--max-connections=300',
      '--max-allowed-packet=64M',
      '--local-infile=1',
      '--session-track-system-variables=last_gtid',
      ...own,
    ],
    ready: async (signal) => {
      await waitForDatabase(home, which, signal)
      if (which === 'db-primary') await prepareUsers(home, plan)
      else await follow(home, plan)
    },
    stopLimitMs: 15_000,
  }
}

/** Runs SQL as the administrator, over the socket in the closed folder; no password is involved. */
export function runSql(home: Home, which: Which, sql: string, limitMs = 20_000): Promise<string> {
  return runOnce(home, {
    name: which,
    command: 'mariadb',
    args: [
      '--no-defaults',
      '-uroot',
      `--socket=${socketOf(home, which)}`,
      '--batch',
      '--skip-column-names',
      '--connect-timeout=3',
    ],
    input: sql,
    limitMs,
  })
}

export interface ReplicaState {
  readonly lag_seconds: number | null
  readonly receiving: boolean
  readonly applying: boolean
  readonly primary_gtid: string | null
  readonly replica_gtid: string | null
  readonly error: string | null
}

/** How far the replica is behind. Answers within a few seconds even if a database is away. */
export async function readReplicaState(home: Home): Promise<ReplicaState> {
  const [primary, replica] = await Promise.all([
    runSql(home, 'db-primary', 'select @@gtid_binlog_pos', 3000).catch(() => null),
    // Without --skip-column-names: that would leave out the names in vertical output, too.
    runOnce(home, {
      name: 'db-replica',
      command: 'mariadb',
      args: ['--no-defaults', '-uroot', `--socket=${socketOf(home, 'db-replica')}`, '--connect-timeout=3'],
      input: 'show replica status\\G select @@gtid_slave_pos as gtid\\G',
      limitMs: 3000,
    }).catch(() => null),
  ])
  const rows = new Map(
    (replica ?? '').split('\n').flatMap((line) => {
      const match = /^\s*([A-Za-z_]+): ?(.*)$/.exec(line)
      return match?.[1] === undefined || match[2] === undefined ? [] : [[match[1], match[2]] as const]
    }),
  )
  const seconds = rows.get('Seconds_Behind_Master')
  const error = [rows.get('Last_IO_Error'), rows.get('Last_SQL_Error')].find(
    (text) => text !== undefined && text !== '',
  )
  return {
    lag_seconds: seconds === undefined || !/^\d+$/.test(seconds) ? null : Number(seconds),
    receiving: rows.get('Slave_IO_Running') === 'Yes',
    applying: rows.get('Slave_SQL_Running') === 'Yes',
    primary_gtid: primary?.trim() ?? null,
    replica_gtid: rows.get('gtid') ?? null,
    error: error ?? null,
  }
}

async function waitForDatabase(home: Home, which: Which, signal: AbortSignal): Promise<void> {
  while (!existsSync(socketOf(home, which))) await sleep(20, undefined, { signal })
  for (;;) {
    try {
      await runOnce(home, {
        name: `${which}.wait`,
        command: 'mariadb',
        args: ['--no-defaults', '-uroot', `--socket=${socketOf(home, which)}`, '-e', 'select 1'],
        limitMs: 5000,
      })
      return
    } catch (error) {
      if (error instanceof ClusterFault && /cannot be run/.test(error.message)) throw error
      await sleep(50, undefined, { signal })
    }
  }
}

// Users and schema are made on the primary only and reach the replica by replication.
async function prepareUsers(home: Home, plan: Plan): Promise<void> {
  const { parley, replication } = plan.passwords
  const known = await runSql(home, 'db-primary', "select count(*) from mysql.global_priv where User='replication'")
  // Password-less root over TCP is what the installation leaves; only the socket in our closed folder may keep it.
  const sql = `
    drop user if exists root@'127.0.0.1', root@'::1';
    create database if not exists parley character set utf8mb4 collate utf8mb4_unicode_ci;
    create user if not exists parley@'127.0.0.1' identified by '${parley}';
    grant all on parley.* to parley@'127.0.0.1';
    grant all on \`t\\_%\`.* to parley@'127.0.0.1';
    grant replication client, slave monitor on *.* to parley@'127.0.0.1';
    create user replication@'127.0.0.1' identified by '${replication}';
    grant replication slave, replication client on *.* to replication@'127.0.0.1';`
  if (known.trim() === '0') await runSql(home, 'db-primary', sql)
}

// An empty replica replays the whole binary log: no dump is needed.
async function follow(home: Home, plan: Plan): Promise<void> {
  const known = await runSql(home, 'db-replica', 'show replica status')
  const start =
    known.trim() === ''
      ? `change master to master_host='127.0.0.1', master_user='replication', master_use_gtid=slave_pos,`
      : ''
  const port = String(portOf(plan, 'db-primary'))
  const target = `master_port=${port}, master_password='${plan.passwords.replication}', master_connect_retry=1`
  const change = start === '' ? `stop slave; change master to ${target};` : `${start} ${target};`
  await runSql(home, 'db-replica', `${change} start slave;`)
}
